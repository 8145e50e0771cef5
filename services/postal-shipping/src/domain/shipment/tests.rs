use proptest::prelude::*;

use super::*;
use crate::domain::carrier_event::RawEvent;
use crate::domain::party::{self, RawAddress, RawLines};
use crate::domain::vocabulary::Source;

const SILENCE: SilenceLimits = SilenceLimits {
    domestic: TimeDelta::days(5),
    international: TimeDelta::days(20),
};

fn at(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_secs(1_795_341_600 + day * 86_400).unwrap()
}

fn party() -> Party {
    let latin = RawLines {
        locality: "Rabat",
        street: "1, avenue Annakhil",
        ..RawLines::default()
    };
    let address = RawAddress {
        country: "MA",
        postal_code: "10100",
        latin,
        ..RawAddress::default()
    };
    Party {
        name: party::name("Mohamed Alaoui", "").unwrap(),
        address: party::address(&address).unwrap(),
        phone: None,
    }
}

fn new() -> Shipment {
    let draft = Draft {
        owner: "civil-registry-order".to_owned(),
        owner_reference: "parcel".to_owned(),
        content: [0; 32],
        office_id: Uuid::nil(),
        product: Product::RegisteredDomestic,
        sender: party(),
        addressee: party(),
        mandataries: Vec::new(),
        sheets: 1,
    };
    Shipment::new(
        Uuid::nil(),
        TrackingId::parse("RR123456785MA").unwrap(),
        draft,
        at(0),
    )
}

fn handover(day: i64) -> Handover {
    Handover {
        deposit_list_id: Uuid::nil(),
        at: at(day),
    }
}

fn event(code: &str, day: i64) -> RecordedEvent {
    let raw = RawEvent {
        tracking_id: "RR123456785MA".to_owned(),
        code: code.to_owned(),
        event_time: at(day).to_rfc3339(),
        ..RawEvent::default()
    };
    RecordedEvent::new(Uuid::nil(), raw.check(at(1_000)).unwrap(), Source::Csv, at(day))
}

fn handed_over() -> Shipment {
    new().hand_over(handover(1), &[], &CodeTable::standard()).unwrap()
}

fn silent() -> Shipment {
    handed_over()
        .fall_silent(&[], &CodeTable::standard(), &SILENCE, at(7))
        .unwrap()
}

fn claimed() -> Shipment {
    silent()
        .open_claim("not heard of".to_owned(), &CodeTable::standard(), &[], at(8))
        .unwrap()
}

fn settled(lost: bool) -> Result<Shipment, Refusal> {
    let settlement = Settlement {
        at: at(9),
        lost,
        note: String::new(),
    };
    claimed().settle_claim(settlement, &CodeTable::standard(), &[])
}

#[test]
fn a_shipment_is_silent_after_its_time_and_once() {
    let codes = CodeTable::standard();
    assert_eq!(handed_over().fall_silent(&[], &codes, &SILENCE, at(6)), None);
    assert_eq!(silent().tracking.exception, Some(Exception::Silent));
    assert_eq!(silent().fall_silent(&[], &codes, &SILENCE, at(30)), None);
    // At the office it is not for the post to speak.
    assert_eq!(new().fall_silent(&[], &codes, &SILENCE, at(30)), None);
    let abroad = Shipment {
        product: Product::RegisteredInternational,
        ..handed_over()
    };
    assert_eq!(abroad.fall_silent(&[], &codes, &SILENCE, at(20)), None);
}

/// Fifteen days at the counter are no silence; after them it is expected to be heard of again.
#[test]
fn what_waits_at_the_counter_is_not_silent_before_its_last_day_has_passed() {
    let codes = CodeTable::standard();
    let until = wathiq_chassis::civil_date(at(17));
    let mut held = event("EMH", 2);
    held.event.held_until = Some(until);
    let waiting = handed_over().track(std::slice::from_ref(&held), &codes, &SILENCE, at(2));
    assert_eq!(waiting.state(), State::HeldForCollection);
    let silent_on = |day| {
        let silent = waiting
            .clone()
            .fall_silent(std::slice::from_ref(&held), &codes, &SILENCE, at(day));
        silent.is_some()
    };
    let limit = SILENCE.of(Product::RegisteredDomestic).num_days();
    assert!(!silent_on(2 + limit + 1) && !silent_on(17 + limit));
    assert!(silent_on(17 + limit + 1));
}

#[test]
fn a_word_of_the_carrier_ends_the_silence_unless_it_is_old() {
    let codes = CodeTable::standard();
    let heard = silent().track(&[event("EMC", 8)], &codes, &SILENCE, at(8));
    assert_eq!(
        (heard.tracking.exception, heard.state()),
        (None, State::InTransit)
    );
    let old = silent().track(&[event("EMC", 1)], &codes, &SILENCE, at(8));
    assert_eq!(
        (old.tracking.exception, old.state()),
        (Some(Exception::Silent), State::InTransit)
    );
    let again = heard
        .fall_silent(&[event("EMC", 8)], &codes, &SILENCE, at(14))
        .unwrap();
    assert_eq!(again.tracking.exception, Some(Exception::Silent));
}

