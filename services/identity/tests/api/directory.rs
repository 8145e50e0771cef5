//! What other services ask: keys, authorisations, people, deliveries, quotas.

use chrono::TimeDelta;
use tonic::Code;
use wathiq_identity::domain::signing_key::{PUBLISHED_AHEAD, SIGNS_FOR, TOKENS_OUTLIVE};
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, refusal, request_id, violations, with_token};
use crate::people::sign_up_request;

async fn published(app: &TestApp) -> ListVerificationKeysResponse {
    let mut directory = app.signature.directory.clone();
    directory
        .list_verification_keys(ListVerificationKeysRequest {})
        .await
        .unwrap()
        .into_inner()
}

async fn keys(app: &TestApp) -> Vec<VerificationKey> {
    published(app).await.keys
}

/// What the service does once a minute.
pub(crate) async fn tidy(app: &TestApp) {
    let tidied = wathiq_identity::service::tidy(&app.settings, app.ambient()).await;
    tidied.unwrap();
}

#[tokio::test]
async fn keys_are_known_before_they_sign_and_fade_after() {
    let app = TestApp::start().await;
    let first = keys(&app).await;
    assert_eq!((first.len(), first[0].public_key.len()), (1, 32));
    assert_eq!(first[0].retire_time, None);
    app.advance(SIGNS_FOR - PUBLISHED_AHEAD);
    tidy(&app).await;
    tidy(&app).await;
    let both = keys(&app).await;
    assert_eq!(both.len(), 2);
    let someone = app.newcomer().await;
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    assert_eq!(kid(&someone.token), first[0].key_id);
    app.advance(PUBLISHED_AHEAD);
    let later = app.newcomer().await;
    assert_eq!(kid(&later.token), both[1].key_id);
    let fading = keys(&app).await;
    assert!(fading[0].retire_time.is_some() && fading[1].retire_time.is_none());
    app.advance(TOKENS_OUTLIVE - TimeDelta::microseconds(1));
    assert_eq!(published(&app).await.keys.len(), 2);
    app.advance(TimeDelta::microseconds(1));
    // Whoever may have kept its private half, no token of it is good any more; records of old are still verified by it.
    let last = published(&app).await;
    let ids = |keys: &[VerificationKey]| keys.iter().map(|key| key.key_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&last.keys), [both[1].key_id.clone()]);
    assert_eq!(ids(&last.record_keys), [first[0].key_id.clone()]);
    tidy(&app).await;
    assert_eq!(
        app.count("SELECT count(*) FROM signing_key WHERE private_sealed IS NULL")
            .await,
        1
    );
    app.finish().await;
}

#[tokio::test]
async fn an_authorisation_is_of_this_moment() {
    let app = TestApp::start().await;
    let (root, office) = app.counter().await;
    let mut agent = app.proved_citizen(&root, &office.office_id).await;
    let citizen_session = agent.session_id.clone();
    let membership = app
        .grant(&root, &office.office_id, &agent.id, OfficeRole::Agent)
        .await;
    app.sign_in(&mut agent, SessionSurface::Staff).await;
    let mut directory = app.signature.directory.clone();
    let ask = |session: &str| GetAuthorizationRequest {
        person_id: agent.id.clone(),
        session_id: session.to_owned(),
    };
    let now = directory
        .get_authorization(ask(&agent.session_id))
        .await
        .unwrap()
        .into_inner();
    assert!(now.session_live && !now.platform_administrator);
    assert_eq!(now.assurance(), AssuranceLevel::Proved);
    assert_eq!(
        (now.grants[0].office_id.as_str(), now.grants[0].role()),
        (office.office_id.as_str(), OfficeRole::Agent)
    );
    assert_eq!(
        (now.grants[0].membership_id.clone(), now.grants[0].deputy),
        (membership.membership_id.clone(), false)
    );
    // In the same person's citizen session there is no role.
    let citizen = directory
        .get_authorization(ask(&citizen_session))
        .await
        .unwrap()
        .into_inner();
    assert!(citizen.session_live && citizen.grants.is_empty());
    // Another person's session is not theirs.
    let stolen = directory
        .get_authorization(ask(&root.session_id))
        .await
        .unwrap()
        .into_inner();
    assert!(!stolen.session_live && stolen.grants.is_empty() && !stolen.platform_administrator);
    let end = EndMembershipRequest {
        request_id: request_id(),
        membership_id: membership.membership_id,
    };
    app.gateway
        .offices
        .clone()
        .end_membership(with_token(end, &root.token))
        .await
        .unwrap();
    let after = directory
        .get_authorization(ask(&agent.session_id))
        .await
        .unwrap()
        .into_inner();
    assert!(after.session_live && after.grants.is_empty());
    app.advance(TimeDelta::minutes(15));
    let idle = directory
        .get_authorization(ask(&agent.session_id))
        .await
        .unwrap()
        .into_inner();
    assert!(!idle.session_live);
    app.finish().await;
}

