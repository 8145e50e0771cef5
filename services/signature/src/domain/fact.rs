//! What a transition brought about; each becomes one event.

use uuid::Uuid;

use crate::domain::seal_facts::SealedFileKind;
use crate::domain::state::State;

/// A place in an office's register of legalisations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterNumber {
    /// Civil year in Africa/Casablanca.
    pub year: i32,
    /// 1…n without a gap per office and year.
    pub number: i32,
}

/// HMAC-SHA-256 of a revision's SHA-256 under the document's salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    pub kind: SealedFileKind,
    pub revision: i32,
    pub value: [u8; 32],
}

/// What a transition brought about. Ids, states and codes only: no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Created,
    SignaturePlaced,
    Confirmed,
    PaymentAwaited,
    Submitted,
    Accepted,
    Returned,
    Refused,
    SealAuthorised {
        intent_id: Uuid,
        register: RegisterNumber,
    },
    SealIntentAnnulled {
        intent_id: Uuid,
        register: RegisterNumber,
    },
    Sealed {
        intent_id: Uuid,
        register: RegisterNumber,
        level: &'static str,
        commitments: Vec<Commitment>,
    },
    Delivered,
    Cancelled,
    Expired {
        state_before: State,
    },
}
