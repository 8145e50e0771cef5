//! An officer's signing credential: where the key is, and its certificate.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::seal_authority::SealAuthority;

/// From so long before its end a certificate is said to expire soon; warnings at 60, 30 and 7 days.
pub const WARNING: TimeDelta = TimeDelta::days(60);

/// The signature algorithm of a key, as its certificate tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-256.
    EcdsaP384Sha256,
}

impl KeyAlgorithm {
    const ALL: [Self; 3] = [Self::RsaSha256, Self::EcdsaP256Sha256, Self::EcdsaP384Sha256];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RsaSha256 => "RSA_SHA256",
            Self::EcdsaP256Sha256 => "ECDSA_P256_SHA256",
            Self::EcdsaP384Sha256 => "ECDSA_P384_SHA256",
        }
    }

    /// Reads [`KeyAlgorithm::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLocation {
    /// Label of the token.
    pub token_label: String,
    /// Label (`CKA_LABEL`) of the private key.
    pub key_label: String,
    pub algorithm: KeyAlgorithm,
}

/// Whose a credential is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An officer's own, by person.
    Officer(Uuid),
    /// An institution's electronic seal, with the decision behind it.
    Institution(SealAuthority),
}

impl Holder {
    /// The name of the kind in the database.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Officer(_) => OFFICER,
            Self::Institution(_) => ELECTRONIC_SEAL,
        }
    }
}

/// Kinds of credentials in the database.
pub const OFFICER: &str = "OFFICER";
pub const ELECTRONIC_SEAL: &str = "ELECTRONIC_SEAL";

/// A registered credential. Never changed; a renewed certificate is another credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub id: Uuid,
    pub office_id: Uuid,
    pub holder: Holder,
    pub key: KeyLocation,
    /// DER.
    pub certificate: Vec<u8>,
    /// DER, in order, without the root.
    pub issuers: Vec<Vec<u8>>,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
    pub registered_by: Uuid,
    pub registered_at: DateTime<Utc>,
}

/// Why a credential has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    Expired,
    Revoked,
}

impl EndReason {
    const ALL: [Self; 2] = [Self::Expired, Self::Revoked];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
        }
    }

    /// Reads [`EndReason::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// The end of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    pub credential_id: Uuid,
    pub reason: EndReason,
    pub ended_at: DateTime<Utc>,
}

/// Why a credential cannot seal now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialFault {
    #[error("the certificate is not valid yet")]
    NotYetValid,
    #[error("the certificate has expired")]
    Expired,
}

impl Credential {
    /// The officer whose it is; none of an electronic seal.
    pub fn officer_id(&self) -> Option<Uuid> {
        match &self.holder {
            Holder::Officer(id) => Some(*id),
            Holder::Institution(_) => None,
        }
    }

    /// Who alone may use the key: the officer, or the office of the institution.
    pub fn holder_id(&self) -> Uuid {
        self.officer_id().unwrap_or(self.office_id)
    }

    /// Checks the certificate's validity at an instant.
    ///
    /// # Errors
    /// [`CredentialFault`].
    pub fn usable_at(&self, now: DateTime<Utc>) -> Result<(), CredentialFault> {
        if now < self.not_before {
            return Err(CredentialFault::NotYetValid);
        }
        if now > self.not_after {
            return Err(CredentialFault::Expired);
        }
        Ok(())
    }

    /// Whether the end is near.
    pub fn expires_soon(&self, now: DateTime<Utc>) -> bool {
        self.not_after - now < WARNING
    }
}
