//! What is signed, and what is made of the key's answer. No key, no network, no database here.

use sha2::{Digest, Sha256};
use wathiq_pades::certificate::Certificate;
use wathiq_pades::cms::{self, Algorithm, CmsError, SignedAttributes, TimestampToken};

use crate::domain::credential::{Credential, KeyAlgorithm};
use crate::domain::intent::Prepared;

/// Why a seal cannot be made of these parts.
#[derive(Debug, thiserror::Error)]
pub enum SealCryptoError {
    #[error("a stored certificate cannot be read")]
    Certificate,
    /// The stored file is not the one whose digest was confirmed.
    #[error("the prepared file does not have the digest that was confirmed")]
    Digest,
    #[error(transparent)]
    Cms(#[from] CmsError),
}

/// The certificates of a credential, taken apart.
pub(super) struct Chain {
    certificates: Vec<Certificate>,
    algorithm: Algorithm,
}

impl Chain {
    pub(super) fn of(credential: &Credential) -> Result<Self, SealCryptoError> {
        let ders = std::iter::once(&credential.certificate).chain(&credential.issuers);
        let certificates: Vec<Certificate> = ders
            .map(|der| Certificate::from_der(der))
            .collect::<Result<_, _>>()
            .map_err(|_| SealCryptoError::Certificate)?;
        Ok(Self {
            certificates,
            algorithm: algorithm(credential.key.algorithm),
        })
    }

    fn signer(&self) -> &Certificate {
        self.certificates
            .first()
            .expect("a chain begins with the credential's own certificate")
    }

    /// The bytes that the key signs for a prepared file: its signed attributes (RFC 5652, 5.4).
    pub(super) fn to_be_signed(&self, digest: &[u8; 32]) -> Vec<u8> {
        SignedAttributes::new(digest, self.signer()).der().to_vec()
    }

    /// Checks the key's answer against the certificate and the confirmed digest, before it is believed and stored.
    pub(super) fn check(&self, digest: &[u8; 32], value: &[u8]) -> Result<(), SealCryptoError> {
        let attributes = SignedAttributes::new(digest, self.signer());
        Ok(cms::verify_signature_value(
            self.signer(),
            &attributes,
            self.algorithm,
            value,
        )?)
    }

    /// The sealed file: signature and time-stamp written into the hole of the prepared one.
    pub(super) fn finish(
        &self,
        prepared: &Prepared,
        file: &[u8],
        value: &[u8],
        token: &TimestampToken,
    ) -> Result<Vec<u8>, SealCryptoError> {
        if !has_digest(file, prepared) {
            return Err(SealCryptoError::Digest);
        }
        let attributes = SignedAttributes::new(&prepared.digest, self.signer());
        let signature = cms::assemble(&attributes, self.algorithm, value, &self.certificates)?;
        let stamped = cms::add_timestamp(&signature, token)?;
        Ok(cms::finish(
            file,
            prepared.contents_offset,
            prepared.contents_len,
            &stamped,
        )?)
    }
}

/// The algorithm of a certificate's key; none for keys that are not used for seals.
pub(super) fn key_algorithm(certificate: &Certificate) -> Option<KeyAlgorithm> {
    match Algorithm::for_certificate(certificate).ok()? {
        Algorithm::RsaPkcs1Sha256 => Some(KeyAlgorithm::RsaSha256),
        Algorithm::EcdsaP256Sha256 => Some(KeyAlgorithm::EcdsaP256Sha256),
        Algorithm::EcdsaP384Sha256 => Some(KeyAlgorithm::EcdsaP384Sha256),
        Algorithm::RsaPssSha256 => None,
    }
}

fn algorithm(key: KeyAlgorithm) -> Algorithm {
    match key {
        KeyAlgorithm::RsaSha256 => Algorithm::RsaPkcs1Sha256,
        KeyAlgorithm::EcdsaP256Sha256 => Algorithm::EcdsaP256Sha256,
        KeyAlgorithm::EcdsaP384Sha256 => Algorithm::EcdsaP384Sha256,
    }
}

/// Whether a file is the prepared one whose digest was confirmed.
pub(super) fn has_digest(file: &[u8], prepared: &Prepared) -> bool {
    byte_range_digest(file, &prepared.byte_range) == Some(prepared.digest)
}

fn byte_range_digest(file: &[u8], range: &[u64; 4]) -> Option<[u8; 32]> {
    let part = |offset: u64, length: u64| {
        let start = usize::try_from(offset).ok()?;
        file.get(start..start.checked_add(usize::try_from(length).ok()?)?)
    };
    let mut hash = Sha256::new();
    hash.update(part(range[0], range[1])?);
    hash.update(part(range[2], range[3])?);
    Some(hash.finalize().into())
}
