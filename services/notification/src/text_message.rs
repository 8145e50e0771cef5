//! Text messages by a provider.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Certificate, StatusCode, Url, redirect};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use wathiq_chassis::{BoxError, ConfigError};

use crate::config::TextConfig;

/// Longest answer of a provider that is looked at.
const MAX_ANSWER: usize = 16 * 1024;

/// A text message. It does not print.
pub struct TextMessage<'a> {
    /// E.164.
    pub to: &'a str,
    pub text: &'a str,
    /// The same for every attempt, by which the provider recognises a repeat.
    pub reference: &'a str,
}

/// Why something was not sent, by a mail server or a provider alike.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// For good.
    #[error("refused for good: {code}")]
    Refused { code: String },
    /// Worth another attempt.
    #[error("not taken now: {code}")]
    Unavailable { code: String, source: BoxError },
}

/// Somebody who brings text messages to phones.
pub trait TextMessageProvider: Send + Sync {
    /// Hands a message over. Sending one again under the same reference sends nothing.
    fn send<'a>(&'a self, message: TextMessage<'a>) -> BoxFuture<'a, Result<(), SendError>>;
}

/// A provider with an HTTP interface: `POST {url}/v1/messages` under a bearer key.
pub struct HttpProvider {
    http: reqwest::Client,
    url: Url,
    from: String,
}

#[derive(Serialize)]
struct Submission<'a> {
    to: &'a str,
    from: &'a str,
    text: &'a str,
    reference: &'a str,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: String,
}

impl HttpProvider {
    /// Connects at first use. No redirects: the key is for the configured host alone.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn new(config: &TextConfig) -> Result<Self, ConfigError> {
        let url = format!("{}/v1/messages", config.url.trim_end_matches('/'));
        let url =
            Url::parse(&url).map_err(|error| ConfigError::key("text.url", format!("not a URL: {error}")))?;
        let key = format!("Bearer {}", config.key_file.read()?.expose_secret().trim());
        let mut key = HeaderValue::try_from(key)
            .map_err(|_| ConfigError::key("text.key_file", "the key has characters that no header takes"))?;
        key.set_sensitive(true);
        let mut builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(config.seconds))
            .pool_max_idle_per_host(1)
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, key)]));
        if let Some(authorities) = authorities(config, &url)? {
            builder = builder.tls_certs_only(authorities);
        }
        let http = builder
            .build()
            .map_err(|error| ConfigError::key("text", error.to_string()))?;
        Ok(Self {
            http,
            url,
            from: config.from.clone(),
        })
    }

    async fn submit(&self, message: TextMessage<'_>) -> Result<(), SendError> {
        let TextMessage { to, text, reference } = message;
        let submission = Submission {
            to,
            from: &self.from,
            text,
            reference,
        };
        let response = self.http.post(self.url.clone()).json(&submission).send().await;
        let response = response.map_err(|error| SendError::Unavailable {
            code: if error.is_timeout() {
                "TEXT_TIMEOUT"
            } else {
                "TEXT_UNREACHABLE"
            }
            .to_owned(),
            source: error.without_url().into(),
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let answer = response.bytes().await.unwrap_or_default();
        let answer = answer.get(..answer.len().min(MAX_ANSWER)).unwrap_or_default();
        let refusal: Refusal = serde_json::from_slice(answer).unwrap_or_default();
        Err(refused(status, &refusal.code))
    }
}

impl TextMessageProvider for HttpProvider {
    fn send<'a>(&'a self, message: TextMessage<'a>) -> BoxFuture<'a, Result<(), SendError>> {
        self.submit(message).boxed()
    }
}

/// What an installation trusts: the named authority, nobody where nothing is encrypted, the system's otherwise.
fn authorities(config: &TextConfig, url: &Url) -> Result<Option<Vec<Certificate>>, ConfigError> {
    let Some(path) = &config.ca else {
        return Ok((url.scheme() == "http").then(Vec::new));
    };
    let pem = std::fs::read(path).map_err(|source| ConfigError::Read {
        path: path.clone(),
        source,
    })?;
    let certificates = Certificate::from_pem_bundle(&pem);
    certificates
        .map(Some)
        .map_err(|error| ConfigError::key("text.ca", error.to_string()))
}

/// Only what is wrong with this one message is final: a wrong key or an empty account is mended by the operator.
fn refused(status: StatusCode, code: &str) -> SendError {
    let readable =
        (1..=40).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let code = if readable {
        format!("TEXT_{}", code.to_ascii_uppercase())
    } else {
        format!("TEXT_{}", status.as_u16())
    };
    match status {
        StatusCode::BAD_REQUEST | StatusCode::GONE | StatusCode::UNPROCESSABLE_ENTITY => {
            SendError::Refused { code }
        }
        _ => SendError::Unavailable {
            code,
            source: format!("the provider answered with HTTP status {status}").into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fault_of_the_message_is_final() {
        let final_code = |status, code| match refused(status, code) {
            SendError::Refused { code } => Some(code),
            SendError::Unavailable { .. } => None,
        };
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        assert_eq!(
            final_code(unprocessable, "invalid_recipient").unwrap(),
            "TEXT_INVALID_RECIPIENT"
        );
        assert_eq!(final_code(unprocessable, "+212600000000").unwrap(), "TEXT_422");
        for status in [
            StatusCode::UNAUTHORIZED,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::BAD_GATEWAY,
        ] {
            assert_eq!(final_code(status, "invalid_key"), None, "{status}");
        }
    }
}
