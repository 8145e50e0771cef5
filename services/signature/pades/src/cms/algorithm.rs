use const_oid::db::rfc5912;
use serde::{Deserialize, Serialize};

use super::CmsError;
use crate::asn1::{self, INTEGER, NULL, SEQUENCE, context};
use crate::certificate::Certificate;
use crate::keys::{self, KeyKind};

/// Signature algorithms of seals. All digest with SHA-256, as the file itself is digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaPkcs1Sha256,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    RsaPssSha256,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-256.
    EcdsaP384Sha256,
}

impl Algorithm {
    /// The algorithm that fits the key of a certificate; PKCS#1 v1.5 for RSA.
    ///
    /// # Errors
    /// [`CmsError::UnsupportedKey`] for other keys.
    pub fn for_certificate(certificate: &Certificate) -> Result<Self, CmsError> {
        match keys::public_key(certificate.public_key_info()).map(|(kind, _)| kind) {
            Some(KeyKind::Rsa) => Ok(Self::RsaPkcs1Sha256),
            Some(KeyKind::P256) => Ok(Self::EcdsaP256Sha256),
            Some(KeyKind::P384) => Ok(Self::EcdsaP384Sha256),
            _ => Err(CmsError::UnsupportedKey),
        }
    }

    /// Whether the value is an ECDSA one, which PKCS#11 gives as r‖s and CMS wants as DER.
    pub fn is_ecdsa(self) -> bool {
        matches!(self, Self::EcdsaP256Sha256 | Self::EcdsaP384Sha256)
    }

    /// The encoded AlgorithmIdentifier.
    pub(crate) fn identifier(self) -> Vec<u8> {
        let null = asn1::encode(NULL, &[]);
        match self {
            // PKCS#1 identifiers carry NULL (RFC 4055, 5), ECDSA ones nothing (RFC 5758, 3.2).
            Self::RsaPkcs1Sha256 => {
                let oid = asn1::encode_oid(&rfc5912::SHA_256_WITH_RSA_ENCRYPTION);
                asn1::constructed(SEQUENCE, &[&oid, &null])
            }
            Self::EcdsaP256Sha256 | Self::EcdsaP384Sha256 => {
                asn1::constructed(SEQUENCE, &[&asn1::encode_oid(&rfc5912::ECDSA_WITH_SHA_256)])
            }
            Self::RsaPssSha256 => {
                let sha256 = asn1::constructed(SEQUENCE, &[&asn1::encode_oid(&rfc5912::ID_SHA_256), &null]);
                let mask = asn1::constructed(SEQUENCE, &[&asn1::encode_oid(&rfc5912::ID_MGF_1), &sha256]);
                let salt = asn1::encode(INTEGER, &[32]);
                let fields = [(0, &sha256), (1, &mask), (2, &salt)];
                let fields = fields
                    .map(|(number, field)| asn1::encode(context(number), field))
                    .concat();
                let parameters = asn1::encode(SEQUENCE, &fields);
                let oid = asn1::encode_oid(&rfc5912::ID_RSASSA_PSS);
                asn1::constructed(SEQUENCE, &[&oid, &parameters])
            }
        }
    }
}

/// The DER form of an ECDSA value given as r‖s, both of equal length.
///
/// # Errors
/// [`CmsError::BadEcdsaValue`] if it has no two halves.
pub fn ecdsa_der(value: &[u8]) -> Result<Vec<u8>, CmsError> {
    if value.is_empty() || !value.len().is_multiple_of(2) {
        return Err(CmsError::BadEcdsaValue);
    }
    let (r, s) = value.split_at(value.len() / 2);
    Ok(asn1::constructed(
        SEQUENCE,
        &[&asn1::encode_unsigned(r), &asn1::encode_unsigned(s)],
    ))
}
