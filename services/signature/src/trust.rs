//! Whom verification trusts, and what is known of revocation: asked at configured hosts only, without redirects, bounded in
//! size and time, and kept only where the issuer's signature on it has been checked.

mod kept;
mod pair;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Url, redirect};
use serde::Deserialize;
use wathiq_chassis::{Ambient, ConfigError};
use wathiq_pades::certificate::Certificate;

use crate::pdf::{Digested, Link, MAX_LINKS, TrustMaterial};
use kept::Kept;
pub use kept::{Evidence, EvidenceKind};
use pair::Pair;

/// Largest revocation list taken.
const MAX_LIST: usize = 8 * 1024 * 1024;
/// Largest OCSP answer taken; one with its responder's certificates has a few KiB.
const MAX_ANSWER: usize = 64 * 1024;
/// How long an address that gave nothing is left alone.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);
/// Addresses of one kind in one certificate that are asked at most.
const MAX_ADDRESSES: usize = 4;
/// Bytes of an OCSP nonce (RFC 8954 allows 1 to 32).
const NONCE_BYTES: usize = 16;

/// Section `[trust]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// PEM files with the certificates that chains may end in.
    pub anchors: Vec<PathBuf>,
    /// `host:port` of the servers that revocation lists may be fetched from and OCSP may be asked at.
    #[serde(default)]
    pub revocation_hosts: Vec<String>,
    /// Bound on one fetch, in seconds.
    #[serde(default = "default_seconds")]
    pub seconds: u64,
    /// How long a list or an answer is used before it is asked for again, in seconds. One that can no longer be had stays in
    /// use, and counts for times up to its `nextUpdate`.
    #[serde(default = "default_freshness")]
    pub freshness_seconds: i64,
    /// How long a list or an answer that names no `nextUpdate` counts after its `thisUpdate`, in seconds; no less than
    /// `freshness_seconds`.
    #[serde(default = "default_max_age")]
    pub max_age_seconds: i64,
}

fn default_seconds() -> u64 {
    3
}

fn default_freshness() -> i64 {
    300
}

fn default_max_age() -> i64 {
    600
}

/// Trust anchors, and revocation lists and answers as they are needed.
#[derive(Clone)]
pub struct Trust {
    inner: Arc<Inner>,
}

struct Inner {
    anchors: Vec<Digested>,
    parsed_anchors: Vec<Certificate>,
    hosts: HashSet<String>,
    http: reqwest::Client,
    freshness: TimeDelta,
    max_age: TimeDelta,
    kept: Mutex<Kept>,
    ambient: Ambient,
}

/// What asking anew has brought.
#[derive(Debug, Default)]
pub struct Refreshed {
    /// A list or an answer is at hand that was not before.
    pub changed: bool,
    /// What proves that a certificate is revoked for good, of those that were asked for.
    pub revoked: Vec<Evidence>,
}

/// Why a revocation list or an answer was not got.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the server does not answer")]
    Unreachable(#[from] reqwest::Error),
    #[error("the server answered with HTTP status {0}")]
    Status(u16),
    #[error("the answer is longer than {0} bytes")]
    TooLarge(usize),
    #[error("the answer cannot be read, is about something else, or is not signed by the issuer")]
    Unusable,
}

