//! What a certificate must be, to stand behind seals.

use der::asn1::ObjectIdentifier;
use sha2::{Digest, Sha256};
use wathiq_pades::certificate::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::{KeyUsage, KeyUsages};

use crate::app::{App, AppError, revocation, seal_crypto};
use crate::domain::credential::KeyAlgorithm;
use crate::trust;

/// Certificates in a chain at most.
const MAX_CHAIN: usize = 5;
const FIELD: &str = "certificate_chain_pem";
/// surname and givenName (X.520).
const SURNAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.4");
const GIVEN_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.42");

/// An officer's certificate with its issuers.
pub(super) struct Checked {
    pub(super) certificate: Certificate,
    /// DER, in order, without the officer's own.
    pub(super) issuers: Vec<Vec<u8>>,
    pub(super) algorithm: KeyAlgorithm,
}

impl Checked {
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub(super) fn public_key_sha256(&self) -> [u8; 32] {
        Sha256::digest(self.certificate.public_key_info()).into()
    }

    /// The name of the holder: given name and surname where the certificate has both, else the common name.
    pub(super) fn holder(&self) -> String {
        let attribute = |kind: ObjectIdentifier| -> Option<String> {
            let subject = x509_cert::name::Name::from_der(self.certificate.subject()).ok()?;
            let found = subject.iter().find(|attribute| attribute.oid == kind)?;
            String::from_utf8(found.value.value().to_vec()).ok()
        };
        match (attribute(GIVEN_NAME), attribute(SURNAME)) {
            (Some(given), Some(surname)) => format!("{given} {surname}"),
            _ => self.certificate.common_name(),
        }
    }

    /// Whether a token's public key, its modulus or encoded point, is the certificate's.
    pub(super) fn is_key(&self, shown: &[u8]) -> bool {
        let certificate = x509_cert::Certificate::from_der(self.certificate.der()).ok();
        let bits = certificate.and_then(|certificate| {
            let info = certificate.tbs_certificate().subject_public_key_info();
            info.subject_public_key.as_bytes().map(<[u8]>::to_vec)
        });
        let Some(bits) = bits else { return false };
        match self.algorithm {
            KeyAlgorithm::RsaSha256 => {
                modulus(&bits).is_some_and(|modulus| !modulus.is_empty() && modulus == without_zeros(shown))
            }
            KeyAlgorithm::EcdsaP256Sha256 | KeyAlgorithm::EcdsaP384Sha256 => bits == shown,
        }
    }
}

/// Reads a chain in PEM, the officer's certificate first, and checks it as far as to a trust anchor.
///
/// # Errors
/// [`AppError`] naming what is wrong.
pub(super) fn check(app: &App, chain_pem: &str) -> Result<Checked, AppError> {
    let unreadable = || {
        let text = "must be PEM certificates, the officer's first";
        AppError::invalid(FIELD, "CHAIN_UNREADABLE", text)
    };
    let mut chain = trust::certificates_of_pem(chain_pem).ok_or_else(unreadable)?;
    if chain.len() > MAX_CHAIN {
        let text = "must have at most 5 certificates";
        return Err(AppError::invalid(FIELD, "CHAIN_TOO_LONG", text));
    }
    let issuers = chain.split_off(1);
    let der = chain.pop().ok_or_else(unreadable)?;
    let certificate = Certificate::from_der(&der).map_err(|_| unreadable())?;
    check_order(&certificate, &issuers)?;
    if !is_for_signatures(&der) {
        let text = "the certificate must be for digital signatures or content commitment";
        return Err(AppError::invalid(FIELD, "CERTIFICATE_USAGE", text));
    }
    let algorithm = seal_crypto::key_algorithm(&certificate)
        .ok_or_else(|| AppError::invalid(FIELD, "KEY_UNSUPPORTED", "the key must be RSA, P-256 or P-384"))?;
    if certificate.not_after() <= app.ambient.now() {
        return Err(AppError::refused(
            "CREDENTIAL_EXPIRED",
            "signing_credential",
            "the certificate has expired",
        ));
    }
    revocation::chain_of(app, &der, &issuers)?;
    Ok(Checked {
        certificate,
        issuers,
        algorithm,
    })
}

fn check_order(certificate: &Certificate, issuers: &[Vec<u8>]) -> Result<(), AppError> {
    let mut below = certificate.clone();
    for issuer in issuers {
        let issuer = Certificate::from_der(issuer).map_err(|_| {
            AppError::invalid(
                FIELD,
                "CHAIN_UNREADABLE",
                "an issuer's certificate cannot be read",
            )
        })?;
        if below.issuer() != issuer.subject() {
            let text = "each certificate must be issued by the next";
            return Err(AppError::invalid(FIELD, "CHAIN_BROKEN", text));
        }
        below = issuer;
    }
    Ok(())
}

/// RFC 5280, 4.2.1.3: a certificate without the extension is not restricted.
fn is_for_signatures(der: &[u8]) -> bool {
    let Ok(certificate) = x509_cert::Certificate::from_der(der) else {
        return false;
    };
    match certificate.tbs_certificate().get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) => {
            usage.0.contains(KeyUsages::DigitalSignature) || usage.0.contains(KeyUsages::NonRepudiation)
        }
        Ok(None) => true,
        Err(_) => false,
    }
}

/// The modulus of an RSAPublicKey (RFC 8017, A.1.1).
fn modulus(bits: &[u8]) -> Option<Vec<u8>> {
    #[derive(der::Sequence)]
    struct RsaPublicKey<'a> {
        modulus: der::asn1::UintRef<'a>,
        public_exponent: der::asn1::UintRef<'a>,
    }
    let key = RsaPublicKey::from_der(bits).ok()?;
    Some(without_zeros(key.modulus.as_bytes()).to_vec())
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let first = number.iter().position(|byte| *byte != 0);
    &number[first.unwrap_or(number.len())..]
}
