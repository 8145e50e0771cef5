//! Limits on how often an address or a session may call. The count is kept by identity, so that all gateways share
//! it; while identity cannot be asked, each gateway keeps a small count of its own, so that verification and downloads
//! go on.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use sha2::{Digest, Sha256};
use wathiq_chassis::CallContext;
use wathiq_proto::wathiq::identity::v1::{TakeQuotaRequest, TakeQuotaResponse};

use crate::app::App;
use crate::partners;
use crate::problem::Problem;

/// Longest wait for identity's count.
const PATIENCE: Duration = Duration::from_secs(2);
/// Calls a minute for a key while identity cannot be asked.
const ALONE: u32 = 60;
const KEYS_ALONE: usize = 20_000;
/// Calls a minute of one partner from one address: a day's deliveries may be told within the hour.
const OF_PARTNERS: u32 = 3_000;

/// The limit of what partners post. It is kept here alone: money and parcels are told also while identity is away, and
/// whoever imitates a partner uses up nobody's share but that of their own address.
pub(crate) const PARTNERS: &str = "http.partner";

/// The name of the limit that an address falls under; none for what costs nothing and is the same for everyone.
#[must_use]
pub fn bucket(method: &Method, path: &str) -> Option<&'static str> {
    if path.starts_with("/assets/") || path == "/openapi.json" {
        return None;
    }
    let changes = !method.is_safe();
    Some(match path {
        path if partners::is_told_by_partner(path) => PARTNERS,
        "/v1/sessions" | "/v1/sessions/second-factor" | "/sign-in" | "/sign-in/second-factor" if changes => {
            "http.sign_in"
        }
        path if changes
            && [
                "/v1/sign-ups",
                "/v1/password-resets",
                "/v1/contact-sessions",
                "/contact",
            ]
            .iter()
            .any(|start| path.starts_with(start)) =>
        {
            "http.sign_up"
        }
        path if [
            "/v1/verification",
            "/v1/links/",
            "/v1/tracking/",
            "/v/",
            "/d/",
            "/t/",
        ]
        .iter()
        .any(|start| path.starts_with(start)) =>
        {
            "http.verify"
        }
        "/verify" if changes => "http.verify",
        "/v1/documents" | "/v1/civil-status/evidence" | "/v1/office/register-scans" if changes => {
            "http.upload"
        }
        _ => "http.default",
    })
}

/// What a limit said; written into the answer's headers.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    bucket: &'static str,
    limit: u32,
    remaining: u32,
    reset_seconds: u32,
}

impl Standing {
    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
    pub fn write(self, headers: &mut HeaderMap) {
        let Standing {
            bucket,
            limit,
            remaining,
            reset_seconds,
        } = self;
        let mut put = |name, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put("ratelimit-policy", format!("\"{bucket}\";q={limit}"));
        put(
            "ratelimit",
            format!("\"{bucket}\";r={remaining};t={reset_seconds}"),
        );
    }
}

/// Counts kept by this process alone: so many a minute for each key.
pub struct Minutes {
    limit: u32,
    minute: Mutex<Minute>,
}

/// The calls of each key since a minute began.
#[derive(Default)]
struct Minute {
    began: DateTime<Utc>,
    used: HashMap<[u8; 32], u32>,
}

