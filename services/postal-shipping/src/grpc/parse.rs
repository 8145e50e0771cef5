//! Messages read into values of the domain.

use chrono::SecondsFormat;
use prost::Message;
use sha2::{Digest, Sha256};
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use super::fields::Fields;
use crate::domain::carrier_event::RawEvent;
use crate::domain::name::PartyName;
use crate::domain::party::{self, Party, RawAddress, RawLines};
use crate::domain::shipment::Draft;
use crate::domain::text::printable;
use crate::domain::vocabulary::{DocumentKind, Product, State};

const LONGEST_REFERENCE: usize = 64;
const MOST_MANDATARIES: usize = 5;

pub(super) fn product(fields: &mut Fields, product: pb::ShippingProduct) -> Option<Product> {
    match product {
        pb::ShippingProduct::Unspecified => fields.fault("product", "REQUIRED", "the product is required"),
        pb::ShippingProduct::RegisteredDomestic => Some(Product::RegisteredDomestic),
        pb::ShippingProduct::RegisteredInternational => Some(Product::RegisteredInternational),
    }
}

pub(super) fn draft(fields: &mut Fields, owner: &str, request: &pb::CreateShipmentRequest) -> Option<Draft> {
    let owner_reference = reference(fields, "owner_reference", &request.owner_reference);
    let office_id = fields.id("office_id", &request.office_id);
    let sender = party(fields, "sender", request.sender.as_ref());
    let addressee = party(fields, "addressee", request.addressee.as_ref());
    let mandataries = mandataries(fields, &request.mandataries);
    let product = product(fields, request.product());
    let sheets = match request.sheets {
        sheets @ 1..=100 => Some(sheets),
        _ => fields.fault("sheets", "OUT_OF_RANGE", "an envelope holds 1 to 100 sheets"),
    };
    if let (Some(product), Some(addressee)) = (product, &addressee) {
        let destination = party::destination(product, &addressee.address);
        fields.checked("product", destination.map_err(|fault| vec![fault]));
    }
    let mut content = request.clone();
    content.request_id.clear();
    Some(Draft {
        owner: owner.to_owned(),
        owner_reference: owner_reference?,
        content: Sha256::digest(content.encode_to_vec()).into(),
        office_id: office_id?,
        product: product?,
        sender: sender?,
        addressee: addressee?,
        mandataries: mandataries?,
        sheets: sheets?,
    })
}

pub(super) fn reference(fields: &mut Fields, field: &str, text: &str) -> Option<String> {
    match printable(text, LONGEST_REFERENCE) {
        Ok(Some(reference)) => Some(reference),
        Ok(None) => fields.fault(field, "REQUIRED", "the owner's reference is required"),
        Err(fault) => fields.fault(field, fault.reason, fault.description),
    }
}

fn mandataries(fields: &mut Fields, names: &[pb::PartyName]) -> Option<Vec<PartyName>> {
    if names.len() > MOST_MANDATARIES {
        let text = format!("at most {MOST_MANDATARIES} others may receive it");
        return fields.fault("mandataries", "OUT_OF_RANGE", text);
    }
    let checked: Vec<_> = names
        .iter()
        .enumerate()
        .filter_map(|(index, name)| {
            let checked = party::name(&name.latin, &name.arabic);
            fields.checked(&format!("mandataries[{index}]"), checked)
        })
        .collect();
    (checked.len() == names.len()).then_some(checked)
}

fn party(fields: &mut Fields, field: &str, message: Option<&pb::Party>) -> Option<Party> {
    let Some(message) = message else {
        return fields.fault(field, "REQUIRED", "name and address are required");
    };
    let name = message.name.clone().unwrap_or_default();
    let name = party::name(&name.latin, &name.arabic);
    let name = fields.checked(&format!("{field}.name"), name);
    let address = message.address.clone().unwrap_or_default();
    let address = fields.checked(
        &format!("{field}.address"),
        party::address(&raw_address(&address)),
    );
    let phone = party::phone(&message.phone).map_err(|fault| vec![fault]);
    let phone = fields.checked(&format!("{field}.phone"), phone);
    Some(Party {
        name: name?,
        address: address?,
        phone: phone?,
    })
}

fn raw_address(address: &pb::PostalAddress) -> RawAddress<'_> {
    RawAddress {
        country: &address.country_code,
        postal_code: &address.postal_code,
        latin: RawLines {
            locality: &address.locality_latin,
            street: &address.street_latin,
            quarter: &address.quarter_latin,
            extra: &address.extra_latin,
        },
        arabic: RawLines {
            locality: &address.locality_arabic,
            street: &address.street_arabic,
            quarter: &address.quarter_arabic,
            extra: &address.extra_arabic,
        },
    }
}

/// What was scanned and typed, as the carrier's own files have it.
pub(super) fn scanned(fields: &mut Fields, request: &pb::RecordScanRequest) -> Option<RawEvent> {
    let event = request.event.clone().unwrap_or_default();
    let event_time = fields.optional_instant("event.event_time", event.event_time.as_ref())?;
    let kind = match event.document_kind() {
        pb::RecipientDocumentKind::Unspecified => "",
        pb::RecipientDocumentKind::Cin => DocumentKind::Cin.as_str(),
        pb::RecipientDocumentKind::Passport => DocumentKind::Passport.as_str(),
        pb::RecipientDocumentKind::ResidenceCard => DocumentKind::ResidenceCard.as_str(),
    };
    Some(RawEvent {
        tracking_id: request.tracking_id.clone(),
        document_kind: kind.to_owned(),
        event_time: event_time
            .map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true))
            .unwrap_or_default(),
        code: event.code,
        place: event.place,
        reason_code: event.reason_code,
        action_code: event.action_code,
        held_until: event.held_until,
        recipient_name: event.recipient_name,
        document_last_four: event.document_last_four,
    })
}

pub(super) fn states(fields: &mut Fields, words: &[i32]) -> Option<Vec<State>> {
    let known: Option<Vec<State>> = words
        .iter()
        .map(|word| pb::ShipmentState::try_from(*word).ok().and_then(state))
        .collect();
    match known {
        Some(known) => Some(known),
        None => fields.fault("states", "UNKNOWN_WORD", "names states of a shipment"),
    }
}

fn state(word: pb::ShipmentState) -> Option<State> {
    State::ALL
        .iter()
        .copied()
        .find(|state| crate::wire::state(*state) == word)
}
