//! Officers' keys. A key obeys its officer alone: every batch needs the PIN, which is used and forgotten.
//!
//! Today the one backend is a PKCS#11 module (SoftHSM2 in tests, an HSM or the officer's token in production). A remote
//! service or a program at the official's desk joins as another variant of [`Backend`]: it, too, takes the bytes to be signed and
//! answers with signature values, which the caller checks against the certificate before it believes them.

mod actor;
mod module;
mod pkcs11;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

pub use crate::domain::credential::{KeyAlgorithm, KeyLocation};

/// Section `[keys]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    /// The PKCS#11 module, such as `/usr/lib/softhsm/libsofthsm2.so`. Loaded at first use.
    pub module: PathBuf,
    /// How long one call into the module may take, in seconds. One that takes longer is given up, and with it its thread.
    #[serde(default = "default_call_seconds")]
    pub call_seconds: u64,
}

fn default_call_seconds() -> u64 {
    10
}

/// Why a key did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the PIN is wrong")]
    PinIncorrect,
    /// Too many wrong PINs; only the token's issuer can help.
    #[error("the PIN is locked")]
    PinLocked,
    /// The token is there, the key is not.
    #[error("the token holds no key of this label")]
    KeyMissing,
    #[error("the key does not support the algorithm of its certificate")]
    AlgorithmUnsupported,
    /// No module, no token, no device, or one that does not answer in time.
    #[error("the key cannot be reached: {0}")]
    Unavailable(String),
}

/// The keys of all officers.
#[derive(Debug, Clone)]
pub struct Keys {
    backend: Backend,
}

#[derive(Debug, Clone)]
enum Backend {
    Pkcs11 { module: PathBuf, call: Duration },
}

impl Keys {
    /// Knows where keys are; opens nothing yet.
    pub fn new(config: &KeysConfig) -> Self {
        Self {
            backend: Backend::Pkcs11 {
                module: config.module.clone(),
                call: Duration::from_secs(config.call_seconds.max(1)),
            },
        }
    }

    /// Signs each message with one log-in: the officer's PIN, the signatures in order, the log-out. ECDSA values are DER
    /// (RFC 3279, 2.2.3).
    ///
    /// # Errors
    /// [`KeyError`]; either all messages are signed or none is answered.
    pub async fn sign(
        &self,
        location: &KeyLocation,
        pin: SecretString,
        messages: Vec<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, KeyError> {
        match &self.backend {
            Backend::Pkcs11 { module, call } => {
                actor::of(module, &location.token_label, *call)?
                    .sign(location.clone(), pin, messages)
                    .await
            }
        }
    }

    /// The public key (`SubjectPublicKeyInfo` is not kept by tokens, so: modulus, or encoded point) that stands beside a
    /// private key; `None` where the token shows none without a PIN.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the token cannot be reached.
    pub async fn public_key(&self, location: &KeyLocation) -> Result<Option<Vec<u8>>, KeyError> {
        match &self.backend {
            Backend::Pkcs11 { module, call } => {
                actor::of(module, &location.token_label, *call)?
                    .public_key(location.clone())
                    .await
            }
        }
    }
}
