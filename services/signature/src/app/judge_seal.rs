//! Whether what is about to be issued is a seal: the finished bytes, judged by the rules that everybody's files are judged by.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use crate::app::{App, AppError, revocation};
use crate::domain::intent::{Hindrance, SealIntent};
use crate::pdf::{FileVerdict, Lane, PdfError, SignatureVerdict, VerdictIndication};

/// Levels with a trusted time, least first (EN 319 142-1, 6.1).
const LEVELS: [&str; 3] = ["B-T", "B-LT", "B-LTA"];
/// The sub-indication that says that later, more may be known (EN 319 102-1, table 6).
const TRY_LATER: &str = "TRY_LATER";

/// Why the finished bytes are not issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) hindrance: Hindrance,
    /// What the verifier says, for those who look after the service.
    pub(super) finding: String,
}

impl Rejection {
    pub(super) fn new(hindrance: Hindrance, finding: impl Into<String>) -> Self {
        Self {
            hindrance,
            finding: finding.into(),
        }
    }
}

/// Judges finished bytes: TOTAL-PASSED and at least B-T, with a time-stamp of a trusted authority that states a possible time.
/// Answers the level.
///
/// # Errors
/// [`AppError`] where no verdict was reached.
pub(super) async fn judge(
    app: &App,
    intent: &SealIntent,
    sha256: [u8; 32],
    file: Bytes,
) -> Result<Result<&'static str, Rejection>, AppError> {
    let first = match app
        .pdf
        .verify(Lane::Sealing, file.clone(), &app.trust.material())
        .await
    {
        Err(PdfError::Refused(refusal)) => {
            return Ok(Err(Rejection::new(Hindrance::Unfinishable, refusal.reason)));
        }
        verdict => verdict?,
    };
    let verdict = if revocation::refresh(app, &first.links).await? {
        app.pdf.verify(Lane::Sealing, file, &app.trust.material()).await?
    } else {
        first
    };
    Ok(level_of(app, &verdict, sha256, intent.created_at))
}

/// The level of the seal that ends a file, for which the work has begun at an instant; or why it does not stand.
pub(super) fn level_of(
    app: &App,
    verdict: &FileVerdict,
    sha256: [u8; 32],
    begun: DateTime<Utc>,
) -> Result<&'static str, Rejection> {
    // Signatures before it are not ours to judge.
    let seal = verdict
        .signatures
        .iter()
        .find(|signature| signature.revision_sha256 == Some(sha256));
    match seal {
        Some(seal) => judged(seal, |time| app.timestamp.may_state(time, begun)),
        None => Err(Rejection::new(
            Hindrance::Unfinishable,
            "no signature ends the file",
        )),
    }
}

fn judged(
    seal: &SignatureVerdict,
    is_possible: impl Fn(DateTime<Utc>) -> bool,
) -> Result<&'static str, Rejection> {
    let Some(stamp) = &seal.timestamp else {
        return Err(Rejection::new(
            Hindrance::TimeStampUntrusted,
            "the time-stamp cannot be read",
        ));
    };
    if !is_possible(stamp.time) {
        let finding = format!("the time-stamp states {}", stamp.time);
        return Err(Rejection::new(Hindrance::TimeStampUntrusted, finding));
    }
    if let Some(fault) = &stamp.sub_indication {
        let hindrance = if fault == TRY_LATER {
            Hindrance::RevocationUnknown
        } else {
            Hindrance::TimeStampUntrusted
        };
        return Err(Rejection::new(hindrance, format!("the time-stamp: {fault}")));
    }
    let level = LEVELS
        .into_iter()
        .find(|level| seal.level.as_deref() == Some(level));
    match (seal.indication, level) {
        (VerdictIndication::TotalPassed, Some(level)) if seal.covers_whole_revision => Ok(level),
        _ => {
            let fault = seal.sub_indication.clone().unwrap_or_default();
            let hindrance = if fault == TRY_LATER {
                Hindrance::RevocationUnknown
            } else {
                Hindrance::Unfinishable
            };
            Err(Rejection::new(hindrance, format!("the signature: {fault}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdf::TimestampVerdict;

    fn seal(indication: VerdictIndication, fault: Option<&str>, stamp: Option<&str>) -> SignatureVerdict {
        SignatureVerdict {
            field_name: "Wathiq_000000000000".to_owned(),
            indication,
            sub_indication: fault.map(str::to_owned),
            signer: None,
            issuer: None,
            level: Some("B-T".to_owned()),
            claimed_time: None,
            best_time: None,
            covers_whole_revision: true,
            revision_sha256: Some([1; 32]),
            extended: false,
            changed: false,
            timestamp: Some(TimestampVerdict {
                time: DateTime::UNIX_EPOCH,
                sub_indication: stamp.map(str::to_owned),
            }),
        }
    }

    #[test]
    fn what_each_verdict_means_for_the_seal() {
        use VerdictIndication::{Indeterminate, TotalFailed, TotalPassed};
        let of = |seal: &SignatureVerdict| judged(seal, |_| true).map_err(|rejection| rejection.hindrance);
        assert_eq!(of(&seal(TotalPassed, None, None)), Ok("B-T"));
        for (fault, hindrance) in [
            ("NO_CERTIFICATE_CHAIN_FOUND", Hindrance::TimeStampUntrusted),
            ("REVOKED_NO_POE", Hindrance::TimeStampUntrusted),
            ("TRY_LATER", Hindrance::RevocationUnknown),
        ] {
            let untrusted = seal(TotalPassed, None, Some(fault));
            assert_eq!(of(&untrusted), Err(hindrance), "{fault}");
        }
        for (indication, fault, hindrance) in [
            (Indeterminate, "TRY_LATER", Hindrance::RevocationUnknown),
            (TotalFailed, "REVOKED", Hindrance::Unfinishable),
            (Indeterminate, "REVOKED_NO_POE", Hindrance::Unfinishable),
            (TotalFailed, "HASH_FAILURE", Hindrance::Unfinishable),
        ] {
            let failed = seal(indication, Some(fault), None);
            assert_eq!(of(&failed), Err(hindrance), "{fault}");
        }
        let without_time = SignatureVerdict {
            level: Some("B-B".to_owned()),
            ..seal(TotalPassed, None, None)
        };
        assert_eq!(of(&without_time), Err(Hindrance::Unfinishable));
        let impossible = judged(&seal(TotalPassed, None, None), |_| false);
        assert_eq!(
            impossible.map_err(|rejection| rejection.hindrance),
            Err(Hindrance::TimeStampUntrusted)
        );
    }
}
