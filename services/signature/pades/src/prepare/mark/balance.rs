use crate::prepare::PrepareError;
use crate::syntax::{Document, Kind, Lexer, ObjectId, TokenKind, decode_stream};

/// Decoded content that is looked at; a page beyond it is taken to be balanced.
const LIMIT: usize = 64 * 1024 * 1024;

/// Saved states, brackets and parentheses that may be left open, or closed without having been opened. Each is written into the
/// sealed file, and readers stop at some depth (ISO 32000-1, annex C.2, tells of 28). What faulty tools leave is a handful.
const MAX_UNBALANCED: usize = 10_000;

/// What must stand around a page's content so that what follows it begins in the initial graphics state.
pub(super) struct Around {
    /// How many `q` stand before it: one if the content is balanced.
    pub(super) opening: usize,
    /// Ends what the content leaves open, which would take in all that follows: a string, arrays and dictionaries, an inline image.
    pub(super) ending: Vec<u8>,
    /// How many `Q` stand behind it: one if the content is balanced.
    pub(super) closing: usize,
}

/// Looks through the content of a page for what it leaves open.
///
/// # Errors
/// [`PrepareError::Unbalanced`] where that is more than a seal may add.
pub(super) fn around(document: &Document<'_>, contents: &[ObjectId]) -> Result<Around, PrepareError> {
    let Some(content) = joined(document, contents) else {
        return Ok(Around {
            opening: 1,
            ending: Vec::new(),
            closing: 1,
        });
    };
    let mut scan = Scan::default();
    let mut ending = scan.run(&content);
    let (below, above) = (-scan.lowest, scan.depth - scan.lowest);
    let left = [below, above].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    if left
        .into_iter()
        .chain([ending.len() + scan.open.len()])
        .any(|number| number > MAX_UNBALANCED)
    {
        return Err(PrepareError::Unbalanced);
    }
    for bracket in scan.open.iter().rev() {
        ending.extend_from_slice(if *bracket == b']' { b"]" } else { b">>" });
    }
    Ok(Around {
        opening: 1 + left[0],
        ending,
        closing: 1 + left[1],
    })
}

/// The streams as one (ISO 32000-1, 7.8.2), white space between them.
fn joined(document: &Document<'_>, contents: &[ObjectId]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    for id in contents {
        let loaded = document.object(*id).ok()??;
        let Kind::Dictionary(dictionary) = &loaded.value.kind else {
            return None;
        };
        let left = LIMIT.saturating_sub(content.len());
        content.extend(decode_stream(Some(document), dictionary, loaded.stream?, left).ok()?);
        content.push(b'\n');
    }
    Some(content)
}

#[derive(Default)]
struct Scan {
    /// Depth of saved graphics states, 0 at the start of the page.
    depth: i64,
    lowest: i64,
    /// The closing bracket, `]` or `>`, of each array and dictionary that is open.
    open: Vec<u8>,
}

impl Scan {
    /// Reads all content, each byte a fixed number of times; answers what ends its last token if that is open.
    fn run(&mut self, content: &[u8]) -> Vec<u8> {
        let mut lexer = Lexer::new(content, 0);
        loop {
            match lexer.next_token() {
                Ok(token) => match (&token.kind, token.raw) {
                    (TokenKind::End, _) => return Vec::new(),
                    (TokenKind::ArrayOpen, _) => self.open.push(b']'),
                    (TokenKind::DictionaryOpen, _) => self.open.push(b'>'),
                    (TokenKind::ArrayClose | TokenKind::DictionaryClose, raw) => {
                        self.open.pop_if(|bracket| *bracket == raw[0]);
                    }
                    (TokenKind::Keyword, b"q") => self.depth += 1,
                    (TokenKind::Keyword, b"Q") => {
                        self.depth -= 1;
                        self.lowest = self.lowest.min(self.depth);
                    }
                    (TokenKind::Keyword, b"ID") if !skip_inline_image(&mut lexer) => return b"EI\n".to_vec(),
                    _ => {}
                },
                // Viewers step over what they cannot read, and so does this.
                Err(fault) => match &content[fault.at..] {
                    rest @ [b'(', ..] => return vec![b')'; unclosed(rest)],
                    [b'<', rest @ ..] => match rest.iter().position(|byte| *byte == b'>') {
                        Some(end) => lexer.seek(fault.at + end + 2),
                        None => return b">".to_vec(),
                    },
                    _ => lexer.seek(lexer.position().max(fault.at + 1)),
                },
            }
        }
    }
}

/// Number of parentheses that are open at the end of a string without an end.
fn unclosed(string: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut bytes = string.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth
}

/// Leaves the lexer behind the `EI` of an inline image; answers whether there is one.
fn skip_inline_image(lexer: &mut Lexer<'_>) -> bool {
    let rest = &lexer.bytes()[lexer.position()..];
    let space = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_whitespace() || *byte == 0);
    let end = (1..rest.len())
        .find(|at| rest[*at..].starts_with(b"EI") && space(rest.get(at - 1)) && space(rest.get(at + 2)));
    lexer.seek(lexer.position() + end.map_or(rest.len(), |at| at + 2));
    end.is_some()
}
