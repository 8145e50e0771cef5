//! What the card provider posts: each sentence of the protocol, and everything that is not proven.

use chrono::TimeDelta;
use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::cmi::{callback, set, sign};
use crate::harness::{World, reason, violations};

#[tokio::test]
async fn a_success_pays_is_captured_by_the_status_and_gets_a_receipt_number() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let (payable, card) = world.paid(payer).await;
    assert_eq!(payable.state(), pb::PayableState::Paid);
    assert_eq!(payable.receipt_number, "2026-000001");
    assert_eq!(payable.attempts[0].state(), pb::AttemptState::Authorised);
    // Asked the provider, not believed from the answer given to it.
    world.settle(TimeDelta::minutes(2)).await;
    let payable = world.payable(&payable.payable_id).await;
    assert_eq!(payable.attempts[0].state(), pb::AttemptState::Captured);
    assert_eq!(world.cmi.count("PostAuth"), 0);
    assert_eq!(world.cmi.transactions(&card.oid())[0].state, 'C');
    assert_eq!(payable.attempts[0].international, Some(false));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_made_good_after_an_hour() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let answer = world.post(&callback(&card.form, &transaction, "00")).await;
    assert_eq!(answer, "ACTION=POSTAUTH");
    // The provider never sees the answer.
    world
        .settle(TimeDelta::hours(1) - TimeDelta::milliseconds(1))
        .await;
    assert_eq!(world.cmi.count("PostAuth"), 0);
    world.settle(TimeDelta::milliseconds(1)).await;
    assert_eq!(world.cmi.count("PostAuth"), 1);
    world.settle(TimeDelta::minutes(1)).await;
    assert_eq!(world.cmi.count("PostAuth"), 1);
    let payable = world.payable(&payable.payable_id).await;
    assert_eq!(payable.attempts[0].state(), pb::AttemptState::Captured);
}

#[tokio::test]
async fn declines_then_a_success_on_one_order_id() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    for code in ["51", "05"] {
        let transaction = world.cmi.decline(&card.oid(), 2_000, code);
        let fields = callback(&card.form, &transaction, code);
        assert_eq!(world.post(&fields).await, "APPROVED");
        assert_eq!(world.post(&fields).await, "APPROVED");
    }
    let found = world.payable(&payable.payable_id).await;
    let attempt = &found.attempts[0];
    assert_eq!(
        (attempt.declines, attempt.decline_code.as_str(), attempt.state()),
        (2, "05", pb::AttemptState::Started)
    );
    assert_eq!(found.state(), pb::PayableState::Open);
    assert_eq!(world.pay(&card).await.1, "ACTION=POSTAUTH");
    assert_eq!(
        world.payable(&payable.payable_id).await.state(),
        pb::PayableState::Paid
    );
}

#[tokio::test]
async fn approved_with_a_refusing_code_or_an_unknown_payer_does_not_pay() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let mut fields = callback(&card.form, "T1", "05");
    set(&mut fields, "Response", "Approved");
    sign(&mut fields);
    assert_eq!(world.post(&fields).await, "APPROVED");
    let mut fields = callback(&card.form, "T2", "00");
    set(&mut fields, "Response", "Error");
    sign(&mut fields);
    assert_eq!(world.post(&fields).await, "APPROVED");
    // The provider took money of somebody it did not authenticate: it is given back.
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let mut fields = callback(&card.form, &transaction, "00");
    set(&mut fields, "mdStatus", "7");
    sign(&mut fields);
    assert_eq!(world.post(&fields).await, "APPROVED");
    world.settle(TimeDelta::minutes(2)).await;
    assert_eq!(world.cmi.held(), 0);
    assert_eq!(
        world.payable(&payable.payable_id).await.state(),
        pb::PayableState::Open
    );
}

