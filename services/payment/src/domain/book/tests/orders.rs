//! Every order in which things can happen to a payable of two attempts. After each, the books and the provider's are let settle; then one
//! success at most has paid, and the provider holds exactly what is owed.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::bank::{Bank, Trouble};
use super::{AMOUNT, attempt, open_book, start, success};
use crate::domain::attempt::AttemptState;
use crate::domain::book::{Book, NewRefund};
use crate::domain::fact::Fact;
use crate::domain::payable::PayableState;
use crate::domain::policy::Policy;
use crate::domain::provider::{Answer, SaleState};
use crate::domain::refund::RefundState;
use crate::domain::reversal::ReversalState;

/// What can happen, once each; what is to happen twice stands twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Event {
    /// The provider tells of the success on the first order id.
    Callback,
    /// The same again.
    CallbackAgain,
    /// The answer to the next message does not reach the provider.
    AnswerLost,
    /// A second transaction succeeds on the first order id, and is told.
    SecondTransaction,
    /// The payer also pays on the second order id, and it is told.
    SecondOrder,
    /// A try on the first order id is declined.
    Decline,
    Return,
    Poll,
    PollSecond,
    Cancel,
    /// The payable and the sessions run out.
    TimeOut,
    Refund,
    PartialRefund,
    VoidFails,
    /// From now on no void is ever done.
    VoidsNever,
    /// The provider gives the first success back by itself, as long as nothing was credited of it.
    ProviderVoids,
    /// The next act at the provider is done, and answered with a refusal.
    ActDenied,
    /// The next act at the provider is done, but its answer is lost.
    ActUnanswered,
    /// The next act at the provider is not done, and there is no answer.
    ActLost,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    book: Book,
    bank: Bank,
    now: DateTime<Utc>,
    answer_lost: bool,
    answers: Vec<(String, Answer)>,
    paid: usize,
    lost: usize,
    /// The provider has given back by itself: the nightly comparison is to find it.
    gave_back: bool,
    ids: u128,
}

const ALL: &[Event] = &[
    Event::Callback,
    Event::CallbackAgain,
    Event::AnswerLost,
    Event::SecondTransaction,
    Event::SecondOrder,
    Event::Decline,
    Event::Return,
    Event::Poll,
    Event::PollSecond,
    Event::Cancel,
    Event::TimeOut,
    Event::Refund,
    Event::PartialRefund,
    Event::VoidFails,
    Event::VoidsNever,
    Event::ProviderVoids,
    Event::ActDenied,
    Event::ActUnanswered,
    Event::ActLost,
];

/// Steps after which all is done that is ever done.
const ENOUGH: usize = 120;

const FIRST: Uuid = Uuid::from_u128(101);
const SECOND: Uuid = Uuid::from_u128(102);

impl World {
    /// Two attempts have started, and the first has succeeded at the provider.
    fn new() -> Self {
        let mut book = open_book();
        for number in [1, 2] {
            book.start_attempt(attempt(number), start()).unwrap();
        }
        let mut bank = Bank::new(&[FIRST, SECOND]);
        bank.authorise(FIRST, "T1");
        Self {
            book,
            bank,
            now: start(),
            answer_lost: false,
            answers: Vec::new(),
            paid: 0,
            lost: 0,
            gave_back: false,
            ids: 1_000,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Callback | Event::CallbackAgain => self.message(FIRST, "T1"),
            Event::AnswerLost => self.answer_lost = true,
            Event::SecondTransaction => self.succeed(FIRST),
            Event::SecondOrder => self.succeed(SECOND),
            Event::Decline => {
                let facts = self.book.decline(FIRST, "51");
                self.note(&facts);
            }
            Event::Return => self.book.look_soon(FIRST, self.now, &Policy::default()),
            Event::Poll => self.step(FIRST),
            Event::PollSecond => self.step(SECOND),
            Event::Cancel => {
                let _paid_already = self.book.cancel();
            }
            Event::TimeOut => {
                self.now += TimeDelta::hours(3);
                let facts = self.book.expire(self.now);
                self.note(&facts);
            }
            Event::Refund => self.refund("all", AMOUNT),
            Event::PartialRefund => self.refund("part", 500),
            Event::VoidFails => self.bank.void_refused = true,
            Event::VoidsNever => self.bank.voids_never = true,
            Event::ProviderVoids => self.gave_back |= self.bank.give_back(FIRST, "T1"),
            Event::ActDenied => self.bank.trouble = Some(Trouble::Denied),
            Event::ActUnanswered => self.bank.trouble = Some(Trouble::AnswerLost),
            Event::ActLost => self.bank.trouble = Some(Trouble::NotDone),
        }
    }

