//! Search by key and by person.

use tonic::Code;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, OTHER, Person, World, violations};
use crate::sample::{date, keying, text};

async fn search(
    world: &World,
    person: Person,
    request: pb::SearchActsRequest,
) -> Result<Vec<pb::ActSummary>, tonic::Status> {
    let answer = world.acts().search_acts(world.of(person, request)).await?;
    Ok(answer.into_inner().acts)
}

fn by_name(given: &str, family: &str, year: i32, month: i32, day: i32) -> pb::SearchActsRequest {
    pb::SearchActsRequest {
        office_id: OFFICE.to_string(),
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        birth_date: date(year, month, day),
        ..Default::default()
    }
}

#[tokio::test]
async fn spellings_of_either_script_find_the_act() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await.to_string();
    let mut other = keying("2");
    let content = other.content.as_mut().unwrap();
    content.given_name = text("خديجة", "Khadija");
    world.registered(other).await;
    let agent = world.agent();
    for (given, family, month, day) in [
        ("Amina", "El Idrissi", 3, 2),
        ("AMINA", "IDRISSI", 3, 2),
        ("Ameena", "Elidrissi", 3, 2),
        ("أمينة", "الإدريسي", 3, 2),
        ("امينه", "ادريسي", 0, 0),
        ("Amina", "El-Idrissi", 0, 0),
        ("Amina", "Idrisi", 3, 9),
        ("Amina", "", 3, 2),
        ("أمينة", "El Idrissi", 0, 0),
    ] {
        let found = search(&world, agent, by_name(given, family, 1984, month, day))
            .await
            .unwrap();
        let ids: Vec<&str> = found.iter().map(|act| act.act_id.as_str()).collect();
        assert_eq!(ids, [act_id.as_str()], "{given} {family} {month} {day}");
        assert_eq!(found[0].differences.contains(&"birth_date".to_owned()), day == 9);
    }
    for (given, family, year) in [
        ("Fouzia", "El Idrissi", 1984),
        ("Amina", "Bennani", 1984),
        ("Amina", "El Idrissi", 1985),
    ] {
        let found = search(&world, agent, by_name(given, family, year, 0, 0))
            .await
            .unwrap();
        assert!(found.is_empty(), "{given} {family} {year}");
    }
}

