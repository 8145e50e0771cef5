//! Encryption of what must be read back later: AES-256-GCM (NIST SP 800-38D) with a random nonce.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use wathiq_chassis::Ambient;
use zeroize::Zeroizing;

/// One key and what it is used for; the use is bound to every ciphertext.
pub struct Sealer {
    key: LessSafeKey,
    usage: &'static str,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Sealer({})", self.usage)
    }
}

/// Why something was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("encrypting failed")]
    Seal,
    #[error("the ciphertext does not belong to this key, use and row")]
    Open,
}

impl Sealer {
    pub fn new(key: &[u8; 32], usage: &'static str) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("an AES-256 key has 32 bytes");
        Self {
            key: LessSafeKey::new(key),
            usage,
        }
    }

    /// Nonce, ciphertext and tag. `row` names what it belongs to: the same bytes in another row do not open.
    ///
    /// # Errors
    /// [`SealError::Seal`].
    pub fn seal(&self, ambient: &Ambient, row: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = ambient.bytes::<NONCE_LEN>();
        let mut sealed = Zeroizing::new(plain.to_vec());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.aad(row), &mut *sealed)
            .map_err(|_| SealError::Seal)?;
        Ok([&nonce[..], &sealed[..]].concat())
    }

    /// # Errors
    /// [`SealError::Open`].
    pub fn open(&self, row: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Open)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Open)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .key
            .open_in_place(nonce, self.aad(row), &mut buffer)
            .map_err(|_| SealError::Open)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    fn aad(&self, row: &[u8]) -> Aad<Vec<u8>> {
        Aad::from([self.usage.as_bytes(), b"\0", row].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_row_and_use_alone() {
        let ambient = Ambient::system();
        let sealer = Sealer::new(&[7; 32], "totp");
        let sealed = sealer.seal(&ambient, b"row", b"secret").unwrap();
        assert_eq!(*sealer.open(b"row", &sealed).unwrap(), b"secret");
        assert_ne!(sealed, sealer.seal(&ambient, b"row", b"secret").unwrap());
        assert_eq!(sealer.open(b"other", &sealed), Err(SealError::Open));
        assert_eq!(
            Sealer::new(&[7; 32], "delivery").open(b"row", &sealed),
            Err(SealError::Open)
        );
        assert_eq!(
            Sealer::new(&[8; 32], "totp").open(b"row", &sealed),
            Err(SealError::Open)
        );
        assert_eq!(sealer.open(b"row", &sealed[..5]), Err(SealError::Open));
    }
}
