//! A civil-status act in JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::api::civil_status::RegisterKind;
use crate::api::wire::{CivilDate, PartialDate, Show, Tell, both, view, words};

words! {
    /// How an act came into the register.
    ActOrigin from pb::ActOrigin { Declaration, Transcription, TransferredJudgment, DeclaratoryJudgment }
    /// Sex as written in the act.
    Sex from pb::Sex { Male, Female }
    /// States of an act on its way into the database.
    KeyingState from pb::KeyingState { KeyedOnce, Differs, Registered, Withdrawn }
}

/// A number of the clock, null where the act does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub(crate) struct ClockNumber(Option<i32>);

impl Show<ClockNumber> for i32 {
    fn show(self) -> ClockNumber {
        ClockNumber((self >= 0).then_some(self))
    }
}

impl Tell<i32> for ClockNumber {
    fn tell(self) -> i32 {
        self.0.unwrap_or(-1)
    }
}

both! {
    /// The natural key of an act: number and year stand on every old extract.
    ActKey from pb::ActKey {
        /// The office of registration, as it was then.
        office_id: String,
        kind: Option<RegisterKind>,
        /// Gregorian year of declaration.
        year: i32,
        /// Null where the year has one register.
        part: Option<String>,
        /// With its suffix, such as `123 bis`.
        number: String,
    }
    /// A text in both scripts, as written; one of them may be missing.
    BilingualText from pb::BilingualText {
        arabic: Option<String>,
        latin: Option<String>,
    }
    /// A date as the act writes it; nothing is computed from one calendar to the other.
    WrittenDate from pb::WrittenDate {
        gregorian: Option<PartialDate>,
        hijri_arabic: Option<String>,
        hijri_latin: Option<String>,
        gregorian_arabic: Option<String>,
        gregorian_latin: Option<String>,
    }
    /// A parent as written.
    ActParent from pb::ActParent {
        given_name: Option<BilingualText>,
        family_name: Option<BilingualText>,
        nationality: Option<BilingualText>,
        birth_date: Option<WrittenDate>,
        birth_place: Option<BilingualText>,
        profession: Option<BilingualText>,
        address: Option<BilingualText>,
    }
    /// Who declared.
    ActDeclarant from pb::ActDeclarant {
        name: Option<BilingualText>,
        /// Relationship to the person of the act.
        relationship: Option<BilingualText>,
        age: Option<i32>,
        profession: Option<BilingualText>,
        nationality: Option<BilingualText>,
        address: Option<BilingualText>,
    }
    /// A judgment that stands for the declaration.
    ActJudgment from pb::ActJudgment {
        reference: String,
        date: Option<WrittenDate>,
        court: Option<BilingualText>,
    }
    /// A value of the extract that a note replaces; the original stays as it is.
    ExtractChange from pb::ExtractChange {
        /// Such as `given_name`.
        field: String,
        text: Option<BilingualText>,
        date: Option<WrittenDate>,
    }
    /// What an act says, as first drawn up.
    ActContent from pb::ActContent {
        origin: Option<ActOrigin>,
        /// As written.
        hijri_year: Option<i32>,
        given_name: Option<BilingualText>,
        family_name: Option<BilingualText>,
        sex: Option<Sex>,
        nationality: Option<BilingualText>,
        birth_date: Option<WrittenDate>,
        birth_place: Option<BilingualText>,
        hour: ClockNumber,
        minute: ClockNumber,
        time_in_letters: Option<BilingualText>,
        twin: bool,
        father: Option<ActParent>,
        mother: Option<ActParent>,
        declarant: Option<ActDeclarant>,
        judgment: Option<ActJudgment>,
        drawn_up: Option<WrittenDate>,
        officer: Option<BilingualText>,
        /// The officer signed with the declarant, not alone.
        signed_with_declarant: bool,
        /// Office and number of the act this one transcribes.
        transcribed_from: Option<String>,
        /// Death acts only, as are the following.
        death_date: Option<WrittenDate>,
        death_place: Option<BilingualText>,
        profession: Option<BilingualText>,
        address: Option<BilingualText>,
        marital_state: Option<BilingualText>,
    }
    /// A marginal note to be added.
    NewMarginalNote from pb::MarginalNote {
        /// 1 is the first; left out for the next one.
        ordinal: Option<i32>,
        date: Option<CivilDate>,
        /// `death`, `marriage`, `divorce`, `judgment`, `prefectoral-order`, `ministerial-decree` or `notice`.
        kind: String,
        text: Option<BilingualText>,
        /// The note changes what the extract says.
        changes_extract: bool,
        changes: Vec<ExtractChange>,
    }
}

view! {
    /// A marginal note.
    MarginalNote from pb::MarginalNote {
        note_id: String,
        ordinal: i32,
        date: Option<CivilDate>,
        kind: String,
        text: Option<BilingualText>,
        changes_extract: bool,
        changes: Vec<ExtractChange>,
        author_person_id: Option<String>,
        create_time: Option<DateTime<Utc>>,
    }
    /// A digitised act: the original and its notes.
    Act from pb::Act {
        act_id: String,
        key: Option<ActKey>,
        /// The office that holds the register today.
        held_by_office_id: String,
        content: Option<ActContent>,
        notes: Vec<MarginalNote>,
        /// `import` or `keyed`.
        source: String,
        create_time: Option<DateTime<Utc>>,
        /// A scan of the page is attached.
        has_scan: bool,
    }
    /// An act in a list.
    ActSummary from pb::ActSummary {
        act_id: String,
        key: Option<ActKey>,
        given_name: Option<BilingualText>,
        family_name: Option<BilingualText>,
        birth_date: Option<PartialDate>,
        /// 0 to 1: how near it is to what was asked.
        similarity: f64,
        /// Where what was asked differs, such as `birth_date`.
        differences: Vec<String>,
    }
    /// Acts that were found, best first.
    FoundActs from pb::SearchActsResponse {
        acts: Vec<ActSummary>,
        /// More acts may be meant than are given: ask for less.
        truncated: bool,
    }
    /// An act on its way into the database.
    Keying from pb::Keying {
        keying_id: String,
        key: Option<ActKey>,
        state: KeyingState,
        create_time: Option<DateTime<Utc>>,
        has_scan: bool,
    }
    /// What became of a keyed act.
    KeyedAct from pb::KeyActResponse {
        keying_id: String,
        state: KeyingState,
        /// Null until registered.
        act_id: Option<String>,
    }
    /// A field on which the two differ.
    KeyingDifference from pb::KeyingDifference {
        /// Such as `content.mother.birth_place.latin`.
        field: String,
        first: String,
        second: String,
    }
    /// What the two keyed differently, for the third look.
    KeyingDifferences from pb::GetKeyingDifferencesResponse {
        keying: Option<Keying>,
        differences: Vec<KeyingDifference>,
    }
    /// How far the digitising of one register year is.
    RegisterProgress from pb::KeyingProgress {
        kind: RegisterKind,
        year: i32,
        /// 0 where nobody has said.
        acts_in_register: i32,
        registered: i32,
        keyed_once: i32,
        differing: i32,
    }
    /// A scan that was kept.
    KeptScan from pb::AttachScanResponse {
        scan_id: String,
    }
}
