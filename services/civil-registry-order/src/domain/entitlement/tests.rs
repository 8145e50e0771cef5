use chrono::DateTime;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::domain::act::{ActContent, NoteDraft, Source};
use crate::domain::act_key::{ActKey, RegisterKind, RegisterPart};
use crate::domain::clue::PartialDate as Told;

fn name(given: &str, family: &str) -> FullName {
    FullName {
        given_latin: given.into(),
        family_latin: family.into(),
        ..FullName::default()
    }
}

fn applicant(given: &str, family: &str, born: &str) -> Applicant {
    Applicant {
        name: name(given, family),
        birth_date: born.parse().ok(),
        proved: true,
        ..Applicant::default()
    }
}

fn clue(given: &str, family: &str, (year, month, day): (i32, u32, u32)) -> Clue {
    Clue {
        office_id: Uuid::nil(),
        kind: RegisterKind::Birth,
        year: Some(1990),
        part: String::new(),
        number: "12".into(),
        hijri_year: None,
        person: name(given, family),
        birth_date: Some(Told { year, month, day }),
        death_date: None,
        father: FullName::default(),
        mother: FullName::default(),
    }
}

fn act(given: &str, family: &str, born: &str) -> Act {
    let content: Value = json!({
        "origin": "declaration", "sex": "female",
        "given_name": { "latin": given }, "family_name": { "latin": family },
        "birth_date": { "gregorian": born },
        "father": {
            "given_name": { "latin": "Driss" }, "family_name": { "latin": "El Idrissi" }, "birth_date": { "gregorian": "1958-02-01" },
        },
        "mother": { "given_name": { "latin": "Fatima" }, "family_name": { "latin": "Alaoui" } },
    });
    let content: ActContent = serde_json::from_value(content).unwrap();
    Act {
        id: Uuid::nil(),
        key: ActKey {
            office_id: Uuid::nil(),
            kind: RegisterKind::Birth,
            year: 1990,
            part: RegisterPart::default(),
            number: "12".parse().unwrap(),
        },
        content,
        notes: Vec::new(),
        source: Source::Keyed,
        has_scan: false,
        created_at: chrono::DateTime::UNIX_EPOCH,
    }
}

fn noted(mut act: Act, notes: &[(&str, &str)]) -> Act {
    for (ordinal, (kind, text)) in (1..).zip(notes) {
        let draft = json!({ "date": "2015-01-01", "kind": kind, "text": { "latin": text } });
        let draft: NoteDraft = serde_json::from_value(draft).unwrap();
        act.notes.push(Note {
            id: Uuid::nil(),
            ordinal,
            draft,
            author_id: None,
            created_at: chrono::DateTime::UNIX_EPOCH,
        });
    }
    act
}

fn proves(relation: Relation, applicant: &Applicant, clue: &Clue, ordered: &Act, own: Option<&Act>) -> bool {
    let acts = Acts {
        ordered: Some(ordered),
        own,
    };
    acts_prove(relation, applicant, clue, acts)
}

const BORN: (i32, u32, u32) = (1990, 3, 15);

#[test]
fn one_s_own_act_has_one_s_name_and_day_of_birth() {
    let amina = applicant("Amina", "El Idrissi", "1990-03-15");
    let own = clue("Amina", "El Idrissi", BORN);
    let oneself = |applicant: &Applicant, act: &Act| proves(Relation::Oneself, applicant, &own, act, None);
    assert!(oneself(&amina, &act("Amina", "El Idrissi", "1990-03-15")));
    // A stranger's act under the number that was given.
    assert!(!oneself(&amina, &act("Karim", "Benali", "1990-07-01")));
    assert!(!oneself(&amina, &act("Amina", "El Idrissi", "1990-03-16")));
    assert!(!oneself(&amina, &act("Amina", "El Idrissi", "1990")));
    assert!(!oneself(&amina, &act("Yamna", "El Idrissi", "1990-03-15")));
    let said = Applicant {
        proved: false,
        ..amina
    };
    assert!(!oneself(&said, &act("Amina", "El Idrissi", "1990-03-15")));
}

