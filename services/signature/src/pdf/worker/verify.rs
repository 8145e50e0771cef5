//! Verification of the signatures in a file; the rules stand in `wathiq-pades`.

use chrono::TimeDelta;
use wathiq_pades::certificate::Certificate;
use wathiq_pades::verify::{
    self, Coverage, Indication, LaterChanges, RevocationData, SignatureReport, TrustContext, VerifyError,
};

use crate::domain::document::IntakeRefusal;
use crate::pdf::job::{Answer, VerifyJob};
use crate::pdf::verdict::{
    FileVerdict, Link, MAX_LINKS, SignatureVerdict, TimestampVerdict, VerdictIndication, links_of,
};

pub(super) fn verify(file: &[u8], job: &VerifyJob, material: Vec<Vec<u8>>) -> Answer {
    let context = match trust(job, material) {
        Ok(context) => context,
        Err(answer) => return answer,
    };
    match file_verdict(file, &context) {
        Ok(verdict) => Answer::Verified(verdict),
        Err(refusal) => Answer::Refused(refusal),
    }
}

/// What the verifier says of a file.
pub(in crate::pdf) fn file_verdict(
    file: &[u8],
    context: &TrustContext,
) -> Result<FileVerdict, IntakeRefusal> {
    let reports = verify::verify(file, context).map_err(|error| unreadable(&error))?;
    Ok(FileVerdict {
        links: links(&reports),
        signatures: reports
            .into_iter()
            .map(|report| verdict(report, file.len()))
            .collect(),
    })
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
        max_age: TimeDelta::seconds(job.max_age_seconds),
    })
}

/// The links of all chains that end in an anchor: of signatures, and of the time-stamps over them.
fn links(reports: &[SignatureReport]) -> Vec<Link> {
    let chains = reports
        .iter()
        .flat_map(|report| {
            let stamp = report.timestamp.as_ref().map(|stamp| &stamp.chain);
            std::iter::once(&report.chain).chain(stamp)
        })
        .flat_map(|chain| links_of(chain));
    let mut links: Vec<Link> = Vec::new();
    for link in chains {
        if links.len() < MAX_LINKS && !links.contains(&link) {
            links.push(link);
        }
    }
    links
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
        timestamp: report.timestamp.map(|stamp| TimestampVerdict {
            time: stamp.time,
            sub_indication: stamp.sub_indication.map(|sub| sub.code().to_owned()),
        }),
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
