//! Why one item of a batch of seals was not done; the others are.

use uuid::Uuid;

use crate::app::AppError;
use crate::domain::credential::CredentialFault;
use crate::domain::intent::IntentError;
use crate::domain::transition::TransitionError;
use crate::keys::KeyError;

/// Why one item of a batch was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealProblem {
    pub request_id: Option<Uuid>,
    pub intent_id: Option<Uuid>,
    /// Stable code.
    pub reason: &'static str,
    pub description: String,
}

impl SealProblem {
    /// A problem with a request.
    pub(super) fn of_request(request_id: Uuid, reason: &'static str, description: impl Into<String>) -> Self {
        Self {
            request_id: Some(request_id),
            intent_id: None,
            reason,
            description: description.into(),
        }
    }

    /// A problem with an intent.
    pub(super) fn of_intent(intent_id: Uuid, reason: &'static str, description: impl Into<String>) -> Self {
        Self {
            request_id: None,
            intent_id: Some(intent_id),
            reason,
            description: description.into(),
        }
    }

    /// The transition's refusal of a request; its code is that of the single commands.
    pub(super) fn of_transition(request_id: Uuid, error: &TransitionError) -> Self {
        let reason = match error {
            TransitionError::FourEyes => "FOUR_EYES",
            _ => "REQUEST_STATE",
        };
        Self::of_request(request_id, reason, error.to_string())
    }
}

/// The code of an intent's refusal.
pub(super) fn intent_reason(error: IntentError) -> &'static str {
    match error {
        IntentError::Ended => "INTENT_ENDED",
        IntentError::NotPrepared => "INTENT_NOT_PREPARED",
        IntentError::Signed => "INTENT_SIGNED",
        IntentError::FourEyes => "FOUR_EYES",
    }
}

impl From<CredentialFault> for AppError {
    fn from(fault: CredentialFault) -> Self {
        let reason = match fault {
            CredentialFault::NotYetValid => "CREDENTIAL_NOT_YET_VALID",
            CredentialFault::Expired => "CREDENTIAL_EXPIRED",
        };
        Self::refused(reason, "signing_credential", fault.to_string())
    }
}

impl From<KeyError> for AppError {
    fn from(error: KeyError) -> Self {
        let reason = match error {
            KeyError::PinIncorrect => "PIN_INCORRECT",
            KeyError::PinLocked => "PIN_LOCKED",
            KeyError::KeyMissing => "KEY_MISSING",
            KeyError::AlgorithmUnsupported => "KEY_ALGORITHM_UNSUPPORTED",
            KeyError::Unavailable(_) => return Self::KeyUnavailable(error),
        };
        Self::refused(reason, "signing_credential", error.to_string())
    }
}
