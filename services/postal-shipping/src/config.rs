//! The configuration of the process; the README holds an example.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde::Deserialize;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use wathiq_chassis::{ConfigError, ProcessConfig, SecretFile, UpstreamConfig};
use wathiq_outbox::KafkaConfig;

use crate::app::forget::Retention;
use crate::domain::code_table::CodeTable;
use crate::domain::number_range::LowWater;
use crate::domain::shipment::SilenceLimits;
use crate::domain::webhook::Secret;

/// Connections of one process.
const MAX_CONNECTIONS: u32 = 8;

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
    pub carrier: CarrierConfig,
    #[serde(default)]
    pub numbers: NumberConfig,
    #[serde(default)]
    pub silence: SilenceConfig,
    #[serde(default)]
    pub retention: RetentionConfig,
    #[serde(default)]
    pub codes: CodeConfig,
}

/// Section `[upstream]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstreams {
    /// For the keys of access tokens alone.
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

/// Section `[carrier]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarrierConfig {
    /// Where deposit lists are announced: `{url}/deposit-lists`.
    pub url: String,
    /// Files with one secret each (`whsec_…`), any of which the carrier signs its messages with.
    pub inbound_secret_files: Vec<SecretFile>,
    /// The secret that deposit lists are signed with.
    pub outbound_secret_file: SecretFile,
    /// Certificates of the carrier's authorities, PEM; the system's where it is not set.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Bound on one request, in seconds.
    #[serde(default = "default_carrier_seconds")]
    pub seconds: u64,
    /// How often waiting deposit lists are looked for, in milliseconds.
    #[serde(default = "default_announce_milliseconds")]
    pub announce_milliseconds: u64,
}

const fn default_carrier_seconds() -> u64 {
    10
}

const fn default_announce_milliseconds() -> u64 {
    1_000
}

/// Section `[numbers]`: when the numbers of a product run low. Whichever comes first.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NumberConfig {
    pub low_numbers: u32,
    /// Of what the ranges in use hold.
    pub low_percent: u32,
}

impl Default for NumberConfig {
    fn default() -> Self {
        Self {
            low_numbers: 500,
            low_percent: 10,
        }
    }
}

impl NumberConfig {
    pub fn low_water(self) -> LowWater {
        LowWater {
            numbers: self.low_numbers.into(),
            percent: self.low_percent.into(),
        }
    }
}

/// Section `[silence]`: after how many days without a word a shipment is silent.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SilenceConfig {
    pub domestic_days: u32,
    pub international_days: u32,
    /// How often it is looked for, in seconds.
    pub watch_seconds: u64,
}

impl Default for SilenceConfig {
    fn default() -> Self {
        Self {
            domestic_days: 7,
            international_days: 30,
            watch_seconds: 600,
        }
    }
}

impl SilenceConfig {
    pub fn limits(self) -> SilenceLimits {
        SilenceLimits {
            domestic: TimeDelta::days(self.domestic_days.into()),
            international: TimeDelta::days(self.international_days.into()),
        }
    }
}

/// Section `[retention]`: how long is kept what is no record, in days.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    pub message_days: u32,
    pub unknown_item_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            message_days: 90,
            unknown_item_days: 365,
        }
    }
}

impl RetentionConfig {
    /// The times.
    ///
    /// # Errors
    /// [`ConfigError`] naming a key of no days.
    pub fn times(self) -> Result<Retention, ConfigError> {
        for (key, days) in [
            ("retention.message_days", self.message_days),
            ("retention.unknown_item_days", self.unknown_item_days),
        ] {
            if days == 0 {
                return Err(ConfigError::key(key, "must be at least 1"));
            }
        }
        Ok(Retention {
            messages: TimeDelta::days(self.message_days.into()),
            unknown_items: TimeDelta::days(self.unknown_item_days.into()),
        })
    }
}

/// Section `[codes]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CodeConfig {
    /// A TOML file like the `codes.toml` that is compiled in, which stands where none is named.
    pub file: Option<PathBuf>,
}

impl CodeConfig {
    /// Reads the table of codes.
    ///
    /// # Errors
    /// [`ConfigError`] naming what is wrong with it.
    pub fn read(&self) -> Result<Arc<CodeTable>, ConfigError> {
        let Some(path) = &self.file else {
            return Ok(Arc::new(CodeTable::standard()));
        };
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.clone(),
            source,
        })?;
        let table = CodeTable::parse(&text)
            .map_err(|error| ConfigError::key("codes.file", wathiq_chassis::status::chain(&error)))?;
        Ok(Arc::new(table))
    }
}

impl CarrierConfig {
    /// The secrets the carrier may sign with.
    ///
    /// # Errors
    /// [`ConfigError`] when there is none, or one is malformed.
    pub fn inbound_secrets(&self) -> Result<Vec<Secret>, ConfigError> {
        const KEY: &str = "carrier.inbound_secret_files";
        if self.inbound_secret_files.is_empty() {
            return Err(ConfigError::key(KEY, "names at least one file"));
        }
        self.inbound_secret_files
            .iter()
            .map(|file| secret(KEY, file))
            .collect()
    }

    /// The secret that we sign with.
    ///
    /// # Errors
    /// [`ConfigError`] when it is malformed.
    pub fn outbound_secret(&self) -> Result<Secret, ConfigError> {
        secret("carrier.outbound_secret_file", &self.outbound_secret_file)
    }
}

fn secret(key: &'static str, file: &SecretFile) -> Result<Secret, ConfigError> {
    Secret::parse(&file.read()?).map_err(|error| ConfigError::key(key, error.to_string()))
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
        .application_name("wathiq-postal-shipping")
        .disable_statement_logging())
}
