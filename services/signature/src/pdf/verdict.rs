//! What a worker found in a file's signatures, in words that cross the pipe.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Certificates of one file whose revocation is asked at most: of a few signatures and time-stamps, each with its authorities.
pub const MAX_LINKS: usize = 16;

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
    /// The time-stamp over the signature value.
    pub timestamp: Option<TimestampVerdict>,
}

/// The verdict on the time-stamp over a signature value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimestampVerdict {
    /// The time it states.
    pub time: DateTime<Utc>,
    /// EN 319 102-1 sub-indication; none where it counts as proof.
    pub sub_indication: Option<String>,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVerdict {
    /// In the order of signing.
    pub signatures: Vec<SignatureVerdict>,
    /// Certificates whose revocation decides over the verdict: only those of chains that end in a trust anchor.
    pub links: Vec<Link>,
}

/// A certificate of a chain that ends in a trust anchor, and its issuer. Both DER.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub certificate: Vec<u8>,
    pub issuer: Vec<u8>,
    /// The certificate is itself an authority's.
    pub is_authority: bool,
}

/// The links of a chain, from the signer's certificate to the anchor.
pub fn links_of(chain: &[Vec<u8>]) -> Vec<Link> {
    let pairs = chain.windows(2).enumerate();
    pairs
        .map(|(depth, pair)| Link {
            certificate: pair[0].clone(),
            issuer: pair[1].clone(),
            is_authority: depth > 0,
        })
        .collect()
}
