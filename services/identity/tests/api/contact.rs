//! Sessions of people without an account, opened with a code by e-mail and one by text message.

use chrono::TimeDelta;
use wathiq_chassis::UserRule;
use wathiq_identity::grpc::rules::RULES;
use wathiq_proto::wathiq::identity::v1::*;

use crate::authz::{call, reason_of};
use crate::harness::{TestApp, reason, request_id, violations, with_token};

const ADDRESS: &str = "198.51.100.7";

fn start(email: &str, phone: &str) -> StartContactSessionRequest {
    StartContactSessionRequest {
        request_id: request_id(),
        email: email.to_owned(),
        phone: phone.to_owned(),
        language: Language::Fr.into(),
        client_address: ADDRESS.to_owned(),
    }
}

fn complete(id: &str, (email_code, phone_code): (&str, &str)) -> CompleteContactSessionRequest {
    CompleteContactSessionRequest {
        request_id: request_id(),
        contact_session_id: id.to_owned(),
        email_code: email_code.to_owned(),
        phone_code: phone_code.to_owned(),
        client_address: ADDRESS.to_owned(),
        user_agent: "test browser".to_owned(),
    }
}

/// The id of a session that is awaited, and its two codes.
async fn started(app: &TestApp, email: &str, phone: &str) -> (String, String, String) {
    app.drain().await;
    let answer = app
        .gateway
        .sessions
        .clone()
        .start_contact_session(start(email, phone))
        .await
        .unwrap()
        .into_inner();
    let channels: Vec<_> = answer.deliveries.iter().map(CodeDelivery::channel).collect();
    assert_eq!(channels, [ContactChannel::Email, ContactChannel::Phone]);
    let sent = app.messages().await;
    assert!(
        sent.iter()
            .all(|sent| sent.kind() == DeliveryKind::ContactSessionCode)
    );
    assert_eq!(sent[0].address, email);
    (
        answer.contact_session_id,
        sent[0].code.clone(),
        sent[1].code.clone(),
    )
}

/// A live session: its grant and a token.
async fn opened(app: &TestApp, email: &str, phone: &str) -> (SessionGrant, ExchangeSessionResponse) {
    let (id, email_code, phone_code) = started(app, email, phone).await;
    let mut sessions = app.gateway.sessions.clone();
    let request = complete(&id, (&email_code, &phone_code));
    let answer = sessions.complete_contact_session(request).await.unwrap();
    let grant = answer.into_inner().session.unwrap();
    let exchange = ExchangeSessionRequest {
        session_secret: grant.session_secret.clone(),
    };
    let traded = sessions.exchange_session(exchange).await.unwrap().into_inner();
    (grant, traded)
}

#[tokio::test]
async fn two_codes_open_a_session_of_the_same_subject_each_time() {
    let app = TestApp::start().await;
    let (grant, first) = opened(&app, "order@example.ma", "0612345678").await;
    let day = app.now() + TimeDelta::hours(24);
    assert_eq!(grant.expire_time.unwrap().seconds, day.timestamp());
    assert_eq!(first.surface(), SessionSurface::Contact);
    let events = app.drain().await;
    let opened_event = events
        .iter()
        .find(|event| event.topic == "wathiq.identity.session.v1")
        .unwrap();
    assert_eq!(
        opened_event.decode::<SessionOpened>().surface(),
        SessionSurface::Contact
    );
    let mut accounts = app.gateway.accounts.clone();
    let own = accounts
        .get_person(with_token(GetPersonRequest {}, &first.access_token))
        .await
        .unwrap()
        .into_inner()
        .person
        .unwrap();
    assert_eq!(
        (
            own.person_id.as_str(),
            own.assurance(),
            own.email.as_str(),
            own.phone.as_str()
        ),
        (
            first.person_id.as_str(),
            AssuranceLevel::Contact,
            "order@example.ma",
            "+212612345678"
        )
    );
    assert!(own.name_latin.is_none() && own.identity_document.is_none() && own.etag.is_empty());
    // The same two, however they are written, are the same; another phone is somebody else.
    let (_, again) = opened(&app, "Order@Example.ma", "+212 6 12 34 56 78").await;
    let (_, other) = opened(&app, "order@example.ma", "0612345679").await;
    assert_eq!(again.person_id, first.person_id);
    assert_ne!(other.person_id, first.person_id);
    // What a service is told.
    let mut directory = app.clients("civil-registry-order").directory;
    let request = GetPersonForServiceRequest {
        person_id: first.person_id.clone(),
    };
    let told = directory
        .get_person_for_service(request)
        .await
        .unwrap()
        .into_inner();
    let told = told.person.unwrap();
    assert_eq!(
        (told.assurance(), told.language()),
        (AssuranceLevel::Contact, Language::Fr)
    );
    let request = GetAuthorizationRequest {
        person_id: first.person_id.clone(),
        session_id: first.session_id.clone(),
    };
    let standing = directory
        .get_authorization(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert!(standing.session_live && standing.grants.is_empty() && !standing.platform_administrator);
    assert_eq!(standing.assurance(), AssuranceLevel::Contact);
    app.advance(TimeDelta::hours(25));
    let standing = directory.get_authorization(request).await.unwrap().into_inner();
    assert!(!standing.session_live);
    app.finish().await;
}

#[tokio::test]
async fn accounts_play_no_part_and_are_not_reached() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let (_, traded) = opened(&app, &someone.email, "0600000000").await;
    assert_ne!(traded.person_id, someone.id);
    let token = traded.access_token.as_str();
    for rule in RULES
        .iter()
        .filter(|rule| matches!(rule.user, UserRule::Required))
    {
        let clients = app.clients(rule.clients[0]);
        let answer = reason_of(call(&clients.channel, rule.path, Some(token)).await);
        let method = rule.path.rsplit('/').next().unwrap();
        let allowed = ["GetPerson", "ListSessions", "EndSession"].contains(&method);
        assert_eq!(answer == "WRONG_SURFACE", !allowed, "{method}: {answer}");
    }
    // Their own sessions they see and end.
    let mut sessions = app.gateway.sessions.clone();
    let listed = sessions
        .list_sessions(with_token(ListSessionsRequest::default(), token))
        .await
        .unwrap()
        .into_inner()
        .sessions;
    let surfaces: Vec<_> = listed.iter().map(Session::surface).collect();
    assert_eq!(surfaces, [SessionSurface::Contact]);
    let end = EndSessionRequest {
        request_id: request_id(),
        session_id: someone.session_id.clone(),
    };
    let another = sessions.end_session(with_token(end.clone(), token)).await;
    assert_eq!(reason(another), "SESSION_NOT_FOUND");
    let own = EndSessionRequest {
        session_id: traded.session_id.clone(),
        ..end
    };
    sessions.end_session(with_token(own, token)).await.unwrap();
    // Nobody signs in to it with a password.
    let sign_in = app.sign_in_request(&someone, SessionSurface::Contact);
    assert_eq!(violations(sessions.sign_in(sign_in).await)[0].0, "surface");
    app.finish().await;
}

