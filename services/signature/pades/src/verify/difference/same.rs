use crate::syntax::{Dictionary, Kind, Value};

/// Whether two values mean the same, however they are written; references are not followed.
pub(super) fn same(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (&left.kind, &right.kind) {
        (Kind::String, Kind::String) => left.string() == right.string(),
        (Kind::Array(left), Kind::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Kind::Dictionary(old), Kind::Dictionary(new)) => {
            left.raw == right.raw || same_but_for(old, new, &[])
        }
        (left, right) => left == right,
    }
}

/// Readers differ in which of two equal keys they take, so a dictionary that has some is like no other.
pub(super) fn same_but_for(left: &Dictionary<'_>, right: &Dictionary<'_>, variable: &[&[u8]]) -> bool {
    let keys = left.iter().chain(right.iter()).map(|(key, _)| key);
    left.duplicate_key().is_none()
        && right.duplicate_key().is_none()
        && keys
            .filter(|key| !variable.contains(key))
            .all(|key| same_entry(left, right, key))
}

pub(super) fn same_entry(left: &Dictionary<'_>, right: &Dictionary<'_>, key: &[u8]) -> bool {
    match (left.get(key), right.get(key)) {
        (None, None) => true,
        (Some(left), Some(right)) => same(left, right),
        _ => false,
    }
}
