//! The configuration of the process; the README holds an example.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use wathiq_chassis::{ConfigError, ProcessConfig, SecretFile, UpstreamConfig};
use wathiq_outbox::KafkaConfig;

use secrecy::ExposeSecret;

use crate::app::seal_settings::SealConfig;
use crate::domain::kind::Catalogue;
use crate::domain::transition::Lifetimes;
use crate::electronic_seals::ElectronicSealConfig;
use crate::keys::KeysConfig;
use crate::pdf::PdfConfig;
use crate::storage::StorageConfig;
use crate::timestamp::TimestampConfig;
use crate::trust::TrustConfig;

/// The catalogue where no file is configured.
const CATALOGUE: &str = include_str!("../catalogue.toml");

/// So long a payable may stand at service payment.
const LONGEST_PAYMENT_DAYS: u16 = 30;

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
    pub consumer: ConsumerConfig,
    #[serde(default)]
    pub tokens: TokenConfig,
    pub storage: StorageConfig,
    #[serde(default)]
    pub catalogue: CatalogueConfig,
    #[serde(default)]
    pub requests: RequestSettings,
    #[serde(default)]
    pub pdf: PdfConfig,
    pub keys: KeysConfig,
    pub timestamp: TimestampConfig,
    pub trust: TrustConfig,
    pub seal: SealConfig,
    /// Tokens of institutions' electronic seals that this process may open.
    #[serde(default)]
    pub electronic_seals: Vec<ElectronicSealConfig>,
}

/// Section `[upstream]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstreams {
    pub identity: UpstreamConfig,
    /// Without it no fee can be set.
    #[serde(default)]
    pub payment: Option<UpstreamConfig>,
}

/// Section `[consumer]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsumerConfig {
    /// Unique and lasting among the replicas; host name and port of the listener where it is not said.
    pub instance: Option<String>,
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
            .acquire_timeout(std::time::Duration::from_secs(3))
            .idle_timeout(std::time::Duration::from_secs(60));
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
        .application_name("wathiq-signature")
        .disable_statement_logging())
}

/// Section `[catalogue]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogueConfig {
    /// A TOML file like the `catalogue.toml` that is compiled in, which stands where none is named.
    pub file: Option<PathBuf>,
}

impl CatalogueConfig {
    /// Reads the catalogue.
    ///
    /// # Errors
    /// [`ConfigError`] naming what is wrong with it.
    pub fn read(&self) -> Result<Catalogue, ConfigError> {
        let text = match &self.file {
            Some(path) => std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                path: path.clone(),
                source,
            })?,
            None => CATALOGUE.to_owned(),
        };
        let catalogue: Catalogue =
            toml::from_str(&text).map_err(|error| ConfigError::key("catalogue.file", error.to_string()))?;
        catalogue
            .check()
            .map_err(|fault| ConfigError::key("catalogue.file", fault.to_string()))?;
        Ok(catalogue)
    }
}

/// Section `[requests]`: times.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestSettings {
    /// Days after which an unconfirmed request expires.
    pub unconfirmed_days: u16,
    /// Days after which a request that waits for its fee expires.
    pub payment_days: u16,
    /// Minutes after which a claim lapses.
    pub claim_minutes: u16,
    /// Working days until an answer can be expected (law 55-19 allows 60 days at most).
    pub expected_working_days: u32,
    /// Days on which offices are closed, beside Saturdays and Sundays.
    pub holidays: BTreeSet<NaiveDate>,
    /// Seconds between two looks for requests that have run out.
    pub expiry_seconds: u64,
    /// Seconds between two looks for files that no row names.
    pub sweep_seconds: u64,
}

impl Default for RequestSettings {
    fn default() -> Self {
        Self {
            unconfirmed_days: 30,
            payment_days: 7,
            claim_minutes: 15,
            expected_working_days: 2,
            holidays: BTreeSet::new(),
            expiry_seconds: 60,
            sweep_seconds: 900,
        }
    }
}

impl RequestSettings {
    /// How long requests may rest.
    pub fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            unconfirmed: TimeDelta::days(self.unconfirmed_days.into()),
            payment: TimeDelta::days(self.payment_days.into()),
        }
    }

    /// How long a claim stands.
    pub fn claim(&self) -> TimeDelta {
        TimeDelta::minutes(self.claim_minutes.into())
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("requests.unconfirmed_days", u64::from(self.unconfirmed_days)),
            ("requests.payment_days", u64::from(self.payment_days)),
            ("requests.claim_minutes", u64::from(self.claim_minutes)),
            ("requests.expiry_seconds", self.expiry_seconds),
            ("requests.sweep_seconds", self.sweep_seconds),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(ConfigError::key(key, "must be at least 1"));
            }
        }
        if self.payment_days > LONGEST_PAYMENT_DAYS {
            return Err(ConfigError::key("requests.payment_days", "must be at most 30"));
        }
        if (1..=60).contains(&self.expected_working_days) {
            return Ok(());
        }
        Err(ConfigError::key(
            "requests.expected_working_days",
            "must be 1 to 60",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the README is one that the process accepts, and names every section.
    #[test]
    fn the_readme_s_example_is_read() {
        let readme = include_str!("../README.md");
        let (_, rest) = readme.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let settings: Settings = toml::from_str(example).unwrap();
        assert_eq!(
            settings.requests.claim_minutes,
            RequestSettings::default().claim_minutes
        );
        assert_eq!(settings.tokens.issuer, TokenConfig::default().issuer);
        settings.requests.check().unwrap();
        settings.database.connect_options().unwrap_err();
    }

    #[test]
    fn the_catalogue_that_is_compiled_in_is_sound() {
        let catalogue = CatalogueConfig::default().read().unwrap();
        assert!(catalogue.kind("procuration").unwrap().needs_mandatary);
        let refused = catalogue
            .kind("procuration_real_estate")
            .unwrap()
            .refused
            .as_ref()
            .unwrap();
        assert_eq!(refused.reason.as_str(), "REAL_ESTATE_PROCURATION");
    }

    #[test]
    fn a_catalogue_with_a_fault_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("catalogue.toml");
        std::fs::write(
            &file,
            CATALOGUE.replace("code = \"lease\"", "code = \"contract\""),
        )
        .unwrap();
        let error = CatalogueConfig { file: Some(file) }.read().unwrap_err();
        assert!(error.to_string().contains("`contract` stands twice"), "{error}");
    }
}
