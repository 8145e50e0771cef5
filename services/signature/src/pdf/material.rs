//! What a verification stands on.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// Trust material for a verification.
pub struct TrustMaterial {
    /// The time the verdict is about.
    pub at: DateTime<Utc>,
    /// How long revocation data without `nextUpdate` count.
    pub max_age: TimeDelta,
    pub anchors: Vec<Digested>,
    pub crls: Vec<Digested>,
    pub ocsp_responses: Vec<Digested>,
}

/// DER with its SHA-256: lists have megabytes, and are hashed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    pub der: Bytes,
    pub sha256: [u8; 32],
}

impl Digested {
    /// Hashes the bytes.
    pub fn of(der: Bytes) -> Self {
        let sha256 = Sha256::digest(&der).into();
        Self { der, sha256 }
    }
}
