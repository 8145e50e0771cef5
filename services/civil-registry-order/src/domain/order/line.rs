//! A line: one act at one office.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::clue::Clue;
use crate::domain::fee::Price;
use crate::domain::kind::{Language, Proof, Relation, SealMode};
use crate::domain::state::{Alert, EndReason, LineState, Path, Step};

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub id: Uuid,
    /// 1 is the first.
    pub ordinal: u8,
    pub state: LineState,
    /// Since when it is in its state.
    pub state_since: DateTime<Utc>,
    /// Code of the kind.
    pub document_kind: String,
    /// The version of the kind that was ordered.
    pub kind_id: Uuid,
    pub language: Language,
    pub copies: i16,
    pub clue: Clue,
    pub relation: Relation,
    pub proof: Proof,
    pub evidence_ids: Vec<Uuid>,
    /// The office that works on it.
    pub office_id: Uuid,
    /// For all copies.
    pub price: Price,
    /// Working days from payment to production.
    pub production_days: u16,
    /// When the present state ends by itself, or is late.
    pub deadline: Option<DateTime<Utc>>,
    pub paid_at: Option<DateTime<Utc>>,
    pub path: Option<Path>,
    pub assigned_to: Option<Uuid>,
    /// The digitised act, where one was named.
    pub act_id: Option<Uuid>,
    /// The act of which an official has confirmed that it is the one ordered, although it differs.
    pub confirmed_act: Option<Uuid>,
    pub document: Option<Document>,
    /// The document is being withdrawn at signature; then the money goes back for this reason.
    pub withdrawing: Option<EndReason>,
    pub production: Option<Production>,
    pub parcel_id: Option<Uuid>,
    pub answer: Option<Answer>,
    pub end_reason: Option<EndReason>,
    pub refunded_centimes: i64,
    /// Payment cannot refund by itself.
    pub refund_failed: bool,
    /// What was last told to be late.
    pub alerted: Option<Alert>,
}

/// A document drawn from a digitised act.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Who had it drawn: the officer whom the document names, and who alone may seal it.
    pub prepared_by: Uuid,
    /// Printed as the day on which the document was made ("Fait le").
    pub prepared_at: DateTime<Utc>,
    pub seal_mode: SealMode,
    /// By which anybody verifies it; 12 characters. Nothing where it is signed by hand.
    pub verification_code: Option<String>,
    /// Of the drawn file; once it is drawn.
    pub object_key: Option<String>,
    /// Its id at signature; once it is deposited.
    pub issued_document_id: Option<Uuid>,
    /// What the officer confirms.
    pub digest: Option<[u8; 32]>,
    /// Why it cannot be drawn or deposited.
    pub failure: Option<String>,
    pub sealed: bool,
    /// It is being taken back from signature, and drawn anew as this.
    pub again: Option<Again>,
}

/// How a document is drawn anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    pub prepared_by: Uuid,
    pub prepared_at: DateTime<Utc>,
    pub verification_code: Option<String>,
}

impl Document {
    /// The document as it is drawn anew; what signature had of the old one is gone.
    pub fn drawn_again(&self, again: Again) -> Self {
        Self {
            prepared_by: again.prepared_by,
            prepared_at: again.prepared_at,
            seal_mode: self.seal_mode,
            verification_code: again.verification_code,
            object_key: None,
            issued_document_id: None,
            digest: None,
            failure: None,
            sealed: false,
            again: None,
        }
    }
}

/// How it was produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Production {
    pub produced_at: DateTime<Utc>,
    /// Who looked into the register.
    pub looked_by: Option<Uuid>,
    /// The officer who signed.
    pub signed_by: Option<Uuid>,
}

/// What the office said when it stopped or ended the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub reason_code: String,
    pub text: String,
    pub at: DateTime<Utc>,
}

/// A step that the state of a line does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot {} a line that is {}", .step.as_str(), .state.as_str())]
pub struct StepError {
    pub state: LineState,
    pub step: Step,
}

impl Line {
    /// The line after a step.
    ///
    /// # Errors
    /// [`StepError`]; the line is gone then, as it stands in the database.
    pub fn after(mut self, step: Step, now: DateTime<Utc>) -> Result<Self, StepError> {
        let state = self.state.after(step).ok_or(StepError {
            state: self.state,
            step,
        })?;
        self.state = state;
        self.state_since = now;
        self.deadline = None;
        self.alerted = None;
        Ok(self)
    }

    /// Its document stands at signature, or is on its way there.
    pub fn is_deposited(&self) -> bool {
        self.document
            .as_ref()
            .is_some_and(|document| document.seal_mode != SealMode::ByHand && document.failure.is_none())
    }

    /// Its document is drawn and may be drawn anew: nothing is sealed, and nothing is being ended.
    pub fn is_open_to_redrawing(&self) -> bool {
        self.withdrawing.is_none() && self.document.as_ref().is_some_and(|document| !document.sealed)
    }

    /// The relation is known: from the acts, or because an official has checked it.
    pub fn is_entitled(&self) -> bool {
        matches!(self.proof, Proof::Acts | Proof::Checked)
    }

    /// Nothing of it is made or sent any more.
    pub fn has_ended(&self) -> bool {
        matches!(
            self.state,
            LineState::Refunding | LineState::Refunded | LineState::Cancelled | LineState::Expired
        )
    }

    /// The office has something to do with it.
    pub fn waits_for_office(&self) -> bool {
        matches!(self.state, LineState::Paid | LineState::InProduction)
    }
}
