use chrono::{DateTime, FixedOffset, NaiveDate};

use super::report::SignatureKind;
use crate::fields::{self, Signature, SignatureField};
use crate::syntax::{Dictionary, Document, Entry, Fault, ObjectId, Value};

/// A signature dictionary as it stands in the file, before anything is believed.
pub(super) struct Structure<'d> {
    pub(super) field: String,
    /// The signature dictionary's own object.
    pub(super) id: Option<ObjectId>,
    pub(super) kind: SignatureKind,
    /// The two ranges that are signed and the CMS between them; `None` if they are not what they must be.
    pub(super) signed: Option<Signed<'d>>,
    /// Whether the SubFilter is one of PAdES rather than of ISO 32000-1.
    pub(super) baseline: bool,
    pub(super) claimed_time: Option<DateTime<FixedOffset>>,
    pub(super) reason: Option<String>,
    pub(super) location: Option<String>,
}

/// The bytes of a signature.
pub(super) struct Signed<'d> {
    pub(super) before: &'d [u8],
    pub(super) after: &'d [u8],
    pub(super) contents: Vec<u8>,
    /// Offset behind the last signed byte.
    pub(super) end: usize,
}

impl<'d> Structure<'d> {
    pub(super) fn read(
        document: &'d Document<'_>,
        field: &SignatureField<'d>,
        signature: &Signature<'d>,
    ) -> Result<Self, Fault> {
        let dictionary = &signature.dictionary;
        let text = |key: &[u8]| -> Result<Option<String>, Fault> {
            Ok(document
                .get(dictionary, key)?
                .and_then(|value| value.string())
                .map(|bytes| fields::text(&bytes)))
        };
        let sub_filter = document.get(dictionary, b"SubFilter")?;
        let sub_filter = sub_filter.as_ref().and_then(Value::name).unwrap_or_default();
        let (kind, known, baseline) = match sub_filter {
            b"ETSI.RFC3161" => (SignatureKind::DocumentTimestamp, true, true),
            b"ETSI.CAdES.detached" => (SignatureKind::Signature, true, true),
            b"adbe.pkcs7.detached" => (SignatureKind::Signature, true, false),
            _ => (SignatureKind::Signature, false, false),
        };
        Ok(Self {
            field: field.name.clone(),
            id: signature.id,
            kind,
            signed: signed(document, signature).filter(|_| known),
            baseline,
            claimed_time: text(b"M")?.and_then(|written| date(&written)),
            reason: text(b"Reason")?,
            location: text(b"Location")?,
        })
    }

    /// Offset behind the last signed byte, 0 for a broken signature.
    pub(super) fn signed_end(&self) -> usize {
        self.signed.as_ref().map_or(0, |signed| signed.end)
    }
}

/// The ranges, if they are two, begin at the first byte, and leave out exactly the `/Contents` of this very
/// dictionary: not the value of another one, nothing beside it, no key twice, no number missing.
pub(super) fn signed<'d>(document: &'d Document<'_>, signature: &Signature<'d>) -> Option<Signed<'d>> {
    let dictionary = &signature.dictionary;
    let id = signature.id?;
    if dictionary.duplicate_key().is_some()
        || !matches!(document.entry(id.number), Some(Entry::InFile { .. }))
    {
        return None;
    }
    let numbers: Vec<usize> = direct(dictionary, b"ByteRange")?
        .array()?
        .iter()
        .map(|number| usize::try_from(number.integer()?).ok())
        .collect::<Option<_>>()?;
    let [0, first_length, second_start, second_length] = numbers[..] else {
        return None;
    };
    let end = second_start.checked_add(second_length)?;
    let bytes = document.bytes();
    let contents = direct(dictionary, b"Contents")?;
    let hole = contents.at == first_length && contents.at + contents.raw.len() == second_start;
    if !hole || !contents.raw.starts_with(b"<") || end > bytes.len() || end < signature.end {
        return None;
    }
    // Nothing but digits may hide between the brackets: white space would be unsigned bytes of free choice.
    let digits = &contents.raw[1..contents.raw.len() - 1];
    if !digits.iter().all(u8::is_ascii_hexdigit) || !digits.len().is_multiple_of(2) {
        return None;
    }
    Some(Signed {
        before: &bytes[..first_length],
        after: &bytes[second_start..end],
        contents: contents.string()?,
        end,
    })
}

fn direct<'v, 'd>(dictionary: &'v Dictionary<'d>, key: &[u8]) -> Option<&'v Value<'d>> {
    dictionary.get(key).filter(|value| value.reference().is_none())
}

/// `D:YYYYMMDDHHmmSSOHH'mm'` with everything behind the year optional (ISO 32000-1, 7.9.4).
fn date(written: &str) -> Option<DateTime<FixedOffset>> {
    let text = written.strip_prefix("D:").unwrap_or(written);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count().min(14);
    let part = |range: std::ops::Range<usize>, default: u32| match text.get(range.clone()) {
        Some(part) if range.end <= digits => part.parse().ok(),
        _ => Some(default),
    };
    let day = NaiveDate::from_ymd_opt(text.get(0..4)?.parse().ok()?, part(4..6, 1)?, part(6..8, 1)?)?;
    let time = day.and_hms_opt(part(8..10, 0)?, part(10..12, 0)?, part(12..14, 0)?)?;
    let zone = text.get(digits..).unwrap_or_default();
    let numbers: Vec<i32> = zone
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse().ok())
        .collect();
    let minutes = numbers.first().unwrap_or(&0) * 60 + numbers.get(1).unwrap_or(&0);
    let seconds = if zone.starts_with('-') {
        -minutes * 60
    } else {
        minutes * 60
    };
    time.and_local_timezone(FixedOffset::east_opt(seconds)?).single()
}
