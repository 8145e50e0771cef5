use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use wathiq_chassis::{
    Assurance as TokenAssurance, Grant, Surface as TokenSurface, TokenClaims, civil_date, token,
};

use super::sign_in::digest;
use super::{App, Error};
use crate::crypto::jws::TYPE_ACCESS_TOKEN;
use crate::crypto::tagged_secret;
use crate::domain::refusal::Refusal;
use crate::domain::session::Session;
use crate::domain::vocabulary::{Assurance, Surface, Word};
use crate::store::{memberships, people, sessions};

/// How old the last noted use may be before another is noted.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(20);

/// A short token in exchange for a session.
pub struct AccessToken {
    pub token: String,
    pub expires_at: DateTime<Utc>,
    pub session: Session,
}

/// Trades a session for an access token that says who, where and with which roles. Only on the staff surface it says roles:
/// staff do not act through a citizen session. A made-up secret is refused without a look at the database.
///
/// # Errors
/// [`Refusal::SessionInvalid`], [`Refusal::SessionExpired`].
pub async fn exchange_session(app: &App, secret: &str) -> Result<AccessToken, Error> {
    if !tagged_secret::is_ours(&app.secrets.hashes, secret) {
        return Err(Refusal::SessionInvalid.into());
    }
    let key = app.signing_key().await?;
    let now = app.ambient.now();
    let mut conn = app.pool.acquire().await?;
    let session = sessions::find_by_secret(&mut conn, &digest(secret))
        .await?
        .ok_or(Refusal::SessionInvalid)?;
    let lifetime = app.policy.lifetime(session.surface);
    let noted_at = session.last_used_at;
    let session = session.touch(lifetime, now)?;
    if now - noted_at >= NOTED_EVERY {
        sessions::touch(&mut conn, session.id, now).await?;
    }
    let standing = standing(&mut conn, &session, now).await?;
    drop(conn);
    let expires_at = (now + app.policy.token_life).min(session.expires_at(lifetime));
    let claims = claims(app, &session, standing, (now, expires_at));
    Ok(AccessToken {
        token: key.sign(TYPE_ACCESS_TOKEN, &claims)?,
        expires_at,
        session,
    })
}

/// What the person of a session is, and may do in it.
struct Standing {
    assurance: TokenAssurance,
    grants: Vec<Grant>,
    platform_administrator: bool,
}

async fn standing(conn: &mut PgConnection, session: &Session, now: DateTime<Utc>) -> Result<Standing, Error> {
    if session.surface == Surface::Contact {
        return Ok(Standing {
            assurance: TokenAssurance::Contact,
            grants: Vec::new(),
            platform_administrator: false,
        });
    }
    let person = people::find(conn, session.person_id)
        .await?
        .ok_or(Refusal::SessionInvalid)?;
    let is_staff = session.surface == Surface::Staff;
    let grants = if is_staff {
        memberships::grants(conn, person.id, civil_date(now)).await?
    } else {
        Vec::new()
    };
    let grant = |grant: crate::domain::membership::Grant| Grant {
        office_id: grant.office_id,
        role: grant.role.as_str().to_owned(),
    };
    Ok(Standing {
        assurance: match person.assurance() {
            Assurance::Contact => TokenAssurance::Contact,
            Assurance::Claimed => TokenAssurance::Claimed,
            Assurance::Proved => TokenAssurance::Proved,
        },
        grants: grants.into_iter().map(grant).collect(),
        platform_administrator: is_staff && person.platform_administrator,
    })
}

fn claims(
    app: &App,
    session: &Session,
    standing: Standing,
    (now, expires_at): (DateTime<Utc>, DateTime<Utc>),
) -> TokenClaims {
    TokenClaims {
        iss: app.policy.issuer.clone(),
        aud: token::AUDIENCE.to_owned(),
        sub: session.person_id,
        sid: session.id,
        surface: match session.surface {
            Surface::Citizen => TokenSurface::Citizen,
            Surface::Staff => TokenSurface::Staff,
            Surface::Contact => TokenSurface::Contact,
        },
        assurance: standing.assurance,
        grants: standing.grants,
        padm: standing.platform_administrator,
        iat: now.timestamp(),
        exp: expires_at.timestamp(),
    }
}
