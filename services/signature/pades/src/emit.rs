//! Writing of PDF values.

use std::fmt::Write as _;

use crate::syntax::{Dictionary, ObjectId};

/// `n g R`
pub(crate) fn reference(id: ObjectId) -> Vec<u8> {
    format!("{} {} R", id.number, id.generation).into_bytes()
}

/// A name with everything but plain regular characters escaped.
pub(crate) fn name(name: &[u8]) -> Vec<u8> {
    let mut written = vec![b'/'];
    for byte in name {
        match byte {
            b'!'..=b'~' if !b"#()<>[]{}/%".contains(byte) => written.push(*byte),
            _ => written.extend_from_slice(format!("#{byte:02X}").as_bytes()),
        }
    }
    written
}

/// A text string: PDFDocEncoding for ASCII, UTF-16BE with byte order mark for all else.
pub(crate) fn text(text: &str) -> Vec<u8> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        let mut written = vec![b'('];
        for byte in text.bytes() {
            if matches!(byte, b'(' | b')' | b'\\') {
                written.push(b'\\');
            }
            written.push(byte);
        }
        written.push(b')');
        return written;
    }
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    hexadecimal(&units.flat_map(u16::to_be_bytes).collect::<Vec<u8>>())
}

/// A hexadecimal string.
pub(crate) fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    let mut written = Vec::with_capacity(bytes.len() * 2 + 2);
    written.push(b'<');
    push_hex(&mut written, bytes);
    written.push(b'>');
    written
}

/// Appends two upper-case digits a byte.
pub(crate) fn push_hex(output: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        output.push(DIGITS[usize::from(byte >> 4)]);
        output.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// A number with at most four decimals and no exponent.
pub(crate) fn number(value: f64) -> String {
    let mut written = String::new();
    // Writing to a string cannot fail.
    let _ = write!(written, "{value:.4}");
    let trimmed = written.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" {
        "0".to_owned()
    } else {
        trimmed.to_owned()
    }
}

/// `[a b c …]`
pub(crate) fn numbers(values: &[f64]) -> Vec<u8> {
    let items: Vec<String> = values.iter().map(|value| number(*value)).collect();
    format!("[{}]", items.join(" ")).into_bytes()
}

/// An array of values that are written already.
pub(crate) fn array<I: AsRef<[u8]>>(items: impl IntoIterator<Item = I>) -> Vec<u8> {
    let mut written = vec![b'['];
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            written.push(b' ');
        }
        written.extend_from_slice(item.as_ref());
    }
    written.push(b']');
    written
}

/// Changes to a dictionary that is written again.
#[derive(Default)]
pub(crate) struct Edit<'e> {
    set: Vec<(&'e [u8], Vec<u8>)>,
    remove: Vec<&'e [u8]>,
}

impl<'e> Edit<'e> {
    pub(crate) fn set(mut self, key: &'e [u8], value: impl Into<Vec<u8>>) -> Self {
        self.set.push((key, value.into()));
        self
    }

    pub(crate) fn remove(mut self, key: &'e [u8]) -> Self {
        self.remove.push(key);
        self
    }

    /// Writes the dictionary: values that are not changed as they were, new keys at the end. Of a key written twice the last
    /// value stays, which [`Dictionary::get`] gives.
    pub(crate) fn apply(&self, dictionary: &Dictionary<'_>) -> Vec<u8> {
        let mut written = b"<<\n".to_vec();
        let duplicates = dictionary.duplicate_keys();
        for (index, (key, value)) in dictionary.iter().enumerate() {
            let changed = self.set.iter().any(|(set, _)| *set == key) || self.remove.contains(&key);
            let again = || {
                duplicates.contains(&key) && dictionary.iter().skip(index + 1).any(|(later, _)| later == key)
            };
            if !changed && !again() {
                push_entry(&mut written, key, value.raw);
            }
        }
        for (key, value) in &self.set {
            push_entry(&mut written, key, value);
        }
        written.extend_from_slice(b">>");
        written
    }
}

/// A dictionary of values that are written already.
pub(crate) fn dictionary(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut written = b"<<\n".to_vec();
    for (key, value) in entries {
        push_entry(&mut written, key, value);
    }
    written.extend_from_slice(b">>");
    written
}

fn push_entry(output: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    output.extend_from_slice(&name(key));
    output.push(b' ');
    output.extend_from_slice(value);
    output.push(b'\n');
}
