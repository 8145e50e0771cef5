//! CMI, the interbank centre: NestPay's hosted page (3D_PAY_HOSTING, hash ver3) and its XML API.

mod api;
mod entities;
mod form;
mod hash;
mod message;
mod order;

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

/// ISO 4217 number of the dirham, the only currency.
const CURRENCY: &str = "504";
/// Kind of the store: the provider hosts the page.
const STORE_TYPE: &str = "3D_PAY_HOSTING";

/// Section `[cmi]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CmiConfig {
    /// Where browsers post the form: `https://payment.cmi.co.ma/fim/est3Dgate`.
    pub gate_url: String,
    /// The XML API: `https://payment.cmi.co.ma/fim/api`.
    pub api_url: String,
    pub client_id: String,
    pub store_key_file: SecretFile,
    pub api_user: String,
    pub api_password_file: SecretFile,
    /// Where the provider posts its messages, on the gateway.
    pub callback_url: String,
    /// Where browsers come back to, on the gateway.
    pub ok_url: String,
    pub fail_url: String,
    /// The shop's own page.
    pub shop_url: String,
    /// PEM file of the authority of the API's certificate; the system's authorities where none is named.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Bound on one request to the API.
    #[serde(default = "seconds")]
    pub seconds: u64,
    /// Seconds that a payer has on the page: 30 to 2,700 (the provider's bounds).
    #[serde(default = "session_seconds")]
    pub session_seconds: u32,
    /// What the name of an issuer abroad contains (`EXTRA.CARDISSUER`, `EXTRA.CARDBRAND`).
    #[serde(default = "international_mark")]
    pub international_mark: String,
}

fn seconds() -> u64 {
    15
}

fn session_seconds() -> u32 {
    1_800
}

fn international_mark() -> String {
    "INTERNATIONAL".to_owned()
}

/// The driver.
pub struct Cmi {
    config: CmiConfig,
    store_key: SecretString,
    password: SecretString,
    http: reqwest::Client,
    api_url: reqwest::Url,
    ambient: Ambient,
}

impl Cmi {
    /// Reads the secrets; connects at first use.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn new(config: &CmiConfig, ambient: Ambient) -> Result<Self, ConfigError> {
        http::url("cmi.gate_url", &config.gate_url)?;
        for (key, url) in [
            ("cmi.callback_url", &config.callback_url),
            ("cmi.ok_url", &config.ok_url),
            ("cmi.fail_url", &config.fail_url),
            ("cmi.shop_url", &config.shop_url),
        ] {
            http::url(key, url)?;
        }
        if !(30..=2_700).contains(&config.session_seconds) {
            return Err(ConfigError::key("cmi.session_seconds", "must be 30 to 2700"));
        }
        let api_url = http::url("cmi.api_url", &config.api_url)?;
        Ok(Self {
            store_key: config.store_key_file.read()?,
            password: config.api_password_file.read()?,
            http: http::client("cmi", &api_url, config.seconds, config.ca.as_deref())?,
            api_url,
            config: config.clone(),
            ambient,
        })
    }
}

impl Driver for Cmi {
    fn next(&self, book: &Book, attempt: &Attempt) -> Next {
        form::next(self, book, attempt)
    }

    fn verify(&self, posted: &Posted<'_>) -> Result<Message, Unproven> {
        message::verify(self, posted.fields)
    }

    fn answer(&self, answer: Option<Answer>) -> &'static str {
        match answer {
            Some(Answer::Capture) => "ACTION=POSTAUTH",
            Some(Answer::Noted) => "APPROVED",
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
