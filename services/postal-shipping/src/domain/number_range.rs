//! Ranges of serials that the designated operator allocated (UPU S10). A number is given once and never again.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::countries::MOROCCO;
use super::party::Fault;
use super::tracking_id::{LAST_SERIAL, TrackingId};
use super::vocabulary::Product;

/// What a new range is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub service: [u8; 2],
    pub country: [u8; 2],
    /// Both included.
    pub first: u32,
    pub last: u32,
}

/// A range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRange {
    pub id: Uuid,
    pub version: i64,
    pub span: Span,
    pub product: Product,
    /// The next serial to be given; `last + 1` when spent.
    pub next: u32,
    pub created_at: DateTime<Utc>,
}

/// What is left of a product's ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stock {
    pub left: u64,
    /// All numbers, given or not, of the ranges that are not spent.
    pub capacity: u64,
}

/// When numbers run low.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LowWater {
    pub numbers: u64,
    pub percent: u64,
}

impl LowWater {
    /// Fewer are left than the number, or than the part of what the ranges in use hold.
    pub const fn is_low(&self, stock: Stock) -> bool {
        stock.left < self.numbers || stock.left * 100 < stock.capacity * self.percent
    }
}

impl Span {
    /// Checks a range: a service indicator of registered mail (RA to RZ), the operator's country, eight-digit serials in
    /// order.
    ///
    /// # Errors
    /// All faults.
    pub fn parse(service: &str, country: &str, first: u32, last: u32) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut note = |field: &str, reason, text: &str| faults.push(Fault::new(reason, text).within(field));
        let service = pair(service).filter(|pair| pair[0] == b'R');
        if service.is_none() {
            note(
                "service_indicator",
                "SERVICE_INDICATOR",
                "registered mail has RA to RZ",
            );
        }
        let country = pair(country).filter(|pair| pair.as_slice() == MOROCCO.as_bytes());
        if country.is_none() {
            note("country_code", "COUNTRY", "numbers of this operator end in MA");
        }
        if last > LAST_SERIAL {
            note("last", "OUT_OF_RANGE", "a serial has eight digits");
        }
        if first > last {
            note("first", "OUT_OF_RANGE", "the first serial comes before the last");
        }
        match (service, country) {
            (Some(service), Some(country)) if faults.is_empty() => Ok(Self {
                service,
                country,
                first,
                last,
            }),
            _ => Err(faults),
        }
    }

    /// Where this span lies among the numbers of all series; equal numbers have equal places.
    pub fn places(&self) -> (i64, i64) {
        let letters = self.service.iter().chain(&self.country);
        let series = letters.fold(0i64, |series, letter| series * 26 + i64::from(letter - b'A'));
        let base = series * (i64::from(LAST_SERIAL) + 1);
        (base + i64::from(self.first), base + i64::from(self.last))
    }
}

impl NumberRange {
    /// The number of a serial of this range.
    pub fn number(&self, serial: u32) -> Option<TrackingId> {
        (self.span.first..=self.span.last)
            .contains(&serial)
            .then(|| TrackingId::new(self.span.service, serial, self.span.country))
            .flatten()
    }
}

fn pair(text: &str) -> Option<[u8; 2]> {
    let pair: [u8; 2] = text.trim().as_bytes().try_into().ok()?;
    let pair = pair.map(|letter| letter.to_ascii_uppercase());
    pair.iter().all(u8::is_ascii_uppercase).then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(service: &str, country: &str, first: u32, last: u32) -> Vec<String> {
        let faults = Span::parse(service, country, first, last)
            .err()
            .unwrap_or_default();
        faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn spans_are_checked() {
        assert!(faults("rr", "MA", 0, LAST_SERIAL).is_empty());
        assert_eq!(
            faults("VA", "FR", 5, 100_000_000),
            ["service_indicator", "country_code", "last"]
        );
        assert_eq!(faults("RRR", "MA", 6, 5), ["service_indicator", "first"]);
    }

    #[test]
    fn places_differ_by_series() {
        let places = |service| Span::parse(service, "MA", 10, 20).unwrap().places();
        let (first, last) = places("RR");
        assert_eq!(last - first, 10);
        assert!(places("RS").0 > last && places("RA").1 < first);
    }

    #[test]
    fn numbers_run_low_by_count_or_by_part() {
        let water = LowWater {
            numbers: 500,
            percent: 10,
        };
        let low = |left, capacity| water.is_low(Stock { left, capacity });
        assert!(!low(500, 5_000) && low(499, 4_000));
        assert!(!low(1_000, 10_000) && low(999, 10_000));
        assert!(low(0, 0));
    }
}
