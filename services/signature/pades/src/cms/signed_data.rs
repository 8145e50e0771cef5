use const_oid::ObjectIdentifier;

use super::oids;
use crate::asn1::{SEQUENCE, SET, Tlv, context, context_primitive};
use crate::certificate::Certificate;
use crate::keys::{self, Hash, KeyError};

/// A SignedData taken apart (RFC 5652, 5.1).
#[derive(Debug)]
pub(crate) struct SignedData<'a> {
    /// The SignedData itself.
    pub(crate) value: Tlv<'a>,
    pub(crate) content_type: ObjectIdentifier,
    pub(crate) content: Option<Vec<u8>>,
    /// Encoded certificates; other choices are left out.
    pub(crate) certificates: Vec<&'a [u8]>,
    pub(crate) signers: Vec<SignerInfo<'a>>,
}

/// One SignerInfo (RFC 5652, 5.3).
#[derive(Debug)]
pub(crate) struct SignerInfo<'a> {
    pub(crate) value: Tlv<'a>,
    identifier: Tlv<'a>,
    digest_algorithm: ObjectIdentifier,
    signed: Option<Tlv<'a>>,
    signature_algorithm: &'a [u8],
    pub(crate) signature: Vec<u8>,
    pub(crate) unsigned: Vec<Tlv<'a>>,
}

/// What is wrong with a signer's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignerFault {
    /// An attribute that must be there once is missing, repeated or malformed.
    Format,
    /// The message digest does not agree.
    Digest,
    /// The signature value does not agree, or the signing-certificate attribute names another certificate.
    Value,
    /// An algorithm is not supported.
    Unsupported,
}

impl<'a> SignedData<'a> {
    /// Reads a ContentInfo; zeros behind it, as PDF pads, are ignored.
    pub(crate) fn parse(encoded: &'a [u8]) -> Option<Self> {
        let (outer, padding) = Tlv::read(encoded)?;
        if padding.iter().any(|byte| *byte != 0) {
            return None;
        }
        let parts = outer.tagged(SEQUENCE)?.children()?;
        let [kind, wrapped] = parts.as_slice() else {
            return None;
        };
        if kind.oid()? != oids::ID_SIGNED_DATA {
            return None;
        }
        let value = *wrapped.tagged(context(0))?.children()?.first()?;
        Self::fields(value)
    }

    fn fields(value: Tlv<'a>) -> Option<Self> {
        let fields = value.tagged(SEQUENCE)?.children()?;
        let [_version, _digests, content, rest @ ..] = fields.as_slice() else {
            return None;
        };
        let parts = content.children()?;
        let (kind, inner) = parts.split_first()?;
        let content = match inner.first() {
            Some(wrapped) => Some(wrapped.tagged(context(0))?.children()?.first()?.octets()?),
            None => None,
        };
        let certificates = match rest.iter().find(|field| field.tag == context(0)) {
            Some(set) => set
                .children()?
                .iter()
                .filter(|item| item.tag == SEQUENCE)
                .map(|item| item.raw)
                .collect(),
            None => Vec::new(),
        };
        let signers = rest
            .last()?
            .tagged(SET)?
            .children()?
            .into_iter()
            .map(SignerInfo::parse)
            .collect::<Option<_>>()?;
        Some(Self {
            value,
            content_type: kind.oid()?,
            content,
            certificates,
            signers,
        })
    }

    /// The certificates that can be read.
    pub(crate) fn parsed_certificates(&self) -> Vec<Certificate> {
        self.certificates
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect()
    }
}

impl<'a> SignerInfo<'a> {
    fn parse(value: Tlv<'a>) -> Option<Self> {
        let fields = value.tagged(SEQUENCE)?.children()?;
        let [_version, identifier, digest, rest @ ..] = fields.as_slice() else {
            return None;
        };
        let (signed, rest) = match rest {
            [signed, rest @ ..] if signed.tag == context(0) => (Some(*signed), rest),
            _ => (None, rest),
        };
        let [algorithm, signature, rest @ ..] = rest else {
            return None;
        };
        let unsigned = match rest {
            [] => Vec::new(),
            [unsigned] => unsigned.tagged(context(1))?.children()?,
            _ => return None,
        };
        Some(Self {
            value,
            identifier: *identifier,
            digest_algorithm: digest.children()?.first()?.oid()?,
            signed,
            signature_algorithm: algorithm.raw,
            signature: signature.octets()?,
            unsigned,
        })
    }

    /// The digest algorithm, if it is accepted.
    pub(crate) fn hash(&self) -> Option<Hash> {
        Hash::from_oid(&self.digest_algorithm)
    }

    /// Whether the signer identifier names this certificate.
    pub(crate) fn names(&self, certificate: &Certificate) -> bool {
        if self.identifier.tag == context_primitive(0) {
            let key_id = certificate.extension::<x509_cert::ext::pkix::SubjectKeyIdentifier>();
            return matches!(key_id, Ok(Some((_, id))) if id.0.as_bytes() == self.identifier.content);
        }
        let parts = self.identifier.children().unwrap_or_default();
        matches!(parts.as_slice(), [issuer, serial]
            if issuer.raw == certificate.issuer() && serial.raw == certificate.serial())
    }

