use chrono::{DateTime, Utc};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::ID_KP_OCSP_SIGNING;
use const_oid::db::rfc5912::{ID_SHA_1, ID_SHA_256};
use x509_cert::ext::pkix::ExtendedKeyUsage;

use super::crl::{CERTIFICATE_HOLD, Revoked};
use crate::asn1::{
    self, ENUMERATED, GENERALIZED_TIME, NULL, OCTET_STRING, SEQUENCE, Tlv, context, context_primitive,
};
use crate::certificate::Certificate;
use crate::keys;

/// id-pkix-ocsp-nonce
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");

const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");

/// An OCSP answer taken apart (RFC 6960, 4.2.1).
pub(super) struct OcspResponse {
    signed: Vec<u8>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    certificates: Vec<Certificate>,
    produced_at: DateTime<Utc>,
    statuses: Vec<Status>,
    /// As encoded in the response, if there is one.
    nonce: Option<Vec<u8>>,
}

/// What is said of one certificate.
pub(super) struct Status {
    digest: ObjectIdentifier,
    name_hash: Vec<u8>,
    key_hash: Vec<u8>,
    serial: Vec<u8>,
    answer: Answer,
    on_hold: bool,
    pub(super) this_update: DateTime<Utc>,
    pub(super) next_update: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Good,
    Revoked(DateTime<Utc>),
    Unknown,
}

impl OcspResponse {
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let outer = Tlv::whole(der)?.children()?;
        let [status, wrapped] = outer.as_slice() else {
            return None;
        };
        let bytes = wrapped.tagged(context(0))?.children()?.first()?.children()?;
        let [kind, basic] = bytes.as_slice() else {
            return None;
        };
        if status.small()? != 0 || kind.oid()? != BASIC {
            return None;
        }
        let basic = basic.octets()?;
        let parts = Tlv::whole(&basic)?.children()?;
        let [signed, algorithm, signature, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let certificates = match rest.first().filter(|field| field.tag == context(0)) {
            Some(list) => Tlv::whole(list.content)?.children()?,
            None => Vec::new(),
        };
        let fields = signed.children()?;
        // version [0], responderID [1] or [2], producedAt, responses, extensions [1]
        let produced_at = fields
            .iter()
            .find(|field| field.tag == GENERALIZED_TIME)?
            .time()?;
        let responses = fields.iter().find(|field| field.tag == SEQUENCE)?.children()?;
        Some(Self {
            signed: signed.raw.to_vec(),
            algorithm: algorithm.raw.to_vec(),
            signature: signature.bits()?.to_vec(),
            certificates: certificates
                .iter()
                .filter_map(|c| Certificate::from_der(c.raw).ok())
                .collect(),
            produced_at,
            nonce: fields
                .iter()
                .find(|field| field.tag == context(1))
                .and_then(nonce),
            statuses: responses.iter().map(Status::parse).collect::<Option<_>>()?,
        })
    }

    /// The nonce that the answer repeats.
    pub(super) fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// What the answer says of a certificate, if the issuer or a responder it appointed signed it.
    pub(super) fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> Option<(&Status, Answer)> {
        let status = self
            .statuses
            .iter()
            .find(|status| status.is_about(certificate, issuer))?;
        self.is_signed(issuer).then_some((status, status.answer))
    }

    /// RFC 6960, 4.2.2.2: the issuer itself, or a certificate it issued for this purpose.
    fn is_signed(&self, issuer: &Certificate) -> bool {
        let by = |key: &Certificate| {
            keys::verify(
                key.public_key_info(),
                &self.algorithm,
                None,
                &self.signed,
                &self.signature,
            )
            .is_ok()
        };
        let appointed = |responder: &&Certificate| {
            let usage = responder.extension::<ExtendedKeyUsage>();
            responder.issuer() == issuer.subject()
                && responder.is_valid_at(self.produced_at)
                && matches!(usage, Ok(Some((_, usages))) if usages.0.contains(&ID_KP_OCSP_SIGNING))
                && super::chain::is_signed_by(responder, issuer)
        };
        by(issuer) || self.certificates.iter().filter(appointed).any(by)
    }
}