#[tokio::test]
async fn what_is_not_proven_changes_nothing() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let good = callback(&card.form, &transaction, "00");
    let before = world.payable(&payable.payable_id).await;
    type Change = fn(&mut Vec<(String, String)>);
    let changes: [(&str, bool, Change); 10] = [
        ("hash wrong", false, |fields| set(fields, "HASH", "AAAA")),
        ("hash missing", false, |fields| {
            fields.retain(|(name, _)| name != "HASH");
        }),
        ("amount altered after signing", false, |fields| {
            set(fields, "amount", "2.00");
        }),
        ("another amount, signed", true, |fields| {
            set(fields, "amount", "2.00");
        }),
        ("another currency", true, |fields| set(fields, "currency", "978")),
        ("another merchant", true, |fields| {
            set(fields, "clientid", "600000002");
        }),
        ("another kind of store", true, |fields| {
            set(fields, "storetype", "3d_pay");
        }),
        ("an unknown order", true, |fields| {
            set(fields, "oid", "WTQ-2026-000001");
        }),
        ("a field twice", true, |fields| {
            fields.push(("OID".to_owned(), "other".to_owned()));
        }),
        ("no return code", true, |fields| {
            fields.retain(|(name, _)| name != "ProcReturnCode");
        }),
    ];
    for (what, signed, change) in changes {
        let mut fields = good.clone();
        change(&mut fields);
        if signed {
            sign(&mut fields);
        }
        assert_eq!(world.post(&fields).await, "FAILURE", "{what}");
        assert_eq!(world.payable(&payable.payable_id).await, before, "{what}");
    }
    let mut conn = world.database.connect().await;
    let reasons: Vec<String> = sqlx::query_scalar(
        "SELECT reason FROM audit WHERE action = 'attempt.message' AND outcome = 'refused' ORDER BY id",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(
        reasons,
        [
            "HASH_WRONG",
            "MESSAGE_MALFORMED",
            "HASH_WRONG",
            "AMOUNT_DIFFERS",
            "MERCHANT_DIFFERS",
            "MERCHANT_DIFFERS",
            "MERCHANT_DIFFERS",
            "ORDER_UNKNOWN",
            "FIELD_DOUBLED",
            "MESSAGE_MALFORMED"
        ]
    );
    assert_eq!(world.post(&good).await, "ACTION=POSTAUTH");
}

#[tokio::test]
async fn a_repeat_gets_the_answer_it_got_before() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let (transaction, answer) = world.pay(&card).await;
    world.settle(TimeDelta::days(3)).await;
    let again = world.post(&callback(&card.form, &transaction, "00")).await;
    assert_eq!((again, world.cmi.held()), (answer, 2_000));
}

#[tokio::test]
async fn a_second_success_is_voided_on_the_same_and_on_another_order_id() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let first = world.card(payer, &payable.payable_id).await;
    let second = world.card(payer, &payable.payable_id).await;
    assert_eq!(world.pay(&first).await.1, "ACTION=POSTAUTH");
    let (repeated, answer) = world.pay(&first).await;
    assert_eq!(answer, "APPROVED");
    assert_eq!(world.pay(&second).await.1, "APPROVED");
    assert_eq!(world.cmi.held(), 6_000);
    let voiding = world.payable(&payable.payable_id).await;
    let states: Vec<_> = voiding.attempts.iter().map(pb::Attempt::state).collect();
    assert_eq!(states, [pb::AttemptState::Authorised, pb::AttemptState::Voiding]);
    world.settle(TimeDelta::minutes(10)).await;
    assert_eq!(world.cmi.held(), 2_000);
    let settled = world.payable(&payable.payable_id).await;
    let states: Vec<_> = settled.attempts.iter().map(pb::Attempt::state).collect();
    assert_eq!(states, [pb::AttemptState::Captured, pb::AttemptState::Voided]);
    let transactions = world.cmi.transactions(&first.oid());
    let voided = transactions.iter().find(|trx| trx.id == repeated).unwrap();
    assert_eq!(voided.state, 'V');
}

#[tokio::test]
async fn a_success_for_what_was_cancelled_or_has_expired_is_voided() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    for expires in [false, true] {
        let payable = world.open(payer).await;
        let card = world.card(payer, &payable.payable_id).await;
        if expires {
            // Noticed by nobody yet.
            world.advance(TimeDelta::days(2));
        } else {
            world.try_cancel(&payable.payable_id).await.unwrap();
        }
        assert_eq!(world.pay(&card).await.1, "APPROVED");
        world.settle(TimeDelta::minutes(5)).await;
        let found = world.payable(&payable.payable_id).await;
        let expected = if expires {
            pb::PayableState::Expired
        } else {
            pb::PayableState::Cancelled
        };
        assert_eq!(
            (found.state(), found.attempts[0].state()),
            (expected, pb::AttemptState::Voided)
        );
        assert_eq!((world.cmi.held(), found.receipt_number.as_str()), (0, ""));
    }
}

