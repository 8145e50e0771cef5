//! Acts as messages.

use uuid::Uuid;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::domain::act::{
    Act, ActContent, Bilingual, Declarant, ExtractChange, Judgment, Note, Origin, Parent, Sex,
};
use crate::domain::act_key::{ActKey, RegisterKind};
use crate::domain::keying::{Difference, Keying};
use crate::domain::search::Found;
use crate::domain::written_date::{PartialDate, WrittenDate};
use crate::store::keyings::Listed;
use crate::store::keyings::progress::Progress;
use crate::wire;

pub(in crate::grpc) fn kind(kind: RegisterKind) -> pb::RegisterKind {
    match kind {
        RegisterKind::Birth => pb::RegisterKind::Birth,
        RegisterKind::Death => pb::RegisterKind::Death,
    }
}

pub(in crate::grpc) fn key(key: &ActKey) -> pb::ActKey {
    pb::ActKey {
        office_id: key.office_id.to_string(),
        kind: kind(key.kind).into(),
        year: key.year.into(),
        part: key.part.as_str().to_owned(),
        number: key.number.as_str().to_owned(),
    }
}

/// An act, and the office that holds it today.
pub(in crate::grpc) fn act(act: &Act, holder: Uuid) -> pb::Act {
    pb::Act {
        act_id: act.id.to_string(),
        key: Some(key(&act.key)),
        held_by_office_id: holder.to_string(),
        content: Some(content(&act.content)),
        notes: act.notes.iter().map(note).collect(),
        source: act.source.as_str().to_owned(),
        create_time: Some(wire::timestamp(act.created_at)),
        has_scan: act.has_scan,
    }
}

pub(in crate::grpc) fn summary(found: &Found) -> pb::ActSummary {
    let act = &found.act;
    pb::ActSummary {
        act_id: act.id.to_string(),
        key: Some(key(&act.key)),
        given_name: text(&act.given_name),
        family_name: text(&act.family_name),
        birth_date: act.birth_date.map(partial),
        similarity: found.similarity.into(),
        differences: found
            .differences
            .iter()
            .map(|field| (*field).to_owned())
            .collect(),
    }
}

pub(super) fn listed(keying: &Listed) -> pb::Keying {
    pb::Keying {
        keying_id: keying.id.to_string(),
        key: Some(key(&keying.key)),
        state: keying_state(&keying.state).into(),
        create_time: Some(wire::timestamp(keying.created_at)),
        has_scan: keying.has_scan,
    }
}

pub(super) fn keyed(keying: &Keying) -> pb::KeyActResponse {
    pb::KeyActResponse {
        keying_id: keying.id.to_string(),
        state: keying_state(keying.stage.name()).into(),
        act_id: keying.settled().map(|(_, id)| id.to_string()).unwrap_or_default(),
    }
}

fn keying_state(name: &str) -> pb::KeyingState {
    match name {
        "KEYED_ONCE" => pb::KeyingState::KeyedOnce,
        "DIFFERS" => pb::KeyingState::Differs,
        "REGISTERED" => pb::KeyingState::Registered,
        "WITHDRAWN" => pb::KeyingState::Withdrawn,
        _ => pb::KeyingState::Unspecified,
    }
}

pub(super) fn differences(keying: &Keying) -> pb::GetKeyingDifferencesResponse {
    let difference = |difference: Difference| pb::KeyingDifference {
        field: difference.field,
        first: difference.first,
        second: difference.second,
    };
    pb::GetKeyingDifferencesResponse {
        keying: Some(self::keying(keying)),
        differences: keying.differences().into_iter().map(difference).collect(),
    }
}

pub(super) fn keying(keying: &Keying) -> pb::Keying {
    pb::Keying {
        keying_id: keying.id.to_string(),
        key: Some(key(keying.first.entry.key())),
        state: keying_state(keying.stage.name()).into(),
        create_time: None,
        has_scan: keying.scan_id.is_some(),
    }
}

pub(super) fn progress(progress: &Progress) -> pb::KeyingProgress {
    // A register year has less than a million acts.
    let count = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    pb::KeyingProgress {
        kind: kind(progress.kind).into(),
        year: progress.year.into(),
        acts_in_register: progress.acts_in_register.unwrap_or_default(),
        registered: count(progress.registered),
        keyed_once: count(progress.keyed_once),
        differing: count(progress.differing),
    }
}

