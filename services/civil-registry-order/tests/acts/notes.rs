//! Marginal notes: added, never changed.

use futures::future::join_all;
use tonic::Code;
use uuid::Uuid;
use wathiq_outbox::testing::drain;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OTHER, Person, World, reason, request_id, violations};
use crate::sample::{date, keying, text};

fn note(kind: &str) -> pb::MarginalNote {
    pb::MarginalNote {
        date: date(2011, 5, 6),
        kind: kind.to_owned(),
        text: text("بيان", "mention"),
        ..Default::default()
    }
}

async fn add(
    world: &World,
    person: Person,
    act_id: Uuid,
    note: pb::MarginalNote,
) -> Result<pb::Act, tonic::Status> {
    let request = pb::AddMarginalNoteRequest {
        request_id: request_id(),
        act_id: act_id.to_string(),
        note: Some(note),
    };
    let answer = world.acts().add_marginal_note(world.of(person, request)).await?;
    Ok(answer.into_inner().act.unwrap())
}

#[tokio::test]
async fn notes_are_numbered_and_the_original_stays() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let original = world.act(world.agent(), act_id).await.unwrap();
    drain(&mut world.database.connect().await).await;
    let officer = world.officer();
    add(&world, officer, act_id, note("marriage")).await.unwrap();
    let mut change = note("judgment");
    change.changes_extract = true;
    change.changes = vec![pb::ExtractChange {
        field: "family_name".to_owned(),
        text: text("", "Idrissi"),
        date: None,
    }];
    let act = add(&world, officer, act_id, change).await.unwrap();
    let shown: Vec<(i32, &str, bool)> = act
        .notes
        .iter()
        .map(|note| (note.ordinal, note.kind.as_str(), note.changes_extract))
        .collect();
    assert_eq!(shown, [(1, "marriage", false), (2, "judgment", true)]);
    assert_eq!(act.notes[1].author_person_id, officer.0.to_string());
    assert!(act.content == original.content, "the original was changed");
    let events = drain(&mut world.database.connect().await).await;
    let changes: Vec<bool> = events
        .iter()
        .map(|event| event.decode::<pb::MarginalNoteAdded>().changes_extract)
        .collect();
    assert_eq!(changes, [false, true]);
}

#[tokio::test]
async fn only_an_officer_of_the_holder_adds_notes() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let refused = add(&world, world.agent(), act_id, note("marriage")).await;
    assert_eq!(reason(refused), (Code::PermissionDenied, "ROLE_MISSING".into()));
    let stranger = world.official_at(OTHER, "officer");
    assert_eq!(
        add(&world, stranger, act_id, note("marriage"))
            .await
            .err()
            .unwrap()
            .code(),
        Code::NotFound
    );
    let officer = world.officer();
    let request = pb::AddMarginalNoteRequest {
        request_id: request_id(),
        act_id: act_id.to_string(),
        note: Some(note("marriage")),
    };
    let signed = world.of(officer, request);
    world.identity.dismiss(officer.0);
    let refused = world.acts().add_marginal_note(signed).await;
    assert_eq!(reason(refused), (Code::PermissionDenied, "ROLE_MISSING".into()));
    let ended = world.officer();
    world.identity.end_session(ended.0);
    let refused = add(&world, ended, act_id, note("marriage")).await;
    assert_eq!(reason(refused), (Code::Unauthenticated, "SESSION_ENDED".into()));
}

#[tokio::test]
async fn a_bad_note_is_refused_with_every_fault() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let mut bad = note("marriage");
    bad.text = text("mention", "");
    bad.date = date(2026, 12, 1);
    bad.changes = vec![pb::ExtractChange {
        field: "sex".to_owned(),
        text: text("", "F"),
        date: None,
    }];
    let found = violations(add(&world, world.officer(), act_id, bad).await);
    let expected = [
        ("note.text.arabic", "WRONG_SCRIPT"),
        ("note.date", "IN_FUTURE"),
        ("note.changes", "EXTRACT_UNCHANGED"),
        ("note.changes[0].text.latin", "SEX_UNKNOWN"),
    ];
    assert_eq!(
        found,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
}

#[tokio::test]
async fn notes_added_at_once_get_numbers_of_their_own() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let officer = world.officer();
    let all = (0..12).map(|_| add(&world, officer, act_id, note("notice")));
    for added in join_all(all).await {
        added.unwrap();
    }
    let act = world.act(officer, act_id).await.unwrap();
    let ordinals: Vec<i32> = act.notes.iter().map(|note| note.ordinal).collect();
    assert_eq!(ordinals, (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_application_cannot_change_or_take_away_acts_and_notes() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    add(&world, world.officer(), act_id, note("notice"))
        .await
        .unwrap();
    let mut conn = world.database.connect().await;
    for statement in [
        "UPDATE act SET number = '2'",
        "DELETE FROM act",
        "TRUNCATE act CASCADE",
        "UPDATE act_note SET text_latin = 'other'",
        "DELETE FROM act_note",
        "UPDATE act_scan SET created_at = now()",
        "DELETE FROM scan",
        "UPDATE register_custody SET held_by = office_id",
        "DELETE FROM keying",
        "UPDATE keying SET first_entry = '{}'",
        "ALTER TABLE act ADD COLUMN other text",
    ] {
        let refused = sqlx::query(statement).execute(&mut conn).await.unwrap_err();
        let code = refused
            .as_database_error()
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {refused}");
    }
}
