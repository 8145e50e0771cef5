use chrono::{DateTime, Utc};
use const_oid::db::rfc5280::ID_KP_TIME_STAMPING;
use thiserror::Error;
use x509_cert::ext::pkix::ExtendedKeyUsage;

use super::oids;
use super::signed_data::{SignedData, SignerFault};
use crate::asn1::{self, BOOLEAN, GENERALIZED_TIME, INTEGER, NULL, OCTET_STRING, SEQUENCE, Tlv};
use crate::certificate::Certificate;
use crate::keys::Hash;

/// A time-stamp token whose signature has been checked, byte for byte as the authority made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampToken {
    der: Vec<u8>,
    time: DateTime<Utc>,
    authority: Certificate,
}

impl TimestampToken {
    /// The token.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// When the authority saw the imprint.
    pub fn time(&self) -> DateTime<Utc> {
        self.time
    }

    /// The certificate of the authority.
    pub fn authority(&self) -> &Certificate {
        &self.authority
    }
}

/// Why a time-stamp is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TimestampError {
    /// The bytes are not what RFC 3161 describes.
    #[error("the time-stamp cannot be read")]
    Malformed,
    /// The authority refused.
    #[error("the time-stamping authority refused with status {0}")]
    NotGranted(u64),
    /// The token is over other data.
    #[error("the time-stamp is over other data")]
    WrongImprint,
    /// The token answers another request.
    #[error("the time-stamp answers another request")]
    WrongNonce,
    /// The token does not hold the certificate of its signer.
    #[error("the certificate of the time-stamping authority is missing")]
    NoCertificate,
    /// The certificate is not for time-stamping alone (RFC 3161, 2.3).
    #[error("the certificate of the time-stamping authority has no critical time-stamping usage")]
    WrongUsage,
    /// The signature of the token is wrong.
    #[error("the signature of the time-stamp is wrong")]
    WrongSignature,
}

/// A request over SHA-256 with a nonce, that asks for the authority's certificate (RFC 3161, 2.4.1).
pub fn timestamp_request(imprint: &[u8; 32], nonce: u64) -> Vec<u8> {
    let algorithm = asn1::constructed(
        SEQUENCE,
        &[&asn1::encode_oid(&oids::ID_SHA_256), &asn1::encode(NULL, &[])],
    );
    let imprint = asn1::constructed(SEQUENCE, &[&algorithm, &asn1::encode(OCTET_STRING, imprint)]);
    let version = asn1::encode(INTEGER, &[1]);
    let nonce = asn1::encode_unsigned(&nonce.to_be_bytes());
    asn1::constructed(
        SEQUENCE,
        &[&version, &imprint, &nonce, &asn1::encode(BOOLEAN, &[0xff])],
    )
}

/// Reads the answer to [`timestamp_request`] and checks status, nonce, imprint, usage and signature.
///
/// Whether the authority is trusted is for [`crate::verify`] to say.
///
/// # Errors
/// See [`TimestampError`].
pub fn parse_timestamp_response(
    response: &[u8],
    imprint: &[u8; 32],
    nonce: u64,
) -> Result<TimestampToken, TimestampError> {
    let parts = Tlv::whole(response)
        .and_then(|outer| outer.children())
        .ok_or(TimestampError::Malformed)?;
    let (status, token) = parts.split_first().ok_or(TimestampError::Malformed)?;
    let status = status
        .children()
        .and_then(|status| status.first()?.small())
        .ok_or(TimestampError::Malformed)?;
    // granted, grantedWithMods
    if status > 1 {
        return Err(TimestampError::NotGranted(status));
    }
    let token = token.first().ok_or(TimestampError::Malformed)?;
    let (token, info) = check_token(token.raw, imprint)?;
    if info.nonce != Some(asn1::encode_unsigned(&nonce.to_be_bytes())) {
        return Err(TimestampError::WrongNonce);
    }
    Ok(token)
}

/// Checks a token over data, whatever digest it uses.
pub(crate) fn verify_token(token: &[u8], data: &[&[u8]]) -> Result<TimestampToken, TimestampError> {
    let parsed = SignedData::parse(token).ok_or(TimestampError::Malformed)?;
    let content = parsed.content.as_deref().ok_or(TimestampError::Malformed)?;
    let info = Info::parse(content).ok_or(TimestampError::Malformed)?;
    check_token(token, &info.hash.digest(data)).map(|(token, _)| token)
}

fn check_token(der: &[u8], imprint: &[u8]) -> Result<(TimestampToken, Info), TimestampError> {
    let token = SignedData::parse(der).ok_or(TimestampError::Malformed)?;
    let content = token.content.as_deref().ok_or(TimestampError::Malformed)?;
    let info = Info::parse(content).ok_or(TimestampError::Malformed)?;
    let [signer] = token.signers.as_slice() else {
        return Err(TimestampError::Malformed);
    };
    if token.content_type != oids::TST_INFO {
        return Err(TimestampError::Malformed);
    }
    if info.imprint != imprint {
        return Err(TimestampError::WrongImprint);
    }
    let certificates = token.parsed_certificates();
    let authority = certificates
        .into_iter()
        .find(|certificate| signer.names(certificate));
    let authority = authority.ok_or(TimestampError::NoCertificate)?;
    let digest = signer.hash().ok_or(TimestampError::Malformed)?.digest(&[content]);
    signer
        .verify(&authority, &oids::TST_INFO, &digest)
        .map_err(of_signer)?;
    if !signer.binds(&authority).map_err(of_signer)? {
        return Err(TimestampError::WrongSignature);
    }
    if !is_for_timestamping(&authority) {
        return Err(TimestampError::WrongUsage);
    }
    Ok((
        TimestampToken {
            der: der.to_vec(),
            time: info.time,
            authority,
        },
        info,
    ))
}

fn of_signer(fault: SignerFault) -> TimestampError {
    match fault {
        SignerFault::Format | SignerFault::Unsupported => TimestampError::Malformed,
        SignerFault::Digest | SignerFault::Value => TimestampError::WrongSignature,
    }
}

fn is_for_timestamping(certificate: &Certificate) -> bool {
    let usage = certificate.extension::<ExtendedKeyUsage>();
    matches!(usage, Ok(Some((true, usages))) if usages.0 == [ID_KP_TIME_STAMPING])
}

/// What is needed of a TSTInfo (RFC 3161, 2.4.2).
struct Info {
    hash: Hash,
    imprint: Vec<u8>,
    time: DateTime<Utc>,
    /// As encoded.
    nonce: Option<Vec<u8>>,
}

impl Info {
    fn parse(content: &[u8]) -> Option<Self> {
        let fields = Tlv::whole(content)?.children()?;
        let [version, _policy, imprint, _serial, time, rest @ ..] = fields.as_slice() else {
            return None;
        };
        let parts = imprint.children()?;
        let [algorithm, digest] = parts.as_slice() else {
            return None;
        };
        if version.small()? != 1 {
            return None;
        }
        Some(Self {
            hash: Hash::from_oid(&algorithm.children()?.first()?.oid()?)?,
            imprint: digest.octets()?,
            time: time.tagged(GENERALIZED_TIME)?.time()?,
            nonce: rest
                .iter()
                .find(|field| field.tag == INTEGER)
                .map(|nonce| nonce.raw.to_vec()),
        })
    }
}
