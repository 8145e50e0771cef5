//! Links in e-mails: whoever holds the token may download the sealed files for 90 days.

use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Ambient;

use crate::app::AppError;
use crate::store::links::{self, Link};

/// How long a link leads somewhere.
const LIFETIME: TimeDelta = TimeDelta::days(90);
/// Random bytes of a token: 256 bits.
const TOKEN: usize = 32;

/// Makes a link to a request's sealed files. Only the token's digest is kept.
///
/// # Errors
/// [`AppError::Store`].
pub async fn create(
    conn: &mut PgConnection,
    ambient: &Ambient,
    request_id: Uuid,
) -> Result<SecretString, AppError> {
    let token = BASE64URL_NOPAD.encode(&ambient.bytes::<TOKEN>());
    let now = ambient.now();
    let link = Link {
        request_id,
        expires_at: now + LIFETIME,
    };
    links::insert(conn, &Sha256::digest(&token).into(), link, now).await?;
    Ok(SecretString::from(token))
}

/// Follows a link.
///
/// # Errors
/// [`AppError::NotFound`] for a token that is unknown or has expired.
pub(super) async fn follow(
    conn: &mut PgConnection,
    ambient: &Ambient,
    token: &str,
) -> Result<Link, AppError> {
    let found = links::find(conn, &Sha256::digest(token).into(), ambient.now()).await?;
    found.ok_or(AppError::NotFound {
        resource: "link",
        id: Uuid::nil(),
    })
}
