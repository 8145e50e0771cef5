//! Which steps of an order somebody is written to about.

use prost::{Message, Name};
use uuid::Uuid;
use wathiq_outbox::testing::Delivered;
use wathiq_proto::wathiq::civil_registry_order::v1 as orders;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;

use crate::harness::{World, text, with_world};

/// Template and channels of what an event queues, e-mail first.
async fn queued<M: Message + Name>(world: &World, order: Uuid, event: &M) -> Vec<String> {
    let record = world.record(order, event);
    assert_eq!(world.deliver(&record).await, Delivered::Effect, "{}", M::NAME);
    let rows = world.messages(&record).await;
    rows.into_iter()
        .map(|row| format!("{} {}", row.template, row.channel))
        .collect()
}

fn some_id() -> String {
    Uuid::now_v7().to_string()
}

fn made<M: Default>(fill: impl FnOnce(&mut M)) -> M {
    let mut event = M::default();
    fill(&mut event);
    event
}

/// An event with ids wherever it has some.
macro_rules! event {
    ($name:ident, lines $(, $field:ident: $value:expr)*) => {
        made(|event: &mut orders::$name| {
            event.order_id = some_id();
            event.line_ids = vec![some_id(), some_id()];
            $(event.$field = $value.into();)*
        })
    };
    ($name:ident, line) => {
        made(|event: &mut orders::$name| {
            event.order_id = some_id();
            event.line_id = some_id();
        })
    };
}

