//! What a document is drawn from.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;

use crate::app::AppError;
use crate::domain::act::Act;
use crate::domain::kind::{DocumentKind, Language, SealMode};
use crate::domain::order::Order;
use crate::domain::order::line::Line;
use crate::domain::verification_code;
use crate::store::offices::{self, Profile};
use crate::store::templates::{self, TemplateVersion};
use crate::store::{acts, catalogue};

/// Everything but the officer's name.
pub struct Drawing {
    pub act: Act,
    pub kind: DocumentKind,
    pub language: Language,
    pub profile: Profile,
    pub office_id: Uuid,
    /// The office of registration of the act, where it has a profile here.
    pub registered_at: Option<Profile>,
    /// In force when it was prepared.
    pub version: TemplateVersion,
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

/// Gathers it for lines of an order, in their order; or says, in a word, what is missing for good.
///
/// # Errors
/// [`AppError`] of the database.
pub async fn gather(
    conn: &mut PgConnection,
    order: &Order,
    lines: &[&Line],
) -> Result<Vec<Result<Drawing, &'static str>>, AppError> {
    let act_ids: Vec<Uuid> = lines.iter().filter_map(|line| line.act_id).collect();
    // Whoever is adding a note looks for documents to draw anew: what is drawn after that has the note.
    acts::lock_notes(conn, &act_ids).await?;
    let mut found = Found {
        acts: acts::find_all(conn, &act_ids).await?,
        profiles: HashMap::new(),
        versions: HashMap::new(),
    };
    let kind_ids: Vec<Uuid> = lines.iter().map(|line| line.kind_id).collect();
    let kinds = catalogue::kinds_by_id(conn, &kind_ids).await?;
    let mut drawings = Vec::with_capacity(lines.len());
    for line in lines {
        let kind = kinds.iter().find(|kind| kind.id == line.kind_id);
        drawings.push(found.drawing(conn, order, line, kind).await?);
    }
    Ok(drawings)
}

/// What lines of an order have in common is read once.
struct Found {
    acts: HashMap<Uuid, Act>,
    profiles: HashMap<Uuid, Option<Profile>>,
    versions: HashMap<(String, DateTime<Utc>), Option<TemplateVersion>>,
}

impl Found {
    async fn profile(
        &mut self,
        conn: &mut PgConnection,
        office_id: Uuid,
    ) -> Result<Option<Profile>, AppError> {
        let profile = match self.profiles.entry(office_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(offices::profile(conn, office_id).await?),
        };
        Ok(profile.clone())
    }

    async fn drawing(
        &mut self,
        conn: &mut PgConnection,
        order: &Order,
        line: &Line,
        kind: Option<&DocumentKind>,
    ) -> Result<Result<Drawing, &'static str>, AppError> {
        let Some(document) = &line.document else {
            return Ok(Err("DOCUMENT_MISSING"));
        };
        let Some(act) = line.act_id.and_then(|id| self.acts.get(&id)) else {
            return Ok(Err("ACT_MISSING"));
        };
        let Some(kind) = kind else {
            return Ok(Err("DOCUMENT_KIND_MISSING"));
        };
        let act = act.clone();
        let Some(profile) = self.profile(conn, line.office_id).await? else {
            return Ok(Err("OFFICE_PROFILE_MISSING"));
        };
        let registered_at = self.profile(conn, act.key.office_id).await?;
        let at = document.prepared_at;
        let version = match self.versions.entry((kind.template.clone(), at)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let day = wathiq_chassis::civil_date(at);
                place.insert(templates::in_force(conn, &kind.template, day, at).await?)
            }
        };
        let Some(version) = version.clone() else {
            return Ok(Err("TEMPLATE_NOT_IN_FORCE"));
        };
        Ok(Ok(Drawing {
            registered_at,
            version,
            verification_code: document.verification_code.clone(),
            reference: order.line_reference(line).to_string(),
            act,
            kind: kind.clone(),
            language: line.language,
            profile,
            office_id: line.office_id,
            prepared_by: document.prepared_by,
            at: document.prepared_at,
            seal_mode: document.seal_mode,
            identifier: format!("{}-{}", line.id, document.prepared_at.timestamp()),
        }))
    }
}
