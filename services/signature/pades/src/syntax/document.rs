use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;

use super::lexer::Lexer;
use super::object_stream::ObjectStream;
use super::xref::{self, Chain, SectionStyle};
use super::{
    Dictionary, Entry, Fault, FaultKind, Kind, MAX_NESTING, ObjectId, TokenKind, Value, parse_value,
};

/// Bytes before the end in which `startxref` must stand (the window that qpdf searches).
const TAIL: usize = 1054;

/// Decoded bytes that cross-reference and object streams may have, each.
const STRUCTURE_LIMIT: usize = 64 * 1024 * 1024;

/// Bytes of objects that may be parsed, whatever the size of the file, and for each of its bytes: an honest file
/// is read a few times over, a hostile one makes small objects refer to large ones without end.
const BUDGET: u64 = 32 * 1024 * 1024;
const BUDGET_PER_BYTE: u64 = 16;

/// A PDF file whose cross-reference has been read; objects are read when asked for.
#[derive(Debug)]
pub struct Document<'a> {
    bytes: &'a [u8],
    version: (u8, u8),
    startxref: usize,
    chain: Chain<'a>,
    object_streams: BTreeMap<u32, OnceCell<Result<ObjectStream, Fault>>>,
    /// Bytes that may still be parsed before the file counts as too complex.
    budget: Cell<u64>,
}

/// An indirect object.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<'a> {
    /// Number and generation.
    pub id: ObjectId,
    /// The value; for a stream its dictionary.
    pub value: Value<'a>,
    /// The encoded data of a stream.
    pub stream: Option<&'a [u8]>,
    /// Offset of the first byte behind `endobj`, for an object in the file.
    pub end: usize,
}

impl<'a> Document<'a> {
    /// Reads header, `startxref` and the chain of cross-reference sections.
    ///
    /// # Errors
    /// What the [`FaultKind`]s about header, end of file and cross-reference say.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Fault> {
        let version = header(bytes)?;
        let startxref = startxref(bytes)?;
        let chain = xref::read_chain(bytes, startxref, STRUCTURE_LIMIT)?;
        let object_streams = chain
            .entries
            .values()
            .filter_map(|entry| match entry {
                Entry::InStream { stream, .. } => Some((*stream, OnceCell::new())),
                _ => None,
            })
            .collect();
        let budget = Cell::new(BUDGET + BUDGET_PER_BYTE * bytes.len() as u64);
        Ok(Self {
            bytes,
            version,
            startxref,
            chain,
            object_streams,
            budget,
        })
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Major and minor version of the header line.
    pub fn version(&self) -> (u8, u8) {
        self.version
    }

    /// Offset of the newest cross-reference section.
    pub fn startxref(&self) -> usize {
        self.startxref
    }

    /// How the newest section is written.
    pub fn style(&self) -> SectionStyle {
        self.chain.style
    }

