use super::signed_data::SignedData;
use super::{Algorithm, CmsError, SignedAttributes, TimestampToken, oids};
use crate::asn1::{self, INTEGER, OCTET_STRING, SEQUENCE, SET, Tlv, context};
use crate::certificate::Certificate;
use crate::emit;
use crate::keys::{self, Hash, KeyError};

/// Puts a CMS signature together from a value made elsewhere.
///
/// `chain` begins with the signer's certificate; all of it is included, byte for byte. ECDSA values are DER
/// (see [`super::ecdsa_der`]). The value is checked first, so that no wrong signature leaves here.
///
/// # Errors
/// [`CmsError::BadCertificate`] for an empty chain, else as [`verify_signature_value`].
pub fn assemble(
    attributes: &SignedAttributes,
    algorithm: Algorithm,
    value: &[u8],
    chain: &[Certificate],
) -> Result<Vec<u8>, CmsError> {
    let signer = chain.first().ok_or(CmsError::BadCertificate)?;
    verify_signature_value(signer, attributes, algorithm, value)?;
    let version = asn1::encode(INTEGER, &[1]);
    let sha256 = asn1::constructed(SEQUENCE, &[&asn1::encode_oid(&oids::ID_SHA_256)]);
    let content = asn1::constructed(SEQUENCE, &[&asn1::encode_oid(&oids::ID_DATA)]);
    let certificates = chain
        .iter()
        .map(|certificate| certificate.der().to_vec())
        .collect();
    let mut signed = attributes.der().to_vec();
    // The same SET OF, tagged [0] IMPLICIT inside the SignerInfo.
    signed[0] = context(0);
    let signer_info = asn1::constructed(
        SEQUENCE,
        &[
            &version,
            &asn1::constructed(SEQUENCE, &[signer.issuer(), signer.serial()]),
            &sha256,
            &signed,
            &algorithm.identifier(),
            &asn1::encode(OCTET_STRING, value),
        ],
    );
    let signed_data = asn1::constructed(
        SEQUENCE,
        &[
            &version,
            &asn1::constructed(SET, &[&sha256]),
            &content,
            &asn1::set_of(context(0), certificates),
            &asn1::constructed(SET, &[&signer_info]),
        ],
    );
    Ok(content_info(&signed_data))
}

fn content_info(signed_data: &[u8]) -> Vec<u8> {
    let content = asn1::constructed(context(0), &[signed_data]);
    asn1::constructed(SEQUENCE, &[&asn1::encode_oid(&oids::ID_SIGNED_DATA), &content])
}

/// Checks a signature value against the certificate and the attributes.
///
/// # Errors
/// [`CmsError::WrongSignature`] or [`CmsError::UnsupportedKey`].
pub fn verify_signature_value(
    certificate: &Certificate,
    attributes: &SignedAttributes,
    algorithm: Algorithm,
    value: &[u8],
) -> Result<(), CmsError> {
    let identifier = algorithm.identifier();
    let key = certificate.public_key_info();
    keys::verify(key, &identifier, Some(Hash::Sha256), attributes.der(), value).map_err(|error| match error {
        KeyError::Unsupported => CmsError::UnsupportedKey,
        KeyError::Wrong => CmsError::WrongSignature,
    })
}

/// Adds a signature time-stamp to a CMS signature with one signer; the token stays byte for byte.
///
/// # Errors
/// [`CmsError::BadCms`] if there is not exactly one signer.
pub fn add_timestamp(cms: &[u8], token: &TimestampToken) -> Result<Vec<u8>, CmsError> {
    stamped(cms, token).ok_or(CmsError::BadCms)
}

fn stamped(cms: &[u8], token: &TimestampToken) -> Option<Vec<u8>> {
    let parsed = SignedData::parse(cms)?;
    let [signer] = parsed.signers.as_slice() else {
        return None;
    };
    let value = asn1::constructed(SET, &[token.der()]);
    let attribute = asn1::constructed(
        SEQUENCE,
        &[&asn1::encode_oid(&oids::SIGNATURE_TIME_STAMP), &value],
    );
    let mut unsigned: Vec<Vec<u8>> = signer
        .unsigned
        .iter()
        .map(|attribute| attribute.raw.to_vec())
        .collect();
    unsigned.push(attribute);
    let unsigned = asn1::set_of(context(1), unsigned);
    let parts = signer.value.children()?;
    let kept: Vec<&[u8]> = parts
        .iter()
        .filter(|part| part.tag != context(1))
        .map(|part| part.raw)
        .collect();
    let signer_info = asn1::encode(SEQUENCE, &[kept.concat(), unsigned].concat());
    let fields = parsed.value.children()?;
    let (_, before) = fields.split_last()?;
    let before: Vec<&[u8]> = before.iter().map(|field| field.raw).collect();
    let signers = asn1::constructed(SET, &[&signer_info]);
    Some(content_info(&asn1::encode(
        SEQUENCE,
        &[before.concat(), signers].concat(),
    )))
}

/// Writes a CMS signature into the hole of a prepared file, padded with zeros.
///
/// `contents_len` is the number of hexadecimal digits, as [`crate::Prepared`] has it.
///
/// # Errors
/// [`CmsError::TooLarge`], or [`CmsError::NoHole`] if no empty hole stands there.
pub fn finish(
    prepared: &[u8],
    contents_offset: usize,
    contents_len: usize,
    cms: &[u8],
) -> Result<Vec<u8>, CmsError> {
    let end = contents_offset
        .checked_add(contents_len)
        .ok_or(CmsError::NoHole)?;
    let hole = prepared.get(contents_offset..end).ok_or(CmsError::NoHole)?;
    let bracketed =
        contents_offset > 0 && prepared[contents_offset - 1] == b'<' && prepared.get(end) == Some(&b'>');
    if !bracketed || hole.iter().any(|digit| *digit != b'0') {
        return Err(CmsError::NoHole);
    }
    if cms.len() * 2 > contents_len {
        return Err(CmsError::TooLarge {
            needed: cms.len(),
            reserved: contents_len / 2,
        });
    }
    Tlv::whole(cms).ok_or(CmsError::BadCms)?;
    let mut digits = Vec::with_capacity(cms.len() * 2);
    emit::push_hex(&mut digits, cms);
    let mut finished = prepared.to_vec();
    finished[contents_offset..contents_offset + digits.len()].copy_from_slice(&digits);
    Ok(finished)
}