/// The value of the nonce in a list of extensions (RFC 8954).
fn nonce(wrapped: &Tlv<'_>) -> Option<Vec<u8>> {
    let extensions = Tlv::whole(wrapped.content)?.children()?;
    extensions.iter().find_map(|extension| {
        let parts = extension.children()?;
        (parts.first()?.oid()? == NONCE)
            .then(|| parts.last()?.octets())
            .flatten()
    })
}

/// Asks for one certificate, with a nonce (RFC 6960, 4.1.1; RFC 8954).
pub(super) fn request(certificate: &Certificate, issuer: &Certificate, nonce: &[u8]) -> Option<Vec<u8>> {
    let (_, key) = keys::public_key(issuer.public_key_info())?;
    // An identifier here, not a signature: SHA-1 is what every responder knows (RFC 6960, 4.3).
    let digest = |bytes: &[u8]| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        asn1::encode(OCTET_STRING, digest.as_ref())
    };
    let algorithm = asn1::constructed(
        SEQUENCE,
        &[&asn1::encode_oid(&ID_SHA_1), &asn1::encode(NULL, &[])],
    );
    let id = [
        algorithm.as_slice(),
        &digest(issuer.subject()),
        &digest(key),
        certificate.serial(),
    ];
    let single = asn1::constructed(SEQUENCE, &[&asn1::constructed(SEQUENCE, &id)]);
    let nonce = asn1::encode(OCTET_STRING, &asn1::encode(OCTET_STRING, nonce));
    let extension = asn1::constructed(SEQUENCE, &[&asn1::encode_oid(&NONCE), &nonce]);
    let extensions = asn1::constructed(context(2), &[&asn1::constructed(SEQUENCE, &[&extension])]);
    let tbs = asn1::constructed(SEQUENCE, &[&asn1::constructed(SEQUENCE, &[&single]), &extensions]);
    Some(asn1::constructed(SEQUENCE, &[&tbs]))
}

impl Status {
    fn parse(single: &Tlv<'_>) -> Option<Self> {
        let fields = single.children()?;
        let [id, answer_field, this_update, rest @ ..] = fields.as_slice() else {
            return None;
        };
        let id = id.children()?;
        let [digest, name_hash, key_hash, serial] = id.as_slice() else {
            return None;
        };
        let next_update = match rest.first().filter(|field| field.tag == context(0)) {
            Some(wrapped) => Some(Tlv::whole(wrapped.content)?.time()?),
            None => None,
        };
        let answer = match answer_field.tag {
            tag if tag == context_primitive(0) => Answer::Good,
            tag if tag == context(1) => Answer::Revoked(answer_field.children()?.first()?.time()?),
            _ => Answer::Unknown,
        };
        Some(Self {
            digest: digest.children()?.first()?.oid()?,
            name_hash: name_hash.octets()?,
            key_hash: key_hash.octets()?,
            serial: serial.raw.to_vec(),
            on_hold: is_on_hold(answer_field),
            answer,
            this_update: this_update.time()?,
            next_update,
        })
    }

    /// The revocation, if this is one.
    pub(super) fn revoked(&self) -> Option<Revoked> {
        match self.answer {
            Answer::Revoked(since) => Some(Revoked {
                since,
                on_hold: self.on_hold,
            }),
            Answer::Good | Answer::Unknown => None,
        }
    }

    fn is_about(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        let algorithm = match self.digest {
            // An identifier here, not a signature: SHA-1 is what responders use (RFC 6960, 4.3).
            ID_SHA_1 => &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY,
            ID_SHA_256 => &aws_lc_rs::digest::SHA256,
            _ => return false,
        };
        let hash = |bytes: &[u8]| aws_lc_rs::digest::digest(algorithm, bytes);
        let Some((_, key)) = keys::public_key(issuer.public_key_info()) else {
            return false;
        };
        self.serial == certificate.serial()
            && self.name_hash == hash(issuer.subject()).as_ref()
            && self.key_hash == hash(key).as_ref()
    }
}

/// RevokedInfo with the reason certificateHold.
fn is_on_hold(answer: &Tlv<'_>) -> bool {
    let reason = answer
        .children()
        .and_then(|fields| fields.into_iter().find(|field| field.tag == context(0)))
        .and_then(|wrapped| Tlv::whole(wrapped.content)?.tagged(ENUMERATED)?.small());
    answer.tag == context(1) && reason == Some(CERTIFICATE_HOLD)
}
