//! The interactive form's signature fields (ISO 32000-1, 12.7).

use std::collections::HashSet;

use crate::syntax::{Dictionary, Document, Fault, FaultKind, Kind, Loaded, MAX_NESTING, ObjectId, Value};

/// What the form holds.
#[derive(Debug, Default)]
pub(crate) struct Form<'d> {
    pub(crate) signature_fields: Vec<SignatureField<'d>>,
    /// Fully qualified names of all fields, in the order of the tree.
    pub(crate) names: Vec<String>,
}

/// A signature field, signed or not.
#[derive(Debug)]
pub(crate) struct SignatureField<'d> {
    /// Fully qualified name.
    pub(crate) name: String,
    /// The field's own object; fields written directly in an array have none.
    pub(crate) id: Option<ObjectId>,
    pub(crate) dictionary: Dictionary<'d>,
    /// Ids and dictionaries of its widgets: the field itself, or its kids.
    pub(crate) widgets: Vec<(Option<ObjectId>, Dictionary<'d>)>,
    /// The signature dictionary with its id, if the field is signed.
    pub(crate) signature: Option<Signature<'d>>,
}

/// A signature dictionary in the file.
#[derive(Debug)]
pub(crate) struct Signature<'d> {
    pub(crate) id: Option<ObjectId>,
    pub(crate) dictionary: Dictionary<'d>,
    /// Offset behind the object, 0 where it stands in an object stream or directly in the field.
    pub(crate) end: usize,
}

impl<'d> Form<'d> {
    /// Reads the form; one without fields if there is none.
    pub(crate) fn read(document: &'d Document<'_>) -> Result<Self, Fault> {
        let mut form = Self::default();
        let Some(acroform) = dictionary(document)? else {
            return Ok(form);
        };
        let Some(fields) = document.get(&acroform, b"Fields")? else {
            return Ok(form);
        };
        let mut reader = Reader {
            document,
            form: &mut form,
            visited: HashSet::new(),
        };
        for field in fields.array().unwrap_or_default() {
            reader.field(field, &Above::default(), 0)?;
        }
        Ok(form)
    }

    pub(crate) fn signed(&self) -> impl Iterator<Item = (&SignatureField<'d>, &Signature<'d>)> {
        self.signature_fields
            .iter()
            .filter_map(|field| Some((field, field.signature.as_ref()?)))
    }

    pub(crate) fn empty(&self) -> impl Iterator<Item = &SignatureField<'d>> {
        self.signature_fields
            .iter()
            .filter(|field| field.signature.is_none())
    }
}

/// The form's dictionary, `/AcroForm` of the catalogue.
pub(crate) fn dictionary<'d>(document: &'d Document<'_>) -> Result<Option<Dictionary<'d>>, Fault> {
    let catalogue = document.catalogue()?;
    let Kind::Dictionary(catalogue) = catalogue.value.kind else {
        return Ok(None);
    };
    match document.get(&catalogue, b"AcroForm")?.map(|form| form.kind) {
        Some(Kind::Dictionary(form)) => Ok(Some(form)),
        _ => Ok(None),
    }
}

/// What a field takes from its parents.
#[derive(Clone, Default)]
struct Above<'d> {
    name: String,
    kind: Option<Value<'d>>,
    value: Option<Value<'d>>,
}

struct Reader<'d, 'f, 'b> {
    document: &'d Document<'b>,
    form: &'f mut Form<'d>,
    visited: HashSet<ObjectId>,
}

impl<'d> Reader<'d, '_, '_> {
    fn field(&mut self, value: &Value<'d>, above: &Above<'d>, depth: usize) -> Result<(), Fault> {
        let id = value.reference();
        let fault = |kind| match id {
            Some(id) => Fault::new(kind, value.at).in_object(id),
            None => Fault::new(kind, value.at),
        };
        if depth > MAX_NESTING || id.is_some_and(|id| !self.visited.insert(id)) {
            return Err(fault(FaultKind::NestedTooDeep));
        }
        let Kind::Dictionary(dictionary) = self.document.resolve(value)?.kind else {
            return Ok(());
        };
        let here = self.below(&dictionary, above)?;
        let kids = self.document.get(&dictionary, b"Kids")?;
        let kids = kids.as_ref().and_then(Value::array).unwrap_or_default();
        let mut widgets = Vec::new();
        let mut inner = false;
        for kid in kids {
            let Kind::Dictionary(child) = self.document.resolve(kid)?.kind else {
                continue;
            };
            if child.get(b"T").is_some() {
                inner = true;
                self.field(kid, &here, depth + 1)?;
            } else {
                widgets.push((kid.reference(), child));
            }
        }
        if kids.is_empty() {
            widgets.push((id, dictionary.clone()));
        }
        if !inner {
            self.terminal(id, dictionary, here, widgets)?;
        }
        Ok(())
    }

    fn below(&self, dictionary: &Dictionary<'d>, above: &Above<'d>) -> Result<Above<'d>, Fault> {
        let partial = self
            .document
            .get(dictionary, b"T")?
            .and_then(|name| name.string());
        let name = match partial.map(|name| text(&name)) {
            Some(partial) if above.name.is_empty() => partial,
            Some(partial) => format!("{}.{partial}", above.name),
            None => above.name.clone(),
        };
        let kind = self
            .document
            .get(dictionary, b"FT")?
            .or_else(|| above.kind.clone());
        let value = dictionary.get(b"V").cloned().or_else(|| above.value.clone());
        Ok(Above { name, kind, value })
    }

    fn terminal(
        &mut self,
        id: Option<ObjectId>,
        dictionary: Dictionary<'d>,
        here: Above<'d>,
        widgets: Vec<(Option<ObjectId>, Dictionary<'d>)>,
    ) -> Result<(), Fault> {
        self.form.names.push(here.name.clone());
        if here.kind.as_ref().and_then(Value::name) != Some(b"Sig") {
            return Ok(());
        }
        let signature = match &here.value {
            Some(value) => self.signature(value)?,
            None => None,
        };
        self.form.signature_fields.push(SignatureField {
            name: here.name,
            id,
            dictionary,
            widgets,
            signature,
        });
        Ok(())
    }

    fn signature(&self, value: &Value<'d>) -> Result<Option<Signature<'d>>, Fault> {
        let loaded = match self.document.load(value)? {
            Some(Loaded { id, value, end, .. }) => (Some(id), value, end),
            None => (None, value.clone(), 0),
        };
        let (id, value, end) = loaded;
        Ok(match value.kind {
            Kind::Dictionary(dictionary) => Some(Signature { id, dictionary, end }),
            _ => None,
        })
    }
}

/// Decodes a text string (ISO 32000-1, 7.9.2.2), unknown bytes replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => bytes.iter().map(|byte| pdf_doc_encoding(*byte)).collect(),
    }
}

/// PDFDocEncoding is Latin-1 but for these (ISO 32000-1, annex D.2).
fn pdf_doc_encoding(byte: u8) -> char {
    const LOW: [char; 8] = ['˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'];
    const HIGH: [char; 33] = [
        '•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘', '’', '‚', '™', 'ﬁ',
        'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', '\u{fffd}', '€',
    ];
    match byte {
        0x18..=0x1f => LOW[usize::from(byte - 0x18)],
        0x80..=0xa0 => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
