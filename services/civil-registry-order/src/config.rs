//! The configuration of the process; the README holds an example.

use std::net::IpAddr;

use chrono::TimeDelta;
use http::Uri;
use serde::Deserialize;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use wathiq_chassis::{ConfigError, ProcessConfig, SecretFile, UpstreamConfig};
use wathiq_outbox::KafkaConfig;

use secrecy::ExposeSecret;

use crate::domain::order::work::Terms;
use crate::storage::StorageConfig;

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
    pub storage: StorageConfig,
    #[serde(default)]
    pub consumer: ConsumerConfig,
    #[serde(default)]
    pub orders: OrderSettings,
}

/// Section `[upstream]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstreams {
    pub identity: UpstreamConfig,
    pub payment: UpstreamConfig,
    pub postal_shipping: UpstreamConfig,
    pub signature: UpstreamConfig,
}

/// Section `[consumer]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsumerConfig {
    /// Name of this process in its Kafka group, the same after a restart; host and port where none is said.
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
        .application_name("wathiq-civil-registry-order")
        .disable_statement_logging())
}

/// Section `[orders]`: times.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrderSettings {
    /// Hours in which an order is paid.
    pub payment_hours: u16,
    /// Days in which the citizen corrects what the office asked for.
    pub correction_days: u16,
    /// Working days after the production deadline at which a paid line that is not produced is refunded.
    pub overdue_working_days: u16,
    /// Working days in which what is produced is handed to the post.
    pub posting_working_days: u16,
    /// Working days for which what is produced waits for the other lines of its parcel.
    pub together_working_days: u16,
    /// Working days in which payment gives money back; then somebody is told.
    pub refund_working_days: u16,
    /// Days after which a parcel that the post says nothing of is reported.
    pub silence_days: u16,
    /// Days in which an office is shown what came back, or was delivered to somebody else.
    pub exception_days: u16,
    /// Days for which is kept what another service was asked and has answered.
    pub answered_days: u16,
    /// Seconds between two looks for work that no call has announced.
    pub driver_seconds: u64,
    /// Seconds between two looks at deadlines.
    pub deadline_seconds: u64,
    /// Seconds between two looks for files that no row names.
    pub sweep_seconds: u64,
    /// Seconds for which identity's list of offices is kept.
    pub office_seconds: u64,
    /// Hour of the working day (Africa/Casablanca) from which offices with waiting lines are written to.
    pub reminder_hour: u8,
    /// Where anybody verifies a document by its code, without a slash at the end; printed on it, so it has no default.
    pub verification_url: String,
}

impl Default for OrderSettings {
    fn default() -> Self {
        Self {
            payment_hours: 48,
            correction_days: 15,
            overdue_working_days: 10,
            posting_working_days: 2,
            together_working_days: 5,
            refund_working_days: 10,
            silence_days: 21,
            exception_days: 30,
            answered_days: 30,
            driver_seconds: 5,
            deadline_seconds: 60,
            sweep_seconds: 900,
            office_seconds: 60,
            reminder_hour: 8,
            verification_url: String::new(),
        }
    }
}

impl OrderSettings {
    /// Times that bound the states of a line.
    pub fn terms(&self) -> Terms {
        Terms {
            correction: TimeDelta::days(self.correction_days.into()),
            overdue_working_days: self.overdue_working_days,
            posting_working_days: self.posting_working_days,
            together_working_days: self.together_working_days,
            refund_working_days: self.refund_working_days,
            silence: TimeDelta::days(self.silence_days.into()),
            exception: TimeDelta::days(self.exception_days.into()),
        }
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("orders.payment_hours", u64::from(self.payment_hours)),
            ("orders.correction_days", u64::from(self.correction_days)),
            (
                "orders.overdue_working_days",
                u64::from(self.overdue_working_days),
            ),
            (
                "orders.posting_working_days",
                u64::from(self.posting_working_days),
            ),
            (
                "orders.together_working_days",
                u64::from(self.together_working_days),
            ),
            ("orders.refund_working_days", u64::from(self.refund_working_days)),
            ("orders.silence_days", u64::from(self.silence_days)),
            ("orders.exception_days", u64::from(self.exception_days)),
            ("orders.answered_days", u64::from(self.answered_days)),
            ("orders.driver_seconds", self.driver_seconds),
            ("orders.deadline_seconds", self.deadline_seconds),
            ("orders.sweep_seconds", self.sweep_seconds),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::key(*key, "must be at least 1"));
        }
        // A payable stands for 30 days at most.
        if self.payment_hours > 30 * 24 {
            return Err(ConfigError::key("orders.payment_hours", "must be at most 720"));
        }
        if !is_verification_address(&self.verification_url) {
            return Err(ConfigError::key(
                "orders.verification_url",
                "must be an https address (http on this host) without a slash at the end",
            ));
        }
        if self.reminder_hour > 23 {
            return Err(ConfigError::key("orders.reminder_hour", "must be 0 to 23"));
        }
        Ok(())
    }
}

/// An address that can stand on paper: `https`, or `http` where it leads back to this host.
fn is_verification_address(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else {
        return false;
    };
    let safe = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => uri.host().is_some_and(|host| {
            let literal = host.trim_matches(['[', ']']);
            host == "localhost"
                || literal
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }),
        _ => false,
    };
    safe && uri.query().is_none() && !address.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the README is one that the process accepts, and names every key with its default.
    #[test]
    fn the_readme_s_example_is_read() {
        let readme = include_str!("../README.md");
        let (_, rest) = readme.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let settings: Settings = toml::from_str(example).unwrap();
        settings.orders.check().unwrap();
        let default = OrderSettings {
            verification_url: settings.orders.verification_url.clone(),
            ..OrderSettings::default()
        };
        assert_eq!(format!("{:?}", settings.orders), format!("{default:?}"));
        assert_eq!(settings.tokens.issuer, TokenConfig::default().issuer);
    }

    #[test]
    fn an_address_that_is_printed_on_documents_must_be_set() {
        let error = OrderSettings::default().check().unwrap_err();
        assert!(error.to_string().contains("verification_url"), "{error}");
    }

    #[test]
    fn a_verification_address_is_secure_or_on_this_host() {
        for good in [
            "https://verify.example.ma",
            "https://verify.example.ma/v",
            "http://localhost:8400",
            "http://127.0.0.1:8400",
            "http://[::1]:8400",
        ] {
            assert!(is_verification_address(good), "{good}");
        }
        for bad in [
            "",
            "http://verify.example.ma",
            "http://localhost.example.ma",
            "https://verify.example.ma/",
            "https://verify.example.ma?code=1",
            "verify.example.ma",
            "ftp://localhost",
        ] {
            assert!(!is_verification_address(bad), "{bad}");
        }
    }
}
