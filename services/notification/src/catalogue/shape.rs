//! How a catalogue file looks. The build reads this file too, so that a missing text or a misspelt value never ships.

use serde::Deserialize;

/// Which way a language is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Ltr,
    Rtl,
}

/// What every message of a language has in common.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    pub direction: Direction,
    pub greeting: String,
    /// Where no name is known.
    pub greeting_without_name: String,
    pub help: String,
    pub automatic: String,
    pub signature: String,
    /// January first.
    pub months: [String; 12],
    pub date: String,
    /// Moroccan time.
    pub time: String,
    /// In dirhams.
    pub money: String,
    /// Stands before the centimes.
    pub decimal: String,
}

/// An e-mail. A paragraph that names a value which the message does not have is left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub subject: String,
    pub paragraphs: Vec<String>,
}

/// Declares a struct with one of something for every message there is.
macro_rules! one_each {
    ($(#[$note:meta])* $name:ident { $($field:ident),+ $(,)? }) => {
        $(#[$note])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name<T> { $(pub $field: T),+ }

        impl<T> $name<T> {
            /// Each with its name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, &T)> {
                [$((stringify!($field), &self.$field)),+].into_iter()
            }
        }
    };
}

one_each! {
    /// E-mails.
    Mails {
        sign_up_code, contact_change_code, password_reset_code, contact_session_code, account_exists_notice,
        credential_changed_notice,
        submitted, payment_awaited, refused, delivered, cancelled, expired,
        order_placed, order_paid, order_expired, order_cancelled, order_cancelled_after_payment, order_paid_too_late,
        order_correction_requested, order_address_refused, order_refused, order_overdue, order_address_lapsed,
        order_refunded, order_refund_failed,
        order_in_production, order_produced,
        order_handed_over, order_delivery_attempted, order_held_for_collection, order_delivered, order_delivered_to_other,
        order_delivered_without_document, order_returning, order_returned, order_claimed, order_lost,
        office_reminder,
        platform_numbers_run_low,
    }
}

one_each! {
    /// Text messages.
    Texts {
        sign_up_code, contact_change_code, password_reset_code, contact_session_code, account_exists_notice,
        credential_changed_notice,
        order_paid, order_held_for_collection, order_delivered,
    }
}

one_each! {
    /// Why an office asks for a correction or refuses, by the codes of civil-registry-order; `other` for a code that is not here yet.
    Reasons {
        act_not_found, act_differs, not_entitled, evidence_needed, evidence_insufficient, register_not_held, register_damaged,
        act_under_correction, other,
    }
}

/// All texts of a language.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub common: Common,
    pub mails: Mails<Mail>,
    pub texts: Texts<String>,
    pub reasons: Reasons<String>,
}

/// The texts of a language that one of its speakers has reviewed; another language stands in for the rest. None is used before
/// the common ones are there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    pub common: Option<Common>,
    pub mails: Mails<Option<Mail>>,
    pub texts: Texts<Option<String>>,
    pub reasons: Reasons<Option<String>>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    text: String,
    problem: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.text, self.problem)
    }
}

/// Values of a code, and of what every text message ends with.
const CODE: &[&str] = &["code", "until"];
const HELP: &[&str] = &["help_number", "help_hours"];
/// Values that every mail about a request may name.
const REQUEST: &[&str] = &["document", "office", "receipt"];
/// Values that every mail about an order names, and those that it may name.
const ORDER: &[&str] = &["reference", "order_link"];
const LINES: &[&str] = &["lines"];

/// A part of a text: words, or the name of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    Words(&'a str),
    Value(&'a str),
}

/// The parts of a text; none when a brace has no partner.
pub fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if words.contains('}') || name.contains('{') {
            return None;
        }
        parts.extend((!words.is_empty()).then_some(Part::Words(words)));
        parts.push(Part::Value(name));
        rest = after;
    }
    if rest.contains('}') {
        return None;
    }
    parts.extend((!rest.is_empty()).then_some(Part::Words(rest)));
    Some(parts)
}

impl Catalogue {
    /// Checks every text.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), Fault> {
        self.common.check()?;
        self.mails.named().try_for_each(|(name, mail)| mail.check(name))?;
        self.texts
            .named()
            .try_for_each(|(name, text)| check_text(name, text))?;
        self.reasons
            .named()
            .try_for_each(|(name, text)| check_reason(name, text))
    }
}

impl Reviewed {
    /// Checks every text that is there.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), Fault> {
        self.common.iter().try_for_each(Common::check)?;
        let mails = self
            .mails
            .named()
            .filter_map(|(name, mail)| Some((name, mail.as_ref()?)));
        mails.into_iter().try_for_each(|(name, mail)| mail.check(name))?;
        let texts = self
            .texts
            .named()
            .filter_map(|(name, text)| Some((name, text.as_ref()?)));
        texts
            .into_iter()
            .try_for_each(|(name, text)| check_text(name, text))?;
        let reasons = self
            .reasons
            .named()
            .filter_map(|(name, text)| Some((name, text.as_ref()?)));
        reasons
            .into_iter()
            .try_for_each(|(name, text)| check_reason(name, text))
    }
}

