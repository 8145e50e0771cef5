//! How attempts are taken and given back.

use std::net::Ipv6Addr;
use std::time::Duration;

use sqlx::PgConnection;
use uuid::Uuid;

use super::super::work::Work;
use super::super::{App, Error};
use super::{
    CODES_ADDRESS, CODES_CONTACT, CODES_CONTACT_SOURCE, CODES_CONTACT_SOURCE_DAY, CODES_TEXTS,
    RESET_TRIES_SOURCE, SECOND_FACTOR, SECOND_FACTOR_ADDRESS, TRIES_CONTACT_SOURCE,
};
use crate::domain::quota::{Answer, Rate};
use crate::domain::vocabulary::{Channel, Word};
use crate::store::purge::SESSIONS_KEPT;
use crate::store::{quotas, sessions};

/// How much more room an IPv6 /48 has than one address.
pub(super) const ROOM_OF_NETWORK: u32 = 4;

/// A bucket, what is limited, and how often its rate applies.
pub(in crate::app) struct Limit {
    bucket: &'static str,
    parts: Vec<String>,
    room: u32,
}

/// What was taken, to be given back when the attempt proved right.
#[must_use = "an attempt that proved right gives back what it took"]
pub(in crate::app) struct Taken {
    bucket: &'static str,
    key: [u8; 32],
    rate: Option<Rate>,
}

/// Who asks for a code: an address, or a signed-in person.
#[derive(Clone, Copy)]
pub(in crate::app) enum Asker<'a> {
    Address(&'a str),
    Person(&'a str),
}

/// One bucket.
pub(in crate::app) fn of(bucket: &'static str, parts: &[&str]) -> Limit {
    Limit {
        bucket,
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        room: 1,
    }
}

/// One bucket for an address, and for the IPv6 /48 that it lies in.
pub(in crate::app) fn by_source(bucket: &'static str, parts: &[&str], address: &str) -> Vec<Limit> {
    let mut limits = vec![of(bucket, &[parts, &[address]].concat())];
    if let Some(network) = network(address) {
        limits.push(Limit {
            room: ROOM_OF_NETWORK,
            ..of(bucket, &[parts, &[&network]].concat())
        });
    }
    limits
}

/// The /48 of a /64.
fn network(address: &str) -> Option<String> {
    let [a, b, c, ..] = address.strip_suffix("/64")?.parse::<Ipv6Addr>().ok()?.segments();
    Some(format!("{a:x}:{b:x}:{c:x}::/48"))
}

/// What a code to a contact is counted by, before it is made.
pub(in crate::app) fn codes_to(contact: &str, asker: Asker<'_>) -> Vec<Limit> {
    let mut limits = Vec::new();
    let who = match asker {
        Asker::Address(address) => {
            limits.extend(by_source(CODES_ADDRESS, &[], address));
            limits.extend(by_source(CODES_CONTACT_SOURCE, &[contact], address));
            limits.extend(by_source(CODES_CONTACT_SOURCE_DAY, &[contact], address));
            "anyone"
        }
        Asker::Person(person) => {
            limits.push(of(CODES_ADDRESS, &[person]));
            limits.push(of(CODES_CONTACT_SOURCE, &[contact, person]));
            limits.push(of(CODES_CONTACT_SOURCE_DAY, &[contact, person]));
            "account"
        }
    };
    limits.push(of(CODES_CONTACT, &[contact, who]));
    limits
}

/// What a try of a code for a contact is counted by, over all sign-ups and changes.
pub(in crate::app) fn tries_of(contact: &str, asker: Asker<'_>) -> Vec<Limit> {
    match asker {
        Asker::Address(address) => by_source(TRIES_CONTACT_SOURCE, &[contact], address),
        Asker::Person(person) => vec![of(TRIES_CONTACT_SOURCE, &[contact, person])],
    }
}

/// What a try of a password reset is counted by; the account stands for one or for none.
pub(in crate::app) fn reset_tries(account: &str, address: &str) -> Vec<Limit> {
    by_source(RESET_TRIES_SOURCE, &[account], address)
}

impl App {
    /// The key of what is limited: keyed, since telephone numbers and addresses can be counted through.
    pub(in crate::app) fn quota_key(&self, bucket: &str, parts: &[&[u8]]) -> [u8; 32] {
        let bucket_and_parts = [&[bucket.as_bytes()], parts].concat();
        self.secrets.hashes.hash("quota", &bucket_and_parts)
    }

    fn key_of(&self, limit: &Limit) -> [u8; 32] {
        let parts: Vec<&[u8]> = limit.parts.iter().map(String::as_bytes).collect();
        self.quota_key(limit.bucket, &parts)
    }

    fn rate_of(&self, limit: &Limit) -> Option<Rate> {
        Some(self.quotas.rate(limit.bucket)?.times(limit.room))
    }

    /// Looks whether an attempt is left, and takes none: before something expensive, which is counted afterwards in its
    /// transaction.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is none left.
    pub(in crate::app) async fn require_left(&self, limits: &[Limit]) -> Result<(), Error> {
        let mut conn = self.pool.acquire().await?;
        for limit in limits {
            let Some(rate) = self.rate_of(limit) else {
                continue;
            };
            let (key, now) = (self.key_of(limit), self.ambient.now());
            let answer = quotas::look(&mut conn, limit.bucket, &key, rate, now).await?;
            if !answer.allowed {
                return Err(limited(answer));
            }
        }
        Ok(())
    }

    /// Takes one attempt of each, outside any transaction: it counts even when what follows is rolled back.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is none left.
    pub(in crate::app) async fn limit(&self, limits: &[Limit]) -> Result<Vec<Taken>, Error> {
        let mut conn = self.pool.acquire().await?;
        self.take_all(&mut conn, limits).await
    }

    /// As [`Self::limit`]; `None` when there is none left.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(in crate::app) async fn limit_if_left(&self, limit: &Limit) -> Result<Option<Taken>, Error> {
        let mut conn = self.pool.acquire().await?;
        Ok(self.take(&mut conn, limit).await?.ok())
    }

    /// Gives attempts back.
    pub(in crate::app) async fn unlimit(&self, taken: Vec<Taken>) -> Result<(), Error> {
        let mut conn = self.pool.acquire().await?;
        give_back(&mut conn, taken).await
    }

    async fn take_all(&self, conn: &mut PgConnection, limits: &[Limit]) -> Result<Vec<Taken>, Error> {
        let mut taken = Vec::with_capacity(limits.len());
        for limit in limits {
            taken.push(self.take(conn, limit).await?.map_err(limited)?);
        }
        Ok(taken)
    }

    async fn take(&self, conn: &mut PgConnection, limit: &Limit) -> Result<Result<Taken, Answer>, Error> {
        let taken = Taken {
            bucket: limit.bucket,
            key: self.key_of(limit),
            rate: self.rate_of(limit),
        };
        let Some(rate) = taken.rate else {
            return Ok(Ok(taken));
        };
        let answer = quotas::take(conn, taken.bucket, &taken.key, rate, 1, self.ambient.now()).await?;
        Ok(if answer.allowed { Ok(taken) } else { Err(answer) })
    }
}