impl Trust {
    /// Reads the anchors; fetches nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn new(config: &TrustConfig, ambient: Ambient) -> Result<Self, ConfigError> {
        let [freshness, max_age] = ages(config)?;
        let mut anchors = Vec::new();
        for path in &config.anchors {
            let unusable = |what| ConfigError::key("trust.anchors", format!("{}: {what}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
            let found =
                certificates_of_pem(&text).ok_or_else(|| unusable("holds no certificate".to_owned()))?;
            anchors.extend(found.into_iter().map(|der| Digested::of(Bytes::from(der))));
        }
        let parsed_anchors = anchors
            .iter()
            .map(|anchor: &Digested| Certificate::from_der(&anchor.der))
            .collect::<Result<_, _>>()
            .map_err(|error| ConfigError::key("trust.anchors", error.to_string()))?;
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(config.seconds))
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| ConfigError::key("trust", error.to_string()))?;
        let inner = Inner {
            anchors,
            parsed_anchors,
            hosts: config.revocation_hosts.iter().cloned().collect(),
            http,
            freshness,
            max_age,
            kept: Mutex::default(),
            ambient,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// What the verifier may use now.
    pub fn material(&self) -> TrustMaterial {
        TrustMaterial {
            at: self.inner.ambient.now(),
            max_age: self.inner.max_age,
            anchors: self.anchors(),
            crls: self.kept_lists(),
            ocsp_responses: self.kept_answers(),
        }
    }

    /// The trust anchors.
    pub fn anchors(&self) -> Vec<Digested> {
        self.inner.anchors.clone()
    }

    /// The trust anchors, taken apart.
    pub fn parsed_anchors(&self) -> &[Certificate] {
        &self.inner.parsed_anchors
    }

    /// The revocation lists at hand. The verifier knows for which times each of them counts.
    pub fn kept_lists(&self) -> Vec<Digested> {
        self.kept().lists()
    }

    /// The OCSP answers at hand.
    pub fn kept_answers(&self) -> Vec<Digested> {
        self.kept().answers()
    }

    /// Takes up what was learnt before, by another process or in another life; answers whether it is new here.
    pub fn learn(&self, known: Vec<Evidence>) -> bool {
        let mut kept = self.kept();
        let mut new = false;
        for evidence in known {
            new |= kept.learn(evidence);
        }
        new
    }

    /// Asks for the revocation of these certificates where it was not asked a moment ago: the OCSP responder and the lists
    /// that each certificate names, at configured hosts. A server that is down leaves what is at hand as it is.
    pub async fn refresh(&self, links: &[Link]) -> Refreshed {
        let mut refreshed = Refreshed::default();
        for pair in links.iter().take(MAX_LINKS).filter_map(Pair::of) {
            refreshed.changed |= self.ask_responders(&pair).await;
            refreshed.changed |= self.fetch_lists(&pair).await;
            refreshed.revoked.extend(self.kept().evidence(&pair));
        }
        refreshed
    }

    /// Whether anything at hand says that the certificate is revoked, or suspended.
    pub fn says_revoked(&self, link: &Link) -> bool {
        Pair::of(link).is_some_and(|pair| self.kept().says_revoked(&pair))
    }

    async fn ask_responders(&self, pair: &Pair) -> bool {
        let mut got = false;
        for address in pair.urls.ocsp.iter().take(MAX_ADDRESSES) {
            let Some(url) = self.wanted(address, &pair.question(address)) else {
                continue;
            };
            let answer = self.answer(url, pair).await;
            got |= self.settle(address, &pair.question(address), answer, |kept, der| {
                kept.keep_answer(pair, der)
            });
        }
        got
    }

    async fn fetch_lists(&self, pair: &Pair) -> bool {
        let mut got = false;
        for address in pair.urls.crl.iter().take(MAX_ADDRESSES) {
            let Some(url) = self.wanted(address, address) else {
                continue;
            };
            let list = self.body(self.inner.http.get(url), MAX_LIST).await;
            let list = list.and_then(|der| match pair.read_list(&der) {
                Some(_) => Ok(der),
                None => Err(FetchError::Unusable),
            });
            got |= self.settle(address, address, list, |kept, der| {
                kept.keep_list(address, pair, der)
            });
        }
        got
    }

    async fn answer(&self, url: Url, pair: &Pair) -> Result<Bytes, FetchError> {
        let nonce: [u8; NONCE_BYTES] = self.inner.ambient.bytes();
        let request = pair.ocsp_request(&nonce).ok_or(FetchError::Unusable)?;
        let call = self
            .inner
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/ocsp-request")
            .body(request);
        let der = self.body(call, MAX_ANSWER).await?;
        let said = pair.read_answer(&der, Some(&nonce));
        said.map(|_| der).ok_or(FetchError::Unusable)
    }

    /// Keeps what was got, and says when the address may be asked the same again.
    fn settle(
        &self,
        address: &str,
        question: &str,
        got: Result<Bytes, FetchError>,
        keep: impl FnOnce(&mut Kept, Bytes) -> bool,
    ) -> bool {
        let now = self.inner.ambient.now();
        match got {
            Ok(der) => {
                let mut kept = self.kept();
                kept.pause(question, now, now + self.inner.freshness);
                keep(&mut kept, der)
            }
            Err(error) => {
                self.kept().pause(question, now, now + PATIENCE);
                let error = wathiq_chassis::status::chain(&error);
                tracing::warn!(
                    event = "trust.revocation_missing",
                    address,
                    error,
                    "revocation data is missing"
                );
                false
            }
        }
    }

    fn wanted(&self, address: &str, question: &str) -> Option<Url> {
        let url = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty())?;
        let host = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        let now: DateTime<Utc> = self.inner.ambient.now();
        (self.inner.hosts.contains(&host) && !self.kept().is_paused(question, now)).then_some(url)
    }

    async fn body(&self, call: RequestBuilder, limit: usize) -> Result<Bytes, FetchError> {
        let response = call.send().await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut parts = response.bytes_stream();
        let mut body = BytesMut::new();
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part?);
            if body.len() > limit {
                return Err(FetchError::TooLarge(limit));
            }
        }
        Ok(body.freeze())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long data stay before they are asked for again, and how long those count that name no end: shorter, and there would be
/// moments without any.
fn ages(config: &TrustConfig) -> Result<[TimeDelta; 2], ConfigError> {
    let (freshness, max_age) = (config.freshness_seconds, config.max_age_seconds);
    if max_age < freshness {
        let text = format!("must be no less than trust.freshness_seconds, {freshness}");
        return Err(ConfigError::key("trust.max_age_seconds", text));
    }
    let age = |key, seconds| {
        TimeDelta::try_seconds(seconds).ok_or_else(|| ConfigError::key(key, "is too large".to_owned()))
    };
    Ok([
        age("trust.freshness_seconds", freshness)?,
        age("trust.max_age_seconds", max_age)?,
    ])
}

/// The DER certificates in a PEM text, in order; none where it holds none or is damaged.
pub fn certificates_of_pem(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut rest = text;
    let mut found = Vec::new();
    while let Some(start) = rest.find("-----BEGIN CERTIFICATE-----") {
        const END: &str = "-----END CERTIFICATE-----";
        let end = start + rest[start..].find(END)? + END.len();
        let (label, der) = der::pem::decode_vec(&rest.as_bytes()[start..end]).ok()?;
        if label != "CERTIFICATE" {
            return None;
        }
        found.push(der);
        rest = &rest[end..];
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests;
