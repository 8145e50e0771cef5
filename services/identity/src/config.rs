//! The service's configuration: sections `[process]`, `[database]`, `[kafka]`, `[secrets]`, `[tokens]`, `[sessions]`,
//! `[totp]` and `[quotas]`.

use std::collections::HashMap;
use std::str::FromStr;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;
use wathiq_chassis::{ConfigError, ProcessConfig, SecretFile, token};
use wathiq_outbox::KafkaConfig;
use zeroize::Zeroizing;

use crate::app::{Policy, Quotas, Secrets};
use crate::crypto::keyed_hash::KeyedHash;
use crate::crypto::sealer::Sealer;
use crate::domain::quota::Rate;
use crate::domain::session::Lifetime;

/// All of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub process: ProcessConfig,
    pub database: DatabaseSettings,
    /// Without it events wait in the outbox; only `serve` needs it.
    #[serde(default)]
    pub kafka: Option<KafkaConfig>,
    pub secrets: SecretSettings,
    #[serde(default)]
    pub tokens: TokenSettings,
    #[serde(default)]
    pub sessions: SessionSettings,
    #[serde(default)]
    pub totp: TotpSettings,
    /// By bucket; what is named here changes or adds to the built-in ones.
    #[serde(default)]
    pub quotas: HashMap<String, QuotaSettings>,
}

/// Section `[database]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `postgres://role@host:port/database?sslmode=verify-full&sslrootcert=…`, as the application role.
    pub url: String,
    pub password_file: Option<SecretFile>,
    /// The same as the owner role; only `migrate` needs it.
    pub owner_url: Option<String>,
    pub owner_password_file: Option<SecretFile>,
    /// Most connections.
    #[serde(default = "default_connections")]
    pub connections: u32,
}

const fn default_connections() -> u32 {
    8
}

/// Section `[secrets]`: files with 64 hexadecimal digits (32 random bytes) each. Losing one loses what it protects; the
/// database alone opens nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretSettings {
    /// Seals codes and addresses on their way.
    pub delivery_key_file: SecretFile,
    /// Seals the secrets of authenticators.
    pub totp_key_file: SecretFile,
    /// Seals the private halves of signing keys.
    pub signing_key_encryption_file: SecretFile,
    /// Keys the hashes of codes, of recovery codes, of requests that may hold a password and of what attempts are counted by,
    /// and the tags of sessions.
    pub hash_key_file: SecretFile,
}

/// Section `[tokens]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenSettings {
    /// `iss` of access tokens and confirmation records; the same in every service.
    pub issuer: String,
    /// Life of an access token, at most 600.
    pub seconds: i64,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            issuer: "https://identity.wathiq".to_owned(),
            seconds: 300,
        }
    }
}

/// Section `[sessions]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    pub citizen_idle_minutes: i64,
    pub citizen_hours: i64,
    pub staff_idle_minutes: i64,
    pub staff_hours: i64,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            citizen_idle_minutes: 30,
            citizen_hours: 12,
            staff_idle_minutes: 15,
            staff_hours: 8,
        }
    }
}

/// Section `[totp]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TotpSettings {
    /// Name shown in authenticators.
    pub issuer: String,
}

impl Default for TotpSettings {
    fn default() -> Self {
        Self {
            issuer: "Wathiq".to_owned(),
        }
    }
}

/// Section `[quotas."<bucket>"]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaSettings {
    pub per_minute: f64,
    pub burst: u32,
}

impl Settings {
    /// # Errors
    /// [`ConfigError`] that names the key.
    pub fn policy(&self) -> Result<Policy, ConfigError> {
        let longest = token::LONGEST_LIFE_SECONDS;
        if !(30..=longest).contains(&self.tokens.seconds) {
            return Err(ConfigError::key(
                "tokens.seconds",
                format!("it must lie between 30 and {longest}"),
            ));
        }
        let sessions = &self.sessions;
        Ok(Policy {
            issuer: self.tokens.issuer.clone(),
            token_life: TimeDelta::seconds(self.tokens.seconds),
            citizen_sessions: lifetime("citizen", sessions.citizen_idle_minutes, sessions.citizen_hours)?,
            staff_sessions: lifetime("staff", sessions.staff_idle_minutes, sessions.staff_hours)?,
            totp_issuer: self.totp.issuer.clone(),
        })
    }

