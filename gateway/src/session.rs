//! The session of a person: an opaque secret, as a cookie for browsers and as Bearer for programs, traded for the short
//! access token that never leaves the platform.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::FromRequestParts;
use chrono::{DateTime, Duration, Utc};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tonic::Code;
use wathiq_chassis::Clock;
use wathiq_proto::wathiq::identity::v1::{ExchangeSessionRequest, SessionSurface};

use crate::clients::Clients;
use crate::problem::Problem;

/// Name of the session cookie. `__Host-` ties it to this origin (RFC 6265bis, 4.1.3).
pub const COOKIE: &str = "__Host-wathiq-session";

/// How long an exchanged token is used again, so that an ended session is refused soon.
const REUSE: Duration = Duration::seconds(30);
const REMEMBERED: usize = 10_000;

/// The signed-in person of a request.
#[derive(Clone)]
pub struct User {
    pub person_id: String,
    pub session_id: String,
    pub surface: SessionSurface,
    pub(crate) token: SecretString,
    /// The secret came in a cookie, so a browser may have been made to send it.
    pub(crate) by_cookie: bool,
}

/// What the request says about its session; put there by the outer layer.
#[derive(Clone)]
pub enum Standing {
    None,
    Live(User),
    /// A secret was sent and is not, or no longer, a session's.
    Ended,
    /// The exchange could not be made.
    Unknown(Problem),
}

/// Trades session secrets for access tokens.
pub struct Exchange {
    clients: Clients,
    clock: Arc<dyn Clock>,
    remembered: Mutex<Remembered>,
}

/// Exchanged sessions by the digest of their secret, each until when it is used again.
type Remembered = HashMap<[u8; 32], (User, DateTime<Utc>)>;

impl Exchange {
    #[must_use]
    pub fn new(clients: Clients, clock: Arc<dyn Clock>) -> Self {
        Exchange {
            clients,
            clock,
            remembered: Mutex::new(HashMap::new()),
        }
    }

    /// The standing of the session named by a request's headers.
    pub async fn standing(&self, headers: &HeaderMap) -> Standing {
        let Some((secret, by_cookie)) = presented(headers) else {
            return Standing::None;
        };
        let digest: [u8; 32] = Sha256::digest(secret.expose_secret().as_bytes()).into();
        if let Some(user) = self.recall(&digest) {
            return Standing::Live(User { by_cookie, ..user });
        }
        let request = ExchangeSessionRequest {
            session_secret: secret.expose_secret().to_owned(),
        };
        match self.clients.sessions().exchange_session(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                let user = User {
                    surface: answer.surface(),
                    person_id: answer.person_id,
                    session_id: answer.session_id,
                    token: SecretString::from(answer.access_token),
                    by_cookie,
                };
                self.remember(digest, &user);
                Standing::Live(user)
            }
            Err(status)
                if matches!(
                    status.code(),
                    Code::Unauthenticated | Code::NotFound | Code::InvalidArgument
                ) =>
            {
                Standing::Ended
            }
            Err(status) => Standing::Unknown(status.into()),
        }
    }

    /// Forgets a session that this process has just ended.
    pub fn forget(&self, session_id: &str) {
        self.lock().retain(|_, (user, _)| user.session_id != session_id);
    }

    fn recall(&self, digest: &[u8; 32]) -> Option<User> {
        let now = self.clock.now();
        self.lock()
            .get(digest)
            .filter(|(_, until)| *until > now)
            .map(|(user, _)| user.clone())
    }

    fn remember(&self, digest: [u8; 32], user: &User) {
        let now = self.clock.now();
        let mut remembered = self.lock();
        if remembered.len() >= REMEMBERED {
            remembered.retain(|_, (_, until)| *until > now);
        }
        if remembered.len() < REMEMBERED {
            remembered.insert(digest, (user.clone(), now + REUSE));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn presented(headers: &HeaderMap) -> Option<(SecretString, bool)> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if let Some(secret) = bearer {
        return Some((SecretString::from(secret.trim()), false));
    }
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, secret)| (SecretString::from(secret), true))
}

/// Refuses an unsafe method that another site made a browser send (a cookie alone proves no intent).
///
/// # Errors
/// `CROSS_SITE_REQUEST` where `Origin` or `Sec-Fetch-Site` tell of another site, or neither header is there.
pub fn check_same_site(method: &Method, headers: &HeaderMap, public_url: &str) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let origin = headers
        .get(header::ORIGIN)
        .map(|value| value.as_bytes() == public_url.as_bytes());
    let site = headers
        .get("sec-fetch-site")
        .map(|value| matches!(value.as_bytes(), b"same-origin" | b"none"));
    if origin != Some(false) && site != Some(false) && (origin.is_some() || site.is_some()) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "CROSS_SITE_REQUEST",
        "the request did not come from a page of this site",
    ))
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.extensions.get::<Standing>() {
            Some(Standing::Live(user)) => Ok(user.clone()),
            Some(Standing::Ended) => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "SESSION_ENDED",
                "the session has ended: sign in again",
            )),
            Some(Standing::Unknown(problem)) => Err(problem.clone()),
            Some(Standing::None) | None => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "SIGN_IN_REQUIRED",
                "sign in first",
            )),
        }
    }
}
