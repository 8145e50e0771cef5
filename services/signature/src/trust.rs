//! Whom verification trusts, and where revocation is asked: configured hosts only, no redirects, bounded in size and time.

mod revocation;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use reqwest::{Url, redirect};
use serde::Deserialize;
use wathiq_chassis::{Ambient, ConfigError};
use wathiq_pades::certificate::Certificate;
use wathiq_pades::verify;

/// Largest revocation list taken.
const MAX_LIST: usize = 8 * 1024 * 1024;
/// How long an address that gave nothing is left alone.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);
/// Lists kept at the same time.
const MAX_KEPT: usize = 64;

/// Section `[trust]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// PEM files with the certificates that chains may end in.
    pub anchors: Vec<PathBuf>,
    /// `host:port` of the servers that revocation lists may be fetched from.
    #[serde(default)]
    pub revocation_hosts: Vec<String>,
    /// Bound on one fetch, in seconds.
    #[serde(default = "default_seconds")]
    pub seconds: u64,
    /// How long a fetched list is used before it is fetched again, in seconds.
    #[serde(default = "default_freshness")]
    pub freshness_seconds: i64,
}

fn default_seconds() -> u64 {
    3
}

fn default_freshness() -> i64 {
    300
}

struct Kept {
    /// None where the address gave nothing.
    list: Option<Bytes>,
    until: DateTime<Utc>,
}

/// Trust anchors, and revocation lists as they are needed.
#[derive(Clone)]
pub struct Trust {
    inner: Arc<Inner>,
}

struct Inner {
    anchors: Vec<Bytes>,
    hosts: HashSet<String>,
    http: reqwest::Client,
    freshness: TimeDelta,
    kept: Mutex<HashMap<String, Kept>>,
    ambient: Ambient,
}

/// Why a revocation list was not got.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the server does not answer")]
    Unreachable(#[from] reqwest::Error),
    #[error("the server answered with HTTP status {0}")]
    Status(u16),
    #[error("the list is longer than {MAX_LIST} bytes")]
    TooLarge,
}

impl Trust {
    /// Reads the anchors; fetches nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn new(config: &TrustConfig, ambient: Ambient) -> Result<Self, ConfigError> {
        let mut anchors = Vec::new();
        for path in &config.anchors {
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigError::key("trust.anchors", format!("{}: {error}", path.display())))?;
            let found = certificates_of_pem(&text).ok_or_else(|| {
                ConfigError::key(
                    "trust.anchors",
                    format!("{} holds no certificate", path.display()),
                )
            })?;
            anchors.extend(found.into_iter().map(Bytes::from));
        }
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(config.seconds))
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| ConfigError::key("trust", error.to_string()))?;
        let inner = Inner {
            anchors,
            hosts: config.revocation_hosts.iter().cloned().collect(),
            http,
            freshness: TimeDelta::seconds(config.freshness_seconds),
            kept: Mutex::default(),
            ambient,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The trust anchors, DER.
    pub fn anchors(&self) -> Vec<Bytes> {
        self.inner.anchors.clone()
    }

    /// The lists at hand that are fresh.
    pub fn kept_lists(&self) -> Vec<Bytes> {
        let now = self.inner.ambient.now();
        self.kept()
            .values()
            .filter(|kept| kept.until > now)
            .filter_map(|kept| kept.list.clone())
            .collect()
    }

    /// Fetches those of the addresses whose lists are not at hand and whose host is configured; answers whether a list was
    /// got. A server that is down leaves the verdict to say so.
    pub async fn fetch(&self, addresses: &[String]) -> bool {
        let mut got = false;
        for address in addresses {
            let Some(url) = self.wanted(address) else { continue };
            match self.list(url).await {
                Ok(list) => {
                    self.keep(address, Some(list));
                    got = true;
                }
                Err(error) => {
                    self.keep(address, None);
                    let error = wathiq_chassis::status::chain(&error);
                    tracing::warn!(
                        event = "trust.list_missing",
                        address,
                        error,
                        "a revocation list is missing"
                    );
                }
            }
        }
        got
    }

    /// Whether the issuer's revocation list names the certificate of a chain (DER, the certificate first). Where no list can be
    /// got, the answer is no: a seal must not depend on that server, and verification says what it finds later.
    pub async fn is_revoked(&self, chain: &[&[u8]]) -> bool {
        let Some(certificate) = chain.first() else {
            return false;
        };
        if let Ok(parsed) = Certificate::from_der(certificate) {
            self.fetch(&verify::revocation_urls(&parsed).crl).await;
        }
        let lists = self.kept_lists();
        let issuers = chain
            .iter()
            .skip(1)
            .copied()
            .chain(self.inner.anchors.iter().map(|anchor| &anchor[..]));
        issuers
            .into_iter()
            .any(|issuer| revocation::is_revoked(certificate, issuer, &lists))
    }

    fn wanted(&self, address: &str) -> Option<Url> {
        let url = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let host = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        let now = self.inner.ambient.now();
        let fresh = self.kept().get(address).is_some_and(|kept| kept.until > now);
        (self.inner.hosts.contains(&host) && !fresh).then_some(url)
    }

    async fn list(&self, url: Url) -> Result<Bytes, FetchError> {
        let response = self.inner.http.get(url).send().await?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut body = response.bytes_stream();
        let mut list = BytesMut::new();
        while let Some(chunk) = body.next().await {
            list.extend_from_slice(&chunk?);
            if list.len() > MAX_LIST {
                return Err(FetchError::TooLarge);
            }
        }
        Ok(list.freeze())
    }

    fn keep(&self, address: &str, list: Option<Bytes>) {
        let lasting = if list.is_some() {
            self.inner.freshness
        } else {
            PATIENCE
        };
        let until = self.inner.ambient.now() + lasting;
        let mut kept = self.kept();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(address.to_owned(), Kept { list, until });
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, Kept>> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
