//! What the register and the sealed files say about requests.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::intent::{IntentState, SealIntent};
use crate::domain::register::RegisterEntry;
use crate::domain::revision::SealedRevision;
use crate::domain::seal_facts::{SealFacts, SealedFileFacts};
use crate::store::{StoreError, intents, register, revisions};

/// The facts of those requests that have an intent which is not annulled.
///
/// # Errors
/// [`StoreError`].
pub async fn of(
    conn: &mut PgConnection,
    request_ids: &[Uuid],
) -> Result<HashMap<Uuid, SealFacts>, StoreError> {
    let standing = intents::standing_of(conn, request_ids).await?;
    let ids: Vec<Uuid> = standing.iter().map(|intent| intent.id).collect();
    let revisions = revisions::of_intents(conn, &ids).await?;
    let entries = register::of_intents(conn, &ids).await?;
    let mut facts = HashMap::with_capacity(standing.len());
    for intent in standing {
        let entry = entries
            .iter()
            .find(|entry| entry.intent_id == intent.id)
            .cloned()
            .ok_or(StoreError::Inconsistent {
                table: "seal_intent",
                column: "register_number",
                id: intent.id,
            })?;
        facts.insert(intent.request_id, of_intent(&intent, entry, &revisions));
    }
    Ok(facts)
}

fn of_intent(intent: &SealIntent, register: RegisterEntry, revisions: &[SealedRevision]) -> SealFacts {
    let sealed = intent.state == IntentState::Sealed;
    let own = revisions
        .iter()
        .filter(|revision| sealed && revision.intent_id == intent.id);
    SealFacts {
        intent_id: intent.id,
        register,
        verification_code: sealed.then(|| intent.code.grouped()),
        progress: intent.progress(),
        files: own
            .map(|revision| SealedFileFacts {
                kind: revision.kind,
                revision: revision.revision,
                size_bytes: revision.size_bytes,
                sha256: revision.sha256,
            })
            .collect(),
    }
}
