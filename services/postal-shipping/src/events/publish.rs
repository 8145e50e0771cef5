//! From facts of the domain to events. No event carries a name, an address or a document.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::domain::number_range::NumberRange;
use crate::domain::shipment::Shipment;
use crate::domain::vocabulary::Exception;
use crate::wire;

pub const SHIPMENT: &str = "wathiq.postal-shipping.shipment.v1";
pub const RANGE: &str = "wathiq.postal-shipping.range.v1";

pub fn created(shipment: &Shipment) -> NewEvent {
    let created = pb::ShipmentCreated {
        shipment_id: shipment.id.to_string(),
        owner: shipment.owner.clone(),
        owner_reference: shipment.owner_reference.clone(),
        office_id: shipment.office_id.to_string(),
        tracking_id: Some(wire::tracking_id(shipment.tracking_id)),
    };
    of(shipment, &created)
}

pub fn handed_over(shipment: &Shipment, deposit_list_id: Uuid) -> NewEvent {
    let handed_over = pb::ShipmentHandedOver {
        shipment_id: shipment.id.to_string(),
        owner: shipment.owner.clone(),
        owner_reference: shipment.owner_reference.clone(),
        deposit_list_id: deposit_list_id.to_string(),
    };
    of(shipment, &handed_over)
}

pub fn cancelled(shipment: &Shipment) -> NewEvent {
    let cancelled = pb::ShipmentCancelled {
        shipment_id: shipment.id.to_string(),
        owner: shipment.owner.clone(),
        owner_reference: shipment.owner_reference.clone(),
    };
    of(shipment, &cancelled)
}

/// The carrier told something new.
pub fn tracked(shipment: &Shipment, event_time: DateTime<Utc>) -> NewEvent {
    let tracked = pb::ShipmentTracked {
        shipment_id: shipment.id.to_string(),
        owner: shipment.owner.clone(),
        owner_reference: shipment.owner_reference.clone(),
        state: wire::state(shipment.state()).into(),
        event_time: Some(wire::timestamp(event_time)),
        attempts: i32::try_from(shipment.tracking.attempts).unwrap_or(i32::MAX),
        held_until: shipment.tracking.held_until.map(wire::date),
        exception_code: exception(shipment),
    };
    of(shipment, &tracked)
}

/// The state changed without the carrier.
pub fn state_changed(shipment: &Shipment) -> NewEvent {
    let changed = pb::ShipmentStateChanged {
        shipment_id: shipment.id.to_string(),
        owner: shipment.owner.clone(),
        owner_reference: shipment.owner_reference.clone(),
        state: wire::state(shipment.state()).into(),
        exception_code: exception(shipment),
    };
    of(shipment, &changed)
}

pub fn range_allocated(range: &NumberRange) -> NewEvent {
    let allocated = pb::NumberRangeAllocated {
        range_id: range.id.to_string(),
        service_indicator: range.span.service.map(char::from).iter().collect(),
        first: range.span.first,
        last: range.span.last,
    };
    NewEvent::of(RANGE, range.id, range.version, &allocated)
}

pub fn range_runs_low(range_id: Uuid, version: i64, left: u64) -> NewEvent {
    let low = pb::NumberRangeRunsLow {
        range_id: range_id.to_string(),
        left: u32::try_from(left).unwrap_or(u32::MAX),
    };
    NewEvent::of(RANGE, range_id, version, &low)
}

fn of<M: prost::Message + prost::Name>(shipment: &Shipment, message: &M) -> NewEvent {
    NewEvent::of(SHIPMENT, shipment.id, shipment.version, message)
}

fn exception(shipment: &Shipment) -> String {
    let code = shipment.tracking.exception.map(Exception::as_str);
    code.unwrap_or_default().to_owned()
}