    /// Trailer of the newest section.
    pub fn trailer(&self) -> &Dictionary<'a> {
        &self.chain.trailer
    }

    /// Whether any section names `/Encrypt`.
    pub fn is_encrypted(&self) -> bool {
        self.chain.any_encrypted
    }

    /// All entries of the merged cross-reference in ascending order, free ones included.
    pub fn entries(&self) -> impl Iterator<Item = (u32, Entry)> + '_ {
        self.chain.entries.iter().map(|(number, entry)| (*number, *entry))
    }

    /// The entry of an object number.
    pub fn entry(&self, number: u32) -> Option<Entry> {
        self.chain.entries.get(&number).copied()
    }

    /// The ids of all objects in use, in ascending order.
    pub fn object_ids(&self) -> impl Iterator<Item = ObjectId> + '_ {
        self.entries().filter_map(|(number, entry)| match entry {
            Entry::Free => None,
            Entry::InFile { generation, .. } => Some(ObjectId { number, generation }),
            Entry::InStream { .. } => Some(ObjectId {
                number,
                generation: 0,
            }),
        })
    }

    /// Whether any section names `/AdditionalStreams`, under which LibreOffice keeps the document it made the file from,
    /// and which it opens instead of the pages.
    pub fn has_additional_streams(&self) -> bool {
        self.chain.any_additional
    }

    /// The first object number for new objects: no object in use reaches it, nor does `/Size`.
    pub fn next_number(&self) -> u32 {
        self.chain.next_number
    }

    /// Reads an object; `None` for one that is free or of another generation.
    ///
    /// # Errors
    /// [`FaultKind::Object`] naming the object if it cannot be read or is not where the cross-reference says.
    pub fn object(&self, id: ObjectId) -> Result<Option<Loaded<'_>>, Fault> {
        match self.entry(id.number) {
            Some(Entry::InFile { generation, .. }) if generation == id.generation => {
                self.in_file_object(id.number)
            }
            Some(Entry::InStream { stream, index }) if id.generation == 0 => {
                let value = self.object_stream(stream)?.object(id.number, index)?;
                self.spend(value.raw.len(), id)?;
                Ok(Some(Loaded {
                    id,
                    value,
                    stream: None,
                    end: 0,
                }))
            }
            _ => Ok(None),
        }
    }

    /// Follows references until a value stands there; a missing object is `null`.
    ///
    /// # Errors
    /// As [`Document::object`]; [`FaultKind::NestedTooDeep`] for a chain of references without end.
    pub fn resolve<'v>(&'v self, value: &Value<'v>) -> Result<Value<'v>, Fault> {
        let mut current = value.clone();
        for _ in 0..MAX_NESTING {
            let Some(id) = current.reference() else {
                return Ok(current);
            };
            current = match self.object(id)? {
                Some(loaded) => loaded.value,
                None => Value {
                    raw: b"null",
                    at: current.at,
                    kind: Kind::Null,
                },
            };
        }
        Err(Fault::new(FaultKind::NestedTooDeep, value.at))
    }

    /// The resolved value of a dictionary's key, absent if it is `null`.
    ///
    /// # Errors
    /// As [`Document::resolve`].
    pub fn get<'v>(&'v self, dictionary: &Dictionary<'v>, key: &[u8]) -> Result<Option<Value<'v>>, Fault> {
        match dictionary.get(key) {
            Some(value) => Ok(Some(self.resolve(value)?).filter(|value| !value.is_null())),
            None => Ok(None),
        }
    }

    /// Follows references like [`Document::resolve`], and keeps the data if it ends at a stream.
    ///
    /// # Errors
    /// As [`Document::resolve`].
    pub fn load<'v>(&'v self, value: &Value<'v>) -> Result<Option<Loaded<'v>>, Fault> {
        let Some(mut id) = value.reference() else {
            return Ok(None);
        };
        for _ in 0..MAX_NESTING {
            match self.object(id)? {
                Some(loaded) => match loaded.value.reference() {
                    Some(next) => id = next,
                    None => return Ok(Some(loaded)),
                },
                None => return Ok(None),
            }
        }
        Err(Fault::new(FaultKind::NestedTooDeep, value.at))
    }

    /// The catalogue and its id.
    ///
    /// # Errors
    /// [`FaultKind::CrossReference`] if the trailer names none, else as [`Document::object`].
    pub fn catalogue(&self) -> Result<Loaded<'_>, Fault> {
        let damaged = || Fault::new(FaultKind::CrossReference, self.startxref);
        let root = self
            .trailer()
            .get(b"Root")
            .and_then(Value::reference)
            .ok_or_else(damaged)?;
        let catalogue = self.object(root)?.ok_or_else(damaged)?;
        match catalogue.value.kind {
            Kind::Dictionary(_) => Ok(catalogue),
            _ => Err(Fault::new(FaultKind::Object, catalogue.value.at).in_object(root)),
        }
    }

    /// Decoded length of the object streams that have been read so far.
    pub fn decoded_structure(&self) -> usize {
        self.object_streams
            .values()
            .filter_map(|cell| cell.get().and_then(|loaded| loaded.as_ref().ok()))
            .map(ObjectStream::len)
            .sum()
    }

    pub(super) fn in_file_object(&self, number: u32) -> Result<Option<Loaded<'a>>, Fault> {
        let Some(Entry::InFile { offset, generation }) = self.entry(number) else {
            return Ok(None);
        };
        let id = ObjectId { number, generation };
        let resolve_length = |length: ObjectId| self.stream_length(length, number);
        let object =
            read_object(self.bytes, offset, Some(&resolve_length)).map_err(|fault| fault.in_object(id))?;
        if object.id != id {
            return Err(Fault::new(FaultKind::Object, offset).in_object(id));
        }
        self.spend(object.value.raw.len(), id)?;
        Ok(Some(object))
    }

    /// The `/Length` of a stream given as a reference: a plain integer that is no stream itself.
    fn stream_length(&self, id: ObjectId, stream: u32) -> Option<usize> {
        let Some(Entry::InFile { offset, .. }) = self.entry(id.number) else {
            return self.compressed_length(id, stream);
        };
        let object = read_object(self.bytes, offset, None).ok()?;
        if object.id != id {
            return None;
        }
        usize::try_from(object.value.integer()?).ok()
    }

    fn compressed_length(&self, id: ObjectId, stream: u32) -> Option<usize> {
        let Some(Entry::InStream {
            stream: container,
            index,
        }) = self.entry(id.number)
        else {
            return None;
        };
        // An object stream cannot hold its own length.
        if container == stream || id.generation != 0 || self.container_in_progress(container) {
            return None;
        }
        let value = self
            .object_stream(container)
            .ok()?
            .object(id.number, index)
            .ok()?;
        usize::try_from(value.integer()?).ok()
    }

    /// Object streams must give their own lengths without the help of other object streams.
    fn container_in_progress(&self, container: u32) -> bool {
        let Some(Entry::InFile { offset, .. }) = self.entry(container) else {
            return true;
        };
        read_object(self.bytes, offset, None).is_err()
    }

    fn object_stream(&self, number: u32) -> Result<&ObjectStream, Fault> {
        let id = ObjectId {
            number,
            generation: 0,
        };
        let cell = self
            .object_streams
            .get(&number)
            .ok_or(Fault::new(FaultKind::Object, 0).in_object(id))?;
        cell.get_or_init(|| ObjectStream::load(self, number, STRUCTURE_LIMIT))
            .as_ref()
            .map_err(Fault::clone)
    }

    fn spend(&self, bytes: usize, id: ObjectId) -> Result<(), Fault> {
        let left = self.budget.get().checked_sub(bytes as u64 + 64);
        self.budget.set(left.unwrap_or(0));
        left.map(|_| ())
            .ok_or(Fault::new(FaultKind::TooComplex, 0).in_object(id))
    }
}

