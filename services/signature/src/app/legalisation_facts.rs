//! What the public may know of a sealed legalisation, once they hold its code or its file.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::AppError;
use crate::domain::fact::RegisterNumber;
use crate::domain::intent::SealIntent;
use crate::domain::person::Signer;
use crate::domain::register::EntryState;
use crate::domain::revision::SealedRevision;
use crate::domain::seal_facts::SealedFileKind;
use crate::domain::state::State;
use crate::store::{StoreError, intents, register, requests, revisions};

/// The legalisation behind a code or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalisationFacts {
    pub request_id: Uuid,
    /// As printed.
    pub verification_code: String,
    pub state: State,
    pub office_name_ar: String,
    pub office_name_fr: String,
    pub register: RegisterNumber,
    pub register_state: EntryState,
    pub sealed_at: Option<DateTime<Utc>>,
    pub officer_name: String,
    /// Initials and family name: enough to recognise a person one knows of.
    pub signer_name_latin: String,
    pub signer_name_arabic: String,
    pub document_kind: String,
    pub confirmation_method: String,
    pub confirmed_at: Option<DateTime<Utc>>,
    pub specimen_version: Option<i32>,
    pub revisions: Vec<SealedRevision>,
}

impl LegalisationFacts {
    /// The revisions of one of the files, in order.
    pub fn of_kind(&self, kind: SealedFileKind) -> impl DoubleEndedIterator<Item = &SealedRevision> {
        self.revisions
            .iter()
            .filter(move |revision| revision.kind == kind)
    }

    /// The newest revision of a file.
    pub fn latest(&self, kind: SealedFileKind) -> Option<&SealedRevision> {
        self.of_kind(kind).next_back()
    }
}

/// Reads the facts of an intent.
///
/// # Errors
/// [`AppError::Store`].
pub(super) async fn of_intent(
    conn: &mut PgConnection,
    intent_id: Uuid,
) -> Result<LegalisationFacts, AppError> {
    let missing = |column| StoreError::Inconsistent {
        table: "seal_intent",
        column,
        id: intent_id,
    };
    let intent = intents::find(conn, intent_id).await?.ok_or(missing("id"))?;
    let request = requests::find(conn, intent.request_id)
        .await?
        .ok_or(missing("request_id"))?;
    let entry = register::of_intent(conn, intent_id)
        .await?
        .ok_or(missing("register_number"))?;
    let revisions = revisions::of_intent(conn, intent_id).await?;
    let confirmation = request.confirmation.as_ref();
    let signer = confirmation.map(|confirmation| &confirmation.signer);
    let (office_name_ar, office_name_fr) = office_names(&intent);
    Ok(LegalisationFacts {
        request_id: request.id,
        verification_code: intent.code.grouped(),
        state: request.state,
        office_name_ar,
        office_name_fr,
        register: intent.register,
        register_state: entry.state,
        sealed_at: request
            .seal
            .as_ref()
            .filter(|seal| seal.intent_id == intent_id)
            .and_then(|seal| seal.sealed_at),
        officer_name: intent.recipe.signer_name.clone(),
        signer_name_latin: signer.map(latin_initials).unwrap_or_default(),
        signer_name_arabic: signer.map(arabic_initials).unwrap_or_default(),
        document_kind: request.opening.kind.clone(),
        confirmation_method: confirmation
            .map(|confirmation| confirmation.method.clone())
            .unwrap_or_default(),
        confirmed_at: confirmation.map(|confirmation| confirmation.confirmed_at),
        specimen_version: request
            .comparison
            .as_ref()
            .map(|comparison| comparison.specimen_version),
        revisions,
    })
}

/// The office as the page names it.
fn office_names(intent: &SealIntent) -> (String, String) {
    let page = intent
        .recipe
        .page
        .as_ref()
        .or_else(|| intent.page_recipe.as_ref()?.page.as_ref());
    let name = |language: &str| {
        let name = page.and_then(|page| page.data["office"]["name"][language].as_str());
        name.unwrap_or_default().to_owned()
    };
    (name("ar"), name("fr"))
}

fn latin_initials(signer: &Signer) -> String {
    initials(&signer.given_name_latin, &signer.family_name_latin)
}

fn arabic_initials(signer: &Signer) -> String {
    initials(&signer.given_name_arabic, &signer.family_name_arabic)
}

fn initials(given: &str, family: &str) -> String {
    let initial = |name: &str| name.chars().next().map(|letter| format!("{letter}. "));
    let initials: String = given.split([' ', '-']).filter_map(initial).collect();
    format!("{initials}{family}").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn given_names_are_shortened_and_the_family_name_stays() {
        assert_eq!(initials("Amina", "El Idrissi"), "A. El Idrissi");
        assert_eq!(initials("Fatima-Zahra Nour", "Benali"), "F. Z. N. Benali");
        assert_eq!(initials("أمينة", "الإدريسي"), "أ. الإدريسي");
        assert_eq!(initials("", "Benali"), "Benali");
    }
}
