//! Keying twice, and the third look.

use tonic::Code;
use wathiq_outbox::testing::drain;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, OTHER, Person, World, reason, request_id, violations};
use crate::sample::{content, key, keying, text};

fn with_place(number: &str, place: &str) -> pb::KeyActRequest {
    let mut request = keying(number);
    let mother = request.content.as_mut().unwrap().mother.as_mut().unwrap();
    mother.birth_place = text("فاس", place);
    request
}

#[tokio::test]
async fn two_who_agree_make_an_act() {
    let world = World::start().await;
    let (first, second) = (world.agent(), world.officer());
    let keyed = world.key(first, keying("123bis")).await.unwrap();
    assert_eq!(
        (keyed.state(), keyed.act_id.as_str()),
        (pb::KeyingState::KeyedOnce, "")
    );
    let done = world.key(second, keying("١٢٣ مكرر")).await.unwrap();
    assert_eq!(done.state(), pb::KeyingState::Registered);
    assert_eq!(done.keying_id, keyed.keying_id);
    let act = world.act(first, done.act_id.parse().unwrap()).await.unwrap();
    assert_eq!(act.key, Some(key("123 bis")));
    assert!(act.content == Some(content()), "not what was keyed");
    assert_eq!((act.source.as_str(), act.has_scan), ("keyed", false));
    assert_eq!(act.held_by_office_id, OFFICE.to_string());
    let events = drain(&mut world.database.connect().await).await;
    let names: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    let package = "wathiq.civil_registry_order.v1.";
    assert_eq!(
        names,
        ["ActKeyed", "ActRegistered", "ActKeyed"].map(|name| format!("{package}{name}"))
    );
}

#[tokio::test]
async fn a_third_settles_what_differs_and_nothing_else() {
    let world = World::start().await;
    let (first, second, third) = (world.agent(), world.agent(), world.agent());
    let keying_id = world.key(first, with_place("7", "Fès")).await.unwrap().keying_id;
    let differs = world.key(second, with_place("7", "Fez")).await.unwrap();
    assert_eq!(differs.state(), pb::KeyingState::Differs);

    let ask = |person| {
        let request = pb::GetKeyingDifferencesRequest {
            keying_id: keying_id.clone(),
        };
        let (world, mut acts) = (&world, world.acts());
        async move { acts.get_keying_differences(world.of(person, request)).await }
    };
    for looked in [first, second] {
        assert_eq!(
            reason(ask(looked).await),
            (Code::PermissionDenied, "KEYED_BY_SAME_PERSON".into())
        );
        assert_eq!(
            reason(world.key(looked, with_place("7", "Fès")).await),
            (Code::PermissionDenied, "KEYED_BY_SAME_PERSON".into())
        );
    }
    let shown = ask(third).await.unwrap().into_inner();
    let found: Vec<(&str, &str, &str)> = shown
        .differences
        .iter()
        .map(|difference| {
            (
                difference.field.as_str(),
                difference.first.as_str(),
                difference.second.as_str(),
            )
        })
        .collect();
    assert_eq!(found, [("content.mother.birth_place.latin", "Fès", "Fez")]);

    let mut too_much = with_place("7", "Fès");
    too_much.content.as_mut().unwrap().twin = true;
    assert_eq!(
        violations(world.key(third, too_much).await),
        [("content.twin".to_owned(), "AGREED_FIELD_CHANGED".to_owned())]
    );
    let done = world.key(third, with_place("7", "Fès-Médina")).await.unwrap();
    assert_eq!(done.state(), pb::KeyingState::Registered);
    let act = world.act(first, done.act_id.parse().unwrap()).await.unwrap();
    assert_eq!(
        act.content.unwrap().mother.unwrap().birth_place,
        text("فاس", "Fès-Médina")
    );
    assert_eq!(reason(ask(third).await).1, "KEYED_BY_SAME_PERSON");
    assert_eq!(
        reason(world.key(world.agent(), keying("7")).await),
        (Code::AlreadyExists, "ACT_ALREADY_DIGITISED".into())
    );
}

