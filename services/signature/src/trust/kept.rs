//! Revocation data at hand: the newest list of each address, the newest answer about each certificate, and what proves that
//! a certificate was revoked, whatever later lists leave out.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use wathiq_pades::verify::{Said, Standing};

use super::pair::Pair;
use crate::pdf::Digested;

/// Lists, answers and proofs kept at the same time; together they fit into one job of a PDF worker.
const MAX_LISTS: usize = 16;
const MAX_ANSWERS: usize = 20;
const MAX_EVIDENCE: usize = 12;
/// Questions that are remembered as asked.
const MAX_PAUSES: usize = 1024;

/// What kind of data proves a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceKind {
    Crl,
    Ocsp,
}

impl EvidenceKind {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crl => "CRL",
            Self::Ocsp => "OCSP",
        }
    }

    /// Reads [`EvidenceKind::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Crl, Self::Ocsp]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A list or an answer, its signature checked, that names a certificate as revoked for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// SHA-256 of the certificate.
    pub certificate_sha256: [u8; 32],
    pub revoked_at: DateTime<Utc>,
    pub kind: EvidenceKind,
    /// DER.
    pub data: Bytes,
}

/// A value with when it was last used.
struct Slot<T> {
    value: T,
    used: u64,
}

struct Dated {
    data: Digested,
    this_update: DateTime<Utc>,
}

/// Evidence with the hash of its data.
struct Proof {
    evidence: Evidence,
    data: Digested,
}

/// All that is at hand.
#[derive(Default)]
pub(super) struct Kept {
    /// By address.
    lists: HashMap<String, Slot<Dated>>,
    /// By certificate.
    answers: HashMap<[u8; 32], Slot<Dated>>,
    /// By certificate.
    proofs: HashMap<[u8; 32], Slot<Proof>>,
    pauses: HashMap<String, DateTime<Utc>>,
    uses: u64,
}

impl Kept {
    /// Lists, and those that prove a revocation.
    pub(super) fn lists(&self) -> Vec<Digested> {
        let newest = self.lists.values().map(|slot| slot.value.data.clone());
        distinct(newest.chain(self.proofs_of(EvidenceKind::Crl)))
    }

    /// Answers, and those that prove a revocation.
    pub(super) fn answers(&self) -> Vec<Digested> {
        let newest = self.answers.values().map(|slot| slot.value.data.clone());
        distinct(newest.chain(self.proofs_of(EvidenceKind::Ocsp)))
    }

    fn proofs_of(&self, kind: EvidenceKind) -> impl Iterator<Item = Digested> {
        let proofs = self.proofs.values().map(|slot| &slot.value);
        proofs
            .filter(move |proof| proof.evidence.kind == kind)
            .map(|proof| proof.data.clone())
    }

    /// Keeps a list, unless a newer one of the same address is at hand. Answers whether anything is new.
    pub(super) fn keep_list(&mut self, address: &str, pair: &Pair, der: Bytes) -> bool {
        let said = pair.read_list(&der);
        let new = self.uses();
        keep(&mut self.lists, address.to_owned(), der, said, new, MAX_LISTS)
    }

    /// Keeps an answer, unless a newer one is at hand. Answers whether anything is new.
    pub(super) fn keep_answer(&mut self, pair: &Pair, der: Bytes) -> bool {
        let said = pair.read_answer(&der, None);
        let new = self.uses();
        keep(&mut self.answers, pair.fingerprint, der, said, new, MAX_ANSWERS)
    }

    /// Takes a proof up; answers whether it is new.
    pub(super) fn learn(&mut self, evidence: Evidence) -> bool {
        let used = self.uses();
        if let Some(slot) = self.proofs.get_mut(&evidence.certificate_sha256) {
            slot.used = used;
            return false;
        }
        make_room(&mut self.proofs, MAX_EVIDENCE);
        let certificate = evidence.certificate_sha256;
        let data = Digested::of(evidence.data.clone());
        let value = Proof { evidence, data };
        self.proofs.insert(certificate, Slot { value, used });
        true
    }

