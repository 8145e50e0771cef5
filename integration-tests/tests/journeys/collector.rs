//! A collector of traces (OTLP over gRPC) that keeps what it is sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// One span, as far as the shape of a trace goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) trace: Vec<u8>,
    pub(crate) id: Vec<u8>,
    /// Empty where the trace begins.
    pub(crate) parent: Vec<u8>,
    pub(crate) service: String,
    pub(crate) name: String,
}

/// The spans so far.
#[derive(Clone, Default)]
pub(crate) struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    /// Listens on a random loopback port. Answers itself and its address, as `process.otlp_endpoint` takes it.
    pub(crate) async fn start() -> Result<(Self, String)> {
        let collector = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server =
            tonic::transport::Server::builder().add_service(TraceServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Ok((collector, endpoint))
    }

    /// The trace that begins with a span of this service and name.
    pub(crate) fn trace_of(&self, service: &str, name: &str) -> Result<Vec<Span>> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        let root = spans
            .iter()
            .find(|span| span.parent.is_empty() && span.service == service && span.name == name)
            .with_context(|| format!("no trace begins with {name} of {service}"))?;
        Ok(spans
            .iter()
            .filter(|span| span.trace == root.trace)
            .cloned()
            .collect())
    }

    fn keep(&self, export: ExportTraceServiceRequest) {
        let mut kept = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        for resource in export.resource_spans {
            let service = service_name(resource.resource);
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            kept.extend(spans.map(|span| Span {
                trace: span.trace_id,
                id: span.span_id,
                parent: span.parent_span_id,
                service: service.clone(),
                name: span.name,
            }));
        }
    }
}

fn service_name(resource: Option<Resource>) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
    let name = attributes
        .into_iter()
        .find(|attribute| attribute.key == "service.name");
    match name.and_then(|name| name.value?.value) {
        Some(Value::StringValue(name)) => name,
        _ => String::new(),
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.keep(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Where a span stands in its trace: services and names from the root down.
pub(crate) fn lineage(trace: &[Span], span: &Span) -> Vec<String> {
    let by_id: HashMap<&[u8], &Span> = trace.iter().map(|span| (span.id.as_slice(), span)).collect();
    let above = std::iter::successors(Some(span), |span| by_id.get(span.parent.as_slice()).copied());
    let mut names: Vec<String> = above
        .take(trace.len())
        .map(|span| format!("{}: {}", span.service, span.name))
        .collect();
    names.reverse();
    names
}
