use crate::syntax::{Document, Kind, Lexer, ObjectId, TokenKind, decode_stream};

/// Decoded content that is looked at; a page beyond it is taken to be balanced.
const LIMIT: usize = 64 * 1024 * 1024;

/// How many `q` must stand before and how many `Q` behind a page's content for the graphics state behind it
/// to be the initial one. One each if the content is balanced.
pub(super) fn around(document: &Document<'_>, contents: &[ObjectId]) -> (usize, usize) {
    let mut depth = Depth::default();
    for id in contents {
        let Some(content) = decoded(document, *id) else {
            return (1, 1);
        };
        depth.scan(&content);
    }
    let opening = 1 + usize::try_from(-depth.lowest).unwrap_or(0);
    let closing = usize::try_from(depth.current - depth.lowest + 1).unwrap_or(1);
    (opening, closing)
}

fn decoded(document: &Document<'_>, id: ObjectId) -> Option<Vec<u8>> {
    let loaded = document.object(id).ok()??;
    let Kind::Dictionary(dictionary) = &loaded.value.kind else {
        return None;
    };
    decode_stream(Some(document), dictionary, loaded.stream?, LIMIT).ok()
}

/// Depth of saved graphics states, 0 at the start of the page.
#[derive(Default)]
struct Depth {
    current: i64,
    lowest: i64,
}

impl Depth {
    fn scan(&mut self, content: &[u8]) {
        let mut lexer = Lexer::new(content, 0);
        loop {
            match lexer.next_token() {
                Ok(token) => match (&token.kind, token.raw) {
                    (TokenKind::End, _) => return,
                    (TokenKind::Keyword, b"q") => self.current += 1,
                    (TokenKind::Keyword, b"Q") => {
                        self.current -= 1;
                        self.lowest = self.lowest.min(self.current);
                    }
                    (TokenKind::Keyword, b"ID") => skip_inline_image(&mut lexer),
                    _ => {}
                },
                // Viewers step over what they cannot read, and so does this.
                Err(fault) => lexer.seek(fault.at + 1),
            }
        }
    }
}

/// Leaves the lexer behind the `EI` of an inline image.
fn skip_inline_image(lexer: &mut Lexer<'_>) {
    let rest = &lexer.bytes()[lexer.position()..];
    let space = |byte: Option<&u8>| byte.is_none_or(|byte| byte.is_ascii_whitespace() || *byte == 0);
    let end = (1..rest.len())
        .find(|at| rest[*at..].starts_with(b"EI") && space(rest.get(at - 1)) && space(rest.get(at + 2)));
    lexer.seek(lexer.position() + end.map_or(rest.len(), |at| at + 2));
}
