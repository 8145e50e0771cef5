//! What the office does with lines, and what the citizen answers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Work, WorkError};
use crate::domain::clue::Clue;
use crate::domain::kind::{Proof, Relation, SealMode};
use crate::domain::order::fact::{Fact, OutwardKind};
use crate::domain::order::line::{Again, Answer, Document, Line, Production};
use crate::domain::state::{EndReason, LineState, Path, Step};

/// What a correction says.
pub struct Correction {
    pub clue: Clue,
    pub office_id: Uuid,
    pub act_id: Option<Uuid>,
    pub proof: Proof,
    pub evidence_ids: Vec<Uuid>,
}

/// A digitised act that the office names.
#[derive(Debug, Clone, Copy)]
pub struct FoundAct {
    pub act_id: Uuid,
    /// It differs from what was ordered, and an official says that it is the one.
    pub confirmed: bool,
    /// What this act proves.
    pub proof: Proof,
}

impl Work<'_> {
    /// Gives lines to a member of the office, or to nobody.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn assign(&mut self, lines: &[Uuid], person: Option<Uuid>) -> Result<(), WorkError> {
        for id in lines {
            self.check_other(*id, person)?;
            self.line_mut(*id)?.assigned_to = person;
        }
        self.facts.push(Fact::Assigned {
            lines: lines.to_vec(),
        });
        Ok(())
    }

    /// An official has checked the evidence. A mandataire who attached none has shown something else: what, is `noted`.
    ///
    /// # Errors
    /// [`WorkError::Step`] where the line is not at work, [`WorkError::NoteNeeded`].
    pub fn entitlement_checked(&mut self, id: Uuid, noted: bool) -> Result<(), WorkError> {
        let line = self.at_work(id, Step::Take)?;
        if line.relation == Relation::Mandataire && line.evidence_ids.is_empty() && !noted {
            return Err(WorkError::NoteNeeded(id));
        }
        self.line_mut(id)?.proof = Proof::Checked;
        self.facts.push(Fact::EntitlementChecked { line: id });
        Ok(())
    }

    /// The office names the digitised act.
    ///
    /// # Errors
    /// [`WorkError::Step`] where the line is not at work, [`WorkError::Prepared`].
    pub fn act_found(&mut self, id: Uuid, found: FoundAct) -> Result<(), WorkError> {
        let line = self.at_work(id, Step::Take)?;
        if line.document.is_some() {
            return Err(WorkError::Prepared(id));
        }
        let own = line.relation == Relation::Oneself && self.order.applicant.proved;
        let line = self.line_mut(id)?;
        line.act_id = Some(found.act_id);
        line.confirmed_act = found.confirmed.then_some(found.act_id);
        line.proof = match line.proof {
            Proof::Checked => Proof::Checked,
            // Whoever confirms that a proved person's own act is theirs has checked it.
            _ if own && found.confirmed => Proof::Checked,
            _ => found.proof,
        };
        self.facts.push(Fact::ActFound { line: id });
        Ok(())
    }

    /// The office takes lines to produce them on paper.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn take_on_paper(&mut self, lines: &[Uuid]) -> Result<(), WorkError> {
        for id in lines {
            self.take(*id, Path::Paper)?;
        }
        self.facts.push(Fact::Taken {
            lines: lines.to_vec(),
            path: Path::Paper,
        });
        Ok(())
    }

    /// The office gives a line on paper back to the queue: it was taken by mistake, or its register has gone elsewhere. The time runs on.
    ///
    /// # Errors
    /// [`WorkError::Step`], [`WorkError::Prepared`] for a line of which a document is drawn.
    pub fn release(&mut self, id: Uuid) -> Result<(), WorkError> {
        let line = self.line(id)?;
        if line.state == LineState::InProduction && line.path != Some(Path::Paper) {
            return Err(WorkError::Prepared(id));
        }
        let (deadline, alerted) = (line.deadline, line.alerted);
        let line = self.step(id, Step::Release)?;
        line.deadline = deadline;
        line.alerted = alerted;
        line.path = None;
        line.assigned_to = None;
        self.facts.push(Fact::Released { line: id });
        Ok(())
    }

    /// The officer has the document of a line drawn from its digitised act, by which the relation is known in this way.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn prepare(
        &mut self,
        id: Uuid,
        act_id: Uuid,
        proof: Proof,
        document: Document,
    ) -> Result<(), WorkError> {
        self.check_other(id, Some(document.prepared_by))?;
        self.line_mut(id)?.proof = proof;
        self.check_entitled(id, Path::Digitised)?;
        let again = self
            .line(id)?
            .document
            .as_ref()
            .is_some_and(|before| before.failure.is_some());
        if self.line(id)?.state == LineState::InProduction && again {
            // What could not be drawn is tried once more.
            self.line_mut(id)?.document = Some(document);
            self.ask(OutwardKind::DepositDocument, id);
            return Ok(());
        }
        if self.line(id)?.state == LineState::InProduction && self.line(id)?.is_open_to_redrawing() {
            let again = Again {
                prepared_by: document.prepared_by,
                prepared_at: document.prepared_at,
                verification_code: document.verification_code,
            };
            return self.draw_again(id, again);
        }
        self.take(id, Path::Digitised)?;
        let line = self.line_mut(id)?;
        line.act_id = Some(act_id);
        line.document = Some(document);
        self.ask(OutwardKind::DepositDocument, id);
        self.facts.push(Fact::Taken {
            lines: vec![id],
            path: Path::Digitised,
        });
        Ok(())
    }

    /// Has the document of a line drawn anew: what it was drawn from has changed, or another officer is to be named in it. What is at signature is
    /// taken back first; a seal that is faster wins.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn draw_again(&mut self, id: Uuid, again: Again) -> Result<(), WorkError> {
        let line = self.line_mut(id)?;
        let open = line.state == LineState::InProduction && line.is_open_to_redrawing();
        let Some(document) = line.document.as_mut().filter(|_| open) else {
            return Ok(());
        };
        if document.seal_mode == SealMode::ByHand || document.failure.is_some() {
            *document = document.drawn_again(again);
            self.ask(OutwardKind::DepositDocument, id);
        } else if document.again.replace(again).is_none() {
            self.ask(OutwardKind::WithdrawDocument, id);
        }
        Ok(())
    }

    fn take(&mut self, id: Uuid, path: Path) -> Result<(), WorkError> {
        let (deadline, alerted) = {
            let line = self.line(id)?;
            (line.deadline, line.alerted)
        };
        let line = self.step(id, Step::Take)?;
        // Taking it in hand is not producing it: the time runs on.
        line.deadline = deadline;
        line.alerted = alerted;
        line.path = Some(path);
        Ok(())
    }

    /// The document stands at signature.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn deposited(
        &mut self,
        id: Uuid,
        object_key: &str,
        at_signature: Option<(Uuid, [u8; 32])>,
    ) -> Result<(), WorkError> {
        let Some(document) = self.line_mut(id)?.document.as_mut() else {
            return Ok(());
        };
        document.object_key = Some(object_key.to_owned());
        document.failure = None;
        if let Some((issued_document_id, digest)) = at_signature {
            let new = document.digest.is_none();
            document.issued_document_id = Some(issued_document_id);
            document.digest = Some(digest);
            if new && !document.sealed {
                self.facts.push(Fact::DocumentPrepared { line: id });
            }
        }
        Ok(())
    }

    /// The document cannot be drawn, or signature does not take it.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn deposit_failed(&mut self, id: Uuid, reason: &str) -> Result<(), WorkError> {
        if let Some(document) = self.line_mut(id)?.document.as_mut() {
            document.failure = Some(reason.to_owned());
        }
        Ok(())
    }

    /// Signature says that the document is sealed. A repeat changes nothing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn sealed(&mut self, id: Uuid, issued_document_id: Uuid) -> Result<(), WorkError> {
        let now = self.now;
        let line = self.line_mut(id)?;
        let Some(document) = line.document.as_mut() else {
            return Ok(());
        };
        document.sealed = true;
        document.again = None;
        document.issued_document_id = Some(issued_document_id);
        let officer = document.prepared_by;
        if line.state != LineState::InProduction {
            return Ok(());
        }
        // The seal came before the withdrawal: the line goes on.
        if line.withdrawing.take().is_some() {
            line.answer = None;
        }
        let production = Production {
            produced_at: now,
            looked_by: None,
            signed_by: Some(officer),
        };
        self.produce(id, production)
    }

    /// Records that the document was made.
    ///
    /// # Errors
    /// [`WorkError::Step`], [`WorkError::Prepared`] for a document that is being sealed.
    pub fn produce_by_hand(&mut self, id: Uuid, production: Production) -> Result<(), WorkError> {
        self.check_other(id, production.looked_by)?;
        self.check_other(id, production.signed_by)?;
        let line = self.line(id)?;
        if line.state == LineState::InProduction && line.is_deposited() {
            return Err(WorkError::Prepared(id));
        }
        if line.waits_for_office() {
            self.check_entitled(id, Path::Paper)?;
        }
        self.produce(id, production)
    }

    fn produce(&mut self, id: Uuid, production: Production) -> Result<(), WorkError> {
        let together = self.calendar.deadline(self.now, self.terms.together_working_days);
        let line = self.step(id, Step::Produce)?;
        line.production = Some(production);
        line.deadline = Some(together);
        let office_id = line.office_id;
        self.facts.push(Fact::Produced { line: id });
        self.pack(office_id);
        Ok(())
    }

    /// The citizen is asked to correct what could not be found, or differs.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn request_correction(&mut self, id: Uuid, answer: Answer) -> Result<(), WorkError> {
        let line = self.line(id)?;
        if line.state == LineState::InProduction && line.is_deposited() {
            return Err(WorkError::Prepared(id));
        }
        let deadline = self.now + self.terms.correction;
        let line = self.step(id, Step::RequestCorrection)?;
        line.deadline = Some(deadline);
        line.answer = Some(answer);
        line.path = None;
        line.document = None;
        self.facts.push(Fact::CorrectionRequested { line: id });
        Ok(())
    }

    /// The citizen corrects.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn correct(&mut self, id: Uuid, correction: Correction) -> Result<(), WorkError> {
        let days = self.line(id)?.production_days;
        let deadline = self.calendar.deadline(self.now, days);
        let before = self.line(id)?.office_id;
        let line = self.step(id, Step::Correct)?;
        line.deadline = Some(deadline);
        line.clue = correction.clue;
        line.act_id = correction.act_id;
        line.confirmed_act = None;
        line.proof = correction.proof;
        line.evidence_ids = correction.evidence_ids;
        line.answer = None;
        if line.office_id != correction.office_id {
            line.office_id = correction.office_id;
            line.assigned_to = None;
        }
        self.facts.push(Fact::Corrected { line: id });
        // The office it was taken away from may have nothing more to wait for.
        self.pack(before);
        Ok(())
    }

    /// The office refuses; the money goes back, once a document at signature is withdrawn.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn refuse(&mut self, id: Uuid, answer: Answer) -> Result<(), WorkError> {
        let line = self.line(id)?;
        if line.withdrawing.is_some() {
            return Err(WorkError::Withdrawing(id));
        }
        if line.state == LineState::InProduction && line.is_deposited() {
            self.line_mut(id)?.answer = Some(answer);
            return self.withdraw(id, EndReason::Refused);
        }
        self.refund(id, Step::Refuse, EndReason::Refused)?;
        self.line_mut(id)?.answer = Some(answer);
        self.facts.push(Fact::Refused { line: id });
        Ok(())
    }

    /// Signature has taken the document back.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn withdrawn(&mut self, id: Uuid) -> Result<(), WorkError> {
        let line = self.line_mut(id)?;
        if line.state != LineState::InProduction {
            return Ok(());
        }
        let Some(reason) = line.withdrawing else {
            if let Some(document) = line.document.as_mut()
                && let Some(again) = document.again.take()
            {
                *document = document.drawn_again(again);
                self.ask(OutwardKind::DepositDocument, id);
            }
            return Ok(());
        };
        match reason {
            EndReason::Refused => {
                self.refund(id, Step::Refuse, reason)?;
                self.facts.push(Fact::Refused { line: id });
            }
            _ => {
                self.refund(id, Step::Overdue, reason)?;
                self.facts.push(Fact::Refunding {
                    lines: vec![id],
                    reason,
                });
            }
        }
        Ok(())
    }

    /// Signature has sealed it already: its event follows.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn withdrawal_refused(&mut self, id: Uuid) -> Result<(), WorkError> {
        let line = self.line_mut(id)?;
        if line.withdrawing.take().is_some() {
            line.answer = None;
        }
        if let Some(document) = line.document.as_mut() {
            document.again = None;
        }
        Ok(())
    }

    /// Another office holds the register now: it works on the line.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn move_to(&mut self, id: Uuid, office_id: Uuid) -> Result<(), WorkError> {
        let line = self.line_mut(id)?;
        let before = line.office_id;
        if before == office_id || !matches!(line.state, LineState::Paid | LineState::ToCorrect) {
            return Ok(());
        }
        line.office_id = office_id;
        line.assigned_to = None;
        self.facts.push(Fact::Assigned { lines: vec![id] });
        // The office it was taken away from may have nothing more to wait for.
        self.pack(before);
        Ok(())
    }

    fn at_work(&self, id: Uuid, step: Step) -> Result<&Line, WorkError> {
        let line = self.line(id)?;
        if line.waits_for_office() {
            return Ok(line);
        }
        let error = crate::domain::order::line::StepError {
            state: line.state,
            step,
        };
        Err(error.into())
    }
}

/// An answer of the office.
pub fn answer(reason_code: &str, text: &str, at: DateTime<Utc>) -> Answer {
    Answer {
        reason_code: reason_code.to_owned(),
        text: text.to_owned(),
        at,
    }
}