#[tokio::test]
async fn a_repeat_is_answered_as_before_and_changes_nothing() {
    let world = World::start().await;
    let (first, second) = (world.agent(), world.agent());
    let request = keying("1");
    let once = world.key(first, request.clone()).await.unwrap();
    assert_eq!(world.key(first, request.clone()).await.unwrap(), once);
    let again = keying("1");
    let done = world.key(second, again.clone()).await.unwrap();
    assert_eq!(world.key(second, again.clone()).await.unwrap(), done);
    let mut other = again;
    other.content.as_mut().unwrap().twin = true;
    assert_eq!(
        reason(world.key(second, other).await),
        (Code::AlreadyExists, "REQUEST_ID_REUSED".into())
    );
    assert_eq!(drain(&mut world.database.connect().await).await.len(), 3);
}

#[tokio::test]
async fn many_at_once_make_one_act() {
    let world = World::start().await;
    let people: Vec<_> = (0..16).map(|_| world.agent()).collect();
    let all = people.iter().map(|person| world.key(*person, keying("9")));
    let answers = futures::future::join_all(all).await;
    let count = |state| {
        let of_state = |answer: &&Result<pb::KeyActResponse, _>| {
            answer.as_ref().is_ok_and(|answer| answer.state() == state)
        };
        answers.iter().filter(of_state).count()
    };
    assert_eq!(
        (
            count(pb::KeyingState::KeyedOnce),
            count(pb::KeyingState::Registered)
        ),
        (1, 1)
    );
    for refused in answers.into_iter().filter(Result::is_err) {
        assert_eq!(
            reason(refused),
            (Code::AlreadyExists, "ACT_ALREADY_DIGITISED".into())
        );
    }
}

