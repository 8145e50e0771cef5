//! Messages about orders of civil-status acts, and to offices.

mod company;
mod told;

use chrono::TimeDelta;
use uuid::Uuid;
use wathiq_notification::domain::language::Language;
use wathiq_outbox::Record;
use wathiq_outbox::testing::Delivered;
use wathiq_proto::wathiq::civil_registry_order::v1 as orders;

use crate::doubles::Known;
use crate::harness::{Row, World, text, with_world};

/// An order of this world's person, and its two lines.
pub(crate) struct Ordered {
    pub(crate) order: Uuid,
    pub(crate) lines: [Uuid; 2],
}

impl Ordered {
    fn line_ids(&self) -> Vec<String> {
        self.lines.iter().map(Uuid::to_string).collect()
    }
}

pub(crate) fn order(world: &World, language: Language, phone: &str) -> Ordered {
    let (order, person) = (Uuid::now_v7(), Uuid::now_v7());
    world.orders.state().people.insert(order, person);
    let known = Known {
        email: world.email.clone(),
        phone: phone.to_owned(),
        language,
        wants_attachments: true,
    };
    world.identity.state().people.insert(person, known);
    Ordered {
        order,
        lines: [Uuid::now_v7(), Uuid::now_v7()],
    }
}

pub(crate) fn paid(world: &World, ordered: &Ordered) -> Record {
    let event = orders::OrderPaid {
        order_id: ordered.order.to_string(),
        line_ids: ordered.line_ids(),
        payable_id: Uuid::now_v7().to_string(),
    };
    world.record(ordered.order, &event)
}

fn held(world: &World, ordered: &Ordered, exception_code: &str) -> Record {
    let event = orders::ParcelTracked {
        order_id: ordered.order.to_string(),
        parcel_id: Uuid::now_v7().to_string(),
        line_ids: ordered.line_ids(),
        shipment_state: "HELD_FOR_COLLECTION".into(),
        exception_code: exception_code.into(),
        ..Default::default()
    };
    world.record(ordered.order, &event)
}

fn correction(world: &World, ordered: &Ordered) -> Record {
    let event = orders::LineCorrectionRequested {
        order_id: ordered.order.to_string(),
        line_id: ordered.lines[0].to_string(),
        reason_code: "ACT_NOT_FOUND".into(),
        deadline: None,
    };
    world.record(ordered.order, &event)
}

/// An office's reminder, of which civil-registry-order knows.
fn reminded(world: &World, office: Uuid, email: &str) -> Record {
    let record = forgotten(world, office);
    let known = (office, record.aggregate_id);
    world.orders.state().reminders.insert(known, email.to_owned());
    record
}

fn forgotten(world: &World, office: Uuid) -> Record {
    let reminder = Uuid::now_v7();
    let event = orders::OfficeReminded {
        reminder_id: reminder.to_string(),
        office_id: office.to_string(),
        waiting_lines: 17,
    };
    world.record(reminder, &event)
}

