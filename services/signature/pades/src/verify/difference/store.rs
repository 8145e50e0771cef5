//! Rules for what describes a document or its signatures and shows nothing.

use super::{Comparison, is_scalar, plain, same_entry};
use crate::syntax::{Dictionary, Document, Fault, Kind, Value};

/// EN 319 142-1, 5.4.2.2.
const STORE_KEYS: [&[u8]; 5] = [b"Type", b"VRI", b"Certs", b"CRLs", b"OCSPs"];

/// EN 319 142-1, 5.4.2.3.
const RELATED_KEYS: [&[u8]; 6] = [b"Type", b"TU", b"TS", b"Cert", b"CRL", b"OCSP"];

impl Comparison<'_, '_, '_, '_> {
    /// `/Info`: texts, names and numbers; others only where they stood before.
    pub(super) fn information(
        &self,
        old: &Dictionary<'_>,
        new: &Dictionary<'_>,
        settled: &mut Vec<u32>,
    ) -> Result<bool, Fault> {
        let before = old.get(b"Info");
        let Some(after) = new.get(b"Info") else {
            return Ok(true);
        };
        let earlier = match before {
            Some(before) => plain(self.old, before)?,
            None => Some(Dictionary::default()),
        };
        let (Some(earlier), Some(now)) = (earlier, plain(self.new, after)?) else {
            return Ok(false);
        };
        Ok(self.place(before, after, settled)
            && now
                .iter()
                .all(|(key, value)| is_scalar(value) || same_entry(&earlier, &now, key)))
    }

    /// `/Metadata`: a stream that says to be XMP, before and after.
    pub(super) fn metadata(
        &self,
        old: &Dictionary<'_>,
        new: &Dictionary<'_>,
        settled: &mut Vec<u32>,
    ) -> Result<bool, Fault> {
        let before = old.get(b"Metadata");
        let Some(after) = new.get(b"Metadata") else {
            return Ok(before.is_none());
        };
        let earlier = match before {
            Some(before) => is_metadata(self.old, before)?,
            None => true,
        };
        Ok(earlier && is_metadata(self.new, after)? && self.place(before, after, settled))
    }

    /// `/Extensions`: dictionaries of names, texts and numbers.
    pub(super) fn extensions(
        &self,
        old: &Dictionary<'_>,
        new: &Dictionary<'_>,
        settled: &mut Vec<u32>,
    ) -> Result<bool, Fault> {
        let before = old.get(b"Extensions");
        let Some(after) = new.get(b"Extensions") else {
            return Ok(before.is_none());
        };
        let Some(now) = plain(self.new, after)? else {
            return Ok(false);
        };
        let earlier = match before {
            Some(before) => plain(self.old, before)?.is_some(),
            None => true,
        };
        Ok(earlier && self.place(before, after, settled) && is_data(&now))
    }

    /// `/DSS`: arrays of streams, and for single signatures dictionaries of such arrays. What was said of a
    /// signature before stays.
    pub(super) fn store(
        &self,
        old: &Dictionary<'_>,
        new: &Dictionary<'_>,
        settled: &mut Vec<u32>,
    ) -> Result<bool, Fault> {
        let before = old.get(b"DSS");
        let Some(after) = new.get(b"DSS") else {
            return Ok(before.is_none());
        };
        let Some(earlier) = self.earlier(before)? else {
            return Ok(false);
        };
        let Some(now) = plain(self.new, after)? else {
            return Ok(false);
        };
        if !self.place(before, after, settled) || !now.iter().all(|(key, _)| STORE_KEYS.contains(&key)) {
            return Ok(false);
        }
        for key in [b"Certs".as_slice(), b"CRLs", b"OCSPs"] {
            if !self.streams(earlier.get(key), now.get(key), settled)? {
                return Ok(false);
            }
        }
        self.related(earlier.get(b"VRI"), now.get(b"VRI"), settled)
    }

    fn earlier<'s>(&'s self, value: Option<&Value<'s>>) -> Result<Option<Dictionary<'s>>, Fault> {
        match value {
            Some(value) => plain(self.old, value),
            None => Ok(Some(Dictionary::default())),
        }
    }

    fn streams(
        &self,
        before: Option<&Value<'_>>,
        after: Option<&Value<'_>>,
        settled: &mut Vec<u32>,
    ) -> Result<bool, Fault> {
        let Some(after) = after else { return Ok(true) };
        if let Some(before) = before
            && self.old.resolve(before)?.array().is_none()
        {
            return Ok(false);
        }
        let list = self.new.resolve(after)?;
        let Some(items) = list.array() else {
            return Ok(false);
        };
        for item in items {
            if self.new.load(item)?.is_none_or(|item| item.stream.is_none()) {
                return Ok(false);
            }
        }
        Ok(self.place(before, after, settled))
    }

    fn related(
        &self,
        before: Option<&Value<'_>>,
        after: Option<&Value<'_>>,
        settled: &mut Vec<u32>,
    ) -> Result<bool, Fault> {
        let Some(after) = after else {
            return Ok(before.is_none());
        };
        let (Some(earlier), Some(now)) = (self.earlier(before)?, plain(self.new, after)?) else {
            return Ok(false);
        };
        if !self.place(before, after, settled)
            || !earlier.iter().all(|(key, _)| same_entry(&earlier, &now, key))
        {
            return Ok(false);
        }
        for (key, value) in now.iter().filter(|(key, _)| earlier.get(key).is_none()) {
            let is_digest = key.len() == 40
                && key
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
            if key != b"Type" && !(is_digest && self.related_to_one(value)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn related_to_one(&self, value: &Value<'_>) -> Result<bool, Fault> {
        let Some(now) = plain(self.new, value)? else {
            return Ok(false);
        };
        for key in [b"Cert".as_slice(), b"CRL", b"OCSP"] {
            if !self.streams(None, now.get(key), &mut Vec::new())? {
                return Ok(false);
            }
        }
        Ok(
            self.place(None, value, &mut Vec::new())
                && now.iter().all(|(key, _)| RELATED_KEYS.contains(&key)),
        )
    }
}

fn is_metadata(document: &Document<'_>, value: &Value<'_>) -> Result<bool, Fault> {
    Ok(document.load(value)?.is_some_and(|loaded| {
        let described = loaded.value.dictionary().is_some_and(|stream| {
            stream.duplicate_key().is_none()
                && stream.is_type(b"Metadata")
                && stream.name(b"Subtype") == Some(b"XML")
        });
        loaded.stream.is_some() && described
    }))
}

fn is_data(dictionary: &Dictionary<'_>) -> bool {
    dictionary.iter().all(|(_, value)| match &value.kind {
        Kind::Dictionary(inner) => is_data(inner),
        Kind::Array(items) => items
            .iter()
            .all(|item| item.dictionary().map_or(is_scalar(item), is_data)),
        _ => is_scalar(value),
    })
}
