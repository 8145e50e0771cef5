//! What the provider's own status may say first: every state it can be in, of every attempt, of every payable.

use chrono::TimeDelta;
use uuid::Uuid;
use wathiq_payment::app::reconcile::reconcile;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::World;

#[derive(Debug, Clone, Copy)]
enum Payable {
    Open,
    Cancelled,
    Expired,
}

/// Plays one case to its end; gives the states of payable and attempt.
async fn play(
    world: &World,
    ended: bool,
    payable: Payable,
    sale: char,
) -> (pb::PayableState, pb::AttemptState) {
    let payer = Uuid::new_v4();
    let opened = world.open(payer).await;
    let id = opened.payable_id.as_str();
    let card = world.card(payer, id).await;
    if ended {
        world.settle(TimeDelta::hours(1)).await;
    }
    match payable {
        Payable::Open => {}
        Payable::Cancelled => drop(world.try_cancel(id).await.unwrap()),
        Payable::Expired => world.advance(TimeDelta::days(2)),
    }
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    match sale {
        'C' => world.cmi.answered(&card.oid(), &transaction, "ACTION=POSTAUTH"),
        'V' => world.cmi.take_back(&card.oid(), &transaction),
        _ => {}
    }
    // A day later: the night looks at what has ended.
    world.advance(TimeDelta::days(1));
    reconcile(&world.app, 0).await.unwrap();
    world.settle(TimeDelta::hours(3)).await;
    let found = world.payable(id).await;
    (found.state(), found.attempts[0].state())
}

#[tokio::test]
async fn whatever_the_first_look_finds_can_be_written_down() {
    let world = World::start().await;
    let mut owed = 0;
    for ended in [false, true] {
        for payable in [Payable::Open, Payable::Cancelled, Payable::Expired] {
            for sale in ['A', 'C', 'V'] {
                let (state, attempt) = play(&world, ended, payable, sale).await;
                let case = format!("ended {ended}, {payable:?}, {sale}");
                let expected = match (payable, sale) {
                    (_, 'V') => pb::AttemptState::Ended,
                    (Payable::Open, _) => pb::AttemptState::Captured,
                    _ => pb::AttemptState::Voided,
                };
                assert_eq!(attempt, expected, "{case}");
                let paid = expected == pb::AttemptState::Captured;
                assert_eq!(state == pb::PayableState::Paid, paid, "{case}");
                owed += if paid { 2_000 } else { 0 };
                assert_eq!(world.cmi.held(), owed, "{case}");
            }
        }
    }
}
