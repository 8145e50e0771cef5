//! The ways out to payment providers. A driver speaks one protocol; what is done with its answers is the domain's.

pub mod cmi;
mod http;
pub mod text_message;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use wathiq_chassis::BoxError;

use crate::domain::attempt::Attempt;
use crate::domain::book::Book;
use crate::domain::provider::{Act, Answer, Outcome, Provider, Status, Success};

/// A field as it was posted, or is to be posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: String,
}

impl Field {
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// What the payer does next.
pub enum Next {
    /// The browser posts this form.
    Form { action_url: String, fields: Vec<Field> },
    /// The payer answers on the phone.
    Phone,
}

/// What a provider posted, or a browser that comes back from it.
pub struct Posted<'a> {
    pub fields: &'a [Field],
    pub body: &'a [u8],
    pub signature: &'a str,
}

/// A message whose proof holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub order_id: String,
    /// The provider's transaction, or what else tells this message from another of the order.
    pub key: String,
    /// None where the payer gave up without having tried.
    pub amount: Option<i64>,
    pub outcome: Told,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Success(Success),
    Declined {
        code: String,
    },
    /// The payer can no longer succeed.
    Over,
}

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    #[error("a field comes twice")]
    Doubled,
    #[error("a field is missing or cannot be read")]
    Malformed,
    #[error("the hash or signature is not the provider's")]
    Forged,
    #[error("the message was sent at another time")]
    Stale,
    #[error("the message is about another merchant, currency or kind of payment")]
    Foreign,
}

impl Unproven {
    /// The stable code, for the audit trail and metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Doubled => "FIELD_DOUBLED",
            Self::Malformed => "MESSAGE_MALFORMED",
            Self::Forged => "HASH_WRONG",
            Self::Stale => "MESSAGE_STALE",
            Self::Foreign => "MERCHANT_DIFFERS",
        }
    }
}

/// Why a provider gave no status.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("the provider does not answer")]
    Unavailable(#[source] BoxError),
    #[error("the provider's answer cannot be read: {0}")]
    Unreadable(&'static str),
}

/// One provider.
pub trait Driver: Send + Sync {
    /// What the payer does next in an attempt.
    fn next(&self, book: &Book, attempt: &Attempt) -> Next;
    /// Reads a message or a browser's return, if its proof holds.
    ///
    /// # Errors
    /// [`Unproven`].
    fn verify(&self, posted: &Posted<'_>) -> Result<Message, Unproven>;
    /// The bare text that answers a message; `None` for one that is not taken.
    fn answer(&self, answer: Option<Answer>) -> &'static str;
    /// What the provider says of an order id.
    fn status<'a>(&'a self, attempt: &'a Attempt) -> BoxFuture<'a, Result<Status, ProviderError>>;
    /// Tells the provider something.
    fn act<'a>(&'a self, book: &'a Book, attempt: &'a Attempt, act: &'a Act) -> BoxFuture<'a, Outcome>;
}

/// The providers by which people can pay.
#[derive(Clone, Default)]
pub struct Providers(BTreeMap<Provider, Arc<dyn Driver>>);

impl Providers {
    /// Adds one.
    #[must_use]
    pub fn with(mut self, provider: Provider, driver: Arc<dyn Driver>) -> Self {
        self.0.insert(provider, driver);
        self
    }

    /// The driver of a provider, where it is configured.
    pub fn get(&self, provider: Provider) -> Option<&Arc<dyn Driver>> {
        self.0.get(&provider)
    }

    /// Those that are configured.
    pub fn offered(&self) -> impl Iterator<Item = Provider> {
        self.0.keys().copied()
    }
}
