//! A certificate and its issuer, as revocation is asked.

use sha2::{Digest, Sha256};
use wathiq_pades::certificate::Certificate;
use wathiq_pades::verify::{self, RevocationUrls, Said};

use crate::pdf::Link;

/// A certificate and its issuer.
pub(super) struct Pair {
    certificate: Certificate,
    issuer: Certificate,
    is_authority: bool,
    /// SHA-256 of the certificate.
    pub(super) fingerprint: [u8; 32],
    /// Where the certificate says that its revocation is told.
    pub(super) urls: RevocationUrls,
}

impl Pair {
    pub(super) fn of(link: &Link) -> Option<Self> {
        let certificate = Certificate::from_der(&link.certificate).ok()?;
        Some(Self {
            issuer: Certificate::from_der(&link.issuer).ok()?,
            is_authority: link.is_authority,
            fingerprint: Sha256::digest(&link.certificate).into(),
            urls: verify::revocation_urls(&certificate),
            certificate,
        })
    }

    /// What a responder at an address is asked.
    pub(super) fn question(&self, address: &str) -> String {
        let certificate = data_encoding::HEXLOWER.encode(&self.fingerprint);
        format!("{certificate} {address}")
    }

    pub(super) fn ocsp_request(&self, nonce: &[u8]) -> Option<Vec<u8>> {
        verify::ocsp_request(&self.certificate, &self.issuer, nonce)
    }

    pub(super) fn read_list(&self, der: &[u8]) -> Option<Said> {
        verify::read_crl(der, &self.certificate, &self.issuer, self.is_authority)
    }

    pub(super) fn read_answer(&self, der: &[u8], nonce: Option<&[u8]>) -> Option<Said> {
        verify::read_ocsp(der, &self.certificate, &self.issuer, nonce)
    }
}
