//! The demonstration authority behind mutual TLS, PostgreSQL, Kafka and SMTP: ECDSA P-256, one certificate a name.

use std::path::Path;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use crate::secrets;

/// The trust domain of every SPIFFE name here.
pub const TRUST_DOMAIN: &str = "wathiq.local";

/// Everyone who gets a certificate: our processes, the auditor, the local tools (`operator`), the parts that serve
/// TLS, and `stranger`, whom nobody knows.
pub const NAMES: [&str; 13] = [
    "identity",
    "signature",
    "notification",
    "payment",
    "postal-shipping",
    "civil-registry-order",
    "gateway",
    "auditor",
    "operator",
    "postgres",
    "kafka",
    "mail",
    "stranger",
];

/// An authority whose files stand in one folder.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The authority in `folder`, made on the first call together with a certificate for each of [`NAMES`].
    ///
    /// # Errors
    /// When a file cannot be read, parsed or written.
    pub fn open(folder: &Path) -> Result<Self> {
        let (certificate, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        if !certificate.is_file() {
            create(&certificate, &key)?;
        }
        let pair = KeyPair::from_pem(&std::fs::read_to_string(&key)?)?;
        // Name, key and key identifier are all that issuing takes from the authority's certificate.
        let authority = Self {
            issuer: Issuer::new(parameters()?, pair),
        };
        for name in NAMES {
            if !folder.join(format!("{name}.pem")).is_file() {
                authority.issue(folder, name)?;
            }
        }
        Ok(authority)
    }

    /// Writes `<name>.key` (PKCS#8) and `<name>.pem`: CN and SPIFFE URI carry the name, the host is loopback.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn issue(&self, folder: &Path, name: &str) -> Result<()> {
        let key = KeyPair::generate()?;
        let mut params = validity(
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?,
            2,
        );
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names.push(SanType::URI(
            format!("spiffe://{TRUST_DOMAIN}/{name}").try_into()?,
        ));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params
            .signed_by(&key, &self.issuer)
            .with_context(|| format!("certificate of {name}"))?;
        secrets::write_private(&folder.join(format!("{name}.key")), key.serialize_pem())?;
        secrets::write_private(&folder.join(format!("{name}.pem")), certificate.pem())
    }
}

fn create(certificate: &Path, key: &Path) -> Result<()> {
    let pair = KeyPair::generate()?;
    secrets::write_private(key, pair.serialize_pem())?;
    secrets::write_private(certificate, parameters()?.self_signed(&pair)?.pem())
}

fn parameters() -> Result<CertificateParams> {
    let mut params = validity(CertificateParams::new(Vec::<String>::new())?, 10);
    params
        .distinguished_name
        .push(DnType::CommonName, "Wathiq demonstration authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// rcgen's dates are of the `time` crate; its own helper spares the dependency.
fn validity(mut params: CertificateParams, years: i32) -> CertificateParams {
    use chrono::Datelike;
    let year = today().year();
    params.not_before = rcgen::date_time_ymd(year - 1, 1, 1);
    params.not_after = rcgen::date_time_ymd(year + years, 12, 31);
    params
}

/// The day on which a stack is made: only the validity of throw-away certificates depends on it.
pub(crate) fn today() -> chrono::NaiveDate {
    chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_last_until_the_folder_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        Authority::open(folder.path()).unwrap();
        let first = std::fs::read(folder.path().join("identity.pem")).unwrap();
        Authority::open(folder.path()).unwrap();
        assert_eq!(first, std::fs::read(folder.path().join("identity.pem")).unwrap());
        for name in NAMES {
            assert!(folder.path().join(format!("{name}.key")).is_file(), "{name}");
        }
    }
}