fn ended(row: &Row) -> (&str, Option<&str>) {
    (row.state.as_str(), row.failure_code.as_deref())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_told_once_by_mail_and_once_by_text_message() {
    with_world(async |world| {
        let ordered = order(world, Language::Arabic, &world.phone);
        let record = paid(world, &ordered);
        assert_eq!(world.deliver(&record).await, Delivered::Effect);
        assert_eq!(world.deliver(&record).await, Delivered::Duplicate);
        assert_eq!(world.send_due().await, 2);
        assert_eq!(world.send_due().await, 0);
        let mails = world.mails().await;
        assert_eq!(mails.len(), 1);
        let words = text(&mails[0]);
        for said in [
            "توصلنا بأداء طلبكم: 40 درهم.",
            "الوثائق المطلوبة:\n- نسخة موجزة من رسم الولادة (\u{200E}4W7K-M2PX-93-1)\n- ",
            "https://wathiq.example/orders/4W7K-M2PX-93",
        ] {
            assert!(words.contains(said), "{said} is not in {words}");
        }
        let html = mails[0]["html"].as_str().unwrap();
        assert!(
            html.contains("<br>• <bdi>نسخة موجزة من رسم الولادة (\u{200E}4W7K-M2PX-93-2)</bdi>"),
            "{html}"
        );
        let texts = world.texts().await;
        assert_eq!(texts.len(), 1);
        assert!(
            texts[0]["text"].as_str().unwrap().contains("4W7K-M2PX-93"),
            "{texts:?}"
        );
        let lines = ordered.lines.to_vec();
        assert_eq!(
            world.orders.state().asked,
            [(ordered.order, lines.clone()), (ordered.order, lines)]
        );
        for row in world.messages(&record).await {
            assert_eq!(
                (row.state.as_str(), row.template.as_str()),
                ("sent", "order.paid")
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_phone_or_a_date_there_is_a_mail_and_no_text_message() {
    with_world(async |world| {
        let phoneless = paid(world, &order(world, Language::French, ""));
        world.deliver(&phoneless).await;
        world.send_due().await;
        let rows = world.messages(&phoneless).await;
        assert_eq!(ended(&rows[0]), ("sent", None));
        assert_eq!(ended(&rows[1]), ("dropped", Some("NO_PHONE")));
        world.orders.state().not_held = true;
        let dateless = held(world, &order(world, Language::French, &world.phone), "");
        world.deliver(&dateless).await;
        world.send_due().await;
        let rows = world.messages(&dateless).await;
        assert_eq!(ended(&rows[0]), ("sent", None));
        assert_eq!(ended(&rows[1]), ("dropped", Some("FACTS_MISSING")));
        assert!(world.texts().await.is_empty());
        assert!(!text(&world.mails().await[1]).contains("À retirer"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_says_why_until_when_and_where() {
    with_world(async |world| {
        let ordered = order(world, Language::French, &world.phone);
        let record = correction(world, &ordered);
        world.deliver(&record).await;
        world.send_due().await;
        let mail = &world.mails().await[0];
        let words = text(mail);
        for said in [
            "Motif : les indications données ne correspondent à aucun acte du registre.",
            "Précision du bureau : Vérifiez l'année <script>",
            "jusqu'au 7 décembre 2026 à 11 h 00 (heure du Maroc)",
            "- Extrait d'acte de naissance (4W7K-M2PX-93-1)\n\n",
        ] {
            assert!(words.contains(said), "{said} is not in {words}");
        }
        assert!(!mail["html"].as_str().unwrap().contains("<script>"));
        assert!(world.texts().await.is_empty());
        assert_eq!(
            world.orders.state().asked,
            [(ordered.order, vec![ordered.lines[0]])],
            "one line alone is asked for"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_things_have_overtaken_is_dropped() {
    with_world(async |world| {
        world.orders.state().no_reason = true;
        let corrected = correction(world, &order(world, Language::French, ""));
        world.deliver(&corrected).await;
        world.send_due().await;
        assert_eq!(
            ended(&world.message(&corrected).await),
            ("dropped", Some("OVERTAKEN"))
        );
        let gone = paid(
            world,
            &Ordered {
                order: Uuid::now_v7(),
                lines: [Uuid::now_v7(), Uuid::now_v7()],
            },
        );
        world.deliver(&gone).await;
        world.send_due().await;
        for row in world.messages(&gone).await {
            assert_eq!(ended(&row), ("dropped", Some("ORDER_NOT_FOUND")));
        }
        // Collection ends on 5 December, payment on 29 November.
        let late = order(world, Language::French, &world.phone);
        world.clock.advance(TimeDelta::days(14));
        let collected = held(world, &late, "");
        world.deliver(&collected).await;
        let placed = orders::OrderPlaced {
            order_id: late.order.to_string(),
            line_ids: late.line_ids(),
            total_centimes: 4000,
        };
        let placed = world.record(late.order, &placed);
        world.deliver(&placed).await;
        world.send_due().await;
        let rows = world.messages(&collected).await.into_iter();
        for row in rows.chain(world.messages(&placed).await) {
            assert_eq!(ended(&row), ("dropped", Some("OVERTAKEN")));
        }
        assert!(world.mails().await.is_empty() && world.texts().await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_civil_registry_order_is_down_messages_wait() {
    with_world(async |world| {
        let record = paid(world, &order(world, Language::English, &world.phone));
        world.deliver(&record).await;
        let reminder = reminded(world, Uuid::now_v7(), &world.email);
        world.deliver(&reminder).await;
        world.orders.state().down = true;
        assert_eq!(world.send_due().await, 3);
        let waiting = world.messages(&record).await.into_iter();
        for row in waiting.chain(world.messages(&reminder).await) {
            assert_eq!(ended(&row), ("queued", Some("CIVIL_REGISTRY_ORDER_UNAVAILABLE")));
        }
        world.orders.state().down = false;
        world.clock.advance(TimeDelta::seconds(2));
        assert_eq!(world.send_due().await, 3);
        assert_eq!((world.mails().await.len(), world.texts().await.len()), (2, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_gets_its_daily_mail() {
    with_world(async |world| {
        let office = Uuid::now_v7();
        let record = reminded(world, office, &world.email);
        assert_eq!(world.deliver(&record).await, Delivered::Effect);
        assert_eq!(world.deliver(&record).await, Delivered::Duplicate);
        assert_eq!(world.send_due().await, 1);
        let mails = world.mails().await;
        let words = text(&mails[0]);
        for said in [
            "Bonjour,\n\n",
            "Bureau : Bureau d'état civil Maârif",
            "Documents à établir : 17",
            "Dont en retard : 3",
            &format!("https://wathiq.example/office/batch-sheets?office_id={office}"),
        ] {
            assert!(words.contains(said), "{said} is not in {words}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn yesterdays_mail_is_not_sent_and_an_office_without_a_mailbox_gets_none() {
    with_world(async |world| {
        let yesterday = reminded(world, Uuid::now_v7(), &world.email);
        world.deliver(&yesterday).await;
        world.clock.advance(TimeDelta::days(1));
        let nowhere = reminded(world, Uuid::now_v7(), "");
        world.deliver(&nowhere).await;
        let unknown = forgotten(world, Uuid::now_v7());
        world.deliver(&unknown).await;
        assert_eq!(world.send_due().await, 3);
        for (record, reason) in [
            (yesterday, "OVERTAKEN"),
            (nowhere, "NO_ADDRESS"),
            (unknown, "REMINDER_NOT_FOUND"),
        ] {
            assert_eq!(ended(&world.message(&record).await), ("dropped", Some(reason)));
        }
        assert!(world.mails().await.is_empty());
    })
    .await;
}
