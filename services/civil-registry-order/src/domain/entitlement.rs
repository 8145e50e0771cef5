//! Who may have an act, and how that is known (law 37-99 and its decree: the person, ascendants, descendants, spouse, guardian or legal
//! representative, mandataire with a power of attorney).

use chrono::NaiveDate;

use crate::domain::act::{Act, Note, NoteKind, Parent};
use crate::domain::clue::{self, Clue};
use crate::domain::comparison::{differences, name_of};
use crate::domain::fold::Script;
use crate::domain::kind::{DocumentKind, Proof, Relation};
use crate::domain::order::line::Line;
use crate::domain::person::{Applicant, FullName};
use crate::domain::same_name::mentions;
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

/// The digitised acts that can prove a relation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Acts<'a> {
    /// The one that is ordered.
    pub ordered: Option<&'a Act>,
    /// The applicant's own act of birth.
    pub own: Option<&'a Act>,
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
    acts: Acts<'_>,
    has_evidence: bool,
) -> Result<Proof, EntitlementError> {
    if !kind.relations.contains(&relation) {
        return Err(EntitlementError::Relation);
    }
    if relation == Relation::Oneself && !may_be(applicant, clue) {
        return Err(EntitlementError::NotOneself);
    }
    if acts_prove(relation, applicant, clue, acts) {
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

/// What the act that an office names for a line proves; what was proved by the applicant's own act stays.
pub fn proof_by(applicant: &Applicant, line: &Line, act: &Act) -> Proof {
    if line.act_id == Some(act.id) {
        return line.proof;
    }
    let acts = Acts {
        ordered: Some(act),
        own: None,
    };
    let by_own = line.relation == Relation::Child
        && line.proof == Proof::Acts
        && differences(&line.clue, act).is_empty();
    if by_own || acts_prove(line.relation, applicant, &line.clue, acts) {
        Proof::Acts
    } else if line.evidence_ids.is_empty() {
        Proof::Declared
    } else {
        Proof::Evidence
    }
}

/// Relations that only the applicant's own act can prove.
pub fn asks_own_act(relation: Relation) -> bool {
    matches!(relation, Relation::Child | Relation::Spouse)
}

/// Whether the act that is asked for may be the applicant's own. Names in different scripts cannot be compared.
fn may_be(applicant: &Applicant, clue: &Clue) -> bool {
    let name = !applicant.name.shares_script(&clue.person) || applicant.name.is_same(&clue.person);
    let birth = match (applicant.birth_date, clue.birth_date) {
        (Some(known), Some(told)) => told.admits(known),
        _ => true,
    };
    name && birth
}

/// Acts prove nothing of somebody who only says who they are, nor where the act ordered is not the one described.
fn acts_prove(relation: Relation, applicant: &Applicant, clue: &Clue, acts: Acts<'_>) -> bool {
    let contradicts = acts.ordered.is_some_and(|act| !differences(clue, act).is_empty());
    if !applicant.proved || contradicts {
        return false;
    }
    match relation {
        Relation::Oneself => acts.ordered.is_some_and(|act| is_of(act, applicant)),
        Relation::Parent => acts.ordered.is_some_and(|act| {
            let born = applicant.birth_date;
            names_parent(act, &applicant.name, born)
        }),
        Relation::Child => acts.own.is_some_and(|own| {
            let born = clue.birth_date.and_then(clue::PartialDate::whole);
            names_parent(own, &clue.person, born)
        }),
        Relation::Spouse => acts.ordered.zip(acts.own).is_some_and(|(ordered, own)| {
            is_married_to(ordered, &applicant.name) && is_married_to(own, &clue.person)
        }),
        // No act names representatives.
        Relation::Guardian | Relation::Mandataire => false,
    }
}

/// Whether it is the applicant's own act: the same name and the same day of birth, as first drawn up or as its notes have made them.
pub fn is_of(act: &Act, applicant: &Applicant) -> bool {
    act.known_as().any(|known| {
        is_day(known.birth_date, applicant.birth_date)
            && name_of(&known.given_name, &known.family_name).is_same(&applicant.name)
    })
}

fn is_day(written: Option<PartialDate>, day: Option<NaiveDate>) -> bool {
    day.is_some() && written.and_then(PartialDate::full) == day
}

/// Whether the act names this person as father or mother, with the day of birth.
fn names_parent(act: &Act, name: &FullName, born: Option<NaiveDate>) -> bool {
    let is = |parent: &Parent| {
        is_day(parent.birth_date.gregorian, born)
            && name_of(&parent.given_name, &parent.family_name).is_same(name)
    };
    is(&act.content.father) || is(&act.content.mother)
}

/// Whether the last marriage in the margin is with this person, and no divorce follows.
fn is_married_to(act: &Act, name: &FullName) -> bool {
    let last = act
        .notes
        .iter()
        .rfind(|note| matches!(note.draft.kind, NoteKind::Marriage | NoteKind::Divorce));
    last.is_some_and(|note| note.draft.kind == NoteKind::Marriage && note_names(note, name))
}

fn note_names(note: &Note, name: &FullName) -> bool {
    let compared = Script::ALL.into_iter().filter_map(|script| {
        let text = match script {
            Script::Latin => &note.draft.text.latin,
            Script::Arabic => &note.draft.text.arabic,
        };
        let (given, family) = name.in_script(script)?;
        (!text.is_empty()).then(|| mentions(script, text, &format!("{given} {family}")))
    });
    compared.reduce(|one, other| one && other).unwrap_or(false)
}

#[cfg(test)]
mod tests;
