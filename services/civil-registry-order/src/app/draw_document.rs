//! What a document is drawn from.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;

use crate::app::AppError;
use crate::documents::Law;
use crate::domain::act::Act;
use crate::domain::kind::{DocumentKind, Language, SealMode};
use crate::domain::order::Order;
use crate::domain::order::line::Line;
use crate::domain::verification_code;
use crate::store::offices::{self, Profile};
use crate::store::{acts, catalogue};

/// Everything but the officer's name.
pub struct Drawing {
    pub act: Act,
    pub kind: DocumentKind,
    pub language: Language,
    pub profile: Profile,
    pub office_id: Uuid,
    pub law: Law,
    pub prepared_by: Uuid,
    pub at: DateTime<Utc>,
    pub seal_mode: SealMode,
    pub verification_code: Option<String>,
    /// Of the line.
    pub reference: String,
    /// Of the document: the same for every repeat.
    pub identifier: String,
}

/// Where drawn documents are kept.
pub const FOLDER: &str = "documents";

/// The file of the task by which a document is drawn.
pub fn key(task: Uuid) -> String {
    format!("{FOLDER}/{task}")
}

/// The task of such a file.
pub fn task_of(key: &str) -> Option<Uuid> {
    Uuid::try_parse(key.strip_prefix(FOLDER)?.strip_prefix('/')?).ok()
}

/// A code by which anybody verifies a document.
pub fn verification_code(ambient: &Ambient) -> String {
    let mut random = [0; 8];
    ambient.random.fill(&mut random);
    verification_code::from_random(u64::from_be_bytes(random))
}

/// Gathers it; or says, in a word, what is missing for good.
///
/// # Errors
/// [`AppError`] of the database.
pub async fn gather(
    conn: &mut PgConnection,
    order: &Order,
    line: &Line,
) -> Result<Result<Drawing, &'static str>, AppError> {
    let Some(document) = &line.document else {
        return Ok(Err("DOCUMENT_MISSING"));
    };
    let act = match line.act_id {
        Some(id) => {
            // Whoever is adding a note looks for documents to draw anew: what is drawn after that has the note.
            acts::lock_notes(conn, id).await?;
            acts::find(conn, id).await?
        }
        None => None,
    };
    let Some(act) = act else {
        return Ok(Err("ACT_MISSING"));
    };
    let Some(kind) = catalogue::kinds_by_id(conn, &[line.kind_id]).await?.pop() else {
        return Ok(Err("DOCUMENT_KIND_MISSING"));
    };
    let Some(profile) = offices::profile(conn, line.office_id).await? else {
        return Ok(Err("OFFICE_PROFILE_MISSING"));
    };
    let day = wathiq_chassis::civil_date(document.prepared_at);
    let Some((fr, ar)) = catalogue::law(conn, &kind.template, day).await? else {
        return Ok(Err("TEMPLATE_NOT_IN_FORCE"));
    };
    Ok(Ok(Drawing {
        law: Law { fr, ar },
        verification_code: document.verification_code.clone(),
        reference: order.line_reference(line).to_string(),
        act,
        kind,
        language: line.language,
        profile,
        office_id: line.office_id,
        prepared_by: document.prepared_by,
        at: document.prepared_at,
        seal_mode: document.seal_mode,
        identifier: format!("{}-{}", line.id, document.prepared_at.timestamp()),
    }))
}
