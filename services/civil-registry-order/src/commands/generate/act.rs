//! One synthetic act.

use chrono::{Datelike, Days, NaiveDate};

use super::names::{FAMILIES, KINSHIPS, MEN, PLACES, QUARTERS, TRADES, WOMEN, Word};
use super::random::Dice;
use super::words;
use crate::domain::act::{
    ActContent, Bilingual, Declarant, Draft, ExtractChange, ExtractField, Judgment, NoteDraft, NoteKind,
    Origin, Parent, Sex,
};
use crate::domain::act_key::RegisterKind;
use crate::domain::written_date::{PartialDate, WrittenDate};

/// First and last year of the synthetic registers.
pub(super) const YEARS: std::ops::RangeInclusive<u16> = 1950..=2024;
/// Acts of one part of a register.
const PART: u32 = 500;
const MOROCCAN: Word = ("marocaine", "مغربية");
/// The Hijri year in which the first of July of each year from 1915 on falls: acts of a year name it, or the one before.
const HIJRI_FROM: u16 = 1915;
const HIJRI: [u16; 112] = [
    1333, 1334, 1335, 1336, 1337, 1338, 1339, 1340, 1341, 1342, 1343, 1344, 1346, 1347, 1348, 1349, 1350,
    1351, 1352, 1353, 1354, 1355, 1356, 1357, 1358, 1359, 1360, 1361, 1362, 1363, 1364, 1365, 1366, 1367,
    1368, 1369, 1370, 1371, 1372, 1373, 1374, 1375, 1376, 1377, 1378, 1380, 1381, 1382, 1383, 1384, 1385,
    1386, 1387, 1388, 1389, 1390, 1391, 1392, 1393, 1394, 1395, 1396, 1397, 1398, 1399, 1400, 1401, 1402,
    1403, 1404, 1405, 1406, 1407, 1408, 1409, 1410, 1411, 1412, 1414, 1415, 1416, 1417, 1418, 1419, 1420,
    1421, 1422, 1423, 1424, 1425, 1426, 1427, 1428, 1429, 1430, 1431, 1432, 1433, 1434, 1435, 1436, 1437,
    1438, 1439, 1440, 1441, 1442, 1443, 1444, 1445, 1447, 1448,
];

/// Where an act stands.
pub(super) struct Place<'a> {
    pub(super) office: &'a str,
    pub(super) kind: RegisterKind,
    pub(super) year: u16,
    pub(super) number: u32,
}

/// An act at this place.
pub(super) fn act(dice: &mut Dice, place: &Place<'_>) -> Draft {
    let number = if dice.once_in(300) {
        format!("{} bis", place.number)
    } else {
        place.number.to_string()
    };
    let happened = day(dice, place.year);
    let content = content(dice, place, happened);
    let notes = notes(dice, place, happened, &content);
    Draft {
        office: place.office.to_owned(),
        kind: place.kind,
        year: place.year.into(),
        part: ((place.number - 1) / PART + 1).to_string(),
        number,
        content: Box::new(content),
        notes,
    }
}

