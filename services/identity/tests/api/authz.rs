//! Every method is refused to whoever may not call it. The cases come from the rules, which name every method of the
//! contract, so that a new one without a rule fails.

use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{self, Pki};
use wathiq_chassis::{UserRule, status};
use wathiq_identity::grpc::rules::RULES;
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{Clients, TestApp, reason, request_id, with_token};
use crate::people::{Someone, birth_date, cin};
use crate::specimen;

const PEERS: [&str; 9] = [
    "gateway",
    "signature",
    "notification",
    "civil-registry-order",
    "payment",
    "postal-shipping",
    "auditor",
    "operator",
    "identity",
];

/// Calls a method with an empty message.
pub(crate) async fn call(channel: &Channel, path: &'static str, token: Option<&str>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client
        .ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let request = match token {
        Some(token) => with_token((), token),
        None => Request::new(()),
    };
    let path = http::uri::PathAndQuery::from_static(path);
    client
        .unary(request, path, ProstCodec::<(), ()>::default())
        .await
        .map(|_: tonic::Response<()>| ())
}

pub(crate) fn reason_of(result: Result<(), Status>) -> String {
    result
        .err()
        .and_then(|status| status::reason(&status))
        .unwrap_or_default()
}

#[tokio::test]
async fn no_method_answers_a_peer_that_is_not_listed() {
    let app = TestApp::start().await;
    for peer in PEERS {
        let clients = app.clients(peer);
        for rule in RULES {
            let refused = reason_of(call(&clients.channel, rule.path, None).await) == "CLIENT_NOT_ALLOWED";
            assert_eq!(refused, !rule.clients.contains(&peer), "{} by {peer}", rule.path);
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_reaches_nothing() {
    let app = TestApp::start().await;
    let stranger = Pki::new();
    let channel = app.channel_of(&stranger, "gateway");
    let refused = call(
        &channel,
        "/wathiq.identity.v1.DirectoryService/ListVerificationKeys",
        None,
    )
    .await
    .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    app.finish().await;
}

#[tokio::test]
async fn no_method_of_a_user_answers_without_a_good_token() {
    let app = TestApp::start().await;
    let mut someone = app.newcomer().await;
    let expired = someone.token.clone();
    let forged = testing::token(&testing::claims(uuid::Uuid::new_v4(), app.now()));
    app.advance(chrono::TimeDelta::minutes(6));
    app.renew_token(&mut someone).await;
    for rule in RULES
        .iter()
        .filter(|rule| matches!(rule.user, UserRule::Required))
    {
        let clients = app.clients(rule.clients[0]);
        let answer = |token| call(&clients.channel, rule.path, token);
        assert_eq!(reason_of(answer(None).await), "TOKEN_MISSING", "{}", rule.path);
        assert_eq!(
            reason_of(answer(Some("x")).await),
            "TOKEN_INVALID",
            "{}",
            rule.path
        );
        assert_eq!(
            reason_of(answer(Some(&forged)).await),
            "TOKEN_INVALID",
            "{}",
            rule.path
        );
        assert_eq!(
            reason_of(answer(Some(&expired)).await),
            "TOKEN_EXPIRED",
            "{}",
            rule.path
        );
        let good = reason_of(answer(Some(&someone.token)).await);
        assert!(!good.starts_with("TOKEN_"), "{}: {good}", rule.path);
    }
    app.finish().await;
}

/// Every staff method, with a request that is right in form, and what refuses it.
async fn staff_methods(
    app: &TestApp,
    clients: &Clients,
    by: &Someone,
    office: &str,
    other: &Someone,
) -> Vec<(&'static str, String)> {
    let token = by.token.as_str();
    let today = app.today();
    let (mut accounts, mut offices) = (clients.accounts.clone(), clients.offices.clone());
    let mut refusals = Vec::new();
    macro_rules! refused {
        ($client:ident.$method:ident($request:expr)) => {
            refusals.push((
                stringify!($method),
                reason($client.$method(with_token($request, token)).await),
            ));
        };
    }
    refused!(accounts.prove_identity(app.prove_request(office, other)));
    refused!(accounts.find_claims(FindClaimsRequest {
        office_id: office.to_owned(),
        identity_document: Some(cin("A123456")),
    }));
    refused!(offices.create_office(CreateOfficeRequest {
        request_id: request_id(),
        code: "NEW".to_owned(),
        parent_office_id: office.to_owned(),
        kind: OfficeKind::Annexe.into(),
        name_ar: "ملحقة".to_owned(),
        name_fr: "Annexe".to_owned(),
        hcp_code: String::new(),
    }));
    refused!(offices.import_offices(ImportOfficesRequest {
        request_id: request_id(),
        csv: b"code".to_vec()
    }));
    let period = OfficeServicePeriod {
        service: OfferedService::Legalisation.into(),
        from: Some(today),
        to: None,
    };
    refused!(offices.set_office_service(SetOfficeServiceRequest {
        request_id: request_id(),
        office_id: office.to_owned(),
        period: Some(period),
    }));
    refused!(offices.grant_membership(app.grant_request(office, &other.id, OfficeRole::Agent)));
    refused!(offices.list_memberships(ListMembershipsRequest {
        office_id: office.to_owned(),
        ..Default::default()
    }));
    refused!(offices.enrol_administration(EnrolAdministrationRequest {
        request_id: request_id(),
        name_ar: "وزارة".to_owned(),
        name_fr: "Ministère".to_owned(),
        enrolled_from: Some(birth_date()),
        enrolled_to: None,
    }));
    refused!(offices.update_administration(UpdateAdministrationRequest {
        request_id: request_id(),
        administration_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    }));
    let mut specimens = clients.specimens.clone();
    refused!(specimens.prove_specimen(specimen::prove(office, &other.id, 1)));
    refusals
}

#[tokio::test]
async fn a_citizen_session_does_nothing_of_staff() {
    let app = TestApp::start().await;
    let (mut root, office) = app.counter().await;
    let other = app.newcomer().await;
    // Even the administrator, in a citizen session.
    app.sign_in(&mut root, SessionSurface::Citizen).await;
    for (method, reason) in staff_methods(&app, &app.gateway, &root, &office.office_id, &other).await {
        assert_eq!(reason, "WRONG_SURFACE", "{method}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_role_at_another_office_does_nothing_here() {
    let app = TestApp::start().await;
    let (root, office) = app.counter().await;
    let elsewhere = app.create_office(&root, "B-1", "").await;
    let other = app.newcomer().await;
    let agent = app.member(&root, &office.office_id, OfficeRole::Agent).await;
    app.grant(&root, &office.office_id, &agent.id, OfficeRole::Administrator)
        .await;
    for (method, reason) in staff_methods(&app, &app.gateway, &agent, &elsewhere.office_id, &other).await {
        assert_eq!(reason, "ROLE_REQUIRED", "{method}");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_ended_staff_session_does_nothing_although_its_token_is_good() {
    let app = TestApp::start().await;
    let (root, office) = app.counter().await;
    let other = app.newcomer().await;
    let agent = app.member(&root, &office.office_id, OfficeRole::Agent).await;
    let end = EndSessionRequest {
        request_id: request_id(),
        session_id: agent.session_id.clone(),
    };
    app.gateway
        .sessions
        .clone()
        .end_session(with_token(end, &agent.token))
        .await
        .unwrap();
    for (method, reason) in staff_methods(&app, &app.gateway, &agent, &office.office_id, &other).await {
        assert_eq!(reason, "SESSION_EXPIRED", "{method}");
    }
    app.finish().await;
}
