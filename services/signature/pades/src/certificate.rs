//! An X.509 certificate, kept byte for byte.

use chrono::{DateTime, Utc};
use const_oid::ObjectIdentifier;
use der::Decode as _;
use der::oid::AssociatedOid;
use thiserror::Error;
use x509_cert::name::Name;

use crate::asn1::{Tlv, context};

/// Bytes that are not a certificate of RFC 5280.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the certificate cannot be read")]
pub struct BadCertificate;

/// A certificate with its parts as they are encoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    tbs: Vec<u8>,
    serial: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    key: Vec<u8>,
    signature_algorithm: Vec<u8>,
    signature: Vec<u8>,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    extensions: Vec<Extension>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) id: ObjectIdentifier,
    pub(crate) critical: bool,
    pub(crate) value: Vec<u8>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Certificate")
            .field("subject", &self.subject_text())
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// Takes a DER certificate apart.
    ///
    /// # Errors
    /// [`BadCertificate`] for anything else.
    pub fn from_der(der: &[u8]) -> Result<Self, BadCertificate> {
        Self::parse(der).ok_or(BadCertificate)
    }

    fn parse(der: &[u8]) -> Option<Self> {
        let outer = Tlv::whole(der)?.children()?;
        let [tbs, algorithm, signature] = outer.as_slice() else {
            return None;
        };
        let all = tbs.children()?;
        // The version comes first; version 1 leaves it out.
        let fields = if all.first()?.tag == context(0) {
            &all[1..]
        } else {
            &all
        };
        let [serial, inner_algorithm, issuer, validity, subject, key, rest @ ..] = fields else {
            return None;
        };
        // RFC 5280, 4.1.1.2: both algorithm fields must agree.
        if inner_algorithm.raw != algorithm.raw {
            return None;
        }
        let times = validity.children()?;
        let [not_before, not_after] = times.as_slice() else {
            return None;
        };
        let extensions = match rest.iter().find(|field| field.tag == context(3)) {
            Some(extensions) => read_extensions(extensions)?,
            None => Vec::new(),
        };
        Some(Self {
            der: der.to_vec(),
            tbs: tbs.raw.to_vec(),
            serial: serial.raw.to_vec(),
            issuer: issuer.raw.to_vec(),
            subject: subject.raw.to_vec(),
            key: key.raw.to_vec(),
            signature_algorithm: algorithm.raw.to_vec(),
            signature: signature.bits()?.to_vec(),
            not_before: not_before.time()?,
            not_after: not_after.time()?,
            extensions,
        })
    }

    /// The whole certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The signed part.
    pub(crate) fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The serial number as an encoded INTEGER.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The issuer's name as encoded.
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// The subject's name as encoded.
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// The SubjectPublicKeyInfo as encoded.
    pub fn public_key_info(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn signature_algorithm(&self) -> &[u8] {
        &self.signature_algorithm
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Start of validity.
    pub fn not_before(&self) -> DateTime<Utc> {
        self.not_before
    }

    /// End of validity.
    pub fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }

    /// Whether the certificate is valid at a time.
    pub fn is_valid_at(&self, at: DateTime<Utc>) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// The subject as text of RFC 4514.
    pub fn subject_text(&self) -> String {
        name_text(&self.subject)
    }

    /// The issuer as text of RFC 4514.
    pub fn issuer_text(&self) -> String {
        name_text(&self.issuer)
    }

    /// The common name of the subject, or the whole name if it has none.
    pub fn common_name(&self) -> String {
        common_name(&self.subject).unwrap_or_else(|| self.subject_text())
    }

    pub(crate) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// An extension decoded, with whether it is critical; `Err` if it is there twice or cannot be read.
    pub(crate) fn extension<T>(&self) -> Result<Option<(bool, T)>, BadCertificate>
    where
        T: AssociatedOid + for<'d> der::Decode<'d>,
    {
        let mut found = self.extensions.iter().filter(|extension| extension.id == T::OID);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(extension), None) => {
                let value = T::from_der(&extension.value).map_err(|_| BadCertificate)?;
                Ok(Some((extension.critical, value)))
            }
            (Some(_), Some(_)) => Err(BadCertificate),
        }
    }
}

fn read_extensions(wrapped: &Tlv<'_>) -> Option<Vec<Extension>> {
    let list = Tlv::whole(wrapped.content)?.children()?;
    list.iter()
        .map(|extension| {
            let parts = extension.children()?;
            let (id, critical, value) = match parts.as_slice() {
                [id, value] => (id, false, value),
                [id, critical, value] => (id, critical.content == [0xff], value),
                _ => return None,
            };
            Some(Extension {
                id: id.oid()?,
                critical,
                value: value.octets()?,
            })
        })
        .collect()
}

/// A name as text of RFC 4514; empty if it cannot be read.
pub(crate) fn name_text(encoded: &[u8]) -> String {
    Name::from_der(encoded)
        .map(|name| name.to_string())
        .unwrap_or_default()
}

fn common_name(encoded: &[u8]) -> Option<String> {
    let relative = Tlv::whole(encoded)?.children()?;
    let attributes = relative.iter().filter_map(Tlv::children).flatten();
    let mut names = attributes.filter_map(|attribute| {
        let parts = attribute.children()?;
        let [kind, value] = parts.as_slice() else {
            return None;
        };
        (kind.oid()? == const_oid::db::rfc4519::CN)
            .then(|| directory_string(value))
            .flatten()
    });
    names.next()
}

/// UTF8String, PrintableString, IA5String, T61String (as Latin-1) and BMPString.
fn directory_string(value: &Tlv<'_>) -> Option<String> {
    match value.tag {
        0x0c | 0x13 | 0x16 => String::from_utf8(value.content.to_vec()).ok(),
        0x14 => Some(value.content.iter().map(|byte| char::from(*byte)).collect()),
        0x1e => {
            let units: Vec<u16> = value
                .content
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}
