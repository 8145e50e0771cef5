//! The gateway's JSON API as a program calls it.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How often a patient client sends a call again before it gives up.
const REPEATS: u32 = 5;
/// Longest wait that a patient client accepts at once, in seconds.
const LONGEST_WAIT: u64 = 90;

/// An answer that was not a success: the problem document (RFC 9457).
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub problem: Value,
}

impl Refused {
    /// What was said of one item of a batch, in the shape of a problem document.
    #[must_use]
    pub fn of(reason: &str, detail: &str) -> Self {
        let problem = json!({
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": detail,
            "reason": reason,
        });
        Self { status: 422, problem }
    }

    /// The stable code.
    #[must_use]
    pub fn reason(&self) -> &str {
        self.problem["reason"].as_str().unwrap_or_default()
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "refused with {} {}: {}",
            self.status,
            self.reason(),
            self.problem
        )
    }
}

impl std::error::Error for Refused {}

/// A client, signed in or not. Cloning is cheap.
#[derive(Clone)]
pub struct Api {
    base: String,
    http: reqwest::Client,
    session: Option<String>,
    /// W3C trace context sent with each call, where the caller follows the trace.
    traceparent: Option<String>,
    /// Language of people's texts, where not the person's own.
    language: Option<&'static str>,
    /// Whether calls beyond a limit wait and are sent again.
    patient: bool,
    /// Where given, the idempotency key of a mutating call follows from this and from what is asked.
    seed: Option<String>,
}

impl Api {
    /// A client that is not signed in.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(base: &str) -> Result<Self> {
        let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()?;
        Ok(Self {
            base: base.to_owned(),
            http,
            session: None,
            traceparent: None,
            language: None,
            patient: false,
            seed: None,
        })
    }

    /// The same client with a session's secret.
    #[must_use]
    pub fn with_session(&self, secret: &str) -> Self {
        Self {
            session: Some(secret.to_owned()),
            ..self.clone()
        }
    }

    /// Where the gateway answers.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The session's secret, where signed in.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The same client at another address.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.to_owned(),
            ..self.clone()
        }
    }

    /// The same client for calls that have their effect once: repeated in another run of the same seed, such a call gets the
    /// first one's answer, for as long as the platform keeps it (24 hours).
    #[must_use]
    pub fn once(&self, seed: &str) -> Self {
        Self {
            seed: Some(seed.to_owned()),
            ..self.clone()
        }
    }

    /// The same client continuing a trace.
    #[must_use]
    pub fn with_traceparent(&self, traceparent: &str) -> Self {
        Self {
            traceparent: Some(traceparent.to_owned()),
            ..self.clone()
        }
    }

    /// The same client with people's texts in a language.
    #[must_use]
    pub fn in_language(&self, language: &'static str) -> Self {
        Self {
            language: Some(language),
            ..self.clone()
        }
    }

    /// The same client waiting as long as the gateway says where a limit is reached.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self {
            patient: true,
            ..self.clone()
        }
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// [`Refused`], or when the gateway does not answer.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.answer(self.request(Method::GET, path)).await
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Refused`], or when the gateway does not answer.
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>> {
        let response = self.success(self.request(Method::GET, path)).await?;
        Ok(response.bytes().await?.to_vec())
    }

    /// A mutating call with a JSON body and an idempotency key of its own.
    ///
    /// # Errors
    /// [`Refused`], or when the gateway does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// As [`Api::post`], where the answer is a file.
    ///
    /// # Errors
    /// [`Refused`], or when the gateway does not answer.
    pub async fn post_for_bytes(&self, path: &str, body: &Value) -> Result<Vec<u8>> {
        let key = self.key(&Method::POST, path, body.to_string().as_bytes());
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        let response = self.success(request.json(body)).await?;
        Ok(response.bytes().await?.to_vec())
    }

    /// As [`Api::post`], with PUT.
    ///
    /// # Errors
    /// [`Refused`], or when the gateway does not answer.
    pub async fn put(&self, path: &str, body: Option<&Value>) -> Result<Value> {
        self.send(Method::PUT, path, body).await
    }

    /// A mutating call of any method.
    ///
    /// # Errors
    /// [`Refused`], or when the gateway does not answer.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let content = body.map(Value::to_string).unwrap_or_default();
        let key = self.key(&method, path, content.as_bytes());
        let request = self.request(method, path).header("idempotency-key", key);
        self.answer(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// Sends bytes of a media type.
    ///
    /// # Errors
    /// [`Refused`], or when the gateway does not answer.
    pub async fn upload(&self, path: &str, media_type: &str, bytes: Vec<u8>) -> Result<Value> {
        let key = self.key(&Method::POST, path, &bytes);
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        self.answer(request.header(CONTENT_TYPE, media_type).body(bytes))
            .await
    }

    fn key(&self, method: &Method, path: &str, content: &[u8]) -> String {
        let Some(seed) = &self.seed else {
            return new_key();
        };
        let mut digest = Sha256::new();
        for part in [
            seed.as_bytes(),
            method.as_str().as_bytes(),
            path.as_bytes(),
            content,
        ] {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        let digest: [u8; 32] = digest.finalize().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// A request to be completed by the caller.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(secret) = &self.session {
            request = request.header(AUTHORIZATION, format!("Bearer {secret}"));
        }
        if let Some(traceparent) = &self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        if let Some(language) = self.language {
            request = request.header(ACCEPT_LANGUAGE, language);
        }
        request
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Value> {
        let text = self.success(request).await?.text().await?;
        if text.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_str(&text).context("the answer is not JSON")
        }
    }

    /// Sends a call, again with the same idempotency key where this client is patient.
    async fn success(&self, request: RequestBuilder) -> Result<Response> {
        let mut request = request;
        for _ in 0..REPEATS {
            let again = request.try_clone().filter(|_| self.patient);
            let sent = request.send().await;
            let wait = match &sent {
                Ok(response) if response.status() == StatusCode::TOO_MANY_REQUESTS => retry_after(response),
                // A gateway that refuses before it has read the body may end the connection, which the next call finds.
                Err(error) if error.is_request() && !error.is_timeout() => Some(Duration::from_millis(200)),
                _ => None,
            };
            match again.zip(wait) {
                Some((again, wait)) => {
                    tokio::time::sleep(wait).await;
                    request = again;
                }
                None => return judged(sent.context("the gateway did not answer")?).await,
            }
        }
        judged(request.send().await.context("the gateway did not answer")?).await
    }
}

/// How long the gateway asks to wait.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds: u64 = seconds.parse().ok()?;
    (seconds <= LONGEST_WAIT).then(|| Duration::from_secs(seconds))
}

/// A fresh idempotency key.
#[must_use]
pub fn new_key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The answer if it is a success, else the problem it states.
async fn judged(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    let problem = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Err(Refused {
        status: status.as_u16(),
        problem,
    }
    .into())
}

/// The text of a member, which must be there.
///
/// # Errors
/// When it is absent or no text.
pub fn text<'value>(value: &'value Value, pointer: &str) -> Result<&'value str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .with_context(|| format!("no {pointer} in {value}"))
}