fn content(dice: &mut Dice, place: &Place<'_>, happened: NaiveDate) -> ActContent {
    let female = dice.once_in(2);
    let family = dice.one_of(FAMILIES);
    let origin = origin(dice);
    let birth_year = match place.kind {
        RegisterKind::Birth => place.year,
        RegisterKind::Death => place.year - dice.within(1, 90),
    };
    let born = match place.kind {
        RegisterKind::Birth => happened,
        RegisterKind::Death => day(dice, birth_year),
    };
    let father = parent(dice, MEN, family, birth_year);
    let mother_family = dice.one_of(FAMILIES);
    let mother = parent(dice, WOMEN, mother_family, birth_year);
    let declarant = matches!(origin, Origin::Declaration | Origin::Transcription)
        .then(|| declarant(dice, &father, place.kind));
    let drawn_up = (happened + Days::new(dice.within(1, 25).into())).min(last_day(place.year));
    let (hour, minute) = (dice.below(24), dice.below(60));
    let died = place.kind == RegisterKind::Death;
    ActContent {
        origin,
        hijri_year: i16::try_from(hijri_year(place.year)).ok(),
        given_name: both(if female {
            dice.one_of(WOMEN)
        } else {
            dice.one_of(MEN)
        }),
        family_name: both(family),
        sex: if female { Sex::Female } else { Sex::Male },
        nationality: both(MOROCCAN),
        birth_date: if born.ordinal() == 1 {
            year_only(birth_year)
        } else {
            written(dice, born)
        },
        birth_place: both(dice.one_of(PLACES)),
        hour: u8::try_from(hour).ok(),
        minute: u8::try_from(minute).ok(),
        time_in_letters: Bilingual::new(
            format!(
                "على الساعة {} و{} دقيقة",
                words::arabic(hour),
                words::arabic(minute)
            ),
            format!(
                "à {} heures et {} minutes",
                words::french(hour),
                words::french(minute)
            ),
        ),
        twin: dice.once_in(60),
        father,
        mother,
        declarant,
        judgment: judgment(dice, origin, happened),
        drawn_up: written(dice, drawn_up),
        officer: person(dice, MEN),
        signed_with_declarant: dice.once_in(2),
        transcribed_from: transcribed_from(dice, origin, place.year),
        death_date: if died {
            written(dice, happened)
        } else {
            WrittenDate::default()
        },
        death_place: if died {
            both(dice.one_of(PLACES))
        } else {
            Bilingual::default()
        },
        profession: if died {
            both(dice.one_of(TRADES))
        } else {
            Bilingual::default()
        },
        address: if died { address(dice) } else { Bilingual::default() },
        marital_state: if died {
            both(("marié", "متزوج"))
        } else {
            Bilingual::default()
        },
    }
}

fn origin(dice: &mut Dice) -> Origin {
    match dice.below(100) {
        0..=2 => Origin::DeclaratoryJudgment,
        3 => Origin::TransferredJudgment,
        4..=5 => Origin::Transcription,
        _ => Origin::Declaration,
    }
}

fn judgment(dice: &mut Dice, origin: Origin, happened: NaiveDate) -> Option<Judgment> {
    if !matches!(origin, Origin::DeclaratoryJudgment | Origin::TransferredJudgment) {
        return None;
    }
    let (latin, arabic) = dice.one_of(PLACES);
    Some(Judgment {
        reference: format!("{}/{}", dice.within(1, 4_000), happened.year()),
        date: written(dice, happened),
        court: Bilingual::new(
            format!("المحكمة الابتدائية ب{arabic}"),
            format!("tribunal de première instance de {latin}"),
        ),
    })
}

fn transcribed_from(dice: &mut Dice, origin: Origin, year: u16) -> String {
    if origin == Origin::Transcription {
        format!("{} {}/{year}", dice.one_of(PLACES).0, dice.within(1, 900))
    } else {
        String::new()
    }
}

fn parent(dice: &mut Dice, given: &[Word], family: Word, child_born: u16) -> Parent {
    let year = child_born - dice.within(18, 45);
    let born = day(dice, year);
    Parent {
        given_name: both(dice.one_of(given)),
        family_name: both(family),
        nationality: both(MOROCCAN),
        // Many parents of old acts know their year of birth only.
        birth_date: if dice.once_in(4) {
            year_only(year)
        } else {
            written(dice, born)
        },
        birth_place: both(dice.one_of(PLACES)),
        profession: both(dice.one_of(TRADES)),
        address: address(dice),
    }
}

fn declarant(dice: &mut Dice, father: &Parent, kind: RegisterKind) -> Declarant {
    let by_father = kind == RegisterKind::Birth && !dice.once_in(4);
    let name = if by_father {
        Bilingual::new(
            format!("{} {}", father.given_name.arabic, father.family_name.arabic),
            format!("{} {}", father.given_name.latin, father.family_name.latin),
        )
    } else {
        person(dice, MEN)
    };
    Declarant {
        name,
        relationship: both(if by_father {
            KINSHIPS[0]
        } else {
            dice.one_of(&KINSHIPS[1..])
        }),
        age: u8::try_from(dice.within(20, 70)).ok(),
        profession: both(dice.one_of(TRADES)),
        nationality: both(MOROCCAN),
        address: address(dice),
    }
}

