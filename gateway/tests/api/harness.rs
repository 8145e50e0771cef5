//! One server that plays all services, and the gateway's router in front of it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::{Buf, Bytes};
use chrono::DateTime;
use futures::StreamExt;
use http::{HeaderMap, Request, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost::Message;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::{Code, Status};
use tower::{Service, ServiceExt};
use utoipa::openapi::OpenApi;
use wathiq_chassis::server::method_paths;
use wathiq_chassis::testing::{Pki, TRUST_DOMAIN};
use wathiq_chassis::{
    Ambient, ErrorDomain, GrpcServer, ManualClock, MethodRule, SeededRandom, UpstreamConfig, UserRule,
};
use wathiq_gateway::app::App;
use wathiq_gateway::client_address::Peer;
use wathiq_gateway::config::{HttpSettings, Settings, Upstreams};
use wathiq_proto::wathiq::identity::v1 as identity;

pub(crate) const ORIGIN: &str = "https://wathiq.test";
/// The secret of the session that the stub knows.
pub(crate) const SECRET: &str = "session-secret";
/// The token it is traded for.
pub(crate) const TOKEN: &str = "access-token";
/// The domain in the errors of a service.
pub(crate) const IDENTITY: ErrorDomain = ErrorDomain("identity.wathiq");
pub(crate) const KEY: &str = "018f3a8e-0000-7000-8000-000000000001";

const EXCHANGE: &str = "/wathiq.identity.v1.SessionService/ExchangeSession";
const QUOTA: &str = "/wathiq.identity.v1.DirectoryService/TakeQuota";

const SERVICES: [&str; 11] = [
    "wathiq.identity.v1.AccountService",
    "wathiq.identity.v1.ConfirmationService",
    "wathiq.identity.v1.DirectoryService",
    "wathiq.identity.v1.OfficeService",
    "wathiq.identity.v1.SessionService",
    "wathiq.identity.v1.SpecimenService",
    "wathiq.notification.v1.MessageService",
    "wathiq.signature.v1.DocumentService",
    "wathiq.signature.v1.LegalisationService",
    "wathiq.signature.v1.OfficeService",
    "wathiq.signature.v1.VerificationService",
];

/// A call as a service received it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) messages: Vec<Bytes>,
    /// The client ended its side; false where it broke the call off.
    pub(crate) whole: bool,
}

impl Call {
    pub(crate) fn message<M: Message + Default>(&self) -> M {
        M::decode(self.messages.first().cloned().unwrap_or_default()).unwrap()
    }
}

type Answer = Result<Vec<Vec<u8>>, Status>;
type Handler = Arc<dyn Fn(&Call) -> Answer + Send + Sync>;

/// The services: every method answers one empty message unless told otherwise.
#[derive(Default)]
pub(crate) struct Stub {
    handlers: Mutex<HashMap<String, Handler>>,
    begun: Mutex<Vec<String>>,
    calls: Mutex<Vec<Call>>,
}

impl Stub {
    pub(crate) fn on(&self, path: &str, handler: impl Fn(&Call) -> Answer + Send + Sync + 'static) {
        self.handlers
            .lock()
            .unwrap()
            .insert(path.to_owned(), Arc::new(handler));
    }

    pub(crate) fn answers(&self, path: &str, message: &impl Message) {
        let bytes = message.encode_to_vec();
        self.on(path, move |_| Ok(vec![bytes.clone()]));
    }

    pub(crate) fn refuses(&self, path: &str, status: Status) {
        self.on(path, move |_| Err(status.clone()));
    }

