//! Intake: the rules stand in `wathiq-pades`; this says their outcome in the words of the domain.

use wathiq_pades::intake::{self, Intake, Limits, Refusal};

use crate::domain::document::{Accepted, ExistingSignature, Inspection, IntakeRefusal, PageSize, SealPolicy};
use crate::pdf::job::Answer;

pub(super) fn inspect(file: &[u8]) -> Answer {
    Answer::Inspected(match intake::inspect(file, &Limits::default()) {
        Ok(intake) => Inspection::Accepted(accepted(intake)),
        Err(refusal) => Inspection::Refused(refused(&refusal)),
    })
}

/// What intake says, for the jobs that work on accepted files.
pub(super) fn intake(file: &[u8]) -> Result<Intake, Answer> {
    intake::inspect(file, &Limits::default()).map_err(|refusal| Answer::Refused(refused(&refusal)))
}

fn accepted(intake: Intake) -> Accepted {
    let size = |page: &wathiq_pades::place::PageInfo| {
        let (width, height) = page.shown_size();
        PageSize { width, height }
    };
    Accepted {
        pages: intake.pages.iter().map(size).collect(),
        existing_signatures: intake
            .signatures
            .into_iter()
            .map(|signature| ExistingSignature {
                field_name: signature.field,
                certification_level: signature.certification.unwrap_or(0),
            })
            .collect(),
        policy: policy(intake.policy),
    }
}

fn policy(policy: intake::SealPolicy) -> SealPolicy {
    match policy {
        intake::SealPolicy::Unsigned => SealPolicy::Unsigned,
        intake::SealPolicy::Approval => SealPolicy::VisibleField,
        intake::SealPolicy::Certified {
            empty_field: Some(name),
            ..
        } => SealPolicy::ExistingField { name },
        intake::SealPolicy::Certified {
            empty_field: None, ..
        } => SealPolicy::InvisibleField,
    }
}

fn refused(refusal: &Refusal) -> IntakeRefusal {
    let data: Vec<String> = refusal
        .data
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    IntakeRefusal {
        reason: refusal.reason.code().to_owned(),
        object_number: refusal.object,
        detail: data.join(", "),
    }
}
