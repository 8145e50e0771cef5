//! Keyed hashes (HMAC-SHA-256, RFC 2104) of what has too few values to be hashed plainly: codes, and requests that hold a
//! password. Who reads the database alone cannot try values against them.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;

/// The key, and how things are hashed with it.
pub struct KeyedHash {
    key: hmac::Key,
}

impl std::fmt::Debug for KeyedHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyedHash(…)")
    }
}

impl KeyedHash {
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
        }
    }

    /// Hash of the parts, each with its length before it, under a name for the use.
    pub fn hash(&self, usage: &'static str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [usage.as_bytes()].iter().chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        context
            .sign()
            .as_ref()
            .try_into()
            .expect("HMAC-SHA-256 has 32 bytes")
    }
}

/// Compares in constant time.
pub fn equal(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_use_are_told_apart() {
        let hash = KeyedHash::new(&[1; 32]);
        let first = hash.hash("code", &[b"ab", b"c"]);
        assert!(equal(&first, &hash.hash("code", &[b"ab", b"c"])));
        assert!(!equal(&first, &hash.hash("code", &[b"a", b"bc"])));
        assert!(!equal(&first, &hash.hash("request", &[b"ab", b"c"])));
        assert!(!equal(
            &first,
            &KeyedHash::new(&[2; 32]).hash("code", &[b"ab", b"c"])
        ));
    }
}