#[test]
fn what_the_carrier_had_before_the_office_said_so_is_handed_over_all_the_same() {
    let codes = CodeTable::standard();
    let scanned = new().track(&[event("EMC", 2)], &codes, &SILENCE, at(2));
    assert_eq!(scanned.state(), State::InTransit);
    assert!(scanned.clone().cancel(&[event("EMC", 2)], &codes, at(2)).is_err());
    let handed_over = scanned
        .hand_over(handover(3), &[event("EMC", 2)], &codes)
        .unwrap();
    assert_eq!(handed_over.state(), State::InTransit);
}

#[test]
fn claims_open_once_and_are_settled_once() {
    let codes = CodeTable::standard();
    let note = || "not heard of".to_owned();
    let not_due = handed_over().open_claim(note(), &codes, &[], at(2));
    assert_eq!(not_due.unwrap_err().reason(), "CLAIM_NOT_DUE");
    assert_eq!(claimed().state(), State::Claimed);
    assert_eq!(
        claimed()
            .open_claim(note(), &codes, &[], at(9))
            .unwrap_err()
            .reason(),
        "SHIPMENT_STATE"
    );
    assert_eq!(settled(true).unwrap().state(), State::Lost);
    let found = settled(false).unwrap();
    assert_eq!(
        (found.state(), found.tracking.exception),
        (State::HandedOver, None)
    );
    let again = found.clone().settle_claim(
        Settlement {
            at: at(10),
            lost: true,
            note: note(),
        },
        &codes,
        &[],
    );
    assert_eq!(again.unwrap_err().reason(), "SHIPMENT_STATE");
    // The silence counts anew from the answer.
    assert_eq!(found.clone().fall_silent(&[], &codes, &SILENCE, at(14)), None);
    assert!(
        found
            .fall_silent(&[], &codes, &SILENCE, at(15))
            .unwrap()
            .open_claim(note(), &codes, &[], at(15))
            .is_ok()
    );
    // What the carrier itself calls lost may be claimed.
    let lost = [event("XLO", 2)];
    let carrier_lost = handed_over().track(&lost, &codes, &SILENCE, at(2));
    assert_eq!(
        carrier_lost
            .open_claim(note(), &codes, &lost, at(3))
            .unwrap()
            .state(),
        State::Claimed
    );
}

#[test]
fn every_command_is_one_version() {
    assert_eq!(new().version, 1);
    assert_eq!(settled(true).unwrap().version, 5);
}

/// Something that happens to a shipment.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Told(&'static str),
    HandOver,
    Cancel,
    Silence,
    OpenClaim,
    Settle(bool),
}

fn any_happening() -> impl Strategy<Value = Happening> {
    const CODES: &[&str] = &["EMA", "EMC", "EMG", "EMH", "EMI", "XRS", "XRD", "XLO", "ZZZ"];
    prop_oneof![
        4 => prop::sample::select(CODES).prop_map(Happening::Told),
        1 => Just(Happening::HandOver),
        1 => Just(Happening::Cancel),
        1 => Just(Happening::Silence),
        1 => Just(Happening::OpenClaim),
        1 => any::<bool>().prop_map(Happening::Settle),
    ]
}

proptest! {
    /// Whatever happens in whatever order, each change is one version, and what stands is what the database lets stand.
    #[test]
    fn any_sequence_keeps_the_rules(happenings in prop::collection::vec((any_happening(), 0i64..12), 0..14)) {
        let codes = CodeTable::standard();
        let (mut shipment, mut events, mut day) = (new(), Vec::new(), 0);
        for (happening, pause) in happenings {
            day += pause;
            let before = shipment.clone();
            let note = || "note".to_owned();
            let after = match happening {
                Happening::Told(code) => {
                    // Told late: of three days ago.
                    events.push(event(code, day - 3));
                    Some(before.clone().track(&events, &codes, &SILENCE, at(day)))
                }
                Happening::HandOver => before.clone().hand_over(handover(day), &events, &codes).ok(),
                Happening::Cancel => before.clone().cancel(&events, &codes, at(day)).ok(),
                Happening::Silence => before.clone().fall_silent(&events, &codes, &SILENCE, at(day)),
                Happening::OpenClaim => before.clone().open_claim(note(), &codes, &events, at(day)).ok(),
                Happening::Settle(lost) => {
                    before.clone().settle_claim(Settlement { at: at(day), lost, note: note() }, &codes, &events).ok()
                }
            };
            let Some(after) = after else { continue };
            prop_assert_eq!(after.version, before.version + 1);
            prop_assert_eq!(&after.tracking, &tracking::fold(after.basis(), &events, &after.recipients(), &codes));
            prop_assert_eq!(after.cancelled_at.is_some(), after.state() == State::Cancelled);
            prop_assert!(after.cancelled_at.is_none() || after.handover.is_none());
            prop_assert_eq!(after.tracking.proof.is_some(), after.state() == State::Delivered);
            prop_assert!(!before.state().has_arrived() || !after.state().is_on_its_way() || matches!(happening, Happening::Told(_)));
            shipment = after;
        }
    }
}
