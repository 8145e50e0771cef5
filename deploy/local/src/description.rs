//! What a stack offers, as tests and scripts read it from a JSON file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The variable that names the description file of the stack that tests run against.
pub const VARIABLE: &str = "WATHIQ_TEST_STACK";

/// The parts of a stack, without our own services.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    pub postgres: Postgres,
    pub kafka: Kafka,
    pub trust: Trust,
    pub softhsm: SoftHsm,
    pub mail: Mail,
    pub sms: Sms,
    pub cmi: Cmi,
    pub text_payment: TextPayment,
    pub carrier: Carrier,
}

/// PostgreSQL. `ca` absent means no TLS, `roles` maps each role to the file with its password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Postgres {
    pub host: String,
    pub port: u16,
    pub superuser: String,
    pub superuser_password: String,
    pub ca: Option<PathBuf>,
    #[serde(default)]
    pub roles: BTreeMap<String, PathBuf>,
}

/// Kafka: `certificates` holds `<name>.pem`, `<name>.key` and `ca.pem` for every principal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kafka {
    pub brokers: String,
    pub certificates: PathBuf,
}

/// The trust service that officers' certificates and time-stamps come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trust {
    pub root: PathBuf,
    pub issuing: PathBuf,
    pub tsa: PathBuf,
    pub tsa_url: String,
    pub ocsp_url: String,
    pub crl_url: String,
}

/// The PKCS#11 store. The library reads `SOFTHSM2_CONF`, which must name `conf`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SoftHsm {
    pub module: PathBuf,
    pub conf: PathBuf,
    pub tokens: Vec<Token>,
}

/// One officer's token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Token {
    pub label: String,
    pub pin: String,
    pub key_label: String,
    /// `P-256` or `RSA-3072`.
    pub algorithm: String,
    /// `valid`, `expired` or `revoked`.
    pub standing: String,
    /// Common name in the certificate.
    pub holder: String,
    pub certificate: PathBuf,
}

/// The mail catcher: SMTP over TLS from the first byte (RFC 8314) under `ca`, and the inbox with its REST interface.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mail {
    pub smtp: String,
    pub api: String,
    pub ca: PathBuf,
}

/// The text-message provider of the partner sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sms {
    pub url: String,
    pub key: String,
}

/// The store at CMI, played by the partner sandbox: `<url>/fim/est3Dgate` and `<url>/fim/api`. `control` has the
/// sandbox's own address, which no test cuts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cmi {
    pub url: String,
    pub control: String,
    pub client_id: String,
    pub store_key_file: PathBuf,
    pub api_name: String,
    pub api_password_file: PathBuf,
}

/// The account at the provider of payments by text message, played by the partner sandbox: `<url>/payments`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TextPayment {
    pub url: String,
    pub control: String,
    pub key_file: PathBuf,
    pub callback_secret_file: PathBuf,
}

/// The carrier, played by the partner sandbox: `<url>/deposit-lists`. It signs with `inbound`, the platform with
/// `outbound`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Carrier {
    pub url: String,
    pub control: String,
    pub inbound_secret_file: PathBuf,
    pub outbound_secret_file: PathBuf,
}

impl Description {
    /// Writes the description, readable by its owner only: it holds passwords and PINs.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        crate::secrets::write_private(path, serde_json::to_vec_pretty(self)?)
    }

    /// Reads a description.
    ///
    /// # Errors
    /// When the file cannot be read or has another shape.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a stack description", path.display()))
    }

    /// The stack that [`VARIABLE`] names.
    ///
    /// # Errors
    /// When the variable is not set: tests run inside `wathiq-local test`.
    pub fn from_environment() -> Result<Self> {
        let path = std::env::var_os(VARIABLE)
            .with_context(|| format!("{VARIABLE} is not set: run `wathiq-local test -- <command>`"))?;
        Self::read(Path::new(&path))
    }
}
