//! The catalogue: kinds of document and reasons of refusal, from configuration.

use std::collections::BTreeSet;

use serde::Deserialize;

/// A kind of document that may be legalised, or that is named so that it can be refused with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentKind {
    pub code: String,
    pub name_ar: String,
    pub name_fr: String,
    pub name_en: String,
    /// A mandatary must be named.
    #[serde(default)]
    pub needs_mandatary: bool,
    /// Why this kind is never legalised.
    #[serde(default)]
    pub refused: Option<RefusedKind>,
}

/// Why a kind is refused, with the text a citizen reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedKind {
    pub reason: RefusedKindReason,
    pub text_ar: String,
    pub text_fr: String,
    pub text_en: String,
}

/// Reasons for which a kind is never legalised. Codes are part of the contract, so configuration chooses among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusedKindReason {
    /// Powers of attorney for real estate are drawn up by adouls, notaries and lawyers alone.
    RealEstateProcuration,
    /// Any other kind that has to be done elsewhere.
    KindNotLegalised,
}

impl RefusedKindReason {
    /// The code in errors and in the catalogue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RealEstateProcuration => "REAL_ESTATE_PROCURATION",
            Self::KindNotLegalised => "KIND_NOT_LEGALISED",
        }
    }
}

/// A catalogued reason for which an office refuses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalReason {
    pub code: String,
    pub text_ar: String,
    pub text_fr: String,
    pub text_en: String,
}

/// Kinds and reasons in force.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub kinds: Vec<DocumentKind>,
    pub refusal_reasons: Vec<RefusalReason>,
}

/// What is wrong with a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueFault {
    #[error("code `{0}` must be 1 to 50 lower-case letters, digits or underscores")]
    Code(String),
    #[error("code `{0}` stands twice")]
    Twice(String),
    #[error("`{0}` lacks a text")]
    Text(String),
    #[error("there must be at least one kind of document and one reason of refusal")]
    Empty,
}

impl Catalogue {
    /// Looks a kind up by its code.
    pub fn kind(&self, code: &str) -> Option<&DocumentKind> {
        self.kinds.iter().find(|kind| kind.code == code)
    }

    /// Looks a reason of refusal up by its code.
    pub fn refusal_reason(&self, code: &str) -> Option<&RefusalReason> {
        self.refusal_reasons.iter().find(|reason| reason.code == code)
    }

    /// Checks codes and texts.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), CatalogueFault> {
        if self.kinds.is_empty() || self.refusal_reasons.is_empty() {
            return Err(CatalogueFault::Empty);
        }
        let kinds = self
            .kinds
            .iter()
            .map(|kind| (&kind.code, [&kind.name_ar, &kind.name_fr, &kind.name_en]));
        check_codes(kinds)?;
        check_codes(
            self.refusal_reasons
                .iter()
                .map(|reason| (&reason.code, [&reason.text_ar, &reason.text_fr, &reason.text_en])),
        )
    }
}

fn check_codes<'a>(
    entries: impl Iterator<Item = (&'a String, [&'a String; 3])>,
) -> Result<(), CatalogueFault> {
    let mut seen = BTreeSet::new();
    for (code, texts) in entries {
        let well_formed = (1..=50).contains(&code.len())
            && code
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !well_formed {
            return Err(CatalogueFault::Code(code.clone()));
        }
        if !seen.insert(code) {
            return Err(CatalogueFault::Twice(code.clone()));
        }
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(CatalogueFault::Text(code.clone()));
        }
    }
    Ok(())
}
