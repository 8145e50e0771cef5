//! Access tokens: JWS compact serialisation (RFC 7515, RFC 7519) signed with Ed25519 (RFC 8037), verified locally.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    BoxError,
    ambient::Clock,
    caller::{Assurance, Caller, Grant, Surface},
};

/// The audience every token is made for.
pub const AUDIENCE: &str = "wathiq";
/// The longest life of a token, in seconds.
pub const LONGEST_LIFE_SECONDS: i64 = 600;

const CLOCK_SKEW_SECONDS: i64 = 5;
const REFETCH_AFTER: TimeDelta = TimeDelta::seconds(10);
const KEYS_GROW_OLD_AFTER: TimeDelta = TimeDelta::minutes(5);
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const CACHE_CAPACITY: usize = 10_000;

/// The claims of a token, one definition for who mints and who verifies. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenClaims {
    /// Issuer.
    pub iss: String,
    /// Audience: [`AUDIENCE`].
    pub aud: String,
    /// The person.
    pub sub: Uuid,
    /// The session.
    pub sid: Uuid,
    /// Where the session was opened.
    pub surface: Surface,
    /// How well the person is known.
    pub assurance: Assurance,
    /// Roles by office.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// Platform administrator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub padm: bool,
    /// Issued at.
    pub iat: i64,
    /// Ends at, at most [`LONGEST_LIFE_SECONDS`] after `iat`.
    pub exp: i64,
}

/// One public key of the issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationKey {
    /// Its name in the token's header.
    pub kid: String,
    /// The raw Ed25519 public key.
    pub public_key: [u8; 32],
}

/// How the issuer's present keys are obtained.
pub type KeyFetch = Arc<dyn Fn() -> BoxFuture<'static, Result<Vec<VerificationKey>, BoxError>> + Send + Sync>;

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Malformed, forged, of another issuer or audience, or longer-lived than allowed.
    #[error("the token is not valid")]
    Invalid,
    /// It was valid.
    #[error("the token has expired")]
    Expired,
    /// The issuer's keys cannot be had at this moment.
    #[error("the keys that verify tokens cannot be fetched")]
    Keys(#[source] BoxError),
}

/// Verifies tokens against the issuer's keys; one per process, shared by cloning.
#[derive(Clone)]
pub struct TokenVerifier {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    issuer: String,
    fetch: KeyFetch,
    keys: RwLock<Keys>,
    fetching: tokio::sync::Mutex<()>,
    cache: Mutex<HashMap<[u8; 32], Caller>>,
}

#[derive(Default)]
struct Keys {
    by_kid: HashMap<String, [u8; 32]>,
    fetched_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
}