/// Each event queues these messages.
macro_rules! table {
    ($world:ident: $($event:expr => [$($message:literal),*];)+) => {$(
        let wanted: [&str; _] = [$($message),*];
        assert_eq!(queued($world, Uuid::now_v7(), &$event).await, wanted, "{:?}", $event);
    )+};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_told_what_concerns_them() {
    with_world(async |world| {
        table! { world:
            event!(OrderPlaced, lines) => ["order.placed email"];
            event!(OrderPaid, lines) => ["order.paid email", "order.paid text"];
            event!(OrderExpired, lines) => ["order.expired email"];
            event!(LinesCancelled, lines, refunding: false) => ["order.cancelled email"];
            event!(LinesCancelled, lines, refunding: true) => ["order.cancelled_after_payment email"];
            event!(LineCorrectionRequested, line) => ["order.correction_requested email"];
            orders::LineCorrectionRequested {
                reason_code: "ADDRESS_REFUSED".into(),
                ..event!(LineCorrectionRequested, line)
            } => ["order.address_refused email"];
            event!(LineRefused, line) => ["order.refused email"];
            event!(LinesRefunding, lines, end_reason: "OVERDUE") => ["order.overdue email"];
            event!(LinesRefunding, lines, end_reason: "ADDRESS_REFUSED") => ["order.address_lapsed email"];
            event!(LinesRefunding, lines, end_reason: "LOST") => ["order.lost email"];
            event!(LinesRefunding, lines, end_reason: "EXPIRED") => ["order.paid_too_late email"];
            event!(LineRefunded, line) => ["order.refunded email"];
            event!(LineRefundFailed, line) => ["order.refund_failed email"];
            event!(LinesTaken, lines) => ["order.in_production email"];
            event!(ParcelReady, lines) => ["order.produced email"];
            event!(LinesHandedOver, lines) => ["order.handed_over email"];
            event!(LinesDelivered, lines) => ["order.delivered email", "order.delivered text"];
            // Late scans after it make it no other delivery; who took it is told by the warning.
            event!(LinesDelivered, lines, exception_code: "CONTRADICTORY_EVENTS") => ["order.delivered email", "order.delivered text"];
            event!(LinesDelivered, lines, exception_code: "SILENT") => ["order.delivered email", "order.delivered text"];
            event!(LinesDelivered, lines, exception_code: "DELIVERED_TO_OTHER") => [];
            event!(LinesReturned, lines) => ["order.returned email"];
            orders::OfficeReminded { reminder_id: some_id(), office_id: some_id(), waiting_lines: 1 } => ["office.reminder email"];
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_post_says_is_told_where_it_matters() {
    let post = |state: &str, exception: &str| event!(ParcelTracked, lines, shipment_state: state, exception_code: exception);
    with_world(async |world| {
        table! { world:
            post("ATTEMPTED", "") => ["order.delivery_attempted email"];
            post("HELD_FOR_COLLECTION", "") => ["order.held_for_collection email", "order.held_for_collection text"];
            post("HELD_FOR_COLLECTION", "CONTRADICTORY_EVENTS") => ["order.held_for_collection email", "order.held_for_collection text"];
            post("DELIVERED", "DELIVERED_TO_OTHER") => ["order.delivered_to_other email"];
            post("IN_TRANSIT", "DELIVERED_WITHOUT_DOCUMENT") => ["order.delivered_without_document email"];
            post("CLAIMED", "SILENT") => ["order.claimed email"];
            post("RETURNING", "") => ["order.returning email"];
            post("IN_TRANSIT", "") => [];
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_is_given_once_and_hides_nothing_after_it() {
    with_world(async |world| {
        let (order, lines) = (Uuid::now_v7(), vec![some_id()]);
        let tracked = |state: &str| orders::ParcelTracked {
            order_id: order.to_string(),
            line_ids: lines.clone(),
            shipment_state: state.into(),
            exception_code: "DELIVERED_WITHOUT_DOCUMENT".into(),
            ..Default::default()
        };
        assert_eq!(
            queued(world, order, &tracked("ATTEMPTED")).await,
            ["order.delivered_without_document email"]
        );
        assert_eq!(
            queued(world, order, &tracked("HELD_FOR_COLLECTION")).await,
            [
                "order.held_for_collection email",
                "order.held_for_collection text"
            ]
        );
        assert_eq!(
            queued(world, order, &tracked("RETURNING")).await,
            ["order.returning email"]
        );
        assert!(queued(world, order, &tracked("IN_TRANSIT")).await.is_empty());
        // The other parcel of the same order.
        let other = event!(ParcelTracked, lines, exception_code: "DELIVERED_WITHOUT_DOCUMENT");
        assert_eq!(
            queued(world, order, &other).await,
            ["order.delivered_without_document email"]
        );
    })
    .await;
}

/// A delivery to somebody else is warned of whether it is known at once or after a contradiction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_to_somebody_else_is_always_warned_of() {
    let delivered = |order: Uuid, lines: &[String], exception: &str| orders::LinesDelivered {
        order_id: order.to_string(),
        line_ids: lines.to_vec(),
        exception_code: exception.into(),
        ..Default::default()
    };
    let tracked = |order: Uuid, lines: &[String], exception: &str| orders::ParcelTracked {
        order_id: order.to_string(),
        line_ids: lines.to_vec(),
        shipment_state: "DELIVERED".into(),
        exception_code: exception.into(),
        ..Default::default()
    };
    let warned = ["order.delivered_to_other email"];
    with_world(async |world| {
        let (order, lines) = (Uuid::now_v7(), vec![some_id()]);
        let told = ["order.delivered email", "order.delivered text"];
        assert_eq!(
            queued(world, order, &delivered(order, &lines, "CONTRADICTORY_EVENTS")).await,
            told
        );
        let contradicted = tracked(order, &lines, "CONTRADICTORY_EVENTS");
        assert!(queued(world, order, &contradicted).await.is_empty());
        assert_eq!(
            queued(world, order, &tracked(order, &lines, "DELIVERED_TO_OTHER")).await,
            warned
        );
        let (order, lines) = (Uuid::now_v7(), vec![some_id()]);
        assert_eq!(
            queued(world, order, &tracked(order, &lines, "DELIVERED_TO_OTHER")).await,
            warned
        );
        assert!(
            queued(world, order, &delivered(order, &lines, "DELIVERED_TO_OTHER"))
                .await
                .is_empty()
        );
    })
    .await;
}

/// Few numbers are left: whoever looks after the platform is written to, and a range that was added is no reason for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_run_low_are_told_to_the_administration() {
    with_world(async |world| {
        let range = Uuid::now_v7();
        let low = postal::NumberRangeRunsLow {
            range_id: range.to_string(),
            left: 499,
        };
        assert_eq!(
            queued(world, range, &low).await,
            ["platform.numbers_run_low email"]
        );
        let added = postal::NumberRangeAllocated::default();
        assert!(queued(world, range, &added).await.is_empty());
        assert_eq!(world.send_due().await, 1);
        let mails = world.mails().await;
        let words = text(
            mails
                .iter()
                .find(|mail| text(mail).contains(&range.to_string()))
                .unwrap(),
        );
        assert!(words.contains("numéros d'envoi recommandé"), "{words}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_told_what_the_page_of_the_order_shows() {
    with_world(async |world| {
        table! { world:
            event!(LinesAssigned, lines) => [];
            event!(LineActFound, line) => [];
            event!(LineDocumentPrepared, line) => [];
            event!(LineCorrected, line) => [];
            event!(LineProduced, line) => [];
            event!(LineAlerted, line) => [];
            event!(LinesRefunding, lines, end_reason: "REFUSED") => [];
            orders::BatchSheetCreated { batch_sheet_id: some_id(), office_id: some_id(), lines: 1 } => [];
            orders::OfficeProfileChanged { office_id: some_id() } => [];
        }
        assert!(world.events().await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_cannot_be_read_is_parked() {
    with_world(async |world| {
        let order = Uuid::now_v7();
        let nothing = orders::OrderPaid::default();
        let malformed = orders::LineRefused {
            line_id: "one".into(),
            ..Default::default()
        };
        let unknown = event!(LinesRefunding, lines, end_reason: "WHIM");
        let mut torn = world.record(order, &event!(OrderPlaced, lines));
        torn.payload.truncate(3);
        for record in [
            world.record(order, &nothing),
            world.record(order, &malformed),
            world.record(order, &unknown),
            world.record(Uuid::now_v7(), &orders::OfficeReminded::default()),
            torn,
        ] {
            assert_eq!(
                world.deliver(&record).await,
                Delivered::Parked,
                "{}",
                record.event_type
            );
        }
        assert!(world.events().await.is_empty());
    })
    .await;
}
