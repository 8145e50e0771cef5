//! Where a parcel goes (UPU S42 elements), in both scripts. Does not print.

use std::fmt;

use serde::{Deserialize, Serialize};
use wathiq_postal_address::countries;
use wathiq_postal_address::party::{self, LONGEST_LOCALITY, LONGEST_STREET, RawAddress, RawLines};

use crate::domain::act_key::western;
use crate::domain::fault::Faults;
use crate::domain::text::is_unprintable;

/// Morocco's code.
pub const MOROCCO: &str = "MA";

/// Whether the code is a country's.
pub fn is_country(code: &str) -> bool {
    countries::exists(code)
}

/// The code of the country as which an address is posted, of a code as it was typed.
pub fn posted_as(typed: &str) -> String {
    countries::postal(&typed.trim().to_uppercase()).to_owned()
}

/// An address.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    pub postal_code: String,
    pub locality_latin: String,
    pub street_latin: String,
    pub quarter_latin: String,
    pub extra_latin: String,
    pub locality_arabic: String,
    pub street_arabic: String,
    pub quarter_arabic: String,
    pub extra_arabic: String,
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Address(..)")
    }
}

impl Address {
    /// Inside Morocco.
    pub fn is_in_morocco(&self) -> bool {
        self.country_code == MOROCCO
    }

    /// Trims the elements and notes everything that is missing or impossible, and what the post does not take.
    pub fn check(&mut self, faults: &mut Faults) {
        let mut own = Faults::default();
        self.check_elements_and_form(&mut own);
        if own.is_empty() {
            self.check_as_the_post(&mut own);
        }
        for fault in own.into_found() {
            faults.note(&fault.field, fault.reason, fault.description);
        }
    }

    fn check_as_the_post(&self, faults: &mut Faults) {
        let raw = RawAddress {
            country: &self.country_code,
            postal_code: &self.postal_code,
            latin: RawLines {
                locality: &self.locality_latin,
                street: &self.street_latin,
                quarter: &self.quarter_latin,
                extra: &self.extra_latin,
            },
            arabic: RawLines {
                locality: &self.locality_arabic,
                street: &self.street_arabic,
                quarter: &self.quarter_arabic,
                extra: &self.extra_arabic,
            },
        };
        for fault in party::address(&raw).err().unwrap_or_default() {
            faults.note(&fault.field, fault.reason, fault.description);
        }
    }

