//! Partners that fail: what was begun waits and finishes afterwards.

use chrono::TimeDelta;
use uuid::Uuid;
use wathiq_payment::app::work::work;
use wathiq_payment::store::due;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::World;

#[tokio::test]
async fn captures_and_refunds_wait_for_a_provider_that_is_down() {
    let world = World::start().await;
    let (payable, _) = world.paid(Uuid::new_v4()).await;
    world.cmi.set_down(true);
    world
        .try_refund(&payable.payable_id, "line-1", 1_200)
        .await
        .unwrap();
    world.settle(TimeDelta::hours(2)).await;
    let waiting = world.payable(&payable.payable_id).await;
    assert_eq!(
        (waiting.attempts[0].state(), waiting.refunds[0].state()),
        (pb::AttemptState::Authorised, pb::RefundState::Requested)
    );
    world.cmi.set_down(false);
    world.settle(TimeDelta::minutes(30)).await;
    let done = world.payable(&payable.payable_id).await;
    assert_eq!(
        (done.attempts[0].state(), done.refunded_centimes, world.cmi.held()),
        (pb::AttemptState::Captured, 1_200, 800)
    );
}

#[tokio::test]
async fn a_void_that_is_refused_is_tried_again_listed_and_done_in_the_end() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    world.try_cancel(&payable.payable_id).await.unwrap();
    world.cmi.refuse("Void", 7);
    world.pay(&card).await;
    world.settle(TimeDelta::minutes(40)).await;
    let differences = world.differences().await;
    assert_eq!(
        (differences[0].reason.as_str(), differences[0].theirs_centimes),
        ("VOID_FAILED", 2_000)
    );
    world.settle(TimeDelta::hours(2)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.attempts[0].state(), pb::AttemptState::Voided);
    assert_eq!((world.cmi.held(), world.cmi.count("Void")), (0, 8));
    assert!(world.differences().await.is_empty());
}

#[tokio::test]
async fn voids_and_captures_whose_answers_are_lost_are_done_once() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    world.try_cancel(&payable.payable_id).await.unwrap();
    world.cmi.lose("Void", 1);
    world.pay(&card).await;
    world.settle(TimeDelta::minutes(10)).await;
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.attempts[0].state(), pb::AttemptState::Voided);
    assert_eq!((world.cmi.held(), world.cmi.count("Void")), (0, 1));
}

#[tokio::test]
async fn a_step_that_was_cut_off_is_taken_up_when_its_lease_has_lapsed() {
    let world = World::start().await;
    let (payable, _) = world.paid(Uuid::new_v4()).await;
    world.advance(TimeDelta::minutes(1));
    let mut conn = world.database.connect().await;
    let lease = due::take(&mut conn, Uuid::new_v4(), world.now(), TimeDelta::seconds(120))
        .await
        .unwrap()
        .unwrap();
    // Whoever took it is gone: nobody else may work on it before the lease has lapsed.
    world.advance(TimeDelta::seconds(119));
    assert!(!work(&world.app).await.unwrap());
    world.advance(TimeDelta::seconds(1));
    assert!(work(&world.app).await.unwrap());
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.attempts[0].state(), pb::AttemptState::Captured);
    // The one that was gone comes back too late to write anything down.
    assert!(!due::holds(&mut conn, lease).await.unwrap());
}
