use proptest::prelude::*;

use super::*;
use crate::domain::carrier_event::RawEvent;
use crate::domain::name::PartyName;

const BASIS: Basis = Basis {
    created_at: DateTime::from_timestamp_secs(1_793_491_200).unwrap(),
    handed_over: true,
    cancelled: false,
    claim: ClaimStanding::None,
    silent: false,
};

fn recipients() -> Recipients {
    Recipients {
        addressee: PartyName {
            latin: Some("Mohamed Alaoui".to_owned()),
            arabic: None,
        },
        mandataries: Vec::new(),
    }
}

/// `CODE@hour`, then `key=value` for other fields.
fn event(text: &str) -> RecordedEvent {
    let (code, rest) = text.split_once('@').unwrap();
    let mut words = rest.split(' ');
    let hour: u32 = words.next().unwrap().parse().unwrap();
    let mut raw = RawEvent {
        tracking_id: "RR123456785MA".to_owned(),
        code: code.to_owned(),
        event_time: format!("2026-11-{:02}T{:02}:00:00Z", 1 + hour / 24, hour % 24),
        ..RawEvent::default()
    };
    for word in words {
        let (field, value) = word.split_once('=').unwrap();
        *raw.field(field).unwrap() = value.replace('_', " ");
    }
    let now = "2026-12-24T00:00:00Z".parse().unwrap();
    RecordedEvent::new(Uuid::nil(), raw.check(now).unwrap(), Source::Webhook, now)
}

const GOOD: &str = "recipient_name=Alaoui_Mohamed document_kind=CIN document_last_four=3456";
const OTHER: &str = "recipient_name=Karim_Filali document_kind=CIN document_last_four=3456";

fn folded(basis: Basis, events: &[&str]) -> Tracking {
    let events: Vec<_> = events.iter().map(|text| event(text)).collect();
    fold(basis, &events, &recipients(), &CodeTable::standard())
}

fn check(events: &[&str], state: State, exception: Option<Exception>) -> Tracking {
    let tracking = folded(BASIS, events);
    assert_eq!(
        (tracking.state, tracking.exception),
        (state, exception),
        "{events:?}"
    );
    tracking
}

#[test]
fn the_usual_way() {
    let delivered = format!("EMI@30 {GOOD}");
    check(&[], State::HandedOver, None);
    check(&["EMA@1"], State::HandedOver, None);
    check(&["EMA@1", "EMC@2"], State::InTransit, None);
    check(&["EMA@1", "EMC@2", "EMG@9"], State::AtDeliveryOffice, None);
    let tracking = check(
        &["EMA@1", "EMC@2", "EMG@9", "EMH@10", &delivered],
        State::Delivered,
        None,
    );
    let proof = tracking.proof.unwrap();
    assert_eq!(
        (
            tracking.attempts,
            proof.relation,
            proof.document_last_four.as_str()
        ),
        (1, Relation::Addressee, "3456")
    );
}

#[test]
fn attempts_and_collection() {
    let tracking = check(
        &["EMH@1", "EMH@9 action_code=HOLD held_until=2026-12-09"],
        State::HeldForCollection,
        None,
    );
    assert_eq!(tracking.attempts, 2);
    assert_eq!(tracking.held_until.unwrap().to_string(), "2026-12-09");
    // Told twice with another place, it is one attempt all the same.
    assert_eq!(
        check(&["EMH@1", "EMH@1 place=RABAT"], State::Attempted, None).attempts,
        1
    );
    let returned = check(
        &["EMH@9 held_until=2026-12-09", "XRS@11", "XRD@20"],
        State::Returned,
        None,
    );
    assert_eq!((returned.attempts, returned.held_until), (1, None));
    // The way back leads through offices too, and to a door that may be shut.
    let returning = check(
        &["EMH@9", "XRS@11", "EMC@12", "EMG@13", "EMH@14"],
        State::Returning,
        None,
    );
    assert_eq!(returning.attempts, 1);
}

#[test]
fn late_and_unknown_events_move_nothing_forward() {
    check(&["EMG@9", "EMC@2"], State::AtDeliveryOffice, None);
    check(&["EMG@9", "ZZZ@12"], State::AtDeliveryOffice, None);
}

