//! The configuration of the process; the README holds an example.

use std::path::PathBuf;
use std::time::Duration;

use lettre::Address;
use secrecy::ExposeSecret;
use serde::Deserialize;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use wathiq_chassis::{ConfigError, ProcessConfig, SecretFile, UpstreamConfig};
use wathiq_outbox::KafkaConfig;

use crate::domain::administration::Administration;
use crate::domain::language::Language;

/// Connections of one process: few handlers, a consumer, the sender and its listener.
const MAX_CONNECTIONS: u32 = 8;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub process: ProcessConfig,
    pub database: DatabaseConfig,
    pub kafka: KafkaConfig,
    #[serde(default)]
    pub consumer: ConsumerConfig,
    pub upstream: Upstreams,
    #[serde(default)]
    pub tokens: TokenConfig,
    pub mail: MailConfig,
    pub text: TextConfig,
    pub messages: MessageConfig,
    pub help: HelpConfig,
    pub administration: AdministrationConfig,
}

/// Section `[consumer]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsumerConfig {
    /// Unique and lasting among the replicas; host name and port of the listener where it is not said.
    pub instance: Option<String>,
}

/// Section `[upstream]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstreams {
    pub identity: UpstreamConfig,
    pub signature: UpstreamConfig,
    #[serde(alias = "civil-registry-order")]
    pub civil_registry_order: UpstreamConfig,
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

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS from the first byte (RFC 8314, usually port 465).
    Tls,
    /// Begins in plain text and must be upgraded before anything is sent (RFC 3207, usually port 587).
    Starttls,
    /// Unprotected: a relay on the same machine alone.
    Plain,
}

/// Section `[mail]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    pub host: String,
    pub port: u16,
    pub security: MailSecurity,
    /// PEM file of the authority of the server's certificate; the system's authorities where none is named.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub password_file: Option<SecretFile>,
    /// Sender, such as `Wathiq <ne-pas-repondre@wathiq.example>`.
    pub from: String,
    /// Right-hand side of every Message-ID; the sender's domain where none is named.
    #[serde(default)]
    pub message_id_domain: Option<String>,
    /// Bound on handing over one mail, at most 60.
    #[serde(default = "mail_seconds")]
    pub seconds: u64,
    /// Attachments that are larger together go by link.
    #[serde(default = "attachment_limit_bytes")]
    pub attachment_limit_bytes: u64,
}

fn mail_seconds() -> u64 {
    60
}

fn attachment_limit_bytes() -> u64 {
    10 * 1024 * 1024
}

/// Section `[text]`: the provider of text messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextConfig {
    /// Origin of the provider's interface, without `/v1/messages`.
    pub url: String,
    pub key_file: SecretFile,
    /// PEM file of the authority of the provider's certificate; the system's authorities where none is named.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Sender as phones show it.
    #[serde(default = "text_from")]
    pub from: String,
    /// Bound on one request, at most 60.
    #[serde(default = "text_seconds")]
    pub seconds: u64,
}

fn text_from() -> String {
    "Wathiq".to_owned()
}

fn text_seconds() -> u64 {
    10
}

/// Section `[messages]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageConfig {
    /// Where the platform's pages are: links lead to `{public_url}/d/{token}`, `/v/{code}`, `/orders/{reference}` and
    /// `/office/batch-sheets?office_id={id}`.
    pub public_url: String,
    /// Messages in the making at the same time, at least 3: one place is kept for codes, and mails with sealed files
    /// have one.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
}

fn concurrency() -> usize {
    4
}

/// Section `[administration]`: who looks after the platform.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdministrationConfig {
    /// Gets what a person has to do for the platform: numbers of registered mail that run out.
    pub email: String,
    /// `ar`, `fr`, `en` or `zgh`.
    #[serde(default = "administration_language")]
    pub language: String,
}

fn administration_language() -> String {
    "fr".to_owned()
}

impl AdministrationConfig {
    /// Reads the section.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn read(&self) -> Result<Administration, ConfigError> {
        if self.email.parse::<Address>().is_err() {
            return Err(ConfigError::key(
                "administration.email",
                "must be an e-mail address",
            ));
        }
        let language = Language::of_tag(&self.language);
        Ok(Administration {
            email: self.email.clone(),
            language: language
                .ok_or_else(|| ConfigError::key("administration.language", "must be ar, fr, en or zgh"))?,
        })
    }
}

/// Section `[help]`: the help line that closes each message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelpConfig {
    pub number: String,
    /// For e-mail, in each language.
    pub hours: HelpHours,
    /// For text messages, in any language: `8:30-16:30`.
    pub short_hours: String,
}

/// When the help line answers, in words. Tamazight falls back to Arabic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelpHours {
    pub ar: String,
    pub fr: String,
    pub en: String,
    #[serde(default)]
    pub zgh: Option<String>,
}

impl Settings {
    /// Bound on handing one message over, by mail or text.
    #[must_use]
    pub fn hand_over(&self) -> Duration {
        Duration::from_secs(self.mail.seconds.max(self.text.seconds))
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("mail.seconds", self.mail.seconds),
            ("text.seconds", self.text.seconds),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(ConfigError::key(key, "must be at least 1"));
            }
        }
        if self.messages.concurrency < 3 {
            return Err(ConfigError::key("messages.concurrency", "must be at least 3"));
        }
        for (key, value) in [
            ("mail.seconds", self.mail.seconds),
            ("text.seconds", self.text.seconds),
        ] {
            if value > 60 {
                return Err(ConfigError::key(key, "must be at most 60"));
            }
        }
        let url = &self.messages.public_url;
        if !(url.starts_with("https://") || url.starts_with("http://")) || url.ends_with('/') {
            return Err(ConfigError::key(
                "messages.public_url",
                "must be an origin without a final slash",
            ));
        }
        Ok(())
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
        .application_name("wathiq-notification")
        .disable_statement_logging())
}
