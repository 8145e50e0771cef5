//! Quotas, shared by all replicas through the database.
//!
//! What a stranger may use up is theirs: their address, an account or a contact *from* their address. What is counted over
//! all addresses only makes each of them more careful, or spares a mailbox; it refuses nobody who shows what is right. An
//! IPv6 address is a /64 here, and all of a /48, which one subscriber may have, counts together with four times the room.

mod taking;

pub(super) use taking::{Asker, Taken, by_source, codes_to, of, reset_tries, tries_of};

use std::collections::HashMap;

use crate::domain::quota::Rate;

/// A bucket's name, its rate per minute and its burst.
type Default = (&'static str, f64, u32);

/// Per minute, of what may happen so often a day.
const fn a_day(times: f64) -> f64 {
    times / 1_440.0
}

/// Buckets that exist without configuration. Those named `http.` are the gateway's; the others limit what follows.
const DEFAULTS: &[Default] = &[
    ("http.default", 300.0, 120),
    ("http.sign_in", 30.0, 30),
    ("http.sign_up", 10.0, 20),
    ("http.upload", 12.0, 12),
    ("http.verify", 30.0, 30),
    (SIGN_IN_ADDRESS, 60.0, 100),
    (SIGN_IN_ACCOUNT, 1.0, 10),
    (SIGN_IN_EVERYWHERE, 2.0, 60),
    (SIGN_IN_CAREFUL, 0.05, 3),
    (SECOND_FACTOR, 0.5, 10),
    (SECOND_FACTOR_ADDRESS, 6.0, 30),
    (REAUTHENTICATION, 1.0, 10),
    (SIGN_UP_ADDRESS, 2.0, 30),
    (CODES_ADDRESS, a_day(1_000.0), 500),
    (CODES_CONTACT, 0.03, 30),
    (CODES_CONTACT_SOURCE, 0.05, 5),
    (CODES_CONTACT_SOURCE_DAY, a_day(10.0), 10),
    (CODES_TEXTS, 30.0, 3_000),
    (TRIES_CONTACT_SOURCE, 0.05, 10),
    (CONTACT_CHANGE, 0.1, 5),
    (RESET_ADDRESS, 2.0, 30),
    (RESET_ACCOUNT, 0.1, 3),
    (RESET_MAILS, 0.2, 10),
    (RESET_ATTEMPT, 6.0, 40),
    (RESET_TRIES_SOURCE, 0.05, 8),
];

/// Sign-ins from one address.
pub(super) const SIGN_IN_ADDRESS: &str = "sign_in.address";
/// Sign-ins to one account from one address: a stranger elsewhere uses up their own, never the holder's.
pub(super) const SIGN_IN_ACCOUNT: &str = "sign_in.account";
/// Wrong sign-ins to one account from everywhere. When none is left, each address falls under [`SIGN_IN_CAREFUL`].
pub(super) const SIGN_IN_EVERYWHERE: &str = "sign_in.everywhere";
/// Sign-ins from one address to an account that many try.
pub(super) const SIGN_IN_CAREFUL: &str = "sign_in.careful";
/// Second factors of one person, apart for each known address.
pub(super) const SECOND_FACTOR: &str = "second_factor";
/// Second factors from one address.
pub(super) const SECOND_FACTOR_ADDRESS: &str = "second_factor.address";
/// Passwords and codes asked again within one session.
pub(super) const REAUTHENTICATION: &str = "reauthentication";
/// Sign-ups from one address.
pub(super) const SIGN_UP_ADDRESS: &str = "sign_up.address";
/// Codes sent for one address, whomever to.
pub(super) const CODES_ADDRESS: &str = "codes.address";
/// Codes sent to one contact, whoever asked; apart for people without an account and for those signed in. One source alone
/// cannot empty it.
pub(super) const CODES_CONTACT: &str = "codes.contact";
/// Codes sent to one contact for one source: an address, or a signed-in person.
pub(super) const CODES_CONTACT_SOURCE: &str = "codes.contact_source";
/// The same over a day.
pub(super) const CODES_CONTACT_SOURCE_DAY: &str = "codes.contact_source_day";
/// Codes sent by text message in the whole installation: they cost money, and go to whichever numbers are asked for.
pub(super) const CODES_TEXTS: &str = "codes.texts";
/// Wrong codes for one contact from one source. Over all sources, the codes sent and the attempts of each are the bound.
pub(super) const TRIES_CONTACT_SOURCE: &str = "tries.contact_source";
/// Changes of contact of one person.
pub(super) const CONTACT_CHANGE: &str = "contact_change";
/// Password resets asked from one address.
pub(super) const RESET_ADDRESS: &str = "password_reset.address";
/// Password resets of one account asked from one address.
pub(super) const RESET_ACCOUNT: &str = "password_reset.account";
/// Messages about password resets to one account. A code lives twice as long as the next message may be away, so that
/// whoever asks while none is left has one that works in the mailbox.
pub(super) const RESET_MAILS: &str = "password_reset.mails";
/// New passwords sent from one address.
pub(super) const RESET_ATTEMPT: &str = "password_reset.attempt";
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::one_time_code;

    #[test]
    fn every_default_is_a_usable_rate() {
        let quotas = Quotas::new(HashMap::new());
        for (name, _, burst) in DEFAULTS {
            assert_eq!(quotas.rate(name).map(|rate| rate.burst), Some(*burst), "{name}");
        }
        assert_eq!(quotas.rate("unknown"), None);
    }

    /// Who asks alone, as fast as they may and from all of a /48, leaves the contact's holder a code.
    #[test]
    fn one_source_cannot_empty_what_is_counted_by_contact() {
        let rate = |name| Quotas::new(HashMap::new()).rate(name).unwrap();
        let (all, day) = (
            rate(CODES_CONTACT),
            rate(CODES_CONTACT_SOURCE_DAY).times(taking::ROOM_OF_NETWORK),
        );
        assert!(rate(CODES_CONTACT_SOURCE).times(taking::ROOM_OF_NETWORK).burst < all.burst);
        assert!(day.interval >= all.interval);
    }

    #[test]
    fn a_message_that_is_spared_leaves_an_earlier_one_that_works() {
        let mails = Quotas::new(HashMap::new()).rate(RESET_MAILS).unwrap();
        assert!(mails.interval * 2 <= one_time_code::LIFE);
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
