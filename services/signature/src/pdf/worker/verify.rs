//! Verification of the signatures in a file; the rules stand in `wathiq-pades`.

use std::collections::BTreeSet;

use wathiq_pades::certificate::Certificate;
use wathiq_pades::verify::{
    self, Coverage, Indication, LaterChanges, RevocationData, SignatureReport, TrustContext, VerifyError,
};

use crate::domain::document::IntakeRefusal;
use crate::pdf::job::{Answer, VerifyJob};
use crate::pdf::verdict::{FileVerdict, RevocationSource, SignatureVerdict, VerdictIndication};

pub(super) fn verify(file: &[u8], job: &VerifyJob, material: Vec<Vec<u8>>) -> Answer {
    let context = match trust(job, material) {
        Ok(context) => context,
        Err(answer) => return answer,
    };
    match verify::verify(file, &context) {
        Ok(reports) => Answer::Verified(FileVerdict {
            revocation: RevocationSource {
                crls: crl_addresses(&reports),
            },
            signatures: reports
                .into_iter()
                .map(|report| verdict(report, file.len()))
                .collect(),
        }),
        Err(error) => Answer::Refused(unreadable(&error)),
    }
}

fn trust(job: &VerifyJob, material: Vec<Vec<u8>>) -> Result<TrustContext, Answer> {
    let mut material = material.into_iter();
    let mut take = |count: usize| material.by_ref().take(count).collect::<Vec<_>>();
    let anchors = take(job.anchors)
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| Answer::Impossible("a trust anchor is no certificate".to_owned()))?;
    let crls = take(job.crls).into_iter().map(RevocationData::Crl);
    let mut revocation: Vec<RevocationData> = crls.collect();
    revocation.extend(take(job.ocsp_responses).into_iter().map(RevocationData::Ocsp));
    Ok(TrustContext {
        anchors,
        certificates: Vec::new(),
        revocation,
        at: job.at,
    })
}

/// Where revocation lists for the certificates of all signatures can be fetched.
fn crl_addresses(reports: &[SignatureReport]) -> Vec<String> {
    let ders = reports
        .iter()
        .flat_map(|report| report.certificate.iter().chain(&report.chain));
    let certificates = ders.filter_map(|der| Certificate::from_der(der).ok());
    let addresses: BTreeSet<String> = certificates
        .flat_map(|certificate| verify::revocation_urls(&certificate).crl)
        .collect();
    addresses.into_iter().collect()
}

fn verdict(report: SignatureReport, length: usize) -> SignatureVerdict {
    let certificate = report
        .certificate
        .as_deref()
        .and_then(|der| Certificate::from_der(der).ok());
    SignatureVerdict {
        field_name: report.field,
        indication: match report.indication {
            Indication::TotalPassed => VerdictIndication::TotalPassed,
            Indication::Indeterminate => VerdictIndication::Indeterminate,
            Indication::TotalFailed => VerdictIndication::TotalFailed,
        },
        sub_indication: report.sub_indication.map(|sub| sub.code().to_owned()),
        signer: report.signer_name,
        issuer: certificate.map(|certificate| certificate.issuer_text()),
        level: report.level.map(|level| level.code().to_owned()),
        claimed_time: report.claimed_time.map(|time| time.to_utc()),
        best_time: report.best_signature_time,
        covers_whole_revision: report.coverage != Coverage::Partial,
        revision_sha256: Some(report.revision_sha256),
        extended: report.revision_length < length as u64,
        changed: matches!(
            report.later,
            LaterChanges::Visible { .. } | LaterChanges::Other { .. }
        ),
    }
}

fn unreadable(error: &VerifyError) -> IntakeRefusal {
    IntakeRefusal {
        reason: match error {
            VerifyError::Unreadable(_) => "UNREADABLE".to_owned(),
            VerifyError::TooManySignatures { .. } => "TOO_MANY_SIGNATURES".to_owned(),
        },
        object_number: None,
        detail: wathiq_chassis::status::chain(error),
    }
}
