use std::cell::Cell;

use chrono::{DateTime, TimeDelta, Utc};
use const_oid::db::rfc5280::{
    ID_CE_BASIC_CONSTRAINTS, ID_CE_CERTIFICATE_POLICIES, ID_CE_CRL_DISTRIBUTION_POINTS, ID_CE_EXT_KEY_USAGE,
    ID_CE_KEY_USAGE, ID_CE_SUBJECT_ALT_NAME, ID_KP_TIME_STAMPING,
};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::material::{Material, Origin};
use super::report::SubIndication;
use super::sources::{self, Said};
use super::{TrustContext, revocation_urls};
use crate::certificate::Certificate;
use crate::keys;

/// Longest chain, the anchor included.
const MAX_LENGTH: usize = 8;

/// Chains that are tried for one signature; cross-certified authorities have two or three.
const MAX_CHAINS: usize = 4;

/// Signatures of certificates that are checked to find the chains of one signature.
const CHECKS_EACH: usize = 64;

/// The same for all signatures and time-stamps of a file.
const CHECKS_IN_ALL: usize = 2000;

/// Certificates of a signature and of the file's store that are looked at.
const MAX_POOL: usize = 1000;

/// What a certificate is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Signature,
    Timestamping,
}

/// The times that matter for one signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Proved: it existed at this time.
    pub(super) existed: Option<DateTime<Utc>>,
    /// Proved: it was made after this time.
    pub(super) made_after: Option<DateTime<Utc>>,
    /// The time of validation.
    pub(super) now: DateTime<Utc>,
}

impl Times {
    fn control(&self) -> DateTime<Utc> {
        self.existed.unwrap_or(self.now)
    }
}

/// What came of validating a certificate.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// From the certificate to the anchor; empty if there is none.
    pub(super) chain: Vec<Certificate>,
    pub(super) verdict: Result<(), SubIndication>,
    /// Whether the file itself holds revocation data for the whole chain.
    pub(super) store_suffices: bool,
}

/// Validates a certificate (RFC 5280, 6; EN 319 102-1, 5.2.6 and 5.6.2): the first chain that passes, or what
/// is wrong with the first.
pub(super) fn validate(
    certificate: &Certificate,
    embedded: &[Certificate],
    material: &Material,
    context: &TrustContext,
    purpose: Purpose,
    times: Times,
) -> Outcome {
    let pool = embedded.iter().take(MAX_POOL).chain(&material.certificates);
    let mut search = Search {
        candidates: context.anchors.iter().chain(pool).collect(),
        anchors: &context.anchors,
        checks: CHECKS_EACH.min(material.checks.get()),
        found: Vec::new(),
    };
    let granted = search.checks;
    search.extend(&[certificate]);
    material
        .checks
        .set(material.checks.get() - (granted - search.checks));
    let mut first = None;
    for chain in search.found {
        let revocation = Revocation {
            material,
            times,
            max_age: context.max_age,
        };
        let verdict = check(&chain, purpose, &revocation);
        let outcome = Outcome {
            verdict,
            store_suffices: revocation.store_suffices(&chain),
            chain: chain.into_iter().cloned().collect(),
        };
        if outcome.verdict.is_ok() {
            return outcome;
        }
        first.get_or_insert(outcome);
    }
    first.unwrap_or(Outcome {
        chain: Vec::new(),
        verdict: Err(SubIndication::NoCertificateChainFound),
        store_suffices: false,
    })
}

/// Whether the issuer's key signed the certificate.
pub(super) fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let key = issuer.public_key_info();
    keys::verify(
        key,
        certificate.signature_algorithm(),
        None,
        certificate.tbs(),
        certificate.signature(),
    )
    .is_ok()
}

/// What a file's signature checks may cost in all.
pub(super) fn budget() -> Cell<usize> {
    Cell::new(CHECKS_IN_ALL)
}

/// A search for chains that ends however the certificates are meshed.
struct Search<'c> {
    /// Anchors first: the shortest chains are those that count.
    candidates: Vec<&'c Certificate>,
    anchors: &'c [Certificate],
    /// Signature checks that are left.
    checks: usize,
    found: Vec<Vec<&'c Certificate>>,
}

