//! What the provider gives back by itself, and what its status does not say.

use super::*;
use crate::domain::difference::settled;

fn lost() -> (Book, Uuid) {
    let (mut book, id) = paid();
    let voided = status(vec![sale("T1", SaleState::Voided)], &[]);
    let facts = see(&mut book, id, &voided, start()).0;
    assert_eq!(facts, [Fact::PaymentLost { attempt_id: id }]);
    (book, id)
}

#[test]
fn what_the_provider_gives_back_by_itself_is_a_difference_until_it_is_refunded() {
    let (mut book, id) = lost();
    assert_eq!(book.payable.state, PayableState::Paid);
    assert_eq!(book.attempt(id).unwrap().due_at, None);
    let found = stuck(&book, id);
    assert_eq!((found[0].reason, found[0].ours), (Reason::PaymentLost, AMOUNT));
    let voided = status(vec![sale("T1", SaleState::Voided)], &[]);
    refund(&mut book, 1, 500).unwrap();
    let (facts, act) = see(&mut book, id, &voided, start());
    assert!(matches!(facts[..], [Fact::RefundCompleted { .. }]));
    assert_eq!((act, book.refunds[0].released), (None, true));
    assert_eq!(stuck(&book, id)[0].ours, AMOUNT - 500);
    refund(&mut book, 2, AMOUNT - 500).unwrap();
    see(&mut book, id, &voided, start());
    assert_eq!((stuck(&book, id), book.refunded()), (vec![], AMOUNT));
}

#[test]
fn a_decline_afterwards_is_a_loss_and_a_capture_may_be_lost_too() {
    let (mut book, id) = paid();
    let declined = status(vec![sale("T1", SaleState::Declined)], &[]);
    let facts = see(&mut book, id, &declined, start()).0;
    assert_eq!(facts, [Fact::PaymentLost { attempt_id: id }]);
    let (mut book, id) = paid();
    let captured = status(vec![sale("T1", SaleState::Captured)], &[]);
    see(&mut book, id, &captured, start());
    let voided = status(vec![sale("T1", SaleState::Voided)], &[]);
    let facts = see(&mut book, id, &voided, start()).0;
    assert_eq!(facts, [Fact::PaymentLost { attempt_id: id }]);
}

#[test]
fn a_refund_of_what_is_never_captured_fails_instead_of_waiting() {
    let (mut book, id) = paid();
    refund(&mut book, 1, 500).unwrap();
    let authorised = status(vec![sale("T1", SaleState::Authorised)], &[]);
    let mut facts = Vec::new();
    for minute in 0..MAX_REFUSALS {
        let now = start() + TimeDelta::minutes(minute.into());
        let act = see(&mut book, id, &authorised, now).1.unwrap();
        facts = book.acted(id, &act, Outcome::Refused, now, &Policy::default());
    }
    assert!(matches!(facts[..], [Fact::RefundFailed { .. }]), "{facts:?}");
    // Or of what the provider no longer knows, once it must have been captured.
    let (mut book, id) = paid();
    refund(&mut book, 1, 500).unwrap();
    assert_eq!(see(&mut book, id, &Status::default(), start()).0, []);
    let facts = see(&mut book, id, &Status::default(), start() + TimeDelta::hours(1)).0;
    assert!(matches!(facts[..], [Fact::RefundFailed { .. }]), "{facts:?}");
}

#[test]
fn a_status_that_does_not_say_who_paid_pays_nothing() {
    let mut book = open_book();
    let one = attempt(1);
    let id = one.id;
    book.start_attempt(one, start()).unwrap();
    let untold = |transaction: &str| Sale {
        authentic: None,
        ..sale(transaction, SaleState::Authorised)
    };
    let early = status(vec![untold("T1"), untold("T2")], &[]);
    assert_eq!(see(&mut book, id, &early, start()), (vec![], None));
    assert_eq!(book.reversals, []);
    // Its message may still come.
    assert_eq!(tell(&mut book.clone(), id, "T1", start()).0, Answer::Capture);
    // The later one is told of and pays; the earlier one is nobody's.
    let told = status(vec![untold("T1"), sale("T2", SaleState::Authorised)], &[]);
    let mut later = book.clone();
    assert!(
        see(&mut later, id, &told, start())
            .0
            .contains(&Fact::Paid { attempt_id: id })
    );
    assert!(later.attempt(id).unwrap().succeeded_as("T2"));
    see(&mut later, id, &told, start());
    assert_eq!(later.reversals[0].transaction, "T1");
    // Nobody told of any in time: both are given back.
    let end = start() + TimeDelta::minutes(32);
    see(&mut book, id, &early, end);
    assert_eq!(
        (book.payable.state, book.reversals.len()),
        (PayableState::Open, 2)
    );
}

#[test]
fn nothing_else_begins_while_a_success_is_confirmed() {
    let mut book = open_book();
    let one = attempt(1);
    let id = one.id;
    book.start_attempt(one, start()).unwrap();
    book.returned(id, start());
    let last = start() + CONFIRMING - TimeDelta::seconds(1);
    for provider in Provider::ALL {
        assert_eq!(book.may_start(*provider, last), Err(Refusal::Confirming));
        assert_eq!(book.may_start(*provider, start() + CONFIRMING), Ok(()));
    }
    see(&mut book, id, &Status::default(), last);
    assert!(book.attempt(id).unwrap().returned_at.is_some());
    see(&mut book, id, &Status::default(), start() + CONFIRMING);
    assert_eq!(book.attempt(id).unwrap().returned_at, None);
}

#[test]
fn a_return_after_the_end_has_the_provider_asked_for_a_while() {
    let mut book = open_book();
    let one = attempt(1);
    let id = one.id;
    book.start_attempt(one, start()).unwrap();
    let mut now = start() + TimeDelta::minutes(32);
    see(&mut book, id, &Status::default(), now);
    assert_eq!(book.attempt(id).unwrap().state, AttemptState::Ended);
    book.returned(id, now);
    assert_eq!(book.attempt(id).unwrap().due_at, Some(now));
    let (end, mut looks) = (now + CONFIRMING, 0);
    while let Some(due) = book.attempt(id).unwrap().due_at {
        (now, looks) = (due, looks + 1);
        see(&mut book, id, &Status::default(), now);
    }
    assert!(now == end && looks > 3, "{now}, {looks}");
    book.may_start(Provider::Cmi, now).unwrap();
}

#[test]
fn an_attempt_is_settled_three_days_after_its_last_change() {
    let (mut book, id) = paid();
    let late = start() + TimeDelta::days(30);
    assert!(!settled(&book, id, late), "not captured");
    let captured = |credits: &[i64]| status(vec![sale("T1", SaleState::Captured)], credits);
    see(&mut book, id, &captured(&[]), start() + TimeDelta::hours(1));
    let days = |days: i64| start() + TimeDelta::hours(1) + TimeDelta::days(days);
    assert!(!settled(&book, id, days(3) - TimeDelta::seconds(1)));
    assert!(settled(&book, id, days(3)));
    refund(&mut book, 1, 500).unwrap();
    assert!(!settled(&book, id, late), "a refund is open");
    let act = see(&mut book, id, &captured(&[]), days(10)).1.unwrap();
    book.acted(id, &act, Outcome::Done, days(10), &Policy::default());
    see(&mut book, id, &captured(&[500]), days(10));
    assert!(!settled(&book, id, days(13) - TimeDelta::seconds(1)));
    assert!(settled(&book, id, days(13)));
}