fn notes(dice: &mut Dice, place: &Place<'_>, happened: NaiveDate, content: &ActContent) -> Vec<NoteDraft> {
    let mut notes = Vec::new();
    let grown_up = place.year + 20;
    if place.kind == RegisterKind::Death || grown_up > *YEARS.end() {
        return notes;
    }
    let mut year = grown_up;
    let mut later = |dice: &mut Dice| {
        year = dice.within(year, *YEARS.end());
        day(dice, year).max(happened)
    };
    if dice.once_in(3) {
        let (date, with) = (
            later(dice),
            person(dice, if content.sex == Sex::Female { MEN } else { WOMEN }),
        );
        notes.push(note(date, NoteKind::Marriage, ("mariage avec", "تزوج بـ"), &with));
        if dice.once_in(5) {
            let date = later(dice);
            notes.push(note(date, NoteKind::Divorce, ("divorce d'avec", "طلق من"), &with));
        }
    }
    if dice.once_in(100) {
        let (date, family) = (later(dice), both(dice.one_of(FAMILIES)));
        let mut changing = note(
            date,
            NoteKind::Judgment,
            ("nom de famille rectifié", "تصحيح الاسم العائلي"),
            &family,
        );
        changing.changes_extract = true;
        changing.changes = vec![ExtractChange {
            field: ExtractField::FamilyName,
            text: family,
            date: WrittenDate::default(),
        }];
        notes.push(changing);
    }
    if dice.once_in(20) {
        let (date, at) = (later(dice), both(dice.one_of(PLACES)));
        let mut death = note(date, NoteKind::Death, ("décédé à", "توفي ب"), &at);
        death.changes_extract = true;
        notes.push(death);
    }
    notes
}

fn note(date: NaiveDate, kind: NoteKind, what: Word, whom: &Bilingual) -> NoteDraft {
    NoteDraft {
        date,
        kind,
        text: Bilingual::new(
            format!("{} {} بتاريخ {date}", what.1, whom.arabic),
            format!("{} {} en date du {date}", what.0, whom.latin),
        ),
        changes_extract: false,
        changes: Vec::new(),
    }
}

fn person(dice: &mut Dice, given: &[Word]) -> Bilingual {
    let (given, family) = (dice.one_of(given), dice.one_of(FAMILIES));
    Bilingual::new(
        format!("{} {}", given.1, family.1),
        format!("{} {}", given.0, family.0),
    )
}

fn address(dice: &mut Dice) -> Bilingual {
    let (quarter, place, number) = (dice.one_of(QUARTERS), dice.one_of(PLACES), dice.within(1, 180));
    Bilingual::new(
        format!("رقم {number} {} {}", quarter.1, place.1),
        format!("n° {number}, {}, {}", quarter.0, place.0),
    )
}

fn both(word: Word) -> Bilingual {
    Bilingual::new(word.1, word.0)
}

fn year_only(year: u16) -> WrittenDate {
    WrittenDate {
        gregorian: PartialDate::new(year.into(), 0, 0).ok(),
        hijri_arabic: format!("عام {}", words::arabic(hijri_year(year))),
        hijri_latin: format!("en l'an {}", words::french(hijri_year(year))),
        gregorian_arabic: format!("سنة {}", words::arabic(year)),
        gregorian_latin: format!("en l'année {}", words::french(year)),
    }
}

/// A date in its five forms. The Hijri one is some day of a year near it.
fn written(dice: &mut Dice, date: NaiveDate) -> WrittenDate {
    let year = u16::try_from(date.year()).unwrap_or(*YEARS.start());
    let (month, day) = (
        usize::try_from(date.month()).unwrap_or(1),
        u16::try_from(date.day()).unwrap_or(1),
    );
    let (gregorian_latin, gregorian_arabic) = words::gregorian(year, month, day);
    let (hijri_month, hijri_day) = (usize::from(dice.within(1, 12)), dice.within(1, 29));
    let (hijri_latin, hijri_arabic) = words::hijri(hijri_year(year), hijri_month, hijri_day);
    WrittenDate {
        gregorian: PartialDate::new(year.into(), date.month().cast_signed(), day.into()).ok(),
        hijri_arabic,
        hijri_latin,
        gregorian_arabic,
        gregorian_latin,
    }
}

fn hijri_year(year: u16) -> u16 {
    let place = usize::from(year.saturating_sub(HIJRI_FROM));
    HIJRI.get(place).copied().unwrap_or(HIJRI[HIJRI.len() - 1])
}

fn day(dice: &mut Dice, year: u16) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(year.into(), 1, 1).unwrap_or_default();
    first + Days::new(dice.below(365).into())
}

fn last_day(year: u16) -> NaiveDate {
    NaiveDate::from_ymd_opt(year.into(), 12, 31).unwrap_or_default()
}
