//! Logs, traces and metrics of a process.
//!
//! Logs are one JSON object a line, in UTC, on standard error; each carries the ids of the trace it belongs to.
//! Traces go out by OTLP when an endpoint is configured; the W3C trace context is carried on in any case. Metrics
//! are kept in a Prometheus recorder that the operations listener renders.

mod format;
pub mod names;

use std::{collections::HashMap, sync::OnceLock};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::{Level, Span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, filter_fn},
    fmt::MakeWriter,
    layer::SubscriberExt,
};

use crate::config::{ConfigError, ProcessConfig};

/// W3C Trace Context header, section 3.2.
pub const TRACEPARENT: &str = "traceparent";

const DEFAULT_FILTER: &str = "info";
/// Upper bounds in seconds: from a cached look-up to the longest deadline.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0,
];

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is not in `tracing`'s syntax.
    #[error("the log filter cannot be used")]
    Filter(#[source] ConfigError),
    /// Something in this process has set it already.
    #[error("a log subscriber is installed already")]
    Subscriber(#[from] tracing::subscriber::SetGlobalDefaultError),
    /// The exporter cannot be made from the endpoint.
    #[error("the trace exporter cannot be made")]
    Exporter(#[from] ExporterBuildError),
    /// The metrics recorder cannot be installed.
    #[error("the metrics recorder cannot be installed")]
    Metrics(#[from] BuildError),
}

/// Keeps telemetry going; dropping it hands over the traces still held back.
#[derive(Debug)]
pub struct TelemetryGuard {
    provider: SdkTracerProvider,
    metrics: PrometheusHandle,
}

impl TelemetryGuard {
    /// Renders this process's metrics.
    pub fn metrics(&self) -> PrometheusHandle {
        self.metrics.clone()
    }
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::debug!(event = "telemetry.flush_failed", error = %error, "traces were not all exported");
        }
    }
}

/// Turns telemetry on for the whole process; called once, inside the tokio runtime, before the first log line.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(process: &ProcessConfig) -> Result<TelemetryGuard, TelemetryError> {
    let directives = process.log.as_deref().unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(directives)
        .map_err(|error| TelemetryError::Filter(ConfigError::key("process.log", error.to_string())))?;
    let mut provider = SdkTracerProvider::builder().with_resource(
        Resource::builder()
            .with_service_name(process.name.clone())
            .build(),
    );
    if let Some(endpoint) = &process.otlp_endpoint {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()?;
        provider = provider.with_batch_exporter(exporter);
    }
    let provider = provider.build();
    let metrics = recorder()?;
    tracing::subscriber::set_global_default(subscriber(&process.name, filter, &provider, std::io::stderr))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(TelemetryGuard { provider, metrics })
}

/// A panic is an error in the program: one line in the log, with the ids of the call it happened in.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic.payload_as_str().unwrap_or("no message");
    tracing::error!(event = "process.panicked", location, panic = message, "a panic");
}

pub(crate) fn subscriber<W>(
    process: &str,
    filter: EnvFilter,
    provider: &SdkTracerProvider,
    writer: W,
) -> impl tracing::Subscriber + Send + Sync + use<W>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    // Traces and the ids in log lines do not depend on how much is logged.
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("wathiq"))
        .with_location(false)
        .with_threads(false)
        .with_filter(LevelFilter::INFO);
    let logs = tracing_subscriber::fmt::layer()
        .fmt_fields(tracing_subscriber::fmt::format::JsonFields::new())
        .event_format(format::JsonLine::new(process))
        .with_writer(writer)
        .with_filter(filter.or(filter_fn(|metadata| {
            metadata.is_span() && *metadata.level() <= Level::INFO
        })));
    Registry::default().with(traces).with(logs)
}

/// The process's metrics recorder, installed at first use.
///
/// # Errors
/// [`BuildError`] when another recorder is installed already.
pub fn recorder() -> Result<PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one_at_a_time = INSTALLING
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .install_recorder()?;
    names::describe();
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// The trace context of the current span, as a `traceparent` header says it; none outside a trace.
pub fn traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

pub(crate) fn traceparent_of(span: &Span) -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes `span` a child of the span named by a `traceparent` header; a malformed one changes nothing (W3C Trace
/// Context, section 3.2.2.4: the receiver starts a new trace). Called before the span is entered.
pub fn set_parent(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    if parent.span().span_context().is_valid()
        && let Err(error) = span.set_parent(parent)
    {
        tracing::debug!(event = "telemetry.no_parent", %error, "the span does not continue its parent's trace");
    }
}