async fn give_back(conn: &mut PgConnection, taken: Vec<Taken>) -> Result<(), Error> {
    for taken in taken {
        if let Some(rate) = taken.rate {
            quotas::give_back(conn, taken.bucket, &taken.key, rate).await?;
        }
    }
    Ok(())
}

impl Work<'_> {
    /// Takes one attempt of each in this transaction: it counts when the transaction commits, so also with a traced refusal,
    /// and a repeat of a command that was done takes nothing.
    ///
    /// # Errors
    /// [`Error::Limited`] when there is none left.
    pub(in crate::app) async fn limit(&mut self, limits: &[Limit]) -> Result<Vec<Taken>, Error> {
        let app = self.app();
        app.take_all(self.conn(), limits).await
    }

    /// Counts something that is sent or begun, whether or not it proves right.
    pub(in crate::app) async fn count(&mut self, limits: &[Limit]) -> Result<(), Error> {
        self.limit(limits).await.map(drop)
    }

    /// Counts it if there is one left, and says so.
    pub(in crate::app) async fn count_if_left(&mut self, limit: &Limit) -> Result<bool, Error> {
        let app = self.app();
        Ok(app.take(self.conn(), limit).await?.is_ok())
    }

    /// Gives attempts back.
    pub(in crate::app) async fn unlimit(&mut self, taken: Vec<Taken>) -> Result<(), Error> {
        give_back(self.conn(), taken).await
    }

    /// Counts a code that is about to be sent, over the whole installation.
    ///
    /// # Errors
    /// [`Error::Limited`] with `SERVICE_BUSY` when no more text messages may go out for the moment.
    pub(in crate::app) async fn count_sent(&mut self, channel: Channel) -> Result<(), Error> {
        let app = self.app();
        let answer = match channel {
            Channel::Email => Ok(()),
            Channel::Phone => app.take(self.conn(), &of(CODES_TEXTS, &[])).await?.map(drop),
        };
        let outcome = if answer.is_ok() { "sent" } else { "limited" };
        metrics::counter!("codes_total", "channel" => channel.as_str(), "outcome" => outcome).increment(1);
        answer.map_err(|answer| {
            tracing::error!(
                event = "codes.texts_exhausted",
                "no more codes go out by text message for the moment"
            );
            Error::Limited {
                reason: "SERVICE_BUSY",
                retry_after: wait(answer),
            }
        })
    }

    /// Takes a try of a person's second factor: by address, and by person, apart for each address that the person is known
    /// at, so that a stranger does not keep the holder out of a known one.
    ///
    /// # Errors
    /// [`Error::Limited`].
    pub(in crate::app) async fn limit_second_factor(
        &mut self,
        person: Uuid,
        address: &str,
    ) -> Result<Vec<Taken>, Error> {
        let since = self.ambient().now() - SESSIONS_KEPT;
        let known = sessions::is_known_address(self.conn(), person, address, since).await?;
        let place = if known { address } else { "" };
        let mut limits = by_source(SECOND_FACTOR_ADDRESS, &[], address);
        limits.push(of(SECOND_FACTOR, &[&person.to_string(), place]));
        self.limit(&limits).await
    }
}

fn limited(answer: Answer) -> Error {
    Error::Limited {
        reason: "TOO_MANY_ATTEMPTS",
        retry_after: wait(answer),
    }
}

fn wait(answer: Answer) -> Duration {
    answer
        .retry_after
        .to_std()
        .unwrap_or_default()
        .max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_counted_with_its_network_too() {
        assert_eq!(network("2001:db8:1:2::/64").as_deref(), Some("2001:db8:1::/48"));
        assert_eq!(network("192.0.2.7"), None);
        assert_eq!(network(""), None);
        let rooms = |address| -> Vec<u32> {
            by_source("b", &["a"], address)
                .iter()
                .map(|limit| limit.room)
                .collect()
        };
        assert_eq!(rooms("192.0.2.7"), [1]);
        assert_eq!(rooms("2001:db8:1:2::/64"), [1, ROOM_OF_NETWORK]);
    }
}
