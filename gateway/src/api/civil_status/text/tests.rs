//! What is said to a citizen, in every state there is.

use std::collections::BTreeSet;

use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;

use super::*;
use crate::api::payments::{attempt_text, payable_text_key, refund_text_key};
use crate::api::tracking::state_word;

const INSTANT: prost_types::Timestamp = prost_types::Timestamp {
    // 23:30 in Morocco, which is an hour ahead.
    seconds: 1_795_386_600,
    nanos: 0,
};

fn of(state: pb::LineState, progress_code: &str) -> pb::OrderLine {
    pb::OrderLine {
        state: state as i32,
        progress_code: progress_code.to_owned(),
        deadline: Some(INSTANT),
        ..Default::default()
    }
}

#[test]
fn a_line_says_what_comes_next_and_when() {
    use pb::LineState as S;
    let says = |each: &pb::OrderLine| line(Language::English, each, None);
    assert!(says(&of(S::Paid, "WAITING_FOR_OFFICE")).contains("22/11/2026"));
    assert!(says(&of(S::ToCorrect, "WAITING_FOR_CORRECTION")).contains("22/11/2026"));
    let asked = says(&of(S::Produced, "WAITING_FOR_ADDRESS"));
    let by = text(Language::English, "order_when.correct_by").replace("{date}", "22/11/2026");
    assert!(asked.ends_with(&by), "{asked}");
    assert!(!says(&of(S::Delivered, "ENDED")).contains("2026"));
    let newer = says(&of(S::Produced, "SOMETHING_NEW"));
    assert!(
        newer.starts_with(text(Language::English, "line_text.produced")),
        "{newer}"
    );
    let refused = pb::OrderLine {
        end_reason: "REFUSED".to_owned(),
        ..of(S::Refunding, "WAITING_FOR_REFUND")
    };
    assert!(says(&refused).starts_with(text(Language::English, "end_reason.REFUSED")));
}

#[test]
fn a_posted_line_is_where_its_parcel_is() {
    let posted = pb::Parcel {
        shipment_state: "HELD_FOR_COLLECTION".to_owned(),
        held_until: Some(Date {
            year: 2026,
            month: 12,
            day: 7,
        }),
        ..Default::default()
    };
    let says = line(
        Language::English,
        &of(pb::LineState::HandedOver, "ON_THE_WAY"),
        Some(&posted),
    );
    assert!(says.contains("07/12/2026"), "{says}");
    assert_ne!(says, shipment(Language::English, "DELIVERED", None));
    let other = pb::Parcel {
        shipment_state: "DELIVERED".to_owned(),
        exception_code: "DELIVERED_TO_OTHER".to_owned(),
        ..Default::default()
    };
    assert!(parcel(Language::English, &other).len() > shipment(Language::English, "DELIVERED", None).len());
}

const LANGUAGES: [Language; 3] = [Language::Arabic, Language::French, Language::English];

/// The states of a contract but the unspecified one.
fn states<S: TryFrom<i32>>() -> Vec<S> {
    (1..64).filter_map(|number| S::try_from(number).ok()).collect()
}

/// What is said of each state differs between languages, and from what is said of an unknown state.
fn assert_told<S: Copy + std::fmt::Debug>(states: &[S], unknown: &str, say: impl Fn(Language, S) -> String) {
    for state in states {
        let said: BTreeSet<String> = LANGUAGES.iter().map(|language| say(*language, *state)).collect();
        assert_eq!(said.len(), 3, "{state:?}: {said:?}");
        for language in LANGUAGES {
            let unknown = text(language, unknown);
            assert!(!say(language, *state).contains(unknown), "{state:?}");
        }
    }
}

#[test]
fn every_state_of_a_line_says_what_comes_next() {
    let states: Vec<pb::LineState> = states();
    assert_eq!(states.len(), 12);
    assert_told(&states, "line_text.unknown", |language, state| {
        line(language, &of(state, "NOT_KNOWN_HERE"), None)
    });
    assert_told(&states, "line_name.unknown", |language, state| {
        text(language, line_name_key(state)).to_owned()
    });
}

#[test]
fn a_state_that_time_ends_says_when() {
    use pb::LineState as S;
    for state in states::<S>() {
        let timed = matches!(
            state,
            S::Paid | S::ToCorrect | S::InProduction | S::Produced | S::HandedOver | S::Returned
        );
        for language in LANGUAGES {
            let said = line(language, &of(state, ""), None);
            assert_eq!(said.contains("22/11/2026"), timed, "{state:?}: {said}");
        }
    }
}

