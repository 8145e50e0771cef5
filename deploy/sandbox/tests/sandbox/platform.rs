//! The platform's side: a listener that answers callbacks as a test wants, and a running sandbox.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use reqwest::{Client, Response};
use serde_json::Value;
use wathiq_sandbox::{Patience, Settings, carrier, cmi, text_payment};

/// What a partner has sent.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Message {
    /// The fields of a form.
    pub(crate) fn fields(&self) -> Vec<(String, String)> {
        let text = std::str::from_utf8(&self.body).unwrap();
        let uri = format!("/?{text}").parse().unwrap();
        axum::extract::Query::try_from_uri(&uri).unwrap().0
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// The listener.
#[derive(Clone, Default)]
pub(crate) struct Platform {
    heard: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
    usual: Arc<Mutex<(u16, &'static str)>>,
}

async fn hear(
    State(platform): State<Platform>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    platform.heard.lock().unwrap().push(Message { headers, body });
    let next = platform.answers.lock().unwrap().pop_front();
    let (status, text) = next.unwrap_or(*platform.usual.lock().unwrap());
    (StatusCode::from_u16(status).unwrap(), text)
}

impl Platform {
    /// Answers `first`, one after the other, and then always `usual`.
    pub(crate) fn answers(&self, first: &[(u16, &'static str)], usual: (u16, &'static str)) {
        *self.answers.lock().unwrap() = first.iter().copied().collect();
        *self.usual.lock().unwrap() = usual;
    }

    pub(crate) fn heard(&self) -> Vec<Message> {
        self.heard.lock().unwrap().clone()
    }

    /// Once that many messages have come.
    pub(crate) async fn hears(&self, count: usize) -> Vec<Message> {
        wait_until("the platform hears", async || self.heard().len() >= count).await;
        assert_eq!(self.heard().len(), count);
        self.heard()
    }
}

/// Looks every 10 ms, for at most 20 s.
pub(crate) async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A running sandbox and the platform that it talks to.
pub(crate) struct World {
    pub(crate) platform: Platform,
    pub(crate) platform_url: String,
    pub(crate) url: String,
    pub(crate) client: Client,
}

pub(crate) const STORE_KEY: &str = "TEST|1234";
pub(crate) const INBOUND: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const OUTBOUND: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(None).await
    }

    pub(crate) async fn with(journal: Option<&Path>) -> Self {
        let platform = Platform::default();
        platform.answers(&[], (200, "APPROVED"));
        let listener = Router::new().fallback(hear).with_state(platform.clone());
        let platform_url = serve(listener).await;
        let secret = |text| carrier::Secret::read(text).unwrap();
        let router = wathiq_sandbox::router(Settings {
            text_message_key: "sms".to_owned(),
            cmi: cmi::Store {
                client_id: "600000001".to_owned(),
                store_key: STORE_KEY.to_owned(),
                api_name: "api".to_owned(),
                api_password: "p<&>w".to_owned(),
            },
            text_payment: text_payment::Account {
                key: "key".to_owned(),
                callback_secret: "secret".to_owned(),
            },
            carrier: carrier::Account {
                webhook_url: format!("{platform_url}/events"),
                csv_url: format!("{platform_url}/files"),
                inbound: secret(INBOUND),
                outbound: vec![secret(OUTBOUND)],
            },
            patience: Patience {
                answer: Duration::from_secs(5),
                pauses: vec![Duration::from_millis(20); 3],
                silence: Duration::from_millis(50),
            },
            journal: journal.map(Path::to_owned),
        });
        Self {
            platform,
            platform_url,
            url: serve(router.unwrap()).await,
            client: Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}{path}", self.url));
        request.json(body).send().await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) {
        let request = self.client.put(format!("{}{path}", self.url));
        assert_eq!(request.json(body).send().await.unwrap().status(), 204);
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(String, String)]) -> Response {
        let request = self.client.post(format!("{}{path}", self.url));
        request.form(fields).send().await.unwrap()
    }
}