#[tokio::test]
async fn a_service_that_draws_up_an_act_gets_the_person() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let ask = |id: &str| GetPersonForServiceRequest {
        person_id: id.to_owned(),
    };
    let mut directory = app.signature.directory.clone();
    let person = directory
        .get_person_for_service(ask(&someone.id))
        .await
        .unwrap()
        .into_inner()
        .person
        .unwrap();
    assert_eq!(person.name_latin.as_ref().unwrap().family, "El Idrissi");
    // Each service gets what it has use for, and no more.
    let for_signature = Person {
        person_id: someone.id.clone(),
        name_arabic: Some(crate::people::arabic()),
        name_latin: Some(crate::people::latin()),
        identity_document: Some(someone.document.clone()),
        assurance: AssuranceLevel::Claimed.into(),
        ..Default::default()
    };
    assert!(person == for_signature);
    let mut for_messages = app.notification.directory.clone();
    let told = for_messages.get_person_for_service(ask(&someone.id)).await;
    let for_notification = Person {
        person_id: someone.id.clone(),
        name_arabic: Some(crate::people::arabic()),
        name_latin: Some(crate::people::latin()),
        email: someone.email.clone(),
        phone: "+212600000000".to_owned(),
        language: Language::Ar.into(),
        delivery_preference: DeliveryPreference::Attachment.into(),
        ..Default::default()
    };
    assert!(told.unwrap().into_inner().person.unwrap() == for_notification);
    let mut for_orders = app.clients("civil-registry-order").directory;
    let told = for_orders.get_person_for_service(ask(&someone.id)).await;
    let for_civil_registry_order = Person {
        birth_date: Some(crate::people::birth_date()),
        email: someone.email.clone(),
        phone: "+212600000000".to_owned(),
        language: Language::Ar.into(),
        ..for_signature
    };
    assert!(told.unwrap().into_inner().person.unwrap() == for_civil_registry_order);
    let nobody = directory
        .get_person_for_service(ask(&uuid::Uuid::new_v4().to_string()))
        .await;
    assert_eq!(reason(nobody), "PERSON_NOT_FOUND");
    app.finish().await;
}

#[tokio::test]
async fn a_delivery_is_handed_over_to_one_request_and_in_time() {
    let app = TestApp::start().await;
    let opened = app
        .gateway
        .accounts
        .clone()
        .sign_up(sign_up_request(1))
        .await
        .unwrap()
        .into_inner();
    let delivery_id = opened.deliveries[0].delivery_id.clone();
    let state = |delivery_id: &str| {
        let request = GetDeliveryRequest {
            delivery_id: delivery_id.to_owned(),
        };
        let mut directory = app.gateway.directory.clone();
        async move {
            directory
                .get_delivery(request)
                .await
                .unwrap()
                .into_inner()
                .delivery
                .unwrap()
                .state()
        }
    };
    assert_eq!(state(&delivery_id).await, CodeDeliveryState::Waiting);
    let mut directory = app.notification.directory.clone();
    let take = |request_id: String, delivery_id: &str| TakeDeliveryRequest {
        request_id,
        delivery_id: delivery_id.to_owned(),
    };
    let mine = request_id();
    let taken = directory
        .take_delivery(take(mine.clone(), &delivery_id))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((taken.code.len(), taken.channel()), (6, ContactChannel::Email));
    assert_eq!(state(&delivery_id).await, CodeDeliveryState::Taken);
    // Who died before sending asks again; nobody else gets it.
    let again = directory
        .take_delivery(take(mine.clone(), &delivery_id))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.code, taken.code);
    let other = refusal(directory.take_delivery(take(request_id(), &delivery_id)).await);
    assert_eq!(other.code(), Code::NotFound);
    assert_eq!(
        wathiq_chassis::status::reason(&other).as_deref(),
        Some("DELIVERY_TAKEN")
    );
    let late = opened.deliveries[1].delivery_id.clone();
    app.advance(TimeDelta::minutes(10));
    assert_eq!(state(&late).await, CodeDeliveryState::Expired);
    assert_eq!(
        reason(directory.take_delivery(take(request_id(), &late)).await),
        "DELIVERY_EXPIRED"
    );
    assert_eq!(
        reason(directory.take_delivery(take(mine, &delivery_id)).await),
        "DELIVERY_EXPIRED"
    );
    let unknown = uuid::Uuid::new_v4().to_string();
    assert_eq!(
        reason(directory.take_delivery(take(request_id(), &unknown)).await),
        "DELIVERY_NOT_FOUND"
    );
    app.finish().await;
}

