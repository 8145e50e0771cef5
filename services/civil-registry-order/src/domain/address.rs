//! Where a parcel goes (UPU S42 elements), in both scripts. Does not print.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::act_key::western;
use crate::domain::fault::Faults;
use crate::domain::text::is_unprintable;

/// Longest element of an address, in characters: what fits on a label.
const LENGTH: usize = 80;
const MOROCCO: &str = "MA";

/// Country codes (ISO 3166-1 alpha-2).
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD \
    CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL \
    GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM \
    PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF \
    TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Whether the code is a country's.
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && COUNTRIES.split_ascii_whitespace().any(|known| known == code)
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

    /// Trims the elements and notes everything that is missing or impossible.
    pub fn check(&mut self, faults: &mut Faults) {
        self.country_code = self.country_code.trim().to_uppercase();
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
            if element.chars().count() > LENGTH {
                faults.note(field, "LENGTH", format!("must have at most {LENGTH} characters"));
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
            street_latin: "x".repeat(81),
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
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 249);
    }
}