    fn check_elements_and_form(&mut self, faults: &mut Faults) {
        self.country_code = posted_as(&self.country_code);
        self.postal_code = western(self.postal_code.trim());
        for element in self.elements_mut() {
            *element = element.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if !is_country(&self.country_code) {
            faults.note(
                "country_code",
                "COUNTRY_UNKNOWN",
                "must be a country's code (ISO 3166-1), such as MA",
            );
        } else if self.is_in_morocco() {
            self.check_morocco(faults);
        } else {
            self.check_abroad(faults);
        }
        self.check_elements(faults);
    }

    fn check_morocco(&self, faults: &mut Faults) {
        let digits = self.postal_code.bytes().all(|byte| byte.is_ascii_digit());
        if self.postal_code.len() != 5 || !digits {
            faults.note(
                "postal_code",
                "POSTAL_CODE",
                "in Morocco a postal code has 5 digits",
            );
        }
        let latin = !self.locality_latin.is_empty() && !self.street_latin.is_empty();
        let arabic = !self.locality_arabic.is_empty() && !self.street_arabic.is_empty();
        if latin || arabic {
            return;
        }
        // The script that was begun is the one to complete.
        let in_arabic = !self.locality_arabic.is_empty() || !self.street_arabic.is_empty();
        if in_arabic {
            required(faults, "locality_arabic", &self.locality_arabic);
            required(faults, "street_arabic", &self.street_arabic);
        } else {
            required(faults, "locality_latin", &self.locality_latin);
            required(faults, "street_latin", &self.street_latin);
        }
    }

    fn check_abroad(&self, faults: &mut Faults) {
        required(faults, "locality_latin", &self.locality_latin);
        required(faults, "street_latin", &self.street_latin);
        if self.postal_code.chars().count() > 16 {
            faults.note("postal_code", "LENGTH", "must have at most 16 characters");
        }
    }

    fn check_elements(&self, faults: &mut Faults) {
        for (field, element) in self.elements() {
            let longest = if field.starts_with("street") {
                LONGEST_STREET
            } else {
                LONGEST_LOCALITY
            };
            if element.chars().count() > longest {
                faults.note(field, "LENGTH", format!("must have at most {longest} characters"));
            }
            if element.chars().any(is_unprintable) {
                faults.note(
                    field,
                    "UNPRINTABLE",
                    "must not have control or text-direction characters",
                );
            }
        }
    }

    fn elements(&self) -> [(&'static str, &str); 9] {
        [
            ("postal_code", &self.postal_code),
            ("locality_latin", &self.locality_latin),
            ("street_latin", &self.street_latin),
            ("quarter_latin", &self.quarter_latin),
            ("extra_latin", &self.extra_latin),
            ("locality_arabic", &self.locality_arabic),
            ("street_arabic", &self.street_arabic),
            ("quarter_arabic", &self.quarter_arabic),
            ("extra_arabic", &self.extra_arabic),
        ]
    }

    fn elements_mut(&mut self) -> [&mut String; 8] {
        [
            &mut self.locality_latin,
            &mut self.street_latin,
            &mut self.quarter_latin,
            &mut self.extra_latin,
            &mut self.locality_arabic,
            &mut self.street_arabic,
            &mut self.quarter_arabic,
            &mut self.extra_arabic,
        ]
    }
}

fn required(faults: &mut Faults, field: &str, element: &str) {
    if element.is_empty() {
        faults.note(field, "ADDRESS_INCOMPLETE", "must not be empty");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(address: &mut Address) -> Vec<(String, &'static str)> {
        let mut faults = Faults::default();
        address.check(&mut faults);
        let found = faults.into_found().into_iter();
        found.map(|fault| (fault.field, fault.reason)).collect()
    }

    fn rabat() -> Address {
        Address {
            country_code: "ma".into(),
            postal_code: " ١٠٠٠٠ ".into(),
            locality_latin: "Rabat".into(),
            street_latin: "12  rue Oukaimeden".into(),
            ..Address::default()
        }
    }

    #[test]
    fn a_moroccan_address_is_whole_in_one_script() {
        let mut address = rabat();
        assert_eq!(check(&mut address), []);
        assert_eq!(
            (address.country_code.as_str(), address.postal_code.as_str()),
            ("MA", "10000")
        );
        assert_eq!(address.street_latin, "12 rue Oukaimeden");
        let mut arabic = Address {
            locality_latin: String::new(),
            street_latin: String::new(),
            locality_arabic: "الرباط".into(),
            street_arabic: "زنقة أوكايمدن".into(),
            ..rabat()
        };
        assert_eq!(check(&mut arabic), []);
        arabic.street_arabic.clear();
        assert_eq!(
            check(&mut arabic),
            [("street_arabic".to_owned(), "ADDRESS_INCOMPLETE")]
        );
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let mut address = Address {
            postal_code: "1000".into(),
            locality_latin: String::new(),
            street_latin: "x".repeat(101),
            quarter_latin: "a\u{202e}b".into(),
            ..rabat()
        };
        let expected = [
            ("postal_code", "POSTAL_CODE"),
            ("locality_latin", "ADDRESS_INCOMPLETE"),
            ("street_latin", "LENGTH"),
            ("quarter_latin", "UNPRINTABLE"),
        ];
        let found = check(&mut address);
        let found: Vec<_> = found
            .iter()
            .map(|(field, reason)| (field.as_str(), *reason))
            .collect();
        assert_eq!(found, expected);
        assert!(!format!("{:?}", rabat()).contains("Rabat"));
    }

    #[test]
    fn abroad_needs_latin_script_and_a_country() {
        let mut paris = Address {
            country_code: "FR".into(),
            postal_code: "75005".into(),
            ..rabat()
        };
        assert_eq!(check(&mut paris), []);
        paris.locality_latin.clear();
        assert_eq!(
            check(&mut paris),
            [("locality_latin".to_owned(), "ADDRESS_INCOMPLETE")]
        );
        paris.country_code = "XX".into();
        assert_eq!(
            check(&mut paris),
            [("country_code".to_owned(), "COUNTRY_UNKNOWN")]
        );
    }

    #[test]
    fn what_the_post_would_refuse_is_refused_here() {
        let with = |change: fn(&mut Address)| {
            let mut address = rabat();
            change(&mut address);
            check(&mut address)
        };
        let one = |field: &str, reason| vec![(field.to_owned(), reason)];
        assert_eq!(
            with(|address| address.locality_arabic = "الرباط".into()),
            one("street_arabic", "REQUIRED")
        );
        assert_eq!(
            with(|address| address.quarter_latin = "أكدال".into()),
            one("quarter_latin", "WRONG_SCRIPT")
        );
        assert_eq!(
            with(|address| address.quarter_latin = "x".repeat(61)),
            one("quarter_latin", "LENGTH")
        );
        assert_eq!(
            with(|address| address.street_latin = "rue\u{200b} 1".into()),
            one("street_latin", "UNPRINTABLE")
        );
        assert_eq!(
            with(|address| {
                address.country_code = "FR".into();
                address.postal_code = "75.005".into();
            }),
            one("postal_code", "POSTAL_CODE")
        );
        assert_eq!(
            with(|address| address.street_latin = "'Abd Allah (n° 3)".into()),
            []
        );
    }

    proptest! {
        /// Whatever is accepted here, the post takes.
        #[test]
        fn accepted_here_is_accepted_by_the_post(
            country in prop::sample::select(vec!["MA", "FR", "us", "XX", ""]),
            postal_code in "[0-9A-Z .-]{0,17}|[0-9]{5}",
            elements in prop::collection::vec("[a-zA-Z =+'(.\u{200b}\u{202e}0-9ابتثجڭگ-]{0,110}|[a-z]{1,12}|[ابتث]{1,12}|", 8),
        ) {
            let mut address = Address { country_code: country.into(), postal_code, ..Address::default() };
            for (place, element) in address.elements_mut().into_iter().zip(elements) {
                *place = element;
            }
            if check(&mut address).is_empty() {
                let mut refused = Faults::default();
                address.check_as_the_post(&mut refused);
                prop_assert!(refused.is_empty());
            }
        }
    }
}
