//! Every change is one event, numbered without gaps, without personal data.

use chrono::TimeDelta;
use uuid::Uuid;
use wathiq_outbox::testing;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::cmi::callback;
use crate::harness::{World, reason};

#[tokio::test]
async fn the_way_of_a_payment_as_events() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let id = payable.payable_id.as_str();
    let (card, other) = (world.card(payer, id).await, world.card(payer, id).await);
    let declined = world.cmi.decline(&card.oid(), 2_000, "51");
    world.post(&callback(&card.form, &declined, "51")).await;
    world.pay(&card).await;
    world.settle(TimeDelta::minutes(2)).await;
    world.pay(&card).await;
    world.pay(&other).await;
    world.settle(TimeDelta::minutes(2)).await;
    world.try_refund(id, "line-2", 800).await.unwrap();
    world.settle(TimeDelta::minutes(2)).await;

    let mut conn = world.database.connect().await;
    let events = testing::drain(&mut conn).await;
    let names: Vec<&str> = events
        .iter()
        .map(|event| event.event_type.trim_start_matches("wathiq.payment.v1."))
        .collect();
    let (voids, rest): (Vec<&str>, Vec<&str>) = names
        .into_iter()
        .partition(|name| name.starts_with("AttemptVoid"));
    assert_eq!(
        rest,
        [
            "PayableOpened",
            "AttemptStarted",
            "AttemptStarted",
            "AttemptDeclined",
            "PayablePaid",
            "AttemptCaptured",
            "RefundRequested",
            "RefundCompleted"
        ]
    );
    assert_eq!(voids.iter().filter(|name| **name == "AttemptVoiding").count(), 2);
    assert_eq!(voids.iter().filter(|name| **name == "AttemptVoided").count(), 2);
    let further = events
        .iter()
        .filter(|event| event.event_type.ends_with("AttemptVoiding"))
        .map(|event| event.decode::<pb::AttemptVoiding>().further);
    assert_eq!(further.collect::<Vec<_>>(), [true, false]);
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=12).collect::<Vec<i64>>());
    assert!(
        events
            .iter()
            .all(|event| event.topic == "wathiq.payment.payable.v1")
    );
    let paid: pb::PayablePaid = events[4].decode();
    assert_eq!(
        (paid.owner.as_str(), paid.owner_reference, paid.amount_centimes),
        ("civil-registry-order", payable.owner_reference.clone(), 2_000)
    );
    let refund: pb::RefundCompleted = events[11].decode();
    assert_eq!(
        (refund.refund_reference.as_str(), refund.amount_centimes),
        ("line-2", 800)
    );
    for secret in [&payer.to_string(), "Amina", "amina@example.ma", "+212600000000"] {
        let bytes = secret.as_bytes();
        for event in &events {
            assert!(
                !event.payload.windows(bytes.len()).any(|window| window == bytes),
                "{secret} in {}",
                event.event_type
            );
        }
    }
}

#[tokio::test]
async fn what_is_refused_tells_nothing() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let (payable, _) = world.paid(payer).await;
    let mut conn = world.database.connect().await;
    testing::drain(&mut conn).await;
    world.try_cancel(&payable.payable_id).await.unwrap_err();
    reason(world.try_card(payer, &payable.payable_id).await);
    world
        .try_refund(&payable.payable_id, "a", 2_001)
        .await
        .unwrap_err();
    testing::assert_drained(&mut conn).await;
}
