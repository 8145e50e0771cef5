//! Deposit lists: what an office gave to the post in one go.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::party::{Address, AddressLines};
use super::shipment::Shipment;

/// A list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepositList {
    pub id: Uuid,
    pub office_id: Uuid,
    /// Of the civil date in Morocco.
    pub year: i32,
    /// Dense per office and year, from 1.
    pub number: i32,
    pub handed_over_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    /// The carrier took the announcement.
    pub announced: bool,
    pub hindrance: Option<Hindrance>,
    /// In order of their numbers.
    pub shipments: Vec<Uuid>,
}

impl DepositList {
    /// As people write it: `2026/000042`.
    pub fn written_number(&self) -> String {
        format!("{}/{:06}", self.year, self.number)
    }
}

/// Why an announcement waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    Unreachable,
    Refused,
}

impl Hindrance {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "CARRIER_UNREACHABLE",
            Self::Refused => "CARRIER_REFUSED",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Unreachable, Self::Refused]
            .into_iter()
            .find(|hindrance| hindrance.as_str() == word)
    }
}

/// The pause after this many failed attempts: 5 seconds, then double each time, at most 15 minutes.
pub fn pause_after(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(10);
    Duration::from_secs((5u64 << doublings).min(900))
}

/// Columns of the list as a file.
const HEADER: [&str; 16] = [
    "tracking_id",
    "product",
    "sheets",
    "addressee_latin",
    "addressee_arabic",
    "country_code",
    "postal_code",
    "locality_latin",
    "street_latin",
    "quarter_latin",
    "extra_latin",
    "locality_arabic",
    "street_arabic",
    "quarter_arabic",
    "extra_arabic",
    "phone",
];

/// The list as a file for the carrier: CSV (RFC 4180), UTF-8, one row a shipment.
///
/// # Errors
/// None that writing to memory has.
pub fn csv(shipments: &[Shipment]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(HEADER)?;
    for shipment in shipments {
        writer.write_record(row(shipment))?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

fn row(shipment: &Shipment) -> [String; 16] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let party = &shipment.addressee;
    let Address {
        country,
        postal_code,
        latin,
        arabic,
    } = &party.address;
    let lines = |lines: &Option<AddressLines>| {
        lines.as_ref().map_or_else(Default::default, |lines| {
            [
                lines.locality.clone(),
                lines.street.clone(),
                text(&lines.quarter),
                text(&lines.extra),
            ]
        })
    };
    let [locality_latin, street_latin, quarter_latin, extra_latin] = lines(latin);
    let [locality_arabic, street_arabic, quarter_arabic, extra_arabic] = lines(arabic);
    [
        shipment.tracking_id.to_string(),
        shipment.product.as_str().to_owned(),
        shipment.sheets.to_string(),
        text(&party.name.latin),
        text(&party.name.arabic),
        country.clone(),
        text(postal_code),
        locality_latin,
        street_latin,
        quarter_latin,
        extra_latin,
        locality_arabic,
        street_arabic,
        quarter_arabic,
        extra_arabic,
        text(&party.phone),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour() {
        let pauses: Vec<u64> = [1, 2, 3, 8, 9, 100]
            .map(|attempts| pause_after(attempts).as_secs())
            .to_vec();
        assert_eq!(pauses, [5, 10, 20, 640, 900, 900]);
    }
}
