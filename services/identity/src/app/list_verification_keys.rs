use chrono::{DateTime, Utc};

use super::{App, Error};
use crate::domain::signing_key::{self, SigningKey};
use crate::store::keys;

/// A published key, and until when tokens of it are accepted.
pub struct PublishedKey {
    pub key: SigningKey,
    pub retire_at: Option<DateTime<Utc>>,
}

/// Keys as they are published.
pub struct PublishedKeys {
    /// Those by which a token may be accepted now.
    pub for_tokens: Vec<PublishedKey>,
    /// Those that are past that, and verify the confirmation records that they signed.
    pub for_records: Vec<PublishedKey>,
}

/// The keys of tokens, and apart from them those that have retired: a token of one of these is good nowhere, whoever may
/// have made it. The first key ever is made here if need be.
///
/// # Errors
/// When the database does not answer.
pub async fn list_verification_keys(app: &App) -> Result<PublishedKeys, Error> {
    app.signing_key().await?;
    let now = app.ambient.now();
    let mut conn = app.pool.acquire().await?;
    let keys = keys::list(&mut conn).await?;
    let published = keys.iter().map(|key| PublishedKey {
        key: key.clone(),
        retire_at: signing_key::retire_at(&keys, key, now),
    });
    let (for_tokens, for_records) =
        published.partition(|published| published.retire_at.is_none_or(|at| now < at));
    Ok(PublishedKeys {
        for_tokens,
        for_records,
    })
}