    /// What at hand proves that the certificate is revoked for good; it is kept from now on.
    pub(super) fn evidence(&mut self, pair: &Pair) -> Option<Evidence> {
        let (kind, data, since) =
            self.statements(pair)
                .into_iter()
                .find_map(|(kind, der, said)| match said.standing {
                    Standing::Revoked {
                        since,
                        on_hold: false,
                    } => Some((kind, der, since)),
                    _ => None,
                })?;
        let evidence = Evidence {
            certificate_sha256: pair.fingerprint,
            revoked_at: since,
            kind,
            data,
        };
        self.learn(evidence.clone());
        Some(evidence)
    }

    /// Whether what is at hand says that the certificate is revoked, or suspended: of a suspension and its end, the newer counts.
    pub(super) fn says_revoked(&self, pair: &Pair) -> bool {
        let said = self.statements(pair).into_iter().map(|(_, _, said)| said);
        let newest = |said: &[Said], wanted: fn(Standing) -> bool| {
            let matching = said.iter().filter(|said| wanted(said.standing));
            matching.map(|said| said.this_update).max()
        };
        let said: Vec<Said> = said.collect();
        let for_good = |standing| matches!(standing, Standing::Revoked { on_hold: false, .. });
        let on_hold = |standing| matches!(standing, Standing::Revoked { on_hold: true, .. });
        said.iter().any(|said| for_good(said.standing))
            || newest(&said, on_hold)
                .is_some_and(|held| newest(&said, |standing| standing == Standing::Good) <= Some(held))
    }

    /// Everything at hand about a certificate.
    fn statements(&self, pair: &Pair) -> Vec<(EvidenceKind, Bytes, Said)> {
        let proof = self.proofs.get(&pair.fingerprint);
        let proof = proof.map(|slot| &slot.value.evidence);
        let proof = proof.map(|proof| (proof.kind, proof.data.clone()));
        let lists = self.lists.values();
        let lists = lists.map(|slot| (EvidenceKind::Crl, slot.value.data.der.clone()));
        let answer = self.answers.get(&pair.fingerprint);
        let answer = answer.map(|slot| (EvidenceKind::Ocsp, slot.value.data.der.clone()));
        proof
            .into_iter()
            .chain(answer)
            .chain(lists)
            .filter_map(|(kind, der)| {
                let said = match kind {
                    EvidenceKind::Crl => pair.read_list(&der),
                    EvidenceKind::Ocsp => pair.read_answer(&der, None),
                };
                said.map(|said| (kind, der, said))
            })
            .collect()
    }

    /// Whether this was asked a moment ago.
    pub(super) fn is_paused(&self, question: &str, now: DateTime<Utc>) -> bool {
        self.pauses.get(question).is_some_and(|until| *until > now)
    }

    /// Nobody asks this again before `until`.
    pub(super) fn pause(&mut self, question: &str, now: DateTime<Utc>, until: DateTime<Utc>) {
        if self.pauses.len() >= MAX_PAUSES {
            self.pauses.retain(|_, until| *until > now);
        }
        if self.pauses.len() < MAX_PAUSES {
            self.pauses.insert(question.to_owned(), until);
        }
    }

    fn uses(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }
}

fn keep<K: std::hash::Hash + Eq + Clone>(
    slots: &mut HashMap<K, Slot<Dated>>,
    key: K,
    der: Bytes,
    said: Option<Said>,
    used: u64,
    limit: usize,
) -> bool {
    let Some(Said { this_update, .. }) = said else {
        return false;
    };
    if let Some(slot) = slots.get_mut(&key) {
        slot.used = used;
        // A server that serves an old list again does not take back what it has told.
        if slot.value.this_update > this_update || slot.value.data.der == der {
            return false;
        }
        let data = Digested::of(der);
        slot.value = Dated { data, this_update };
        return true;
    }
    make_room(slots, limit);
    let data = Digested::of(der);
    let value = Dated { data, this_update };
    slots.insert(key, Slot { value, used });
    true
}

/// Lets the slot go that was not used for longest.
fn make_room<K: std::hash::Hash + Eq + Clone, T>(slots: &mut HashMap<K, Slot<T>>, limit: usize) {
    if slots.len() < limit {
        return;
    }
    let oldest = slots.iter().min_by_key(|(_, slot)| slot.used);
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        slots.remove(&key);
    }
}

fn distinct(data: impl Iterator<Item = Digested>) -> Vec<Digested> {
    let mut seen = HashSet::new();
    data.filter(|data| seen.insert(data.sha256)).collect()
}