#[tokio::test]
async fn the_browser_s_return_pays_nothing_and_has_the_provider_asked() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let fields = callback(&card.form, &transaction, "00");
    let back = world.try_return(&fields).await.unwrap();
    assert_eq!(
        (back.payable_id.as_str(), back.owner.as_str(), back.state()),
        (
            payable.payable_id.as_str(),
            "civil-registry-order",
            pb::PayableState::Open
        )
    );
    assert_eq!(back.owner_reference, payable.owner_reference);
    assert_eq!(
        world.payable(&payable.payable_id).await.state(),
        pb::PayableState::Open
    );
    // The callback never comes: the provider's own status pays, moments after the return.
    world.settle(TimeDelta::seconds(20)).await;
    assert_eq!(
        world.payable(&payable.payable_id).await.state(),
        pb::PayableState::Paid
    );
    // It comes after all: it is answered as the success that it is.
    assert_eq!(world.post(&fields).await, "ACTION=POSTAUTH");
    let mut forged = fields.clone();
    set(&mut forged, "amount", "2.00");
    assert_eq!(
        violations(world.try_return(&forged).await),
        [("fields".to_owned(), "RETURN_NOT_VERIFIED".to_owned())]
    );
}

#[tokio::test]
async fn a_callback_that_never_comes_is_found_at_the_session_s_end() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let (lost, idle) = (world.open(payer).await, world.open(payer).await);
    let card = world.card(payer, &lost.payable_id).await;
    world.card(payer, &idle.payable_id).await;
    world.cmi.authorise(&card.oid(), 2_000);
    world.settle(TimeDelta::minutes(40)).await;
    let lost = world.payable(&lost.payable_id).await;
    assert_eq!(
        (lost.state(), lost.attempts[0].state()),
        (pb::PayableState::Paid, pb::AttemptState::Authorised)
    );
    let idle = world.payable(&idle.payable_id).await;
    assert_eq!(
        (idle.state(), idle.attempts[0].state()),
        (pb::PayableState::Open, pb::AttemptState::Ended)
    );
    world.settle(TimeDelta::hours(2)).await;
    let lost = world.payable(&lost.payable_id).await;
    assert_eq!(lost.attempts[0].state(), pb::AttemptState::Captured);
}

#[tokio::test]
async fn a_card_from_abroad_is_told_and_entities_are_decoded() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let mut fields = callback(&card.form, &transaction, "00");
    set(&mut fields, "EXTRA.CARDISSUER", "International & Söhne");
    sign(&mut fields);
    // As some shops' servers hand it on: encoded for HTML, a newline at the end.
    set(
        &mut fields,
        "EXTRA.CARDISSUER",
        "International &amp; S&ouml;hne\n",
    );
    assert_eq!(world.post(&fields).await, "ACTION=POSTAUTH");
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(found.attempts[0].international, Some(true));
}

/// Found by asking the provider: where the card is from is what its status says, or not known until the late callback tells.
#[tokio::test]
async fn where_a_card_is_from_is_not_guessed() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let mut found = Vec::new();
    for issuer in [None, Some("INTERNATIONAL BANK"), Some("BANQUE DU MAROC")] {
        let payable = world.open(payer).await;
        let card = world.card(payer, &payable.payable_id).await;
        let transaction = world.cmi.authorise(&card.oid(), 2_000);
        if let Some(issuer) = issuer {
            world.cmi.tells_issuer(&card.oid(), issuer);
        }
        world.settle(TimeDelta::minutes(40)).await;
        let polled = world.payable(&payable.payable_id).await;
        assert_eq!(polled.state(), pb::PayableState::Paid);
        let mut late = callback(&card.form, &transaction, "00");
        set(&mut late, "EXTRA.CARDISSUER", "INTERNATIONAL BANK");
        sign(&mut late);
        assert_eq!(world.post(&late).await, "ACTION=POSTAUTH");
        let told = world.payable(&payable.payable_id).await;
        found.push((polled.attempts[0].international, told.attempts[0].international));
    }
    let (abroad, here) = (Some(true), Some(false));
    assert_eq!(found, [(None, abroad), (abroad, abroad), (here, here)]);
}

#[tokio::test]
async fn a_message_beyond_all_bounds_is_refused() {
    let world = World::start().await;
    let fields: Vec<(String, String)> = (0..201).map(|n| (format!("f{n}"), String::new())).collect();
    assert_eq!(violations(world.try_post(&fields).await).len(), 1);
    let long = vec![("a".to_owned(), "x".repeat(64 * 1024))];
    assert_eq!(violations(world.try_post(&long).await).len(), 1);
    let message = pb::ReceiveCallbackRequest {
        provider: "paypal".to_owned(),
        ..Default::default()
    };
    let refused = world.providers().receive_callback(message).await;
    assert_eq!(reason(refused).0, Code::InvalidArgument);
}
