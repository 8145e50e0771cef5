//! Traces reach a collector over OTLP. A binary of its own, because telemetry is turned on once in a process.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

use std::{
    convert::Infallible,
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, body::Body, codegen::http, server::Grpc, server::NamedService};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};
use wathiq_chassis::{telemetry, testing::Pki};

/// The part of `opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest` that the test looks at.
#[derive(Clone, PartialEq, prost::Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
}

#[derive(Clone)]
struct Collector(mpsc::UnboundedSender<Export>);

impl NamedService for Collector {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl Service<http::Request<Body>> for Collector {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let sender = self.0.clone();
        Box::pin(async move {
            let handler = service_fn(move |request: Request<Export>| {
                sender.send(request.into_inner()).unwrap();
                async { Ok::<_, Status>(Response::new(())) }
            });
            Ok(Grpc::new(ProstCodec::<(), Export>::default())
                .unary(handler, request)
                .await)
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_span_reaches_the_collector() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mut exports) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder().add_service(Collector(sender));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

    let mut config = Pki::new().process("probe");
    config.otlp_endpoint = Some(format!("http://{address}"));
    let guard = telemetry::init(&config).unwrap();
    assert!(
        telemetry::init(&config).is_err(),
        "a second time is an error, not a second export"
    );
    let span = tracing::info_span!("a test's span");
    telemetry::set_parent(&span, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    drop(span);
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();

    let export = tokio::time::timeout(Duration::from_secs(20), exports.recv())
        .await
        .unwrap()
        .unwrap();
    let span = &export.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(span.name, "a test's span");
    assert_eq!(
        data_encoding::HEXLOWER.encode(&span.trace_id),
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
}
