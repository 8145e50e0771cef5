//! The values of one message.

use std::collections::HashMap;

use zeroize::Zeroizing;

/// A value, by how it is shown. It does not print.
#[derive(Clone)]
pub enum Value {
    Words(String),
    /// A one-time code.
    Code(Zeroizing<String>),
    Link(String),
    /// Words, each on a line of their own.
    Lines(Vec<String>),
}

/// Values by name.
#[derive(Clone, Default)]
pub struct Values(HashMap<&'static str, Value>);

impl Values {
    /// Adds words, made harmless: what people typed stays on its line and cannot turn the direction of what follows.
    #[must_use]
    pub fn with(self, name: &'static str, words: impl Into<String>) -> Self {
        self.with_value(name, Value::Words(harmless(&words.into())))
    }

    /// Adds lines, each made harmless as [`Values::with`] does.
    #[must_use]
    pub fn with_lines(self, name: &'static str, lines: impl IntoIterator<Item = String>) -> Self {
        let lines = lines.into_iter().map(|line| harmless(&line)).collect();
        self.with_value(name, Value::Lines(lines))
    }

    /// Adds words where they are known and not empty.
    #[must_use]
    pub fn with_some(self, name: &'static str, words: Option<impl Into<String>>) -> Self {
        match words
            .map(Into::into)
            .filter(|words: &String| !words.trim().is_empty())
        {
            Some(words) => self.with(name, words),
            None => self,
        }
    }

    #[must_use]
    pub fn with_value(mut self, name: &'static str, value: Value) -> Self {
        self.0.insert(name, value);
        self
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

fn harmless(words: &str) -> String {
    words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !is_direction_mark(*c))
        .collect()
}

/// Embeddings, overrides and isolates (Unicode Bidirectional Algorithm, 2.1 to 2.4).
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_typed_cannot_break_the_line_or_turn_it() {
        let values = Values::default().with("document", "a\r\nBcc: x@example.ma\u{202E}fdp.exe");
        let Some(Value::Words(words)) = values.get("document") else {
            panic!("no words")
        };
        assert_eq!(words, "a  Bcc: x@example.mafdp.exe");
    }

    #[test]
    fn nothing_is_no_value() {
        let values = Values::default()
            .with_some("a", None::<String>)
            .with_some("b", Some("  "));
        assert!(values.get("a").is_none() && values.get("b").is_none());
    }
}
