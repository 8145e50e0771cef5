mod stream;
mod table;

use std::collections::{BTreeMap, HashSet};

use super::lexer::Lexer;
use super::{Dictionary, Fault, FaultKind, MAX_OBJECT_NUMBER, MAX_OBJECTS, Value};

/// Where the cross-reference says an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The number is not in use.
    Free,
    /// The object stands in the file.
    InFile {
        /// Offset in bytes of its header.
        offset: usize,
        /// Its generation.
        generation: u16,
    },
    /// The object stands in an object stream.
    InStream {
        /// Number of the object stream.
        stream: u32,
        /// Index in it, from 0.
        index: usize,
    },
}

/// How a cross-reference section is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionStyle {
    /// A table with the keyword `xref`.
    Table,
    /// A cross-reference stream (PDF 1.5).
    Stream,
}

/// The whole chain of sections, newest first, merged.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) entries: BTreeMap<u32, Entry>,
    /// The trailer of the newest section.
    pub(super) trailer: Dictionary<'a>,
    pub(super) style: SectionStyle,
    pub(super) any_encrypted: bool,
    /// Whether any trailer names files that only LibreOffice looks for.
    pub(super) any_additional: bool,
    /// The first number that no object in use and no `/Size` reaches.
    pub(super) next_number: u32,
}

/// One section as read.
struct Section<'a> {
    entries: Vec<(u32, Entry)>,
    trailer: Dictionary<'a>,
    style: SectionStyle,
}

/// Follows `/Prev` and `/XRefStm` from the section at `start`.
pub(super) fn read_chain(bytes: &[u8], start: usize, limit: usize) -> Result<Chain<'_>, Fault> {
    let mut entries = BTreeMap::new();
    let mut visited = HashSet::new();
    let mut newest: Option<(Dictionary<'_>, SectionStyle)> = None;
    let mut any_encrypted = false;
    let mut any_additional = false;
    let mut next = Some(start);
    while let Some(offset) = next {
        let section = read_section(bytes, offset, limit, &mut visited)?;
        let hybrid = match (section.style, position(&section.trailer, b"XRefStm", offset)?) {
            (SectionStyle::Table, Some(at)) => Some(read_section(bytes, at, limit, &mut visited)?),
            _ => None,
        };
        next = position(&section.trailer, b"Prev", offset)?;
        any_encrypted |= section.trailer.get(b"Encrypt").is_some();
        any_additional |= section.trailer.get(b"AdditionalStreams").is_some();
        merge(&mut entries, &section, hybrid.as_ref());
        if entries.len() > MAX_OBJECTS {
            return Err(Fault::new(FaultKind::TooManyObjects, offset));
        }
        newest.get_or_insert((section.trailer, section.style));
    }
    let (trailer, style) = newest.ok_or(Fault::new(FaultKind::CrossReference, start))?;
    let next_number = next_number(&entries, &trailer, start)?;
    Ok(Chain {
        entries,
        trailer,
        style,
        any_encrypted,
        any_additional,
        next_number,
    })
}

/// Newer sections win. In a hybrid file the objects that the table calls free may stand in the stream
/// (ISO 32000-1, 7.5.8.4), so the table's free entries count last.
fn merge(entries: &mut BTreeMap<u32, Entry>, section: &Section<'_>, hybrid: Option<&Section<'_>>) {
    let used = |(_, entry): &&(u32, Entry)| *entry != Entry::Free;
    let Some(hybrid) = hybrid else {
        for (number, entry) in &section.entries {
            entries.entry(*number).or_insert(*entry);
        }
        return;
    };
    let first = section.entries.iter().filter(used);
    let last = section.entries.iter().filter(|pair| !used(pair));
    for (number, entry) in first.chain(hybrid.entries.iter()).chain(last) {
        entries.entry(*number).or_insert(*entry);
    }
}

fn read_section<'a>(
    bytes: &'a [u8],
    offset: usize,
    limit: usize,
    visited: &mut HashSet<usize>,
) -> Result<Section<'a>, Fault> {
    if !visited.insert(offset) {
        return Err(Fault::new(FaultKind::CrossReferenceLoop, offset));
    }
    if offset >= bytes.len() {
        return Err(Fault::new(FaultKind::CrossReference, offset));
    }
    if bytes[offset..].starts_with(b"xref") {
        return table::read(bytes, offset);
    }
    stream::read(bytes, offset, limit)
}

/// An offset from a trailer; 0 means that there is none, as several writers have it.
fn position(trailer: &Dictionary<'_>, key: &[u8], section: usize) -> Result<Option<usize>, Fault> {
    let Some(value) = trailer.get(key) else {
        return Ok(None);
    };
    let damaged = Fault::new(FaultKind::CrossReference, section);
    let offset = value
        .integer()
        .and_then(|offset| usize::try_from(offset).ok())
        .ok_or(damaged)?;
    Ok((offset != 0).then_some(offset))
}

/// What `/Size` should be. Writers such as pdfunite count the objects instead of naming the highest number plus one, and
/// readers go by the entries all the same.
fn next_number(entries: &BTreeMap<u32, Entry>, trailer: &Dictionary<'_>, at: usize) -> Result<u32, Fault> {
    let damaged = Fault::new(FaultKind::CrossReference, at);
    let size = trailer
        .get(b"Size")
        .and_then(Value::integer)
        .and_then(|size| u32::try_from(size).ok());
    let used = entries.iter().rev().find(|(_, entry)| **entry != Entry::Free);
    let behind = used.map_or(1, |(number, _)| number.saturating_add(1));
    size.map(|size| size.max(behind))
        .filter(|next| *next <= MAX_OBJECT_NUMBER + 1)
        .ok_or(damaged)
}

/// Reads an unsigned integer token that fits an object number.
fn unsigned(lexer: &mut Lexer<'_>) -> Option<u32> {
    match lexer.next_token().ok()?.kind {
        super::TokenKind::Integer(value) => u32::try_from(value).ok(),
        _ => None,
    }
}
