//! Checking signature values under public keys.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use thiserror::Error;

use crate::asn1::{Tlv, context};

/// Why a signature value was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum KeyError {
    /// The algorithm, or the kind of key, is unknown or no longer accepted.
    #[error("the signature algorithm is not supported")]
    Unsupported,
    /// The value does not belong to this key and message.
    #[error("the signature value is wrong")]
    Wrong,
}

/// Digest algorithms that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn from_oid(oid: &ObjectIdentifier) -> Option<Self> {
        match *oid {
            rfc5912::ID_SHA_256 => Some(Self::Sha256),
            rfc5912::ID_SHA_384 => Some(Self::Sha384),
            rfc5912::ID_SHA_512 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The digest of parts laid end to end.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &aws_lc_rs::digest::SHA256,
            Self::Sha384 => &aws_lc_rs::digest::SHA384,
            Self::Sha512 => &aws_lc_rs::digest::SHA512,
        };
        let mut context = aws_lc_rs::digest::Context::new(algorithm);
        parts.iter().for_each(|part| context.update(part));
        context.finish().as_ref().to_vec()
    }
}

/// SHA-256 of parts laid end to end.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// The kinds of public key that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

/// The kind of a SubjectPublicKeyInfo and the bits of its key.
pub(crate) fn public_key(info: &[u8]) -> Option<(KeyKind, &[u8])> {
    let parts = Tlv::whole(info)?.children()?;
    let [algorithm, key] = parts.as_slice() else {
        return None;
    };
    let algorithm = algorithm.children()?;
    let kind = match algorithm.first()?.oid()? {
        rfc5912::RSA_ENCRYPTION | rfc5912::ID_RSASSA_PSS => KeyKind::Rsa,
        rfc8410::ID_ED_25519 => KeyKind::Ed25519,
        rfc5912::ID_EC_PUBLIC_KEY => match algorithm.get(1)?.oid()? {
            rfc5912::SECP_256_R_1 => KeyKind::P256,
            rfc5912::SECP_384_R_1 => KeyKind::P384,
            rfc5912::SECP_521_R_1 => KeyKind::P521,
            _ => return None,
        },
        _ => return None,
    };
    Some((kind, key.bits()?))
}

/// Checks a signature value.
///
/// `algorithm` is an encoded AlgorithmIdentifier; `digest` the digest algorithm named beside it, for
/// identifiers that name none themselves (`rsaEncryption` in CMS).
pub(crate) fn verify(
    key_info: &[u8],
    algorithm: &[u8],
    digest: Option<Hash>,
    message: &[u8],
    value: &[u8],
) -> Result<(), KeyError> {
    let (kind, bits) = public_key(key_info).ok_or(KeyError::Unsupported)?;
    let verifier = verifier(kind, algorithm, digest).ok_or(KeyError::Unsupported)?;
    UnparsedPublicKey::new(verifier, bits)
        .verify(message, value)
        .map_err(|_| KeyError::Wrong)
}

fn verifier(
    kind: KeyKind,
    algorithm: &[u8],
    digest: Option<Hash>,
) -> Option<&'static dyn VerificationAlgorithm> {
    let parts = Tlv::whole(algorithm)?.children()?;
    let oid = parts.first()?.oid()?;
    if kind == KeyKind::Ed25519 {
        return (oid == rfc8410::ID_ED_25519).then_some(&signature::ED25519 as &dyn VerificationAlgorithm);
    }
    let (pss, hash) = match oid {
        rfc5912::RSA_ENCRYPTION => (false, digest?),
        rfc5912::SHA_256_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_256 => (false, Hash::Sha256),
        rfc5912::SHA_384_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_384 => (false, Hash::Sha384),
        rfc5912::SHA_512_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_512 => (false, Hash::Sha512),
        rfc5912::ID_EC_PUBLIC_KEY => (false, digest?),
        rfc5912::ID_RSASSA_PSS => (true, pss_hash(parts.get(1)?)?),
        _ => return None,
    };
    let ecdsa = matches!(oid, rfc5912::ECDSA_WITH_SHA_256 | rfc5912::ECDSA_WITH_SHA_384)
        || matches!(oid, rfc5912::ECDSA_WITH_SHA_512 | rfc5912::ID_EC_PUBLIC_KEY);
    if ecdsa == (kind == KeyKind::Rsa) {
        return None;
    }
    Some(match (kind, hash, pss) {
        (KeyKind::Rsa, Hash::Sha256, false) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (KeyKind::Rsa, Hash::Sha384, false) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa, Hash::Sha512, false) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (KeyKind::Rsa, Hash::Sha256, true) => &signature::RSA_PSS_2048_8192_SHA256,
        (KeyKind::Rsa, Hash::Sha384, true) => &signature::RSA_PSS_2048_8192_SHA384,
        (KeyKind::Rsa, Hash::Sha512, true) => &signature::RSA_PSS_2048_8192_SHA512,
        (KeyKind::P256, Hash::Sha256, _) => &signature::ECDSA_P256_SHA256_ASN1,
        (KeyKind::P256, Hash::Sha384, _) => &signature::ECDSA_P256_SHA384_ASN1,
        (KeyKind::P256, Hash::Sha512, _) => &signature::ECDSA_P256_SHA512_ASN1,
        (KeyKind::P384, Hash::Sha256, _) => &signature::ECDSA_P384_SHA256_ASN1,
        (KeyKind::P384, Hash::Sha384, _) => &signature::ECDSA_P384_SHA384_ASN1,
        (KeyKind::P384, Hash::Sha512, _) => &signature::ECDSA_P384_SHA512_ASN1,
        (KeyKind::P521, Hash::Sha256, _) => &signature::ECDSA_P521_SHA256_ASN1,
        (KeyKind::P521, Hash::Sha384, _) => &signature::ECDSA_P521_SHA384_ASN1,
        (KeyKind::P521, Hash::Sha512, _) => &signature::ECDSA_P521_SHA512_ASN1,
        (KeyKind::Ed25519, _, _) => return None,
    })
}

/// The digest of RSASSA-PSS parameters (RFC 4055, 3.1); MGF1 must use the same.
fn pss_hash(parameters: &Tlv<'_>) -> Option<Hash> {
    let fields = parameters.children()?;
    let field = |number: u8| fields.iter().find(|field| field.tag == context(number));
    let digest = Tlv::whole(field(0)?.content)?.children()?.first()?.oid()?;
    let mask = Tlv::whole(field(1)?.content)?.children()?;
    let mask_digest = mask.get(1)?.children()?.first()?.oid()?;
    (digest == mask_digest).then(|| Hash::from_oid(&digest)).flatten()
}
