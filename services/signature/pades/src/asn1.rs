//! Tag, length and value, and nothing more: signatures, certificates and tokens of others must stay as they
//! are to the byte, so they are taken apart into slices and put together from slices.

use chrono::{DateTime, NaiveDate, Utc};
use const_oid::ObjectIdentifier;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// Deepest nesting of values of indefinite length.
const MAX_DEPTH: usize = 32;

/// One encoded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tlv<'a> {
    pub(crate) tag: u8,
    /// Tag and length included.
    pub(crate) raw: &'a [u8],
    pub(crate) content: &'a [u8],
}

/// Constructed context tag `[n]`.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// Primitive context tag `[n]`.
pub(crate) const fn context_primitive(number: u8) -> u8 {
    0x80 | number
}

impl<'a> Tlv<'a> {
    /// Reads the first value; answers what follows it. DER, and BER's indefinite lengths.
    pub(crate) fn read(input: &'a [u8]) -> Option<(Self, &'a [u8])> {
        Self::read_at(input, 0)
    }

    /// Reads a value that fills the input.
    pub(crate) fn whole(input: &'a [u8]) -> Option<Self> {
        Self::read(input)
            .filter(|(_, rest)| rest.is_empty())
            .map(|(value, _)| value)
    }

    fn read_at(input: &'a [u8], depth: usize) -> Option<(Self, &'a [u8])> {
        let (&tag, rest) = input.split_first()?;
        let (&first, rest) = rest.split_first()?;
        // Tags of several bytes occur in none of the structures read here.
        if tag & 0x1f == 0x1f || depth > MAX_DEPTH {
            return None;
        }
        if first == 0x80 {
            return Self::read_indefinite(input, tag, rest, depth);
        }
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (
                    digits
                        .iter()
                        .fold(0, |length, digit| length << 8 | usize::from(*digit)),
                    rest,
                )
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let raw = &input[..input.len() - after.len()];
        Some((Self { tag, raw, content }, after))
    }

    fn read_indefinite(input: &'a [u8], tag: u8, body: &'a [u8], depth: usize) -> Option<(Self, &'a [u8])> {
        let mut rest = body;
        while !rest.starts_with(&[0, 0]) {
            rest = Self::read_at(rest, depth + 1)?.1;
        }
        let content = &body[..body.len() - rest.len()];
        let after = &rest[2..];
        Some((
            Self {
                tag,
                raw: &input[..input.len() - after.len()],
                content,
            },
            after,
        ))
    }

    /// The values inside, in order.
    pub(crate) fn children(&self) -> Option<Vec<Tlv<'a>>> {
        let mut rest = self.content;
        let mut children = Vec::new();
        while !rest.is_empty() {
            let (child, after) = Self::read(rest)?;
            children.push(child);
            rest = after;
        }
        Some(children)
    }

    /// The value if it has the tag.
    pub(crate) fn tagged(self, tag: u8) -> Option<Self> {
        (self.tag == tag).then_some(self)
    }

    pub(crate) fn oid(&self) -> Option<ObjectIdentifier> {
        self.tagged(OID)
            .and_then(|value| ObjectIdentifier::from_bytes(value.content).ok())
    }

    /// The bytes of an octet string, put together if it is in parts.
    pub(crate) fn octets(&self) -> Option<Vec<u8>> {
        match self.tag {
            OCTET_STRING => Some(self.content.to_vec()),
            0x24 => {
                let parts = self.children()?;
                let parts: Option<Vec<Vec<u8>>> = parts
                    .iter()
                    .map(|part| Some(part.tagged(OCTET_STRING)?.content.to_vec()))
                    .collect();
                Some(parts?.concat())
            }
            _ => None,
        }
    }

    /// The bytes of a bit string of whole bytes.
    pub(crate) fn bits(&self) -> Option<&'a [u8]> {
        self.tagged(BIT_STRING)?
            .content
            .split_first()
            .filter(|(unused, _)| **unused == 0)
            .map(|(_, bits)| bits)
    }

    /// A small integer or enumerated value.
    pub(crate) fn small(&self) -> Option<u64> {
        if !matches!(self.tag, INTEGER | ENUMERATED) || self.content.is_empty() || self.content.len() > 8 {
            return None;
        }
        (self.content[0] < 0x80).then(|| {
            self.content
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte))
        })
    }

    /// UTCTime or GeneralizedTime in UTC; fractions of a second are cut off.
    pub(crate) fn time(&self) -> Option<DateTime<Utc>> {
        let text = std::str::from_utf8(self.content).ok()?.strip_suffix('Z')?;
        let text = text.split('.').next()?;
        let digits = match (self.tag, text.len()) {
            (UTC_TIME, 12) => format!("{}{text}", if text < "50" { "20" } else { "19" }),
            (GENERALIZED_TIME, 14) => text.to_owned(),
            _ => return None,
        };
        let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<u32>().ok();
        let date = NaiveDate::from_ymd_opt(digits.get(0..4)?.parse().ok()?, part(4..6)?, part(6..8)?)?;
        Some(
            date.and_hms_opt(part(8..10)?, part(10..12)?, part(12..14)?)?
                .and_utc(),
        )
    }
}

/// Encodes a value of definite length.
pub(crate) fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(content.len() + 6);
    encoded.push(tag);
    if content.len() < 0x80 {
        encoded.push(content.len() as u8);
    } else {
        let bytes = (content.len() as u64).to_be_bytes();
        let digits = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(7)..];
        encoded.push(0x80 | digits.len() as u8);
        encoded.extend_from_slice(digits);
    }
    encoded.extend_from_slice(content);
    encoded
}

/// Encodes parts that are encoded already.
pub(crate) fn constructed(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    encode(tag, &parts.concat())
}

/// A SET OF in DER order.
pub(crate) fn set_of(tag: u8, mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    encode(tag, &parts.concat())
}

pub(crate) fn encode_oid(oid: &ObjectIdentifier) -> Vec<u8> {
    encode(OID, oid.as_bytes())
}

/// A non-negative integer from its big-endian bytes.
pub(crate) fn encode_unsigned(bytes: &[u8]) -> Vec<u8> {
    let digits = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len())..];
    let mut content = Vec::with_capacity(digits.len() + 1);
    if digits.first().is_none_or(|byte| *byte >= 0x80) {
        content.push(0);
    }
    content.extend_from_slice(digits);
    encode(INTEGER, &content)
}