/// Finds the length of a stream whose `/Length` is a reference.
pub(super) type LengthResolver<'r> = &'r dyn Fn(ObjectId) -> Option<usize>;

/// Reads `n g obj … endobj` at an offset.
pub(super) fn read_object<'a>(
    bytes: &'a [u8],
    offset: usize,
    length_of: Option<LengthResolver<'_>>,
) -> Result<Loaded<'a>, Fault> {
    let damaged = |at: usize| Fault::new(FaultKind::Object, at);
    // Offset 0 is the header's: writers put it for objects they lost.
    if offset == 0 || offset >= bytes.len() {
        return Err(damaged(offset));
    }
    let mut lexer = Lexer::new(bytes, offset);
    let mut unsigned = || match lexer.next_token()?.kind {
        TokenKind::Integer(value) => u32::try_from(value).map_err(|_| damaged(offset)),
        _ => Err(damaged(offset)),
    };
    let number = unsigned()?;
    let generation = u16::try_from(unsigned()?).map_err(|_| damaged(offset))?;
    let id = ObjectId { number, generation };
    lexer.keyword(b"obj")?;
    let value = parse_value(&mut lexer)?;
    let token = lexer.next_token()?;
    let mut stream = None;
    match (token.kind, token.raw) {
        (TokenKind::Keyword, b"endobj") => {}
        (TokenKind::Keyword, b"stream") => {
            let dictionary = value.dictionary().ok_or_else(|| damaged(token.at))?;
            stream = Some(stream_data(&mut lexer, dictionary, length_of)?);
        }
        _ => return Err(damaged(token.at)),
    }
    Ok(Loaded {
        id,
        value,
        stream,
        end: lexer.position(),
    })
}

fn stream_data<'a>(
    lexer: &mut Lexer<'a>,
    dictionary: &Dictionary<'a>,
    length_of: Option<LengthResolver<'_>>,
) -> Result<&'a [u8], Fault> {
    let damaged = |at: usize| Fault::new(FaultKind::Object, at);
    let keyword_end = lexer.position();
    let start = match &lexer.bytes()[keyword_end..] {
        [b'\r', b'\n', ..] => keyword_end + 2,
        [b'\n', ..] => keyword_end + 1,
        _ => return Err(damaged(keyword_end)),
    };
    let written = dictionary.get(b"Length").ok_or_else(|| damaged(keyword_end))?;
    let length = match (&written.kind, length_of) {
        (Kind::Integer(length), _) => usize::try_from(*length).ok(),
        (Kind::Reference(id), Some(length_of)) => length_of(*id),
        _ => None,
    };
    let length = length.ok_or_else(|| damaged(keyword_end))?;
    let data = start
        .checked_add(length)
        .and_then(|end| lexer.bytes().get(start..end))
        .ok_or_else(|| damaged(keyword_end))?;
    lexer.seek(start + length);
    lexer.keyword(b"endstream")?;
    lexer.keyword(b"endobj")?;
    Ok(data)
}

/// `%PDF-M.N` at the first byte. A file that begins elsewhere has two readings of every offset.
fn header(bytes: &[u8]) -> Result<(u8, u8), Fault> {
    match bytes {
        [
            b'%',
            b'P',
            b'D',
            b'F',
            b'-',
            major @ b'1'..=b'2',
            b'.',
            minor @ b'0'..=b'9',
            ..,
        ] => Ok((major - b'0', minor - b'0')),
        _ => Err(Fault::new(FaultKind::NotAPdf, 0)),
    }
}

fn startxref(bytes: &[u8]) -> Result<usize, Fault> {
    let window = bytes.len().saturating_sub(TAIL);
    let keyword = b"startxref";
    let found = bytes[window..]
        .windows(keyword.len())
        .rposition(|run| run == keyword);
    let at = window + found.ok_or(Fault::new(FaultKind::Truncated, bytes.len()))?;
    let mut lexer = Lexer::new(bytes, at + keyword.len());
    let offset = match lexer.next_token().map(|token| token.kind) {
        Ok(TokenKind::Integer(offset)) => usize::try_from(offset).ok(),
        _ => None,
    };
    offset
        .filter(|offset| *offset < bytes.len())
        .ok_or(Fault::new(FaultKind::CrossReference, at))
}
