//! The nightly comparison, and what the owner and the administrator are shown of it.

use chrono::TimeDelta;
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_chassis::testing::{token, with_token};
use wathiq_chassis::{Surface, TokenClaims};
use wathiq_payment::app::reconcile::reconcile;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::{World, reason};

impl World {
    /// All differences, as an administrator of the platform sees them.
    pub(crate) async fn differences(&self) -> Vec<pb::Difference> {
        let claims = TokenClaims {
            surface: Surface::Staff,
            padm: true,
            ..self.claims(Uuid::new_v4())
        };
        self.try_differences(&claims, "").await.unwrap().differences
    }

    async fn try_differences(
        &self,
        claims: &TokenClaims,
        page_token: &str,
    ) -> Result<pb::ListDifferencesResponse, Status> {
        let message = pb::ListDifferencesRequest {
            page_size: 1,
            page_token: page_token.to_owned(),
        };
        let listed = self
            .reconciliation()
            .list_differences(with_token(message, &token(claims)))
            .await?;
        Ok(listed.into_inner())
    }

    async fn statement(&self) -> Vec<pb::StatementEntry> {
        let listed = self
            .payables()
            .list_statement(pb::ListStatementRequest::default())
            .await;
        listed.unwrap().into_inner().entries
    }
}

#[tokio::test]
async fn books_that_agree_show_nothing_and_the_statement_says_the_same() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let (payable, card) = world.captured(payer).await;
    world.try_refund(&payable.payable_id, "part", 500).await.unwrap();
    let other = world.open(payer).await;
    world.card(payer, &other.payable_id).await;
    world.settle(TimeDelta::hours(1)).await;
    assert_eq!(reconcile(&world.app, 0).await.unwrap(), 2);
    assert_eq!(reconcile(&world.app, 0).await.unwrap(), 0);
    assert!(world.differences().await.is_empty());
    let statement = world.statement().await;
    let said: Vec<_> = statement
        .iter()
        .map(|entry| {
            (
                entry.status.as_str(),
                entry.authorised_centimes,
                entry.captured_centimes,
                entry.credited_centimes,
            )
        })
        .collect();
    assert_eq!(said, [("CAPTURED", 2_000, 2_000, 500), ("NONE", 0, 0, 0)]);
    assert_eq!(statement[0].provider_order_id, card.oid());
    assert_eq!(statement[0].owner_reference, payable.owner_reference);
    // Another owner's statement is empty.
    let theirs = world
        .payables_of("signature")
        .list_statement(pb::ListStatementRequest::default())
        .await
        .unwrap();
    assert!(theirs.into_inner().entries.is_empty());
}

#[tokio::test]
async fn money_on_one_side_only_is_found_and_what_can_be_mended_is() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    // A success long after the session's end that nobody told of.
    let late = world.open(payer).await;
    let late_card = world.card(payer, &late.payable_id).await;
    let (_, lost_card) = world.captured(payer).await;
    world.settle(TimeDelta::hours(1)).await;
    world.cmi.authorise(&late_card.oid(), 2_000);
    // A payment that the bank took back behind our backs.
    let lost = world.cmi.transactions(&lost_card.oid())[0].id.clone();
    world.cmi.take_back(&lost_card.oid(), &lost);
    reconcile(&world.app, 0).await.unwrap();
    let claims = TokenClaims {
        surface: Surface::Staff,
        padm: true,
        ..world.claims(payer)
    };
    let first = world.try_differences(&claims, "").await.unwrap();
    let second = world
        .try_differences(&claims, &first.next_page_token)
        .await
        .unwrap();
    assert!(first.run_time.is_some() && second.next_page_token.is_empty());
    let mut found: Vec<_> = [first, second]
        .into_iter()
        .flat_map(|page| page.differences)
        .map(|difference| {
            (
                difference.reason,
                difference.ours_centimes,
                difference.theirs_centimes,
            )
        })
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            ("PROVIDER_HAS_LESS".to_owned(), 2_000, 0),
            ("PROVIDER_HAS_MORE".to_owned(), 0, 2_000)
        ]
    );
    world.settle(TimeDelta::hours(2)).await;
    assert_eq!(
        world.payable(&late.payable_id).await.attempts[0].state(),
        pb::AttemptState::Captured
    );
    world.settle(TimeDelta::days(1)).await;
    reconcile(&world.app, 0).await.unwrap();
    let left: Vec<String> = world
        .differences()
        .await
        .into_iter()
        .map(|difference| difference.reason)
        .collect();
    assert_eq!(left, ["PROVIDER_HAS_LESS"]);
}

#[tokio::test]
async fn a_capture_that_never_comes_is_listed_and_a_night_without_the_provider_goes_on_later() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    world
        .post(&crate::harness::cmi::callback(&card.form, &transaction, "00"))
        .await;
    world.cmi.refuse("PostAuth", 1_000);
    world.settle(TimeDelta::hours(3)).await;
    world.cmi.set_down(true);
    reconcile(&world.app, 0).await.unwrap_err();
    world.cmi.set_down(false);
    // Not before its hour (it is noon).
    assert_eq!(reconcile(&world.app, 23).await.unwrap(), 0);
    assert_eq!(reconcile(&world.app, 2).await.unwrap(), 1);
    let found = world.differences().await;
    assert_eq!(found[0].reason, "NOT_CAPTURED");
}

#[tokio::test]
async fn differences_are_for_administrators_of_the_platform() {
    let world = World::start().await;
    let citizen = world.claims(Uuid::new_v4());
    assert_eq!(
        reason(world.try_differences(&citizen, "").await),
        (Code::PermissionDenied, "WRONG_SURFACE".to_owned())
    );
    let staff = TokenClaims {
        surface: Surface::Staff,
        ..citizen
    };
    assert_eq!(
        reason(world.try_differences(&staff, "").await),
        (Code::PermissionDenied, "ADMINISTRATOR_REQUIRED".to_owned())
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_a_difference_and_holds_nothing_up() {
    let world = World::start().await;
    let (_, garbled) = world.captured(Uuid::new_v4()).await;
    world.captured(Uuid::new_v4()).await;
    world.cmi.garble(&garbled.oid(), true);
    assert_eq!(reconcile(&world.app, 0).await.unwrap(), 2);
    let found = world.differences().await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].reason.as_str(), found[0].provider_order_id.as_str()),
        ("UNREADABLE", garbled.oid().as_str())
    );
    let said: Vec<String> = world
        .statement()
        .await
        .into_iter()
        .map(|entry| entry.status)
        .collect();
    assert_eq!(said, ["UNREADABLE", "CAPTURED"]);
    world.cmi.garble(&garbled.oid(), false);
    world.settle(TimeDelta::days(1)).await;
    reconcile(&world.app, 0).await.unwrap();
    assert!(world.differences().await.is_empty());
}

#[tokio::test]
async fn what_has_ended_without_money_is_compared_until_it_is_settled() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    world.card(payer, &payable.payable_id).await;
    let mut compared = Vec::new();
    for _ in 0..6 {
        world.settle(TimeDelta::days(1)).await;
        compared.push(reconcile(&world.app, 0).await.unwrap());
    }
    assert_eq!(compared, [1, 1, 1, 1, 0, 0]);
}
