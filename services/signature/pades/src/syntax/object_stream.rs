use super::lexer::Lexer;
use super::{
    Document, Fault, FaultKind, Kind, MAX_OBJECTS, ObjectId, TokenKind, Value, decode_stream, parse_value,
};

/// A decoded object stream (ISO 32000-1, 7.5.7).
#[derive(Debug)]
pub(super) struct ObjectStream {
    decoded: Vec<u8>,
    /// Object number and offset in `decoded`, by index.
    headers: Vec<(u32, usize)>,
}

impl ObjectStream {
    /// Loads the object stream with this number, which must stand in the file itself.
    pub(super) fn load(document: &Document<'_>, number: u32, limit: usize) -> Result<Self, Fault> {
        let id = ObjectId {
            number,
            generation: 0,
        };
        let damaged = || Fault::new(FaultKind::Object, 0).in_object(id);
        let object = document.in_file_object(number)?.ok_or_else(damaged)?;
        let Kind::Dictionary(dictionary) = &object.value.kind else {
            return Err(damaged());
        };
        let data = object.stream.ok_or_else(damaged)?;
        // Only values written directly: a reference might lead back into this very stream.
        let integer = |key: &[u8]| -> Result<usize, Fault> {
            let value = dictionary.get(key).and_then(Value::integer);
            value
                .and_then(|value| usize::try_from(value).ok())
                .ok_or_else(damaged)
        };
        if !dictionary.is_type(b"ObjStm") {
            return Err(damaged());
        }
        let (count, first) = (integer(b"N")?, integer(b"First")?);
        let decoded = decode_stream(None, dictionary, data, limit).map_err(|fault| fault.in_object(id))?;
        let headers = headers(&decoded, count, first).ok_or_else(damaged)?;
        Ok(Self { decoded, headers })
    }

    /// The object at an index, if the header there names it.
    pub(super) fn object(&self, number: u32, index: usize) -> Result<Value<'_>, Fault> {
        let id = ObjectId {
            number,
            generation: 0,
        };
        let damaged = |at: usize| Fault::new(FaultKind::Object, at).in_object(id);
        let (written, offset) = *self.headers.get(index).ok_or_else(|| damaged(0))?;
        if written != number {
            return Err(damaged(offset));
        }
        let mut lexer = Lexer::new(&self.decoded, offset);
        parse_value(&mut lexer).map_err(|fault| fault.in_object(id))
    }

    /// Length of the decoded data.
    pub(super) fn len(&self) -> usize {
        self.decoded.len()
    }
}

fn headers(decoded: &[u8], count: usize, first: usize) -> Option<Vec<(u32, usize)>> {
    if count > MAX_OBJECTS || first > decoded.len() {
        return None;
    }
    let mut lexer = Lexer::new(&decoded[..first], 0);
    let mut unsigned = || match lexer.next_token().ok()?.kind {
        TokenKind::Integer(value) => u32::try_from(value).ok(),
        _ => None,
    };
    (0..count)
        .map(|_| Some((unsigned()?, first.checked_add(unsigned()? as usize)?)))
        .collect()
}
