use std::collections::BTreeMap;

use super::PrepareError;
use crate::emit::{self, Edit};
use crate::syntax::{Document, Fault, FaultKind, Kind, Lexer, ObjectId, SectionStyle, Value, parse_value};

/// An incremental update under construction (ISO 32000-1, 7.5.6).
pub(super) struct Update<'d, 'b> {
    pub(super) document: &'d Document<'b>,
    objects: BTreeMap<ObjectId, Vec<u8>>,
    next: u32,
}

/// The whole file with the update behind it.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    /// Offset of the body of each new object, behind its `obj` line.
    bodies: BTreeMap<ObjectId, usize>,
}

impl Written {
    pub(super) fn offset_of(&self, id: ObjectId) -> Option<usize> {
        self.bodies.get(&id).copied()
    }
}

impl<'d, 'b> Update<'d, 'b> {
    pub(super) fn new(document: &'d Document<'b>) -> Self {
        Self {
            document,
            objects: BTreeMap::new(),
            next: document.next_number(),
        }
    }

    /// Takes a new object number.
    pub(super) fn reserve(&mut self) -> ObjectId {
        let id = ObjectId {
            number: self.next,
            generation: 0,
        };
        self.next += 1;
        id
    }

    /// Writes an object, new or changed; the last body counts.
    pub(super) fn put(&mut self, id: ObjectId, body: Vec<u8>) {
        self.objects.insert(id, body);
    }

    /// Writes a new object.
    pub(super) fn add(&mut self, body: Vec<u8>) -> ObjectId {
        let id = self.reserve();
        self.put(id, body);
        id
    }

    /// Writes a new stream; `/Length` is added.
    pub(super) fn add_stream(&mut self, entries: &[(&[u8], &[u8])], data: &[u8]) -> ObjectId {
        self.add(stream(entries, data))
    }

    /// Changes entries of a dictionary object, on top of what this update wrote for it before.
    pub(super) fn edit(&mut self, id: ObjectId, edit: &Edit<'_>) -> Result<(), PrepareError> {
        let damaged = || PrepareError::Unreadable(Fault::new(FaultKind::Object, 0).in_object(id));
        let body = match self.objects.get(&id) {
            Some(pending) => {
                let value = parse_value(&mut Lexer::new(pending, 0))?;
                edit.apply(value.dictionary().ok_or_else(damaged)?)
            }
            None => {
                let loaded = self.document.object(id)?.ok_or_else(damaged)?;
                edit.apply(loaded.value.dictionary().ok_or_else(damaged)?)
            }
        };
        self.put(id, body);
        Ok(())
    }

