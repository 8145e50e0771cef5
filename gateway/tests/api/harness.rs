//! The gateway's router in front of the stub services.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use chrono::DateTime;
use futures::StreamExt;
use http::{HeaderMap, Request, StatusCode, header};
use prost::Message;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tower::ServiceExt;
use utoipa::openapi::OpenApi;
use wathiq_chassis::testing::Pki;
use wathiq_chassis::{Ambient, ErrorDomain, ManualClock, SeededRandom, UpstreamConfig};
use wathiq_gateway::app::App;
use wathiq_gateway::client_address::Peer;
use wathiq_gateway::config::{HttpSettings, Limits, Settings, Upstreams};
use wathiq_proto::wathiq::identity::v1 as identity;

use crate::stub::{EXCHANGE, QUOTA, Stub, serve_stub};

pub(crate) const ORIGIN: &str = "https://wathiq.test";
/// The secret of the session that the stub knows.
pub(crate) const SECRET: &str = "session-secret";
/// The token it is traded for.
pub(crate) const TOKEN: &str = "access-token";
/// The domain in the errors of a service.
pub(crate) const IDENTITY: ErrorDomain = ErrorDomain("identity.wathiq");
pub(crate) const KEY: &str = "018f3a8e-0000-7000-8000-000000000001";

/// The gateway in front of the stub.
pub(crate) struct Edge {
    pub(crate) router: Router,
    pub(crate) document: OpenApi,
    pub(crate) stub: Arc<Stub>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) settings: Settings,
    shutdown: CancellationToken,
    _pki: Pki,
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Edge {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let pki = Pki::new();
        let stub = Arc::new(Stub::default());
        let shutdown = CancellationToken::new();
        let address = serve_stub(&pki, &stub, &shutdown).await;
        let upstream = UpstreamConfig {
            addresses: vec![address],
            server_name: "services".to_owned(),
        };
        let mut settings = Settings {
            process: pki.process("gateway"),
            http: HttpSettings {
                listen: "127.0.0.1:0".parse().unwrap(),
                public_url: ORIGIN.to_owned(),
                trusted_proxies: Vec::new(),
                trusted_tracers: Vec::new(),
                tls: None,
                problem_base: "https://wathiq.test/problems/".to_owned(),
                limits: Limits::default(),
            },
            upstream: Upstreams {
                identity: upstream.clone(),
                signature: upstream.clone(),
                notification: upstream.clone(),
                payment: upstream.clone(),
                postal_shipping: upstream.clone(),
                civil_registry_order: upstream,
            },
        };
        change(&mut settings);
        settings.check().unwrap();
        let clock = Arc::new(ManualClock::new(
            DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        ));
        let ambient = Ambient {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(7)),
        };
        let (router, document) = wathiq_gateway::router(App::new(settings.clone(), ambient).unwrap());
        let edge = Edge {
            router,
            document,
            stub,
            clock,
            settings,
            shutdown,
            _pki: pki,
        };
        edge.know_the_session();
        edge
    }

    fn know_the_session(&self) {
        self.stub.on(EXCHANGE, |call| {
            let request: identity::ExchangeSessionRequest = call.message();
            if request.session_secret != SECRET {
                return Err(Status::unauthenticated("no such session"));
            }
            let answer = identity::ExchangeSessionResponse {
                access_token: TOKEN.to_owned(),
                person_id: "person".to_owned(),
                session_id: "session".to_owned(),
                surface: identity::SessionSurface::Citizen as i32,
                expire_time: None,
            };
            Ok(vec![answer.encode_to_vec()])
        });
        let free = identity::TakeQuotaResponse {
            allowed: true,
            limit: 100,
            remaining: 99,
            retry_after_seconds: 0,
            reset_seconds: 7,
        };
        self.stub.answers(QUOTA, &free);
    }

    pub(crate) fn limit_reached(&self) {
        let full = identity::TakeQuotaResponse {
            allowed: false,
            limit: 10,
            remaining: 0,
            retry_after_seconds: 12,
            reset_seconds: 60,
        };
        self.stub.answers(QUOTA, &full);
    }

    pub(crate) fn limits_down(&self) {
        self.stub.refuses(QUOTA, Status::unavailable("no database"));
    }

    /// The body of an answer, which is read as the test goes on.
    pub(crate) async fn open(&self, mut request: Request<Body>) -> BodyDataStream {
        let peer = Peer("127.0.0.1:4711".parse().unwrap());
        request.extensions_mut().insert(peer);
        let response = self.router.clone().oneshot(request).await.unwrap();
        response.into_body().into_data_stream()
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Reply {
        let peer = Peer("127.0.0.1:4711".parse().unwrap());
        request.extensions_mut().insert(peer);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let mut bytes = Vec::new();
        let mut whole = true;
        let mut stream = body.into_data_stream();
        while let Some(chunk) = stream.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(_) => whole = false,
            }
        }
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: bytes,
            whole,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(request("GET", path).body(Body::empty()).unwrap()).await
    }

    /// Sends JSON as a program does that is signed in.
    pub(crate) async fn json(&self, method: &str, path: &str, body: &Value) -> Reply {
        let request = signed_in(method, path)
            .header("idempotency-key", KEY)
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Waits until something holds, at most ten seconds.
    pub(crate) async fn until(&self, holds: impl Fn(&Stub) -> bool) {
        let waiting = async {
            while !holds(&self.stub) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .expect("it holds in time");
    }
}

pub(crate) fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path)
}

pub(crate) fn signed_in(method: &str, path: &str) -> http::request::Builder {
    request(method, path).header(header::AUTHORIZATION, format!("Bearer {SECRET}"))
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The body did not break off.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The problem, which must be one.
    #[track_caller]
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{}",
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        for member in ["type", "title", "detail", "reason", "request_id"] {
            assert!(
                problem[member].as_str().is_some_and(|text| !text.is_empty()),
                "{member} in {problem}"
            );
        }
        problem
    }

    #[track_caller]
    pub(crate) fn reason(&self) -> String {
        self.problem()["reason"].as_str().unwrap().to_owned()
    }
}
