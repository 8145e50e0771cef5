//! One-time codes and notices.

use chrono::TimeDelta;
use uuid::Uuid;
use wathiq_notification::domain::language::Language;
use wathiq_notification::domain::message::Channel;
use wathiq_notification::domain::template::Template;
use wathiq_outbox::Record;
use wathiq_outbox::testing::Delivered;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::notification::v1 as pb;

use crate::doubles::Held;
use crate::harness::{World, text, with_world, with_world_of};

/// Identity holds a delivery; the event that tells of it.
pub(crate) fn held(world: &World, template: Template, channel: Channel, language: Language) -> Record {
    let delivery_id = Uuid::now_v7();
    let (address, wire) = match channel {
        Channel::Email => (world.email.clone(), identity::ContactChannel::Email),
        Channel::Text => (world.phone.clone(), identity::ContactChannel::Phone),
    };
    let code = if template.as_str().ends_with("_code") {
        "804213".to_owned()
    } else {
        String::new()
    };
    let expires_at = world.now() + TimeDelta::minutes(10);
    let held = Held {
        template,
        channel,
        address,
        language,
        code,
        expires_at,
    };
    world.identity.state().deliveries.insert(delivery_id, held);
    let event = identity::DeliveryRequested {
        delivery_id: delivery_id.to_string(),
        channel: wire.into(),
    };
    world.record(delivery_id, &event)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_goes_out_by_mail_in_the_persons_language() {
    with_world(async |world| {
        let record = held(world, Template::SignUpCode, Channel::Email, Language::Arabic);
        assert_eq!(world.deliver(&record).await, Delivered::Effect);
        assert_eq!(world.send_due().await, 1);
        let mails = world.mails().await;
        assert_eq!(mails.len(), 1);
        let text = text(&mails[0]);
        assert!(text.lines().any(|line| line == "804213"), "{text}");
        assert!(text.contains("صالح إلى الساعة 11:10 بتوقيت المغرب"), "{text}");
        assert!(
            text.contains("080\u{a0}200\u{a0}60\u{a0}60 (من الإثنين إلى الجمعة، من 8:30 إلى 16:30)"),
            "{text}"
        );
        assert_eq!(mails[0]["subject"], "رمز تأكيد بريدكم الإلكتروني في منصة وثيق");
        let html = mails[0]["html"].as_str().unwrap();
        assert!(html.contains("<html lang=\"ar\" dir=\"rtl\">"), "{html}");
        let headers = &mails[0]["headers"];
        assert_eq!(headers["auto-submitted"], "auto-generated");
        assert_eq!(headers["content-language"], "ar");
        assert_eq!(headers["date"], "Sun, 22 Nov 2026 10:00:00 +0000");
        let row = world.message(&record).await;
        assert_eq!(
            (row.state.as_str(), row.template.as_str()),
            ("sent", "identity.sign_up_code")
        );
        assert_eq!((row.channel.as_str(), row.attempts), ("email", 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_goes_out_by_text_message() {
    with_world(async |world| {
        let record = held(world, Template::SignUpCode, Channel::Text, Language::French);
        world.deliver(&record).await;
        world.send_due().await;
        let texts = world.texts().await;
        assert_eq!(texts.len(), 1);
        let text = texts[0]["text"].as_str().unwrap();
        assert!(
            text.contains("804213") && text.contains("jusqu'à 11 h 10"),
            "{text}"
        );
        assert!(text.ends_with("Aide : 0802006060, 8:30-16:30"), "{text}");
        assert_eq!(texts[0]["reference"].as_str().unwrap().len(), 32);
        assert_eq!(world.message(&record).await.state, "sent");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_comes_twice_is_one_message_and_its_life_is_published() {
    with_world(async |world| {
        let record = held(
            world,
            Template::AccountExistsNotice,
            Channel::Email,
            Language::English,
        );
        assert_eq!(world.deliver(&record).await, Delivered::Effect);
        assert_eq!(world.deliver(&record).await, Delivered::Duplicate);
        world.send_due().await;
        world.send_due().await;
        assert_eq!(world.mails().await.len(), 1);
        let row = world.message(&record).await;
        let events = world.events().await;
        assert_eq!(events.len(), 2);
        let queued: pb::MessageQueued = events[0].decode();
        assert_eq!(queued.message_id, row.message_id.to_string());
        assert_eq!(queued.cause_event_id, record.event_id.to_string());
        assert_eq!(
            (queued.template.as_str(), queued.channel()),
            ("identity.delivery", pb::MessageChannel::Email)
        );
        let sent: pb::MessageSent = events[1].decode();
        assert_eq!((sent.message_id, sent.attempts), (queued.message_id, 1));
        assert!(events.iter().all(|event| event.aggregate_id == row.message_id));
        assert_eq!(
            events.iter().map(|event| event.sequence).collect::<Vec<_>>(),
            [1, 2]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_too_old_is_dropped_and_never_sent() {
    with_world(async |world| {
        let expired = held(world, Template::SignUpCode, Channel::Email, Language::French);
        world.deliver(&expired).await;
        world.clock.advance(TimeDelta::minutes(10));
        world.send_due().await;
        // Identity has erased it.
        let erased = held(
            world,
            Template::PasswordResetCode,
            Channel::Text,
            Language::French,
        );
        world.identity.state().deliveries.remove(&erased.aggregate_id);
        world.deliver(&erased).await;
        world.send_due().await;
        for record in [&expired, &erased] {
            let row = world.message(record).await;
            assert_eq!(
                (row.state.as_str(), row.failure_code.as_deref()),
                ("dropped", Some("DELIVERY_EXPIRED"))
            );
        }
        assert!(world.mails().await.is_empty() && world.texts().await.is_empty());
        let dropped: pb::MessageDropped = world.events().await[1].decode();
        assert_eq!(dropped.reason, "DELIVERY_EXPIRED");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_identity_is_down_a_code_waits_and_is_taken_by_the_same_request() {
    with_world(async |world| {
        let record = held(world, Template::SignUpCode, Channel::Text, Language::Arabic);
        world.deliver(&record).await;
        world.identity.state().down = true;
        assert_eq!(world.send_due().await, 1);
        assert_eq!(world.send_due().await, 0, "not before the pause is over");
        let row = world.message(&record).await;
        assert_eq!(
            (row.state.as_str(), row.failure_code.as_deref()),
            ("queued", Some("IDENTITY_UNAVAILABLE"))
        );
        world.identity.state().down = false;
        world.clock.advance(TimeDelta::seconds(2));
        assert_eq!(world.send_due().await, 1);
        assert_eq!(world.texts().await.len(), 1);
        let takes = world.identity.state().takes.clone();
        assert_eq!(takes, [(record.event_id, record.aggregate_id); 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_died_after_sending_repeats_recognisably() {
    with_world(async |world| {
        let mail = held(world, Template::SignUpCode, Channel::Email, Language::French);
        let note = held(world, Template::SignUpCode, Channel::Text, Language::French);
        for record in [&mail, &note] {
            world.deliver(record).await;
        }
        world.send_due().await;
        // The servers took both; the process died before it noted so.
        let forget = "UPDATE message SET state = 'queued', ended_at = NULL";
        sqlx::query(forget)
            .execute(&mut world.connect().await)
            .await
            .unwrap();
        sqlx::query("DELETE FROM outbox WHERE sequence = 2")
            .execute(&mut world.connect().await)
            .await
            .unwrap();
        world.clock.advance(TimeDelta::minutes(3));
        assert_eq!(world.send_due().await, 2);
        let mails = world.mails().await;
        assert_eq!(mails.len(), 2);
        let id = |mail: &serde_json::Value| mail["headers"]["message-id"].as_str().unwrap().to_owned();
        assert_eq!(id(&mails[0]), id(&mails[1]));
        assert!(id(&mails[0]).ends_with("@wathiq.example>"), "{}", id(&mails[0]));
        assert_eq!(world.texts().await.len(), 1, "the provider knows the reference");
        assert_eq!(world.message(&mail).await.state, "sent");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_and_no_address_stands_in_the_database() {
    with_world(async |world| {
        for channel in [Channel::Email, Channel::Text] {
            let record = held(world, Template::ContactChangeCode, channel, Language::English);
            world.deliver(&record).await;
        }
        world.send_due().await;
        assert_eq!((world.mails().await.len(), world.texts().await.len()), (1, 1));
        let dump: String = sqlx::query_scalar(
            "SELECT coalesce(string_agg(line, E'\\n'), '') FROM (
                 SELECT row_to_json(m)::text AS line FROM message m
                 UNION ALL SELECT row_to_json(o)::text || encode(o.payload, 'escape') FROM outbox o
                 UNION ALL SELECT row_to_json(i)::text FROM inbox i) AS lines",
        )
        .fetch_one(&mut world.connect().await)
        .await
        .unwrap();
        assert!(dump.contains("identity.contact_change_code"), "{dump}");
        for secret in ["804213", &world.email, &world.phone] {
            assert!(!dump.contains(secret), "{secret} stands in {dump}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_the_provider_refuses_fails_and_a_wrong_key_does_not() {
    with_world(async |world| {
        let record = held(world, Template::SignUpCode, Channel::Text, Language::French);
        let wrong = "0612345678".to_owned();
        world
            .identity
            .state()
            .deliveries
            .get_mut(&record.aggregate_id)
            .unwrap()
            .address = wrong;
        world.deliver(&record).await;
        world.send_due().await;
        let row = world.message(&record).await;
        assert_eq!(
            (row.state.as_str(), row.failure_code.as_deref()),
            ("failed", Some("TEXT_INVALID_RECIPIENT"))
        );
        let failed: pb::MessageFailed = world.events().await[1].decode();
        assert_eq!(failed.failure_code, "TEXT_INVALID_RECIPIENT");
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let wrong_key = folder.path().join("key");
    std::fs::write(&wrong_key, "another").unwrap();
    with_world_of(
        |settings| settings.text.key_file = wathiq_chassis::SecretFile::new(wrong_key),
        async |world| {
            let record = held(world, Template::SignUpCode, Channel::Text, Language::French);
            world.deliver(&record).await;
            world.send_due().await;
            let row = world.message(&record).await;
            assert_eq!(
                (row.state.as_str(), row.failure_code.as_deref()),
                ("queued", Some("TEXT_INVALID_KEY"))
            );
        },
    )
    .await;
}
