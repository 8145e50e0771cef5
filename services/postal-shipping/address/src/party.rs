//! Names and addresses in both scripts (UPU S42 elements), checked once, here.

use serde::{Deserialize, Serialize};

use crate::countries::{self, MOROCCO};
use crate::name::PartyName;
use crate::text::{is_arabic, line};

const LONGEST_NAME: usize = 120;
/// Longest locality, quarter and further element, in characters.
pub const LONGEST_LOCALITY: usize = 60;
/// Longest street, in characters.
pub const LONGEST_STREET: usize = 100;
const LONGEST_POSTAL_CODE: usize = 16;

/// One wrong field, by its path within what is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub field: String,
    pub reason: &'static str,
    pub description: String,
}

impl Fault {
    pub fn new(reason: &'static str, description: impl Into<String>) -> Self {
        Self {
            field: String::new(),
            reason,
            description: description.into(),
        }
    }

    /// The same fault seen from what holds the checked value.
    #[must_use]
    pub fn within(mut self, field: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => field.to_owned(),
            inner => format!("{field}.{inner}"),
        };
        self
    }
}

/// An address in one script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressLines {
    pub locality: String,
    pub street: String,
    pub quarter: Option<String>,
    pub extra: Option<String>,
}

/// Where a shipment goes to or comes from; at least one of the two scripts is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub postal_code: Option<String>,
    pub latin: Option<AddressLines>,
    pub arabic: Option<AddressLines>,
}

/// An address in one script as it was given; empty texts are absent ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawLines<'a> {
    pub locality: &'a str,
    pub street: &'a str,
    pub quarter: &'a str,
    pub extra: &'a str,
}

/// An address as it was given.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawAddress<'a> {
    pub country: &'a str,
    pub postal_code: &'a str,
    pub latin: RawLines<'a>,
    pub arabic: RawLines<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Script {
    Latin,
    Arabic,
}

impl Script {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Latin => "latin",
            Self::Arabic => "arabic",
        }
    }

    /// Latin text has no Arabic letter; Arabic text has one (Latin words and numbers may stand in it).
    fn holds(self, text: &str) -> bool {
        let arabic = text.chars().any(is_arabic);
        match self {
            Self::Latin => !arabic,
            Self::Arabic => arabic || !text.chars().any(char::is_alphabetic),
        }
    }
}

/// Collects faults, so that all of them are answered at once.
#[derive(Debug, Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn note(&mut self, field: &str, reason: &'static str, description: impl Into<String>) {
        self.0.push(Fault::new(reason, description).within(field));
    }

    fn line(&mut self, script: Script, field: &str, text: &str, longest: usize) -> Option<String> {
        let field = format!("{field}{}", script.suffix());
        match line(text, longest) {
            Ok(Some(text)) if !script.holds(&text) => {
                self.note(
                    &field,
                    "WRONG_SCRIPT",
                    format!("is written in {} letters", script.suffix()),
                );
                None
            }
            Ok(text) => text,
            Err(fault) => {
                self.0.push(fault.within(&field));
                None
            }
        }
    }
}

/// Checks a name.
///
/// # Errors
/// All faults.
pub fn name(latin: &str, arabic: &str) -> Result<PartyName, Vec<Fault>> {
    let mut faults = Faults::default();
    let checked = PartyName {
        latin: faults.line(Script::Latin, "", latin, LONGEST_NAME),
        arabic: faults.line(Script::Arabic, "", arabic, LONGEST_NAME),
    };
    let letters = |name: &Option<String>| {
        name.as_deref()
            .is_some_and(|name| name.chars().any(char::is_alphabetic))
    };
    if faults.0.is_empty() && !letters(&checked.latin) && !letters(&checked.arabic) {
        faults.note("", "REQUIRED", "a name is given in Latin or Arabic letters");
    }
    if faults.0.is_empty() {
        Ok(checked)
    } else {
        Err(faults.0)
    }
}

