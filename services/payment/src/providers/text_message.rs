//! Payment by text message: the provider asks the payer's phone, and tells the answer later. It captures at confirmation.

mod api;
mod message;

use std::path::PathBuf;

use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::SecretString;
use serde::Deserialize;
use wathiq_chassis::{Ambient, ConfigError, SecretFile};

use super::{Driver, Message, Next, Posted, ProviderError, Unproven, http};
use crate::domain::attempt::Attempt;
use crate::domain::book::Book;
use crate::domain::provider::{Act, Answer, Outcome, Status};

const CURRENCY: &str = "MAD";

/// Section `[text_message]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextMessageConfig {
    /// Origin of the provider's interface, without `/payments`.
    pub url: String,
    pub key_file: SecretFile,
    /// Signs the provider's messages.
    pub secret_file: SecretFile,
    /// Where the provider posts its messages, on the gateway.
    pub callback_url: String,
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Bound on one request.
    #[serde(default = "seconds")]
    pub seconds: u64,
    /// Seconds that a payer has to answer.
    #[serde(default = "session_seconds")]
    pub session_seconds: u32,
}

fn seconds() -> u64 {
    15
}

fn session_seconds() -> u32 {
    900
}

/// The driver.
pub struct TextMessage {
    callback_url: String,
    key: SecretString,
    secret: SecretString,
    http: reqwest::Client,
    url: reqwest::Url,
    ambient: Ambient,
}

impl TextMessage {
    /// Reads the secrets; connects at first use.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn new(config: &TextMessageConfig, ambient: Ambient) -> Result<Self, ConfigError> {
        let url = format!("{}/", config.url.trim_end_matches('/'));
        let url = http::url("text_message.url", &url)?;
        http::url("text_message.callback_url", &config.callback_url)?;
        Ok(Self {
            callback_url: config.callback_url.clone(),
            key: config.key_file.read()?,
            secret: config.secret_file.read()?,
            http: http::client("text_message", &url, config.seconds, config.ca.as_deref())?,
            url,
            ambient,
        })
    }
}

impl Driver for TextMessage {
    fn next(&self, _book: &Book, _attempt: &Attempt) -> Next {
        Next::Phone
    }

    fn verify(&self, posted: &Posted<'_>) -> Result<Message, Unproven> {
        message::verify(&self.secret, posted, self.ambient.now())
    }

    fn answer(&self, answer: Option<Answer>) -> &'static str {
        match answer {
            Some(Answer::Capture | Answer::Noted) => "OK",
            None => "FAILURE",
        }
    }

    fn status<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Status, ProviderError>> {
        api::status(self, attempt).boxed()
    }

    fn act<'a>(&'a self, book: &'a Book, attempt: &'a Attempt, act: &'a Act) -> BoxFuture<'a, Outcome> {
        api::act(self, book, attempt, act).boxed()
    }
}
