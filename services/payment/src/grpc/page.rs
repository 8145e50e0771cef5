//! Pages of lists (AIP-158): sizes and opaque tokens.

use chrono::DateTime;
use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

use crate::grpc::fields::Fields;
use crate::store::differences::{Listed, Place};

/// How long the pages of a list are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) usual: u16,
    pub(super) largest: u16,
}

impl Sizes {
    /// The size of a page: the usual where none is said.
    pub(super) fn size(self, fields: &mut Fields, size: i32) -> Option<u16> {
        match size {
            0 => Some(self.usual),
            1.. => Some(u16::try_from(size).unwrap_or(u16::MAX).min(self.largest)),
            _ => fields.fault("page_size", "OUT_OF_RANGE", "must not be negative"),
        }
    }
}

/// Cuts a list that was read one longer than a page; gives the token of the next page, empty on the last.
pub(super) fn cut<T>(items: &mut Vec<T>, size: u16, token: impl Fn(&T) -> String) -> String {
    if items.len() <= usize::from(size) {
        return String::new();
    }
    items.truncate(size.into());
    items.last().map(token).unwrap_or_default()
}

/// How many of these messages one answer carries: far below the transport's limit of 4 MiB, and one at least.
pub(super) fn fitting<M: prost::Message>(messages: &[M]) -> usize {
    const LARGEST: usize = 2 * 1024 * 1024;
    let mut bytes = 0;
    let fitting = messages.iter().take_while(|message| {
        bytes += message.encoded_len();
        bytes <= LARGEST
    });
    fitting.count().max(1)
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
        None => malformed(fields),
    }
}

/// The token that continues after this difference.
pub(super) fn token_of_difference(listed: &Listed) -> String {
    let mut bytes = listed.found_at.timestamp_micros().to_be_bytes().to_vec();
    bytes.extend_from_slice(listed.attempt_id.as_bytes());
    bytes.extend_from_slice(listed.reason.as_bytes());
    BASE64URL_NOPAD.encode(&bytes)
}

/// Reads [`token_of_difference`]; an empty token is the beginning.
pub(super) fn difference_of_token(fields: &mut Fields, token: &str) -> Option<Option<Place>> {
    if token.is_empty() {
        return Some(None);
    }
    let place = BASE64URL_NOPAD.decode(token.as_bytes()).ok().and_then(|bytes| {
        let (at, rest) = bytes.split_first_chunk::<8>()?;
        let (id, reason) = rest.split_first_chunk::<16>()?;
        Some((
            DateTime::from_timestamp_micros(i64::from_be_bytes(*at))?,
            Uuid::from_bytes(*id),
            String::from_utf8(reason.to_vec()).ok()?,
        ))
    });
    match place {
        Some(place) => Some(Some(place)),
        None => malformed(fields),
    }
}

fn malformed<T>(fields: &mut Fields) -> Option<T> {
    fields.fault("page_token", "MALFORMED", "must be a token of an earlier page")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_back_and_nonsense_is_refused() {
        let mut fields = Fields::default();
        let id = Uuid::from_u128(7);
        let listed = Listed {
            attempt_id: id,
            payable_id: id,
            provider: "cmi".to_owned(),
            provider_order_id: String::new(),
            reason: "NOT_CAPTURED".to_owned(),
            ours: 0,
            theirs: 0,
            found_at: DateTime::from_timestamp_micros(1_795_341_600_123_456).unwrap(),
        };
        assert_eq!(id_of_token(&mut fields, &token_of_id(id)), Some(Some(id)));
        let place = (listed.found_at, id, listed.reason.clone());
        assert_eq!(
            difference_of_token(&mut fields, &token_of_difference(&listed)),
            Some(Some(place))
        );
        assert_eq!(id_of_token(&mut fields, ""), Some(None));
        assert_eq!(id_of_token(&mut fields, "AAAA"), None);
        assert_eq!(difference_of_token(&mut fields, &token_of_id(id)), None);
        assert!(fields.check().is_err());
    }

    #[test]
    fn an_answer_carries_what_fits() {
        let megabyte = "x".repeat(1024 * 1024 - 10);
        assert_eq!(
            fitting(&[megabyte.clone(), megabyte.clone(), megabyte.clone()]),
            2
        );
        assert_eq!(fitting(&[megabyte.repeat(5)]), 1);
        assert_eq!(fitting(&[String::new(), megabyte]), 2);
    }

    #[test]
    fn sizes_have_bounds_and_the_last_page_has_no_token() {
        let (mut fields, sizes) = (
            Fields::default(),
            Sizes {
                usual: 200,
                largest: 1_000,
            },
        );
        let found = [0, 7, i32::MAX, -1].map(|size| sizes.size(&mut fields, size));
        assert_eq!(found, [Some(200), Some(7), Some(1_000), None]);
        let mut items = vec![1, 2, 3];
        assert_eq!(cut(&mut items, 2, ToString::to_string), "2");
        assert_eq!(items, [1, 2]);
        assert_eq!(cut(&mut items, 2, ToString::to_string), "");
    }
}
