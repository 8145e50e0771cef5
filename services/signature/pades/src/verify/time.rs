use chrono::{DateTime, Utc};

use super::TrustContext;
use super::chain::{self, Outcome, Purpose, Times};
use super::material::Material;
use super::report::{SignatureKind, SubIndication, TimestampReport};
use super::structure::{Signed, Structure};
use crate::certificate::Certificate;
use crate::cms::signed_data::SignedData;
use crate::cms::{TimestampError, TimestampToken, oids, verify_token};

/// The time-stamps of a file, by the index of the structure they belong to.
pub(super) struct Evidence {
    stamps: Vec<Option<Stamp>>,
    now: DateTime<Utc>,
}

/// A time-stamp that was looked at.
pub(super) struct Stamp {
    pub(super) token: Result<TimestampToken, TimestampError>,
    pub(super) outcome: Option<Outcome>,
    kind: SignatureKind,
}

impl Stamp {
    /// The time, if it is proved.
    fn proved(&self) -> Option<DateTime<Utc>> {
        let trusted = self
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome.verdict.is_ok());
        self.token
            .as_ref()
            .ok()
            .filter(|_| trusted)
            .map(TimestampToken::time)
    }

    pub(super) fn report(&self) -> Option<TimestampReport> {
        let token = self.token.as_ref().ok()?;
        let sub_indication = self.outcome.as_ref().and_then(|outcome| outcome.verdict.err());
        Some(TimestampReport {
            time: token.time(),
            authority: token.authority().common_name(),
            sub_indication,
            chain: self
                .outcome
                .iter()
                .flat_map(|outcome| &outcome.chain)
                .map(|certificate| certificate.der().to_vec())
                .collect(),
        })
    }
}

impl Evidence {
    /// Looks at the last time-stamp first: each proves that those before it existed.
    pub(super) fn collect(structures: &[Structure<'_>], material: &Material, context: &TrustContext) -> Self {
        let mut evidence = Self {
            stamps: structures.iter().map(|_| None).collect(),
            now: context.at,
        };
        for (index, structure) in structures.iter().enumerate().rev() {
            let Some(signed) = &structure.signed else { continue };
            let Some((token, embedded)) = token_of(structure.kind, signed) else {
                continue;
            };
            let times = Times {
                existed: evidence.later(index),
                made_after: None,
                now: context.at,
            };
            let outcome = token.as_ref().ok().map(|token| {
                let mut outcome = chain::validate(
                    token.authority(),
                    &embedded,
                    material,
                    context,
                    Purpose::Timestamping,
                    times,
                );
                // A key certified since yesterday cannot have seen what it dates last year.
                if outcome.verdict.is_ok() && !token.authority().is_valid_at(token.time()) {
                    outcome.verdict = Err(SubIndication::OutOfBoundsNoPoe);
                }
                outcome
            });
            evidence.stamps[index] = Some(Stamp {
                token,
                outcome,
                kind: structure.kind,
            });
        }
        evidence
    }

    pub(super) fn stamp(&self, index: usize) -> Option<&Stamp> {
        self.stamps.get(index).and_then(Option::as_ref)
    }

    /// What is proved of the time of one signature.
    pub(super) fn times(&self, index: usize, kind: SignatureKind) -> Times {
        let own = match kind {
            SignatureKind::Signature => self.stamp(index).and_then(Stamp::proved),
            SignatureKind::DocumentTimestamp => None,
        };
        // What a signature covers, the time-stamps before it included, is older than the signature.
        let earlier = self.stamps[..index]
            .iter()
            .flatten()
            .filter_map(Stamp::proved)
            .max();
        Times {
            existed: [own, self.later(index)].into_iter().flatten().min(),
            made_after: earlier,
            now: self.now,
        }
    }

    /// The earliest document time-stamp that covers everything up to this one.
    fn later(&self, index: usize) -> Option<DateTime<Utc>> {
        let later = self.stamps.get(index + 1..).unwrap_or_default().iter().flatten();
        later
            .filter(|stamp| stamp.kind == SignatureKind::DocumentTimestamp)
            .filter_map(Stamp::proved)
            .min()
    }

    /// Whether a document time-stamp that counts stands behind this signature.
    pub(super) fn has_later(&self, index: usize) -> bool {
        self.later(index).is_some()
    }
}

/// The token over the file, or the one over the signature value, with the certificates it carries.
fn token_of(
    kind: SignatureKind,
    signed: &Signed<'_>,
) -> Option<(Result<TimestampToken, TimestampError>, Vec<Certificate>)> {
    let (token, raw) = match kind {
        SignatureKind::DocumentTimestamp => (
            verify_token(&signed.contents, &[signed.before, signed.after]),
            signed.contents.clone(),
        ),
        SignatureKind::Signature => {
            let cms = SignedData::parse(&signed.contents)?;
            let signer = cms.signers.first()?;
            let attribute = *signer.unsigned_attribute(&oids::SIGNATURE_TIME_STAMP).first()?;
            (
                verify_token(attribute.raw, &[&signer.signature]),
                attribute.raw.to_vec(),
            )
        }
    };
    let embedded = SignedData::parse(&raw)
        .map(|token| token.parsed_certificates())
        .unwrap_or_default();
    Some((token, embedded))
}

/// What a faulty document time-stamp is called.
pub(super) fn sub_indication(error: TimestampError) -> SubIndication {
    match error {
        TimestampError::WrongImprint => SubIndication::HashFailure,
        TimestampError::WrongSignature => SubIndication::SigCryptoFailure,
        TimestampError::NoCertificate => SubIndication::NoSigningCertificateFound,
        TimestampError::WrongUsage => SubIndication::ChainConstraintsFailure,
        TimestampError::Malformed | TimestampError::NotGranted(_) | TimestampError::WrongNonce => {
            SubIndication::FormatFailure
        }
    }
}
