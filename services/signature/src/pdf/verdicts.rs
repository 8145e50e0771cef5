//! Verdicts on files that were issued here, remembered for a little while: the QR of a document that many people look up is
//! not opened anew for each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::material::TrustMaterial;
use super::verdict::FileVerdict;

/// Verdicts kept at the same time.
const MAX_KEPT: usize = 256;
/// How old a verdict may be. Anchors and revocation data it stands on are part of its key: a list that was replaced, or has
/// become too old to be used, ends the verdict before.
const LIFE: TimeDelta = TimeDelta::minutes(1);

/// SHA-256 of the file, and of what it is judged with.
type Key = ([u8; 32], [u8; 32]);

struct Kept {
    verdict: FileVerdict,
    /// The time the verdict is about.
    at: DateTime<Utc>,
}

/// The remembered verdicts of a process.
#[derive(Default)]
pub(super) struct Verdicts {
    kept: Mutex<HashMap<Key, Kept>>,
}

impl Verdicts {
    /// The verdict on a file with the same trust material, at most [`LIFE`] old.
    pub(super) fn find(&self, file: [u8; 32], trust: &TrustMaterial) -> Option<FileVerdict> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(file, fingerprint(trust)))
            .filter(|kept| stands(kept, trust.at))
            .map(|kept| kept.verdict.clone())
    }

    /// Remembers a verdict.
    pub(super) fn keep(&self, file: [u8; 32], trust: &TrustMaterial, verdict: &FileVerdict) {
        let kept = Kept {
            verdict: verdict.clone(),
            at: trust.at,
        };
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_KEPT {
            all.retain(|_, kept| stands(kept, trust.at));
        }
        if all.len() < MAX_KEPT {
            all.insert((file, fingerprint(trust)), kept);
        }
    }
}

fn stands(kept: &Kept, now: DateTime<Utc>) -> bool {
    kept.at <= now && now - kept.at < LIFE
}

/// SHA-256 of everything but the time, whatever order it is in.
fn fingerprint(trust: &TrustMaterial) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(trust.max_age.num_seconds().to_be_bytes());
    for part in [&trust.anchors, &trust.crls, &trust.ocsp_responses] {
        let mut digests: Vec<[u8; 32]> = part.iter().map(|data| data.sha256).collect();
        digests.sort_unstable();
        hash.update((digests.len() as u64).to_be_bytes());
        digests.iter().for_each(|digest| hash.update(digest));
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::pdf::Digested;

    fn trust(at: DateTime<Utc>, lists: &[&'static str]) -> TrustMaterial {
        TrustMaterial {
            at,
            max_age: TimeDelta::zero(),
            anchors: vec![Digested::of(Bytes::from_static(b"anchor"))],
            crls: lists
                .iter()
                .map(|list| Digested::of(Bytes::from_static(list.as_bytes())))
                .collect(),
            ocsp_responses: Vec::new(),
        }
    }

    fn verdict() -> FileVerdict {
        FileVerdict {
            signatures: Vec::new(),
            links: Vec::new(),
        }
    }

    #[test]
    fn a_verdict_stands_as_long_as_what_it_was_reached_with() {
        let (verdicts, now) = (Verdicts::default(), DateTime::UNIX_EPOCH + TimeDelta::days(1));
        let file = [1; 32];
        verdicts.keep(file, &trust(now, &["one", "two"]), &verdict());
        let found = |at, lists: &[&'static str]| verdicts.find(file, &trust(at, lists)).is_some();
        assert!(found(now, &["two", "one"]), "the order of lists is none");
        assert!(found(now + LIFE - TimeDelta::microseconds(1), &["one", "two"]));
        assert!(!found(now + LIFE, &["one", "two"]), "too old");
        assert!(
            !found(now - TimeDelta::microseconds(1), &["one", "two"]),
            "about a later time"
        );
        assert!(!found(now, &["one", "newer"]), "a list was replaced");
        assert!(!found(now, &["one"]), "a list is no longer fresh");
        assert!(verdicts.find([2; 32], &trust(now, &["one", "two"])).is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (verdicts, now) = (Verdicts::default(), DateTime::UNIX_EPOCH + TimeDelta::days(1));
        let file = |number: usize| -> [u8; 32] { Sha256::digest(number.to_be_bytes()).into() };
        for number in 0..=MAX_KEPT {
            verdicts.keep(file(number), &trust(now, &[]), &verdict());
        }
        assert!(verdicts.find(file(0), &trust(now, &[])).is_some());
        assert!(verdicts.find(file(MAX_KEPT), &trust(now, &[])).is_none(), "full");
        let later = now + LIFE;
        verdicts.keep(file(MAX_KEPT), &trust(later, &[]), &verdict());
        assert!(
            verdicts.find(file(MAX_KEPT), &trust(later, &[])).is_some(),
            "the old made room"
        );
    }
}
