//! The files that one act of an officer is about.

use uuid::Uuid;
use wathiq_chassis::Caller;

use super::Seal;
use crate::app::seal_problem::{SealProblem, intent_reason};
use crate::app::{App, AppError};
use crate::domain::credential::Credential;
use crate::domain::intent::{IntentState, SealIntent};
use crate::domain::role::OFFICER;
use crate::domain::seal_facts::SealedFileKind;
use crate::store::{credentials, intents};

/// One file that the officer seals in this act.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) intent_id: Uuid,
    pub(super) request_id: Uuid,
    pub(super) kind: SealedFileKind,
    pub(super) digest: [u8; 32],
    /// Signed already: by an earlier try of this same act.
    pub(super) signed: bool,
}

/// The files of this act, and the one credential they are sealed with; none where no intent can be sealed.
pub(super) async fn items_of(
    app: &App,
    caller: &Caller,
    asked: &Seal,
) -> Result<(Vec<SealProblem>, Vec<Item>, Option<Credential>), AppError> {
    let mut conn = app.pool.acquire().await?;
    let (mut problems, mut items, mut credential_id) = (Vec::new(), Vec::new(), None);
    for id in &asked.intent_ids {
        let intent = intents::find(&mut conn, *id).await?.filter(|intent| {
            intent.officer_id == caller.person_id && caller.holds(intent.office_id, OFFICER)
        });
        let Some(intent) = intent else {
            problems.push(SealProblem::of_intent(
                *id,
                "SEAL_INTENT_NOT_FOUND",
                "the intent is not known",
            ));
            continue;
        };
        match item_of(&intent, asked.confirmation_id) {
            Ok(item) => items.push(item),
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        }
        if *credential_id.get_or_insert(intent.credential_id) != intent.credential_id {
            let text = "all intents of a batch must be of one credential";
            return Err(AppError::invalid("intent_ids", "MIXED_CREDENTIALS", text));
        }
    }
    let credential = match credential_id {
        Some(id) => credentials::find(&mut conn, id).await?,
        None => None,
    };
    Ok((problems, items, credential))
}

/// The file of an intent that this act is about: the one this confirmation signed before, else the one that waits.
fn item_of(intent: &SealIntent, confirmation_id: Uuid) -> Result<Item, SealProblem> {
    let item = |kind, digest, signed| Item {
        intent_id: intent.id,
        request_id: intent.request_id,
        kind,
        digest,
        signed,
    };
    let before = intent.files.iter().find_map(|file| {
        file.signed()
            .filter(|signed| signed.confirmation_id == confirmation_id)?;
        Some(item(file.kind, file.prepared()?.digest, true))
    });
    match (before, intent.to_confirm()) {
        (Some(item), _) if intent.state != IntentState::Annulled => Ok(item),
        (_, Ok((kind, prepared))) => Ok(item(kind, prepared.digest, false)),
        (_, Err(error)) => Err(SealProblem::of_intent(
            intent.id,
            intent_reason(error),
            error.to_string(),
        )),
    }
}
