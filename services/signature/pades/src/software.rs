//! A key in memory, for tests and measurements. Officers' keys stand in modules or with remote services.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use thiserror::Error;

use crate::cms::Algorithm;

/// A private key that has been read once.
pub struct SoftwareKey {
    key: Key,
    algorithm: Algorithm,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SoftwareKeyError {
    /// The bytes are no PKCS#8 key of this kind.
    #[error("the private key cannot be read")]
    BadKey,
    /// The operation failed.
    #[error("signing failed")]
    Failed,
}

impl std::fmt::Debug for SoftwareKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SoftwareKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl SoftwareKey {
    /// Reads a PKCS#8 key for an algorithm; P-384 is not offered.
    ///
    /// # Errors
    /// [`SoftwareKeyError::BadKey`]
    pub fn from_pkcs8(der: &[u8], algorithm: Algorithm) -> Result<Self, SoftwareKeyError> {
        let key = match algorithm {
            Algorithm::RsaPkcs1Sha256 | Algorithm::RsaPssSha256 => Key::Rsa(Box::new(
                RsaKeyPair::from_pkcs8(der).map_err(|_| SoftwareKeyError::BadKey)?,
            )),
            Algorithm::EcdsaP256Sha256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, der);
                Key::P256(Box::new(pair.map_err(|_| SoftwareKeyError::BadKey)?))
            }
            Algorithm::EcdsaP384Sha256 => return Err(SoftwareKeyError::BadKey),
        };
        Ok(Self { key, algorithm })
    }

    /// The algorithm this key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs a message, usually [`crate::cms::SignedAttributes::der`].
    ///
    /// # Errors
    /// [`SoftwareKeyError::Failed`]
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SoftwareKeyError> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(key) => {
                let padding: &'static dyn RsaEncoding = match self.algorithm {
                    Algorithm::RsaPssSha256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut value = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut value)
                    .map_err(|_| SoftwareKeyError::Failed)?;
                Ok(value)
            }
            Key::P256(key) => {
                let value = key.sign(&random, message).map_err(|_| SoftwareKeyError::Failed)?;
                Ok(value.as_ref().to_vec())
            }
        }
    }
}
