//! Whether a certificate stands on its issuer's revocation list (RFC 5280, 5).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");

/// Whether one of the lists, signed by the certificate's issuer, names the certificate. Lists that cannot be read or are
/// signed by somebody else say nothing; an old list is believed as well, since what was revoked stays so.
pub(super) fn is_revoked(certificate: &[u8], issuer: &[u8], lists: &[bytes::Bytes]) -> bool {
    let (Ok(certificate), Ok(issuer)) = (Certificate::from_der(certificate), Certificate::from_der(issuer))
    else {
        return false;
    };
    lists
        .iter()
        .filter_map(|der| CertificateList::from_der(der).ok())
        .any(|list| {
            list.tbs_cert_list.issuer == *certificate.tbs_certificate().issuer()
                && is_signed_by(&list, &issuer)
                && names(&list, &certificate)
        })
}

fn names(list: &CertificateList, certificate: &Certificate) -> bool {
    let revoked = list.tbs_cert_list.revoked_certificates.iter().flatten();
    revoked
        .into_iter()
        .any(|entry| entry.serial_number == *certificate.tbs_certificate().serial_number())
}

fn is_signed_by(list: &CertificateList, issuer: &Certificate) -> bool {
    let key = issuer.tbs_certificate().subject_public_key_info();
    let (Some(point), Some(value), Ok(signed)) = (
        key.subject_public_key.as_bytes(),
        list.signature.as_bytes(),
        list.tbs_cert_list.to_der(),
    ) else {
        return false;
    };
    let candidates: [Option<&'static dyn VerificationAlgorithm>; 2] = match list.signature_algorithm.oid {
        ECDSA_WITH_SHA256 => [Some(&ECDSA_P256_SHA256_ASN1), Some(&ECDSA_P384_SHA256_ASN1)],
        ECDSA_WITH_SHA384 => [Some(&ECDSA_P384_SHA384_ASN1), Some(&ECDSA_P256_SHA384_ASN1)],
        SHA256_WITH_RSA => [Some(&RSA_PKCS1_2048_8192_SHA256), None],
        SHA384_WITH_RSA => [Some(&RSA_PKCS1_2048_8192_SHA384), None],
        SHA512_WITH_RSA => [Some(&RSA_PKCS1_2048_8192_SHA512), None],
        _ => [None, None],
    };
    // The curve is part of the key: with the other curve's algorithm the key is not even read.
    candidates.into_iter().flatten().any(|algorithm| {
        UnparsedPublicKey::new(algorithm, point)
            .verify(&signed, value)
            .is_ok()
    })
}
