//! Orders of events on the real database: a sample of those that the machine is explored with, each to its end.

use chrono::TimeDelta;
use uuid::Uuid;
use wathiq_payment::app::work::work_off;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::World;
use crate::harness::cmi::callback;

/// Orders of one run: each a shuffle of all events.
const SAMPLE: u64 = 24;

#[derive(Debug, Clone, Copy)]
enum Event {
    Callback,
    CallbackAgain,
    AnswerLost,
    SecondOrder,
    Return,
    Poll,
    Cancel,
    TimeOut,
    Refund,
    VoidFails,
}

const EVENTS: [Event; 10] = [
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
];

/// A shuffle that depends on nothing but its number (SplitMix64).
fn shuffle(number: u64) -> Vec<Event> {
    let mut state = number;
    let mut random = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mut events = EVENTS.to_vec();
    for place in (1..events.len()).rev() {
        let other = usize::try_from(random() % (place as u64 + 1)).unwrap();
        events.swap(place, other);
    }
    events
}

async fn play(world: &World, order: &[Event]) -> (pb::Payable, i64) {
    let before = world.cmi.held();
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let id = payable.payable_id.as_str();
    let (first, second) = (world.card(payer, id).await, world.card(payer, id).await);
    let transaction = world.cmi.authorise(&first.oid(), 2_000);
    let fields = callback(&first.form, &transaction, "00");
    let mut answer_lost = false;
    let mut answers = Vec::new();
    for event in order {
        match event {
            Event::Callback | Event::CallbackAgain => {
                let answer = world.post(&fields).await;
                if !std::mem::take(&mut answer_lost) {
                    world.cmi.answered(&first.oid(), &transaction, &answer);
                }
                answers.push(answer);
            }
            Event::AnswerLost => answer_lost = true,
            Event::SecondOrder => drop(world.pay(&second).await),
            Event::Return => drop(world.try_return(&fields).await.unwrap()),
            Event::Poll => {
                work_off(&world.app).await.unwrap();
            }
            Event::Cancel => drop(world.try_cancel(id).await),
            Event::TimeOut => world.settle(TimeDelta::days(3)).await,
            Event::Refund => drop(world.try_refund(id, "all", 2_000).await),
            Event::VoidFails => world.cmi.refuse("Void", 1),
        }
    }
    world.settle(TimeDelta::days(3)).await;
    assert_eq!(answers[0], answers[1], "{order:?}");
    (world.payable(id).await, world.cmi.held() - before)
}

#[tokio::test]
async fn sampled_orders_pay_once_and_balance() {
    let world = World::start().await;
    for number in 0..SAMPLE {
        let order = shuffle(number);
        let (payable, held) = play(&world, &order).await;
        let mut conn = world.database.connect().await;
        let paid: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM outbox WHERE event_type = 'wathiq.payment.v1.PayablePaid' AND aggregate_id = $1",
        )
        .bind(Uuid::try_parse(&payable.payable_id).unwrap())
        .fetch_one(&mut conn)
        .await
        .unwrap();
        let is_paid = payable.state() == pb::PayableState::Paid;
        assert_eq!(paid, i64::from(is_paid), "{order:?}");
        let owed = if is_paid {
            2_000 - payable.refunded_centimes
        } else {
            0
        };
        assert_eq!(held, owed, "{order:?}: {payable:?}");
        assert!(
            payable.attempts.iter().all(|attempt| matches!(
                attempt.state(),
                pb::AttemptState::Captured | pb::AttemptState::Voided | pb::AttemptState::Ended
            )),
            "{order:?}: {payable:?}"
        );
    }
}