impl<'c> Search<'c> {
    fn extend(&mut self, chain: &[&'c Certificate]) {
        let Some(last) = chain.last().copied() else { return };
        if self.found.len() >= MAX_CHAINS {
            return;
        }
        if self.anchors.contains(last) {
            self.found.push(chain.to_vec());
            return;
        }
        if chain.len() >= MAX_LENGTH {
            return;
        }
        let mut tried: Vec<&Certificate> = Vec::new();
        for issuer in self.candidates.clone() {
            // A name with a key stands in a chain once (RFC 4158, 2.4.2 and 5.2); one certificate found in several
            // places is one candidate.
            let repeats = |known: &&Certificate| {
                known.subject() == issuer.subject() && known.public_key_info() == issuer.public_key_info()
            };
            if issuer.subject() != last.issuer() || chain.iter().any(repeats) || tried.contains(&issuer) {
                continue;
            }
            tried.push(issuer);
            let Some(left) = self.checks.checked_sub(1) else {
                return;
            };
            self.checks = left;
            if is_signed_by(last, issuer) {
                let longer = [chain, &[issuer]].concat();
                self.extend(&longer);
            }
        }
    }
}

/// The first chain to an anchor in which every certificate may be used as it is at a time, revocation aside; or what is
/// wrong with the first that was found.
pub(super) fn path(
    certificate: &Certificate,
    others: &[Certificate],
    anchors: &[Certificate],
    at: DateTime<Utc>,
) -> Result<Vec<Certificate>, SubIndication> {
    let mut search = Search {
        candidates: anchors.iter().chain(others.iter().take(MAX_POOL)).collect(),
        anchors,
        checks: CHECKS_EACH,
        found: Vec::new(),
    };
    search.extend(&[certificate]);
    let times = Times {
        existed: None,
        made_after: None,
        now: at,
    };
    let mut first = Err(SubIndication::NoCertificateChainFound);
    for (index, chain) in search.found.into_iter().enumerate() {
        match constraints(&chain, Purpose::Signature, &times) {
            Ok(()) => return Ok(chain.into_iter().cloned().collect()),
            Err(fault) if index == 0 => first = Err(fault),
            Err(_) => {}
        }
    }
    first
}

fn check(chain: &[&Certificate], purpose: Purpose, revocation: &Revocation<'_>) -> Result<(), SubIndication> {
    constraints(chain, purpose, &revocation.times)?;
    revocation.check(chain, purpose)
}

fn constraints(chain: &[&Certificate], purpose: Purpose, times: &Times) -> Result<(), SubIndication> {
    let (signer, above) = chain
        .split_first()
        .ok_or(SubIndication::NoCertificateChainFound)?;
    let allowed =
        usable(signer, purpose) && chain.iter().all(|certificate| only_known_extensions(certificate));
    let authorities = above
        .iter()
        .enumerate()
        .all(|(depth, authority)| is_authority(authority, depth));
    if !allowed || !authorities {
        return Err(SubIndication::ChainConstraintsFailure);
    }
    validity(signer, above, times)
}

fn usable(certificate: &Certificate, purpose: Purpose) -> bool {
    let usage = match certificate.extension::<KeyUsage>() {
        Ok(Some((_, usage))) => usage.digital_signature() || usage.non_repudiation(),
        Ok(None) => true,
        Err(_) => false,
    };
    let extended = match certificate.extension::<ExtendedKeyUsage>() {
        Ok(Some((critical, usages))) => match purpose {
            Purpose::Timestamping => critical && usages.0 == [ID_KP_TIME_STAMPING],
            Purpose::Signature => usages.0 != [ID_KP_TIME_STAMPING],
        },
        Ok(None) => purpose == Purpose::Signature,
        Err(_) => false,
    };
    usage && extended
}

/// An unknown critical extension forbids to use the certificate (RFC 5280, 4.2); name constraints are unknown here.
fn only_known_extensions(certificate: &Certificate) -> bool {
    let known = [
        ID_CE_BASIC_CONSTRAINTS,
        ID_CE_CERTIFICATE_POLICIES,
        ID_CE_CRL_DISTRIBUTION_POINTS,
        ID_CE_EXT_KEY_USAGE,
        ID_CE_KEY_USAGE,
        ID_CE_SUBJECT_ALT_NAME,
    ];
    certificate
        .extensions()
        .iter()
        .all(|extension| !extension.critical || known.contains(&extension.id))
}

/// `depth` authorities stand between this one and the signer.
fn is_authority(certificate: &Certificate, depth: usize) -> bool {
    let constraints = match certificate.extension::<BasicConstraints>() {
        Ok(Some((_, constraints))) => {
            constraints.ca
                && constraints
                    .path_len_constraint
                    .is_none_or(|longest| depth <= usize::from(longest))
        }
        _ => false,
    };
    let usage = match certificate.extension::<KeyUsage>() {
        Ok(Some((_, usage))) => usage.key_cert_sign(),
        Ok(None) => true,
        Err(_) => false,
    };
    constraints && usage
}

fn validity(signer: &Certificate, above: &[&Certificate], times: &Times) -> Result<(), SubIndication> {
    let control = times.control();
    if control < signer.not_before() {
        let proved = times.existed.is_some();
        return Err(if proved {
            SubIndication::NotYetValid
        } else {
            SubIndication::OutOfBoundsNoPoe
        });
    }
    if control > signer.not_after() {
        let proved = times.made_after.is_some_and(|after| after > signer.not_after());
        return Err(if proved {
            SubIndication::Expired
        } else {
            SubIndication::OutOfBoundsNoPoe
        });
    }
    if above.iter().all(|authority| authority.is_valid_at(control)) {
        return Ok(());
    }
    Err(SubIndication::OutOfBoundsNoPoe)
}

struct Revocation<'m> {
    material: &'m Material,
    times: Times,
    /// How old data without `nextUpdate` may be.
    max_age: TimeDelta,
}

