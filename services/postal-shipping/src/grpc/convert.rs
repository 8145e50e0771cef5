//! Values of the domain written into messages.

use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::domain::code_table::CodeTable;
use crate::domain::delivery::Proof;
use crate::domain::deposit_list::DepositList;
use crate::domain::name::PartyName;
use crate::domain::number_range::NumberRange;
use crate::domain::party::{AddressLines, Party};
use crate::domain::shipment::Shipment;
use crate::domain::tracking::RecordedEvent;
use crate::domain::vocabulary::{DocumentKind, Exception, Product};
use crate::wire::{date, state, timestamp, tracking_id};

/// A shipment without its events.
pub(super) fn shipment(shipment: &Shipment) -> pb::Shipment {
    let tracking = &shipment.tracking;
    let handover = shipment.handover;
    pb::Shipment {
        shipment_id: shipment.id.to_string(),
        owner: shipment.owner.clone(),
        owner_reference: shipment.owner_reference.clone(),
        office_id: shipment.office_id.to_string(),
        product: product(shipment.product).into(),
        tracking_id: Some(tracking_id(shipment.tracking_id)),
        state: state(tracking.state).into(),
        addressee: Some(party(&shipment.addressee)),
        mandataries: shipment.mandataries.iter().map(name).collect(),
        create_time: Some(timestamp(shipment.created_at)),
        update_time: Some(timestamp(shipment.updated_at)),
        deposit_list_id: handover
            .map(|handover| handover.deposit_list_id.to_string())
            .unwrap_or_default(),
        attempts: i32::try_from(tracking.attempts).unwrap_or(i32::MAX),
        held_until: tracking.held_until.map(date),
        proof: tracking.proof.as_ref().map(proof),
        exception_code: tracking
            .exception
            .map(Exception::as_str)
            .unwrap_or_default()
            .to_owned(),
        events: Vec::new(),
    }
}

/// A shipment with its events, which are in order.
pub(super) fn shipment_with_events(
    found: &Shipment,
    events: Vec<RecordedEvent>,
    codes: &CodeTable,
) -> pb::Shipment {
    pb::Shipment {
        events: events
            .into_iter()
            .map(|recorded| event(recorded, codes))
            .collect(),
        ..shipment(found)
    }
}

fn event(recorded: RecordedEvent, codes: &CodeTable) -> pb::TrackingEvent {
    let event = recorded.event;
    pb::TrackingEvent {
        event_id: recorded.id.to_string(),
        known: codes.meaning(&event.code).is_some(),
        code: event.code,
        event_time: Some(timestamp(event.event_time)),
        receive_time: Some(timestamp(recorded.received_at)),
        place: event.place.unwrap_or_default(),
        reason_code: event.reason_code.unwrap_or_default(),
        action_code: event.action_code.unwrap_or_default(),
        source: recorded.source.as_str().to_owned(),
    }
}

fn proof(proof: &Proof) -> pb::ProofOfDelivery {
    let kind = match proof.document_kind {
        DocumentKind::Cin => pb::RecipientDocumentKind::Cin,
        DocumentKind::Passport => pb::RecipientDocumentKind::Passport,
        DocumentKind::ResidenceCard => pb::RecipientDocumentKind::ResidenceCard,
    };
    pb::ProofOfDelivery {
        recipient_name: proof.recipient_name.clone(),
        document_kind: kind.into(),
        document_last_four: proof.document_last_four.clone(),
        deliver_time: Some(timestamp(proof.delivered_at)),
        recipient_relation: proof.relation.as_str().to_owned(),
    }
}

fn name(name: &PartyName) -> pb::PartyName {
    pb::PartyName {
        latin: name.latin.clone().unwrap_or_default(),
        arabic: name.arabic.clone().unwrap_or_default(),
    }
}

fn party(party: &Party) -> pb::Party {
    let address = &party.address;
    let [locality_latin, street_latin, quarter_latin, extra_latin] = lines(address.latin.as_ref());
    let [locality_arabic, street_arabic, quarter_arabic, extra_arabic] = lines(address.arabic.as_ref());
    pb::Party {
        name: Some(name(&party.name)),
        address: Some(pb::PostalAddress {
            country_code: address.country.clone(),
            postal_code: address.postal_code.clone().unwrap_or_default(),
            locality_latin,
            street_latin,
            quarter_latin,
            extra_latin,
            locality_arabic,
            street_arabic,
            quarter_arabic,
            extra_arabic,
        }),
        phone: party.phone.clone().unwrap_or_default(),
    }
}

fn lines(lines: Option<&AddressLines>) -> [String; 4] {
    lines.map_or_else(Default::default, |lines| {
        [
            lines.locality.clone(),
            lines.street.clone(),
            lines.quarter.clone().unwrap_or_default(),
            lines.extra.clone().unwrap_or_default(),
        ]
    })
}

fn product(product: Product) -> pb::ShippingProduct {
    match product {
        Product::RegisteredDomestic => pb::ShippingProduct::RegisteredDomestic,
        Product::RegisteredInternational => pb::ShippingProduct::RegisteredInternational,
    }
}

pub(super) fn deposit_list(list: &DepositList) -> pb::DepositList {
    pb::DepositList {
        deposit_list_id: list.id.to_string(),
        office_id: list.office_id.to_string(),
        number: list.written_number(),
        create_time: Some(timestamp(list.created_at)),
        shipment_ids: list.shipments.iter().map(ToString::to_string).collect(),
        announced: list.announced,
        hindrance: list
            .hindrance
            .map(|hindrance| hindrance.as_str().to_owned())
            .unwrap_or_default(),
    }
}

pub(super) fn range(range: &NumberRange, runs_low: bool) -> pb::NumberRange {
    let letters = |pair: [u8; 2]| pair.map(char::from).iter().collect();
    pb::NumberRange {
        range_id: range.id.to_string(),
        service_indicator: letters(range.span.service),
        country_code: letters(range.span.country),
        first: range.span.first,
        last: range.span.last,
        next: range.next,
        product: product(range.product).into(),
        create_time: Some(timestamp(range.created_at)),
        runs_low,
    }
}
