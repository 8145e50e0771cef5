//! The dates of an act, one after the other. What an act does not say to the day contradicts nothing that it can mean.

use chrono::NaiveDate;

use super::walk::Walk;
use crate::domain::act::{ActContent, Origin};
use crate::domain::written_date::PartialDate;

/// Nothing is declared before it happens, or happens after today.
pub(super) fn check(walk: &mut Walk, year: i32, content: &ActContent, today: NaiveDate) {
    let (birth, death) = (content.birth_date.gregorian, content.death_date.gregorian);
    for (field, date) in [("birth_date.gregorian", birth), ("death_date.gregorian", death)] {
        happened(walk, field, date, (year, today));
    }
    for (field, parent) in [
        ("father.birth_date.gregorian", &content.father),
        ("mother.birth_date.gregorian", &content.mother),
    ] {
        let born = parent.birth_date.gregorian;
        let later = |child: PartialDate| born.is_some_and(|parent| parent.year() >= child.year());
        if happened(walk, field, born, (year, today)) && birth.is_some_and(later) {
            walk.fault(field, "DATE_ORDER", "must be before the birth of the child");
        }
    }
    if let (Some(birth), Some(death)) = (birth, death)
        && death.is_before(birth)
    {
        walk.fault(
            "death_date.gregorian",
            "DATE_ORDER",
            "must not be before the birth",
        );
    }
    drawn_up(walk, year, content, today);
}

/// Whether something can have happened by the year of its register.
fn happened(
    walk: &mut Walk,
    field: &str,
    date: Option<PartialDate>,
    (year, today): (i32, NaiveDate),
) -> bool {
    let Some(date) = date else { return true };
    if date.earliest() > today {
        walk.fault(field, "IN_FUTURE", "must not be after today");
    } else if i32::from(date.year()) > year {
        walk.fault(field, "DATE_ORDER", "must not be after the year of the register");
    } else {
        return true;
    }
    false
}

/// A declaration is drawn up as it is made, in the register of its year (decree 2-99-665). A judgment, or an act that is transcribed, has a date of
/// its own.
fn drawn_up(walk: &mut Walk, year: i32, content: &ActContent, today: NaiveDate) {
    const FIELD: &str = "drawn_up.gregorian";
    let Some(drawn_up) = content.drawn_up.gregorian else {
        return;
    };
    let told = content.death_date.gregorian.or(content.birth_date.gregorian);
    if drawn_up.earliest() > today {
        walk.fault(FIELD, "IN_FUTURE", "must not be after today");
    } else if told.is_some_and(|told| drawn_up.is_before(told)) {
        walk.fault(FIELD, "DATE_ORDER", "must not be before what it tells of");
    } else if content.origin == Origin::Declaration && i32::from(drawn_up.year()) != year {
        let text = "a declared act is drawn up in the year of its register";
        walk.fault(FIELD, "DATE_ORDER", text);
    }
}