fn note(note: &Note) -> pb::MarginalNote {
    let draft = &note.draft;
    pb::MarginalNote {
        note_id: note.id.to_string(),
        ordinal: note.ordinal.into(),
        date: Some(wire::date(draft.date)),
        kind: draft.kind.as_str().to_owned(),
        text: text(&draft.text),
        changes_extract: draft.changes_extract,
        changes: draft.changes.iter().map(change).collect(),
        author_person_id: note.author_id.map(|id| id.to_string()).unwrap_or_default(),
        create_time: Some(wire::timestamp(note.created_at)),
    }
}

fn change(change: &ExtractChange) -> pb::ExtractChange {
    pb::ExtractChange {
        field: change.field.as_str().to_owned(),
        text: text(&change.text),
        date: written(&change.date),
    }
}

fn content(content: &ActContent) -> pb::ActContent {
    pb::ActContent {
        origin: origin(content.origin).into(),
        hijri_year: content.hijri_year.map(i32::from).unwrap_or_default(),
        given_name: text(&content.given_name),
        family_name: text(&content.family_name),
        sex: sex(content.sex).into(),
        nationality: text(&content.nationality),
        birth_date: written(&content.birth_date),
        birth_place: text(&content.birth_place),
        hour: content.hour.map_or(-1, i32::from),
        minute: content.minute.map_or(-1, i32::from),
        time_in_letters: text(&content.time_in_letters),
        twin: content.twin,
        father: parent(&content.father),
        mother: parent(&content.mother),
        declarant: content.declarant.as_ref().map(declarant),
        judgment: content.judgment.as_ref().map(judgment),
        drawn_up: written(&content.drawn_up),
        officer: text(&content.officer),
        signed_with_declarant: content.signed_with_declarant,
        transcribed_from: content.transcribed_from.clone(),
        death_date: written(&content.death_date),
        death_place: text(&content.death_place),
        profession: text(&content.profession),
        address: text(&content.address),
        marital_state: text(&content.marital_state),
    }
}

fn origin(origin: Origin) -> pb::ActOrigin {
    match origin {
        Origin::Declaration => pb::ActOrigin::Declaration,
        Origin::Transcription => pb::ActOrigin::Transcription,
        Origin::TransferredJudgment => pb::ActOrigin::TransferredJudgment,
        Origin::DeclaratoryJudgment => pb::ActOrigin::DeclaratoryJudgment,
    }
}

fn sex(sex: Sex) -> pb::Sex {
    match sex {
        Sex::Male => pb::Sex::Male,
        Sex::Female => pb::Sex::Female,
    }
}

fn parent(parent: &Parent) -> Option<pb::ActParent> {
    (!parent.is_empty()).then(|| pb::ActParent {
        given_name: text(&parent.given_name),
        family_name: text(&parent.family_name),
        nationality: text(&parent.nationality),
        birth_date: written(&parent.birth_date),
        birth_place: text(&parent.birth_place),
        profession: text(&parent.profession),
        address: text(&parent.address),
    })
}

fn declarant(declarant: &Declarant) -> pb::ActDeclarant {
    pb::ActDeclarant {
        name: text(&declarant.name),
        relationship: text(&declarant.relationship),
        age: declarant.age.map(i32::from).unwrap_or_default(),
        profession: text(&declarant.profession),
        nationality: text(&declarant.nationality),
        address: text(&declarant.address),
    }
}

fn judgment(judgment: &Judgment) -> pb::ActJudgment {
    pb::ActJudgment {
        reference: judgment.reference.clone(),
        date: written(&judgment.date),
        court: text(&judgment.court),
    }
}

fn text(text: &Bilingual) -> Option<pb::BilingualText> {
    (!text.is_empty()).then(|| pb::BilingualText {
        arabic: text.arabic.clone(),
        latin: text.latin.clone(),
    })
}

fn written(date: &WrittenDate) -> Option<pb::WrittenDate> {
    (!date.is_empty()).then(|| pb::WrittenDate {
        gregorian: date.gregorian.map(partial),
        hijri_arabic: date.hijri_arabic.clone(),
        hijri_latin: date.hijri_latin.clone(),
        gregorian_arabic: date.gregorian_arabic.clone(),
        gregorian_latin: date.gregorian_latin.clone(),
    })
}

fn partial(date: PartialDate) -> Date {
    Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}