#[tokio::test]
async fn both_codes_are_needed_and_five_wrong_ones_bar_them() {
    let app = TestApp::start().await;
    let mut sessions = app.gateway.sessions.clone();
    let (id, email, phone) = started(&app, "order@example.ma", "0612345678").await;
    for wrong in [
        (email.as_str(), "wrong"),
        ("wrong", phone.as_str()),
        (phone.as_str(), email.as_str()),
        ("", ""),
    ] {
        let answer = sessions.complete_contact_session(complete(&id, wrong)).await;
        assert_eq!(reason(answer), "CODE_WRONG");
    }
    let fifth = sessions.complete_contact_session(complete(&id, ("", ""))).await;
    assert_eq!(reason(fifth), "CODE_BARRED");
    let right = || complete(&id, (&email, &phone));
    assert_eq!(
        reason(sessions.complete_contact_session(right()).await),
        "CODE_BARRED"
    );
    // A fresh start is a fresh pair; it works once, and not after ten minutes.
    let (id, email, phone) = started(&app, "order@example.ma", "0612345678").await;
    let once = complete(&id, (&email, &phone));
    sessions.complete_contact_session(once.clone()).await.unwrap();
    assert_eq!(
        reason(sessions.complete_contact_session(once).await),
        "RESPONSE_NOT_KEPT"
    );
    let again = complete(&id, (&email, &phone));
    assert_eq!(
        reason(sessions.complete_contact_session(again).await),
        "CONTACT_SESSION_NOT_FOUND"
    );
    let (id, email, phone) = started(&app, "order@example.ma", "0612345678").await;
    app.advance(TimeDelta::minutes(10));
    let late = complete(&id, (&email, &phone));
    assert_eq!(
        reason(sessions.complete_contact_session(late).await),
        "CONTACT_SESSION_NOT_FOUND"
    );
    app.finish().await;
}

#[tokio::test]
async fn it_is_started_once_for_a_request_and_limited_as_sign_ups_are() {
    let app = TestApp::start().await;
    let mut sessions = app.gateway.sessions.clone();
    let request = start("order@example.ma", "0612345678");
    let first = sessions
        .start_contact_session(request.clone())
        .await
        .unwrap()
        .into_inner();
    let again = sessions
        .start_contact_session(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first, again);
    for _ in 0..4 {
        let request = start("order@example.ma", "0612345678");
        sessions.start_contact_session(request).await.unwrap();
    }
    let refused = sessions
        .start_contact_session(start("order@example.ma", "0612345678"))
        .await;
    assert_eq!(reason(refused), "TOO_MANY_ATTEMPTS");
    let bad = sessions
        .start_contact_session(start("nowhere", "0522000000"))
        .await;
    let fields: Vec<_> = violations(bad).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["email", "phone"]);
    app.finish().await;
}
