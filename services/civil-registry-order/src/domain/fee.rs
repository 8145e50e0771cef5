//! What an act costs: by kind, destination zone, number of copies and date. Centimes of MAD, tax and registered mail included.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The zone inside Morocco, where the ceiling holds.
pub const MOROCCO: &str = "MOROCCO";
/// Copies of one act that can be ordered at once.
pub const COPIES: std::ops::RangeInclusive<i16> = 1..=10;

/// A price and where it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Price {
    pub amount: i64,
    pub office: i64,
    pub post: i64,
    pub tax: i64,
}

impl Price {
    /// Whether the parts are not negative and make up the amount.
    pub fn is_sound(&self) -> bool {
        let parts = [self.office, self.post, self.tax];
        self.amount > 0
            && parts.iter().all(|part| *part >= 0)
            && parts.iter().try_fold(0i64, |sum, part| sum.checked_add(*part)) == Some(self.amount)
    }

    /// For several copies; nothing where it cannot be counted.
    pub fn times(&self, copies: i16) -> Option<Self> {
        let times = |part: i64| part.checked_mul(copies.into());
        Some(Self {
            amount: times(self.amount)?,
            office: times(self.office)?,
            post: times(self.post)?,
            tax: times(self.tax)?,
        })
    }
}

/// A fee from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    pub document_kind: String,
    pub zone: String,
    /// The price of each act from this number of copies on.
    pub from_copies: i16,
    pub price: Price,
    pub valid_from: NaiveDate,
}

/// What is most that an act may cost inside Morocco, from a date on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    pub centimes: i64,
    pub valid_from: NaiveDate,
}

/// Fees and ceilings as they stand, past and coming ones too.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    pub fees: Vec<Fee>,
    pub ceilings: Vec<Ceiling>,
}

impl Schedule {
    /// The fees in force on a day.
    pub fn in_force(&self, day: NaiveDate) -> Vec<&Fee> {
        self.fees
            .iter()
            .filter(|fee| fee.valid_from <= day)
            .filter(|fee| {
                !self.fees.iter().any(|later| {
                    later.document_kind == fee.document_kind
                        && later.zone == fee.zone
                        && later.from_copies == fee.from_copies
                        && later.valid_from > fee.valid_from
                        && later.valid_from <= day
                })
            })
            .collect()
    }

    /// The price of each copy of an act on a day; nothing where there is none, or where it stands above the ceiling.
    pub fn price(&self, kind: &str, zone: &str, copies: i16, day: NaiveDate) -> Option<Price> {
        let fee = self
            .in_force(day)
            .into_iter()
            .filter(|fee| fee.document_kind == kind && fee.zone == zone && fee.from_copies <= copies)
            .max_by_key(|fee| fee.from_copies)?;
        let ceiling = self.ceiling(day);
        if zone == MOROCCO && ceiling.is_none_or(|ceiling| fee.price.amount > ceiling) {
            return None;
        }
        Some(fee.price)
    }

    /// The ceiling in force on a day.
    pub fn ceiling(&self, day: NaiveDate) -> Option<i64> {
        self.ceilings
            .iter()
            .filter(|ceiling| ceiling.valid_from <= day)
            .max_by_key(|ceiling| ceiling.valid_from)
            .map(|ceiling| ceiling.centimes)
    }

