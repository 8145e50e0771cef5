//! Sessions: the secret outside, the token inside, and requests that another site made a browser send.

use axum::body::Body;
use chrono::TimeDelta;
use http::{StatusCode, header};
use serde_json::{Value, json};
use tonic::Status;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::harness::{Edge, KEY, ORIGIN, SECRET, request, signed_in};
use crate::stub::EXCHANGE;

const SIGN_IN: &str = "/wathiq.identity.v1.SessionService/SignIn";
const GET_PERSON: &str = "/wathiq.identity.v1.AccountService/GetPerson";
const COOKIE: &str = "__Host-wathiq-session=session-secret";

#[tokio::test]
async fn services_see_the_token_and_never_the_secret() {
    let edge = Edge::start().await;
    edge.send(signed_in("GET", "/v1/me").body(Body::empty()).unwrap())
        .await;
    let work = edge.stub.work();
    assert_eq!(work[0].headers[header::AUTHORIZATION], "Bearer access-token");
    for call in work {
        let told = format!("{:?} {:?}", call.headers, call.messages);
        assert!(!told.contains(SECRET), "{told}");
    }
}

#[tokio::test]
async fn an_exchange_is_used_again_for_half_a_minute() {
    let edge = Edge::start().await;
    let me = async || {
        edge.send(signed_in("GET", "/v1/me").body(Body::empty()).unwrap())
            .await
    };
    me().await;
    me().await;
    assert_eq!(edge.stub.calls(EXCHANGE).len(), 1);
    edge.clock.advance(TimeDelta::seconds(31));
    edge.stub.refuses(EXCHANGE, Status::unauthenticated("ended"));
    assert_eq!(me().await.reason(), "SESSION_ENDED");
    assert_eq!(edge.stub.calls(EXCHANGE).len(), 2);
}

#[tokio::test]
async fn an_ended_session_is_forgotten_at_once() {
    let edge = Edge::start().await;
    let request = signed_in("DELETE", "/v1/sessions/current").header("idempotency-key", KEY);
    let reply = edge.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert!(reply.header("set-cookie").contains("Max-Age=0"));
    let ended: pb::EndSessionRequest = edge.stub.work()[0].message();
    assert_eq!(ended.session_id, "session");
    edge.send(signed_in("GET", "/v1/me").body(Body::empty()).unwrap())
        .await;
    assert_eq!(edge.stub.calls(EXCHANGE).len(), 2);
}

#[tokio::test]
async fn with_identity_down_a_session_is_neither_trusted_nor_ended() {
    let edge = Edge::start().await;
    edge.stub.refuses(EXCHANGE, Status::unavailable("no database"));
    let reply = edge
        .send(signed_in("GET", "/v1/me").body(Body::empty()).unwrap())
        .await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(edge.stub.work().is_empty());
    let public = edge
        .send(signed_in("GET", "/v1/offices").body(Body::empty()).unwrap())
        .await;
    assert_eq!(public.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let edge = Edge::start().await;
    for (origin, site, allowed) in [
        (None, None, false),
        (Some(ORIGIN), None, true),
        (Some(ORIGIN), Some("same-origin"), true),
        (None, Some("same-origin"), true),
        (None, Some("none"), true),
        (Some("https://evil.test"), None, false),
        (Some("null"), None, false),
        (Some("https://wathiq.test.evil.test"), Some("same-origin"), false),
        (Some(ORIGIN), Some("cross-site"), false),
        (Some(ORIGIN), Some("same-site"), false),
        (None, Some("cross-site"), false),
    ] {
        for (method, path) in [
            ("PUT", "/v1/me/password"),
            ("DELETE", "/v1/sessions/current"),
            ("POST", "/sign-out"),
        ] {
            let mut built = request(method, path)
                .header(header::COOKIE, format!("a=b; {COOKIE}"))
                .header("idempotency-key", KEY)
                .header(header::CONTENT_TYPE, "application/json");
            built = origin
                .into_iter()
                .fold(built, |built, origin| built.header(header::ORIGIN, origin));
            built = site
                .into_iter()
                .fold(built, |built, site| built.header("sec-fetch-site", site));
            let body = json!({"current_password": "a", "new_password": "b"}).to_string();
            edge.stub.forget();
            let reply = edge.send(built.body(Body::from(body)).unwrap()).await;
            let case = format!("{method} {path} {origin:?} {site:?}");
            assert_eq!(reply.status == StatusCode::FORBIDDEN, !allowed, "{case}");
            assert_eq!(edge.stub.work().is_empty(), !allowed, "{case}");
        }
    }
    let read = request("GET", "/v1/me")
        .header(header::COOKIE, COOKIE)
        .header("sec-fetch-site", "cross-site");
    edge.send(read.body(Body::empty()).unwrap()).await;
    assert_eq!(edge.stub.calls(GET_PERSON).len(), 1);
}

fn grant() -> pb::SignInResponse {
    let grant = pb::SessionGrant {
        session_id: "new".to_owned(),
        session_secret: "fresh-secret".to_owned(),
        expire_time: Some(prost_types::Timestamp {
            seconds: 1_800_003_600,
            nanos: 0,
        }),
    };
    pb::SignInResponse {
        result: Some(pb::sign_in_response::Result::Session(grant)),
    }
}

fn sign_in(cookie: bool) -> Value {
    json!({"login": "a@example.org", "password": "p", "surface": "citizen", "cookie": cookie})
}

#[tokio::test]
async fn programs_get_the_secret_in_the_body() {
    let edge = Edge::start().await;
    edge.stub.answers(SIGN_IN, &grant());
    let reply = edge.json("POST", "/v1/sessions", &sign_in(false)).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    assert_eq!(reply.json()["session"]["session_secret"], "fresh-secret");
    assert_eq!(reply.json()["challenge"], Value::Null);
    assert!(!reply.headers.contains_key(header::SET_COOKIE));
    let asked: pb::SignInRequest = edge.stub.work()[0].message();
    assert_eq!(
        (asked.client_address.as_str(), asked.surface()),
        ("127.0.0.1", pb::SessionSurface::Citizen)
    );
}

#[tokio::test]
async fn browsers_get_the_secret_in_a_cookie_only() {
    let edge = Edge::start().await;
    edge.stub.answers(SIGN_IN, &grant());
    let other_site = edge.json("POST", "/v1/sessions", &sign_in(true)).await;
    assert_eq!(other_site.reason(), "CROSS_SITE_REQUEST");
    let request = request("POST", "/v1/sessions")
        .header(header::ORIGIN, ORIGIN)
        .header(header::CONTENT_TYPE, "application/json");
    let reply = edge
        .send(request.body(Body::from(sign_in(true).to_string())).unwrap())
        .await;
    assert_eq!(reply.json()["session"]["session_secret"], Value::Null);
    assert!(!reply.text().contains("fresh-secret"));
    assert_eq!(
        reply.header("set-cookie"),
        "__Host-wathiq-session=fresh-secret; Path=/; Secure; HttpOnly; SameSite=Lax; Expires=Fri, 15 Jan 2027 09:00:00 GMT"
    );
}

#[tokio::test]
async fn a_second_factor_is_asked_for() {
    let edge = Edge::start().await;
    let challenge = pb::SecondFactorChallenge {
        challenge: "c".to_owned(),
        expire_time: None,
    };
    let result = Some(pb::sign_in_response::Result::Challenge(challenge));
    edge.stub.answers(SIGN_IN, &pb::SignInResponse { result });
    let reply = edge.json("POST", "/v1/sessions", &sign_in(false)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(
        reply.json(),
        json!({"session": null, "challenge": {"challenge": "c", "expire_time": null}})
    );
}
