//! What happens to kinds of document, fees and their ceiling, as events.

use uuid::Uuid;
use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::domain::fee::{Ceiling, Fee};
use crate::domain::kind::DocumentKind;
use crate::store::catalogue::{Destination, Holiday};
use crate::store::templates::TemplateVersion;
use crate::wire;

/// Topic of kinds, fees, ceilings, versions of templates, holidays, zones and custody.
pub const TOPIC: &str = "wathiq.civil-registry-order.catalogue.v1";

/// A kind was added, or a version of it.
pub fn kind_changed(kind: &DocumentKind) -> NewEvent {
    let message = pb::DocumentKindChanged {
        document_kind_id: kind.id.to_string(),
        code: kind.code.clone(),
        valid_from: Some(wire::date(kind.valid_from)),
    };
    NewEvent::of(TOPIC, kind.id, 1, &message)
}

/// A fee was set.
pub fn fee_changed(id: Uuid, fee: &Fee) -> NewEvent {
    let message = pb::FeeScheduleChanged {
        fee_id: id.to_string(),
        document_kind: fee.document_kind.clone(),
        zone: fee.zone.clone(),
        amount_centimes: fee.steps.first().map_or(0, |step| step.price.amount),
        valid_from: Some(wire::date(fee.valid_from)),
        valid_to: fee.valid_to.map(wire::date),
    };
    NewEvent::of(TOPIC, id, 1, &message)
}

/// The ceiling was moved.
pub fn ceiling_changed(id: Uuid, ceiling: &Ceiling) -> NewEvent {
    let message = pb::FeeCeilingChanged {
        ceiling_id: id.to_string(),
        ceiling_centimes: ceiling.centimes,
        valid_from: Some(wire::date(ceiling.valid_from)),
    };
    NewEvent::of(TOPIC, id, 1, &message)
}

/// The form or the law of a template was set.
pub fn template_version_changed(version: &TemplateVersion) -> NewEvent {
    let message = pb::TemplateVersionChanged {
        template_version_id: version.id.to_string(),
        template: version.template.clone(),
        valid_from: Some(wire::date(version.valid_from)),
    };
    NewEvent::of(TOPIC, version.id, 1, &message)
}

/// Offices are closed on a day, or open after all.
pub fn holiday_changed(holiday: &Holiday) -> NewEvent {
    let message = pb::HolidayChanged {
        holiday_id: holiday.id.to_string(),
        day: Some(wire::date(holiday.day)),
        working: holiday.working,
    };
    NewEvent::of(TOPIC, holiday.id, 1, &message)
}

/// A country was put into a zone.
pub fn destination_zone_changed(destination: &Destination) -> NewEvent {
    let message = pb::DestinationZoneChanged {
        destination_zone_id: destination.id.to_string(),
        country_code: destination.country_code.clone(),
        zone: destination.zone.clone(),
        valid_from: Some(wire::date(destination.valid_from)),
    };
    NewEvent::of(TOPIC, destination.id, 1, &message)
}
