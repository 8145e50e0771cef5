//! What the carrier's codes mean: data, replaceable by configuration, since codes of carriers change and differ.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::vocabulary::State;

/// The table where none is configured.
const COMPILED_IN: &str = include_str!("../../codes.toml");

/// Codes and their meanings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeTable {
    codes: BTreeMap<String, Code>,
}

/// What one code means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    pub state: State,
    /// Place in the usual course; orders events of the same instant.
    pub rank: u16,
    /// An unsuccessful attempt.
    #[serde(default)]
    pub attempt: bool,
    /// By action code, instead of `state`.
    #[serde(default)]
    actions: BTreeMap<String, State>,
    /// The place it happened at is one of the carrier's offices.
    #[serde(default)]
    pub public_place: bool,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CodeTableError {
    #[error("the table of codes is malformed")]
    Malformed(#[from] toml::de::Error),
    #[error("code {code} leads to {}, which no carrier brings about", .state.as_str())]
    NotOfACarrier { code: String, state: State },
    #[error("no code leads to {}", .0.as_str())]
    Unreachable(State),
}

impl CodeTable {
    /// Reads a table and checks that it leads where it must, and nowhere else.
    ///
    /// # Errors
    /// [`CodeTableError`].
    pub fn parse(text: &str) -> Result<Self, CodeTableError> {
        let table: Self = toml::from_str(text)?;
        for (code, meaning) in &table.codes {
            for state in meaning.states() {
                if matches!(state, State::LabelPrinted | State::Claimed | State::Cancelled) {
                    return Err(CodeTableError::NotOfACarrier {
                        code: code.clone(),
                        state,
                    });
                }
            }
        }
        for needed in [State::Delivered, State::Returned] {
            if !table.codes.values().any(|meaning| meaning.state == needed) {
                return Err(CodeTableError::Unreachable(needed));
            }
        }
        Ok(table)
    }

    /// The table that is compiled in.
    pub fn standard() -> Self {
        Self::parse(COMPILED_IN).expect("a test reads the table that is compiled in")
    }

    /// What a code means; none where it is unknown.
    pub fn meaning(&self, code: &str) -> Option<&Code> {
        self.codes.get(code)
    }

    /// All codes.
    pub fn codes(&self) -> impl Iterator<Item = (&str, &Code)> {
        self.codes.iter().map(|(code, meaning)| (code.as_str(), meaning))
    }
}

impl Code {
    /// The state after an event with this action. An attempt that names a last day of collection is held until then.
    pub fn leads_to(&self, action: Option<&str>, has_last_day: bool) -> State {
        let by_action = action.and_then(|action| self.actions.get(action)).copied();
        match by_action {
            Some(state) => state,
            None if self.attempt && has_last_day => State::HeldForCollection,
            None => self.state,
        }
    }

    fn states(&self) -> impl Iterator<Item = State> {
        std::iter::once(self.state).chain(self.actions.values().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emsevt_codes_mean_what_they_should() {
        let table = CodeTable::standard();
        let expected = [
            ("EMA", State::HandedOver),
            ("EMB", State::InTransit),
            ("EMC", State::InTransit),
            ("EMD", State::InTransit),
            ("EME", State::Customs),
            ("EMF", State::InTransit),
            ("EMG", State::AtDeliveryOffice),
            ("EMH", State::Attempted),
            ("EMI", State::Delivered),
            ("EMJ", State::InTransit),
            ("EMK", State::InTransit),
            ("XHC", State::HeldForCollection),
            ("XLO", State::Lost),
            ("XRD", State::Returned),
            ("XRS", State::Returning),
        ];
        let found: Vec<_> = table
            .codes()
            .map(|(code, meaning)| (code, meaning.state))
            .collect();
        assert_eq!(found, expected);
        assert!(table.meaning("EMZ").is_none());
    }

    #[test]
    fn an_attempt_is_told_apart_by_its_action() {
        let table = CodeTable::standard();
        let attempt = |action, day| table.meaning("EMH").unwrap().leads_to(action, day);
        assert_eq!(attempt(None, false), State::Attempted);
        assert_eq!(attempt(None, true), State::HeldForCollection);
        assert_eq!(attempt(Some("HOLD"), false), State::HeldForCollection);
        assert_eq!(attempt(Some("RETRY"), true), State::Attempted);
        assert_eq!(attempt(Some("RETURN"), false), State::Returning);
        assert_eq!(attempt(Some("Z9"), false), State::Attempted);
    }

    #[test]
    fn a_table_that_leads_nowhere_is_refused() {
        assert!(matches!(
            CodeTable::parse("codes = 1"),
            Err(CodeTableError::Malformed(_))
        ));
        let cancelled = "[codes.X]\nstate = \"CANCELLED\"\nrank = 1";
        assert!(matches!(
            CodeTable::parse(cancelled),
            Err(CodeTableError::NotOfACarrier { .. })
        ));
        let never = "[codes.EMI]\nstate = \"DELIVERED\"\nrank = 1";
        assert!(matches!(
            CodeTable::parse(never),
            Err(CodeTableError::Unreachable(State::Returned))
        ));
    }
}
