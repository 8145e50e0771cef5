//! The payer's side: setting out by card.

use chrono::TimeDelta;
use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::cmi::{callback, sign, value};
use crate::harness::{World, hash, reason, request_id, violations};

#[tokio::test]
async fn the_form_is_what_the_provider_wants_and_its_hash_holds() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let expected = [
        ("clientid", "600000001"),
        ("storetype", "3D_PAY_HOSTING"),
        ("TranType", "PreAuth"),
        ("amount", "20.00"),
        ("currency", "504"),
        ("oid", card.attempt.provider_order_id.as_str()),
        ("okUrl", "https://wathiq.test/payments/cmi/ok"),
        ("failUrl", "https://wathiq.test/payments/cmi/fail"),
        ("shopurl", "https://wathiq.test/"),
        ("callbackUrl", "https://wathiq.test/payments/cmi"),
        ("CallbackResponse", "true"),
        ("lang", "fr"),
        ("email", "amina@example.ma"),
        ("BillToName", "Amina El Idrissi"),
        ("BillToCountry", "504"),
        ("tel", "+212600000000"),
        ("hashAlgorithm", "ver3"),
        ("encoding", "UTF-8"),
        ("AutoRedirect", "true"),
        ("refreshtime", "5"),
        ("sessiontimeout", "1800"),
    ];
    for (name, wanted) in expected {
        assert_eq!(value(&card.form, name), wanted, "{name}");
    }
    assert!(card.form.action_url.ends_with("/fim/est3Dgate"));
    let fields: Vec<(String, String)> = card
        .form
        .fields
        .iter()
        .map(|field| (field.name.clone(), field.value.clone()))
        .collect();
    assert_eq!(value(&card.form, "HASH"), hash::of(&fields));
    // No field stands twice, and a new attempt has a new order id.
    let names: std::collections::HashSet<String> =
        fields.iter().map(|(name, _)| name.to_lowercase()).collect();
    assert_eq!(names.len(), fields.len());
    let other = world.card(payer, &payable.payable_id).await;
    assert_ne!(other.oid(), card.oid());
}

#[tokio::test]
async fn a_repeat_starts_nothing_new_and_options_follow_the_payable() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let message = pb::StartAttemptRequest {
        request_id: request_id(),
        payable_id: payable.payable_id.clone(),
        provider: "cmi".to_owned(),
        language: "ar".to_owned(),
        phone: String::new(),
    };
    let first = world
        .payments()
        .start_attempt(world.by(payer, message.clone()))
        .await
        .unwrap();
    let again = world
        .payments()
        .start_attempt(world.by(payer, message))
        .await
        .unwrap();
    assert!(first.into_inner() == again.into_inner());
    let options = async |id: &str| {
        let message = pb::GetPaymentRequest {
            payable_id: id.to_owned(),
        };
        let found = world.payments().get_payment(world.by(payer, message)).await;
        let found = found.unwrap().into_inner();
        assert_eq!(found.payable.unwrap().attempts.len(), 1);
        found
            .options
            .into_iter()
            .map(|option| option.provider)
            .collect::<Vec<_>>()
    };
    assert_eq!(options(&payable.payable_id).await, ["cmi", "text-message"]);
    let (paid, _) = world.paid(payer).await;
    assert!(options(&paid.payable_id).await.is_empty());
}

#[tokio::test]
async fn ten_attempts_are_enough_and_faults_are_told() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    for _ in 0..10 {
        world.card(payer, &payable.payable_id).await;
    }
    assert_eq!(
        reason(
            world
                .try_start(payer, &payable.payable_id, "text-message", "+212612345678")
                .await
        ),
        (Code::FailedPrecondition, "TOO_MANY_ATTEMPTS".to_owned())
    );
    let wrong = pb::StartAttemptRequest {
        request_id: request_id(),
        payable_id: "x".to_owned(),
        provider: "paypal".to_owned(),
        language: "de".to_owned(),
        phone: String::new(),
    };
    let faults = violations(world.payments().start_attempt(world.by(payer, wrong)).await);
    let fields: Vec<&str> = faults.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["payable_id", "provider", "language"]);
}

#[tokio::test]
async fn a_session_never_outlasts_its_payable() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    world.advance(TimeDelta::days(2) - TimeDelta::minutes(10));
    let card = world.card(payer, &payable.payable_id).await;
    assert_eq!(value(&card.form, "sessiontimeout"), "600");
    world.advance(TimeDelta::seconds(571));
    assert_eq!(
        reason(world.try_card(payer, &payable.payable_id).await),
        (Code::FailedPrecondition, "PAYABLE_EXPIRED".to_owned())
    );
}

#[tokio::test]
async fn clicking_on_leads_to_the_page_that_is_open() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        orders.push(world.card(payer, &payable.payable_id).await.oid());
    }
    let different: std::collections::HashSet<&String> = orders.iter().collect();
    assert_eq!(different.len(), 10);
    assert_eq!(
        orders[9..],
        [orders[9].clone(), orders[9].clone(), orders[9].clone()]
    );
    // Sessions that are over count no longer.
    world.settle(TimeDelta::hours(1)).await;
    let again = world.card(payer, &payable.payable_id).await.oid();
    assert!(!orders.contains(&again));
}

#[tokio::test]
async fn a_return_before_the_message_says_that_it_is_being_confirmed() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let returned = async || world.payable(&payable.payable_id).await.attempts[0].approved_return_time;
    let declined = callback(&card.form, &world.cmi.decline(&card.oid(), 2_000, "51"), "51");
    world.try_return(&declined).await.unwrap();
    assert_eq!(returned().await, None);
    let transaction = world.cmi.authorise(&card.oid(), 2_000);
    let fields = callback(&card.form, &transaction, "00");
    world.try_return(&fields).await.unwrap();
    assert!(returned().await.is_some());
    assert_eq!(world.post(&fields).await, "ACTION=POSTAUTH");
    assert_eq!(returned().await, None);
}

#[tokio::test]
async fn who_gives_up_comes_back_with_little() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let payable = world.open(payer).await;
    let card = world.card(payer, &payable.payable_id).await;
    let mut fields = vec![
        ("clientid".to_owned(), "600000001".to_owned()),
        ("oid".to_owned(), card.oid()),
    ];
    sign(&mut fields);
    let back = world.try_return(&fields).await.unwrap();
    assert_eq!(back.owner_reference, payable.owner_reference);
    let found = world.payable(&payable.payable_id).await;
    assert_eq!(
        (
            found.state(),
            found.attempts[0].state(),
            found.attempts[0].approved_return_time
        ),
        (pb::PayableState::Open, pb::AttemptState::Started, None)
    );
    fields[0].1 = "600000002".to_owned();
    sign(&mut fields);
    assert_eq!(
        violations(world.try_return(&fields).await),
        [("fields".to_owned(), "RETURN_NOT_VERIFIED".to_owned())]
    );
}
