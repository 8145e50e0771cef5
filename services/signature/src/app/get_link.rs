//! What is behind the link of an e-mail, before downloading.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::app::legalisation_facts::{self, LegalisationFacts};
use crate::app::{App, AppError, link};
use crate::store::intents;

/// What a link leads to.
pub struct LinkView {
    pub facts: LegalisationFacts,
    pub expires_at: DateTime<Utc>,
}

/// Follows a link.
///
/// # Errors
/// [`AppError::NotFound`] for a token that is unknown or has expired.
pub async fn get_link(app: &App, token: &str) -> Result<LinkView, AppError> {
    let mut conn = app.pool.acquire().await?;
    let link = link::follow(&mut conn, &app.ambient, token).await?;
    let intent = intents::standing(&mut conn, link.request_id).await?;
    let intent = intent.ok_or(AppError::NotFound {
        resource: "link",
        id: Uuid::nil(),
    })?;
    let facts = legalisation_facts::of_intent(&mut conn, intent.id).await?;
    Ok(LinkView {
        facts,
        expires_at: link.expires_at,
    })
}
