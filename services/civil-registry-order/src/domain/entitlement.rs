//! Who may have an act, and how that is known (law 37-99 and its decree: the person, ascendants, descendants, spouse, guardian or legal
//! representative, mandataire with a power of attorney).

use crate::domain::act::{Act, Bilingual};
use crate::domain::clue::Clue;
use crate::domain::kind::{DocumentKind, Proof, Relation};
use crate::domain::person::{Applicant, FullName};
use crate::domain::written_date::PartialDate;

/// Why an applicant does not get an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntitlementError {
    #[error("this kind of document is not given in this relation")]
    Relation,
    #[error("the act is another person's: name the relation to that person")]
    NotOneself,
    #[error("attach evidence of the relation, such as a power of attorney or the family booklet")]
    EvidenceNeeded,
}

impl EntitlementError {
    /// The stable code.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Relation | Self::NotOneself => "NOT_ENTITLED",
            Self::EvidenceNeeded => "EVIDENCE_REQUIRED",
        }
    }
}

/// How the relation of the applicant to the person of an act is known. An act that is not digitised, or that differs, refuses nobody: the office
/// decides, having looked in the register.
///
/// # Errors
/// [`EntitlementError`].
pub fn decide(
    kind: &DocumentKind,
    relation: Relation,
    applicant: &Applicant,
    clue: &Clue,
    act: Option<&Act>,
    has_evidence: bool,
) -> Result<Proof, EntitlementError> {
    if !kind.relations.contains(&relation) {
        return Err(EntitlementError::Relation);
    }
    if relation == Relation::Oneself && !may_be(applicant, clue) {
        return Err(EntitlementError::NotOneself);
    }
    if act.is_some_and(|act| act_proves(act, relation, applicant)) {
        return Ok(Proof::Acts);
    }
    if has_evidence {
        return Ok(Proof::Evidence);
    }
    if kind.relations_with_evidence.contains(&relation) {
        return Err(EntitlementError::EvidenceNeeded);
    }
    Ok(Proof::Declared)
}

/// Whether the act that is asked for may be the applicant's own.
fn may_be(applicant: &Applicant, clue: &Clue) -> bool {
    let name = clue.person.is_empty()
        || share_no_script(&applicant.name, &clue.person)
        || applicant.name.is_like(&clue.person);
    let birth = match (applicant.birth_date, clue.birth_date) {
        (Some(known), Some(told)) => told.admits(known),
        _ => true,
    };
    name && birth
}

/// Names in different scripts cannot be compared.
fn share_no_script(one: &FullName, other: &FullName) -> bool {
    let latin = !one.latin().is_empty() && !other.latin().is_empty();
    let arabic = !one.arabic().is_empty() && !other.arabic().is_empty();
    !latin && !arabic
}

fn act_proves(act: &Act, relation: Relation, applicant: &Applicant) -> bool {
    let content = &act.content;
    match relation {
        Relation::Oneself => {
            let born = content.birth_date.gregorian.and_then(PartialDate::full);
            born.is_some()
                && born == applicant.birth_date
                && name_of(&content.given_name, &content.family_name).is_like(&applicant.name)
        }
        Relation::Parent => [&content.father, &content.mother]
            .iter()
            .any(|parent| name_of(&parent.given_name, &parent.family_name).is_like(&applicant.name)),
        // The act itself names no children, spouses or representatives.
        Relation::Child | Relation::Spouse | Relation::Guardian | Relation::Mandataire => false,
    }
}

fn name_of(given: &Bilingual, family: &Bilingual) -> FullName {
    FullName {
        given_latin: given.latin.clone(),
        family_latin: family.latin.clone(),
        given_arabic: given.arabic.clone(),
        family_arabic: family.arabic.clone(),
    }
}
