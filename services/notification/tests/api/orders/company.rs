//! What happens to the lines of an order one after the other is one piece of news.

use chrono::TimeDelta;
use uuid::Uuid;
use wathiq_notification::clients::civil_registry_order::Stage;
use wathiq_notification::domain::language::Language;
use wathiq_outbox::Record;
use wathiq_outbox::testing::Delivered;
use wathiq_proto::wathiq::civil_registry_order::v1 as orders;

use super::{Ordered, ended, order};
use crate::harness::{World, text, with_world};

/// Longer than any message waits for company.
const SOON: TimeDelta = TimeDelta::seconds(20);

fn refunded(world: &World, ordered: &Ordered, line: usize) -> Record {
    let event = orders::LineRefunded {
        order_id: ordered.order.to_string(),
        line_id: ordered.lines[line].to_string(),
        amount_centimes: 2050,
    };
    world.record(ordered.order, &event)
}

fn taken(world: &World, ordered: &Ordered, lines: &[usize]) -> Record {
    let event = orders::LinesTaken {
        order_id: ordered.order.to_string(),
        line_ids: lines
            .iter()
            .map(|line| ordered.lines[*line].to_string())
            .collect(),
        path: "DIGITISED".into(),
    };
    world.record(ordered.order, &event)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_change_together_are_told_in_one_mail() {
    with_world(async |world| {
        let ordered = order(world, Language::French, "");
        let (first, second) = (refunded(world, &ordered, 0), refunded(world, &ordered, 1));
        assert_eq!(world.deliver(&first).await, Delivered::Effect);
        assert_eq!(world.send_due().await, 0, "it waits for the other");
        assert_eq!(world.deliver(&second).await, Delivered::Effect);
        assert_eq!(world.deliver(&second).await, Delivered::Duplicate);
        // The same line under another event's id.
        assert_eq!(
            world.deliver(&refunded(world, &ordered, 1)).await,
            Delivered::Effect
        );
        // Another order goes alone.
        let other = order(world, Language::French, "");
        world.deliver(&refunded(world, &other, 0)).await;
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 2);
        let mails = world.mails().await;
        let words: Vec<String> = mails.iter().map(text).collect();
        assert_eq!(words.len(), 2);
        let both = words.iter().find(|words| words.contains("93-2)")).unwrap();
        assert!(both.contains("93-1)") && both.contains("41 DH"), "{both}");
        let asked = world.orders.state().asked.clone();
        assert!(
            asked.contains(&(ordered.order, ordered.lines.to_vec())),
            "{asked:?}"
        );
        assert!(world.messages(&second).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_after_a_mail_has_left_is_told_by_another() {
    with_world(async |world| {
        let ordered = order(world, Language::French, "");
        world.deliver(&refunded(world, &ordered, 0)).await;
        world.clock.advance(SOON);
        // An attempt has begun, and failed: nothing is added to what may have left.
        world.orders.state().down = true;
        assert_eq!(world.send_due().await, 1);
        world.orders.state().down = false;
        world.deliver(&refunded(world, &ordered, 1)).await;
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 2);
        assert_eq!(world.mails().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_past_is_not_told() {
    with_world(async |world| {
        let ordered = order(world, Language::Arabic, "");
        let record = taken(world, &ordered, &[0]);
        world.deliver(&record).await;
        world.deliver(&taken(world, &ordered, &[1])).await;
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 1);
        assert_eq!(ended(&world.message(&record).await), ("sent", None));

        let quick = order(world, Language::Arabic, "");
        let record = taken(world, &quick, &[0, 1]);
        let ready = orders::ParcelReady {
            order_id: quick.order.to_string(),
            parcel_id: Uuid::now_v7().to_string(),
            line_ids: quick.line_ids(),
            shipment_id: Uuid::now_v7().to_string(),
        };
        let ready = world.record(quick.order, &ready);
        world.deliver(&record).await;
        world.deliver(&ready).await;
        world.orders.state().stages = vec![Stage::Produced; 2];
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 2);
        assert_eq!(
            ended(&world.message(&record).await),
            ("dropped", Some("OVERTAKEN"))
        );
        assert_eq!(ended(&world.message(&ready).await), ("sent", None));
        assert_eq!(world.mails().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_names_the_lines_that_it_still_concerns() {
    with_world(async |world| {
        let ordered = order(world, Language::French, "");
        let begun = taken(world, &ordered, &[0, 1]);
        world.deliver(&begun).await;
        world.orders.state().stages = vec![Stage::Produced, Stage::InProduction];
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 1);
        let told = text(&world.mails().await[0]);
        assert!(!told.contains("93-1)") && told.contains("93-2)"), "{told}");

        let ready = orders::ParcelReady {
            order_id: ordered.order.to_string(),
            parcel_id: Uuid::now_v7().to_string(),
            line_ids: ordered.line_ids(),
            shipment_id: Uuid::now_v7().to_string(),
        };
        world.deliver(&world.record(ordered.order, &ready)).await;
        world.orders.state().stages = vec![Stage::Produced, Stage::Other];
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 1);
        let told = text(&world.mails().await[1]);
        assert!(told.contains("93-1)") && !told.contains("93-2)"), "{told}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_was_made_after_all_is_not_told_to_have_failed() {
    with_world(async |world| {
        let failed = |ordered: &Ordered, line: usize| {
            let event = orders::LineRefundFailed {
                order_id: ordered.order.to_string(),
                line_id: ordered.lines[line].to_string(),
            };
            world.record(ordered.order, &event)
        };
        let ordered = order(world, Language::French, "");
        let record = failed(&ordered, 0);
        world.deliver(&record).await;
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 1);
        assert_eq!(
            ended(&world.message(&record).await),
            ("dropped", Some("OVERTAKEN"))
        );

        let partly = order(world, Language::French, "");
        world.deliver(&failed(&partly, 0)).await;
        world.deliver(&failed(&partly, 1)).await;
        world.orders.state().owed = 1;
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 1);
        let mails = world.mails().await;
        let told = text(&mails[0]);
        assert_eq!(mails.len(), 1);
        assert!(told.contains("93-1)") && !told.contains("93-2)"), "{told}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_joins_old_news_is_not_too_late() {
    with_world(async |world| {
        let ordered = order(world, Language::French, "");
        let old = refunded(world, &ordered, 0);
        // Longer than a message is worth telling.
        world.clock.advance(TimeDelta::days(4));
        world.deliver(&old).await;
        world.deliver(&refunded(world, &ordered, 1)).await;
        world.clock.advance(SOON);
        assert_eq!(world.send_due().await, 1);
        assert_eq!(ended(&world.message(&old).await), ("sent", None));
        let told = text(&world.mails().await[0]);
        assert!(told.contains("93-1)") && told.contains("93-2)"), "{told}");
    })
    .await;
}
