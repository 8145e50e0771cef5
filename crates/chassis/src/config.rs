//! Configuration: one TOML file, then overrides from the environment, into one typed value.
//!
//! `WATHIQ__PROCESS__LISTEN=127.0.0.1:7001` overrides `listen` in section `[process]`. A value that reads as a TOML
//! boolean, number, array, inline table or quoted string is taken as such, anything else as text; a text made of
//! digits only is written with quotes (`WATHIQ__A__B='"0123"'`). Every configuration struct denies unknown fields,
//! so that a misspelt key is an error that names it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use toml::{Table, Value};
use zeroize::Zeroizing;

const PREFIX: &str = "WATHIQ__";

/// Why a process cannot start with the configuration it was given.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration file {path}: check that it exists and that this process may read it")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("configuration file {path} is not valid TOML")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A key is missing, unknown or of the wrong shape.
    #[error(
        "configuration key `{key}` is not usable: {problem}; correct it in the configuration file or set {variable}"
    )]
    Key {
        /// The dotted key, `process.listen`.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// The environment variable that overrides it.
        variable: String,
    },
    /// A file with a secret cannot be read.
    #[error("cannot read secret file {path}: check that it exists and that only this process may read it")]
    Secret {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The command line is not understood.
    #[error("{problem}; usage: {usage}")]
    CommandLine {
        /// What is wrong.
        problem: String,
        /// How the program is called.
        usage: String,
    },
}

impl ConfigError {
    /// A key whose value was read, but cannot be used: for checks that a process makes itself.
    pub fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        let key = key.into();
        let variable = variable_of(&key);
        Self::Key {
            key,
            problem: problem.into(),
            variable,
        }
    }
}

/// Reads the configuration.
///
/// # Errors
/// [`ConfigError`], which names the file or the key and the remedy.
pub fn load<T: DeserializeOwned>(
    path: Option<&Path>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let mut table = match path {
        Some(path) => read_file(path)?,
        None => Table::new(),
    };
    for (name, value) in env {
        if let Some(key) = name.strip_prefix(PREFIX) {
            let keys: Vec<String> = key.split("__").map(str::to_lowercase).collect();
            insert(&mut table, &keys, &keys, read_value(&value))?;
        }
    }
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| key_error(&error))
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    text.parse().map_err(|source| ConfigError::Syntax {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

fn insert(table: &mut Table, all: &[String], keys: &[String], value: Value) -> Result<(), ConfigError> {
    match keys {
        [] => Ok(()),
        [last] => {
            table.insert(last.clone(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let entry = table
                .entry(first.clone())
                .or_insert_with(|| Value::Table(Table::new()));
            match entry.as_table_mut() {
                Some(inner) => insert(inner, all, rest, value),
                None => Err(ConfigError::key(
                    all.join("."),
                    format!("`{first}` is not a section"),
                )),
            }
        }
    }
}

fn read_value(text: &str) -> Value {
    let parsed = format!("v = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("v"));
    match parsed {
        // A bare date would be a TOML date: configuration has none, and the text is what was meant.
        Some(Value::Datetime(_)) | None => Value::String(text.to_owned()),
        Some(value) => value,
    }
}

fn key_error(error: &serde_path_to_error::Error<toml::de::Error>) -> ConfigError {
    let problem = error.inner().message().trim().to_owned();
    let mut key = error.path().to_string();
    if key == "." {
        key.clear();
    }
    // serde reports a missing field at its parent; the operator wants the name of the field itself.
    if let Some(field) = problem
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        if !key.is_empty() {
            key.push('.');
        }
        key.push_str(field);
    }
    ConfigError::key(key, problem)
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// The path of a file that holds one secret; the secret itself is read when it is needed and never printed.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretFile(PathBuf);

impl SecretFile {
    /// Names the file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the secret; one trailing newline, as editors leave it, is not part of it.
    ///
    /// # Errors
    /// [`ConfigError::Secret`] when the file cannot be read or is no UTF-8.
    pub fn read(&self) -> Result<SecretString, ConfigError> {
        let text = std::fs::read_to_string(&self.0)
            .map(Zeroizing::new)
            .map_err(|source| ConfigError::Secret {
                path: self.0.clone(),
                source,
            })?;
        let secret = text.strip_suffix('\n').unwrap_or(&text);
        let secret = secret.strip_suffix('\r').unwrap_or(secret);
        Ok(SecretString::from(secret.to_owned()))
    }
}

/// PEM files of one identity: the authority that peers must chain to, the own chain, the own key (PKCS#8).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Certificates of the authorities that peers must chain to.
    pub ca: PathBuf,
    /// The own certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// The own private key.
    pub key: PathBuf,
}

/// Section `[process]`: what every process is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessConfig {
    /// The process's name, as it stands in its certificate and in logs: `identity`.
    pub name: String,
    /// Where the mTLS listener stands.
    pub listen: SocketAddr,
    /// Where the plain listener for probes and metrics stands.
    pub operations_listen: SocketAddr,
    /// The SPIFFE trust domain of this installation.
    #[serde(default = "default_trust_domain")]
    pub trust_domain: String,
    /// The process's own identity.
    pub tls: TlsFiles,
    /// Where traces go (OTLP over gRPC), `http://host:4317`; none are exported without it.
    #[serde(default)]
    pub otlp_endpoint: Option<String>,
    /// Log filter in `tracing`'s syntax; `info` without it.
    #[serde(default)]
    pub log: Option<String>,
    /// Whether gRPC server reflection answers on the mTLS listener.
    #[serde(default)]
    pub reflection: bool,
    /// How long, in seconds, calls in flight may go on after the signal to stop.
    #[serde(default = "default_drain_seconds")]
    pub drain_seconds: u64,
    /// After how many seconds a connection is asked to close, so that new replicas get their share.
    #[serde(default = "default_connection_age_seconds")]
    pub connection_age_seconds: u64,
}

fn default_trust_domain() -> String {
    "wathiq.local".to_owned()
}

const fn default_drain_seconds() -> u64 {
    10
}

const fn default_connection_age_seconds() -> u64 {
    30
}

/// Section `[upstream.<name>]`: where another process answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// `host:port`, or `address:port`; a host name with several addresses counts as several replicas.
    pub addresses: Vec<String>,
    /// The name the peer's certificate must carry: `identity` for `spiffe://<trust domain>/identity`.
    pub server_name: String,
}