#[tokio::test]
async fn codes_and_addresses_stand_encrypted_until_they_are_too_old() {
    let app = TestApp::start().await;
    app.gateway
        .accounts
        .clone()
        .sign_up(sign_up_request(1))
        .await
        .unwrap();
    let codes: Vec<String> = app
        .messages()
        .await
        .into_iter()
        .map(|message| message.code)
        .collect();
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT sealed FROM delivery")
        .fetch_all(&app.pool)
        .await
        .unwrap();
    for (sealed,) in &rows {
        let text = String::from_utf8_lossy(sealed);
        assert!(!text.contains("example.ma") && !codes.iter().any(|code| text.contains(code)));
    }
    app.advance(TimeDelta::minutes(10));
    tidy(&app).await;
    assert_eq!(
        app.count("SELECT count(*) FROM delivery WHERE sealed IS NOT NULL")
            .await,
        0
    );
    app.advance(TimeDelta::days(3));
    tidy(&app).await;
    for (table, left) in [
        ("delivery", app.count("SELECT count(*) FROM delivery").await),
        (
            "one_time_code",
            app.count("SELECT count(*) FROM one_time_code").await,
        ),
        ("sign_up", app.count("SELECT count(*) FROM sign_up").await),
        ("quota", app.count("SELECT count(*) FROM quota").await),
    ] {
        assert_eq!(left, 0, "{table}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_quota_lets_its_burst_through_and_then_its_rate() {
    let app = TestApp::start_with(|settings, _| {
        let quota = wathiq_identity::config::QuotaSettings {
            per_minute: 6.0,
            burst: 3,
        };
        settings.quotas.insert("http.verify".to_owned(), quota);
    })
    .await;
    let take = |key: u8, cost: u32| TakeQuotaRequest {
        bucket: "http.verify".to_owned(),
        key: vec![key; 32],
        cost,
    };
    let mut directory = app.gateway.directory.clone();
    for remaining in [2, 1, 0] {
        let answer = directory.take_quota(take(1, 1)).await.unwrap().into_inner();
        assert!(answer.allowed);
        assert_eq!(
            (answer.limit, answer.remaining, answer.retry_after_seconds),
            (3, remaining, 0)
        );
    }
    // A digest of an address can be counted through; what is kept cannot.
    let kept = app
        .count("SELECT count(*) FROM quota WHERE bucket = 'http.verify'")
        .await;
    let plain = app
        .count("SELECT count(*) FROM quota WHERE key = decode(repeat('01', 32), 'hex')")
        .await;
    assert_eq!((kept, plain), (1, 0));
    let denied = directory.take_quota(take(1, 1)).await.unwrap().into_inner();
    assert!(!denied.allowed);
    assert_eq!((denied.retry_after_seconds, denied.reset_seconds), (10, 30));
    assert!(
        directory
            .take_quota(take(2, 3))
            .await
            .unwrap()
            .into_inner()
            .allowed
    );
    app.advance(TimeDelta::seconds(10));
    assert!(
        directory
            .take_quota(take(1, 1))
            .await
            .unwrap()
            .into_inner()
            .allowed
    );
    assert_eq!(violations(directory.take_quota(take(1, 4)).await)[0].0, "cost");
    assert_eq!(violations(directory.take_quota(take(1, 0)).await)[0].0, "cost");
    let unknown = TakeQuotaRequest {
        bucket: "x".to_owned(),
        ..take(1, 1)
    };
    assert_eq!(
        violations(directory.take_quota(unknown).await),
        [("bucket".to_owned(), "BUCKET_UNKNOWN".to_owned())]
    );
    let short = TakeQuotaRequest {
        key: vec![1; 31],
        ..take(1, 1)
    };
    assert_eq!(
        violations(directory.take_quota(short).await),
        [("key".to_owned(), "HASH_LENGTH".to_owned())]
    );
    app.finish().await;
}
