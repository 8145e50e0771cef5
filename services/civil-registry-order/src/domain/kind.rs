//! Kinds of document that can be ordered. Data alone makes a kind.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::domain::act_key::RegisterKind;
use crate::domain::order::line::Line;
use crate::domain::words::words;

words! {
    /// In what relation the applicant stands to the person of the act.
    pub enum Relation {
        Oneself = "ONESELF",
        Parent = "PARENT",
        Child = "CHILD",
        Spouse = "SPOUSE",
        Guardian = "GUARDIAN",
        Mandataire = "MANDATAIRE",
    }
}

words! {
    /// How the relation is known.
    pub enum Proof {
        Declared = "DECLARED",
        Acts = "ACTS",
        Evidence = "EVIDENCE",
        Checked = "CHECKED",
    }
}

words! {
    /// Language of a document.
    pub enum Language {
        Arabic = "ARABIC",
        French = "FRENCH",
        Bilingual = "BILINGUAL",
    }
}

words! {
    /// Form of a document: what of the act it says.
    pub enum Form {
        Extract = "EXTRACT",
        FullCopy = "FULL_COPY",
    }
}

words! {
    /// Which office works on it.
    pub enum Routing {
        /// The one that holds the register.
        OfficeOfRegistration = "OFFICE_OF_REGISTRATION",
        /// Any that takes orders, as the applicant chooses; the act is one of the office that its key names all the same.
        ChosenOffice = "CHOSEN_OFFICE",
    }
}

impl Routing {
    /// Whether the office of a line makes documents of an act: by the office of registration of the act, and the one that holds its
    /// register today.
    pub fn reaches(self, line: &Line, registered_at: Uuid, holder: Uuid) -> bool {
        match self {
            Self::OfficeOfRegistration => holder == line.office_id,
            Self::ChosenOffice => registered_at == line.clue.office_id,
        }
    }
}

words! {
    /// How a digitised document becomes authentic.
    pub enum SealMode {
        OfficerKey = "OFFICER_KEY",
        ElectronicSeal = "ELECTRONIC_SEAL",
        ByHand = "BY_HAND",
    }
}

/// What a template draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    pub register: RegisterKind,
    pub form: Form,
    /// In both languages on one page; each alone is always there.
    pub bilingual: bool,
}

impl Drawn {
    /// The languages in which it is drawn.
    pub fn languages(self) -> impl Iterator<Item = Language> {
        let bilingual = self.bilingual.then_some(Language::Bilingual);
        [Language::Arabic, Language::French].into_iter().chain(bilingual)
    }
}

/// A kind of document, from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentKind {
    pub id: Uuid,
    /// Lower case and hyphens.
    pub code: String,
    pub register: RegisterKind,
    pub name_ar: String,
    pub name_fr: String,
    pub name_en: String,
    pub form: Form,
    pub routing: Routing,
    pub relations: Vec<Relation>,
    /// Relations that need evidence unless the acts prove them.
    pub relations_with_evidence: Vec<Relation>,
    pub languages: Vec<Language>,
    /// Name of a template that has a version in force.
    pub template: String,
    pub issuing_administration_ar: String,
    pub issuing_administration_fr: String,
    pub seal_mode: SealMode,
    pub production_working_days: i16,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
}

/// The versions in force on a day, one a code: the newest that has begun, unless it has ended.
pub fn in_force(kinds: Vec<DocumentKind>, day: NaiveDate) -> Vec<DocumentKind> {
    let mut newest: Vec<DocumentKind> = Vec::new();
    for kind in kinds.into_iter().filter(|kind| kind.valid_from <= day) {
        match newest.iter_mut().find(|known| known.code == kind.code) {
            Some(known) if known.valid_from < kind.valid_from => *known = kind,
            Some(_) => {}
            None => newest.push(kind),
        }
    }
    newest.retain(|kind| kind.valid_to.is_none_or(|last| day <= last));
    newest.sort_by(|one, other| one.code.cmp(&other.code));
    newest
}
