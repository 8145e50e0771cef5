//! Words from the catalogue with the values of one message: in memory only, never stored or logged.

mod values;

use askama::Template as _;
use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use chrono_tz::Africa::Casablanca;

use crate::catalogue;
use crate::catalogue::shape::{Common, Direction, Part, parts};
use crate::config::HelpConfig;
use crate::domain::language::Language;
use crate::domain::template::Template;

pub use values::{Value, Values};

/// What stands in every message of this installation.
#[derive(Debug, Clone)]
pub struct House {
    pub public_url: String,
    pub help: HelpConfig,
}

/// An e-mail's words. It does not print.
pub struct Letter {
    /// The language it came out in.
    pub language: Language,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Why a message has no words.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    #[error("there is no such message on this channel")]
    NoText,
    #[error("the page of the e-mail cannot be written")]
    Page(#[source] askama::Error),
}

/// A part of a paragraph, as the page shows it.
enum Piece<'a> {
    Words(&'a str),
    Value(&'a str),
    Code(&'a str),
    Link(&'a str),
    /// Each on its own.
    Lines(&'a [String]),
}

#[derive(askama::Template)]
#[template(path = "mail.html")]
struct Page<'a> {
    language: &'static str,
    direction: &'static str,
    subject: &'a str,
    greeting: &'a str,
    paragraphs: &'a [Vec<Piece<'a>>],
    help: &'a str,
    automatic: &'a str,
    signature: &'a str,
}

/// The e-mail of a template.
///
/// # Errors
/// [`LetterError`].
pub fn mail(
    house: &House,
    language: Language,
    template: Template,
    values: &Values,
) -> Result<Letter, LetterError> {
    let found = catalogue::mail(language, template).ok_or(LetterError::NoText)?;
    let (common, mail) = (found.common, found.text);
    let greeting = match values.get("name") {
        Some(_) => fill(&common.greeting, values),
        None => common.greeting_without_name.clone(),
    };
    let paragraphs: Vec<Vec<Piece<'_>>> = mail
        .paragraphs
        .iter()
        .filter_map(|paragraph| pieces(paragraph, values))
        .collect();
    let help = help(house, found.language, common);
    let page = Page {
        language: found.language.tag(),
        direction: match common.direction {
            Direction::Ltr => "ltr",
            Direction::Rtl => "rtl",
        },
        subject: &mail.subject,
        greeting: &greeting,
        paragraphs: &paragraphs,
        help: &help,
        automatic: &common.automatic,
        signature: &common.signature,
    };
    let html = page.render().map_err(LetterError::Page)?;
    let mut blocks = vec![greeting];
    blocks.extend(paragraphs.iter().map(|paragraph| plain(paragraph)));
    blocks.push(format!("{help}\n{}\n{}\n", common.automatic, common.signature));
    Ok(Letter {
        language: found.language,
        subject: mail.subject.clone(),
        text: blocks.join("\n\n"),
        html,
    })
}

/// The text message of a template; none where it names a value that the message does not have.
///
/// # Errors
/// [`LetterError::NoText`].
pub fn text_message(
    house: &House,
    language: Language,
    template: Template,
    values: &Values,
) -> Result<Option<String>, LetterError> {
    let found = catalogue::text_message(language, template).ok_or(LetterError::NoText)?;
    let values = values
        .clone()
        .with("help_number", house.help.number.replace(' ', ""))
        .with("help_hours", house.help.short_hours.clone());
    Ok(pieces(found.text, &values).map(|pieces| plain(&pieces)))
}

/// The language that a message in `language` comes out in, with what belongs to it.
pub fn common(language: Language, template: Template) -> Result<(Language, &'static Common), LetterError> {
    let mail = catalogue::mail(language, template).ok_or(LetterError::NoText)?;
    Ok((mail.language, mail.common))
}

/// A civil date in words.
pub fn date(common: &Common, date: NaiveDate) -> String {
    let month = common
        .months
        .get(date.month0() as usize)
        .cloned()
        .unwrap_or_default();
    let values = Values::default()
        .with("day", date.day().to_string())
        .with("month", month)
        .with("year", date.year().to_string());
    fill(&common.date, &values)
}

/// A time of day in Morocco.
pub fn time(common: &Common, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&Casablanca);
    let values = Values::default()
        .with("hours", local.hour().to_string())
        .with("minutes", format!("{:02}", local.minute()));
    fill(&common.time, &values)
}

/// An amount of dirhams.
pub fn money(common: &Common, centimes: i64) -> String {
    let amount = match centimes % 100 {
        0 => (centimes / 100).to_string(),
        rest => format!("{}{}{rest:02}", centimes / 100, common.decimal),
    };
    fill(&common.money, &Values::default().with("amount", amount))
}

fn help(house: &House, language: Language, common: &Common) -> String {
    let hours = &house.help.hours;
    let hours = match language {
        Language::Arabic => &hours.ar,
        Language::French => &hours.fr,
        Language::English => &hours.en,
        Language::Tamazight => hours.zgh.as_ref().unwrap_or(&hours.ar),
    };
    // A plain space would let a right-to-left line turn the order of the groups; a no-break space joins them (Unicode
    // Bidirectional Algorithm, rule W4).
    let number = house.help.number.replace(' ', "\u{a0}");
    let values = Values::default()
        .with("help_number", number)
        .with("help_hours", hours.clone());
    fill(&common.help, &values)
}

/// A paragraph with its values; none when one is missing.
fn pieces<'a>(paragraph: &'a str, values: &'a Values) -> Option<Vec<Piece<'a>>> {
    let piece = |part| match part {
        Part::Words(words) => Some(Piece::Words(words)),
        Part::Value(name) => Some(match values.get(name)? {
            Value::Words(value) => Piece::Value(value),
            Value::Code(code) => Piece::Code(code),
            Value::Link(link) => Piece::Link(link),
            Value::Lines(lines) => Piece::Lines(lines),
        }),
    };
    parts(paragraph)?.into_iter().map(piece).collect()
}

fn plain(pieces: &[Piece<'_>]) -> String {
    let plain = |piece: &Piece<'_>| match *piece {
        Piece::Words(text) | Piece::Value(text) | Piece::Code(text) | Piece::Link(text) => text.to_owned(),
        Piece::Lines(lines) => lines.iter().map(|line| format!("\n- {line}")).collect(),
    };
    pieces.iter().map(plain).collect()
}

/// A text with its values, which are all there.
fn fill(text: &str, values: &Values) -> String {
    pieces(text, values)
        .map(|pieces| plain(&pieces))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arabic() -> &'static Common {
        catalogue::mail(Language::Arabic, Template::Submitted)
            .unwrap()
            .common
    }

    fn french() -> &'static Common {
        catalogue::mail(Language::French, Template::Submitted)
            .unwrap()
            .common
    }

    #[test]
    fn dates_times_and_amounts_are_written_as_people_write_them() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 2).unwrap();
        assert_eq!(date(arabic(), day), "2 نونبر 2026");
        assert_eq!(date(french(), day), "2 novembre 2026");
        let at = "2026-11-22T08:05:00Z".parse().unwrap();
        assert_eq!(time(french(), at), "9 h 05");
        assert_eq!(money(french(), 2050), "20,50 DH");
        assert_eq!(money(arabic(), 2000), "20 درهم");
    }
}
