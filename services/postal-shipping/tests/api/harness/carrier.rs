//! A carrier that takes deposit lists, or does not.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use secrecy::SecretString;
use tokio::net::TcpListener;
use wathiq_postal_shipping::domain::webhook::{Secret, Signed};

use super::OUTBOUND;

/// A list as the carrier got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) office: String,
    pub(crate) csv: String,
    pub(crate) signed: bool,
}

struct Standing {
    answer: StatusCode,
    got: Vec<Got>,
}

/// A running carrier; it ends with the runtime of its test.
pub(crate) struct FakeCarrier {
    url: String,
    standing: Arc<Mutex<Standing>>,
}

impl FakeCarrier {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let standing = Arc::new(Mutex::new(Standing {
            answer: StatusCode::ACCEPTED,
            got: Vec::new(),
        }));
        let routes = Router::new()
            .route("/deposit-lists", post(take))
            .with_state(Arc::clone(&standing));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, standing }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it answers from now on.
    pub(crate) fn answers(&self, status: u16) {
        self.standing.lock().unwrap().answer = StatusCode::from_u16(status).unwrap();
    }

    /// Everything it got, taken or not.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.standing.lock().unwrap().got.clone()
    }
}

async fn take(State(standing): State<Arc<Mutex<Standing>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let (id, timestamp, signatures) = (
        text("webhook-id"),
        text("webhook-timestamp"),
        text("webhook-signature"),
    );
    let signed = Signed {
        id: &id,
        timestamp: &timestamp,
        signatures: &signatures,
        body: &body,
    };
    let now = chrono::DateTime::from_timestamp_secs(timestamp.parse().unwrap_or_default()).unwrap();
    let secret = Secret::parse(&SecretString::from(OUTBOUND)).unwrap();
    let signed = signed.verify(&[secret], now).is_ok();
    let mut standing = standing.lock().unwrap();
    standing.got.push(Got {
        number: text("wathiq-deposit-list"),
        office: text("wathiq-office"),
        csv: String::from_utf8(body.to_vec()).unwrap(),
        signed,
        id,
    });
    standing.answer
}