    /// Another transaction succeeds at the provider, and is told.
    fn succeed(&mut self, attempt: Uuid) {
        let transactions: usize = self.bank.orders.iter().map(|(_, order)| order.sales.len()).sum();
        let transaction = format!("T{}", transactions + 1);
        self.bank.authorise(attempt, &transaction);
        self.message(attempt, &transaction);
    }

    /// As the service takes a message: a repeat gets the stored answer.
    fn message(&mut self, attempt: Uuid, transaction: &str) {
        let stored = self.answers.iter().find(|(key, _)| key == transaction);
        let answer = match stored {
            Some((_, answer)) => *answer,
            None => {
                self.ids += 1;
                let id = Uuid::from_u128(self.ids);
                let (answer, facts) =
                    self.book
                        .success(attempt, &success(transaction), id, self.now, &Policy::default());
                self.note(&facts);
                self.answers.push((transaction.to_owned(), answer));
                answer
            }
        };
        if answer == Answer::Capture && !std::mem::take(&mut self.answer_lost) {
            let order = self.bank.order(attempt);
            for sale in order
                .sales
                .iter_mut()
                .filter(|sale| sale.transaction == transaction && sale.state == SaleState::Authorised)
            {
                sale.state = SaleState::Captured;
                sale.captured = sale.amount;
            }
        }
    }

    /// One step of the worker.
    fn step(&mut self, attempt: Uuid) {
        let (policy, status) = (Policy::default(), self.bank.order(attempt).clone());
        let mut ids = self.ids;
        let facts = self.book.observe(attempt, &status, self.now, &policy, || {
            ids += 1;
            Uuid::from_u128(ids)
        });
        self.ids = ids;
        self.note(&facts);
        if let Some(act) = self.book.next_act(attempt, &status, self.now, &policy) {
            let outcome = self.bank.act(attempt, &act);
            let facts = self.book.acted(attempt, &act, outcome, self.now, &policy);
            self.note(&facts);
        }
    }

    fn refund(&mut self, reference: &str, amount: i64) {
        self.ids += 1;
        let wanted = NewRefund {
            id: Uuid::from_u128(self.ids),
            owner_reference: reference.to_owned(),
            amount,
            reason_code: "LINE_REFUSED".to_owned(),
        };
        let _not_paid_or_too_much = self.book.request_refund(wanted, self.now);
    }

    fn note(&mut self, facts: &[Fact]) {
        self.paid += facts
            .iter()
            .filter(|fact| matches!(fact, Fact::Paid { .. }))
            .count();
        self.lost += facts
            .iter()
            .filter(|fact| matches!(fact, Fact::PaymentLost { .. }))
            .count();
    }

    /// Time goes on until nothing is due, or nothing but what the provider never does.
    fn settle(&mut self) {
        if self.gave_back {
            self.book.look_now(FIRST, self.now);
        }
        for step in 0..200 {
            if self.bank.voids_never && step == ENOUGH {
                return;
            }
            self.now = self.now.max(self.book.payable.expires_at);
            self.book.expire(self.now);
            let due = self
                .book
                .attempts
                .iter()
                .filter_map(|attempt| Some((attempt.due_at?, attempt.id)))
                .min();
            let Some((at, id)) = due else { return };
            self.now = self.now.max(at);
            self.step(id);
        }
        panic!("it does not come to rest: {:?}", self.book);
    }

