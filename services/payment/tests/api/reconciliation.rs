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

    pub(crate) async fn list_all_differences(&self) -> pb::ListDifferencesResponse {
        let claims = TokenClaims {
            surface: Surface::Staff,
            padm: true,
            ..self.claims(Uuid::new_v4())
        };
        let message = pb::ListDifferencesRequest::default();
        let mut service = self.reconciliation();
        let listed = service
            .list_differences(with_token(message, &token(&claims)))
            .await;
        listed.unwrap().into_inner()
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
    assert_eq!(left, ["PAYMENT_LOST"]);
}

#[tokio::test]
async fn a_capture_that_never_comes_is_listed() {
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

#[tokio::test]
async fn what_is_captured_is_compared_until_it_is_settled_and_again_when_it_changes() {
    let world = World::start().await;
    let (payable, _) = world.captured(Uuid::new_v4()).await;
    let mut compared = Vec::new();
    for day in 0..10 {
        if day == 5 {
            world.try_refund(&payable.payable_id, "part", 500).await.unwrap();
        }
        world.settle(TimeDelta::days(1)).await;
        compared.push(reconcile(&world.app, 0).await.unwrap());
    }
    assert_eq!(compared, [1, 1, 1, 1, 0, 1, 1, 1, 1, 0]);
    assert!(world.differences().await.is_empty());
}

/// Reasons of all differences, and how many attempts the latest run was not answered about.
async fn listed(world: &World) -> (Vec<String>, i32) {
    let listed = world.list_all_differences().await;
    let reasons = listed.differences.into_iter().map(|one| one.reason);
    (reasons.collect(), listed.run_unanswered)
}

#[tokio::test]
async fn an_order_about_which_nothing_is_said_does_not_stop_the_night() {
    let world = World::start().await;
    let (_, broken) = world.captured(Uuid::new_v4()).await;
    world.captured(Uuid::new_v4()).await;
    world.cmi.break_order(&broken.oid(), true);
    assert_eq!(reconcile(&world.app, 0).await.unwrap(), 2);
    assert_eq!(listed(&world).await, (vec!["UNANSWERED".to_owned()], 1));
    let said: Vec<String> = world
        .statement()
        .await
        .into_iter()
        .map(|entry| entry.status)
        .collect();
    assert_eq!(said, ["UNANSWERED", "CAPTURED"]);
    world.cmi.break_order(&broken.oid(), false);
    world.settle(TimeDelta::days(1)).await;
    reconcile(&world.app, 0).await.unwrap();
    assert_eq!(listed(&world).await, (vec![], 0));
}

#[tokio::test]
async fn an_attempt_whose_provider_is_gone_does_not_stop_the_night() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    world
        .try_start(payer, &payable.payable_id, "text-message", "+212612345678")
        .await
        .unwrap();
    world.captured(payer).await;
    let app = world.without("text_message");
    assert_eq!(reconcile(&app, 0).await.unwrap(), 2);
    assert_eq!(listed(&world).await, (vec!["UNANSWERED".to_owned()], 1));
}

#[tokio::test]
async fn a_provider_that_is_down_is_waited_for_and_not_for_ever() {
    let world = World::start().await;
    for _ in 0..5 {
        world.captured(Uuid::new_v4()).await;
    }
    world.cmi.set_down(true);
    reconcile(&world.app, 0).await.unwrap_err();
    let statement = world
        .payables()
        .list_statement(pb::ListStatementRequest::default())
        .await;
    assert_eq!(
        reason(statement),
        (Code::Unavailable, "PROVIDER_UNAVAILABLE".to_owned())
    );
    assert!(world.differences().await.is_empty());
    world.advance(TimeDelta::hours(6));
    assert_eq!(reconcile(&world.app, 0).await.unwrap(), 5);
    assert_eq!(listed(&world).await, (vec!["UNANSWERED".to_owned(); 5], 5));
}

#[tokio::test]
async fn a_run_that_was_cut_off_goes_on_where_it_stopped() {
    let world = World::start().await;
    let (first, _) = world.captured(Uuid::new_v4()).await;
    world.captured(Uuid::new_v4()).await;
    let mut conn = world.database.connect().await;
    sqlx::query(
        "INSERT INTO reconciliation_run (day, started_at, after) VALUES ('2026-11-22', $1, $2::uuid)",
    )
    .bind(world.now())
    .bind(&first.attempts[0].attempt_id)
    .execute(&mut conn)
    .await
    .unwrap();
    // The rest of that night, and all of this one.
    assert_eq!(reconcile(&world.app, 0).await.unwrap(), 1 + 2);
    let unended: i64 = sqlx::query_scalar("SELECT count(*) FROM reconciliation_run WHERE ended_at IS NULL")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(unended, 0);
}
