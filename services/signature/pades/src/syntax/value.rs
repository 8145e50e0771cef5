use std::borrow::Cow;

use super::lexer;

/// Number and generation of an indirect object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// Object number, from 1.
    pub number: u32,
    /// Generation; 0 for everything in object streams.
    pub generation: u16,
}

/// One PDF value together with the bytes it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Value<'a> {
    /// The bytes as written, without white space before or after.
    pub raw: &'a [u8],
    /// Where `raw` begins in the buffer that was parsed.
    pub at: usize,
    /// What the bytes mean.
    pub kind: Kind<'a>,
}

/// The meaning of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number without a decimal point.
    Integer(i64),
    /// A number with a decimal point; write `raw` again, never this approximation.
    Real(f64),
    /// A name, without the solidus and with `#xx` decoded.
    Name(Cow<'a, [u8]>),
    /// A literal or hexadecimal string; [`Value::string`] decodes it.
    String,
    /// An array.
    Array(Vec<Value<'a>>),
    /// A dictionary.
    Dictionary(Dictionary<'a>),
    /// `n g R`
    Reference(ObjectId),
}

impl<'a> Value<'a> {
    /// The value if it is an integer.
    pub fn integer(&self) -> Option<i64> {
        match self.kind {
            Kind::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// The value if it is an integer or a real.
    pub fn number(&self) -> Option<f64> {
        match self.kind {
            Kind::Integer(value) => Some(value as f64),
            Kind::Real(value) => Some(value),
            _ => None,
        }
    }

    /// The decoded name.
    pub fn name(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The decoded bytes of a string.
    pub fn string(&self) -> Option<Vec<u8>> {
        matches!(self.kind, Kind::String).then(|| lexer::decode_string(self.raw))
    }

    /// The elements of an array.
    pub fn array(&self) -> Option<&[Value<'a>]> {
        match &self.kind {
            Kind::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a dictionary.
    pub fn dictionary(&self) -> Option<&Dictionary<'a>> {
        match &self.kind {
            Kind::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    /// The target of a reference.
    pub fn reference(&self) -> Option<ObjectId> {
        match self.kind {
            Kind::Reference(id) => Some(id),
            _ => None,
        }
    }

    /// Whether this is `null` written out.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }
}

/// A dictionary in the order written. Keys are decoded names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dictionary<'a> {
    entries: Vec<(Cow<'a, [u8]>, Value<'a>)>,
}

impl<'a> Dictionary<'a> {
    pub(crate) fn from_entries(entries: Vec<(Cow<'a, [u8]>, Value<'a>)>) -> Self {
        Self { entries }
    }

    /// The value of a key; `null` counts as absent (ISO 32000-1, 7.3.7).
    pub fn get(&self, key: &[u8]) -> Option<&Value<'a>> {
        self.entries
            .iter()
            .rev()
            .find(|(name, _)| name.as_ref() == key)
            .map(|(_, value)| value)
            .filter(|v| !v.is_null())
    }

    /// The decoded name under a key, if the value is written directly.
    pub fn name(&self, key: &[u8]) -> Option<&[u8]> {
        self.get(key).and_then(Value::name)
    }

    /// Whether `/Type` is written and equals `name`.
    pub fn is_type(&self, name: &[u8]) -> bool {
        self.name(b"Type") == Some(name)
    }

    /// All entries in the order written, `null` values included.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Value<'a>)> {
        self.entries.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// Number of entries as written.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is written in the dictionary.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A key that is written more than once.
    pub fn duplicate_key(&self) -> Option<&[u8]> {
        self.duplicate_keys().first().copied()
    }

    /// The keys that are written more than once, in ascending order.
    pub fn duplicate_keys(&self) -> Vec<&[u8]> {
        let mut keys: Vec<&[u8]> = self.entries.iter().map(|(key, _)| key.as_ref()).collect();
        keys.sort_unstable();
        keys.windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
            .collect()
    }
}