#[test]
fn without_a_document_it_is_not_delivered() {
    let undocumented = Some(Exception::DeliveredWithoutDocument);
    check(
        &["EMG@9", "EMI@10 recipient_name=Alaoui_Mohamed"],
        State::AtDeliveryOffice,
        undocumented,
    );
    check(
        &["EMG@9", "EMI@10 document_kind=CIN document_last_four=3456"],
        State::AtDeliveryOffice,
        undocumented,
    );
    check(
        &["EMG@9", "EMI@10 recipient_name=Alaoui_Mohamed document_kind=CIN"],
        State::AtDeliveryOffice,
        undocumented,
    );
    // The office adds what the carrier left out.
    let good = format!("EMI@10 {GOOD}");
    check(&["EMG@9", "EMI@10", &good], State::Delivered, None);
}

#[test]
fn delivery_to_somebody_else_is_seen() {
    let other = format!("EMI@10 {OTHER}");
    let tracking = check(
        &["EMG@9", &other],
        State::Delivered,
        Some(Exception::DeliveredToOther),
    );
    assert_eq!(tracking.proof.unwrap().relation, Relation::Other);
}

#[test]
fn what_contradicts_itself_is_seen() {
    let contradictory = Some(Exception::ContradictoryEvents);
    let (good, again) = (format!("EMI@10 {GOOD}"), format!("EMI@12 {GOOD}"));
    check(&[&good, "EMH@12"], State::Delivered, contradictory);
    check(&["XRD@10", &again], State::Returned, contradictory);
    check(&[&good, &again], State::Delivered, None);
    check(&["XLO@5", "EMG@9"], State::AtDeliveryOffice, contradictory);
}

/// Whatever else is said, before or after, and in whatever order it comes.
#[test]
fn a_warning_about_the_recipient_is_not_hidden_by_a_contradiction() {
    let (to_other, undocumented) = (
        Some(Exception::DeliveredToOther),
        Some(Exception::DeliveredWithoutDocument),
    );
    let (good, other) = (format!("EMI@10 {GOOD}"), format!("EMI@10 {OTHER}"));
    let (good_later, other_later) = (format!("EMI@12 {GOOD}"), format!("EMI@12 {OTHER}"));
    for events in [
        [other.as_str(), "EMH@12"],
        [&other, "XRD@12"],
        [&other, &good_later],
        [&good, &other_later],
        ["XLO@5", &other],
    ] {
        check(&events, State::Delivered, to_other);
        check(&[events[1], events[0]], State::Delivered, to_other);
    }
    check(
        &["XLO@5", "EMG@6", "EMI@10"],
        State::AtDeliveryOffice,
        undocumented,
    );
    check(
        &["EMI@10", "EMG@6", "XLO@5"],
        State::AtDeliveryOffice,
        undocumented,
    );
    let withdrawn = Basis {
        handed_over: false,
        cancelled: true,
        ..BASIS
    };
    assert_eq!(folded(withdrawn, &[&other]).exception, to_other);
    // A scan that comes after a right delivery is a contradiction, and the delivery stands.
    let late = check(
        &[&good, "EMG@12"],
        State::Delivered,
        Some(Exception::ContradictoryEvents),
    );
    assert_eq!(late.proof.unwrap().relation, Relation::Addressee);
}

/// On the way back whoever takes it is the sender, at whose door nobody shows the addressee's papers.
#[test]
fn a_delivery_on_the_way_back_is_a_return_unless_a_recipient_takes_it() {
    let (other, good) = (format!("EMI@12 {OTHER}"), format!("EMI@12 {GOOD}"));
    check(&["EMH@9", "XRS@11", &other], State::Returned, None);
    check(&[&other, "XRS@11", "EMH@9"], State::Returned, None);
    let office = "EMI@12 recipient_name=Annexe_Maarif";
    check(&["XRS@11", office], State::Returned, None);
    check(&["XRS@11", office, "XRD@13"], State::Returned, None);
    check(&["XRD@11", office], State::Returned, None);
    check(&["XRS@11", &good], State::Delivered, None);
    check(
        &["XRS@11", "EMI@12"],
        State::Returning,
        Some(Exception::DeliveredWithoutDocument),
    );
    check(
        &["XRD@11", &good],
        State::Returned,
        Some(Exception::ContradictoryEvents),
    );
}

#[test]
fn what_was_said_before_there_was_a_shipment_moves_nothing() {
    let later = Basis {
        created_at: BASIS.created_at + chrono::TimeDelta::hours(20),
        ..BASIS
    };
    let of = |events: &[&str]| folded(later, events);
    let delivered = format!("EMI@19 {GOOD}");
    let nothing = of(&[]);
    assert_eq!(of(&[&delivered, "EMH@12", "EMI@13"]), nothing);
    // The carrier's clock may be a little behind.
    let behind = Basis {
        created_at: BASIS.created_at + chrono::TimeDelta::minutes(19 * 60 + 15),
        ..BASIS
    };
    assert_eq!(folded(behind, &[&delivered]).state, State::Delivered);
}