impl Minutes {
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Minutes {
            limit,
            minute: Mutex::default(),
        }
    }

    /// The counts that stand in for identity's.
    #[must_use]
    pub fn alone() -> Self {
        Self::new(ALONE)
    }

    /// The counts of what partners post.
    #[must_use]
    pub fn of_partners() -> Self {
        Self::new(OF_PARTNERS)
    }

    pub(crate) fn take(&self, key: [u8; 32], now: DateTime<Utc>) -> TakeQuotaResponse {
        let mut minute = self.lock();
        if now - minute.began >= TimeDelta::minutes(1) {
            *minute = Minute {
                began: now,
                used: HashMap::new(),
            };
        }
        let reset = (minute.began + TimeDelta::minutes(1) - now).num_seconds().max(1);
        let reset_seconds = u32::try_from(reset).unwrap_or(60);
        // A full table lets newcomers pass uncounted: whoever sends from very many addresses must not shut all others
        // out until the minute ends.
        let full = minute.used.len() >= KEYS_ALONE && !minute.used.contains_key(&key);
        let used = if full {
            1
        } else {
            *minute.used.entry(key).and_modify(|used| *used += 1).or_insert(1)
        };
        let allowed = used <= self.limit;
        TakeQuotaResponse {
            allowed,
            limit: self.limit,
            remaining: self.limit.saturating_sub(used),
            retry_after_seconds: if allowed { 0 } else { reset_seconds },
            reset_seconds,
        }
    }

    /// Undoes one call that was counted.
    pub(crate) fn give_back(&self, key: [u8; 32]) {
        let mut minute = self.lock();
        if let Some(used) = minute.used.get_mut(&key) {
            *used = used.saturating_sub(1);
            if *used == 0 {
                minute.used.remove(&key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Minute> {
        self.minute.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one call from a limit for `whom`, an address or a session.
///
/// # Errors
/// `RATE_LIMITED`, with the time to wait, and the standing for the headers in both cases.
pub async fn take(app: &App, bucket: &'static str, whom: &str) -> (Standing, Result<(), Problem>) {
    let key: [u8; 32] = Sha256::digest(format!("{bucket}\n{whom}")).into();
    if bucket == PARTNERS {
        return told(bucket, &app.partners.take(key, app.ambient.now()));
    }
    let request = TakeQuotaRequest {
        bucket: bucket.to_owned(),
        key: key.to_vec(),
        cost: 1,
    };
    let context = CallContext::new(PATIENCE, String::new());
    let mut directory = app.clients.directory();
    let answer = match context.scope(directory.take_quota(request)).await {
        Ok(answer) => answer.into_inner(),
        Err(error) => {
            tracing::warn!(event = "quota.alone", code = ?error.code(), bucket, "the shared count cannot be asked");
            app.alone.take(key, app.ambient.now())
        }
    };
    told(bucket, &answer)
}

fn told(bucket: &'static str, answer: &TakeQuotaResponse) -> (Standing, Result<(), Problem>) {
    let standing = Standing {
        bucket,
        limit: answer.limit,
        remaining: answer.remaining,
        reset_seconds: answer.reset_seconds,
    };
    if answer.allowed {
        return (standing, Ok(()));
    }
    (standing, Err(limited(answer.retry_after_seconds)))
}

/// Says that a limit is reached, and when to come back.
pub(crate) fn limited(seconds: u32) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "RATE_LIMITED",
        "too many calls: wait, then try again",
    )
    .retry_after(Duration::from_secs(u64::from(seconds.max(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_each_key_has_its_minute() {
        let alone = Minutes::alone();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let taken = (0..ALONE + 5)
            .filter(|_| alone.take([1; 32], now).allowed)
            .count();
        assert_eq!(taken, ALONE as usize);
        assert!(alone.take([2; 32], now).allowed);
        assert!(!alone.take([1; 32], now + TimeDelta::seconds(59)).allowed);
        assert!(alone.take([1; 32], now + TimeDelta::seconds(60)).allowed);
    }

    fn key(number: usize) -> [u8; 32] {
        Sha256::digest(number.to_be_bytes()).into()
    }

    #[test]
    fn very_many_addresses_shut_nobody_out() {
        let counts = Minutes::new(1);
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        for number in 0..KEYS_ALONE {
            assert!(counts.take(key(number), now).allowed);
        }
        assert!(counts.take(key(KEYS_ALONE), now).allowed);
        assert!(!counts.take(key(0), now).allowed, "what is counted stays limited");
        assert_eq!(counts.lock().used.len(), KEYS_ALONE);
    }

    #[test]
    fn what_was_given_back_takes_no_room() {
        let counts = Minutes::new(2);
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        counts.take(key(1), now);
        counts.take(key(2), now);
        counts.take(key(2), now);
        counts.give_back(key(1));
        counts.give_back(key(2));
        assert_eq!(counts.lock().used, HashMap::from([(key(2), 1)]));
    }

    #[test]
    fn addresses_fall_under_their_limits() {
        for (method, path, expected) in [
            (Method::POST, "/v1/sessions", Some("http.sign_in")),
            (Method::GET, "/v1/sessions", Some("http.default")),
            (Method::POST, "/v1/sign-ups/1/codes", Some("http.sign_up")),
            (Method::GET, "/v/ABCD", Some("http.verify")),
            (Method::GET, "/v1/verification/ABCD", Some("http.verify")),
            (Method::GET, "/verify", Some("http.default")),
            (Method::POST, "/verify", Some("http.verify")),
            (Method::POST, "/v1/documents", Some("http.upload")),
            (Method::POST, "/v1/civil-status/evidence", Some("http.upload")),
            (Method::POST, "/v1/contact-sessions", Some("http.sign_up")),
            (Method::GET, "/v1/tracking/RR123456785MA", Some("http.verify")),
            (Method::POST, "/callbacks/payments/cmi", Some("http.partner")),
            (
                Method::POST,
                "/callbacks/payments/cmi/return/ok",
                Some("http.default"),
            ),
            (Method::POST, "/v1/carrier/events", Some("http.partner")),
            (Method::GET, "/assets/x.css", None),
        ] {
            assert_eq!(bucket(&method, path), expected, "{method} {path}");
        }
    }
}
