//! Arguments of a command: `--name value` and `--name`.

use std::collections::HashMap;

use wathiq_chassis::ConfigError;

/// What was given.
#[derive(Debug, Default)]
pub(super) struct Flags {
    values: HashMap<String, String>,
}

impl Flags {
    /// The value of an argument.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }

    /// Whether a switch was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}

/// Reads arguments of these names, and switches.
///
/// # Errors
/// [`ConfigError`] for one that is unknown, repeated or without its value.
pub(super) fn read(arguments: &[String], named: &[&str], switches: &[&str]) -> Result<Flags, ConfigError> {
    let mut flags = Flags::default();
    let mut arguments = arguments.iter();
    while let Some(name) = arguments.next() {
        let value = if switches.contains(&name.as_str()) {
            String::new()
        } else if named.contains(&name.as_str()) {
            let value = arguments.next();
            value
                .cloned()
                .ok_or_else(|| ConfigError::key(name.clone(), "needs a value"))?
        } else {
            return Err(ConfigError::key(name.clone(), "there is no such argument"));
        };
        if flags.values.insert(name.clone(), value).is_some() {
            return Err(ConfigError::key(name.clone(), "stands twice"));
        }
    }
    Ok(flags)
}
