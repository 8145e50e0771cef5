//! From an event in Kafka to a mail in the box, with everything that serves running twice.

use std::sync::Arc;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;
use wathiq_chassis::telemetry;
use wathiq_notification::domain::language::Language;
use wathiq_notification::domain::message::Channel;
use wathiq_notification::domain::template::Template;
use wathiq_notification::events::consume::Consume;
use wathiq_notification::sender;
use wathiq_outbox::{Consumer, NewEvent, Relay};
use wathiq_proto::wathiq::identity::v1 as identity;

use crate::doubles::Held;
use crate::harness::{World, wait_until, with_world};

const COUNT: usize = 24;

/// Identity holds a code and tells so.
async fn tell(world: &World, topic: &'static str, number: usize) {
    let delivery_id = Uuid::now_v7();
    let held = Held {
        template: Template::SignUpCode,
        channel: Channel::Email,
        address: world.email.clone(),
        language: Language::French,
        code: format!("{:06}", 700_000 + number),
        expires_at: world.now() + chrono::TimeDelta::minutes(10),
    };
    world.identity.state().deliveries.insert(delivery_id, held);
    let event = identity::DeliveryRequested {
        delivery_id: delivery_id.to_string(),
        channel: identity::ContactChannel::Email.into(),
    };
    let mut transaction = world.app.pool.begin().await.unwrap();
    let event = NewEvent::of(topic, delivery_id, 1, &event);
    wathiq_outbox::append(&mut transaction, &world.app.ambient, event)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_send_each_code_once_and_publish_what_they_did() {
    with_world(async |world| {
        let name: &'static str = Box::leak(format!("test.{}", Uuid::now_v7().simple()).into_boxed_str());
        create_topic(name).await;
        let kafka = &world.settings.kafka;
        let shutdown = CancellationToken::new();
        let mut running = tokio::task::JoinSet::new();
        let database = world.settings.database.connect_options().unwrap();
        let relay = Relay::new(
            database,
            kafka.clone(),
            "wathiq/notification",
            world.app.ambient.clone(),
        );
        running.spawn(relay.run(shutdown.clone()));
        for replica in ["1", "2"] {
            let consumer = Consumer::new(
                name,
                replica.into(),
                &[name],
                world.app.pool.clone(),
                kafka.clone(),
            );
            running.spawn(consumer.run(Consume::new(world.app.ambient.clone()), shutdown.clone()));
            running.spawn(sender::run(Arc::clone(&world.app), 4, shutdown.clone()));
        }
        for number in 0..COUNT {
            let span = tracing::info_span!("sign-up");
            telemetry::set_parent(&span, &format!("00-{:032x}-00000000000000ff-01", number + 1));
            tell(world, name, number).instrument(span).await;
        }
        wait_until("every message is sent", async || {
            count(world, "sent").await == COUNT as i64
        })
        .await;
        wait_until("every event is published", async || unpublished(world).await == 0).await;
        shutdown.cancel();
        running.join_all().await;

        let mails = world.mails().await;
        let mut codes: Vec<String> = mails
            .iter()
            .filter_map(|mail| code(mail["text"].as_str()?))
            .collect();
        codes.sort();
        let wanted: Vec<String> = (0..COUNT)
            .map(|number| format!("{:06}", 700_000 + number))
            .collect();
        assert_eq!(codes, wanted);
        // Of each delivery: what identity told, queued, sent, all in one trace.
        let mut traces = std::collections::BTreeMap::<String, usize>::new();
        for event in world.events().await {
            let traceparent = event.traceparent.expect("every event belongs to a trace");
            *traces.entry(traceparent[3..35].to_owned()).or_default() += 1;
        }
        let wanted = (1..=COUNT).map(|trace| (format!("{trace:032x}"), 3)).collect();
        assert_eq!(traces, wanted);
    })
    .await;
}

async fn create_topic(name: &str) {
    let kafka = crate::harness::stack().kafka;
    let file = |name: &str| kafka.certificates.join(name).to_str().unwrap().to_owned();
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .set("security.protocol", "ssl")
        .set("ssl.ca.location", file("ca.pem"))
        .set("ssl.certificate.location", file("operator.pem"))
        .set("ssl.key.location", file("operator.key"))
        .create()
        .unwrap();
    let topic = NewTopic::new(name, 4, TopicReplication::Fixed(1));
    admin
        .create_topics(&[topic], &AdminOptions::new())
        .await
        .unwrap()
        .remove(0)
        .unwrap();
}

fn code(text: &str) -> Option<String> {
    text.lines()
        .find(|line| line.len() == 6 && line.starts_with('7'))
        .map(str::to_owned)
}

async fn count(world: &World, state: &str) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM message WHERE state = $1").bind(state);
    count.fetch_one(&world.app.pool).await.unwrap()
}

async fn unpublished(world: &World) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM outbox WHERE published_at IS NULL");
    count.fetch_one(&world.app.pool).await.unwrap()
}
