//! Quotas, shared by all replicas through the database.

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::work::Work;
use super::{App, Error};
use crate::domain::quota::{Answer, Rate};
use crate::store::quotas;

/// A bucket's name, its rate per minute and its burst.
type Default = (&'static str, f64, u32);

/// Buckets that exist without configuration. Those named `http.` are the gateway's; the others limit what follows.
const DEFAULTS: &[Default] = &[
    ("http.default", 300.0, 120),
    ("http.sign_in", 30.0, 30),
    ("http.sign_up", 10.0, 20),
    ("http.upload", 12.0, 12),
    ("http.verify", 30.0, 30),
    (SIGN_IN_ADDRESS, 60.0, 100),
    (SIGN_IN_ACCOUNT, 1.0, 10),
    (SECOND_FACTOR, 0.5, 10),
    (REAUTHENTICATION, 1.0, 10),
    (SIGN_UP_ADDRESS, 2.0, 30),
    (SIGN_UP_CONTACT, 0.1, 5),
    (SIGN_UP_CODES, 0.5, 4),
    (CONTACT_CHANGE, 0.1, 5),
    (RESET_ADDRESS, 2.0, 30),
    (RESET_ACCOUNT, 0.1, 3),
    (RESET_ATTEMPT, 6.0, 30),
];

/// Sign-ins from one address.
pub(super) const SIGN_IN_ADDRESS: &str = "sign_in.address";
/// Sign-ins to one account from one address: a stranger elsewhere uses up their own, never the holder's.
pub(super) const SIGN_IN_ACCOUNT: &str = "sign_in.account";
/// Second factors of one person, apart for each known address.
pub(super) const SECOND_FACTOR: &str = "second_factor";
/// Passwords and codes asked again within one session.
pub(super) const REAUTHENTICATION: &str = "reauthentication";
/// Sign-ups from one address.
pub(super) const SIGN_UP_ADDRESS: &str = "sign_up.address";
/// Sign-ups that name one contact.
pub(super) const SIGN_UP_CONTACT: &str = "sign_up.contact";
/// Codes sent and tried for one sign-up's channel.
pub(super) const SIGN_UP_CODES: &str = "sign_up.codes";
/// Changes of contact of one person.
pub(super) const CONTACT_CHANGE: &str = "contact_change";
/// Password resets asked from one address.
pub(super) const RESET_ADDRESS: &str = "password_reset.address";
/// Password resets of one account asked from one address.
pub(super) const RESET_ACCOUNT: &str = "password_reset.account";
/// New passwords sent from one address.
pub(super) const RESET_ATTEMPT: &str = "password_reset.attempt";

/// The rate of each bucket.
#[derive(Debug, Clone)]
pub struct Quotas(HashMap<String, Rate>);

impl Quotas {
    /// The defaults, with what the configuration changes or adds.
    pub fn new(configured: HashMap<String, Rate>) -> Self {
        let mut rates: HashMap<String, Rate> = DEFAULTS
            .iter()
            .filter_map(|(name, per_minute, burst)| {
                Some(((*name).to_owned(), Rate::per_minute(*per_minute, *burst)?))
            })
            .collect();
        rates.extend(configured);
        Self(rates)
    }

    pub fn rate(&self, bucket: &str) -> Option<Rate> {
        self.0.get(bucket).copied()
    }
}

/// What was taken, to be given back when the attempt proved right.
#[must_use = "an attempt that proved right gives back what it took"]
pub(super) struct Taken {
    bucket: &'static str,
    key: [u8; 32],
}

/// The key of what is limited.
fn key_of(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl App {
    /// Takes one attempt, outside any transaction: it counts even when what follows is rolled back.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is none left.
    pub(super) async fn limit(&self, bucket: &'static str, parts: &[&str]) -> Result<Taken, Error> {
        let key = key_of(parts);
        let Some(rate) = self.quotas.rate(bucket) else {
            return Ok(Taken { bucket, key });
        };
        let mut conn = self.pool.acquire().await?;
        let answer = quotas::take(&mut conn, bucket, &key, rate, 1, self.ambient.now()).await?;
        if answer.allowed {
            Ok(Taken { bucket, key })
        } else {
            Err(limited(answer))
        }
    }

    /// Gives an attempt back.
    pub(super) async fn unlimit(&self, taken: Taken) -> Result<(), Error> {
        let Some(rate) = self.quotas.rate(taken.bucket) else {
            return Ok(());
        };
        let mut conn = self.pool.acquire().await?;
        quotas::give_back(&mut conn, taken.bucket, &taken.key, rate).await?;
        Ok(())
    }
}

impl Work<'_> {
    /// Takes one attempt in this transaction: it counts when the transaction commits, so also with a traced refusal, and a
    /// repeat of a command that was done takes nothing.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is none left.
    pub(super) async fn limit(&mut self, bucket: &'static str, parts: &[&str]) -> Result<Taken, Error> {
        let key = key_of(parts);
        let Some(rate) = self.app().quotas.rate(bucket) else {
            return Ok(Taken { bucket, key });
        };
        let now = self.ambient().now();
        let answer = quotas::take(self.conn(), bucket, &key, rate, 1, now).await?;
        if answer.allowed {
            Ok(Taken { bucket, key })
        } else {
            Err(limited(answer))
        }
    }

    /// Counts something that is sent or begun, whether or not it proves right.
    pub(super) async fn count(&mut self, bucket: &'static str, parts: &[&str]) -> Result<(), Error> {
        self.limit(bucket, parts).await.map(|_| ())
    }

    /// Gives an attempt back.
    pub(super) async fn unlimit(&mut self, taken: Taken) -> Result<(), Error> {
        let Some(rate) = self.app().quotas.rate(taken.bucket) else {
            return Ok(());
        };
        quotas::give_back(self.conn(), taken.bucket, &taken.key, rate).await?;
        Ok(())
    }
}

fn limited(answer: Answer) -> Error {
    let retry_after = answer
        .retry_after
        .to_std()
        .unwrap_or_default()
        .max(Duration::from_secs(1));
    Error::Limited {
        reason: "TOO_MANY_ATTEMPTS",
        retry_after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_usable_rate() {
        let quotas = Quotas::new(HashMap::new());
        for (name, _, burst) in DEFAULTS {
            assert_eq!(quotas.rate(name).map(|rate| rate.burst), Some(*burst), "{name}");
        }
        assert_eq!(quotas.rate("unknown"), None);
    }

    #[test]
    fn the_configuration_wins() {
        let rate = Rate::per_minute(1.0, 1).unwrap();
        let quotas = Quotas::new(HashMap::from([
            ("http.verify".to_owned(), rate),
            ("new".to_owned(), rate),
        ]));
        assert_eq!(
            (quotas.rate("http.verify"), quotas.rate("new")),
            (Some(rate), Some(rate))
        );
    }

    #[test]
    fn parts_of_a_key_are_told_apart() {
        assert_ne!(key_of(&["ab", "c"]), key_of(&["a", "bc"]));
    }
}
