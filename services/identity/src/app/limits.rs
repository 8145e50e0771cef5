//! Quotas, shared by all replicas through the database.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::work::Work;
use super::{App, Error};
use crate::domain::quota::{Answer, Rate};
use crate::store::purge::SESSIONS_KEPT;
use crate::store::{quotas, sessions};

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
    (SIGN_IN_STRANGERS, 2.0, 60),
    (SECOND_FACTOR, 0.5, 10),
    (SECOND_FACTOR_ADDRESS, 6.0, 30),
    (REAUTHENTICATION, 1.0, 10),
    (SIGN_UP_ADDRESS, 2.0, 30),
    (CODES_CONTACT, 0.1, 8),
    (CODES_CONTACT_SOURCE, 0.05, 5),
    (TRIES_CONTACT, 0.2, 25),
    (TRIES_CONTACT_SOURCE, 0.05, 10),
    (CONTACT_CHANGE, 0.1, 5),
    (RESET_ADDRESS, 2.0, 30),
    (RESET_ACCOUNT, 0.1, 3),
    (RESET_STRANGERS, 0.1, 10),
    (RESET_ATTEMPT, 6.0, 40),
    (RESET_TRIES, 0.2, 20),
    (RESET_TRIES_SOURCE, 0.05, 8),
];

/// Sign-ins from one address.
pub(super) const SIGN_IN_ADDRESS: &str = "sign_in.address";
/// Sign-ins to one account from one address: a stranger elsewhere uses up their own, never the holder's.
pub(super) const SIGN_IN_ACCOUNT: &str = "sign_in.account";
/// Sign-ins to one account from all addresses that it is not known at; apart for each address it is known at.
pub(super) const SIGN_IN_STRANGERS: &str = "sign_in.strangers";
/// Second factors of one person, apart for each known address.
pub(super) const SECOND_FACTOR: &str = "second_factor";
/// Second factors from one address.
pub(super) const SECOND_FACTOR_ADDRESS: &str = "second_factor.address";
/// Passwords and codes asked again within one session.
pub(super) const REAUTHENTICATION: &str = "reauthentication";
/// Sign-ups from one address.
pub(super) const SIGN_UP_ADDRESS: &str = "sign_up.address";
/// Codes sent to one contact, whatever for and whoever asked. It fills faster than one source can empty it, so that nobody
/// alone keeps its holder from a code.
pub(super) const CODES_CONTACT: &str = "codes.contact";
/// Codes sent to one contact for one source: an address, or a signed-in person.
pub(super) const CODES_CONTACT_SOURCE: &str = "codes.contact_source";
/// Wrong codes for one contact over all sign-ups and changes.
pub(super) const TRIES_CONTACT: &str = "tries.contact";
/// Wrong codes for one contact from one source.
pub(super) const TRIES_CONTACT_SOURCE: &str = "tries.contact_source";
/// Changes of contact of one person.
pub(super) const CONTACT_CHANGE: &str = "contact_change";
/// Password resets asked from one address.
pub(super) const RESET_ADDRESS: &str = "password_reset.address";
/// Password resets of one account asked from one address.
pub(super) const RESET_ACCOUNT: &str = "password_reset.account";
/// Password resets of one account asked from all addresses that it is not known at; apart for each known one.
pub(super) const RESET_STRANGERS: &str = "password_reset.strangers";
/// New passwords sent from one address.
pub(super) const RESET_ATTEMPT: &str = "password_reset.attempt";
/// Codes tried for one account over all its resets, apart for each known address.
pub(super) const RESET_TRIES: &str = "password_reset.tries";
/// Codes tried for one account from one address.
pub(super) const RESET_TRIES_SOURCE: &str = "password_reset.tries_source";

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

impl App {
    /// The key of what is limited: keyed, since telephone numbers and addresses can be counted through.
    fn quota_key(&self, bucket: &'static str, parts: &[&str]) -> [u8; 32] {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let bucket_and_parts = [&[bucket.as_bytes()], &parts[..]].concat();
        self.secrets.hashes.hash("quota", &bucket_and_parts)
    }

