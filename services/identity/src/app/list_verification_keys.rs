use chrono::{DateTime, Utc};

use super::{App, Error};
use crate::domain::signing_key::{self, SigningKey};
use crate::store::keys;

/// A published key, and until when tokens of it are accepted.
pub struct PublishedKey {
    pub key: SigningKey,
    pub retire_at: Option<DateTime<Utc>>,
}

/// All keys: those of old confirmation records too. The first key ever is made here if need be.
///
/// # Errors
/// When the database does not answer.
pub async fn list_verification_keys(app: &App) -> Result<Vec<PublishedKey>, Error> {
    app.signing_key().await?;
    let now = app.ambient.now();
    let mut conn = app.pool.acquire().await?;
    let keys = keys::list(&mut conn).await?;
    Ok(keys
        .iter()
        .map(|key| PublishedKey {
            key: key.clone(),
            retire_at: signing_key::retire_at(&keys, key, now),
        })
        .collect())
}
