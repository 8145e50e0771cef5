//! Stand-ins for the platform's partners that speak the partners' own protocols, for demonstration and tests. Never
//! linked into a service.

pub mod carrier;
pub mod cmi;
mod courier;
mod faults;
mod journal;
mod page;
pub mod text_message;
pub mod text_payment;

use std::path::PathBuf;

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use chrono::{DateTime, Utc};

pub use courier::Patience;

use courier::Courier;
use journal::Journal;

/// Every partner's account, and what they share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The bearer key of the provider of text messages.
    pub text_message_key: String,
    pub cmi: cmi::Store,
    pub text_payment: text_payment::Account,
    pub carrier: carrier::Account,
    pub patience: Patience,
    /// Where orders, payments and items are kept over a restart; nowhere when absent.
    pub journal: Option<PathBuf>,
}

/// Every partner behind one listener.
///
/// # Errors
/// When the journal cannot be read or the HTTP client cannot be built.
pub fn router(settings: Settings) -> Result<Router> {
    let (journal, known) = Journal::open(settings.journal.as_deref())?;
    let courier = Courier::new(settings.patience)?;
    let text_messages = text_message::Provider::new(&settings.text_message_key);
    Ok(Router::new()
        .route("/", get(page::home))
        .merge(text_messages.router())
        .merge(cmi::router(
            settings.cmi,
            &known,
            journal.clone(),
            courier.clone(),
        ))
        .merge(text_payment::router(
            settings.text_payment,
            &known,
            journal.clone(),
            courier.clone(),
        ))
        .merge(carrier::router(settings.carrier, &known, journal, courier)))
}

fn now() -> DateTime<Utc> {
    DateTime::from(std::time::SystemTime::now())
}
