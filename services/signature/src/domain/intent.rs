//! An officer's intent to seal, and how far the work on its files has come.
//!
//! A file goes FROZEN → PREPARED → SIGNED → FINISHED. From FROZEN and SIGNED a job goes on by itself, because nothing more
//! is asked of the officer there: preparing is a function of the recipe, and finishing needs a time-stamp but no key. From
//! PREPARED only the officer leads on, with a confirmation of the digest and the key's PIN.
//!
//! The separate legalisation page names the finished document, so it is frozen when the document is finished and then goes
//! the same way: the officer confirms and signs it in a second act.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::domain::commitment::Salt;
use crate::domain::fact::RegisterNumber;
use crate::domain::recipe::{Page, Recipe};
use crate::domain::seal_facts::SealedFileKind;
use crate::domain::verification_code::VerificationCode;

/// Where an intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentState {
    Open,
    Sealed,
    Annulled,
}

impl IntentState {
    const ALL: [Self; 3] = [Self::Open, Self::Sealed, Self::Annulled];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Sealed => "SEALED",
            Self::Annulled => "ANNULLED",
        }
    }

    /// Reads [`IntentState::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A file with a hole for its signature, stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    pub object_key: String,
    /// Offset and length before the hole, then after it.
    pub byte_range: [u64; 4],
    /// SHA-256 over the byte range: what the officer confirms and the key signs.
    pub digest: [u8; 32],
    pub contents_offset: usize,
    /// Hexadecimal digits of the hole.
    pub contents_len: usize,
    pub prepared_at: DateTime<Utc>,
}

/// The key's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The confirmation that bound the officer to the digest.
    pub confirmation_id: Uuid,
    pub signature_value: Vec<u8>,
    pub signed_at: DateTime<Utc>,
}

/// How far a file has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    Frozen,
    Prepared(Prepared),
    Signed(Prepared, Signed),
    Finished(Prepared, Signed, DateTime<Utc>),
}

/// Why a file whose key has signed is not finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// The time-stamp authority does not answer, or not with a time-stamp of the signature.
    TimeStampMissing,
    /// Its time-stamp would not be trusted: the authority's certificate, or the time it states.
    TimeStampUntrusted,
    /// Nobody can tell now whether a certificate is revoked.
    RevocationUnknown,
    /// What was signed cannot become a valid seal any more: the prepared file is lost, the certificate was revoked before.
    Unfinishable,
}

impl Hindrance {
    const ALL: [Self; 4] = [
        Self::TimeStampMissing,
        Self::TimeStampUntrusted,
        Self::RevocationUnknown,
        Self::Unfinishable,
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TimeStampMissing => "TIME_STAMP_MISSING",
            Self::TimeStampUntrusted => "TIME_STAMP_UNTRUSTED",
            Self::RevocationUnknown => "REVOCATION_UNKNOWN",
            Self::Unfinishable => "UNFINISHABLE",
        }
    }

    /// Reads [`Hindrance::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hindrance| hindrance.as_str() == text)
    }

    /// What the seal waits for, for people and programs.
    pub fn progress(self) -> &'static str {
        match self {
            Self::TimeStampMissing => "WAITING_FOR_TIME_STAMP",
            Self::TimeStampUntrusted => "WAITING_FOR_TRUSTED_TIME_STAMP",
            Self::RevocationUnknown => "WAITING_FOR_REVOCATION_DATA",
            Self::Unfinishable => "CANNOT_BE_FINISHED",
        }
    }
}

/// The work on one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealFile {
    pub kind: SealedFileKind,
    pub phase: Phase,
    /// What the last try to finish met.
    pub hindrance: Option<Hindrance>,
    /// How often the job has taken up the step that leads on from here.
    pub attempts: i32,
}

/// From so many attempts on, the people concerned hear that preparing does not succeed.
const PREPARATION_ATTEMPTS: i32 = 3;

