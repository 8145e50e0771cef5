//! Pages of lists (AIP-158): sizes and opaque tokens.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

use crate::grpc::fields::Fields;

const DEFAULT_SIZE: u16 = 20;
const LARGEST_SIZE: i32 = 100;

/// The size of a page: 20 where none is said, at most 100.
pub(super) fn size(fields: &mut Fields, size: i32) -> Option<u16> {
    match size {
        0 => Some(DEFAULT_SIZE),
        1.. => fields.number("page_size", size.min(LARGEST_SIZE)),
        _ => fields.fault("page_size", "OUT_OF_RANGE", "must not be negative"),
    }
}

/// The token that continues after this id.
pub(super) fn token_of_id(id: Uuid) -> String {
    BASE64URL_NOPAD.encode(id.as_bytes())
}

/// Reads [`token_of_id`]; an empty token is the beginning.
pub(super) fn id_of_token(fields: &mut Fields, token: &str) -> Option<Option<Uuid>> {
    if token.is_empty() {
        return Some(None);
    }
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
    match bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok()) {
        Some(id) => Some(Some(id)),
        None => fields.fault("page_token", "MALFORMED", "must be a token of an earlier page"),
    }
}

/// The token that continues after this entry of the queue.
pub(super) fn token_of_entry(entry: (DateTime<Utc>, Uuid)) -> String {
    let mut bytes = entry.0.timestamp_micros().to_be_bytes().to_vec();
    bytes.extend_from_slice(entry.1.as_bytes());
    BASE64URL_NOPAD.encode(&bytes)
}

/// Reads [`token_of_entry`]; an empty token is the beginning.
pub(super) fn entry_of_token(fields: &mut Fields, token: &str) -> Option<Option<(DateTime<Utc>, Uuid)>> {
    if token.is_empty() {
        return Some(None);
    }
    let entry = BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|bytes| {
        let (at, id) = bytes.split_first_chunk::<8>()?;
        Some((
            DateTime::from_timestamp_micros(i64::from_be_bytes(*at))?,
            Uuid::from_slice(id).ok()?,
        ))
    });
    match entry {
        Some(entry) => Some(Some(entry)),
        None => fields.fault("page_token", "MALFORMED", "must be a token of an earlier page"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_back_and_nonsense_is_refused() {
        let mut fields = Fields::default();
        let (id, at) = (
            Uuid::from_u128(7),
            DateTime::from_timestamp_micros(1_795_341_600_123_456).unwrap(),
        );
        assert_eq!(id_of_token(&mut fields, &token_of_id(id)), Some(Some(id)));
        assert_eq!(
            entry_of_token(&mut fields, &token_of_entry((at, id))),
            Some(Some((at, id)))
        );
        assert_eq!(id_of_token(&mut fields, ""), Some(None));
        assert_eq!(id_of_token(&mut fields, "AAAA"), None);
        assert_eq!(entry_of_token(&mut fields, &token_of_id(id)), None);
        assert!(fields.check().is_err());
    }

    #[test]
    fn sizes_have_bounds() {
        let mut fields = Fields::default();
        assert_eq!(size(&mut fields, 0), Some(20));
        assert_eq!(size(&mut fields, 7), Some(7));
        assert_eq!(size(&mut fields, i32::MAX), Some(100));
        assert_eq!(size(&mut fields, -1), None);
    }
}