    /// Writes original, objects, cross-reference section and trailer.
    pub(super) fn finish(mut self, id_seed: &[u8; 16]) -> Result<Written, PrepareError> {
        let original = self.document.bytes();
        let added: usize = self.objects.values().map(|body| body.len() + 64).sum();
        let mut bytes = Vec::with_capacity(original.len() + added + 1024);
        bytes.extend_from_slice(original);
        if !matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.push(b'\n');
        }
        let mut offsets = BTreeMap::new();
        let mut bodies = BTreeMap::new();
        for (id, body) in &self.objects {
            offsets.insert(*id, bytes.len());
            bytes.extend_from_slice(format!("{} {} obj\n", id.number, id.generation).as_bytes());
            bodies.insert(*id, bytes.len());
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(b"\nendobj\n");
        }
        let identifier = self.identifier(id_seed)?;
        let startxref = bytes.len();
        if startxref > 9_999_999_999 {
            return Err(PrepareError::TooLarge);
        }
        match self.document.style() {
            SectionStyle::Table => self.table(&mut bytes, &offsets, &identifier),
            SectionStyle::Stream => self.stream(&mut bytes, offsets, &identifier)?,
        }
        bytes.extend_from_slice(format!("startxref\n{startxref}\n%%EOF\n").as_bytes());
        Ok(Written { bytes, bodies })
    }

    /// Keeps the permanent half of `/ID` and changes the other (ISO 32000-1, 14.4).
    fn identifier(&self, seed: &[u8; 16]) -> Result<Vec<u8>, PrepareError> {
        let changed = emit::hexadecimal(seed);
        let id = self.document.get(self.document.trailer(), b"ID")?;
        let first = match id.as_ref().and_then(Value::array).and_then(<[_]>::first) {
            Some(first) => Some(self.document.resolve(first)?),
            None => None,
        };
        let first = first
            .filter(|first| matches!(first.kind, Kind::String))
            .map(|first| first.raw.to_vec());
        Ok(emit::array([first.unwrap_or_else(|| changed.clone()), changed]))
    }

    fn trailer(&self, identifier: &[u8]) -> Vec<(&'static [u8], Vec<u8>)> {
        let mut entries: Vec<(&'static [u8], Vec<u8>)> = vec![
            (b"Size", self.next.to_string().into_bytes()),
            (b"Prev", self.document.startxref().to_string().into_bytes()),
        ];
        for key in [b"Root".as_slice(), b"Info"] {
            if let Some(value) = self.document.trailer().get(key) {
                entries.push((key, value.raw.to_vec()));
            }
        }
        entries.push((b"ID", identifier.to_vec()));
        entries
    }

    fn table(&self, bytes: &mut Vec<u8>, offsets: &BTreeMap<ObjectId, usize>, identifier: &[u8]) {
        bytes.extend_from_slice(b"xref\n");
        for run in runs(offsets) {
            bytes.extend_from_slice(format!("{} {}\n", run[0].0.number, run.len()).as_bytes());
            for (id, offset) in run {
                bytes.extend_from_slice(format!("{offset:010} {:05} n \n", id.generation).as_bytes());
            }
        }
        bytes.extend_from_slice(b"trailer\n");
        bytes.extend_from_slice(&written(&self.trailer(identifier)));
        bytes.push(b'\n');
    }

    fn stream(
        &mut self,
        bytes: &mut Vec<u8>,
        mut offsets: BTreeMap<ObjectId, usize>,
        identifier: &[u8],
    ) -> Result<(), PrepareError> {
        let id = self.reserve();
        offsets.insert(id, bytes.len());
        let mut index = Vec::new();
        let mut rows = Vec::new();
        for run in runs(&offsets) {
            index.push(format!("{} {}", run[0].0.number, run.len()));
            for (id, offset) in run {
                rows.push(1);
                rows.extend_from_slice(
                    &u32::try_from(offset)
                        .map_err(|_| PrepareError::TooLarge)?
                        .to_be_bytes(),
                );
                rows.extend_from_slice(&id.generation.to_be_bytes());
            }
        }
        let mut entries: Vec<(&[u8], Vec<u8>)> = vec![
            (b"Type", b"/XRef".to_vec()),
            (b"W", b"[1 4 2]".to_vec()),
            (b"Index", emit::array(index)),
        ];
        entries.extend(self.trailer(identifier));
        let borrowed: Vec<(&[u8], &[u8])> = entries
            .iter()
            .map(|(key, value)| (*key, value.as_slice()))
            .collect();
        bytes.extend_from_slice(format!("{} 0 obj\n", id.number).as_bytes());
        bytes.extend_from_slice(&stream(&borrowed, &rows));
        bytes.extend_from_slice(b"\nendobj\n");
        Ok(())
    }
}

fn written(entries: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let borrowed: Vec<(&[u8], &[u8])> = entries
        .iter()
        .map(|(key, value)| (*key, value.as_slice()))
        .collect();
    emit::dictionary(&borrowed)
}

/// The body of a stream object.
pub(super) fn stream(entries: &[(&[u8], &[u8])], data: &[u8]) -> Vec<u8> {
    let length = data.len().to_string();
    let mut all = entries.to_vec();
    all.push((b"Length", length.as_bytes()));
    let mut body = emit::dictionary(&all);
    body.extend_from_slice(b"\nstream\n");
    body.extend_from_slice(data);
    body.extend_from_slice(b"\nendstream");
    body
}

/// Consecutive object numbers, as subsections need them.
fn runs(offsets: &BTreeMap<ObjectId, usize>) -> Vec<Vec<(ObjectId, usize)>> {
    let mut runs: Vec<Vec<(ObjectId, usize)>> = Vec::new();
    for (id, offset) in offsets {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|(last, _)| last.number + 1 == id.number) => {
                run.push((*id, *offset));
            }
            _ => runs.push(vec![(*id, *offset)]),
        }
    }
    runs
}
