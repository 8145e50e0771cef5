use super::oids;
use crate::asn1::{self, OCTET_STRING, SEQUENCE, SET};
use crate::certificate::Certificate;
use crate::keys;

/// The signed attributes of a PAdES baseline signature: content-type, message-digest and
/// signing-certificate-v2, and no signing-time (EN 319 142-1, 6.3; the time is in `/M`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedAttributes {
    der: Vec<u8>,
}

impl SignedAttributes {
    /// The attributes over a file's digest, for a signer's certificate.
    pub fn new(digest: &[u8; 32], certificate: &Certificate) -> Self {
        let certificate_digest = keys::sha256(&[certificate.der()]);
        // ESSCertIDv2 with its default digest algorithm, SHA-256, and without issuerSerial (RFC 5035, 4).
        let hash = asn1::encode(OCTET_STRING, &certificate_digest);
        let identifiers = asn1::constructed(SEQUENCE, &[&asn1::constructed(SEQUENCE, &[&hash])]);
        let attributes = vec![
            attribute(
                &asn1::encode_oid(&oids::ID_CONTENT_TYPE),
                &asn1::encode_oid(&oids::ID_DATA),
            ),
            attribute(
                &asn1::encode_oid(&oids::ID_MESSAGE_DIGEST),
                &asn1::encode(OCTET_STRING, digest),
            ),
            attribute(
                &asn1::encode_oid(&oids::SIGNING_CERTIFICATE_V2),
                &asn1::constructed(SEQUENCE, &[&identifiers]),
            ),
        ];
        Self {
            der: asn1::set_of(SET, attributes),
        }
    }

    /// The bytes to be signed: the attributes as a SET OF (RFC 5652, 5.4).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of the bytes to be signed, for signers that are given a digest.
    pub fn digest(&self) -> [u8; 32] {
        keys::sha256(&[&self.der])
    }
}

fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    asn1::constructed(SEQUENCE, &[oid, &asn1::constructed(SET, &[value])])
}
