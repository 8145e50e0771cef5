//! Who the peer is: the chain by webpki, the name by the URI SAN instead of a host name.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use der::Decode;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::WebPkiSupportedAlgorithms,
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_cert::{
    Certificate,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use super::PeerName;

/// The peer's name: exactly one URI SAN, and that of the form `spiffe://<trust domain>/<name>` (SPIFFE X.509-SVID
/// section 2: an SVID has exactly one URI SAN).
pub(crate) fn peer_name(certificate: &CertificateDer<'_>, trust_domain: &str) -> Result<PeerName, String> {
    let certificate = parse(certificate)?;
    let (_, names) = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()
        .map_err(|error| format!("its subject alternative name cannot be read: {error}"))?
        .ok_or_else(|| "it has no subject alternative name".to_owned())?;
    let mut uris = names.0.iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
        _ => None,
    });
    let (Some(uri), None) = (uris.next(), uris.next()) else {
        return Err("it does not have exactly one URI name".to_owned());
    };
    uri.strip_prefix("spiffe://")
        .and_then(|rest| rest.strip_prefix(trust_domain))
        .and_then(|rest| rest.strip_prefix('/'))
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .map(|name| PeerName(name.to_owned()))
        .ok_or_else(|| format!("its name {uri} is not spiffe://{trust_domain}/<name>"))
}

pub(super) fn not_after(certificate: &CertificateDer<'_>) -> Result<DateTime<Utc>, String> {
    let end = parse(certificate)?
        .tbs_certificate()
        .validity()
        .not_after
        .to_unix_duration();
    i64::try_from(end.as_secs())
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| "its end cannot be represented".to_owned())
}

fn parse(certificate: &CertificateDer<'_>) -> Result<Certificate, String> {
    Certificate::from_der(certificate).map_err(|error| format!("it cannot be parsed: {error}"))
}

/// Accepts a server whose certificate chains to the authority and carries the expected name.
#[derive(Debug)]
pub(super) struct SpiffeVerifier {
    roots: Arc<RootCertStore>,
    trust_domain: String,
    expected: String,
    algorithms: WebPkiSupportedAlgorithms,
}

impl SpiffeVerifier {
    pub(super) fn new(roots: Arc<RootCertStore>, trust_domain: &str, expected: &str) -> Self {
        Self {
            roots,
            trust_domain: trust_domain.to_owned(),
            expected: expected.to_owned(),
            algorithms: rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for SpiffeVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        match peer_name(end_entity, &self.trust_domain) {
            Ok(PeerName(name)) if name == self.expected => Ok(ServerCertVerified::assertion()),
            _ => Err(Error::InvalidCertificate(CertificateError::NotValidForName)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
