//! Keys that sign access tokens and confirmation records, and when each does.
//!
//! A key signs for [`SIGNS_FOR`]. The next one is published [`PUBLISHED_AHEAD`] before it signs, so that every verifier knows
//! it. Tokens of a key that no longer signs are accepted until its `retire_at`; then its private half is destroyed. Public
//! halves stay published for ever, since confirmation records are verified for as long as documents are kept.

use chrono::{DateTime, TimeDelta, Utc};

/// How long a key signs.
pub const SIGNS_FOR: TimeDelta = TimeDelta::days(30);
/// How long a key is known before it signs.
pub const PUBLISHED_AHEAD: TimeDelta = TimeDelta::days(2);
/// Longest life of a token, and a margin for clocks.
pub const TOKENS_OUTLIVE: TimeDelta = TimeDelta::minutes(15);

/// One key, without its private half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    pub id: String,
    pub public_key: [u8; 32],
    /// When it begins to sign.
    pub active_from: DateTime<Utc>,
    /// Whether its private half still exists.
    pub has_private: bool,
}

/// What a rotation has to do now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// A key to be made, with the instant from which it signs.
    pub create: Option<DateTime<Utc>>,
    /// Keys whose private half is to be destroyed.
    pub destroy: Vec<String>,
}

/// The key that signs now, of keys in order of `active_from`.
pub fn current(keys: &[SigningKey], now: DateTime<Utc>) -> Option<&SigningKey> {
    keys.iter()
        .rev()
        .find(|key| key.has_private && key.active_from <= now)
}

/// Until when tokens of a key are accepted: absent while no later key signs.
pub fn retire_at(keys: &[SigningKey], key: &SigningKey, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let successor = keys.iter().find(|other| other.active_from > key.active_from)?;
    (successor.active_from <= now).then(|| successor.active_from + TOKENS_OUTLIVE)
}

/// What is due, of keys in order of `active_from`.
pub fn rotation(keys: &[SigningKey], now: DateTime<Utc>) -> Rotation {
    let destroy = keys
        .iter()
        .filter(|key| key.has_private && retire_at(keys, key, now).is_some_and(|at| at <= now))
        .map(|key| key.id.clone())
        .collect();
    let create = match keys.iter().rev().find(|key| key.has_private) {
        None => Some(now),
        Some(newest) => {
            let due = newest.active_from + SIGNS_FOR;
            // After a long stop the next key still is known for a while before it signs.
            (due - PUBLISHED_AHEAD <= now).then(|| due.max(now + PUBLISHED_AHEAD))
        }
    };
    Rotation { create, destroy }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn key(id: &str, active_from: DateTime<Utc>) -> SigningKey {
        SigningKey {
            id: id.to_owned(),
            public_key: [0; 32],
            active_from,
            has_private: true,
        }
    }

    #[test]
    fn the_first_key_signs_at_once() {
        assert_eq!(
            rotation(&[], START),
            Rotation {
                create: Some(START),
                destroy: vec![]
            }
        );
    }

    #[test]
    fn the_next_key_is_known_before_it_signs_and_the_old_one_fades() {
        let mut keys = vec![key("a", START)];
        let due = START + SIGNS_FOR - PUBLISHED_AHEAD;
        assert_eq!(
            rotation(&keys, due - TimeDelta::microseconds(1)),
            Rotation::default()
        );
        assert_eq!(rotation(&keys, due).create, Some(START + SIGNS_FOR));
        keys.push(key("b", START + SIGNS_FOR));
        assert_eq!(rotation(&keys, due), Rotation::default());
        assert_eq!(current(&keys, due).map(|key| key.id.as_str()), Some("a"));
        assert_eq!(retire_at(&keys, &keys[0], due), None);

        let turn = START + SIGNS_FOR;
        assert_eq!(current(&keys, turn).map(|key| key.id.as_str()), Some("b"));
        assert_eq!(retire_at(&keys, &keys[0], turn), Some(turn + TOKENS_OUTLIVE));
        assert_eq!(rotation(&keys, turn).destroy, Vec::<String>::new());
        assert_eq!(rotation(&keys, turn + TOKENS_OUTLIVE).destroy, ["a"]);
    }

    #[test]
    fn after_a_long_stop_the_old_key_signs_on_until_the_next_is_known() {
        let keys = vec![key("a", START)];
        let now = START + TimeDelta::days(90);
        assert_eq!(rotation(&keys, now).create, Some(now + PUBLISHED_AHEAD));
        assert_eq!(current(&keys, now).map(|key| key.id.as_str()), Some("a"));
    }
}
