use super::{Entry, Section, SectionStyle, unsigned};
use crate::syntax::lexer::{Lexer, is_space};
use crate::syntax::{Fault, FaultKind, Kind, MAX_OBJECTS, TokenKind, parse_value};

/// Reads the table that begins with `xref` at `offset`, and its trailer.
pub(super) fn read(bytes: &[u8], offset: usize) -> Result<Section<'_>, Fault> {
    let damaged = |at: usize| Fault::new(FaultKind::CrossReference, at);
    let mut lexer = Lexer::new(bytes, offset);
    lexer.keyword(b"xref").map_err(|fault| damaged(fault.at))?;
    let mut entries = Vec::new();
    loop {
        let mut ahead = lexer.clone();
        let token = ahead.next_token().map_err(|fault| damaged(fault.at))?;
        if token.kind == TokenKind::Keyword && token.raw == b"trailer" {
            lexer = ahead;
            break;
        }
        let at = token.at;
        let first = unsigned(&mut lexer).ok_or_else(|| damaged(at))?;
        let count = unsigned(&mut lexer).ok_or_else(|| damaged(at))?;
        if count as usize > MAX_OBJECTS {
            return Err(Fault::new(FaultKind::TooManyObjects, at));
        }
        subsection(&mut lexer, first, count, &mut entries)?;
    }
    let trailer = parse_value(&mut lexer).map_err(|fault| damaged(fault.at))?;
    let at = trailer.at;
    match trailer.kind {
        Kind::Dictionary(trailer) => Ok(Section {
            entries,
            trailer,
            style: SectionStyle::Table,
        }),
        _ => Err(damaged(at)),
    }
}

fn subsection(
    lexer: &mut Lexer<'_>,
    first: u32,
    count: u32,
    entries: &mut Vec<(u32, Entry)>,
) -> Result<(), Fault> {
    for index in 0..count {
        let at = entry_start(lexer);
        let damaged = Fault::new(FaultKind::CrossReference, at);
        let number = first.checked_add(index).ok_or_else(|| damaged.clone())?;
        // Twenty bytes with the end of line; a lone line feed after the letter makes it nineteen.
        let line = lexer.bytes().get(at..at + 18).ok_or_else(|| damaged.clone())?;
        entries.push((number, entry(line).ok_or(damaged)?));
        lexer.seek(at + 18);
    }
    Ok(())
}

/// White space only: a comment between entries is damage to every reader.
fn entry_start(lexer: &Lexer<'_>) -> usize {
    let rest = &lexer.bytes()[lexer.position()..];
    lexer.position()
        + rest
            .iter()
            .position(|byte| !is_space(*byte))
            .unwrap_or(rest.len())
}

fn entry(line: &[u8]) -> Option<Entry> {
    let digits = |range: std::ops::Range<usize>| -> Option<usize> {
        let text = std::str::from_utf8(&line[range]).ok()?;
        if text.bytes().all(|b| b.is_ascii_digit()) {
            text.parse().ok()
        } else {
            None
        }
    };
    let offset = digits(0..10)?;
    let generation = digits(11..16)?;
    if line[10] != b' ' || line[16] != b' ' {
        return None;
    }
    match line[17] {
        b'f' => Some(Entry::Free),
        b'n' => Some(Entry::InFile {
            offset,
            generation: u16::try_from(generation).ok()?,
        }),
        _ => None,
    }
}
