//! The machine against a provider made of a few lines: single rules here, all orders of events in [`orders`].

mod bank;
mod losses;
mod orders;
mod table;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Book, NewRefund};
use crate::domain::attempt::{Attempt, AttemptState, order_id};
use crate::domain::difference::{Reason, stuck};
use crate::domain::fact::Fact;
use crate::domain::payable::{Item, Payable, PayableState, Payer};
use crate::domain::policy::{CONFIRMING, MAX_ATTEMPTS, MAX_REFUSALS, Policy};
use crate::domain::provider::{Act, Answer, Credit, Outcome, Provider, Sale, SaleState, Status, Success};
use crate::domain::refund::RefundState;
use crate::domain::refusal::Refusal;

pub(super) const AMOUNT: i64 = 2_000;

pub(super) fn start() -> DateTime<Utc> {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

pub(super) fn open_book() -> Book {
    let payable = Payable {
        id: Uuid::from_u128(1),
        version: 1,
        owner: "civil-registry-order".to_owned(),
        owner_reference: "order".to_owned(),
        display_reference: String::new(),
        state: PayableState::Open,
        amount: AMOUNT,
        items: vec![Item {
            reference: "line".to_owned(),
            label_ar: "نسخة".to_owned(),
            label_fr: "Extrait".to_owned(),
            amount: AMOUNT,
        }],
        payer: Payer {
            person_id: Uuid::from_u128(2),
            name: "Amina".to_owned(),
            email: String::new(),
            phone: String::new(),
        },
        created_at: start(),
        expires_at: start() + TimeDelta::hours(2),
        payment: None,
    };
    Book::open(payable).0
}

pub(super) fn attempt(number: u128) -> Attempt {
    let id = Uuid::from_u128(100 + number);
    Attempt {
        id,
        provider: Provider::Cmi,
        order_id: order_id(id),
        state: AttemptState::Started,
        language: "fr".to_owned(),
        phone: String::new(),
        decline_code: String::new(),
        declines: 0,
        international: None,
        created_at: start(),
        expires_at: start() + TimeDelta::minutes(30),
        told_at: None,
        returned_at: None,
        authorisation: None,
        capture_refusals: 0,
        captured_at: None,
        due_at: Some(start() + TimeDelta::minutes(32)),
        tries: 0,
    }
}

pub(super) fn success(transaction: &str) -> Success {
    Success {
        transaction: transaction.to_owned(),
        amount: AMOUNT,
        international: None,
        authentic: true,
    }
}

fn sale(transaction: &str, state: SaleState) -> Sale {
    let captured = if state == SaleState::Captured { AMOUNT } else { 0 };
    Sale {
        transaction: transaction.to_owned(),
        state,
        amount: AMOUNT,
        captured,
        authentic: Some(true),
        international: None,
    }
}

fn status(sales: Vec<Sale>, credits: &[i64]) -> Status {
    let credits = credits.iter().map(|amount| Credit {
        id: None,
        amount: *amount,
    });
    Status {
        sales,
        credits: credits.collect(),
    }
}

/// A book with one attempt that has succeeded, and the attempt's id.
fn paid() -> (Book, Uuid) {
    let mut book = open_book();
    let one = attempt(1);
    let id = one.id;
    book.start_attempt(one, start()).unwrap();
    let (answer, facts) = tell(&mut book, id, "T1", start());
    assert_eq!(
        (answer, facts),
        (Answer::Capture, vec![Fact::Paid { attempt_id: id }])
    );
    (book, id)
}

fn tell(book: &mut Book, id: Uuid, transaction: &str, now: DateTime<Utc>) -> (Answer, Vec<Fact>) {
    let reversal = Uuid::from_u128(1_000 + book.reversals.len() as u128);
    book.success(id, &success(transaction), reversal, now, &Policy::default())
}

fn see(book: &mut Book, id: Uuid, status: &Status, now: DateTime<Utc>) -> (Vec<Fact>, Option<Act>) {
    let policy = Policy::default();
    let mut next = 2_000 + book.reversals.len() as u128;
    let facts = book.observe(id, status, now, &policy, || {
        next += 1;
        Uuid::from_u128(next)
    });
    (facts, book.next_act(id, status, now, &policy))
}

fn refund(book: &mut Book, number: u128, amount: i64) -> Result<Vec<Fact>, Refusal> {
    let wanted = NewRefund {
        id: Uuid::from_u128(500 + number),
        owner_reference: format!("line-{number}"),
        amount,
        reason_code: "LINE_REFUSED".to_owned(),
    };
    book.request_refund(wanted, start()).map(|(_, facts)| facts)
}

#[test]
fn declines_then_a_success_on_one_order_id() {
    let mut book = open_book();
    let one = attempt(1);
    let id = one.id;
    book.start_attempt(one, start()).unwrap();
    let declined = |code: &str| Fact::AttemptDeclined {
        attempt_id: id,
        code: code.to_owned(),
    };
    assert_eq!(book.decline(id, "51"), [declined("51")]);
    assert_eq!(book.decline(id, "05"), [declined("05")]);
    assert_eq!(tell(&mut book, id, "T3", start()).0, Answer::Capture);
    assert_eq!(book.decline(id, "51"), []);
    let attempt = book.attempt(id).unwrap();
    assert_eq!(
        (attempt.declines, attempt.decline_code.as_str(), attempt.state),
        (2, "05", AttemptState::Authorised)
    );
}

#[test]
fn only_the_status_captures_and_after_an_hour_we_do() {
    let (mut book, id) = paid();
    let authorised = status(vec![sale("T1", SaleState::Authorised)], &[]);
    assert_eq!(see(&mut book, id, &authorised, start()), (vec![], None));
    let later = start() + TimeDelta::minutes(59);
    assert_eq!(see(&mut book, id, &authorised, later).1, None);
    // Whatever the pauses have grown to, the hour is not slept through.
    assert_eq!(
        book.attempt(id).unwrap().due_at,
        Some(start() + TimeDelta::hours(1))
    );
    let hour = start() + TimeDelta::hours(1);
    let capture = Act::Capture {
        transaction: "T1".to_owned(),
    };
    assert_eq!(see(&mut book, id, &authorised, hour).1, Some(capture.clone()));
    assert_eq!(
        book.acted(id, &capture, Outcome::Done, hour, &Policy::default()),
        []
    );
    assert_eq!(book.attempt(id).unwrap().state, AttemptState::Authorised);
    let captured = status(vec![sale("T1", SaleState::Captured)], &[]);
    let (facts, act) = see(&mut book, id, &captured, hour);
    assert_eq!(
        (facts, act),
        (vec![Fact::AttemptCaptured { attempt_id: id }], None)
    );
    assert_eq!(book.attempt(id).unwrap().due_at, None);
}

#[test]
fn a_capture_of_another_amount_is_none() {
    let (mut book, id) = paid();
    let mut short = sale("T1", SaleState::Captured);
    short.captured = AMOUNT - 1;
    assert_eq!(see(&mut book, id, &status(vec![short], &[]), start()).0, []);
}

#[test]
fn a_success_of_another_amount_or_without_authentication_is_given_back() {
    for (amount, authentic) in [(AMOUNT + 1, true), (AMOUNT, false)] {
        let mut book = open_book();
        let one = attempt(1);
        let id = one.id;
        book.start_attempt(one, start()).unwrap();
        let strange = Success {
            amount,
            authentic,
            ..success("T1")
        };
        let (answer, _) = book.success(id, &strange, Uuid::from_u128(9), start(), &Policy::default());
        assert_eq!(answer, Answer::Noted);
        assert_eq!(book.payable.state, PayableState::Open);
        let mut found = sale("T1", SaleState::Authorised);
        found.amount = amount;
        let (facts, act) = see(&mut book, id, &status(vec![found], &[]), start());
        assert!(facts.is_empty());
        assert!(matches!(act, Some(Act::Void { .. })), "{act:?}");
        // The payer may still succeed.
        assert_eq!(tell(&mut book, id, "T2", start()).0, Answer::Capture);
    }
}

#[test]
fn a_lost_callback_is_found_at_the_end_of_the_session() {
    let mut book = open_book();
    let one = attempt(1);
    let id = one.id;
    book.start_attempt(one.clone(), start()).unwrap();
    let end = start() + TimeDelta::minutes(32);
    let (facts, _) = see(
        &mut book,
        id,
        &status(vec![sale("T1", SaleState::Authorised)], &[]),
        end,
    );
    assert_eq!(facts, [Fact::Paid { attempt_id: id }]);
    // Without a success it ends, unless one is under way.
    let mut book = open_book();
    book.start_attempt(one, start()).unwrap();
    assert_eq!(
        see(
            &mut book,
            id,
            &status(vec![sale("T1", SaleState::Pending)], &[]),
            end
        )
        .0,
        []
    );
    assert_eq!(
        see(&mut book, id, &Status::default(), end).0,
        [Fact::AttemptEnded { attempt_id: id }]
    );
    // A success after the end pays what is still to be paid.
    assert_eq!(tell(&mut book, id, "T1", end).0, Answer::Capture);
}

#[test]
fn refunds_never_exceed_the_payment_and_repeat_as_themselves() {
    let (mut book, _) = paid();
    assert_eq!(refund(&mut book, 1, AMOUNT + 1), Err(Refusal::RefundTooMuch));
    assert_eq!(refund(&mut book, 1, 1_500).unwrap().len(), 1);
    assert_eq!(refund(&mut book, 1, 1_500).unwrap(), []);
    assert_eq!(refund(&mut book, 1, 1_400), Err(Refusal::RefundExists));
    assert_eq!(refund(&mut book, 2, 501), Err(Refusal::RefundTooMuch));
    assert_eq!(refund(&mut book, 2, 500).unwrap().len(), 1);
    assert_eq!(refund(&mut open_book(), 1, 1), Err(Refusal::NotPaid));
}

#[test]
fn what_is_not_captured_is_captured_before_it_is_given_back() {
    let (mut book, id) = paid();
    refund(&mut book, 1, AMOUNT).unwrap();
    let authorised = status(vec![sale("T1", SaleState::Authorised)], &[]);
    let act = see(&mut book, id, &authorised, start()).1;
    assert!(matches!(act, Some(Act::Capture { .. })), "{act:?}");
    let captured = status(vec![sale("T1", SaleState::Captured)], &[]);
    let (_, act) = see(&mut book, id, &captured, start());
    assert!(
        matches!(act, Some(Act::CreditRefund { amount: AMOUNT, .. })),
        "{act:?}"
    );
}

#[test]
fn a_credit_without_an_answer_is_looked_for_before_it_is_sent_again() {
    let (mut book, id) = paid();
    refund(&mut book, 1, 500).unwrap();
    refund(&mut book, 2, 700).unwrap();
    let captured = |credits: &[i64]| status(vec![sale("T1", SaleState::Captured)], credits);
    let policy = Policy::default();
    let (_, act) = see(&mut book, id, &captured(&[]), start());
    let act = act.unwrap();
    book.acted(id, &act, Outcome::Unknown, start(), &policy);
    // Not yet there: nothing is sent, not even the other one, before it had its time to show up.
    let soon = start() + policy.unknown - TimeDelta::seconds(1);
    assert_eq!(see(&mut book, id, &captured(&[]), soon), (vec![], None));
    let late = start() + policy.unknown;
    let (facts, next) = see(&mut book.clone(), id, &captured(&[500]), late);
    assert_eq!(facts.len(), 1);
    assert!(
        matches!(next, Some(Act::CreditRefund { amount: 700, .. })),
        "{next:?}"
    );
    // Never there: sent again.
    assert_eq!(see(&mut book, id, &captured(&[]), late), (vec![], Some(act)));
}

#[test]
fn a_refund_that_is_refused_for_good_fails() {
    let (mut book, id) = paid();
    refund(&mut book, 1, 500).unwrap();
    let captured = status(vec![sale("T1", SaleState::Captured)], &[]);
    let (mut now, mut facts) = (start(), Vec::new());
    while facts.is_empty() {
        let act = see(&mut book, id, &captured, now).1.unwrap();
        facts = book.acted(id, &act, Outcome::Refused, now, &Policy::default());
        let later = book.refunds[0].not_before.unwrap();
        assert_eq!(
            see(&mut book.clone(), id, &captured, later - TimeDelta::seconds(1)).1,
            None
        );
        now = later;
    }
    assert!(matches!(facts[..], [Fact::RefundFailed { .. }]));
    assert!(now > start() + TimeDelta::days(2) && book.refunds[0].refusals > MAX_REFUSALS);
    assert_eq!(book.refunds[0].state, RefundState::Failed);
    assert_eq!(see(&mut book, id, &captured, now).1, None);
    // What could not be given back may be asked for anew, and the first no longer has room then.
    let mut anew = book.clone();
    assert_eq!(refund(&mut anew, 2, AMOUNT).unwrap().len(), 1);
    assert_eq!(anew.retry_refunds(id, now), Err(Refusal::RefundTooMuch));
    assert_eq!(book.retry_refunds(id, now).unwrap().len(), 1);
    assert_eq!(book.retry_refunds(id, now), Err(Refusal::RefundNotFailed));
    let again = see(&mut book.clone(), id, &captured, now).1;
    assert!(matches!(again, Some(Act::CreditRefund { .. })), "{again:?}");
    // It was done after all: never twice.
    let done = status(vec![sale("T1", SaleState::Captured)], &[500]);
    let (facts, act) = see(&mut book, id, &done, now);
    assert!(matches!(facts[..], [Fact::RefundCompleted { .. }]));
    assert_eq!(act, None);
}

#[test]
fn a_credit_that_is_done_and_refused_is_not_done_again() {
    let (mut book, id) = paid();
    refund(&mut book, 1, 500).unwrap();
    let act = see(
        &mut book,
        id,
        &status(vec![sale("T1", SaleState::Captured)], &[]),
        start(),
    );
    let act = act.1.unwrap();
    book.acted(id, &act, Outcome::Refused, start(), &Policy::default());
    let done = status(vec![sale("T1", SaleState::Captured)], &[500]);
    let (facts, act) = see(&mut book, id, &done, start() + TimeDelta::minutes(5));
    assert!(matches!(facts[..], [Fact::RefundCompleted { .. }]));
    assert_eq!(act, None);
}

#[test]
fn a_capture_that_is_refused_for_good_is_a_difference_at_once() {
    let (mut book, id) = paid();
    let authorised = status(vec![sale("T1", SaleState::Authorised)], &[]);
    let mut now = start() + TimeDelta::hours(1);
    for _ in 0..MAX_REFUSALS {
        assert_eq!(stuck(&book, id), []);
        let act = see(&mut book, id, &authorised, now).1.unwrap();
        book.acted(id, &act, Outcome::Refused, now, &Policy::default());
        now += TimeDelta::minutes(1);
    }
    let found = stuck(&book, id);
    assert_eq!((found[0].reason, found[0].ours), (Reason::NotCaptured, AMOUNT));
}

#[test]
fn a_void_that_is_refused_becomes_a_credit_where_the_money_was_captured() {
    let mut book = open_book();
    let one = attempt(1);
    let id = one.id;
    book.start_attempt(one, start()).unwrap();
    book.cancel().unwrap();
    assert_eq!(tell(&mut book, id, "T1", start()).0, Answer::Noted);
    let captured = status(vec![sale("T1", SaleState::Captured)], &[]);
    let act = see(&mut book, id, &captured, start()).1.unwrap();
    assert!(matches!(act, Act::Void { .. }));
    book.acted(id, &act, Outcome::Refused, start(), &Policy::default());
    let later = start() + TimeDelta::minutes(5);
    assert_eq!(see(&mut book, id, &captured, start()).1, None);
    let act = see(&mut book, id, &captured, later).1.unwrap();
    assert!(matches!(act, Act::CreditReversal { amount: AMOUNT, .. }));
    let facts = book.acted(id, &act, Outcome::Done, start(), &Policy::default());
    assert!(matches!(facts[..], [Fact::AttemptVoided { further: false, .. }]));
    assert_eq!(book.attempt(id).unwrap().state, AttemptState::Voided);
}

#[test]
fn attempts_are_counted_and_one_phone_is_asked_at_a_time() {
    let mut book = open_book();
    let phone = |number: u128| Attempt {
        provider: Provider::TextMessage,
        ..attempt(number)
    };
    book.start_attempt(phone(0), start()).unwrap();
    assert_eq!(
        book.start_attempt(phone(1), start()),
        Err(Refusal::TextMessagePending)
    );
    for number in 1..MAX_ATTEMPTS as u128 {
        book.start_attempt(attempt(number), start()).unwrap();
    }
    assert_eq!(
        book.start_attempt(attempt(99), start()),
        Err(Refusal::TooManyAttempts)
    );
    // Whoever clicks on is sent to the page that is open.
    let latest = attempt(MAX_ATTEMPTS as u128 - 1).id;
    assert_eq!(book.taken_again(Provider::Cmi, start()).unwrap().id, latest);
    book.may_start(Provider::Cmi, start()).unwrap();
    let later = start() + TimeDelta::minutes(31);
    assert_eq!(book.taken_again(Provider::Cmi, later), None);
    book.start_attempt(attempt(99), later).unwrap();
}

#[test]
fn a_decline_on_the_phone_frees_it() {
    let mut book = open_book();
    let phone = |number: u128| Attempt {
        provider: Provider::TextMessage,
        ..attempt(number)
    };
    let first = phone(0).id;
    book.start_attempt(phone(0), start()).unwrap();
    book.decline(first, "REFUSED");
    book.start_attempt(phone(1), start()).unwrap();
    assert_eq!(
        book.start_attempt(phone(2), start()),
        Err(Refusal::TextMessagePending)
    );
}
