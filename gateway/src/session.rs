//! The session of a person: an opaque secret, as a cookie for browsers and as Bearer for programs, traded for the short
//! access token that never leaves the platform.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::FromRequestParts;
use chrono::{DateTime, Duration, Utc};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tonic::Code;
use wathiq_chassis::Clock;
use wathiq_proto::wathiq::identity::v1::{ExchangeSessionRequest, SessionSurface};

use crate::clients::Clients;
use crate::problem::Problem;
use crate::quota::{Minutes, limited};

/// Name of the session cookie. `__Host-` ties it to this origin (RFC 6265bis, 4.1.3).
pub const COOKIE: &str = "__Host-wathiq-session";

/// How long an exchanged token is used again, so that an ended session is refused soon.
const REUSE: Duration = Duration::seconds(30);
/// How long a secret that was a session's is no stranger: it is exchanged again whatever its neighbours do.
const FAMILIAR: Duration = Duration::hours(1);
/// How long a secret that is no session's is not asked about again.
const REFUSED: Duration = Duration::seconds(5);
/// Secrets remembered of either kind.
const REMEMBERED: usize = 10_000;
/// Secrets a minute that one address may try and that are no session's.
const WRONG_A_MINUTE: u32 = 120;

/// The signed-in person of a request.
#[derive(Clone)]
pub struct User {
    pub person_id: String,
    pub session_id: String,
    pub surface: SessionSurface,
    pub(crate) token: SecretString,
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
    /// Too many secrets that are no session's came from this address.
    Limited(Problem),
}

/// The secret that a request presents. A Bearer that is no session's does not make the cookie count.
#[derive(Clone)]
pub struct Presented {
    secret: SecretString,
    /// It came in a cookie, so a browser may have been made to send it.
    pub(crate) by_cookie: bool,
}

impl Presented {
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let bearer = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        if let Some(secret) = bearer {
            let secret = SecretString::from(secret.trim());
            return Some(Presented {
                secret,
                by_cookie: false,
            });
        }
        let cookies = headers.get_all(header::COOKIE).iter();
        cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE)
            .map(|(_, secret)| Presented {
                secret: SecretString::from(secret),
                by_cookie: true,
            })
    }
}

/// Trades session secrets for access tokens.
pub struct Exchange {
    clients: Clients,
    clock: Arc<dyn Clock>,
    remembered: Mutex<Remembered>,
    wrong: Minutes,
}

/// Secrets by their digest.
#[derive(Default)]
struct Remembered {
    sessions: HashMap<Digested, Known>,
    /// Those that are no session's, until when they are not asked about.
    refused: HashMap<Digested, DateTime<Utc>>,
}

type Digested = [u8; 32];

struct Known {
    user: User,
    exchanged: DateTime<Utc>,
}

impl Exchange {
    #[must_use]
    pub fn new(clients: Clients, clock: Arc<dyn Clock>) -> Self {
        Exchange {
            clients,
            clock,
            remembered: Mutex::default(),
            wrong: Minutes::new(WRONG_A_MINUTE),
        }
    }

    /// The standing of the session whose secret a request from `address` presents.
    pub async fn standing(&self, presented: &Presented, address: &str) -> Standing {
        let now = self.clock.now();
        let digest: Digested = Sha256::digest(presented.secret.expose_secret().as_bytes()).into();
        let (recalled, familiar) = self.recall(&digest, now);
        if let Some(standing) = recalled {
            return standing;
        }
        // Counted before the exchange, so that many at once count too, and given back where it was a session's.
        let key: Digested = Sha256::digest(address.as_bytes()).into();
        if !familiar {
            let taken = self.wrong.take(key, now);
            if !taken.allowed {
                return Standing::Limited(limited(taken.retry_after_seconds));
            }
        }
        let answer = self.exchange(presented).await;
        let mut remembered = self.lock();
        match &answer {
            Standing::Live(user) => remembered.keep(digest, user, now),
            Standing::Ended => remembered.refuse(digest, now),
            _ => {}
        }
        if !familiar && !matches!(answer, Standing::Ended) {
            self.wrong.give_back(key);
        }
        answer
    }

    async fn exchange(&self, presented: &Presented) -> Standing {
        let request = ExchangeSessionRequest {
            session_secret: presented.secret.expose_secret().to_owned(),
        };
        match self.clients.sessions().exchange_session(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                Standing::Live(User {
                    surface: answer.surface(),
                    person_id: answer.person_id,
                    session_id: answer.session_id,
                    token: SecretString::from(answer.access_token),
                })
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
        self.lock()
            .sessions
            .retain(|_, known| known.user.session_id != session_id);
    }

    /// What is known of a secret without asking, and whether it was a session's lately.
    fn recall(&self, digest: &Digested, now: DateTime<Utc>) -> (Option<Standing>, bool) {
        let remembered = self.lock();
        if remembered.refused.get(digest).is_some_and(|until| *until > now) {
            return (Some(Standing::Ended), false);
        }
        let known = remembered.sessions.get(digest);
        let live = known
            .filter(|known| now < known.exchanged + REUSE)
            .map(|known| Standing::Live(known.user.clone()));
        (live, known.is_some_and(|known| now < known.exchanged + FAMILIAR))
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn keep(&mut self, digest: Digested, user: &User, now: DateTime<Utc>) {
        self.refused.remove(&digest);
        if self.sessions.len() >= REMEMBERED {
            self.sessions.retain(|_, known| now < known.exchanged + FAMILIAR);
        }
        if self.sessions.len() >= REMEMBERED {
            self.sessions.retain(|_, known| now < known.exchanged + REUSE);
        }
        if self.sessions.len() < REMEMBERED || self.sessions.contains_key(&digest) {
            let user = user.clone();
            self.sessions.insert(digest, Known { user, exchanged: now });
        }
    }

    fn refuse(&mut self, digest: Digested, now: DateTime<Utc>) {
        self.sessions.remove(&digest);
        if self.refused.len() >= REMEMBERED {
            self.refused.retain(|_, until| *until > now);
        }
        if self.refused.len() < REMEMBERED {
            self.refused.insert(digest, now + REFUSED);
        }
    }
}

/// The `Set-Cookie` of a new session. It promises the browser no time: the session's end moves with its use and only
/// identity knows it, so the cookie lasts while the browser runs, or until an answer to the ended session removes it.
#[must_use]
pub(crate) fn cookie(secret: &str) -> Option<HeaderValue> {
    let text = format!("{COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax");
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The `Set-Cookie` that makes a browser forget its session.
#[must_use]
pub(crate) fn ended_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-wathiq-session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
}

/// Whether an answer says something of the session's cookie already.
pub(crate) fn sets_cookie(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::SET_COOKIE)
        .iter()
        .any(|value| value.as_bytes().starts_with(COOKIE.as_bytes()))
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
            Some(Standing::Unknown(problem) | Standing::Limited(problem)) => Err(problem.clone()),
            Some(Standing::None) | None => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "SIGN_IN_REQUIRED",
                "sign in first",
            )),
        }
    }
}