#[tokio::test]
async fn every_fault_is_answered_at_once_with_its_path() {
    let world = World::start().await;
    let mut request = keying("none");
    request.key.as_mut().unwrap().year = 2027;
    let bad = request.content.as_mut().unwrap();
    bad.given_name = None;
    bad.hour = 24;
    bad.mother.as_mut().unwrap().birth_place = text("Fès", "");
    let found = violations(world.key(world.agent(), request).await);
    let expected = [
        ("key.year", "YEAR_IMPOSSIBLE"),
        ("key.number", "NUMBER_IMPOSSIBLE"),
        ("content.mother.birth_place.arabic", "WRONG_SCRIPT"),
        ("content.given_name", "REQUIRED"),
        ("content.hour", "OUT_OF_RANGE"),
    ];
    assert_eq!(
        found,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
    let mut request = keying("1");
    request.content.as_mut().unwrap().sex = 0;
    request
        .content
        .as_mut()
        .unwrap()
        .birth_date
        .as_mut()
        .unwrap()
        .gregorian = crate::sample::date(1984, 2, 30);
    request.notes = vec![pb::MarginalNote {
        kind: "gossip".to_owned(),
        ..Default::default()
    }];
    let found = violations(world.key(world.agent(), request).await);
    let expected = [
        ("content.sex", "REQUIRED"),
        ("content.birth_date.gregorian", "MALFORMED"),
        ("notes[0].date", "REQUIRED"),
        ("notes[0].kind", "NOTE_KIND_UNKNOWN"),
    ];
    assert_eq!(
        found,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
}

#[tokio::test]
async fn keyings_wait_for_others_and_say_nothing_of_what_was_read() {
    let world = World::start().await;
    let (first, second) = (world.agent(), world.agent());
    for number in ["1", "2", "3"] {
        world.key(first, keying(number)).await.unwrap();
        world.clock.advance(chrono::TimeDelta::seconds(1));
    }
    world.key(second, keying("2")).await.unwrap();
    world.key(second, with_place("3", "Fez")).await.unwrap();
    let list = |person, page_size, page_token: &str| {
        let request = pb::ListKeyingsRequest {
            office_id: OFFICE.to_string(),
            page_size,
            page_token: page_token.to_owned(),
            keyed_by_caller: false,
        };
        let (world, mut acts) = (&world, world.acts());
        async move {
            acts.list_keyings(world.of(person, request))
                .await
                .map(tonic::Response::into_inner)
        }
    };
    let numbers = |page: &pb::ListKeyingsResponse| -> Vec<String> {
        page.keyings
            .iter()
            .map(|keying| keying.key.as_ref().unwrap().number.clone())
            .collect()
    };
    assert!(list(first, 0, "").await.unwrap().keyings.is_empty());
    assert_eq!(numbers(&list(second, 0, "").await.unwrap()), ["1"]);
    let third = world.agent();
    let page = list(third, 1, "").await.unwrap();
    assert_eq!(numbers(&page), ["1"]);
    assert_eq!(
        numbers(&list(third, 1, &page.next_page_token).await.unwrap()),
        ["3"]
    );
    let stranger = world.official_at(OTHER, "agent");
    assert_eq!(list(stranger, 0, "").await.err().unwrap().code(), Code::NotFound);
}

#[tokio::test]
async fn progress_is_counted_by_register_year() {
    let world = World::start().await;
    let (first, second, officer) = (world.agent(), world.agent(), world.officer());
    for number in ["1", "2", "3"] {
        world.key(first, keying(number)).await.unwrap();
    }
    world.key(second, keying("2")).await.unwrap();
    world.key(second, with_place("3", "Fez")).await.unwrap();
    let size = pb::SetRegisterSizeRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        kind: pb::RegisterKind::Birth.into(),
        year: 1984,
        acts_in_register: 812,
    };
    let refused = world
        .acts()
        .set_register_size(world.of(first, size.clone()))
        .await;
    assert_eq!(reason(refused), (Code::PermissionDenied, "ROLE_MISSING".into()));
    let set = world
        .acts()
        .set_register_size(world.of(officer, size.clone()))
        .await;
    let expected = pb::KeyingProgress {
        kind: pb::RegisterKind::Birth.into(),
        year: 1984,
        acts_in_register: 812,
        registered: 1,
        keyed_once: 1,
        differing: 1,
    };
    assert_eq!(set.unwrap().into_inner().progress, Some(expected));
    let empty_year = pb::SetRegisterSizeRequest {
        request_id: request_id(),
        year: 1985,
        ..size.clone()
    };
    world
        .acts()
        .set_register_size(world.of(officer, empty_year))
        .await
        .unwrap();
    let list = |page_token: &str| {
        let request = pb::ListKeyingProgressRequest {
            office_id: OFFICE.to_string(),
            page_size: 1,
            page_token: page_token.to_owned(),
        };
        let (world, mut acts) = (&world, world.acts());
        async move {
            acts.list_keying_progress(world.of(first, request))
                .await
                .unwrap()
                .into_inner()
        }
    };
    let page = list("").await;
    assert_eq!(page.progress, [expected]);
    let page = list(&page.next_page_token).await;
    assert_eq!((page.progress[0].year, page.progress[0].registered), (1985, 0));
    assert_eq!(page.next_page_token, "");
    let mut impossible = size;
    (impossible.request_id, impossible.acts_in_register) = (request_id(), 0);
    let refused = world
        .acts()
        .set_register_size(world.of(officer, impossible))
        .await;
    assert_eq!(
        violations(refused),
        [("acts_in_register".to_owned(), "OUT_OF_RANGE".to_owned())]
    );
}

async fn withdraw(world: &World, person: Person, keying_id: &str) -> Result<pb::Keying, tonic::Status> {
    let request = pb::WithdrawKeyingRequest {
        request_id: request_id(),
        keying_id: keying_id.to_owned(),
    };
    let answer = world.acts().withdraw_keying(world.of(person, request)).await?;
    Ok(answer.into_inner().keying.unwrap())
}

async fn listed(world: &World, person: Person, keyed_by_caller: bool) -> Vec<String> {
    let request = pb::ListKeyingsRequest {
        keyed_by_caller,
        ..Default::default()
    };
    let answer = world
        .acts()
        .list_keyings(world.of(person, request))
        .await
        .unwrap();
    let keyings = answer.into_inner().keyings.into_iter();
    keyings.map(|keying| keying.keying_id).collect()
}

#[tokio::test]
async fn what_was_keyed_under_a_wrong_key_is_withdrawn_and_the_key_is_free() {
    let world = World::start().await;
    let (author, other, officer) = (world.agent(), world.agent(), world.officer());
    let wrong = world.key(author, with_place("7", "Fès")).await.unwrap().keying_id;
    assert_eq!(listed(&world, author, true).await, std::slice::from_ref(&wrong));
    assert!(listed(&world, author, false).await.is_empty());
    assert_eq!(
        reason(withdraw(&world, other, &wrong).await),
        (Code::PermissionDenied, "ROLE_MISSING".into())
    );
    let withdrawn = withdraw(&world, author, &wrong).await.unwrap();
    assert_eq!(withdrawn.state(), pb::KeyingState::Withdrawn);
    assert!(listed(&world, author, true).await.is_empty());
    assert_eq!(
        reason(withdraw(&world, author, &wrong).await),
        (Code::FailedPrecondition, "KEYING_STATE".into())
    );
    // Whoever keyed it wrongly keys what the register has under that number.
    let right = world.key(author, keying("7")).await.unwrap();
    assert_eq!(right.state(), pb::KeyingState::KeyedOnce);
    assert_ne!(right.keying_id, wrong);
    // An officer withdraws another's.
    withdraw(&world, officer, &right.keying_id).await.unwrap();
    world.key(author, keying("7")).await.unwrap();
    let done = world.key(other, keying("7")).await.unwrap();
    assert_eq!(done.state(), pb::KeyingState::Registered);
    assert_eq!(
        reason(withdraw(&world, officer, &done.keying_id).await),
        (Code::FailedPrecondition, "KEYING_STATE".into())
    );
    let mut conn = world.database.connect().await;
    let recorded: Vec<(String, Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT outcome, reason, details ->> 'was' FROM audit WHERE action = 'keying.withdraw' ORDER BY id",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let done = ("done".to_owned(), None, Some("KEYED_ONCE".to_owned()));
    let denied = ("refused".to_owned(), Some("ROLE_MISSING".to_owned()), None);
    assert_eq!(recorded, [denied, done.clone(), done]);
}

#[tokio::test]
async fn a_third_who_sees_that_both_misread_sends_them_back() {
    let world = World::start().await;
    let (first, second, third) = (world.agent(), world.agent(), world.agent());
    let misread = |place: &str| {
        let mut request = with_place("8", place);
        request.content.as_mut().unwrap().given_name = text("أمينة", "Amine");
        request
    };
    let keying_id = world.key(first, misread("Fès")).await.unwrap().keying_id;
    world.key(second, misread("Fez")).await.unwrap();
    // What both misread cannot be settled.
    assert_eq!(
        violations(world.key(third, with_place("8", "Fès")).await),
        [(
            "content.given_name.latin".to_owned(),
            "AGREED_FIELD_CHANGED".to_owned()
        )]
    );
    for looked in [first, second] {
        assert_eq!(
            reason(withdraw(&world, looked, &keying_id).await),
            (Code::PermissionDenied, "KEYED_BY_SAME_PERSON".into())
        );
    }
    withdraw(&world, third, &keying_id).await.unwrap();
    let act_id = world.registered(with_place("8", "Fès")).await;
    let act = world.act(third, act_id).await.unwrap();
    assert_eq!(act.content.unwrap().given_name, text("أمينة", "Amina"));
    let events = drain(&mut world.database.connect().await).await;
    let states: Vec<String> = events
        .iter()
        .filter(|event| event.event_type.ends_with("ActKeyed"))
        .map(|event| event.decode::<pb::ActKeyed>().state)
        .collect();
    assert_eq!(
        states,
        ["KEYED_ONCE", "DIFFERS", "WITHDRAWN", "KEYED_ONCE", "REGISTERED"]
    );
}