    /// Whether no fee inside Morocco is above a ceiling on any day on which both are in force.
    pub fn is_below_ceilings(&self) -> bool {
        // What is in force changes only on days on which something begins.
        let fees = self.fees.iter().map(|fee| fee.valid_from);
        let days = fees.chain(self.ceilings.iter().map(|ceiling| ceiling.valid_from));
        days.into_iter().all(|day| {
            self.in_force(day)
                .into_iter()
                .filter(|fee| fee.zone == MOROCCO)
                .all(|fee| {
                    self.ceiling(day)
                        .is_some_and(|ceiling| fee.price.amount <= ceiling)
                })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn fee(zone: &str, from_copies: i16, amount: i64, from: &str) -> Fee {
        let price = Price {
            amount,
            office: amount,
            ..Price::default()
        };
        Fee {
            document_kind: "birth-extract".to_owned(),
            zone: zone.to_owned(),
            from_copies,
            price,
            valid_from: day(from),
        }
    }

    fn schedule() -> Schedule {
        let ceiling = |centimes, from| Ceiling {
            centimes,
            valid_from: day(from),
        };
        Schedule {
            fees: vec![
                fee(MOROCCO, 1, 2_000, "2026-01-01"),
                fee(MOROCCO, 3, 1_500, "2026-01-01"),
                fee(MOROCCO, 1, 1_800, "2026-06-01"),
                fee("WORLD", 1, 9_000, "2026-01-01"),
            ],
            ceilings: vec![ceiling(2_000, "2020-01-01"), ceiling(2_500, "2027-01-01")],
        }
    }

    #[test]
    fn the_price_is_the_one_of_the_day_the_zone_and_the_copies() {
        let schedule = schedule();
        let price = |zone, copies, on| {
            schedule
                .price("birth-extract", zone, copies, day(on))
                .map(|price| price.amount)
        };
        assert_eq!(price(MOROCCO, 1, "2025-12-31"), None);
        assert_eq!(price(MOROCCO, 1, "2026-05-31"), Some(2_000));
        assert_eq!(price(MOROCCO, 2, "2026-06-01"), Some(1_800));
        assert_eq!(price(MOROCCO, 10, "2026-06-01"), Some(1_500));
        assert_eq!(price("WORLD", 10, "2026-06-01"), Some(9_000));
        assert_eq!(price("MARS", 1, "2026-06-01"), None);
        assert_eq!(schedule.price("no-kind", MOROCCO, 1, day("2026-06-01")), None);
    }

    #[test]
    fn nothing_is_ever_sold_above_the_ceiling() {
        let mut schedule = schedule();
        assert!(schedule.is_below_ceilings());
        schedule.fees.push(fee(MOROCCO, 1, 2_400, "2027-02-01"));
        assert!(schedule.is_below_ceilings());
        schedule.fees.push(fee(MOROCCO, 5, 2_400, "2026-12-31"));
        assert!(!schedule.is_below_ceilings());
        assert_eq!(
            schedule.price("birth-extract", MOROCCO, 5, day("2026-12-31")),
            None
        );
        assert_eq!(
            schedule
                .price("birth-extract", MOROCCO, 5, day("2027-01-01"))
                .map(|price| price.amount),
            Some(2_400)
        );
    }

    #[test]
    fn a_lower_ceiling_that_comes_later_binds_the_fees_that_stand_then() {
        let mut schedule = schedule();
        schedule.ceilings.push(Ceiling {
            centimes: 1_700,
            valid_from: day("2026-12-01"),
        });
        assert!(!schedule.is_below_ceilings());
        schedule.fees.push(fee(MOROCCO, 1, 1_700, "2026-12-01"));
        assert!(schedule.is_below_ceilings());
    }

    #[test]
    fn a_price_is_the_sum_of_its_parts() {
        let price = Price {
            amount: 2_000,
            office: 200,
            post: 1_500,
            tax: 300,
        };
        assert!(price.is_sound());
        assert_eq!(price.times(3).map(|price| price.amount), Some(6_000));
        assert!(!Price { tax: 299, ..price }.is_sound());
        assert!(
            !Price {
                tax: -300,
                office: 800,
                ..price
            }
            .is_sound()
        );
        assert!(!Price::default().is_sound());
        assert!(
            !Price {
                office: i64::MAX,
                ..price
            }
            .is_sound()
        );
        assert_eq!(
            Price {
                amount: i64::MAX,
                ..price
            }
            .times(2),
            None
        );
    }
}
