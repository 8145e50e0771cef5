use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::act::check;

const ANNE: Uuid = Uuid::from_u128(1);
const BEN: Uuid = Uuid::from_u128(2);
const CORA: Uuid = Uuid::from_u128(3);
const ACT: Uuid = Uuid::from_u128(9);

fn entry(family: &str, place: &str) -> Entry {
    entry_with(family, place, json!([]))
}

fn entry_with(family: &str, place: &str, notes: serde_json::Value) -> Entry {
    let draft: Draft = serde_json::from_value(json!({
        "office": "", "kind": "birth", "year": 1984, "number": "123 bis",
        "content": {
            "origin": "declaration", "sex": "female",
            "given_name": { "arabic": "أمينة", "latin": "Amina" },
            "family_name": { "latin": family },
            "birth_date": { "gregorian": "1984-03-02" },
            "birth_place": { "latin": place },
            "declarant": { "name": { "latin": "Ahmed" } },
        },
        "notes": notes,
    }))
    .unwrap();
    check::entry(Uuid::nil(), draft, NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()).unwrap()
}

fn look(person_id: Uuid, entry: Entry) -> Look {
    Look { person_id, entry }
}

fn once() -> Keying {
    Keying::open(Uuid::nil(), look(ANNE, entry("Alaoui", "Rabat")), None)
}

fn differing() -> Keying {
    once().look(look(BEN, entry("Alawi", "Rabat")), ACT).unwrap()
}

#[test]
fn two_who_read_the_same_register_the_act() {
    let keying = once().look(look(BEN, entry(" Alaoui ", "Rabat")), ACT).unwrap();
    assert_eq!(keying.stage.name(), "REGISTERED");
    assert_eq!(
        keying
            .settled()
            .map(|(entry, id)| (entry.content().family_name.latin.as_str(), id)),
        Some(("Alaoui", ACT))
    );
    assert_eq!(keying.version, 2);
}

#[test]
fn what_looks_the_same_is_the_same_reading() {
    let note =
        |arabic: &str| json!([{ "date": "2001-05-06", "kind": "marriage", "text": { "arabic": arabic } }]);
    let first = entry_with("Alaoui", "F\u{e8}s", note("آمال"));
    // Composed of a letter and an accent; lengthened by a tatweel.
    let second = entry_with("Alaoui", "Fe\u{300}s", note("\u{627}\u{653}مـال"));
    assert_eq!(differences(&first, &second), []);
    let third = entry_with("Alaoui", "Fes", note("آمال"));
    assert_eq!(differences(&first, &third).len(), 1);
}

#[test]
fn differences_are_named_by_path() {
    let keying = once().look(look(BEN, entry("Alawi", "")), ACT).unwrap();
    let found: Vec<_> = keying
        .differences()
        .into_iter()
        .map(|difference| (difference.field, difference.first, difference.second))
        .collect();
    let expected = [
        ("content.birth_place.latin", "Rabat", ""),
        ("content.family_name.latin", "Alaoui", "Alawi"),
    ];
    assert_eq!(
        found,
        expected.map(|(field, first, second)| (field.to_owned(), first.to_owned(), second.to_owned()))
    );
}