/// Given name and family name, in Arabic and in Latin script.
type Registered = [&'static str; 4];
/// As people write them.
type Typed = (&'static str, &'static str);

/// An act in both scripts, and how people write its names.
const MISSPELLED: &[(Registered, &[Typed])] = &[
    (
        ["محمد", "Mohammed", "العلوي", "Alaoui"],
        &[
            ("Mohamed", "El Alaoui"),
            ("Muhammad", "Alawi"),
            ("مُحمّد", "علوي"),
            ("محمـد", "العلوى"),
        ],
    ),
    (
        ["فاطمة الزهراء", "Fatima Zahra", "بنعلي", "Benali"],
        &[
            ("Fatima-Zohra", "Ben Ali"),
            ("Fatimah Ezzahra", "Benali"),
            ("فاطمه الزهراء", "بن علي"),
            ("فاطمة الزهرا", "ابن علي"),
        ],
    ),
    (
        ["عبد الرحمان", "Abderrahman", "أحمد", "Ahmed"],
        &[
            ("Abdel Rahman", "Ahmad"),
            ("Abderahmane", "AHMED"),
            ("عبدالرحمن", "احمد"),
            ("عبد الرحمن", "أحمد"),
        ],
    ),
];

#[tokio::test]
async fn reasonable_misspellings_in_both_scripts_find_the_act() {
    let world = World::start().await;
    let agent = world.agent();
    for (number, ([given_arabic, given_latin, family_arabic, family_latin], spellings)) in
        (1..).zip(MISSPELLED)
    {
        let mut request = keying(&number.to_string());
        let content = request.content.as_mut().unwrap();
        content.given_name = text(given_arabic, given_latin);
        content.family_name = text(family_arabic, family_latin);
        let act_id = world.registered(request).await.to_string();
        for (given, family) in *spellings {
            // With the day and with the year alone.
            for (month, day) in [(3, 2), (0, 0)] {
                let found = search(&world, agent, by_name(given, family, 1984, month, day))
                    .await
                    .unwrap();
                assert!(
                    found.iter().any(|found| found.act_id == act_id),
                    "{given} {family} {month}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_search_is_audited_without_names() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let agent = world.agent();
    search(&world, agent, by_name("Amina", "Idrissi", 1984, 3, 2))
        .await
        .unwrap();
    let by_key = pb::SearchActsRequest {
        year: 1984,
        number: "77".to_owned(),
        ..Default::default()
    };
    search(&world, agent, by_key).await.unwrap();
    let mut conn = world.database.owner().await;
    let traces: Vec<(uuid::Uuid, serde_json::Value)> = sqlx::query_as(
        "SELECT aggregate_id, details FROM audit WHERE action = 'act.search' AND person_id = $1 ORDER BY id",
    )
    .bind(agent.0)
    .fetch_all(&mut conn)
    .await
    .unwrap();
    let expected = [
        (
            OFFICE,
            serde_json::json!({ "query": "person", "found": [act_id] }),
        ),
        (
            uuid::Uuid::nil(),
            serde_json::json!({ "query": "key", "found": [] }),
        ),
    ];
    assert_eq!(traces, expected);
}

#[tokio::test]
async fn a_key_finds_one_act_or_one_of_each_part() {
    let world = World::start().await;
    let mut second_part = keying("1");
    second_part.key.as_mut().unwrap().part = "3".to_owned();
    world.registered(keying("1")).await;
    world.registered(second_part).await;
    let agent = world.agent();
    let by_key = |part: &str, number: &str| pb::SearchActsRequest {
        office_id: OFFICE.to_string(),
        kind: pb::RegisterKind::Birth.into(),
        year: 1984,
        part: part.to_owned(),
        number: number.to_owned(),
        ..Default::default()
    };
    let parts = |found: Vec<pb::ActSummary>| -> Vec<String> {
        found.into_iter().map(|act| act.key.unwrap().part).collect()
    };
    assert_eq!(
        parts(search(&world, agent, by_key("", "01")).await.unwrap()),
        ["2", "3"]
    );
    assert_eq!(
        parts(search(&world, agent, by_key("3", "١")).await.unwrap()),
        ["3"]
    );
    assert!(search(&world, agent, by_key("", "2")).await.unwrap().is_empty());
    let mut deaths = by_key("", "1");
    deaths.kind = pb::RegisterKind::Death.into();
    assert!(search(&world, agent, deaths).await.unwrap().is_empty());
    let mut everywhere = by_key("", "1");
    everywhere.office_id = String::new();
    assert_eq!(search(&world, agent, everywhere.clone()).await.unwrap().len(), 2);
    assert!(
        search(&world, world.official_at(OTHER, "agent"), everywhere)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_name_alone_and_half_a_key_are_refused() {
    let world = World::start().await;
    let agent = world.agent();
    let refused = |request| async { violations(search(&world, agent, request).await) };
    let mut name = by_name("Amina", "El Idrissi", 0, 0, 0);
    assert_eq!(
        refused(name.clone()).await,
        [("birth_date".to_owned(), "NAME_ALONE".to_owned())]
    );
    name.birth_date = date(1984, 2, 30);
    assert_eq!(
        refused(name).await,
        [("birth_date".to_owned(), "MALFORMED".to_owned())]
    );
    let found = refused(by_name("Amina", "", 1984, 0, 0)).await;
    assert_eq!(found, [("family_name".to_owned(), "REQUIRED".to_owned())]);
    let key = pb::SearchActsRequest {
        office_id: "elsewhere".to_owned(),
        number: "x".to_owned(),
        ..Default::default()
    };
    let expected = [
        ("office_id", "MALFORMED"),
        ("number", "NUMBER_IMPOSSIBLE"),
        ("year", "REQUIRED"),
    ];
    assert_eq!(
        refused(key).await,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
    let stranger = world.official_at(OTHER, "agent");
    let elsewhere = search(&world, stranger, by_name("Amina", "El Idrissi", 1984, 0, 0)).await;
    assert_eq!(elsewhere.err().unwrap().code(), Code::NotFound);
}

#[tokio::test]
async fn every_look_at_an_act_is_audited() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await;
    let agent = world.agent();
    world.act(agent, act_id).await.unwrap();
    world.act(agent, act_id).await.unwrap();
    let mut conn = world.database.owner().await;
    let looks: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit WHERE action = 'act.read' AND aggregate_id = $1 AND person_id = $2",
    )
    .bind(act_id)
    .bind(agent.0)
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert_eq!(looks, 2);
}

#[tokio::test]
async fn an_act_is_found_by_what_its_notes_have_made_of_name_and_birth_date() {
    let world = World::start().await;
    let act_id = world.registered(keying("1")).await.to_string();
    world.registered(keying("2")).await;
    let (agent, officer) = (world.agent(), world.officer());
    let change = |field: &str, latin: &str, arabic: &str| pb::ExtractChange {
        field: field.to_owned(),
        text: text(arabic, latin),
        date: None,
    };
    let dated = pb::ExtractChange {
        date: Some(pb::WrittenDate {
            gregorian: date(1983, 5, 6),
            ..Default::default()
        }),
        ..change("birth_date", "", "")
    };
    let steps = [
        (
            vec![change("family_name", "Bennani", "بناني")],
            ("Amina", "Bennani", 1984, 3, 2),
        ),
        (
            vec![change("family_name", "Tazi", "التازي")],
            ("Amina", "Tazi", 1984, 3, 2),
        ),
        (
            vec![dated, change("given_name", "Khadija", "خديجة")],
            ("Khadija", "Tazi", 1983, 5, 6),
        ),
    ];
    let of_first = by_name("Amina", "El Idrissi", 1984, 3, 2);
    for (changes, (given, family, year, month, day)) in steps {
        let note = pb::MarginalNote {
            date: date(2011, 5, 6),
            kind: "judgment".to_owned(),
            text: text("حكم", "jugement"),
            changes_extract: true,
            changes,
            ..Default::default()
        };
        let request = pb::AddMarginalNoteRequest {
            request_id: crate::harness::request_id(),
            act_id: act_id.clone(),
            note: Some(note),
        };
        world
            .acts()
            .add_marginal_note(world.of(officer, request))
            .await
            .unwrap();
        // By the day, and by the year alone.
        for (month, day) in [(month, day), (0, 0)] {
            let found = search(&world, agent, by_name(given, family, year, month, day))
                .await
                .unwrap();
            let ids: Vec<&str> = found.iter().map(|act| act.act_id.as_str()).collect();
            assert_eq!(ids, [act_id.as_str()], "{given} {family} {year} {day}");
            assert!(found[0].differences.is_empty());
        }
        let found = search(&world, agent, of_first.clone()).await.unwrap();
        assert_eq!(found.len(), 2, "by what it was drawn up with, each act once");
    }
    let found = search(&world, agent, by_name("خديجة", "التازي", 1983, 0, 0))
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let found = search(&world, agent, by_name("Amina", "Bennani", 1984, 3, 2))
        .await
        .unwrap();
    assert!(found.is_empty(), "a name in between is nobody's");
}

#[tokio::test]
async fn a_search_says_that_more_may_be_meant() {
    let world = World::start().await;
    let agent = world.agent();
    let truncated = |request: pb::SearchActsRequest| {
        let (world, mut acts) = (&world, world.acts());
        async move {
            let answer = acts
                .search_acts(world.of(agent, request))
                .await
                .unwrap()
                .into_inner();
            (answer.acts.len(), answer.truncated)
        }
    };
    for number in 1..=20 {
        world.registered(keying(&number.to_string())).await;
    }
    let asked = by_name("Amina", "El Idrissi", 1984, 0, 0);
    assert_eq!(truncated(asked.clone()).await, (20, false));
    world.registered(keying("21")).await;
    assert_eq!(truncated(asked).await, (20, true));
}
