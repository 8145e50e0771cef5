//! Verification in this very process, of files that it has just made itself: a worker has taken them in under its limits, and what
//! was added since is our own. Everybody else's files are verified by workers.

use wathiq_pades::certificate::Certificate;
use wathiq_pades::verify::{RevocationData, TrustContext};

use super::material::TrustMaterial;
use super::verdict::FileVerdict;
use super::worker::file_verdict;
use super::{IntakeRefusal, PdfError};

/// Trust material, taken apart once for many files.
pub struct OwnVerifier {
    context: TrustContext,
}

impl OwnVerifier {
    /// Takes the material apart.
    ///
    /// # Errors
    /// [`PdfError::Impossible`] where a trust anchor is no certificate.
    pub fn new(material: &TrustMaterial) -> Result<Self, PdfError> {
        let anchors = material
            .anchors
            .iter()
            .map(|anchor| Certificate::from_der(&anchor.der))
            .collect::<Result<_, _>>()
            .map_err(|_| PdfError::Impossible("a trust anchor is no certificate".to_owned()))?;
        let lists = material
            .crls
            .iter()
            .map(|list| RevocationData::Crl(list.der.to_vec()));
        let answers = material
            .ocsp_responses
            .iter()
            .map(|answer| RevocationData::Ocsp(answer.der.to_vec()));
        Ok(Self {
            context: TrustContext {
                anchors,
                certificates: Vec::new(),
                revocation: lists.chain(answers).collect(),
                at: material.at,
                max_age: material.max_age,
            },
        })
    }

    /// What the verifier says of a file. Takes its time: not for a thread that others wait for.
    ///
    /// # Errors
    /// What keeps the file from being read.
    pub fn verdict(&self, file: &[u8]) -> Result<FileVerdict, IntakeRefusal> {
        file_verdict(file, &self.context)
    }
}
