//! Events leave for Kafka, hold no personal data, and count each aggregate's versions without a gap.

use std::collections::HashMap;
use std::time::Duration;

use wathiq_outbox::KafkaConfig;
use wathiq_proto::wathiq::identity::v1::*;

use crate::confirmation;
use crate::harness::{TestApp, with_token};
use crate::people::PASSWORD;
use crate::specimen;

/// Waits until the relay has published everything, with a bound.
async fn published(app: &TestApp) {
    let work = async {
        while app
            .count("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            .await
            > 0
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), work)
        .await
        .expect("the relay publishes what waits");
}

#[tokio::test]
async fn the_relay_publishes_to_the_topics_of_this_service() {
    let app = TestApp::start_with(|settings, stack| {
        settings.kafka = Some(KafkaConfig {
            brokers: stack.text("/kafka/brokers").to_owned(),
            ca: stack.certificate("ca.pem"),
            certificate: stack.certificate("identity.pem"),
            key: stack.certificate("identity.key"),
        });
    })
    .await;
    app.administrator().await;
    published(&app).await;
    assert_eq!(app.count("SELECT count(*) FROM outbox").await, 1);
    app.finish().await;
}

#[tokio::test]
async fn events_tell_no_personal_data_and_leave_no_gap() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.proved_citizen(&agent, &office.office_id).await;
    let deposit = with_token(specimen::deposit(0), &someone.token);
    app.gateway
        .specimens
        .clone()
        .deposit_specimen(deposit)
        .await
        .unwrap();
    confirmation::given(&app, &someone).await;
    let mut conn = app.pool.acquire().await.unwrap();
    let events = wathiq_outbox::testing::events(&mut conn).await;
    drop(conn);
    let mut versions: HashMap<_, i64> = HashMap::new();
    for event in &events {
        let version = versions.entry(event.aggregate_id).or_default();
        *version += 1;
        assert_eq!(
            event.sequence, *version,
            "{} of {}",
            event.event_type, event.aggregate_id
        );
        let text = String::from_utf8_lossy(&event.payload);
        for personal in [
            someone.email.as_str(),
            "BE10",
            "Amina",
            "الإدريسي",
            "+212",
            PASSWORD,
        ] {
            assert!(!text.contains(personal), "{} tells {personal}", event.event_type);
        }
        let names_person = text.contains(&someone.id);
        assert_eq!(
            names_person,
            event.aggregate_id.to_string() == someone.id,
            "{}",
            event.event_type
        );
    }
    assert!(events.len() > 10);
    app.finish().await;
}

#[tokio::test]
async fn a_refused_command_leaves_no_event() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.newcomer().await;
    app.drain().await;
    let request = with_token(app.prove_request(&office.office_id, &agent), &agent.token);
    app.gateway
        .accounts
        .clone()
        .prove_identity(request)
        .await
        .unwrap_err();
    let request = with_token(
        confirmation::create(ConfirmationPurpose::Legalise, &[1]),
        &someone.token,
    );
    app.gateway
        .confirmations
        .clone()
        .create_confirmation(request)
        .await
        .unwrap_err();
    assert!(app.drain().await.is_empty());
    app.finish().await;
}
