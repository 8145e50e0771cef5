//! SoftHSM2: a PKCS#11 store of this stack's own, one token an officer. The private keys live in the tokens alone; the
//! public halves go to the trust service, which certifies them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};

use tokio::process::Command;

use super::Surroundings;
use crate::description::{SoftHsm, Token};
use crate::secrets;

/// The kind of key in a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    P256,
    Rsa3072,
}

/// What the trust service says of an officer's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Valid,
    Expired,
    Revoked,
}

/// An officer of the demonstration and of the tests.
#[derive(Debug, Clone, Copy)]
pub struct Officer {
    pub label: &'static str,
    pub holder: &'static str,
    pub algorithm: Algorithm,
    pub standing: Standing,
}

/// Every officer with a token, and the institution with its electronic seal. The last two exist to be refused.
pub const OFFICERS: [Officer; 5] = [
    Officer {
        label: "officer-1",
        holder: "Amina Benjelloun",
        algorithm: Algorithm::P256,
        standing: Standing::Valid,
    },
    Officer {
        label: "officer-2",
        holder: "Youssef El Amrani",
        algorithm: Algorithm::Rsa3072,
        standing: Standing::Valid,
    },
    Officer {
        label: ELECTRONIC_SEAL,
        holder: "Wathiq demonstration civil registry",
        algorithm: Algorithm::P256,
        standing: Standing::Valid,
    },
    Officer {
        label: "officer-expired",
        holder: "Hassan Tazi",
        algorithm: Algorithm::P256,
        standing: Standing::Expired,
    },
    Officer {
        label: "officer-revoked",
        holder: "Salma Idrissi",
        algorithm: Algorithm::P256,
        standing: Standing::Revoked,
    },
];

/// The token of the institution's electronic seal.
pub const ELECTRONIC_SEAL: &str = "eseal-1";

/// Label of the key pair within each token.
pub const KEY_LABEL: &str = "seal";

impl Algorithm {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::Rsa3072 => "RSA-3072",
        }
    }
}

impl Standing {
    /// As it stands in the stack's description.
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// Creates the store and the tokens that do not exist yet.
///
/// # Errors
/// When SoftHSM2 is not installed or refuses a token or a key.
pub async fn prepare(around: &Surroundings<'_>) -> Result<()> {
    let store = store(around);
    let tokens = store.join("tokens");
    std::fs::create_dir_all(&tokens)?;
    let configuration = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        tokens.display()
    );
    secrets::write_private(&configuration_file(around), configuration)?;
    let security_officer = secrets::kept(&around.layout.secrets().join("softhsm-so"), secrets::random_pin)?;
    for officer in OFFICERS {
        let public = public_key_file(around, &officer);
        if !public.is_file() {
            // Half a token of a start that was cut off; mostly there is none.
            let _none = tool(
                &configuration_file(around),
                &["--delete-token", "--token", officer.label],
            )
            .await;
            let der = create_token(around, &officer, &security_officer).await?;
            // Written last: its presence says that the token is whole.
            secrets::write_private(&public, pem("PUBLIC KEY", &der))?;
        }
    }
    Ok(())
}

/// Module, configuration and tokens with their PINs.
///
/// # Errors
/// When the module is not installed or a PIN cannot be read.
pub fn describe(around: &Surroundings<'_>, certificate: impl Fn(&Officer) -> PathBuf) -> Result<SoftHsm> {
    let tokens = OFFICERS
        .iter()
        .map(|officer| {
            Ok(Token {
                label: officer.label.into(),
                pin: pin(around, officer)?,
                key_label: KEY_LABEL.into(),
                algorithm: officer.algorithm.name().into(),
                standing: officer.standing.name().into(),
                holder: officer.holder.into(),
                certificate: certificate(officer),
            })
        })
        .collect::<Result<_>>()?;
    Ok(SoftHsm {
        module: module()?,
        conf: configuration_file(around),
        tokens,
    })
}

/// Where the PIN of a token stands.
pub fn pin_file(around: &Surroundings<'_>, label: &str) -> PathBuf {
    around.layout.secrets().join(format!("pin-{label}"))
}

/// Where the public key of an officer stands, for the trust service.
pub fn public_key_file(around: &Surroundings<'_>, officer: &Officer) -> PathBuf {
    store(around).join(format!("{}.public.pem", officer.label))
}

fn store(around: &Surroundings<'_>) -> PathBuf {
    around.layout.data().join("softhsm")
}

fn configuration_file(around: &Surroundings<'_>) -> PathBuf {
    store(around).join("softhsm2.conf")
}

fn pin(around: &Surroundings<'_>, officer: &Officer) -> Result<String> {
    secrets::kept(&pin_file(around, officer.label), secrets::random_pin)
}

/// Debian's path of the module, by architecture.
fn module() -> Result<PathBuf> {
    let candidates = ["/usr/lib/softhsm/libsofthsm2.so".to_owned()]
        .into_iter()
        .chain([format!(
            "/usr/lib/{}-linux-gnu/softhsm/libsofthsm2.so",
            std::env::consts::ARCH
        )]);
    candidates
        .map(PathBuf::from)
        .find(|path| path.is_file())
        .context("SoftHSM2 is not installed")
}

async fn create_token(
    around: &Surroundings<'_>,
    officer: &Officer,
    security_officer: &str,
) -> Result<Vec<u8>> {
    let pair = match officer.algorithm {
        Algorithm::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        Algorithm::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072)?,
    };
    let pin = pin(around, officer)?;
    let key = store(around).join(format!("{}.key", officer.label));
    secrets::write_private(&key, pair.serialize_pem())?;
    let made = import(&configuration_file(around), officer, security_officer, &pin, &key).await;
    // The file must not outlive the import, however that went.
    std::fs::remove_file(&key)?;
    made?;
    Ok(pair.subject_public_key_info())
}

async fn import(
    configuration: &Path,
    officer: &Officer,
    security_officer: &str,
    pin: &str,
    key: &Path,
) -> Result<()> {
    tool(
        configuration,
        &[
            "--init-token",
            "--free",
            "--label",
            officer.label,
            "--so-pin",
            security_officer,
            "--pin",
            pin,
        ],
    )
    .await?;
    let key = key.to_str().context("the state folder's name is not UTF-8")?;
    tool(
        configuration,
        &[
            "--import",
            key,
            "--token",
            officer.label,
            "--label",
            KEY_LABEL,
            "--id",
            "01",
            "--pin",
            pin,
        ],
    )
    .await
}

async fn tool(configuration: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("softhsm2-util")
        .args(arguments)
        .env("SOFTHSM2_CONF", configuration)
        .output()
        .await
        .context("SoftHSM2 is not installed")?;
    if !output.status.success() {
        bail!(
            "softhsm2-util {} failed: {}",
            arguments[0],
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// RFC 7468 armour.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let encoded = data_encoding::BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.extend(line.iter().map(|&byte| char::from(byte)));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