    fn check(&self, path: &[Event]) {
        let book = &self.book;
        let is_paid = book.payable.state == PayableState::Paid;
        assert_eq!(self.paid, usize::from(is_paid), "paid transitions after {path:?}");
        let is_lost = book.lost().is_some();
        assert_eq!(self.lost, usize::from(is_lost), "lost after {path:?}");
        let is_held = is_paid && !is_lost;
        let owed = if is_held { AMOUNT - book.refunded() } else { 0 };
        let open = book
            .reversals
            .iter()
            .filter(|reversal| reversal.state == ReversalState::Open);
        let stuck: i64 = open.clone().map(|reversal| reversal.amount).sum();
        assert_eq!(self.bank.held(), owed + stuck, "money after {path:?}: {book:?}");
        let held = book.attempts.iter().filter(|attempt| attempt.holds()).count();
        assert_eq!(held, usize::from(is_held), "attempts after {path:?}: {book:?}");
        assert!(
            book.attempts.iter().all(|attempt| match attempt.state {
                AttemptState::Captured | AttemptState::Voided | AttemptState::Ended => true,
                AttemptState::Voiding => self.bank.voids_never,
                AttemptState::Started | AttemptState::Authorised => false,
            }),
            "unfinished after {path:?}: {book:?}"
        );
        for reversal in open {
            let known = self.bank.voids_never && reversal.refusals > 0;
            assert!(known, "not given back after {path:?}: {book:?}");
        }
        assert!(
            book.refunds
                .iter()
                .all(|refund| refund.state == RefundState::Completed),
            "not refunded after {path:?}: {book:?}"
        );
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Goes through all orders; two orders that lead to the same world go on as one.
struct Explorer<'a> {
    events: &'a [Event],
    seen: HashSet<u64>,
    ends: usize,
}

impl Explorer<'_> {
    fn explore(&mut self, world: &World, left: u32, path: &mut Vec<Event>) {
        if !self.seen.insert(digest(&(world, left))) {
            return;
        }
        let mut end = world.clone();
        // What has happened so far is a whole story too: the rest never comes.
        end.settle();
        end.check(path);
        self.ends += 1;
        for (place, event) in self.events.iter().enumerate() {
            if left & (1 << place) != 0 {
                let mut next = world.clone();
                next.happen(*event);
                path.push(*event);
                self.explore(&next, left & !(1 << place), path);
                path.pop();
            }
        }
    }
}

fn explore(events: &[Event]) -> usize {
    let mut explorer = Explorer {
        events,
        seen: HashSet::new(),
        ends: 0,
    };
    explorer.explore(&World::new(), (1 << events.len()) - 1, &mut Vec::new());
    explorer.ends
}

#[test]
fn every_order_of_what_can_happen_pays_once_and_balances() {
    let ends = explore(&[
        Event::Callback,
        Event::CallbackAgain,
        Event::AnswerLost,
        Event::SecondOrder,
        Event::Return,
        Event::Poll,
        Event::Cancel,
        Event::TimeOut,
        Event::Refund,
        Event::VoidFails,
    ]);
    assert!(ends > 1_000, "{ends}");
}

proptest! {
    /// Longer stories in which anything may happen again and again.
    #[test]
    fn any_story_pays_once_and_balances(story in prop::collection::vec(prop::sample::select(ALL), 1..60)) {
        let mut world = World::new();
        for event in &story {
            world.happen(*event);
        }
        world.settle();
        world.check(&story);
    }
}

#[test]
fn every_order_with_answers_of_the_provider_lost_balances() {
    let ends = explore(&[
        Event::Callback,
        Event::SecondTransaction,
        Event::Poll,
        Event::Poll,
        Event::PollSecond,
        Event::SecondOrder,
        Event::PartialRefund,
        Event::Refund,
        Event::ActUnanswered,
        Event::ActLost,
        Event::VoidFails,
    ]);
    assert!(ends > 1_000, "{ends}");
}

#[test]
fn a_void_that_never_works_keeps_neither_capture_nor_refunds_waiting() {
    let ends = explore(&[
        Event::VoidsNever,
        Event::Callback,
        Event::AnswerLost,
        Event::SecondTransaction,
        Event::SecondOrder,
        Event::Poll,
        Event::PartialRefund,
        Event::Refund,
        Event::ActDenied,
    ]);
    assert!(ends > 1_000, "{ends}");
}

#[test]
fn a_payment_that_the_provider_gives_back_by_itself_is_known_and_refunds_end() {
    let ends = explore(&[
        Event::ProviderVoids,
        Event::Callback,
        Event::AnswerLost,
        Event::SecondOrder,
        Event::Poll,
        Event::Poll,
        Event::Cancel,
        Event::TimeOut,
        Event::PartialRefund,
        Event::Refund,
        Event::ActUnanswered,
    ]);
    assert!(ends > 1_000, "{ends}");
}
