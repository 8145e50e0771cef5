//! RFC 3161 time-stamps over HTTP, from the one authority that is configured.

use std::time::Duration;

use bytes::BytesMut;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Url, redirect};
use serde::Deserialize;
use wathiq_chassis::{Ambient, ConfigError};
use wathiq_pades::cms::{self, TimestampToken};

/// Section `[timestamp]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimestampConfig {
    /// Address of the time-stamp authority.
    pub url: String,
    /// Bound on one request, in seconds.
    #[serde(default = "default_seconds")]
    pub seconds: u64,
    /// How far the authority's clock may be from this one, in seconds.
    #[serde(default = "default_tolerance")]
    pub tolerance_seconds: i64,
}

fn default_tolerance() -> i64 {
    120
}

fn default_seconds() -> u64 {
    5
}

/// Largest answer; a token with its certificates has a few KiB.
const MAX_ANSWER: usize = 64 * 1024;

/// Why there is no time-stamp.
#[derive(Debug, thiserror::Error)]
pub enum TimestampError {
    #[error("the time-stamp authority does not answer")]
    Unreachable(#[source] reqwest::Error),
    #[error("the time-stamp authority answered with HTTP status {0}")]
    Status(u16),
    #[error("the answer of the time-stamp authority is longer than {MAX_ANSWER} bytes")]
    TooLarge,
    #[error("the time-stamp authority's answer is not a time-stamp of what was asked")]
    Token(#[source] cms::TimestampError),
}

/// A client of the time-stamp authority.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Url,
    tolerance: TimeDelta,
    ambient: Ambient,
}

impl Client {
    /// A client; connects at first use. No redirects: the configured host is the only one ever asked.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn new(config: &TimestampConfig, ambient: Ambient) -> Result<Self, ConfigError> {
        let url = Url::parse(&config.url)
            .map_err(|error| ConfigError::key("timestamp.url", format!("not a URL: {error}")))?;
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(config.seconds))
            .pool_max_idle_per_host(1)
            .build()
            .map_err(|error| ConfigError::key("timestamp", error.to_string()))?;
        Ok(Self {
            http,
            url,
            tolerance: TimeDelta::seconds(config.tolerance_seconds),
            ambient,
        })
    }

    /// Whether a time-stamp may state this time, over a signature for an intent that has stood since `begun`.
    pub fn may_state(&self, time: DateTime<Utc>, begun: DateTime<Utc>) -> bool {
        begun - self.tolerance <= time && time <= self.ambient.now() + self.tolerance
    }

    /// A time-stamp over a signature value: the token, byte for byte as it came.
    ///
    /// # Errors
    /// [`TimestampError`]; a token for another imprint or nonce, or of a certificate that is not for time-stamping, is an error.
    pub async fn stamp(&self, signature_value: &[u8]) -> Result<TimestampToken, TimestampError> {
        let nonce = u64::from_be_bytes(self.ambient.bytes());
        let imprint: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(signature_value).into();
        let request = cms::timestamp_request(&imprint, nonce);
        let answer = self.post(request).await?;
        cms::parse_timestamp_response(&answer, &imprint, nonce).map_err(TimestampError::Token)
    }

    async fn post(&self, request: Vec<u8>) -> Result<BytesMut, TimestampError> {
        let response = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/timestamp-query")
            .body(request)
            .send()
            .await
            .map_err(TimestampError::Unreachable)?;
        if !response.status().is_success() {
            return Err(TimestampError::Status(response.status().as_u16()));
        }
        let mut body = response.bytes_stream();
        let mut answer = BytesMut::new();
        while let Some(chunk) = body.next().await {
            answer.extend_from_slice(&chunk.map_err(TimestampError::Unreachable)?);
            if answer.len() > MAX_ANSWER {
                return Err(TimestampError::TooLarge);
            }
        }
        Ok(answer)
    }
}