    /// The only value of a signed attribute; `Err` if it is there more than once.
    pub(crate) fn signed_attribute(&self, oid: &ObjectIdentifier) -> Result<Option<Tlv<'a>>, SignerFault> {
        let attributes = self
            .signed
            .and_then(|signed| signed.children())
            .unwrap_or_default();
        let mut values = attributes
            .iter()
            .filter_map(|attribute| attribute_values(attribute, oid));
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(values), None) => match values.as_slice() {
                [value] => Ok(Some(*value)),
                _ => Err(SignerFault::Format),
            },
            (Some(_), Some(_)) => Err(SignerFault::Format),
        }
    }

    /// All values of an unsigned attribute.
    pub(crate) fn unsigned_attribute(&self, oid: &ObjectIdentifier) -> Vec<Tlv<'a>> {
        self.unsigned
            .iter()
            .filter_map(|attribute| attribute_values(attribute, oid))
            .flatten()
            .collect()
    }

    /// Checks digest, attributes and value for content of a type (RFC 5652, 5.6; RFC 5035).
    pub(crate) fn verify(
        &self,
        certificate: &Certificate,
        content_type: &ObjectIdentifier,
        content_digest: &[u8],
    ) -> Result<(), SignerFault> {
        let hash = self.hash().ok_or(SignerFault::Unsupported)?;
        let signed = self.signed.ok_or(SignerFault::Format)?;
        let kind = self
            .signed_attribute(&oids::ID_CONTENT_TYPE)?
            .ok_or(SignerFault::Format)?;
        if kind.oid() != Some(*content_type) {
            return Err(SignerFault::Format);
        }
        let digest = self
            .signed_attribute(&oids::ID_MESSAGE_DIGEST)?
            .ok_or(SignerFault::Format)?;
        if digest.octets().as_deref() != Some(content_digest) {
            return Err(SignerFault::Digest);
        }
        let mut message = signed.raw.to_vec();
        message[0] = SET;
        let key = certificate.public_key_info();
        match keys::verify(
            key,
            self.signature_algorithm,
            Some(hash),
            &message,
            &self.signature,
        ) {
            Ok(()) => Ok(()),
            Err(KeyError::Wrong) => Err(SignerFault::Value),
            Err(KeyError::Unsupported) => Err(SignerFault::Unsupported),
        }
    }

    /// Whether signing-certificate-v2 is there once and names the certificate.
    ///
    /// `Ok(false)` if it is absent, `Err` if it is malformed or names another.
    pub(crate) fn binds(&self, certificate: &Certificate) -> Result<bool, SignerFault> {
        let Some(value) = self.signed_attribute(&oids::SIGNING_CERTIFICATE_V2)? else {
            return self.binds_sha1(certificate);
        };
        let (hash, digest) = first_certificate_id(&value).ok_or(SignerFault::Format)?;
        if hash.digest(&[certificate.der()]) == digest {
            Ok(true)
        } else {
            Err(SignerFault::Value)
        }
    }

    /// The first version of the attribute, with SHA-1, as older time-stamping authorities write it.
    fn binds_sha1(&self, certificate: &Certificate) -> Result<bool, SignerFault> {
        let Some(value) = self.signed_attribute(&oids::SIGNING_CERTIFICATE)? else {
            return Ok(false);
        };
        let first = (|| {
            Some(
                *value
                    .children()?
                    .first()?
                    .children()?
                    .first()?
                    .children()?
                    .first()?,
            )
        })();
        let written = first
            .and_then(|digest| digest.octets())
            .ok_or(SignerFault::Format)?;
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
        if digest.as_ref() == written {
            Ok(true)
        } else {
            Err(SignerFault::Value)
        }
    }
}

/// The values of an attribute if it has this type.
fn attribute_values<'a>(attribute: &Tlv<'a>, oid: &ObjectIdentifier) -> Option<Vec<Tlv<'a>>> {
    let parts = attribute.children()?;
    let [kind, values] = parts.as_slice() else {
        return None;
    };
    if kind.oid()? != *oid {
        None
    } else {
        values.tagged(SET)?.children()
    }
}

/// Digest algorithm and digest of the first ESSCertIDv2.
fn first_certificate_id(value: &Tlv<'_>) -> Option<(Hash, Vec<u8>)> {
    let identifiers = *value.children()?.first()?;
    let first = identifiers.children()?.first()?.children()?;
    match first.as_slice() {
        [algorithm, digest, ..] if algorithm.tag == SEQUENCE => Some((
            Hash::from_oid(&algorithm.children()?.first()?.oid()?)?,
            digest.octets()?,
        )),
        [digest, ..] => Some((Hash::Sha256, digest.octets()?)),
        [] => None,
    }
}