/// Every state and every kind of look.
#[test]
fn states_and_looks() {
    let registered = || {
        differing()
            .look(look(CORA, entry("Alaoui", "Rabat")), ACT)
            .unwrap()
    };
    type Make = fn() -> Keying;
    let states: [(&str, Make); 3] = [
        ("KEYED_ONCE", once),
        ("DIFFERS", differing),
        ("REGISTERED", || {
            differing()
                .look(look(CORA, entry("Alaoui", "Rabat")), ACT)
                .unwrap()
        }),
    ];
    assert_eq!(registered().people(), [ANNE, BEN, CORA]);
    let expected = [
        // (first again, second again, a third who agrees with the first, one who changes what is agreed)
        ["SamePerson", "REGISTERED", "REGISTERED", "DIFFERS"],
        [
            "SamePerson",
            "SamePerson",
            "REGISTERED",
            "AgreedFieldsChanged([\"content.birth_place.latin\"])",
        ],
        ["Registered", "Registered", "Registered", "Registered"],
    ];
    for ((name, state), expected) in states.into_iter().zip(expected) {
        assert_eq!(state().stage.name(), name);
        let looks = [
            look(ANNE, entry("Alaoui", "Rabat")),
            look(BEN, entry("Alaoui", "Rabat")),
            look(CORA, entry("Alaoui", "Rabat")),
            look(CORA, entry("Alaoui", "Fès")),
        ];
        for (look, expected) in looks.into_iter().zip(expected) {
            let outcome = match state().look(look, ACT) {
                Ok(keying) => keying.stage.name().to_owned(),
                Err(error) => format!("{error:?}"),
            };
            assert_eq!(outcome, expected, "in {name}");
        }
    }
}

#[test]
fn notes_that_one_has_not_read_are_open_to_the_third() {
    let note = json!({ "date": "2001-05-06", "kind": "marriage", "text": { "latin": "mariage" } });
    let keying = once()
        .look(look(BEN, entry_with("Alaoui", "Rabat", json!([note]))), ACT)
        .unwrap();
    assert!(
        keying
            .differences()
            .iter()
            .all(|difference| difference.field.starts_with("notes[0]"))
    );
    let mut other = note;
    other["text"]["latin"] = json!("mariage à Fès");
    let settled = keying
        .look(look(CORA, entry_with("Alaoui", "Rabat", json!([other]))), ACT)
        .unwrap();
    assert_eq!(settled.settled().unwrap().0.notes().len(), 1);
}

proptest! {
    #[test]
    fn whoever_looks_an_act_is_registered_by_different_people_only(
        looks in prop::collection::vec((0u128..4, prop::sample::select(vec!["Alaoui", "Alawi", "Aloui"])), 1..12),
    ) {
        let mut looks = looks.into_iter().map(|(person, family)| look(Uuid::from_u128(person), entry(family, "Rabat")));
        let mut keying = Keying::open(Uuid::nil(), looks.next().unwrap(), None);
        for look in looks {
            if let Ok(next) = keying.clone().look(look, ACT) {
                prop_assert_eq!(next.version, keying.version + 1);
                keying = next;
            }
        }
        let mut people = keying.people();
        let count = people.len();
        people.sort_unstable();
        people.dedup();
        prop_assert_eq!(people.len(), count);
        prop_assert_eq!(keying.settled().is_some(), keying.stage.name() == "REGISTERED");
    }
}

#[test]
fn a_first_look_is_withdrawn_by_its_author_or_an_officer() {
    assert_eq!(once().withdraw(BEN, false), Err(KeyingError::NotTheirs));
    for (by, is_officer) in [(ANNE, false), (BEN, true)] {
        let withdrawn = once().withdraw(by, is_officer).unwrap();
        assert_eq!((withdrawn.stage.name(), withdrawn.version), ("WITHDRAWN", 2));
        assert_eq!(withdrawn.settled(), None);
        let again = withdrawn.clone().look(look(CORA, entry("Alaoui", "Rabat")), ACT);
        assert_eq!(again, Err(KeyingError::Withdrawn));
        assert_eq!(withdrawn.withdraw(by, is_officer), Err(KeyingError::Withdrawn));
    }
}

#[test]
fn two_that_differ_are_sent_back_by_whoever_keyed_neither() {
    for looked in [ANNE, BEN] {
        assert_eq!(differing().withdraw(looked, true), Err(KeyingError::SamePerson));
    }
    let back = differing().withdraw(CORA, false).unwrap();
    assert_eq!((back.stage.name(), back.version), ("WITHDRAWN", 3));
    assert_eq!(back.people(), [ANNE, BEN]);
    let settled = differing()
        .look(look(CORA, entry("Alaoui", "Rabat")), ACT)
        .unwrap();
    assert_eq!(settled.withdraw(Uuid::max(), true), Err(KeyingError::Registered));
}
