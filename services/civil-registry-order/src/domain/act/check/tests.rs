use serde_json::{Value, json};

use super::*;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
}

fn birth() -> Value {
    json!({
        "office": "C-1", "kind": "birth", "year": 1984, "part": "2", "number": "123bis",
        "content": {
            "origin": "declaration", "sex": "female", "hijri_year": 1404,
            "given_name": { "arabic": " أمينة ", "latin": "Amina" },
            "family_name": { "arabic": "العلوي", "latin": "El  Alaoui" },
            "birth_date": { "gregorian": "1984-03-02", "hijri_latin": "vingt-huit joumada I 1404" },
            "declarant": { "name": { "latin": "Ahmed Alaoui" }, "age": 34 },
        },
    })
}

fn death() -> Value {
    let mut act = birth();
    act["kind"] = json!("death");
    act["content"]["death_date"] = json!({ "gregorian": "1984-11-30" });
    act
}

fn checked(act: Value) -> Result<Entry, Vec<(String, &'static str)>> {
    let draft: Draft = serde_json::from_value(act).unwrap();
    entry(Uuid::nil(), draft, today()).map_err(|faults| {
        faults
            .into_iter()
            .map(|fault| (fault.field, fault.reason))
            .collect()
    })
}

/// The faults after setting these values.
fn faults(mut act: Value, changes: &[(&str, Value)]) -> Vec<(String, &'static str)> {
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        act.pointer_mut(parent).unwrap()[field] = value.clone();
    }
    checked(act).unwrap_err()
}

fn owned(expected: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    expected
        .iter()
        .map(|(field, reason)| ((*field).to_owned(), *reason))
        .collect()
}

#[test]
fn a_good_act_is_tidied() {
    let entry = checked(birth()).unwrap();
    assert_eq!(entry.key().number.as_str(), "123 bis");
    assert_eq!(entry.content().given_name.arabic, "أمينة");
    assert_eq!(entry.content().family_name.latin, "El Alaoui");
    assert!(checked(death()).is_ok());
}

#[test]
fn every_fault_is_found_at_once() {
    let found = faults(
        birth(),
        &[
            ("/year", json!(2027)),
            ("/part", json!("1/2")),
            ("/number", json!("none")),
            ("/content/given_name", json!({})),
            ("/content/family_name/latin", json!("العلوي")),
            ("/content/family_name/arabic", json!("Alaoui")),
            ("/content/hour", json!(24)),
            ("/content/minute", json!(60)),
            ("/content/hijri_year", json!(1984)),
            ("/content/declarant", json!({ "name": {}, "age": 131 })),
            (
                "/content/mother",
                json!({ "birth_place": { "latin": "Ra\u{202e}bat" } }),
            ),
        ],
    );
    let expected = [
        ("year", "YEAR_IMPOSSIBLE"),
        ("part", "PART_IMPOSSIBLE"),
        ("number", "NUMBER_IMPOSSIBLE"),
        ("content.family_name.arabic", "WRONG_SCRIPT"),
        ("content.family_name.latin", "WRONG_SCRIPT"),
        ("content.mother.birth_place.latin", "UNPRINTABLE"),
        ("content.declarant.age", "OUT_OF_RANGE"),
        ("content.given_name", "REQUIRED"),
        ("content.hijri_year", "OUT_OF_RANGE"),
        ("content.hour", "OUT_OF_RANGE"),
        ("content.minute", "OUT_OF_RANGE"),
        ("content.declarant.name", "REQUIRED"),
    ];
    assert_eq!(found, owned(&expected));
}

#[test]
fn dates_are_in_order() {
    let cases = [
        (
            birth(),
            "/content/birth_date/gregorian",
            "1985-01-01",
            "content.birth_date.gregorian",
            "DATE_ORDER",
        ),
        (
            birth(),
            "/content/birth_date/gregorian",
            "2026-11-23",
            "content.birth_date.gregorian",
            "IN_FUTURE",
        ),
        (
            death(),
            "/content/death_date/gregorian",
            "1984-03-01",
            "content.death_date.gregorian",
            "DATE_ORDER",
        ),
    ];
    for (act, pointer, date, field, reason) in cases {
        assert_eq!(
            faults(act, &[(pointer, json!(date))]),
            owned(&[(field, reason)]),
            "{date}"
        );
    }
    let drawn = [("/content/drawn_up", json!({ "gregorian": "1983" }))];
    assert_eq!(
        faults(birth(), &drawn),
        owned(&[("content.drawn_up.gregorian", "DATE_ORDER")])
    );
    let mut year_only = birth();
    year_only["content"]["birth_date"] = json!({ "gregorian": "1984" });
    assert!(checked(year_only).is_ok());
}

