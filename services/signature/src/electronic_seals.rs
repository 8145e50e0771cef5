//! What opens the institutions' electronic seals: PINs that the operator mounts as secrets, by token.

use secrecy::SecretString;
use serde::Deserialize;
use wathiq_chassis::{ConfigError, SecretFile};

/// An entry of `[[electronic_seals]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElectronicSealConfig {
    /// Label of the token, as the credential names it.
    pub token_label: String,
    /// A file with the PIN, readable by this process alone. Read at each use, so that it can be replaced.
    pub pin_file: SecretFile,
}

/// Why an electronic seal cannot be opened here.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    #[error("no PIN is configured for the token")]
    NotConfigured,
    #[error("the token's PIN cannot be read")]
    Unreadable(#[from] ConfigError),
}

/// The electronic seals that this process can use.
#[derive(Debug, Clone, Default)]
pub struct ElectronicSeals(Vec<ElectronicSealConfig>);

impl ElectronicSeals {
    /// Checks the entries; reads no secret yet.
    ///
    /// # Errors
    /// [`ConfigError`] where a token is named twice.
    pub fn new(entries: Vec<ElectronicSealConfig>) -> Result<Self, ConfigError> {
        let mut labels: Vec<&str> = entries.iter().map(|entry| entry.token_label.as_str()).collect();
        labels.sort_unstable();
        if let Some(twice) = labels.windows(2).find(|pair| pair[0] == pair[1]) {
            let text = format!("token `{}` stands twice", twice[0]);
            return Err(ConfigError::key("electronic_seals.token_label", text));
        }
        Ok(Self(entries))
    }

    /// The PIN of a token.
    ///
    /// # Errors
    /// [`PinError`] where the operator has not mounted one.
    pub(crate) fn pin(&self, token_label: &str) -> Result<SecretString, PinError> {
        let entry = self.0.iter().find(|entry| entry.token_label == token_label);
        Ok(entry.ok_or(PinError::NotConfigured)?.pin_file.read()?)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_pin_is_read_from_the_token_s_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        std::fs::write(&path, "4711\n").unwrap();
        let entry = |label: &str| ElectronicSealConfig {
            token_label: label.to_owned(),
            pin_file: SecretFile::new(&path),
        };
        let seals = ElectronicSeals::new(vec![entry("eseal-1")]).unwrap();
        assert_eq!(seals.pin("eseal-1").unwrap().expose_secret(), "4711");
        assert!(matches!(seals.pin("eseal-2"), Err(PinError::NotConfigured)));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(seals.pin("eseal-1"), Err(PinError::Unreadable(_))));
        assert!(ElectronicSeals::new(vec![entry("eseal-1"), entry("eseal-1")]).is_err());
    }
}
