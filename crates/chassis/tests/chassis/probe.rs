//! A service that tells what it sees, and the servers it stands on.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::{StreamExt, future::BoxFuture, stream};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status, body::Body, client::Grpc as Client, codegen::http, server::Grpc,
    server::NamedService,
};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};
use uuid::Uuid;
use wathiq_chassis::{
    CallContext, Caller, GrpcServer, ManualClock, MethodRule, ProcessConfig, TlsIdentity, TokenVerifier,
    UserRule,
    client::Channel,
    peer,
    server::ServeError,
    telemetry,
    testing::{self, Pki},
};

pub(crate) const SEE: &str = "/wathiq.test.v1.Probe/See";
pub(crate) const SEE_ANYBODY: &str = "/wathiq.test.v1.Probe/SeeAnybody";
pub(crate) const SEE_ALONE: &str = "/wathiq.test.v1.Probe/SeeAlone";
pub(crate) const FORWARD: &str = "/wathiq.test.v1.Probe/Forward";
pub(crate) const WAIT: &str = "/wathiq.test.v1.Probe/Wait";
pub(crate) const PANIC: &str = "/wathiq.test.v1.Probe/Panic";
pub(crate) const DRIP: &str = "/wathiq.test.v1.Probe/Drip";
pub(crate) const NOBODY: &str = "/wathiq.test.v1.Probe/Nobody";
pub(crate) const UNLISTED: &str = "/wathiq.test.v1.Probe/Unlisted";

pub(crate) static RULES: &[MethodRule] = &[
    MethodRule {
        path: SEE,
        clients: &["gateway", "first"],
        user: UserRule::Required,
    },
    MethodRule {
        path: SEE_ANYBODY,
        clients: &["gateway"],
        user: UserRule::Optional,
    },
    MethodRule {
        path: SEE_ALONE,
        clients: &["gateway", "first"],
        user: UserRule::None,
    },
    MethodRule {
        path: FORWARD,
        clients: &["gateway"],
        user: UserRule::Required,
    },
    MethodRule {
        path: WAIT,
        clients: &["gateway"],
        user: UserRule::None,
    },
    MethodRule {
        path: PANIC,
        clients: &["gateway"],
        user: UserRule::None,
    },
    MethodRule {
        path: DRIP,
        clients: &["gateway"],
        user: UserRule::None,
    },
    MethodRule {
        path: NOBODY,
        clients: &[],
        user: UserRule::None,
    },
];

/// What a handler saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sight {
    pub(crate) server: String,
    pub(crate) peer: String,
    pub(crate) person: Option<Uuid>,
    pub(crate) remaining_ms: u128,
    pub(crate) request_id: String,
    pub(crate) traceparent: Option<String>,
    pub(crate) has_bearer: bool,
}

#[derive(Clone)]
pub(crate) struct Probe {
    name: String,
    next: Option<Channel>,
    pub(crate) entered: Arc<Notify>,
    pub(crate) gate: Arc<Notify>,
}

impl Probe {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            next: None,
            entered: Arc::default(),
            gate: Arc::default(),
        }
    }

    pub(crate) fn forwarding_to(self, next: Channel) -> Self {
        Self {
            next: Some(next),
            ..self
        }
    }

    fn see(&self, request: &Request<String>) -> String {
        let context = CallContext::current().expect("a handler runs inside its call's context");
        let sight = Sight {
            server: self.name.clone(),
            peer: peer(request).0.clone(),
            person: request
                .extensions()
                .get::<Caller>()
                .map(|caller| caller.person_id),
            remaining_ms: context.remaining().as_millis(),
            request_id: context.request_id.clone(),
            traceparent: telemetry::traceparent(),
            has_bearer: context.bearer.is_some(),
        };
        serde_json::to_string(&sight).unwrap()
    }

    async fn answer(self, path: String, request: Request<String>) -> Result<Response<String>, Status> {
        match path.as_str() {
            FORWARD => {
                let mine = self.see(&request);
                let next = self.next.clone().expect("this probe forwards");
                let theirs = call(next, request.get_ref(), Request::new(String::new())).await?;
                Ok(Response::new(format!("[{mine},{theirs}]")))
            }
            WAIT => {
                self.entered.notify_one();
                self.gate.notified().await;
                Ok(Response::new("done".to_owned()))
            }
            PANIC => panic!("the probe was told to"),
            _ => Ok(Response::new(self.see(&request))),
        }
    }
}

impl NamedService for Probe {
    const NAME: &'static str = "wathiq.test.v1.Probe";
}

impl Service<http::Request<Body>> for Probe {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let probe = self.clone();
        let path = request.uri().path().to_owned();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
            if path == DRIP {
                let one_then_none = service_fn(|_: Request<String>| async {
                    let drops = stream::iter([Ok("drop".to_owned())]).chain(stream::pending());
                    Ok(Response::new(drops.boxed()))
                });
                return Ok(grpc.server_streaming(one_then_none, request).await);
            }
            let handler = service_fn(move |request| probe.clone().answer(path.clone(), request));
            Ok(grpc.unary(handler, request).await)
        })
    }
}

/// A probe server that runs.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) identity: Arc<TlsIdentity>,
    pub(crate) task: JoinHandle<Result<(), ServeError>>,
}

pub(crate) async fn start(config: &ProcessConfig, probe: Probe, verifier: TokenVerifier) -> Running {
    testing::telemetry();
    let listener = TcpListener::bind(config.listen).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = GrpcServer::new(config, RULES, Some(verifier))
        .unwrap()
        .add_service(probe);
    let identity = server.identity();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(server.serve(listener, shutdown.clone()));
    Running {
        address,
        shutdown,
        identity,
        task,
    }
}

/// One probe server and the gateway's channel to it.
pub(crate) struct World {
    pub(crate) pki: Pki,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) server: Running,
    pub(crate) channel: Channel,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Probe::new("probe")).await
    }

    pub(crate) async fn with(probe: Probe) -> Self {
        let pki = Pki::new();
        let clock = clock();
        let server = start(&pki.process("probe"), probe, testing::verifier(clock.clone())).await;
        let channel = pki.channel("gateway", "probe", server.address).unwrap();
        Self {
            pki,
            clock,
            server,
            channel,
        }
    }

    pub(crate) fn token(&self) -> String {
        testing::token(&testing::claims(PERSON, self.now()))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        wathiq_chassis::Clock::now(&*self.clock)
    }
}

pub(crate) const PERSON: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-11-22T10:00:00Z".parse().unwrap()))
}

pub(crate) async fn call(channel: Channel, path: &str, request: Request<String>) -> Result<String, Status> {
    let path = path.parse().unwrap();
    let codec = ProstCodec::<String, String>::default();
    Client::new(channel)
        .unary(request, path, codec)
        .await
        .map(Response::into_inner)
}

pub(crate) async fn see(channel: &Channel, path: &str, token: Option<&str>) -> Result<Sight, Status> {
    let request = match token {
        Some(token) => testing::with_token(String::new(), token),
        None => Request::new(String::new()),
    };
    call(channel.clone(), path, request)
        .await
        .map(|sight| serde_json::from_str(&sight).unwrap())
}

/// Waits for what must come, but not for ever.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what)
        .await
        .expect("it did not come within 20 seconds")
}