#[test]
fn every_state_of_an_order_says_what_comes_next() {
    let states: Vec<pb::OrderState> = states();
    assert_eq!(states.len(), 7);
    let of = |state: pb::OrderState| pb::Order {
        state: state as i32,
        pay_before: Some(INSTANT),
        ..Default::default()
    };
    assert_told(&states, "order_text.unknown", |language, state| {
        order(language, &of(state))
    });
    assert_told(&states, "order_name.unknown", |language, state| {
        text(language, order_name_key(state)).to_owned()
    });
    for language in LANGUAGES {
        assert!(order(language, &of(pb::OrderState::AwaitingPayment)).contains("22/11/2026"));
        let waiting = pb::Order {
            progress_code: "WAITING_FOR_PAYMENT_SERVICE".to_owned(),
            ..of(pb::OrderState::AwaitingPayment)
        };
        assert_ne!(
            order(language, &waiting),
            order(language, &of(pb::OrderState::AwaitingPayment))
        );
    }
}

#[test]
fn every_state_of_a_parcel_says_what_comes_next() {
    let states: Vec<postal::ShipmentState> = states();
    assert_eq!(states.len(), 13);
    assert_told(&states, "parcel_state.waiting", |language, state| {
        shipment(language, state_word(state), None)
    });
}

#[test]
fn every_state_of_an_attempt_to_pay_says_what_comes_next() {
    let states: Vec<payment::AttemptState> = states();
    assert_eq!(states.len(), 6);
    for (provider, decline_code) in [("cmi", ""), ("cmi", "51"), ("cmi", "77"), ("text-message", "")] {
        assert_told(&states, "attempt_text.unknown", |language, state| {
            let attempt = payment::Attempt {
                state: state as i32,
                provider: provider.to_owned(),
                decline_code: decline_code.to_owned(),
                ..Default::default()
            };
            attempt_text(language, &attempt)
        });
    }
}

#[test]
fn every_state_of_a_payable_and_of_a_refund_says_what_it_means() {
    let payables: Vec<payment::PayableState> = states();
    assert_eq!(payables.len(), 4);
    assert_told(&payables, "payable_text.unknown", |language, state| {
        text(language, payable_text_key(state)).to_owned()
    });
    let refunds: Vec<payment::RefundState> = states();
    assert_eq!(refunds.len(), 3);
    assert_told(&refunds, "refund_text.unknown", |language, state| {
        text(language, refund_text_key(state)).to_owned()
    });
}

#[test]
fn whatever_an_office_is_to_look_at_is_named() {
    for code in [
        "PAID_NOT_PRODUCED",
        "ADDRESS_REFUSED",
        "PRODUCED_NOT_POSTED",
        "POSTED_AND_SILENT",
        "RETURNED",
        "RETURNED_AND_KEPT",
        "REFUND_FAILED",
        "REFUND_OVERDUE",
        "OFFICE_PROFILE_MISSING",
        "DELIVERED_TO_OTHER",
        "DELIVERED_WITHOUT_DOCUMENT",
        "CONTRADICTORY_EVENTS",
        "SILENT",
    ] {
        let said: BTreeSet<_> = LANGUAGES
            .iter()
            .filter_map(|language| find(*language, &format!("exception.{code}")))
            .collect();
        assert_eq!(said.len(), 3, "{code}: {said:?}");
    }
}

#[test]
fn an_office_reads_what_the_work_waits_for_and_not_what_the_citizen_is_promised() {
    use pb::LineState as S;
    for state in states::<S>() {
        for language in LANGUAGES {
            let said = at_office(language, &of(state, "NOT_KNOWN_HERE")).unwrap_or_default();
            assert!(!said.contains("2026"), "{state:?}: {said}");
        }
    }
    assert!(at_office(Language::French, &of(S::Paid, "WAITING_FOR_OFFICE")).is_some());
    assert_eq!(
        at_office(Language::French, &of(S::Refunding, "WAITING_FOR_REFUND")),
        None
    );
}

#[test]
fn an_office_is_not_asked_for_what_the_citizen_is_asked_for() {
    use pb::LineState as S;
    let asked = [
        (S::ToCorrect, "WAITING_FOR_CORRECTION"),
        (S::ToCorrect, "NOT_KNOWN_HERE"),
        (S::Produced, ADDRESS_ASKED),
        (S::HandedOver, "ON_THE_WAY"),
    ];
    for language in LANGUAGES {
        for (state, code) in asked {
            let waiting = pb::OrderLine {
                deadline: None,
                ..of(state, code)
            };
            let office = at_office(language, &waiting).expect("an office sees the line");
            assert_ne!(office, line(language, &waiting, None), "{code}");
        }
        // Who has not paid is no office's to wait for.
        let unpaid = of(S::AwaitingPayment, "WAITING_FOR_PAYMENT");
        assert_eq!(at_office(language, &unpaid), None);
    }
}