    /// Looks whether an attempt is left, and takes none: before something expensive, which is counted afterwards in its
    /// transaction.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is none left.
    pub(super) async fn require_left(&self, limits: &[Limit<'_>]) -> Result<(), Error> {
        let mut conn = self.pool.acquire().await?;
        for (bucket, parts) in limits {
            let Some(rate) = self.quotas.rate(bucket) else {
                continue;
            };
            let key = self.quota_key(bucket, parts);
            let answer = quotas::look(&mut conn, bucket, &key, rate, self.ambient.now()).await?;
            if !answer.allowed {
                return Err(limited(answer));
            }
        }
        Ok(())
    }

    /// Takes one attempt, outside any transaction: it counts even when what follows is rolled back.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is none left.
    pub(super) async fn limit(&self, bucket: &'static str, parts: &[&str]) -> Result<Taken, Error> {
        let mut conn = self.pool.acquire().await?;
        self.take(&mut conn, bucket, parts).await
    }

    /// Gives attempts back.
    pub(super) async fn unlimit(&self, taken: impl IntoIterator<Item = Taken>) -> Result<(), Error> {
        let mut conn = self.pool.acquire().await?;
        for taken in taken {
            self.give_back(&mut conn, taken).await?;
        }
        Ok(())
    }

    async fn take(
        &self,
        conn: &mut PgConnection,
        bucket: &'static str,
        parts: &[&str],
    ) -> Result<Taken, Error> {
        let key = self.quota_key(bucket, parts);
        let Some(rate) = self.quotas.rate(bucket) else {
            return Ok(Taken { bucket, key });
        };
        let answer = quotas::take(conn, bucket, &key, rate, 1, self.ambient.now()).await?;
        if answer.allowed {
            Ok(Taken { bucket, key })
        } else {
            Err(limited(answer))
        }
    }

    async fn give_back(&self, conn: &mut PgConnection, taken: Taken) -> Result<(), Error> {
        if let Some(rate) = self.quotas.rate(taken.bucket) {
            quotas::give_back(conn, taken.bucket, &taken.key, rate).await?;
        }
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
        let app = self.app();
        app.take(self.conn(), bucket, parts).await
    }

    /// Counts something that is sent or begun, whether or not it proves right.
    pub(super) async fn count(&mut self, bucket: &'static str, parts: &[&str]) -> Result<(), Error> {
        self.limit(bucket, parts).await.map(|_| ())
    }

    /// Gives attempts back.
    pub(super) async fn unlimit(&mut self, taken: impl IntoIterator<Item = Taken>) -> Result<(), Error> {
        let app = self.app();
        for taken in taken {
            app.give_back(self.conn(), taken).await?;
        }
        Ok(())
    }

    /// Counts a code that is sent to a contact.
    ///
    /// # Errors
    /// [`Error::Limited`].
    pub(super) async fn count_code(&mut self, contact: &str, source: &str) -> Result<(), Error> {
        for (bucket, parts) in codes_to(contact, source) {
            self.count(bucket, &parts[..]).await?;
        }
        Ok(())
    }

    /// Takes a try of a code for a contact, over all sign-ups and changes.
    ///
    /// # Errors
    /// [`Error::Limited`].
    pub(super) async fn limit_tries(&mut self, contact: &str, source: &str) -> Result<[Taken; 2], Error> {
        Ok([
            self.limit(TRIES_CONTACT_SOURCE, &[contact, source]).await?,
            self.limit(TRIES_CONTACT, &[contact]).await?,
        ])
    }

    /// Takes a try of a password reset, by what stands for the account whether or not there is one.
    ///
    /// # Errors
    /// [`Error::Limited`].
    pub(super) async fn limit_reset(
        &mut self,
        account: &str,
        person: Uuid,
        address: &str,
    ) -> Result<[Taken; 2], Error> {
        let known = self.known_address(person, address).await?;
        Ok([
            self.limit(RESET_TRIES_SOURCE, &[account, address]).await?,
            self.limit(RESET_TRIES, &[account, &known]).await?,
        ])
    }

    /// Takes a try of a person's second factor: by address, and by person, apart for each address that the person is known
    /// at, so that a stranger does not keep the holder out of a known one.
    ///
    /// # Errors
    /// [`Error::Limited`].
    pub(super) async fn limit_second_factor(
        &mut self,
        person: Uuid,
        address: &str,
    ) -> Result<[Taken; 2], Error> {
        let known = self.known_address(person, address).await?;
        Ok([
            self.limit(SECOND_FACTOR_ADDRESS, &[address]).await?,
            self.limit(SECOND_FACTOR, &[&person.to_string(), &known]).await?,
        ])
    }

    /// The address, where the person has signed in from it before; all other addresses count as one.
    pub(super) async fn known_address(&mut self, person: Uuid, address: &str) -> Result<String, Error> {
        let now = self.ambient().now();
        known_address(self.conn(), person, address, now).await
    }
}

/// A bucket, and what is limited.
pub(super) type Limit<'a> = (&'static str, Vec<&'a str>);

/// What a code to a contact is counted by.
pub(super) fn codes_to<'a>(contact: &'a str, source: &'a str) -> [Limit<'a>; 2] {
    [
        (CODES_CONTACT_SOURCE, vec![contact, source]),
        (CODES_CONTACT, vec![contact]),
    ]
}

/// As [`Work::known_address`], outside a command; the nil id is known nowhere.
pub(super) async fn known_address(
    conn: &mut PgConnection,
    person: Uuid,
    address: &str,
    now: DateTime<Utc>,
) -> Result<String, Error> {
    let known = sessions::is_known_address(conn, person, address, now - SESSIONS_KEPT).await?;
    Ok(if known { address.to_owned() } else { String::new() })
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

    /// Who asks alone, as fast as they may, leaves the contact's holder a code.
    #[test]
    fn one_source_cannot_empty_what_is_counted_by_contact() {
        let quotas = Quotas::new(HashMap::new());
        for (all, one) in [
            (CODES_CONTACT, CODES_CONTACT_SOURCE),
            (TRIES_CONTACT, TRIES_CONTACT_SOURCE),
            (SIGN_IN_STRANGERS, SIGN_IN_ACCOUNT),
            (RESET_STRANGERS, RESET_ACCOUNT),
            (RESET_TRIES, RESET_TRIES_SOURCE),
        ] {
            let (all, one) = (quotas.rate(all).unwrap(), quotas.rate(one).unwrap());
            assert!(one.burst < all.burst && one.interval >= all.interval);
        }
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
}
