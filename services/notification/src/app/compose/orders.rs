//! The values of messages about orders of civil-status acts.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use uuid::Uuid;
use wathiq_chassis::civil_date;

use crate::catalogue;
use crate::catalogue::shape::Common;
use crate::clients::civil_registry_order::{LineFacts, OfficeFacts, OrderFacts};
use crate::clients::identity::Recipient;
use crate::domain::language::Language;
use crate::letter::{self, House, Value, Values};

/// Keeps the groups of a reference in their order on a right-to-left line (Unicode Bidirectional Algorithm, rules W2 and W7).
const LEFT_TO_RIGHT: char = '\u{200E}';

/// Values of a message about an order, or some of its lines.
pub fn order(
    house: &House,
    (language, common): (Language, &Common),
    recipient: &Recipient,
    facts: &OrderFacts,
) -> Values {
    let lines = &facts.lines;
    let first = |of: fn(&LineFacts) -> Option<&String>| lines.iter().find_map(of).cloned();
    let reason = first(|line| line.reason_code.as_ref());
    let refunded: i64 = lines.iter().map(|line| line.refunded_centimes).sum();
    let held_until = lines.iter().filter_map(|line| line.held_until).min();
    let link = format!("{}/orders/{}", house.public_url, facts.reference);
    let values = Values::default()
        .with_some(
            "name",
            Some(in_script(language, &recipient.name_arabic, &recipient.name_latin)),
        )
        .with("reference", ordered(language, &facts.reference))
        .with_lines("lines", lines.iter().map(|line| item(language, line)))
        .with("total", letter::money(common, facts.total_centimes))
        .with_some("reason", reason.map(|code| catalogue::reason(language, &code)))
        .with_some("remark", first(|line| line.reason_text.as_ref()))
        .with_some("tracking_number", first(|line| line.tracking_number.as_ref()))
        .with_some(
            "refunded",
            (refunded > 0).then(|| letter::money(common, refunded)),
        )
        .with_some("held_until", held_until.map(|last| letter::date(common, last)))
        .with_some("held_until_short", held_until.map(short_date))
        .with_value("order_link", Value::Link(link));
    let deadline = lines.iter().filter_map(|line| line.deadline).min();
    let values = until(values, common, ["pay_date", "pay_time"], facts.pay_before);
    until(values, common, ["deadline_date", "deadline_time"], deadline)
}

/// Values of an office's daily mail.
pub fn office(house: &House, language: Language, office_id: Uuid, facts: &OfficeFacts) -> Values {
    let link = format!("{}/office/batch-sheets?office_id={office_id}", house.public_url);
    Values::default()
        .with_some(
            "office",
            Some(in_script(language, &facts.name_ar, &facts.name_fr)),
        )
        .with("waiting", facts.waiting_lines.to_string())
        .with_some(
            "late",
            (facts.late_lines > 0).then(|| facts.late_lines.to_string()),
        )
        .with_value("office_link", Value::Link(link))
}

fn is_arabic(language: Language) -> bool {
    matches!(language, Language::Arabic | Language::Tamazight)
}

/// A name in the script of the language, or in the other one where it has none.
fn in_script(language: Language, arabic: &str, latin: &str) -> String {
    let (first, second) = if is_arabic(language) {
        (arabic, latin)
    } else {
        (latin, arabic)
    };
    if first.is_empty() { second } else { first }.to_owned()
}

fn ordered(language: Language, reference: &str) -> String {
    if is_arabic(language) {
        format!("{LEFT_TO_RIGHT}{reference}")
    } else {
        reference.to_owned()
    }
}

/// A line as a list shows it: kind and reference.
fn item(language: Language, line: &LineFacts) -> String {
    let kind = match language {
        Language::Arabic | Language::Tamazight => &line.kind.ar,
        Language::French => &line.kind.fr,
        Language::English => &line.kind.en,
    };
    format!("{kind} ({})", ordered(language, &line.reference))
}

/// Day and time of an end, in Morocco.
fn until(
    values: Values,
    common: &Common,
    [day, time]: [&'static str; 2],
    at: Option<DateTime<Utc>>,
) -> Values {
    match at {
        Some(at) => values
            .with(day, letter::date(common, civil_date(at)))
            .with(time, letter::time(common, at)),
        None => values,
    }
}

/// Day and month in digits, as short as a text message needs them.
fn short_date(date: NaiveDate) -> String {
    format!("{:02}/{:02}", date.day(), date.month())
}
