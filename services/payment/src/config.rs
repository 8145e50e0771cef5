//! The configuration of the process; the README holds an example.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde::Deserialize;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use wathiq_chassis::{ConfigError, ProcessConfig, SecretFile, UpstreamConfig};
use wathiq_outbox::KafkaConfig;

use crate::domain::policy::Policy;
use crate::providers::cmi::CmiConfig;
use crate::providers::text_message::TextMessageConfig;

/// Connections of one process.
const MAX_CONNECTIONS: u32 = 10;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub process: ProcessConfig,
    pub database: DatabaseConfig,
    pub kafka: KafkaConfig,
    pub upstream: Upstreams,
    #[serde(default)]
    pub tokens: TokenConfig,
    /// Payment by card; not offered where it is left out.
    #[serde(default)]
    pub cmi: Option<CmiConfig>,
    /// Payment by text message; not offered where it is left out.
    #[serde(default)]
    pub text_message: Option<TextMessageConfig>,
    #[serde(default)]
    pub work: WorkConfig,
    #[serde(default)]
    pub receipt: ReceiptConfig,
}

/// Section `[upstream]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstreams {
    /// Asked for the keys of access tokens.
    pub identity: UpstreamConfig,
}

/// Section `[tokens]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenConfig {
    /// Who issues access tokens.
    pub issuer: String,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            issuer: "https://identity.wathiq".to_owned(),
        }
    }
}

/// Section `[work]`: what is done at the providers by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkConfig {
    /// First pause between two looks at an attempt; it doubles with each, to a quarter of an hour.
    pub poll_seconds: u32,
    /// After which what is authorised and not captured is captured by our own request.
    pub capture_after_seconds: u32,
    /// How long after its end a session is asked about a last time.
    pub margin_seconds: u32,
    /// How long a credit without an answer is given to show up before it is sent again.
    pub unknown_seconds: u32,
    /// How soon something that was just told is looked at.
    pub soon_seconds: u32,
    /// How long a refund is tried although the provider refuses it, before it has failed.
    pub refund_patience_seconds: u32,
    /// Pause between two looks for what is due.
    pub interval_milliseconds: u64,
    /// Attempts worked on at the same time.
    pub concurrency: usize,
    /// Hour of the day (Africa/Casablanca) from which the nightly comparison with the providers runs.
    pub reconciliation_hour: u32,
}

impl Default for WorkConfig {
    fn default() -> Self {
        let policy = Policy::default();
        let seconds = |delta: TimeDelta| u32::try_from(delta.num_seconds()).unwrap_or(u32::MAX);
        Self {
            poll_seconds: seconds(policy.poll),
            capture_after_seconds: seconds(policy.capture_after),
            margin_seconds: seconds(policy.margin),
            unknown_seconds: seconds(policy.unknown),
            soon_seconds: seconds(policy.soon),
            refund_patience_seconds: seconds(policy.refund_patience),
            interval_milliseconds: 1_000,
            concurrency: 4,
            reconciliation_hour: 2,
        }
    }
}

impl WorkConfig {
    /// The times of the machine.
    pub fn policy(&self) -> Policy {
        let seconds = |seconds: u32| TimeDelta::seconds(seconds.into());
        Policy {
            poll: seconds(self.poll_seconds),
            capture_after: seconds(self.capture_after_seconds),
            margin: seconds(self.margin_seconds),
            unknown: seconds(self.unknown_seconds),
            soon: seconds(self.soon_seconds),
            refund_patience: seconds(self.refund_patience_seconds),
        }
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("work.poll_seconds", u64::from(self.poll_seconds)),
            (
                "work.capture_after_seconds",
                u64::from(self.capture_after_seconds),
            ),
            ("work.unknown_seconds", u64::from(self.unknown_seconds)),
            ("work.interval_milliseconds", self.interval_milliseconds),
            ("work.concurrency", self.concurrency as u64),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(ConfigError::key(key, "must be at least 1"));
            }
        }
        if self.reconciliation_hour > 23 {
            return Err(ConfigError::key("work.reconciliation_hour", "must be 0 to 23"));
        }
        Ok(())
    }
}

/// Section `[receipt]`: who received the money, as printed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptConfig {
    pub issuer_ar: String,
    pub issuer_fr: String,
}

impl Default for ReceiptConfig {
    fn default() -> Self {
        Self {
            issuer_ar: "منصة وثيق".to_owned(),
            issuer_fr: "Plateforme Wathiq".to_owned(),
        }
    }
}

/// Section `[database]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `postgres://role@host:port/database?sslmode=verify-full&sslrootcert=…`, as the role without DDL.
    pub url: String,
    #[serde(default)]
    pub password_file: Option<SecretFile>,
    /// The same database as the role that owns the tables; for `migrate` alone.
    #[serde(default)]
    pub owner_url: Option<String>,
    #[serde(default)]
    pub owner_password_file: Option<SecretFile>,
}

impl DatabaseConfig {
    /// How the process connects to work. Time-outs are below every deadline, so that a stuck database is an error and not a
    /// hanging call.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn connect_options(&self) -> Result<PgConnectOptions, ConfigError> {
        let options = connect_options("database.url", &self.url, self.password_file.as_ref())?;
        Ok(options.options([
            ("statement_timeout", "8s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ]))
    }

    /// How `migrate` connects.
    ///
    /// # Errors
    /// [`ConfigError`] when the owner's address is not configured.
    pub fn owner_options(&self) -> Result<PgConnectOptions, ConfigError> {
        let url = self.owner_url.as_deref();
        let url =
            url.ok_or_else(|| ConfigError::key("database.owner_url", "`migrate` needs the owner's address"))?;
        connect_options("database.owner_url", url, self.owner_password_file.as_ref())
    }

    /// The pool. It connects at first use and keeps nothing when idle.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn pool(&self) -> Result<sqlx::PgPool, ConfigError> {
        let options = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .min_connections(0)
            .acquire_timeout(Duration::from_secs(3))
            .idle_timeout(Duration::from_secs(60));
        Ok(options.connect_lazy_with(self.connect_options()?))
    }
}

fn connect_options(
    key: &'static str,
    url: &str,
    password_file: Option<&SecretFile>,
) -> Result<PgConnectOptions, ConfigError> {
    let mut options: PgConnectOptions = url
        .parse()
        .map_err(|error: sqlx::Error| ConfigError::key(key, error.to_string()))?;
    if let Some(file) = password_file {
        options = options.password(file.read()?.expose_secret());
    }
    Ok(options
        .application_name("wathiq-payment")
        .disable_statement_logging())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the README is one that the process accepts, and its defaults are those of the code.
    #[test]
    fn the_readme_s_example_is_read() {
        let readme = include_str!("../README.md");
        let (_, rest) = readme.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let settings: Settings = toml::from_str(example).unwrap();
        assert_eq!(settings.work.policy(), Policy::default());
        assert_eq!(settings.tokens.issuer, TokenConfig::default().issuer);
        assert_eq!(settings.cmi.unwrap().session_seconds, 1_800);
        assert_eq!(settings.text_message.unwrap().session_seconds, 900);
        settings.work.check().unwrap();
    }
}
