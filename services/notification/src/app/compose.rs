//! The values of a message, from what other services say at sending time.

mod orders;

use secrecy::ExposeSecret;
use uuid::Uuid;
use wathiq_chassis::civil_date;
use zeroize::Zeroizing;

use crate::catalogue::shape::Common;
use crate::clients::identity::{Delivery, Recipient};
use crate::clients::signature::{Facts, ReasonText};
use crate::domain::language::Language;
use crate::letter::{self, House, Value, Values};

pub use orders::{office, order};

/// How the sealed files of a mail reach the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carriage {
    /// The mail carries no file.
    Nothing,
    /// Attached, under these names.
    Attached(Vec<String>),
    /// By link, as the reader prefers.
    Link,
    /// By link, as they are too large.
    LargeLink,
}

/// Values of a mail to whoever looks after the platform.
pub fn platform(range_id: Uuid) -> Values {
    Values::default().with("range", range_id.to_string())
}

/// Values of a code or notice.
pub fn delivery(common: &Common, delivery: &Delivery) -> Values {
    let code = delivery.code.expose_secret();
    if code.is_empty() {
        return Values::default();
    }
    Values::default()
        .with_value("code", Value::Code(Zeroizing::new(code.to_owned())))
        .with("until", letter::time(common, delivery.expires_at))
}

/// Values of a mail about a request.
pub fn request(
    house: &House,
    (language, common): (Language, &Common),
    recipient: &Recipient,
    facts: &Facts,
    carriage: &Carriage,
) -> Values {
    let arabic = matches!(language, Language::Arabic | Language::Tamazight);
    let pick = |ar: &String, other: &String| {
        if arabic || other.is_empty() {
            ar.clone()
        } else {
            other.clone()
        }
    };
    let on = |at: Option<_>| at.map(|at| letter::date(common, civil_date(at)));
    let values = Values::default()
        .with_some("name", Some(pick(&recipient.name_arabic, &recipient.name_latin)))
        .with_some("document", Some(facts.document_name.clone()))
        .with_some("office", Some(pick(&facts.office_name_ar, &facts.office_name_fr)))
        .with_some("receipt", facts.receipt_number.clone())
        .with_some("submitted_on", on(facts.submitted_at))
        .with_some(
            "expected_on",
            facts.expected_on.map(|date| letter::date(common, date)),
        )
        .with_some("ends_on", on(facts.expires_at))
        .with_some(
            "reason",
            facts
                .refusal_reason
                .as_ref()
                .map(|reason| in_language(reason, language)),
        )
        .with_some("remark", facts.refusal_text.clone())
        .with_some(
            "register",
            facts.register.map(|(year, number)| format!("{number}/{year}")),
        )
        .with("fee", letter::money(common, facts.fee_centimes));
    let values = match &facts.verification_code {
        Some(code) => values.with_value(
            "verification_link",
            Value::Link(format!("{}/v/{code}", house.public_url)),
        ),
        None => values,
    };
    carried(values, house, facts, carriage, if arabic { "، " } else { ", " })
}

fn carried(values: Values, house: &House, facts: &Facts, carriage: &Carriage, comma: &str) -> Values {
    let token = facts.link_token.as_ref().map(ExposeSecret::expose_secret);
    let link = |name, values: Values| match token {
        Some(token) => values.with_value(name, Value::Link(format!("{}/d/{token}", house.public_url))),
        None => values,
    };
    match carriage {
        Carriage::Nothing => values,
        Carriage::Attached(names) => values.with("attached", names.join(comma)),
        Carriage::Link => link("link", values),
        Carriage::LargeLink => link("large_link", values),
    }
}

fn in_language(reason: &ReasonText, language: Language) -> String {
    match language {
        Language::Arabic | Language::Tamazight => reason.ar.clone(),
        Language::French => reason.fr.clone(),
        Language::English => reason.en.clone(),
    }
}