impl TokenVerifier {
    /// A verifier of the tokens of `issuer`; keys are fetched at first need, when an unknown key is named (at most
    /// each 10 s) and every 5 minutes.
    pub fn new(clock: Arc<dyn Clock>, issuer: impl Into<String>, fetch: KeyFetch) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                issuer: issuer.into(),
                fetch,
                keys: RwLock::default(),
                fetching: tokio::sync::Mutex::default(),
                cache: Mutex::default(),
            }),
        }
    }

    /// Verifies a token; a verified one is remembered by its hash until it ends (an Ed25519 check costs more than
    /// a look-up).
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        let now = self.inner.clock.now();
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let kid = jsonwebtoken::decode_header(token)
            .ok()
            .filter(|header| header.alg == Algorithm::EdDSA)
            .and_then(|header| header.kid)
            .ok_or(TokenError::Invalid)?;
        // The key is asked for even when the token is remembered: a withdrawn key ends its tokens.
        let key = self.key(&kid, now).await?;
        if let Some(known) = self.remembered(&hash) {
            return if known.expires_at > now {
                Ok(known)
            } else {
                Err(TokenError::Expired)
            };
        }
        let claims = decode(token, &key)?;
        let caller = self.accept(claims, now)?;
        self.remember(hash, &caller, now);
        Ok(caller)
    }

    async fn key(&self, kid: &str, now: DateTime<Utc>) -> Result<[u8; 32], TokenError> {
        let (known, due) = self.inner.look_up(kid, now);
        if let Some(key) = known {
            if due {
                // Keys a few minutes old are good enough to answer at once; the fresh ones serve the next call.
                let inner = Arc::clone(&self.inner);
                tokio::spawn(async move {
                    if let Err(error) = inner.refresh(now).await {
                        tracing::warn!(
                            event = "token.keys_stale",
                            error,
                            "cannot fetch verification keys"
                        );
                    }
                });
            }
            return Ok(key);
        }
        self.inner.refresh(now).await.map_err(TokenError::Keys)?;
        match self.inner.look_up(kid, now).0 {
            Some(key) => Ok(key),
            None if self.inner.has_keys() => Err(TokenError::Invalid),
            None => Err(TokenError::Keys("the last attempt failed moments ago".into())),
        }
    }

    fn accept(&self, claims: TokenClaims, now: DateTime<Utc>) -> Result<Caller, TokenError> {
        let now = now.timestamp();
        let well_formed = claims.iss == self.inner.issuer
            && claims.aud == AUDIENCE
            && claims.iat <= now.saturating_add(CLOCK_SKEW_SECONDS)
            && claims.exp > claims.iat
            && claims.exp.saturating_sub(claims.iat) <= LONGEST_LIFE_SECONDS;
        if !well_formed {
            return Err(TokenError::Invalid);
        }
        if claims.exp <= now {
            return Err(TokenError::Expired);
        }
        Ok(Caller {
            person_id: claims.sub,
            session_id: claims.sid,
            surface: claims.surface,
            assurance: claims.assurance,
            grants: claims.grants,
            platform_administrator: claims.padm,
            expires_at: DateTime::from_timestamp(claims.exp, 0).ok_or(TokenError::Invalid)?,
        })
    }

    fn remembered(&self, hash: &[u8; 32]) -> Option<Caller> {
        self.inner
            .cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(hash)
            .cloned()
    }

    fn remember(&self, hash: [u8; 32], caller: &Caller, now: DateTime<Utc>) {
        let mut cache = self.inner.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_CAPACITY {
            cache.retain(|_, known| known.expires_at > now);
        }
        if cache.len() < CACHE_CAPACITY {
            cache.insert(hash, caller.clone());
        }
    }
}

impl Inner {
    /// The key of that name, and whether the keys should be fetched anew.
    fn look_up(&self, kid: &str, now: DateTime<Utc>) -> (Option<[u8; 32]>, bool) {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let old = keys.fetched_at.is_none_or(|at| now - at >= KEYS_GROW_OLD_AFTER);
        (keys.by_kid.get(kid).copied(), old)
    }

    fn has_keys(&self) -> bool {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .fetched_at
            .is_some()
    }

    /// Fetches the keys unless that was tried less than [`REFETCH_AFTER`] ago, so that made-up key names cannot
    /// drive traffic to the issuer.
    async fn refresh(&self, now: DateTime<Utc>) -> Result<(), BoxError> {
        let _one_at_a_time = self.fetching.lock().await;
        {
            let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
            if keys
                .tried_at
                .is_some_and(|at| now - at < REFETCH_AFTER && now >= at)
            {
                return Ok(());
            }
            keys.tried_at = Some(now);
        }
        let fetched = tokio::time::timeout(FETCH_TIMEOUT, (self.fetch)()).await??;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.by_kid = fetched.into_iter().map(|key| (key.kid, key.public_key)).collect();
        keys.fetched_at = Some(now);
        Ok(())
    }
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TokenVerifier")
            .field("issuer", &self.inner.issuer)
            .finish_non_exhaustive()
    }
}

fn decode(token: &str, key: &[u8; 32]) -> Result<TokenClaims, TokenError> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    // Time, issuer and audience are checked in `accept`, on the clock that was given.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<TokenClaims>(token, &DecodingKey::from_ed_der(key), &validation)
        .map(|data| data.claims)
        .map_err(|_| TokenError::Invalid)
}
