//! What of a digitised act differs from what was ordered. Whoever orders is told nothing of it: the office is, and decides.

use crate::domain::act::{Act, ActContent, Bilingual};
use crate::domain::act_key::RegisterKind;
use crate::domain::clue::{Clue, PartialDate as Told};
use crate::domain::extract;
use crate::domain::fold::Script;
use crate::domain::kind::Relation;
use crate::domain::order::line::Line;
use crate::domain::person::{Applicant, FullName};
use crate::domain::same_name::same_name;
use crate::domain::written_date::PartialDate;

/// As [`differences`] of what a line says; where it is for oneself, also `applicant_name` and `applicant_birth_date`.
pub fn of_line(line: &Line, applicant: &Applicant, act: &Act) -> Vec<&'static str> {
    let mut found = differences(&line.clue, act);
    if line.relation != Relation::Oneself {
        return found;
    }
    let oneself = Clue {
        person: applicant.name.clone(),
        birth_date: applicant.birth_date.map(Told::of),
        ..line.clue.clone()
    };
    let own = differences(&oneself, act);
    let comparable = applicant.name.has_script() && !applicant.name.is_same(&line.clue.person);
    if comparable
        && own
            .iter()
            .any(|field| matches!(*field, "given_name" | "family_name"))
    {
        found.push("applicant_name");
    }
    if own.contains(&"birth_date") {
        found.push("applicant_birth_date");
    }
    found
}

/// Fields of the act that differ from the clue: `given_name`, `family_name`, `birth_date`, `death_date`, `father_name`, `mother_name`. What an act was first
/// drawn up with counts as much as what its notes have made of it.
pub fn differences(clue: &Clue, act: &Act) -> Vec<&'static str> {
    let first = of_content(clue, &act.content, act.content.birth_date.gregorian);
    if first.is_empty() || act.notes.is_empty() {
        return first;
    }
    let now = extract::extract_of(&act.content, &act.notes);
    let content = ActContent {
        given_name: now.given_name,
        family_name: now.family_name,
        ..act.content.clone()
    };
    let now = of_content(clue, &content, now.birth_date.gregorian);
    if now.len() < first.len() { now } else { first }
}

fn of_content(clue: &Clue, content: &ActContent, born: Option<PartialDate>) -> Vec<&'static str> {
    let mut differences = Vec::new();
    let person = &clue.person;
    let given = |script| person.in_script(script).map(|(given, _)| given);
    let family = |script| person.in_script(script).map(|(_, family)| family);
    if !same(&content.given_name, given) {
        differences.push("given_name");
    }
    if !same(&content.family_name, family) {
        differences.push("family_name");
    }
    // Acts of death often do not say when somebody was born.
    let silent = born.is_none() && clue.kind == RegisterKind::Death;
    if !silent && clue.birth_date.is_some_and(|told| !written_then(told, born)) {
        differences.push("birth_date");
    }
    let died = content.death_date.gregorian;
    if died.is_some() && clue.death_date.is_some_and(|told| !written_then(told, died)) {
        differences.push("death_date");
    }
    for (field, told, written) in [
        ("father_name", &clue.father, &content.father),
        ("mother_name", &clue.mother, &content.mother),
    ] {
        let written = name_of(&written.given_name, &written.family_name);
        if told.shares_script(&written) && !told.is_same(&written) {
            differences.push(field);
        }
    }
    differences
}

/// How much of what was compared agrees, 0 to 1.
pub fn agreement(differences: &[&str]) -> f32 {
    const COMPARED: f32 = 8.0;
    1.0 - differences.len() as f32 / COMPARED
}

/// Given and family name as one name.
pub fn name_of(given: &Bilingual, family: &Bilingual) -> FullName {
    FullName {
        given_latin: given.latin.clone(),
        family_latin: family.latin.clone(),
        given_arabic: given.arabic.clone(),
        family_arabic: family.arabic.clone(),
    }
}

/// The same in every script that both have, and there is one.
fn same<'a>(written: &Bilingual, told: impl Fn(Script) -> Option<&'a str>) -> bool {
    let mut compared = 0;
    let agree = Script::ALL.into_iter().all(|script| {
        let written = match script {
            Script::Latin => &written.latin,
            Script::Arabic => &written.arabic,
        };
        let Some(told) = told(script).filter(|_| !written.is_empty()) else {
            return true;
        };
        compared += 1;
        same_name(script, told, written)
    });
    agree && compared > 0
}

/// Whether the act may say this date. One that says nothing of it does not.
fn written_then(told: Told, written: Option<PartialDate>) -> bool {
    let Some(written) = written else { return false };
    match written.full() {
        Some(day) => told.admits(day),
        None => told.year == i32::from(written.year()),
    }
}
