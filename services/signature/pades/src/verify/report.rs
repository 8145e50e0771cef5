use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

/// The main indications of EN 319 102-1, 5.1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Indication {
    /// All checks succeeded.
    #[serde(rename = "TOTAL-PASSED")]
    TotalPassed,
    /// The signature is broken, or was certainly made when it must not be.
    #[serde(rename = "TOTAL-FAILED")]
    TotalFailed,
    /// What is known does not suffice to say either.
    #[serde(rename = "INDETERMINATE")]
    Indeterminate,
}

impl Indication {
    /// The name as the standard writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::TotalPassed => "TOTAL-PASSED",
            Self::TotalFailed => "TOTAL-FAILED",
            Self::Indeterminate => "INDETERMINATE",
        }
    }
}

/// The sub-indications of EN 319 102-1, table 6, that occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubIndication {
    /// The signature does not conform to a known format.
    FormatFailure,
    /// The digest of the signed bytes disagrees.
    HashFailure,
    /// The signature value disagrees.
    SigCryptoFailure,
    /// The signing certificate was revoked before the signature was made.
    Revoked,
    /// The signing certificate had expired before the signature was made.
    Expired,
    /// The signature existed before its certificate was valid.
    NotYetValid,
    /// Later revisions change more than they may.
    SigConstraintsFailure,
    /// A certificate of the chain may not be used as it is.
    ChainConstraintsFailure,
    /// No chain leads to a trust anchor.
    NoCertificateChainFound,
    /// The signing certificate is not in the signature, or not the one it names.
    NoSigningCertificateFound,
    /// An algorithm is not, or no longer, accepted.
    CryptoConstraintsFailureNoPoe,
    /// The certificate is revoked and nothing proves that the signature is older.
    RevokedNoPoe,
    /// A certificate above the signer's is revoked and nothing proves that the signature is older.
    RevokedCaNoPoe,
    /// The certificate is not valid now and nothing proves that the signature was made while it was.
    OutOfBoundsNoPoe,
    /// Revocation data is missing or too old; later it may be there.
    TryLater,
}

impl SubIndication {
    /// The name as the standard writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::FormatFailure => "FORMAT_FAILURE",
            Self::HashFailure => "HASH_FAILURE",
            Self::SigCryptoFailure => "SIG_CRYPTO_FAILURE",
            Self::Revoked => "REVOKED",
            Self::Expired => "EXPIRED",
            Self::NotYetValid => "NOT_YET_VALID",
            Self::SigConstraintsFailure => "SIG_CONSTRAINTS_FAILURE",
            Self::ChainConstraintsFailure => "CHAIN_CONSTRAINTS_FAILURE",
            Self::NoCertificateChainFound => "NO_CERTIFICATE_CHAIN_FOUND",
            Self::NoSigningCertificateFound => "NO_SIGNING_CERTIFICATE_FOUND",
            Self::CryptoConstraintsFailureNoPoe => "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
            Self::RevokedNoPoe => "REVOKED_NO_POE",
            Self::RevokedCaNoPoe => "REVOKED_CA_NO_POE",
            Self::OutOfBoundsNoPoe => "OUT_OF_BOUNDS_NO_POE",
            Self::TryLater => "TRY_LATER",
        }
    }

    /// The main indication this one belongs to.
    pub fn indication(self) -> Indication {
        match self {
            Self::FormatFailure
            | Self::HashFailure
            | Self::SigCryptoFailure
            | Self::Revoked
            | Self::Expired
            | Self::NotYetValid => Indication::TotalFailed,
            _ => Indication::Indeterminate,
        }
    }
}

/// Signature or document time-stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SignatureKind {
    /// A signature of a person or an administration.
    Signature,
    /// A time-stamp over the file (`ETSI.RFC3161`).
    DocumentTimestamp,
}

/// PAdES baseline levels (EN 319 142-1, 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// A signature.
    #[serde(rename = "B-B")]
    BB,
    /// With a trusted time.
    #[serde(rename = "B-T")]
    BT,
    /// With the material for validation.
    #[serde(rename = "B-LT")]
    BLt,
    /// With a document time-stamp over that.
    #[serde(rename = "B-LTA")]
    BLta,
}

impl Level {
    /// The name as the standard writes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::BB => "B-B",
            Self::BT => "B-T",
            Self::BLt => "B-LT",
            Self::BLta => "B-LTA",
        }
    }
}

/// What of the file the signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Coverage {
    /// Every byte but the signature itself.
    WholeFile,
    /// Every byte of its own revision; others were added later.
    WholeRevision,
    /// Bytes of its own revision are left out.
    Partial,
}

/// What was added behind the signed revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LaterChanges {
    /// Nothing.
    None,
    /// Only what does not change what the signer saw.
    Harmless {
        /// What it is, each once.
        changes: Vec<Change>,
    },
    /// Signatures that are seen, and nothing that this signature forbids: its signer's words stand as they stood,
    /// but may be covered by what the pages show now.
    Visible {
        /// What it is, each once.
        changes: Vec<Change>,
    },
    /// Something else, something this signature forbids (DocMDP, FieldMDP), or something that cannot be read.
    Other {
        /// The objects changed in a way that is neither harmless nor a signature, or that is forbidden.
        objects: Vec<u32>,
    },
}

/// Harmless additions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Change {
    /// Another signature.
    Signature,
    /// A document time-stamp.
    DocumentTimestamp,
    /// An empty signature field that is not seen.
    SignatureField,
    /// Material for validation (`/DSS`).
    ValidationMaterial,
    /// Document information or metadata.
    Metadata,
}

/// A time-stamp over the signature value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimestampReport {
    /// The time it states.
    pub time: DateTime<Utc>,
    /// Common name of the authority.
    pub authority: String,
    /// Whether it counts as proof; otherwise why not.
    pub sub_indication: Option<SubIndication>,
    /// DER of the chain from the authority's certificate to the anchor, if one was found.
    pub chain: Vec<Vec<u8>>,
}

/// What is known of one signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureReport {
    /// Fully qualified name of the field.
    pub field: String,
    /// Signature or document time-stamp.
    pub kind: SignatureKind,
    /// The verdict.
    pub indication: Indication,
    /// Why, unless it passed.
    pub sub_indication: Option<SubIndication>,
    /// Common name of the signer.
    pub signer_name: Option<String>,
    /// DER of the signer's certificate.
    pub certificate: Option<Vec<u8>>,
    /// DER of the chain from the signer's certificate to the anchor, if one was found.
    pub chain: Vec<Vec<u8>>,
    /// The baseline level; none for signatures outside the baseline and broken ones.
    pub level: Option<Level>,
    /// The time in `/M`, which proves nothing.
    pub claimed_time: Option<DateTime<FixedOffset>>,
    /// The earliest time at which the signature is proved to have existed.
    pub best_signature_time: Option<DateTime<Utc>>,
    /// The time-stamp over the signature value.
    pub timestamp: Option<TimestampReport>,
    /// `/Reason`
    pub reason: Option<String>,
    /// `/Location`
    pub location: Option<String>,
    /// What of the file is covered.
    pub coverage: Coverage,
    /// Length in bytes of the file as signed, the signature included.
    pub revision_length: u64,
    /// SHA-256 of the file as signed, which identifies the revision.
    pub revision_sha256: [u8; 32],
    /// What came after.
    pub later: LaterChanges,
    /// Whether the file shows an XFA form in viewers that know it, instead of the pages.
    pub xfa: bool,
}
