//! One log event as one line of JSON.

use std::fmt::{self, Debug};

use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{JsonFields, Writer},
    },
    registry::{LookupSpan, Scope},
};

use crate::ambient::{Clock, SystemClock};

/// `{"time":…,"level":…,"process":…,"target":…,"message":…,<fields>,"span":{…},"trace_id":…,"span_id":…}`
pub(super) struct JsonLine {
    process: String,
}

impl JsonLine {
    pub(super) fn new(process: &str) -> Self {
        Self {
            process: process.to_owned(),
        }
    }
}

impl<S> FormatEvent<S, JsonFields> for JsonLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let time = SystemClock
            .now()
            .to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        line.insert("time".to_owned(), time.into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("process".to_owned(), self.process.as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        event.record(&mut Fields(&mut line));
        if let Some(span) = context.lookup_current() {
            line.insert("span".to_owned(), span_fields(context).into());
            if let Some((trace_id, span_id)) = span.scope().find_map(|span| trace_ids(&span.id())) {
                line.insert("trace_id".to_owned(), trace_id.into());
                line.insert("span_id".to_owned(), span_id.into());
            }
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// The fields of the spans around the event, the innermost winning, with the innermost's name.
fn span_fields<S>(context: &FmtContext<'_, S, JsonFields>) -> Map<String, Value>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let mut all = Map::new();
    for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
        if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>()
            && let Ok(Value::Object(fields)) = serde_json::from_str(&fields.fields)
        {
            all.extend(fields);
        }
        all.insert("name".to_owned(), span.name().into());
    }
    all
}

fn trace_ids(span: &tracing::span::Id) -> Option<(String, String)> {
    let context =
        tracing::dispatcher::get_default(|dispatch| tracing_opentelemetry::get_otel_context(span, dispatch))?;
    let span = context.span();
    let ids = span.span_context();
    ids.is_valid()
        .then(|| (ids.trace_id().to_string(), ids.span_id().to_string()))
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0
            .insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.0
            .insert(field.name().to_owned(), crate::status::chain(value).into());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use opentelemetry_sdk::trace::SdkTracerProvider;
    use serde_json::Value;
    use tracing_subscriber::EnvFilter;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_carries_the_trace_even_when_little_is_logged() {
        let (buffer, provider) = (Buffer::default(), SdkTracerProvider::builder().build());
        let writer = buffer.clone();
        let subscriber =
            crate::telemetry::subscriber("probe", EnvFilter::new("warn"), &provider, move || writer.clone());
        // The global one, because ids are looked up through the dispatcher; no other unit test sets it.
        tracing::subscriber::set_global_default(subscriber).unwrap();
        let span = tracing::info_span!("outer", office = "annexe \"1\"");
        crate::telemetry::set_parent(&span, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        span.in_scope(|| {
            tracing::info!("not logged");
            tracing::warn!(event = "probe.slow", seconds = 3, "slow\nanswer");
        });

        let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let [line] = lines.as_slice() else {
            panic!("one line was expected: {text}")
        };
        assert_eq!(line["event"], "probe.slow");
        assert_eq!(
            (&line["level"], &line["process"]),
            (&"WARN".into(), &"probe".into())
        );
        assert_eq!(
            (&line["seconds"], &line["message"]),
            (&3.into(), &"slow\nanswer".into())
        );
        assert_eq!(line["span"]["office"], "annexe \"1\"");
        assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(line["span_id"], "00f067aa0ba902b7");
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
    }
}