#[test]
fn claims_and_withdrawals_stand_above_the_events() {
    let good = format!("EMI@10 {GOOD}");
    let with = |basis: Basis, events: &[&str]| {
        let tracking = folded(basis, events);
        (tracking.state, tracking.exception)
    };
    let (open, lost) = (ClaimStanding::Open, ClaimStanding::Lost);
    assert_eq!(
        with(Basis { claim: open, ..BASIS }, &["EMG@9"]),
        (State::Claimed, None)
    );
    assert_eq!(
        with(Basis { claim: open, ..BASIS }, &[&good]),
        (State::Delivered, None)
    );
    assert_eq!(
        with(Basis { claim: lost, ..BASIS }, &["EMG@9"]),
        (State::Lost, None)
    );
    let contradictory = Some(Exception::ContradictoryEvents);
    assert_eq!(
        with(Basis { claim: lost, ..BASIS }, &[&good]),
        (State::Delivered, contradictory)
    );
    let withdrawn = Basis {
        handed_over: false,
        cancelled: true,
        ..BASIS
    };
    assert_eq!(with(withdrawn, &[]), (State::Cancelled, None));
    assert_eq!(with(withdrawn, &["EMA@1"]), (State::Cancelled, contradictory));
    assert_eq!(with(withdrawn, &["ZZZ@1"]), (State::Cancelled, None));
    let silent = Basis {
        silent: true,
        ..BASIS
    };
    assert_eq!(
        with(silent, &["EMG@9"]),
        (State::AtDeliveryOffice, Some(Exception::Silent))
    );
    assert_eq!(with(silent, &[&good]), (State::Delivered, None));
}

/// Any event, of few times, so that many are of the same instant.
fn any_event() -> impl Strategy<Value = RecordedEvent> {
    const CODES: &[&str] = &[
        "EMA", "EMC", "EMD", "EME", "EMG", "EMH", "EMI", "XHC", "XRS", "XRD", "XLO", "ZZZ",
    ];
    const DETAILS: &[&str] = &[
        "",
        GOOD,
        OTHER,
        "action_code=HOLD",
        "held_until=2026-12-09",
        "action_code=RETURN",
        "place=RABAT",
    ];
    (
        prop::sample::select(CODES),
        0u32..6,
        prop::sample::select(DETAILS),
    )
        .prop_map(|(code, hour, details)| {
            let text = format!("{code}@{hour} {details}");
            event(text.trim_end())
        })
}

fn any_basis() -> impl Strategy<Value = Basis> {
    let claims = prop::sample::select(&[ClaimStanding::None, ClaimStanding::Open, ClaimStanding::Lost][..]);
    (any::<bool>(), any::<bool>(), claims, any::<bool>()).prop_map(
        |(handed_over, cancelled, claim, silent)| Basis {
            created_at: BASIS.created_at,
            handed_over,
            cancelled,
            claim,
            silent,
        },
    )
}

/// Some events, and the same in another order of arrival.
fn shuffled() -> impl Strategy<Value = (Vec<RecordedEvent>, Vec<RecordedEvent>)> {
    prop::collection::vec(any_event(), 0..9)
        .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle()))
}

proptest! {
    #[test]
    fn any_order_of_arrival_leads_to_the_same((events, other) in shuffled(), basis in any_basis()) {
        let (codes, recipients) = (CodeTable::standard(), recipients());
        prop_assert_eq!(fold(basis, &events, &recipients, &codes), fold(basis, &other, &recipients, &codes));
    }

    #[test]
    fn what_was_said_before_changes_nothing(events in prop::collection::vec(any_event(), 1..8), basis in any_basis(), again in any::<prop::sample::Index>()) {
        let (codes, recipients) = (CodeTable::standard(), recipients());
        let before = fold(basis, &events, &recipients, &codes);
        let mut twice = events.clone();
        twice.push(again.get(&events).clone());
        prop_assert_eq!(fold(basis, &twice, &recipients, &codes), before);
    }

    #[test]
    fn a_delivery_always_has_its_proof(events in prop::collection::vec(any_event(), 0..9), basis in any_basis()) {
        let tracking = fold(basis, &events, &recipients(), &CodeTable::standard());
        prop_assert_eq!(tracking.state == State::Delivered, tracking.proof.is_some());
        prop_assert!(tracking.held_until.is_none() || tracking.state == State::HeldForCollection);
        let other = tracking.proof.is_some_and(|proof| proof.relation == Relation::Other);
        prop_assert!(!other || tracking.exception.is_some());
    }
}
