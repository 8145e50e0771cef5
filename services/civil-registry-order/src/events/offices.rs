//! What an office draws up or changes, as events.

use uuid::Uuid;
use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

/// Topic of batch sheets, reminders and profiles.
pub const TOPIC: &str = "wathiq.civil-registry-order.office.v1";

/// A batch sheet was drawn up.
pub fn batch_sheet_created(sheet_id: Uuid, office_id: Uuid, lines: usize) -> NewEvent {
    let message = pb::BatchSheetCreated {
        batch_sheet_id: sheet_id.to_string(),
        office_id: office_id.to_string(),
        lines: i32::try_from(lines).unwrap_or(i32::MAX),
    };
    NewEvent::of(TOPIC, sheet_id, 1, &message)
}

/// The office is written to because lines wait.
pub fn reminded(reminder_id: Uuid, office_id: Uuid, waiting_lines: i32) -> NewEvent {
    let message = pb::OfficeReminded {
        reminder_id: reminder_id.to_string(),
        office_id: office_id.to_string(),
        waiting_lines,
    };
    NewEvent::of(TOPIC, reminder_id, 1, &message)
}

/// The profile of an office was set; `version` counts its versions.
pub fn profile_changed(office_id: Uuid, version: i64) -> NewEvent {
    let message = pb::OfficeProfileChanged {
        office_id: office_id.to_string(),
    };
    NewEvent::of(TOPIC, office_id, version, &message)
}
