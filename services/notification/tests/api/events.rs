//! Which events people are told about.

use chrono::TimeDelta;
use prost::{Message, Name};
use uuid::Uuid;
use wathiq_outbox::testing::Delivered;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::notification::v1 as pb;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::harness::{World, with_world};

async fn queued<M: Message + Name + Default>(world: &World) -> Option<String> {
    let record = world.record(Uuid::now_v7(), &M::default());
    assert_eq!(world.deliver(&record).await, Delivered::Effect);
    sqlx::query_scalar("SELECT template FROM message WHERE cause_event_id = $1")
        .bind(record.event_id)
        .fetch_optional(&world.app.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_told_what_concerns_them_and_nothing_else() {
    with_world(async |world| {
        let told = |code: &str| Some(code.to_owned());
        assert_eq!(
            queued::<signature::LegalisationRequestSubmitted>(world).await,
            told("legalisation.submitted")
        );
        assert_eq!(
            queued::<signature::PaymentAwaited>(world).await,
            told("legalisation.payment_awaited")
        );
        assert_eq!(
            queued::<signature::LegalisationRequestRefused>(world).await,
            told("legalisation.refused")
        );
        assert_eq!(
            queued::<signature::LegalisationDelivered>(world).await,
            told("legalisation.delivered")
        );
        assert_eq!(
            queued::<signature::LegalisationRequestCancelled>(world).await,
            told("legalisation.cancelled")
        );
        assert_eq!(
            queued::<signature::LegalisationRequestExpired>(world).await,
            told("legalisation.expired")
        );
        assert_eq!(queued::<signature::LegalisationRequestCreated>(world).await, None);
        assert_eq!(
            queued::<signature::LegalisationSealed>(world).await,
            None,
            "one mail, once it can be had"
        );
        assert_eq!(
            queued::<signature::LegalisationRequestReturned>(world).await,
            None
        );
        assert_eq!(queued::<identity::PersonUpdated>(world).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_cannot_be_read_is_parked() {
    with_world(async |world| {
        let nameless = world.record(Uuid::now_v7(), &identity::DeliveryRequested::default());
        assert_eq!(world.deliver(&nameless).await, Delivered::Parked);
        let id = Uuid::now_v7();
        let channelless = identity::DeliveryRequested {
            delivery_id: id.to_string(),
            channel: 0,
        };
        assert_eq!(
            world.deliver(&world.record(id, &channelless)).await,
            Delivered::Parked
        );
        let mut torn = world.record(Uuid::now_v7(), &channelless);
        torn.payload.truncate(3);
        assert_eq!(world.deliver(&torn).await, Delivered::Parked);
        assert!(world.events().await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_read_again_writes_to_nobody() {
    with_world(async |world| {
        let request = Uuid::now_v7();
        let event = signature::LegalisationDelivered {
            legalisation_request_id: request.to_string(),
        };
        let mut record = world.record(request, &event);
        record.time = world.now() - TimeDelta::days(3);
        world.deliver(&record).await;
        world.send_due().await;
        let row = world.message(&record).await;
        assert_eq!(
            (row.state.as_str(), row.failure_code.as_deref()),
            ("dropped", Some("TOO_LATE"))
        );
        let dropped: pb::MessageDropped = world.events().await[1].decode();
        assert_eq!(dropped.reason, "TOO_LATE");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_look_at_the_same_time_take_each_message_once() {
    with_world(async |world| {
        for _ in 0..32 {
            let request = Uuid::now_v7();
            let event = signature::LegalisationDelivered {
                legalisation_request_id: request.to_string(),
            };
            world.deliver(&world.record(request, &event)).await;
        }
        let taken = futures::future::join_all((0..4).map(|_| world.send_due())).await;
        assert_eq!(taken.iter().sum::<usize>(), 32, "{taken:?}");
        let attempts: Vec<i32> = sqlx::query_scalar("SELECT attempts FROM message")
            .fetch_all(&world.app.pool)
            .await
            .unwrap();
        assert_eq!(attempts, [1; 32]);
    })
    .await;
}
