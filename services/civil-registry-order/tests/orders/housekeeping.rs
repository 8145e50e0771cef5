//! What nothing needs any more goes, and nothing else.

use std::time::SystemTime;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use wathiq_chassis::Clock;
use wathiq_civil_registry_order::app::draw_document::key;
use wathiq_civil_registry_order::app::forget_answered::forget_answered;
use wathiq_civil_registry_order::app::sweep_files::sweep_documents;

use crate::digitised::{digitise, prepare};
use crate::harness::{World, line};

/// The file and the task of a line's document.
async fn document_of(world: &World, line_id: &str) -> (Option<String>, Uuid) {
    let mut conn = world.database.connect().await;
    let sql = "SELECT l.document->>'object_key', o.id FROM order_line l JOIN outward o ON o.subject_id = l.id
               WHERE l.id = $1 AND o.kind = 'DEPOSIT_DOCUMENT'";
    let id = Uuid::try_parse(line_id).unwrap();
    sqlx::query_as(sql).bind(id).fetch_one(&mut conn).await.unwrap()
}

#[tokio::test]
async fn documents_that_no_line_names_are_deleted_unless_they_are_still_on_their_way() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let given = world.place(citizen, vec![line("12")]).await;
    world.pay(&given).await;
    prepare(&world, officer, &given.lines[0]).await;
    // Drawn and kept, and signature does not answer.
    digitise(&world, "13").await;
    let waiting = world.place(citizen, vec![line("13")]).await;
    world.pay(&waiting).await;
    world
        .peers
        .signature_down
        .store(true, std::sync::atomic::Ordering::SeqCst);
    prepare(&world, officer, &waiting.lines[0]).await;

    let (named, task) = document_of(&world, &given.lines[0].line_id).await;
    assert_eq!(named.as_deref(), Some(key(task).as_str()));
    let (unnamed, waiting) = document_of(&world, &waiting.lines[0].line_id).await;
    assert_eq!(unnamed, None);
    let objects = &world.app.objects;
    assert!(
        objects.exists(&key(waiting)).await.unwrap(),
        "it is drawn already"
    );
    let orphan = key(Uuid::from_u128(7));
    let file = Bytes::from_static(b"%PDF-1.7");
    objects.put(&orphan, file).await.unwrap();

    // Files have the age that the disk says.
    let ahead = DateTime::<Utc>::from(SystemTime::now()) - world.clock.now();
    if ahead > TimeDelta::zero() {
        world.clock.advance(ahead);
    }
    world.clock.advance(TimeDelta::hours(2));
    assert_eq!(sweep_documents(&world.app).await.unwrap(), 1);
    for (file, stays) in [(key(task), true), (key(waiting), true), (orphan, false)] {
        assert_eq!(objects.exists(&file).await.unwrap(), stays, "{file}");
    }
}

#[tokio::test]
async fn what_was_answered_long_ago_is_forgotten_and_what_waits_or_was_refused_is_not() {
    let world = World::start().await;
    let citizen = world.citizen();
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    let mut owner = world.database.owner().await;
    for (state, ended) in [
        ("PENDING", None),
        ("REFUSED", Some(world.clock.now())),
        ("DONE", Some(world.clock.now() + TimeDelta::days(10))),
    ] {
        sqlx::query(
            "INSERT INTO outward (id, kind, subject_id, state, next_attempt_at, created_at, ended_at)
             VALUES (gen_random_uuid(), 'REQUEST_REFUND', gen_random_uuid(), $1, 'infinity', now(), $2)",
        )
        .bind(state)
        .bind(ended)
        .execute(&mut owner)
        .await
        .unwrap();
    }
    world.clock.advance(TimeDelta::days(29));
    assert_eq!(forget_answered(&world.app).await.unwrap(), 0);
    world.clock.advance(TimeDelta::days(2));
    assert_eq!(
        forget_answered(&world.app).await.unwrap(),
        1,
        "the payable that was opened"
    );
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM outward")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(left, 3);
}
