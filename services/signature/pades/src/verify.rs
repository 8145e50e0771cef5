//! Says of every signature in a file what EN 319 102-1 says of signatures, from the bytes and from trust
//! material that the caller brings. Nothing is fetched here; [`revocation_urls`] tells what could be.

mod chain;
mod crl;
mod difference;
mod history;
mod material;
mod ocsp;
mod permissions;
mod report;
mod signature;
mod sources;
mod structure;
mod time;
mod urls;

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use crate::certificate::Certificate;
use crate::fields::Form;
use crate::syntax::{Document, Fault};
use history::History;
use material::Material;
use structure::Structure;
use time::Evidence;

pub use report::{
    Change, Coverage, Indication, LaterChanges, Level, SignatureKind, SignatureReport, SubIndication,
    TimestampReport,
};
pub use sources::{Said, Standing, ocsp_request, path, read_crl, read_ocsp};
pub use urls::{RevocationUrls, revocation_urls};

/// Most signatures that are looked at.
const MAX_SIGNATURES: usize = 100;

/// What a caller trusts and knows.
#[derive(Debug, Clone)]
pub struct TrustContext {
    /// Certificates that are trusted as they are.
    pub anchors: Vec<Certificate>,
    /// Further certificates for chains, such as those fetched from `caIssuers`.
    pub certificates: Vec<Certificate>,
    /// CRLs and OCSP answers, in any order; each is checked before it counts.
    pub revocation: Vec<RevocationData>,
    /// The time of validation.
    pub at: DateTime<Utc>,
    /// How long revocation data that names no time of its next update counts after its own.
    pub max_age: TimeDelta,
}

/// Revocation data as fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationData {
    /// A DER CertificateList.
    Crl(Vec<u8>),
    /// A DER OCSPResponse.
    Ocsp(Vec<u8>),
}

/// Why nothing can be said of a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[from] Fault),
    /// There are more signatures than are looked at.
    #[error("the file holds more than {limit} signatures")]
    TooManySignatures {
        /// The limit.
        limit: usize,
    },
}

/// Verifies every signature and document time-stamp, ordered by what they cover.
///
/// # Errors
/// See [`VerifyError`]; a file without signatures gives an empty list.
pub fn verify(bytes: &[u8], context: &TrustContext) -> Result<Vec<SignatureReport>, VerifyError> {
    let document = Document::open(bytes)?;
    let form = Form::read(&document)?;
    if form.signed().count() > MAX_SIGNATURES {
        return Err(VerifyError::TooManySignatures {
            limit: MAX_SIGNATURES,
        });
    }
    let material = Material::gather(&document, context);
    let mut structures: Vec<Structure<'_>> = Vec::new();
    for (field, signature) in form.signed() {
        structures.push(Structure::read(&document, field, signature)?);
    }
    structures.sort_by_key(Structure::signed_end);
    let evidence = Evidence::collect(&structures, &material, context);
    let history = History::of(&document, &structures);
    let xfa = has_xfa(&document)?;
    let reports = structures.iter().enumerate().map(|(index, structure)| {
        let judge = signature::Judge {
            document: &document,
            context,
            material: &material,
            evidence: &evidence,
            history: &history,
            xfa,
        };
        judge.report(index, structure)
    });
    Ok(reports.collect())
}

fn has_xfa(document: &Document<'_>) -> Result<bool, Fault> {
    match crate::fields::dictionary(document)? {
        Some(form) => Ok(document.get(&form, b"XFA")?.is_some()),
        None => Ok(false),
    }
}