#[test]
fn each_origin_needs_what_stands_for_it() {
    for (origin, field) in [
        ("declaration", "content.declarant.name"),
        ("transcription", "content.transcribed_from"),
        ("transferred_judgment", "content.judgment.reference"),
        ("declaratory_judgment", "content.judgment.reference"),
    ] {
        let found = faults(
            birth(),
            &[
                ("/content/origin", json!(origin)),
                ("/content/declarant", Value::Null),
            ],
        );
        assert_eq!(found, owned(&[(field, "REQUIRED")]), "{origin}");
    }
}

#[test]
fn births_and_deaths_are_kept_apart() {
    let found = faults(birth(), &[("/content/death_place", json!({ "latin": "Rabat" }))]);
    assert_eq!(found, owned(&[("content.death_place", "NOT_OF_THIS_REGISTER")]));
    let mut undated = death();
    undated["content"].as_object_mut().unwrap().remove("death_date");
    assert_eq!(
        checked(undated).unwrap_err(),
        owned(&[("content.death_date.gregorian", "REQUIRED")])
    );
    let mut unborn = birth();
    unborn["content"].as_object_mut().unwrap().remove("birth_date");
    assert_eq!(
        checked(unborn).unwrap_err(),
        owned(&[("content.birth_date.gregorian", "REQUIRED")])
    );
}

#[test]
fn a_note_is_written_between_the_year_of_its_register_and_today() {
    let dated = |date: &str| {
        let mut act = birth();
        act["notes"] = json!([{ "date": date, "kind": "marriage", "text": { "latin": "mariée" } }]);
        checked(act).map(|_| ())
    };
    assert_eq!(dated("1984-01-01"), Ok(()));
    assert_eq!(dated("2026-11-22"), Ok(()));
    let early = || Err(owned(&[("notes[0].date", "DATE_ORDER")]));
    assert_eq!(dated("1983-12-31"), early());
    // The library that reads dates takes years that no database does.
    assert_eq!(dated("-12345-1-2"), early());
    assert_eq!(
        dated("+12345-01-02"),
        Err(owned(&[("notes[0].date", "IN_FUTURE")]))
    );
}

#[test]
fn a_character_that_cannot_be_kept_is_refused() {
    let found = faults(birth(), &[("/content/given_name/latin", json!("Am\0ina"))]);
    assert_eq!(found, owned(&[("content.given_name.latin", "UNPRINTABLE")]));
}

#[test]
fn notes_say_what_they_change() {
    let note = |changes: Value, changes_extract: bool| {
        let draft: NoteDraft = serde_json::from_value(json!({
            "date": "2020-02-03", "kind": "judgment", "text": { "latin": "jugement" },
            "changes_extract": changes_extract, "changes": changes,
        }))
        .unwrap();
        super::note(draft, 1984, today()).map_err(|faults| {
            faults
                .into_iter()
                .map(|fault| (fault.field, fault.reason))
                .collect::<Vec<_>>()
        })
    };
    let family = json!({ "field": "family_name", "text": { "latin": "Alaoui" } });
    assert!(note(json!([family]), true).is_ok());
    assert_eq!(
        note(json!([family]), false).unwrap_err(),
        owned(&[("changes", "EXTRACT_UNCHANGED")])
    );
    assert_eq!(
        note(json!([]), true).unwrap_err(),
        owned(&[("changes", "CHANGES_MISSING")])
    );
    let wrong = json!([family, family, { "field": "birth_date", "text": {} }, { "field": "sex", "text": { "latin": "F" } }]);
    let expected = [
        ("changes[1].field", "REPEATED"),
        ("changes[2].date.gregorian", "REQUIRED"),
        ("changes[3].text.latin", "SEX_UNKNOWN"),
    ];
    assert_eq!(note(wrong, true).unwrap_err(), owned(&expected));
}

#[test]
fn a_long_text_is_refused_by_characters_and_not_by_bytes() {
    let set = |text: String| faults(birth(), &[("/content/birth_place", json!({ "arabic": text }))]);
    assert_eq!(
        set("ا".repeat(301)),
        owned(&[("content.birth_place.arabic", "LENGTH")])
    );
    let mut act = birth();
    act["content"]["birth_place"] = json!({ "arabic": "ا".repeat(300) });
    assert!(checked(act).is_ok());
}

