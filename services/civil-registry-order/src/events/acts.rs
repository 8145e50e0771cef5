//! What happens to acts, keyings and custody, as events. Ids and states only: never a name, never the key of an act.

use uuid::Uuid;
use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::domain::act::Note;
use crate::domain::act_key::{ActKey, RegisterKind};
use crate::domain::custody::Custody;
use crate::domain::import::Import;
use crate::domain::keying::Keying;
use crate::events::catalogue;
use crate::wire;

/// Topic of acts, keyings and imports.
pub const TOPIC: &str = "wathiq.civil-registry-order.act.v1";

/// Somebody keyed the act, or settled it.
pub fn keyed(keying: &Keying) -> NewEvent {
    let message = pb::ActKeyed {
        keying_id: keying.id.to_string(),
        office_id: keying.first.entry.key().office_id.to_string(),
        state: keying.stage.name().to_owned(),
    };
    NewEvent::of(TOPIC, keying.id, keying.version, &message)
}

/// The act is digitised. Sequence 0: the ordinals of its notes follow.
pub fn registered(act_id: Uuid, key: &ActKey) -> NewEvent {
    let message = pb::ActRegistered {
        act_id: act_id.to_string(),
        office_id: key.office_id.to_string(),
        kind: kind(key.kind).into(),
    };
    NewEvent::of(TOPIC, act_id, 0, &message)
}

/// A note was added to an act.
pub fn note_added(act_id: Uuid, note: &Note) -> NewEvent {
    let message = pb::MarginalNoteAdded {
        act_id: act_id.to_string(),
        note_id: note.id.to_string(),
        changes_extract: note.draft.changes_extract,
    };
    NewEvent::of(TOPIC, act_id, i64::from(note.ordinal), &message)
}

/// An import ended, or stopped half-way.
pub fn imported(import: &Import, finished: bool) -> NewEvent {
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let message = pb::ActsImported {
        import_id: import.id.to_string(),
        taken: count(import.position.taken),
        refused: count(import.position.refused),
        finished,
    };
    NewEvent::of(TOPIC, import.id, import.version, &message)
}

/// Registers are held by another office from a day on.
pub fn custody_changed(custody: &Custody) -> NewEvent {
    let message = pb::RegisterCustodyChanged {
        custody_id: custody.id.to_string(),
        office_id: custody.office_id.to_string(),
        kind: kind(custody.kind).into(),
        held_by_office_id: custody.held_by.to_string(),
        valid_from: Some(wire::date(custody.valid_from)),
    };
    NewEvent::of(catalogue::TOPIC, custody.id, 0, &message)
}

fn kind(kind: RegisterKind) -> pb::RegisterKind {
    match kind {
        RegisterKind::Birth => pb::RegisterKind::Birth,
        RegisterKind::Death => pb::RegisterKind::Death,
    }
}