    /// The calls of a method so far.
    pub(crate) fn calls(&self, path: &str) -> Vec<Call> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|call| call.path == path)
            .cloned()
            .collect()
    }

    /// Whether a call of a method has begun, ended or not.
    pub(crate) fn has_begun(&self, path: &str) -> bool {
        self.begun.lock().unwrap().iter().any(|begun| begun == path)
    }

    /// Calls that carry the user's work, without the gateway's own.
    pub(crate) fn work(&self) -> Vec<Call> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .filter(|call| call.path != EXCHANGE && call.path != QUOTA)
            .cloned()
            .collect()
    }

    pub(crate) fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }

    async fn serve(&self, request: Request<tonic::body::Body>) -> http::Response<tonic::body::Body> {
        let (parts, mut body) = request.into_parts();
        self.begun.lock().unwrap().push(parts.uri.path().to_owned());
        let mut bytes = Vec::new();
        let mut whole = true;
        while let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => bytes.extend_from_slice(&data),
                Ok(Err(_)) => {}
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
        let path = parts.uri.path().to_owned();
        let call = Call {
            path,
            headers: parts.headers,
            messages: messages(bytes.into()),
            whole,
        };
        self.calls.lock().unwrap().push(call.clone());
        let handler = self.handlers.lock().unwrap().get(&call.path).cloned();
        let answer = handler.map_or_else(|| Ok(vec![Vec::new()]), |handler| handler(&call));
        respond(answer)
    }
}

fn messages(mut bytes: Bytes) -> Vec<Bytes> {
    let mut messages = Vec::new();
    while bytes.remaining() >= 5 {
        assert_eq!(bytes.get_u8(), 0, "messages are not compressed");
        let length = bytes.get_u32() as usize;
        messages.push(bytes.split_to(length.min(bytes.len())));
    }
    messages
}

fn respond(answer: Answer) -> http::Response<tonic::body::Body> {
    let (messages, status) = match answer {
        Ok(messages) => (messages, Status::new(Code::Ok, "")),
        Err(status) => return status.into_http(),
    };
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).unwrap();
    let frames = messages.into_iter().map(|message| {
        let mut framed = vec![0];
        framed.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        framed.extend(message);
        Ok::<_, Status>(Frame::data(Bytes::from(framed)))
    });
    let frames: Vec<_> = frames.chain([Ok(Frame::trailers(trailers))]).collect();
    let body = tonic::body::Body::new(StreamBody::new(futures::stream::iter(frames)));
    let response = http::Response::builder().header(header::CONTENT_TYPE, "application/grpc");
    response.body(body).unwrap()
}

#[derive(Clone)]
struct Stubbed<const N: usize>(Arc<Stub>);

impl<const N: usize> NamedService for Stubbed<N> {
    const NAME: &'static str = SERVICES[N];
}

impl<const N: usize> Service<Request<tonic::body::Body>> for Stubbed<N> {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let stub = Arc::clone(&self.0);
        Box::pin(async move { Ok(stub.serve(request).await) })
    }
}

/// The methods of the stubbed services.
pub(crate) fn all_methods() -> Vec<String> {
    let paths = method_paths(wathiq_proto::FILE_DESCRIPTOR_SET).unwrap();
    let stubbed = |path: &String| {
        SERVICES
            .iter()
            .any(|service| path.starts_with(&format!("/{service}/")))
    };
    paths.into_iter().filter(stubbed).collect()
}

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
                tls: None,
                problem_base: "https://wathiq.test/problems/".to_owned(),
                concurrent_uploads: 4,
            },
            upstream: Upstreams {
                identity: upstream.clone(),
                signature: upstream.clone(),
                notification: upstream,
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

async fn serve_stub(pki: &Pki, stub: &Arc<Stub>, shutdown: &CancellationToken) -> String {
    let rules: Vec<MethodRule> = all_methods()
        .into_iter()
        .map(|path| MethodRule {
            path: path.leak(),
            clients: &["gateway"],
            user: UserRule::None,
        })
        .collect();
    let server = GrpcServer::new(&pki.process("services"), rules.leak(), None)
        .unwrap()
        .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET)
        .add_service(Stubbed::<0>(stub.clone()))
        .add_service(Stubbed::<1>(stub.clone()))
        .add_service(Stubbed::<2>(stub.clone()))
        .add_service(Stubbed::<3>(stub.clone()))
        .add_service(Stubbed::<4>(stub.clone()))
        .add_service(Stubbed::<5>(stub.clone()))
        .add_service(Stubbed::<6>(stub.clone()))
        .add_service(Stubbed::<7>(stub.clone()))
        .add_service(Stubbed::<8>(stub.clone()))
        .add_service(Stubbed::<9>(stub.clone()))
        .add_service(Stubbed::<10>(stub.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    assert_eq!(TRUST_DOMAIN, "wathiq.test");
    address
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
