//! Salted commitments of issued revisions: what stands on the event stream instead of a file's hash.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The random salt of a document, kept for its holder. Does not print: whoever has it can test guesses.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Salt")
    }
}

impl Salt {
    /// HMAC-SHA-256 (RFC 2104) of a revision's SHA-256 under this salt.
    pub fn commit(&self, revision_sha256: &[u8; 32]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(revision_sha256);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `hmac` module.
    #[test]
    fn commitments_are_hmac_sha_256() {
        let value = Salt([0x0b; 32]).commit(&[0xaa; 32]);
        let expected = "8cf828dbc6ee0a67c0163a8e4be29a556ca8c66ecac330213fda9094a19e020a";
        assert_eq!(data_encoding::HEXLOWER.encode(&value), expected);
    }
}
