//! One way to a provider.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::policy::CONFIRMING;
use crate::domain::provider::Provider;

crate::domain::names! {
    /// States of an attempt.
    AttemptState {
        Started = "STARTED",
        Authorised = "AUTHORISED",
        Captured = "CAPTURED",
        Voiding = "VOIDING",
        Voided = "VOIDED",
        Ended = "ENDED",
    }
}

/// Prefix of the order ids that providers get.
const PREFIX: &str = "WTQ";

/// The order id of an attempt at its provider: a function of the attempt's id, so that no two attempts have the same.
pub fn order_id(attempt_id: Uuid) -> String {
    format!(
        "{PREFIX}{}",
        data_encoding::BASE32HEX_NOPAD.encode(attempt_id.as_bytes())
    )
}

/// The attempt whose order id this is; none where it is not one of ours.
pub fn attempt_of(order_id: &str) -> Option<Uuid> {
    let bytes = data_encoding::BASE32HEX_NOPAD
        .decode(order_id.strip_prefix(PREFIX)?.as_bytes())
        .ok()?;
    Uuid::from_slice(&bytes).ok()
}

/// A success as the provider told it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authorisation {
    /// The provider's transaction.
    pub transaction: String,
    pub at: DateTime<Utc>,
}

/// One way to a provider. It does not print the phone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub id: Uuid,
    pub provider: Provider,
    pub order_id: String,
    pub state: AttemptState,
    /// `ar`, `fr` or `en`.
    pub language: String,
    /// Where the request goes; empty for providers that need none.
    pub phone: String,
    /// Code of the latest decline; empty without one.
    pub decline_code: String,
    pub declines: i32,
    /// The card was issued abroad; none while the provider has not said, and where no card is used.
    pub international: Option<bool>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// When the provider took the request.
    pub told_at: Option<DateTime<Utc>>,
    /// When the payer came back with the provider's word of success. It is none of its own: the provider is asked. Gone when that has not
    /// confirmed it in time.
    pub returned_at: Option<DateTime<Utc>>,
    /// From AUTHORISED or VOIDING on.
    pub authorisation: Option<Authorisation>,
    /// How often the provider has refused to capture.
    pub capture_refusals: i32,
    pub captured_at: Option<DateTime<Utc>>,
    /// When the provider is asked or told something next.
    pub due_at: Option<DateTime<Utc>>,
    /// Looks since something last changed.
    pub tries: i32,
}

impl Attempt {
    /// Whether this is the transaction of its success.
    pub fn succeeded_as(&self, transaction: &str) -> bool {
        self.authorisation
            .as_ref()
            .is_some_and(|authorisation| authorisation.transaction == transaction)
    }

    /// Whether its money is owed to us.
    pub fn holds(&self) -> bool {
        matches!(self.state, AttemptState::Authorised | AttemptState::Captured)
    }

    /// Whether the payer may still succeed, or be found to have succeeded.
    pub fn may_succeed(&self) -> bool {
        matches!(self.state, AttemptState::Started | AttemptState::Ended)
    }

    /// Whether the success with which the payer came back is still being confirmed.
    pub fn is_confirming(&self, now: DateTime<Utc>) -> bool {
        self.may_succeed() && self.returned_at.is_some_and(|at| now < at + CONFIRMING)
    }

    /// Something changed: it is looked at again then.
    pub fn look_at(&mut self, due: Option<DateTime<Utc>>) {
        self.due_at = due;
        self.tries = 0;
    }
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Attempt")
            .field("id", &self.id)
            .field("provider", &self.provider)
            .field("state", &self.state)
            .field("due_at", &self.due_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_ids_are_read_back_and_strange_ones_are_not() {
        let id = Uuid::from_u128(0x0193_5d2c_7c00_7abc_8def_0123_4567_89ab);
        let order = order_id(id);
        assert_eq!(order.len(), 29);
        assert!(order.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(attempt_of(&order), Some(id));
        for strange in [
            "",
            "WTQ",
            "WTQ-2026-000001",
            &order[1..],
            &order[..28],
            &order.to_lowercase(),
        ] {
            assert_eq!(attempt_of(strange), None, "{strange}");
        }
    }
}