impl SealFile {
    /// What stands in the prepared file, from PREPARED on.
    pub fn prepared(&self) -> Option<&Prepared> {
        match &self.phase {
            Phase::Frozen => None,
            Phase::Prepared(prepared) | Phase::Signed(prepared, _) | Phase::Finished(prepared, _, _) => {
                Some(prepared)
            }
        }
    }

    /// The key's answer, from SIGNED on.
    pub fn signed(&self) -> Option<&Signed> {
        match &self.phase {
            Phase::Frozen | Phase::Prepared(_) => None,
            Phase::Signed(_, signed) | Phase::Finished(_, signed, _) => Some(signed),
        }
    }
}

/// An intent to seal. All that the bytes depend on is frozen in it.
#[derive(Debug, Clone, PartialEq)]
pub struct SealIntent {
    pub id: Uuid,
    pub request_id: Uuid,
    pub office_id: Uuid,
    pub officer_id: Uuid,
    pub agent_id: Uuid,
    pub applicant_id: Uuid,
    pub credential_id: Uuid,
    pub state: IntentState,
    pub register: RegisterNumber,
    /// Civil date of the intent in Africa/Casablanca.
    pub date: NaiveDate,
    pub code: VerificationCode,
    pub salt: Salt,
    pub recipe: Recipe,
    /// For a document that already carried signatures.
    pub page_recipe: Option<Recipe>,
    pub created_at: DateTime<Utc>,
    /// The document first, then the separate page once the document is finished.
    pub files: Vec<SealFile>,
}

/// Why a step on an intent is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    #[error("the intent is sealed or annulled")]
    Ended,
    #[error("the file to be sealed is not prepared yet")]
    NotPrepared,
    #[error("the key has already signed")]
    Signed,
    #[error("whoever asked for the legalisation does not end its seal")]
    FourEyes,
}

impl SealIntent {
    /// The file that is worked on: the first that is not finished.
    pub fn current(&self) -> Option<&SealFile> {
        self.files
            .iter()
            .find(|file| !matches!(file.phase, Phase::Finished(..)))
    }

    /// The work on a kind of file.
    pub fn file(&self, kind: SealedFileKind) -> Option<&SealFile> {
        self.files.iter().find(|file| file.kind == kind)
    }

    /// The recipe of a kind of file.
    pub fn recipe_of(&self, kind: SealedFileKind) -> Option<&Recipe> {
        match kind {
            SealedFileKind::Document => Some(&self.recipe),
            SealedFileKind::LegalisationPage => self.page_recipe.as_ref(),
        }
    }

    /// What the officer is asked to confirm now.
    ///
    /// # Errors
    /// [`IntentError`] when nothing is.
    pub fn to_confirm(&self) -> Result<(SealedFileKind, &Prepared), IntentError> {
        if self.state != IntentState::Open {
            return Err(IntentError::Ended);
        }
        match self.current() {
            Some(SealFile {
                kind,
                phase: Phase::Prepared(prepared),
                ..
            }) => Ok((*kind, prepared)),
            Some(SealFile {
                phase: Phase::Frozen, ..
            }) => Err(IntentError::NotPrepared),
            Some(_) | None => Err(IntentError::Signed),
        }
    }

    /// Whether a person may give the intent up. Not the applicant, whatever role they hold; and not while a signature value
    /// waits for its time-stamp, because that seal will be finished without the officer: only once it is known that it
    /// cannot.
    ///
    /// # Errors
    /// [`IntentError`] when they may not.
    pub fn may_annul(&self, person_id: Uuid) -> Result<(), IntentError> {
        if person_id == self.applicant_id {
            return Err(IntentError::FourEyes);
        }
        if self.state != IntentState::Open {
            return Err(IntentError::Ended);
        }
        match self.current() {
            Some(SealFile {
                phase: Phase::Frozen | Phase::Prepared(_),
                ..
            })
            | Some(SealFile {
                phase: Phase::Signed(..),
                hindrance: Some(Hindrance::Unfinishable),
                ..
            }) => Ok(()),
            _ => Err(IntentError::Signed),
        }
    }