impl Common {
    fn check(&self) -> Result<(), Fault> {
        let texts: [(&str, &str, &[&str]); 9] = [
            ("greeting", &self.greeting, &["name"]),
            ("greeting_without_name", &self.greeting_without_name, &[]),
            ("help", &self.help, HELP),
            ("automatic", &self.automatic, &[]),
            ("signature", &self.signature, &[]),
            ("date", &self.date, &["day", "month", "year"]),
            ("time", &self.time, &["hours", "minutes"]),
            ("money", &self.money, &["amount"]),
            ("decimal", &self.decimal, &[]),
        ];
        texts
            .into_iter()
            .try_for_each(|(name, text, values)| check(&format!("common.{name}"), &[text], values, values))
    }
}

impl Mail {
    fn check(&self, name: &str) -> Result<(), Fault> {
        let place = format!("mails.{name}");
        let paragraphs: Vec<&str> = self.paragraphs.iter().map(String::as_str).collect();
        if paragraphs.is_empty() {
            return Err(Fault {
                text: place,
                problem: "has no paragraphs".into(),
            });
        }
        let (own, optional) = mail_values(name);
        let (every, may) = if name.ends_with("_code")
            || name.ends_with("_notice")
            || name.starts_with("office_")
            || name.starts_with("platform_")
        {
            (&[][..], &[][..])
        } else if name.starts_with("order_") {
            (ORDER, LINES)
        } else {
            (&[][..], REQUEST)
        };
        let needed = [own, every].concat();
        let allowed = [&needed, optional, may].concat();
        check(&format!("{place}.subject"), &[&self.subject], &[], &[])?;
        check(&format!("{place}.paragraphs"), &paragraphs, &needed, &allowed)
    }
}

fn check_text(name: &str, text: &str) -> Result<(), Fault> {
    let mut needed = HELP.to_vec();
    needed.extend(match name {
        "order_paid" => &["reference"][..],
        "order_held_for_collection" => &["tracking_number", "held_until_short"],
        "order_delivered" => &["tracking_number"],
        name if name.ends_with("_code") => CODE,
        _ => &[],
    });
    check(&format!("texts.{name}"), &[text], &needed, &needed)
}

fn check_reason(name: &str, text: &str) -> Result<(), Fault> {
    check(&format!("reasons.{name}"), &[text], &[], &[])
}

/// Values that a mail must name, and others it may name.
fn mail_values(name: &str) -> (&'static [&'static str], &'static [&'static str]) {
    match name {
        "submitted" => (&["receipt", "submitted_on", "expected_on"], &[]),
        "payment_awaited" => (&["fee"], &["ends_on"]),
        "refused" => (&["reason"], &["remark"]),
        "delivered" => (
            &["attached", "link", "large_link", "verification_link"],
            &["register"],
        ),
        "order_placed" => (&["lines", "total", "pay_date", "pay_time"], &[]),
        "order_paid" => (&["lines", "total"], &[]),
        "order_correction_requested" => (
            &["lines", "reason", "deadline_date", "deadline_time"],
            &["remark"],
        ),
        "order_address_refused" => (&["deadline_date", "deadline_time"], &[]),
        "order_refused" => (&["lines", "reason"], &["remark"]),
        "order_refunded" => (&["lines", "refunded"], &[]),
        "order_held_for_collection" => (&["lines", "tracking_number", "held_until"], &[]),
        "order_handed_over"
        | "order_delivery_attempted"
        | "order_delivered"
        | "order_delivered_to_other"
        | "order_delivered_without_document"
        | "order_returning"
        | "order_returned"
        | "order_claimed"
        | "order_lost" => (&["lines", "tracking_number"], &[]),
        "office_reminder" => (&["office", "waiting", "office_link"], &["late"]),
        "platform_numbers_run_low" => (&["range"], &[]),
        name if name.ends_with("_code") => (CODE, &[]),
        name if name.starts_with("order_") => (LINES, &[]),
        _ => (&[], &[]),
    }
}

/// All of `needed` are named in the texts, and nothing that is not `allowed`.
fn check(place: &str, texts: &[&str], needed: &[&str], allowed: &[&str]) -> Result<(), Fault> {
    let fault = |problem: String| Fault {
        text: place.to_owned(),
        problem,
    };
    let mut named = Vec::new();
    for text in texts {
        if text.trim().is_empty() {
            return Err(fault("is empty".into()));
        }
        for part in parts(text).ok_or_else(|| fault("has a brace without its partner".into()))? {
            if let Part::Value(name) = part {
                named.push(name);
            }
        }
    }
    if let Some(unknown) = named.iter().find(|name| !allowed.contains(name)) {
        return Err(fault(format!("names {{{unknown}}}, which nobody fills in")));
    }
    match needed.iter().find(|name| !named.contains(name)) {
        Some(missing) => Err(fault(format!("does not name {{{missing}}}"))),
        None => Ok(()),
    }
}
