//! One trace from the transaction of a fact to the effect in another service.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;
use wathiq_outbox::testing::events;

use crate::broker::Broker;
use crate::consumer::{Effects, create_effects, effects, start as start_consumer};
use crate::harness::{fresh_name, wait_until, with_database};
use crate::relay::start as start_relay;

fn span<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    spans
        .iter()
        .find(|span| span.name == name)
        .unwrap_or_else(|| panic!("no span {name} in {spans:#?}"))
}

#[tokio::test]
async fn the_consumers_span_continues_the_trace_of_the_transaction() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    // For this thread, on which the whole test runs.
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    with_database(async |database| {
        create_effects(database).await;
        let broker = Broker::start();
        let aggregate = Uuid::now_v7();
        database
            .append(broker.topic, aggregate, 1)
            .instrument(tracing::info_span!("business"))
            .await;
        let stored = events(&mut database.connect().await).await.remove(0);
        let traceparent = stored.traceparent.unwrap();

        let (relay, relay_shutdown) = start_relay(database, &broker, "wathiq/test");
        let (consumer, consumer_shutdown) = start_consumer(database, &broker, fresh_name(), &Effects::fine());
        wait_until("the effect", async || effects(database, aggregate).await == [1]).await;
        relay_shutdown.cancel();
        consumer_shutdown.cancel();
        relay.await.unwrap();
        consumer.await.unwrap();

        assert_eq!(broker.records()[0].headers["traceparent"], traceparent);
        let spans = exporter.get_finished_spans().unwrap();
        let business = span(&spans, "business");
        let process = span(&spans, &format!("process {}", broker.topic));
        assert_eq!(process.span_context.trace_id(), business.span_context.trace_id());
        assert_eq!(process.parent_span_id, business.span_context.span_id());
        assert_eq!(process.span_kind, opentelemetry::trace::SpanKind::Consumer);
        assert!(traceparent.contains(&business.span_context.span_id().to_string()));
    })
    .await;
}
