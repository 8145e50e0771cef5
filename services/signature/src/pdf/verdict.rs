//! What a worker found in a file's signatures, in words that cross the pipe.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Indications of EN 319 102-1, 5.1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VerdictIndication {
    TotalPassed,
    Indeterminate,
    TotalFailed,
}

/// The verdict on one signature or document time-stamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureVerdict {
    pub field_name: String,
    pub indication: VerdictIndication,
    /// EN 319 102-1 sub-indication; none when passed.
    pub sub_indication: Option<String>,
    pub signer: Option<String>,
    pub issuer: Option<String>,
    /// `B-B` to `B-LTA`; none where not PAdES baseline.
    pub level: Option<String>,
    pub claimed_time: Option<DateTime<Utc>>,
    pub best_time: Option<DateTime<Utc>>,
    /// The signature covers its whole revision.
    pub covers_whole_revision: bool,
    /// SHA-256 of the file up to the end of this signature's revision.
    pub revision_sha256: Option<[u8; 32]>,
    /// Something was added after this signature's revision.
    pub extended: bool,
    /// What was added changes what a reader sees or who signed.
    pub changed: bool,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVerdict {
    /// In the order of signing.
    pub signatures: Vec<SignatureVerdict>,
    /// Where the certificates found say that their revocation can be asked.
    pub revocation: RevocationSource,
}

/// Addresses from certificates; to be asked only where they are configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationSource {
    pub crls: Vec<String>,
}
