//! Where an order's parcels go, in one line.

use wathiq_postal_address::countries::{self, MOROCCO};
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::full_name;
use crate::language::Language;
use crate::pages::Frame;

/// The addressee and the address, in the script of the language where it is given in it.
pub(super) fn of(frame: &Frame, order: &pb::Order) -> String {
    let name = full_name(frame.language, order.addressee.as_ref());
    match &order.address {
        Some(address) => line(frame.language, name, address),
        None => name,
    }
}

fn line(language: Language, name: String, address: &pb::DeliveryAddress) -> String {
    let arabic = matches!(language, Language::Arabic | Language::Tamazight);
    let written = |ar: &str, latin: &str| if arabic && !ar.is_empty() { ar } else { latin }.to_owned();
    let locality = written(&address.locality_arabic, &address.locality_latin);
    let parts = [
        name,
        written(&address.extra_arabic, &address.extra_latin),
        written(&address.street_arabic, &address.street_latin),
        written(&address.quarter_arabic, &address.quarter_latin),
        format!("{} {locality}", address.postal_code).trim().to_owned(),
        country(arabic, &address.country_code),
    ];
    let known: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    known.join(if arabic { "، " } else { ", " })
}

/// A country abroad. French is the language of international mail, so English pages name it in French too.
fn country(arabic: bool, code: &str) -> String {
    match countries::names(code) {
        _ if code == MOROCCO => String::new(),
        Some((_, name)) if arabic => name.to_owned(),
        Some((name, _)) => name.to_owned(),
        None => code.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_in_the_script_of_the_page() {
        let mut address = pb::DeliveryAddress {
            country_code: "MA".to_owned(),
            postal_code: "20250".to_owned(),
            locality_latin: "Casablanca".to_owned(),
            locality_arabic: "الدار البيضاء".to_owned(),
            street_latin: "12, rue Tarfaya".to_owned(),
            extra_latin: "Appt 3".to_owned(),
            ..Default::default()
        };
        let written =
            |language, address: &pb::DeliveryAddress| line(language, "S. Alaoui".to_owned(), address);
        assert_eq!(
            written(Language::French, &address),
            "S. Alaoui, Appt 3, 12, rue Tarfaya, 20250 Casablanca"
        );
        assert!(written(Language::Arabic, &address).ends_with("20250 الدار البيضاء"));
        address.country_code = "FR".to_owned();
        assert!(written(Language::English, &address).ends_with("20250 Casablanca, France"));
        assert!(written(Language::Arabic, &address).ends_with("، فرنسا"));
    }
}