#[test]
fn a_name_has_a_letter() {
    let at = |pointer: &str, name: Value| faults(birth(), &[(pointer, name)]);
    for nothing in ["-", "...", "123", "؟"] {
        assert_eq!(
            at(
                "/content/family_name",
                json!({ "latin": nothing.replace('؟', "?"), "arabic": "العلوي" })
            ),
            owned(&[("content.family_name.latin", "NAME_IMPOSSIBLE")])
        );
        assert_eq!(
            at("/content/given_name", json!({ "arabic": nothing })),
            owned(&[("content.given_name.arabic", "NAME_IMPOSSIBLE")])
        );
    }
    let change = json!([{
        "date": "2020-02-03", "kind": "judgment", "text": { "latin": "jugement" }, "changes_extract": true,
        "changes": [{ "field": "family_name", "text": { "latin": "--" } }],
    }]);
    assert_eq!(
        at("/notes", change),
        owned(&[("notes[0].changes[0].text.latin", "NAME_IMPOSSIBLE")])
    );
}

#[test]
fn the_dates_of_an_act_are_in_order() {
    let wrong = |field: &str| owned(&[(field, "DATE_ORDER")]);
    let dated = |act: Value, field: &str, date: &str| {
        let mut act = act;
        act["content"][field] = json!({ "gregorian": date });
        checked(act).map(drop)
    };
    // To the day, where both are said to the day; otherwise as far as they are said.
    assert_eq!(
        dated(birth(), "drawn_up", "1984-03-01"),
        Err(wrong("content.drawn_up.gregorian"))
    );
    assert_eq!(
        dated(birth(), "drawn_up", "1984-02"),
        Err(wrong("content.drawn_up.gregorian"))
    );
    for good in ["1984-03-02", "1984-03", "1984", "1984-12-31"] {
        assert_eq!(dated(birth(), "drawn_up", good), Ok(()), "{good}");
    }
    assert_eq!(
        dated(death(), "drawn_up", "1984-11-29"),
        Err(wrong("content.drawn_up.gregorian"))
    );
    assert_eq!(dated(death(), "drawn_up", "1984-12-01"), Ok(()));
    assert_eq!(
        dated(death(), "death_date", "1984-03-01"),
        Err(wrong("content.death_date.gregorian"))
    );
    assert_eq!(
        dated(death(), "death_date", "1984-02"),
        Err(wrong("content.death_date.gregorian"))
    );
    assert_eq!(dated(death(), "death_date", "1984-03"), Ok(()));
    // A declaration stands in the register of the year in which it is drawn up.
    assert_eq!(
        dated(birth(), "drawn_up", "1985-01-02"),
        Err(wrong("content.drawn_up.gregorian"))
    );
}

#[test]
fn a_parent_is_older_than_the_child() {
    for (parent, field) in [
        ("father", "content.father.birth_date.gregorian"),
        ("mother", "content.mother.birth_date.gregorian"),
    ] {
        let born = |date: &str| {
            let mut act = birth();
            act["content"][parent] = json!({ "birth_date": { "gregorian": date } });
            checked(act).map(drop)
        };
        for young in ["1984-03-02", "1984-01", "1984"] {
            assert_eq!(born(young), Err(owned(&[(field, "DATE_ORDER")])), "{young}");
        }
        assert_eq!(born("1985"), Err(owned(&[(field, "DATE_ORDER")])), "told once");
        assert_eq!(born("1960"), Ok(()));
    }
}

#[test]
fn late_judgments_and_transcriptions_keep_their_dates() {
    let old = |origin: Value, drawn_up: &str| {
        let mut act = birth();
        act["year"] = json!(1962);
        let content = act["content"].as_object_mut().unwrap();
        content.remove("declarant");
        content.insert("birth_date".to_owned(), json!({ "gregorian": "1931" }));
        content.insert("drawn_up".to_owned(), json!({ "gregorian": drawn_up }));
        content.extend(origin.as_object().unwrap().clone());
        checked(act).map(drop)
    };
    let judgment = json!({ "origin": "declaratory_judgment", "judgment": { "reference": "12/1961" } });
    let transcription = json!({ "origin": "transcription", "transcribed_from": "Fès 7/1931" });
    for (origin, drawn_up) in [
        (&judgment, "1961-12-30"),
        (&judgment, "1962-01-04"),
        (&transcription, "1931-06-01"),
        (&transcription, "1962"),
    ] {
        assert_eq!(old(origin.clone(), drawn_up), Ok(()), "{origin} {drawn_up}");
    }
    // So is a birth that was declared decades later.
    let declared = json!({ "origin": "declaration", "declarant": { "name": { "latin": "Ahmed" } } });
    assert_eq!(old(declared, "1962-05-01"), Ok(()));
}
