//! Brings events to the platform.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::header::CONTENT_TYPE;
use serde::Serialize;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Carrier;

/// A message as it goes out; a repeat has the same id and body, and a time and signature of its own.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) media_type: &'static str,
    pub(super) body: Vec<u8>,
    /// Spoils the signature.
    pub(super) forged: bool,
    /// Added to the time of sending.
    pub(super) seconds_off: i64,
}

/// What became of the first try.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    webhook_id: String,
    /// HTTP status; absent when there was no answer.
    status: Option<u16>,
    answer: Option<String>,
}

impl Message {
    pub(super) fn new(url: String, media_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            id: format!("msg_{}", Uuid::now_v7().simple()),
            url,
            media_type,
            body,
            forged: false,
            seconds_off: 0,
        }
    }
}

impl Carrier {
    /// Sends a message until it is answered with something else than a failure of the server, and answers when the first
    /// try is over.
    pub(super) async fn tell(&self, message: Message) -> Report {
        let report = Arc::new(Mutex::new(Report {
            webhook_id: message.id.clone(),
            status: None,
            answer: None,
        }));
        let (over, first) = oneshot::channel();
        let (carrier, kept) = (self.clone(), Arc::clone(&report));
        tokio::spawn(async move { carrier.bring(&message, &kept, over).await });
        // A try that broke off is over too.
        let _over = first.await;
        let report = report.lock().unwrap_or_else(PoisonError::into_inner);
        report.clone()
    }

    async fn bring(&self, message: &Message, report: &Mutex<Report>, over: oneshot::Sender<()>) {
        let request = |client: &reqwest::Client| {
            let timestamp = crate::now().timestamp() + message.seconds_off;
            let signed_body: &[u8] = if message.forged {
                b"something else"
            } else {
                &message.body
            };
            let signature = self.0.account.inbound.sign(&message.id, timestamp, signed_body);
            client
                .post(&message.url)
                .header(CONTENT_TYPE, message.media_type)
                .header("webhook-id", &message.id)
                .header("webhook-timestamp", timestamp)
                .header("webhook-signature", signature)
                .body(message.body.clone())
        };
        let mut first = true;
        let done = self
            .0
            .courier
            .bring(Some(over), request, |answer| {
                let taken = answer.as_ref().is_some_and(|answer| answer.status < 500);
                if std::mem::take(&mut first) {
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    report.status = answer.as_ref().map(|answer| answer.status);
                    report.answer = answer.map(|answer| answer.text);
                }
                taken
            })
            .await;
        if !done {
            tracing::warn!(webhook_id = message.id, "a message is given up");
        }
    }
}
