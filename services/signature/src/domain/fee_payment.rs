//! How the fee of a request is paid at service payment.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::state::State;

/// What payment is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// To open the payable.
    Open,
    /// To withdraw it: nobody owes it any more.
    Cancel,
    /// To give back what was paid.
    Refund,
}

impl Task {
    const ALL: [Self; 3] = [Self::Open, Self::Cancel, Self::Refund];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Cancel => "CANCEL",
            Self::Refund => "REFUND",
        }
    }

    /// Reads [`Task::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.as_str() == text)
    }
}

/// The payment of a request's fee. Does not print: it names the payer.
#[derive(Clone, PartialEq, Eq)]
pub struct FeePayment {
    pub request_id: Uuid,
    pub payer_id: Uuid,
    pub payer_name: String,
    pub centimes: i64,
    /// Of the office, for the number of the request's receipt.
    pub office_code: String,
    /// Until when it can be paid.
    pub expires_at: DateTime<Utc>,
    /// None until payment has opened it.
    pub payable_id: Option<Uuid>,
    pub paid_at: Option<DateTime<Utc>>,
    pub task: Option<Task>,
    /// How often payment was asked.
    pub attempts: i32,
}

impl std::fmt::Debug for FeePayment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("FeePayment")
            .field("request_id", &self.request_id)
            .field("payable_id", &self.payable_id)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

impl FeePayment {
    /// What is left to do once payment has opened the payable of a request in a state.
    pub fn after_opening(state: State) -> Option<Task> {
        match state {
            State::AwaitingPayment => None,
            _ => Some(Task::Cancel),
        }
    }

    /// What is left to do once the payable of a request in a state is paid: whoever pays what is no longer wanted gets it back.
    pub fn after_payment(state: State) -> Option<Task> {
        match state {
            State::Cancelled | State::Expired => Some(Task::Refund),
            _ => None,
        }
    }

    /// What is to be done when a request ends without the office's decision: withdrawn by the citizen, or expired. `worked_on` says
    /// that an agent has taken it, whose work is not given back.
    pub fn at_end(&self, worked_on: bool) -> Option<Task> {
        match self.paid_at {
            Some(_) if worked_on => None,
            Some(_) => Some(Task::Refund),
            None if self.payable_id.is_none() => Some(Task::Open).filter(|_| self.task == Some(Task::Open)),
            None => Some(Task::Cancel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment(payable: bool, paid: bool, task: Option<Task>) -> FeePayment {
        FeePayment {
            request_id: Uuid::nil(),
            payer_id: Uuid::nil(),
            payer_name: "Souad Alami".to_owned(),
            centimes: 2000,
            office_code: "ANF".to_owned(),
            expires_at: DateTime::UNIX_EPOCH,
            payable_id: payable.then(Uuid::nil),
            paid_at: paid.then_some(DateTime::UNIX_EPOCH),
            task,
            attempts: 0,
        }
    }

    #[test]
    fn what_follows_from_each_end() {
        let unopened = payment(false, false, Some(Task::Open));
        // Opened all the same, so that an answer that was lost is found, and withdrawn then.
        assert_eq!(unopened.at_end(false), Some(Task::Open));
        assert_eq!(payment(true, false, None).at_end(false), Some(Task::Cancel));
        assert_eq!(payment(true, true, None).at_end(false), Some(Task::Refund));
        assert_eq!(
            payment(true, true, None).at_end(true),
            None,
            "an agent has worked on it"
        );
        for state in State::ALL {
            let ended = matches!(state, State::Cancelled | State::Expired);
            let refunded = FeePayment::after_payment(state) == Some(Task::Refund);
            assert_eq!(refunded, ended, "{state:?}");
            let cancelled = FeePayment::after_opening(state) == Some(Task::Cancel);
            assert_eq!(cancelled, state != State::AwaitingPayment, "{state:?}");
        }
    }

    #[test]
    fn a_payer_does_not_print() {
        assert!(!format!("{:?}", payment(true, true, None)).contains("Souad"));
    }
}