/// What revocation data say of a certificate.
enum Standing {
    Good {
        in_store: bool,
    },
    Revoked(DateTime<Utc>),
    /// Suspended (`certificateHold`) since then.
    OnHold(DateTime<Utc>),
    Unknown,
}

impl Revocation<'_> {
    fn check(&self, chain: &[&Certificate], purpose: Purpose) -> Result<(), SubIndication> {
        for (depth, pair) in chain.windows(2).enumerate() {
            let [certificate, issuer] = pair else { continue };
            let is_signer = depth == 0;
            match self.standing(certificate, issuer, !is_signer) {
                Standing::Good { .. } => {}
                Standing::Revoked(since) => self.revoked(since, is_signer)?,
                // EN 319 102-1, 5.2.6.4: a suspension ends in one way or the other, and then the answer is known.
                Standing::OnHold(since) if self.existed_before(since) => {}
                Standing::OnHold(_) => return Err(SubIndication::TryLater),
                // An authority's certificate that names no source was issued without one; only of the signer's is
                // an answer always asked.
                Standing::Unknown
                    if !names_source(certificate) && (!is_signer || purpose == Purpose::Timestamping) => {}
                Standing::Unknown => return Err(SubIndication::TryLater),
            }
        }
        Ok(())
    }

    fn existed_before(&self, since: DateTime<Utc>) -> bool {
        self.times.existed.is_some_and(|existed| existed < since)
    }

    /// Revocation counts from its time on (EN 319 102-1, 5.5.4).
    fn revoked(&self, since: DateTime<Utc>, is_signer: bool) -> Result<(), SubIndication> {
        if self.existed_before(since) {
            return Ok(());
        }
        let later = self.times.made_after.is_some_and(|after| after >= since);
        Err(match (is_signer, later) {
            (true, true) => SubIndication::Revoked,
            (true, false) => SubIndication::RevokedNoPoe,
            (false, _) => SubIndication::RevokedCaNoPoe,
        })
    }

    /// Data count if they reach the control time and are not from the future. Without `nextUpdate` newer information is there all
    /// the time (RFC 6960, 4.2.2.1): then they count for as long as the caller lets them.
    fn is_fresh(&self, said: &Said) -> bool {
        let until = said
            .next_update
            .or_else(|| said.this_update.checked_add_signed(self.max_age));
        said.this_update <= self.times.now && until.is_some_and(|until| until >= self.times.control())
    }

    /// A revocation for good outweighs everything; of a suspension, which may have ended, and its end the newer counts.
    fn standing(&self, certificate: &Certificate, issuer: &Certificate, is_authority: bool) -> Standing {
        let ocsps = self.material.ocsps.iter().filter_map(|(origin, ocsp)| {
            let said = sources::of_answer(ocsp, certificate, issuer)?;
            Some((*origin, said))
        });
        let crls = self.material.crls.iter().filter_map(|(origin, crl)| {
            let said = sources::of_list(crl, certificate, issuer, is_authority)?;
            Some((*origin, said))
        });
        let mut good: Option<(DateTime<Utc>, bool)> = None;
        let mut hold: Option<(DateTime<Utc>, DateTime<Utc>)> = None;
        for (origin, said) in ocsps.chain(crls) {
            match said.standing {
                sources::Standing::Revoked {
                    since,
                    on_hold: false,
                } => return Standing::Revoked(since),
                sources::Standing::Revoked { since, .. } => {
                    hold = hold.max(Some((said.this_update, since)));
                }
                sources::Standing::Good if self.is_fresh(&said) => {
                    let (known, in_store) = good.unwrap_or((said.this_update, false));
                    good = Some((known.max(said.this_update), in_store || origin == Origin::File));
                }
                sources::Standing::Good | sources::Standing::Unknown => {}
            }
        }
        match (good, hold) {
            (Some((good_at, _)), Some((hold_at, since))) if good_at <= hold_at => Standing::OnHold(since),
            (None, Some((_, since))) => Standing::OnHold(since),
            (Some((_, in_store)), _) => Standing::Good { in_store },
            (None, None) => Standing::Unknown,
        }
    }

    fn store_suffices(&self, chain: &[&Certificate]) -> bool {
        self.material.has_store
            && chain.windows(2).enumerate().all(|(depth, pair)| {
                let standing = self.standing(pair[0], pair[1], depth > 0);
                matches!(standing, Standing::Good { in_store: true })
                    || (matches!(standing, Standing::Unknown) && !names_source(pair[0]))
            })
    }
}

fn names_source(certificate: &Certificate) -> bool {
    let urls = revocation_urls(certificate);
    !urls.crl.is_empty() || !urls.ocsp.is_empty()
}
