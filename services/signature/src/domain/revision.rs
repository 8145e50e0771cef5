//! A sealed file as issued.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::seal_facts::SealedFileKind;

/// An issued revision of a sealed file. The first revision's SHA-256 is the document's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRevision {
    pub intent_id: Uuid,
    pub kind: SealedFileKind,
    /// 1 is the first.
    pub revision: i32,
    pub request_id: Uuid,
    pub object_key: String,
    pub size_bytes: i64,
    pub sha256: [u8; 32],
    /// HMAC-SHA-256 of `sha256` under the intent's salt.
    pub commitment: [u8; 32],
    /// `B-T` or better.
    pub level: String,
    pub sealed_at: DateTime<Utc>,
}