    /// What happens next, for people and programs.
    pub fn progress(&self) -> Option<&'static str> {
        if self.state != IntentState::Open {
            return None;
        }
        let file = self.current()?;
        Some(match (&file.phase, file.kind) {
            (Phase::Frozen, _) if file.attempts >= PREPARATION_ATTEMPTS => "PREPARATION_FAILED",
            (Phase::Frozen, _) => "PREPARING",
            (Phase::Prepared(_), SealedFileKind::Document) => "WAITING_FOR_OFFICER",
            (Phase::Prepared(_), SealedFileKind::LegalisationPage) => "WAITING_FOR_PAGE_SIGNATURE",
            _ => file.hindrance.unwrap_or(Hindrance::TimeStampMissing).progress(),
        })
    }

    /// Whether the document finished just now is the last file of the intent.
    pub fn completes_with(&self, kind: SealedFileKind) -> bool {
        kind == SealedFileKind::LegalisationPage || self.page_recipe.is_none()
    }

    /// The page's recipe with the finished document written into it; none where the page is part of the document.
    pub fn page_naming(&self, document_sha256: &[u8; 32]) -> Option<Recipe> {
        let mut recipe = self.page_recipe.clone()?;
        if let Some(Page { data, .. }) = &mut recipe.page {
            data["accompanies"] =
                serde_json::json!({ "sha256": data_encoding::HEXLOWER.encode(document_sha256) });
        }
        Some(recipe)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::recipe::Field;

    const OFFICER: Uuid = Uuid::from_u128(1);
    const APPLICANT: Uuid = Uuid::from_u128(3);

    fn recipe() -> Recipe {
        Recipe {
            mark: None,
            page: Some(Page {
                template: "t".to_owned(),
                data: json!({ "accompanies": null }),
                qr_text: String::new(),
                created_at: DateTime::UNIX_EPOCH,
                identifier: String::new(),
            }),
            field: Field::Invisible { name: "f".to_owned() },
            signing_time: DateTime::UNIX_EPOCH.fixed_offset(),
            reason: String::new(),
            location: String::new(),
            signer_name: String::new(),
            id_seed: [0; 16],
            contents_capacity: 1,
        }
    }

    fn prepared() -> Prepared {
        Prepared {
            object_key: "prepared".to_owned(),
            byte_range: [0, 1, 2, 3],
            digest: [1; 32],
            contents_offset: 1,
            contents_len: 2,
            prepared_at: DateTime::UNIX_EPOCH,
        }
    }

    fn signed() -> Signed {
        Signed {
            confirmation_id: Uuid::nil(),
            signature_value: vec![1],
            signed_at: DateTime::UNIX_EPOCH,
        }
    }

    fn phases() -> [Phase; 4] {
        [
            Phase::Frozen,
            Phase::Prepared(prepared()),
            Phase::Signed(prepared(), signed()),
            Phase::Finished(prepared(), signed(), DateTime::UNIX_EPOCH),
        ]
    }

    fn intent(state: IntentState, separate: bool, phases: Vec<Phase>) -> SealIntent {
        let kinds = [SealedFileKind::Document, SealedFileKind::LegalisationPage];
        SealIntent {
            id: Uuid::nil(),
            request_id: Uuid::nil(),
            office_id: Uuid::nil(),
            officer_id: OFFICER,
            agent_id: Uuid::from_u128(2),
            applicant_id: APPLICANT,
            credential_id: Uuid::nil(),
            state,
            register: RegisterNumber {
                year: 2026,
                number: 1,
            },
            date: NaiveDate::from_ymd_opt(2026, 11, 22).unwrap(),
            code: VerificationCode::from_random([0; 8]),
            salt: Salt([0; 32]),
            recipe: recipe(),
            page_recipe: separate.then(recipe),
            created_at: DateTime::UNIX_EPOCH,
            files: kinds
                .into_iter()
                .zip(phases)
                .map(|(kind, phase)| SealFile {
                    kind,
                    phase,
                    hindrance: None,
                    attempts: 0,
                })
                .collect(),
        }
    }

    /// Phase of the file worked on: whether the officer may confirm it, whether the intent may be given up, what it waits for.
    #[test]
    fn what_each_phase_allows() {
        let expected = [
            (Some(IntentError::NotPrepared), true, Some("PREPARING")),
            (None, true, Some("WAITING_FOR_OFFICER")),
            (Some(IntentError::Signed), false, Some("WAITING_FOR_TIME_STAMP")),
            (Some(IntentError::Signed), false, None),
        ];
        for (phase, (confirm, annul, progress)) in phases().into_iter().zip(expected) {
            let open = intent(IntentState::Open, false, vec![phase.clone()]);
            assert_eq!(open.to_confirm().err(), confirm, "{phase:?}");
            assert_eq!(open.may_annul(OFFICER).is_ok(), annul, "{phase:?}");
            assert_eq!(open.progress(), progress, "{phase:?}");
            for ended in [IntentState::Sealed, IntentState::Annulled] {
                let ended = intent(ended, false, vec![phase.clone()]);
                assert_eq!(ended.to_confirm().err(), Some(IntentError::Ended));
                assert_eq!(ended.may_annul(OFFICER), Err(IntentError::Ended));
                assert_eq!(ended.progress(), None);
            }
        }
    }

    #[test]
    fn a_signed_file_is_given_up_only_where_it_cannot_be_finished() {
        for hindrance in Hindrance::ALL {
            let mut open = intent(
                IntentState::Open,
                false,
                vec![Phase::Signed(prepared(), signed())],
            );
            open.files[0].hindrance = Some(hindrance);
            let lost = hindrance == Hindrance::Unfinishable;
            assert_eq!(open.may_annul(OFFICER).is_ok(), lost, "{hindrance:?}");
            assert_eq!(open.progress(), Some(hindrance.progress()));
            assert_eq!(open.may_annul(APPLICANT), Err(IntentError::FourEyes));
            assert_eq!(Hindrance::parse(hindrance.as_str()), Some(hindrance));
        }
    }

    /// It is still tried, and the officer may give it up.
    #[test]
    fn preparing_that_does_not_succeed_is_told() {
        let mut intent = intent(IntentState::Open, false, vec![Phase::Frozen]);
        intent.files[0].attempts = PREPARATION_ATTEMPTS - 1;
        assert_eq!(intent.progress(), Some("PREPARING"));
        intent.files[0].attempts = PREPARATION_ATTEMPTS;
        assert_eq!(intent.progress(), Some("PREPARATION_FAILED"));
        assert_eq!(intent.may_annul(OFFICER), Ok(()));
    }

    #[test]
    fn the_separate_page_follows_the_finished_document() {
        let [.., finished] = phases();
        for (phase, progress) in phases().into_iter().zip([
            "PREPARING",
            "WAITING_FOR_PAGE_SIGNATURE",
            "WAITING_FOR_TIME_STAMP",
        ]) {
            let second = intent(IntentState::Open, true, vec![finished.clone(), phase]);
            assert_eq!(second.progress(), Some(progress));
            assert_eq!(
                second.current().map(|file| file.kind),
                Some(SealedFileKind::LegalisationPage)
            );
        }
        let separate = intent(IntentState::Open, true, vec![Phase::Frozen]);
        assert!(!separate.completes_with(SealedFileKind::Document));
        assert!(separate.completes_with(SealedFileKind::LegalisationPage));
        let named = separate
            .page_naming(&[0xab; 32])
            .and_then(|recipe| recipe.page)
            .unwrap();
        assert_eq!(named.data["accompanies"]["sha256"], "ab".repeat(32));
        assert!(
            intent(IntentState::Open, false, vec![Phase::Frozen])
                .page_naming(&[0; 32])
                .is_none()
        );
    }

    #[test]
    fn what_names_people_does_not_print() {
        let mut named = recipe();
        named.signer_name = "Rachid Amrani".to_owned();
        assert!(!format!("{named:?}").contains("Amrani"));
    }
}
