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

/// The price of each act from a number of copies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub from_copies: i16,
    pub price: Price,
}

/// The fee of a kind in a zone from a date on, whole: what stood before ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    pub document_kind: String,
    pub zone: String,
    /// From few copies to many.
    pub steps: Vec<Step>,
    pub valid_from: NaiveDate,
    /// The last day, where there is one: after it nothing is sold until another fee begins.
    pub valid_to: Option<NaiveDate>,
}

/// Why something has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The kind has no fee at all on that day.
    Kind,
    /// The kind has fees, but none in this zone.
    Zone,
    /// There is a fee, from more copies on.
    Quantity,
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
    /// The fees in force on a day: of each kind and zone the newest that has begun, unless it has ended.
    pub fn in_force(&self, day: NaiveDate) -> Vec<&Fee> {
        let begun = || self.fees.iter().filter(move |fee| fee.valid_from <= day);
        begun()
            .filter(|fee| {
                !begun().any(|later| {
                    (&later.document_kind, &later.zone) == (&fee.document_kind, &fee.zone)
                        && later.valid_from > fee.valid_from
                })
            })
            .filter(|fee| fee.valid_to.is_none_or(|last| day <= last))
            .collect()
    }

    /// The price of each copy of an act on a day.
    ///
    /// # Errors
    /// [`Gap`] where there is none. What stands above the ceiling, which nobody can set, is not sold in that zone.
    pub fn price(&self, kind: &str, zone: &str, copies: i16, day: NaiveDate) -> Result<Price, Gap> {
        let fees = self.in_force(day).into_iter();
        let of_kind: Vec<&Fee> = fees.filter(|fee| fee.document_kind == kind).collect();
        if of_kind.is_empty() {
            return Err(Gap::Kind);
        }
        let fee = of_kind
            .into_iter()
            .find(|fee| fee.zone == zone)
            .ok_or(Gap::Zone)?;
        let steps = fee.steps.iter().filter(|step| step.from_copies <= copies);
        let step = steps.max_by_key(|step| step.from_copies).ok_or(Gap::Quantity)?;
        let above = |ceiling| step.price.amount > ceiling;
        if zone == MOROCCO && self.ceiling(day).is_none_or(above) {
            return Err(Gap::Zone);
        }
        Ok(step.price)
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
                .flat_map(|fee| &fee.steps)
                .all(|step| {
                    self.ceiling(day)
                        .is_some_and(|ceiling| step.price.amount <= ceiling)
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

    fn step(from_copies: i16, amount: i64) -> Step {
        let price = Price {
            amount,
            office: amount,
            ..Price::default()
        };
        Step { from_copies, price }
    }

    fn fee(zone: &str, steps: &[(i16, i64)], from: &str) -> Fee {
        Fee {
            document_kind: "birth-extract".to_owned(),
            zone: zone.to_owned(),
            steps: steps
                .iter()
                .map(|(copies, amount)| step(*copies, *amount))
                .collect(),
            valid_from: day(from),
            valid_to: None,
        }
    }

    fn schedule() -> Schedule {
        let ceiling = |centimes, from| Ceiling {
            centimes,
            valid_from: day(from),
        };
        Schedule {
            fees: vec![
                fee(MOROCCO, &[(1, 2_000), (3, 1_500)], "2026-01-01"),
                fee(MOROCCO, &[(1, 1_800)], "2026-06-01"),
                fee("WORLD", &[(1, 9_000)], "2026-01-01"),
            ],
            ceilings: vec![ceiling(2_000, "2020-01-01"), ceiling(2_500, "2027-01-01")],
        }
    }

    fn amount(schedule: &Schedule, zone: &str, copies: i16, on: &str) -> Result<i64, Gap> {
        let price = schedule.price("birth-extract", zone, copies, day(on));
        price.map(|price| price.amount)
    }

    #[test]
    fn the_price_is_the_one_of_the_day_the_zone_and_the_copies() {
        let schedule = schedule();
        assert_eq!(amount(&schedule, MOROCCO, 1, "2025-12-31"), Err(Gap::Kind));
        assert_eq!(amount(&schedule, MOROCCO, 1, "2026-05-31"), Ok(2_000));
        assert_eq!(amount(&schedule, MOROCCO, 3, "2026-05-31"), Ok(1_500));
        assert_eq!(amount(&schedule, MOROCCO, 2, "2026-06-01"), Ok(1_800));
        assert_eq!(
            amount(&schedule, MOROCCO, 10, "2026-06-01"),
            Ok(1_800),
            "no step of the old fee stands beside the new one"
        );
        assert_eq!(amount(&schedule, "WORLD", 10, "2026-06-01"), Ok(9_000));
        assert_eq!(amount(&schedule, "MARS", 1, "2026-06-01"), Err(Gap::Zone));
        let unknown = schedule.price("no-kind", MOROCCO, 1, day("2026-06-01"));
        assert_eq!(unknown, Err(Gap::Kind));
    }

    #[test]
    fn a_fee_ends_on_its_last_day_and_what_stood_before_is_not_taken_up_again() {
        let mut schedule = schedule();
        schedule.fees.push(Fee {
            valid_to: Some(day("2026-07-31")),
            ..fee(MOROCCO, &[(2, 1_700)], "2026-07-01")
        });
        assert_eq!(amount(&schedule, MOROCCO, 2, "2026-07-31"), Ok(1_700));
        assert_eq!(amount(&schedule, MOROCCO, 1, "2026-07-31"), Err(Gap::Quantity));
        assert_eq!(amount(&schedule, MOROCCO, 2, "2026-08-01"), Err(Gap::Zone));
        schedule.fees.push(fee(MOROCCO, &[(1, 1_900)], "2026-08-02"));
        assert_eq!(amount(&schedule, MOROCCO, 2, "2026-08-02"), Ok(1_900));
    }

    #[test]
    fn nothing_is_ever_sold_above_the_ceiling() {
        let mut schedule = schedule();
        assert!(schedule.is_below_ceilings());
        schedule.fees.push(fee(MOROCCO, &[(1, 2_400)], "2027-02-01"));
        assert!(schedule.is_below_ceilings());
        schedule
            .fees
            .push(fee(MOROCCO, &[(1, 2_000), (5, 2_400)], "2026-12-31"));
        assert!(!schedule.is_below_ceilings());
        assert_eq!(amount(&schedule, MOROCCO, 5, "2026-12-31"), Err(Gap::Zone));
        assert_eq!(amount(&schedule, MOROCCO, 5, "2027-01-01"), Ok(2_400));
    }

    #[test]
    fn a_lower_ceiling_that_comes_later_binds_the_fees_that_stand_then() {
        let mut schedule = schedule();
        schedule.ceilings.push(Ceiling {
            centimes: 1_700,
            valid_from: day("2026-12-01"),
        });
        assert!(!schedule.is_below_ceilings());
        schedule.fees.push(fee(MOROCCO, &[(1, 1_700)], "2026-12-01"));
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
