//! Messages that are right in form.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use super::{OFFICE, request_id};

fn address(country: &str) -> pb::PostalAddress {
    pb::PostalAddress {
        country_code: country.to_owned(),
        postal_code: "20250".to_owned(),
        locality_latin: "Casablanca".to_owned(),
        street_latin: "12, rue Tarfaya".to_owned(),
        quarter_latin: "Hay Hassani".to_owned(),
        extra_latin: "Appt 3".to_owned(),
        locality_arabic: "الدار البيضاء".to_owned(),
        street_arabic: "12، زنقة طرفاية".to_owned(),
        quarter_arabic: "الحي الحسني".to_owned(),
        extra_arabic: "شقة 3".to_owned(),
    }
}

fn party(latin: &str, arabic: &str) -> pb::Party {
    pb::Party {
        name: Some(pb::PartyName {
            latin: latin.to_owned(),
            arabic: arabic.to_owned(),
        }),
        address: Some(address("MA")),
        phone: "+212600000000".to_owned(),
    }
}

/// A request for a domestic shipment.
pub(crate) fn create(reference: &str) -> pb::CreateShipmentRequest {
    pb::CreateShipmentRequest {
        request_id: request_id(),
        owner_reference: reference.to_owned(),
        office_id: OFFICE.to_string(),
        sender: Some(pb::Party {
            phone: String::new(),
            ..party("Annexe Cité de l’Air", "ملحقة حي الطيران")
        }),
        addressee: Some(party("Mohamed El Alaoui", "محمد العلوي")),
        mandataries: vec![pb::PartyName {
            latin: "Salma Benkirane".to_owned(),
            arabic: "سلمى بنكيران".to_owned(),
        }],
        product: pb::ShippingProduct::RegisteredDomestic.into(),
        sheets: 2,
    }
}

/// An event of the carrier.
pub(crate) fn event(number: &str, code: &str, at: DateTime<Utc>) -> Value {
    json!({ "tracking_id": number, "code": code, "event_time": at.to_rfc3339() })
}

/// A delivery to this name against a document.
pub(crate) fn delivered(number: &str, name: &str, at: DateTime<Utc>) -> Value {
    let mut event = event(number, "EMI", at);
    event["recipient_name"] = json!(name);
    event["document_kind"] = json!("CIN");
    event["document_last_four"] = json!("3456");
    event
}