    /// # Errors
    /// [`ConfigError`] that names the bucket.
    pub fn quota_rates(&self) -> Result<Quotas, ConfigError> {
        let rate = |(name, settings): (&String, &QuotaSettings)| {
            let rate = Rate::per_minute(settings.per_minute, settings.burst);
            let problem = || {
                ConfigError::key(
                    format!("quotas.{name}"),
                    "both numbers must be above 0 and within reason",
                )
            };
            rate.map(|rate| (name.clone(), rate)).ok_or_else(problem)
        };
        Ok(Quotas::new(
            self.quotas.iter().map(rate).collect::<Result<_, _>>()?,
        ))
    }

    /// # Errors
    /// [`ConfigError`] that names the file.
    pub fn read_secrets(&self) -> Result<Secrets, ConfigError> {
        let files = &self.secrets;
        Ok(Secrets {
            deliveries: Sealer::new(
                &*key("secrets.delivery_key_file", &files.delivery_key_file)?,
                "delivery",
            ),
            totp: Sealer::new(&*key("secrets.totp_key_file", &files.totp_key_file)?, "totp"),
            signing_keys: Sealer::new(
                &*key(
                    "secrets.signing_key_encryption_file",
                    &files.signing_key_encryption_file,
                )?,
                "signing-key",
            ),
            hashes: KeyedHash::new(&*key("secrets.hash_key_file", &files.hash_key_file)?),
        })
    }
}

impl DatabaseSettings {
    /// As the application role.
    ///
    /// # Errors
    /// [`ConfigError`] for a URL or a file that cannot be read.
    pub fn application(&self) -> Result<PgConnectOptions, ConfigError> {
        options("database.url", &self.url, self.password_file.as_ref())
    }

    /// As the owner role.
    ///
    /// # Errors
    /// [`ConfigError`] for a URL or a file that is missing or cannot be read.
    pub fn owner(&self) -> Result<PgConnectOptions, ConfigError> {
        let url = self.owner_url.as_deref();
        let url = url.ok_or_else(|| ConfigError::key("database.owner_url", "`migrate` needs it"))?;
        options("database.owner_url", url, self.owner_password_file.as_ref())
    }
}

fn options(name: &str, url: &str, password: Option<&SecretFile>) -> Result<PgConnectOptions, ConfigError> {
    let options =
        PgConnectOptions::from_str(url).map_err(|error| ConfigError::key(name, error.to_string()))?;
    Ok(match password {
        Some(file) => options.password(file.read()?.expose_secret()),
        None => options,
    })
}

fn lifetime(surface: &str, idle_minutes: i64, hours: i64) -> Result<Lifetime, ConfigError> {
    let usable = (1..=1_440).contains(&idle_minutes) && (1..=168).contains(&hours);
    if !usable {
        let problem = "idle must lie between 1 and 1440 minutes, the whole between 1 and 168 hours";
        return Err(ConfigError::key(
            format!("sessions.{surface}_idle_minutes"),
            problem,
        ));
    }
    Ok(Lifetime {
        idle: TimeDelta::minutes(idle_minutes),
        absolute: TimeDelta::hours(hours),
    })
}

fn key(name: &str, file: &SecretFile) -> Result<Zeroizing<[u8; 32]>, ConfigError> {
    let text = file.read()?;
    let bytes = data_encoding::HEXLOWER_PERMISSIVE
        .decode(text.expose_secret().as_bytes())
        .map(Zeroizing::new);
    let key = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(&bytes[..]).ok());
    key.map(Zeroizing::new)
        .ok_or_else(|| ConfigError::key(name, "the file must hold 64 hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_holds_64_hexadecimal_digits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let read = |content: &str| {
            std::fs::write(&path, content).unwrap();
            key("secrets.totp_key_file", &SecretFile::new(&path)).map(|key| *key)
        };
        assert_eq!(read(&format!("{}\n", "0a".repeat(32))).unwrap(), [10; 32]);
        for content in ["", "0a", &"0a".repeat(33), &"zz".repeat(32)] {
            assert!(
                read(content)
                    .unwrap_err()
                    .to_string()
                    .contains("secrets.totp_key_file")
            );
        }
    }

    #[test]
    fn lifetimes_have_bounds() {
        assert!(lifetime("staff", 15, 8).is_ok());
        assert!(
            lifetime("staff", 0, 8)
                .unwrap_err()
                .to_string()
                .contains("sessions.staff_idle_minutes")
        );
    }
}
