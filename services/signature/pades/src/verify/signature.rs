use super::TrustContext;
use super::chain::{self, Outcome, Purpose};
use super::history::History;
use super::material::Material;
use super::report::{
    Coverage, Indication, LaterChanges, Level, SignatureKind, SignatureReport, SubIndication,
};
use super::structure::{Signed, Structure};
use super::time::{self, Evidence, Stamp};
use crate::certificate::Certificate;
use crate::cms::oids;
use crate::cms::signed_data::{SignedData, SignerFault};
use crate::keys;
use crate::syntax::Document;

/// Looks at one signature with what is known of the whole file.
pub(super) struct Judge<'j, 'b> {
    pub(super) document: &'j Document<'b>,
    pub(super) context: &'j TrustContext,
    pub(super) material: &'j Material,
    pub(super) evidence: &'j Evidence,
    pub(super) history: &'j History,
    pub(super) xfa: bool,
}

/// What the cryptographic part found.
#[derive(Default)]
struct Findings {
    certificate: Option<Certificate>,
    outcome: Option<Outcome>,
    /// Whether the attributes are those of the baseline.
    baseline: bool,
}

impl Judge<'_, '_> {
    pub(super) fn report(&self, index: usize, structure: &Structure<'_>) -> SignatureReport {
        let mut findings = Findings::default();
        let (coverage, later) = self.history.surroundings(index, structure);
        let cryptographic = match &structure.signed {
            Some(signed) => self.cryptographic(index, structure, signed, &mut findings),
            None => Err(SubIndication::FormatFailure),
        };
        let verdict = match (coverage, &later) {
            (Coverage::Partial, _) => Err(SubIndication::FormatFailure),
            (_, LaterChanges::Other { .. }) => cryptographic.and(Err(SubIndication::SigConstraintsFailure)),
            _ => cryptographic,
        };
        let revision = structure.signed_end();
        let times = self.evidence.times(index, structure.kind);
        let intact = !matches!(
            verdict.map_err(SubIndication::indication),
            Err(Indication::TotalFailed)
        );
        let stamp = self.evidence.stamp(index);
        SignatureReport {
            field: structure.field.clone(),
            kind: structure.kind,
            indication: verdict
                .err()
                .map_or(Indication::TotalPassed, SubIndication::indication),
            sub_indication: verdict.err(),
            signer_name: findings.certificate.as_ref().map(Certificate::common_name),
            certificate: findings
                .certificate
                .as_ref()
                .map(|certificate| certificate.der().to_vec()),
            chain: findings
                .outcome
                .iter()
                .flat_map(|o| &o.chain)
                .map(|c| c.der().to_vec())
                .collect(),
            level: self.level(index, structure, &findings).filter(|_| intact),
            claimed_time: structure.claimed_time,
            best_signature_time: times.existed.filter(|_| intact),
            timestamp: stamp
                .filter(|_| structure.kind == SignatureKind::Signature)
                .and_then(Stamp::report),
            reason: structure.reason.clone(),
            location: structure.location.clone(),
            coverage,
            revision_length: revision as u64,
            revision_sha256: keys::sha256(&[&self.document.bytes()[..revision]]),
            later,
            xfa: self.xfa,
        }
    }

    fn cryptographic(
        &self,
        index: usize,
        structure: &Structure<'_>,
        signed: &Signed<'_>,
        findings: &mut Findings,
    ) -> Result<(), SubIndication> {
        if structure.kind == SignatureKind::DocumentTimestamp {
            return self.document_timestamp(index, findings);
        }
        let cms = SignedData::parse(&signed.contents).ok_or(SubIndication::FormatFailure)?;
        let [signer] = cms.signers.as_slice() else {
            return Err(SubIndication::FormatFailure);
        };
        // A detached signature signs the bytes of the file and has no content of its own.
        if cms.content.is_some() || cms.content_type != oids::ID_DATA {
            return Err(SubIndication::FormatFailure);
        }
        let embedded = cms.parsed_certificates();
        let certificate = embedded.iter().find(|certificate| signer.names(certificate));
        let certificate = certificate.ok_or(SubIndication::NoSigningCertificateFound)?;
        findings.certificate = Some(certificate.clone());
        let hash = signer
            .hash()
            .ok_or(SubIndication::CryptoConstraintsFailureNoPoe)?;
        let digest = hash.digest(&[signed.before, signed.after]);
        signer
            .verify(certificate, &oids::ID_DATA, &digest)
            .map_err(of_signer)?;
        let bound = signer
            .binds(certificate)
            .map_err(|_| SubIndication::NoSigningCertificateFound)?;
        if structure.baseline && !bound {
            return Err(SubIndication::NoSigningCertificateFound);
        }
        let signing_time = signer
            .signed_attribute(&oids::ID_SIGNING_TIME)
            .map_err(of_signer)?;
        findings.baseline = structure.baseline && signing_time.is_none();
        let times = self.evidence.times(index, structure.kind);
        let outcome = chain::validate(
            certificate,
            &embedded,
            self.material,
            self.context,
            Purpose::Signature,
            times,
        );
        let verdict = outcome.verdict;
        findings.outcome = Some(outcome);
        verdict
    }

    fn document_timestamp(&self, index: usize, findings: &mut Findings) -> Result<(), SubIndication> {
        let stamp = self.evidence.stamp(index).ok_or(SubIndication::FormatFailure)?;
        let token = stamp
            .token
            .as_ref()
            .map_err(|error| time::sub_indication(*error))?;
        findings.certificate = Some(token.authority().clone());
        findings.outcome.clone_from(&stamp.outcome);
        stamp
            .outcome
            .as_ref()
            .map_or(Err(SubIndication::FormatFailure), |outcome| outcome.verdict)
    }

    /// EN 319 142-1, 6.3: each level needs the one below it.
    fn level(&self, index: usize, structure: &Structure<'_>, findings: &Findings) -> Option<Level> {
        if structure.kind == SignatureKind::DocumentTimestamp || !findings.baseline {
            return None;
        }
        let times = self.evidence.times(index, structure.kind);
        let stamp_suffices = |stamp: &Stamp| {
            stamp
                .outcome
                .as_ref()
                .is_some_and(|outcome| outcome.store_suffices)
        };
        let complete = findings
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome.store_suffices)
            && self.evidence.stamp(index).is_none_or(stamp_suffices);
        Some(
            match (times.existed.is_some(), complete, self.evidence.has_later(index)) {
                (true, true, true) => Level::BLta,
                (true, true, false) => Level::BLt,
                (true, false, _) => Level::BT,
                (false, ..) => Level::BB,
            },
        )
    }
}

fn of_signer(fault: SignerFault) -> SubIndication {
    match fault {
        SignerFault::Format => SubIndication::FormatFailure,
        SignerFault::Digest => SubIndication::HashFailure,
        SignerFault::Value => SubIndication::SigCryptoFailure,
        SignerFault::Unsupported => SubIndication::CryptoConstraintsFailureNoPoe,
    }
}