#[test]
fn one_s_own_act_has_the_name_that_a_note_has_given() {
    let amina = applicant("Amina", "El Idrissi", "1990-03-15");
    let mut own = act("Amina", "Bennani", "1990-03-14");
    assert!(!is_of(&own, &amina));
    let changes = json!([
        { "field": "family_name", "text": { "latin": "El Idrissi" } },
        { "field": "birth_date", "date": { "gregorian": "1990-03-15" } },
    ]);
    let draft: NoteDraft = serde_json::from_value(json!({
        "date": "2011-05-06", "kind": "judgment", "text": { "latin": "jugement" }, "changes_extract": true, "changes": changes,
    }))
    .unwrap();
    own.notes.push(Note {
        id: Uuid::nil(),
        ordinal: 1,
        draft,
        author_id: None,
        created_at: DateTime::UNIX_EPOCH,
    });
    assert!(is_of(&own, &amina));
    assert!(is_of(&own, &applicant("Amina", "Bennani", "1990-03-14")));
    assert!(
        !is_of(&own, &applicant("Amina", "Bennani", "1990-03-15")),
        "old name, new day"
    );
}

#[test]
fn a_name_that_only_sounds_alike_is_not_one_s_own() {
    let hassan = applicant("Hassan", "El Idrissi", "1990-03-15");
    assert!(!may_be(&hassan, &clue("Hussein", "El Idrissi", BORN)));
    assert!(may_be(&hassan, &clue("HASSAN", "Idrissi", BORN)));
    assert!(!may_be(&hassan, &clue("Hassan", "El Idrissi", (1991, 0, 0))));
}

#[test]
fn a_parent_is_named_in_the_act_with_the_day_of_birth() {
    let child = clue("Amina", "El Idrissi", BORN);
    let ordered = act("Amina", "El Idrissi", "1990-03-15");
    let parent = |applicant: &Applicant| proves(Relation::Parent, applicant, &child, &ordered, None);
    assert!(parent(&applicant("Driss", "El Idrissi", "1958-02-01")));
    assert!(
        !parent(&applicant("Driss", "El Idrissi", "1960-02-01")),
        "a namesake"
    );
    assert!(
        !parent(&applicant("Fatima", "Alaoui", "1960-02-01")),
        "the act has no date"
    );
    let said = Applicant {
        proved: false,
        ..applicant("Driss", "El Idrissi", "1958-02-01")
    };
    assert!(!parent(&said));
}

#[test]
fn a_child_s_own_act_names_the_parent() {
    let amina = applicant("Amina", "El Idrissi", "1990-03-15");
    let own = act("Amina", "El Idrissi", "1990-03-15");
    let father = act("Driss", "El Idrissi", "1958-02-01");
    let asked = clue("Driss", "El Idrissi", (1958, 2, 1));
    assert!(proves(Relation::Child, &amina, &asked, &father, Some(&own)));
    assert!(!proves(Relation::Child, &amina, &asked, &father, None));
    let vague = clue("Driss", "El Idrissi", (1958, 0, 0));
    assert!(!proves(Relation::Child, &amina, &vague, &father, Some(&own)));
    let stranger = act("Driss", "El Idrissi", "1961-02-01");
    assert!(!proves(Relation::Child, &amina, &asked, &stranger, Some(&own)));
}

#[test]
fn spouses_stand_in_each_other_s_margin_until_a_divorce() {
    let amina = applicant("Amina", "El Idrissi", "1990-03-15");
    let asked = clue("Karim", "Benali", (1988, 5, 2));
    let own = noted(
        act("Amina", "El Idrissi", "1990-03-15"),
        &[("marriage", "Mariée le 12 mai 2014 avec Karim Benali")],
    );
    let his = |notes: &[(&str, &str)]| noted(act("Karim", "Benali", "1988-05-02"), notes);
    let married = his(&[("marriage", "Marié le 12 mai 2014 avec Amina El Idrissi")]);
    assert!(proves(Relation::Spouse, &amina, &asked, &married, Some(&own)));
    assert!(!proves(Relation::Spouse, &amina, &asked, &his(&[]), Some(&own)));
    let divorced = his(&[
        ("marriage", "Marié le 12 mai 2014 avec Amina El Idrissi"),
        ("divorce", "Divorcé le 3 juin 2019"),
    ]);
    assert!(!proves(Relation::Spouse, &amina, &asked, &divorced, Some(&own)));
}