/// Checks an address: in Morocco a postal code of five digits, a locality and a street; abroad a country, a locality and a
/// street; in at least one script.
///
/// # Errors
/// All faults.
pub fn address(raw: &RawAddress<'_>) -> Result<Address, Vec<Fault>> {
    let mut faults = Faults::default();
    let country = countries::postal(&raw.country.trim().to_ascii_uppercase()).to_owned();
    if country.is_empty() {
        faults.note("country_code", "REQUIRED", "the country is required, such as MA");
    } else if !countries::exists(&country) {
        faults.note(
            "country_code",
            "UNKNOWN_COUNTRY",
            "is two letters of ISO 3166-1, such as MA",
        );
    }
    let postal_code = postal_code(&mut faults, &country, raw.postal_code);
    let latin = lines(&mut faults, Script::Latin, &raw.latin);
    let arabic = lines(&mut faults, Script::Arabic, &raw.arabic);
    if faults.0.is_empty() && latin.is_none() && arabic.is_none() {
        faults.note(
            "locality_latin",
            "REQUIRED",
            "locality and street are required, in Latin or Arabic letters",
        );
        faults.note(
            "street_latin",
            "REQUIRED",
            "locality and street are required, in Latin or Arabic letters",
        );
    }
    if faults.0.is_empty() {
        Ok(Address {
            country,
            postal_code,
            latin,
            arabic,
        })
    } else {
        Err(faults.0)
    }
}

fn postal_code(faults: &mut Faults, country: &str, text: &str) -> Option<String> {
    const FIELD: &str = "postal_code";
    let code: String = text
        .trim()
        .chars()
        .filter(|character| country != MOROCCO || !character.is_whitespace())
        .collect();
    if country == MOROCCO {
        if code.is_empty() {
            faults.note(
                FIELD,
                "REQUIRED",
                "a postal code of 5 digits is required in Morocco",
            );
        } else if code.len() != 5 || !code.bytes().all(|digit| digit.is_ascii_digit()) {
            faults.note(FIELD, "POSTAL_CODE", "a postal code in Morocco has 5 digits");
        }
    } else if code.chars().count() > LONGEST_POSTAL_CODE {
        faults.note(
            FIELD,
            "LENGTH",
            format!("has at most {LONGEST_POSTAL_CODE} characters"),
        );
    } else if !code
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || matches!(character, ' ' | '-'))
    {
        faults.note(FIELD, "POSTAL_CODE", "has letters, digits, spaces and hyphens");
    }
    (!code.is_empty()).then_some(code)
}

fn lines(faults: &mut Faults, script: Script, raw: &RawLines<'_>) -> Option<AddressLines> {
    let before = faults.0.len();
    let locality = faults.line(script, "locality_", raw.locality, LONGEST_LOCALITY);
    let street = faults.line(script, "street_", raw.street, LONGEST_STREET);
    let quarter = faults.line(script, "quarter_", raw.quarter, LONGEST_LOCALITY);
    let extra = faults.line(script, "extra_", raw.extra, LONGEST_LOCALITY);
    let anything = locality.is_some() || street.is_some() || quarter.is_some() || extra.is_some();
    if faults.0.len() > before || !anything {
        return None;
    }
    for (field, value) in [("locality", &locality), ("street", &street)] {
        if value.is_none() {
            let field = format!("{field}_{}", script.suffix());
            faults.note(
                &field,
                "REQUIRED",
                "an address in this script has a locality and a street",
            );
        }
    }
    Some(AddressLines {
        locality: locality?,
        street: street?,
        quarter,
        extra,
    })
}

/// Checks a phone number in E.164; an empty one is absent.
///
/// # Errors
/// The fault.
pub fn phone(text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix('+').unwrap_or_default();
    let good = (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    good.then(|| Some(text.to_owned()))
        .ok_or_else(|| Fault::new("PHONE", "is a number in E.164, such as +212600000000"))
}

#[cfg(test)]
mod tests;
