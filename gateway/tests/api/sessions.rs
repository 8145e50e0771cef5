//! Sessions: the secret outside, the token inside, and requests that another site made a browser send.

use axum::body::Body;
use chrono::TimeDelta;
use http::{StatusCode, header};
use serde_json::{Value, json};
use tonic::Status;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::harness::{Edge, KEY, ORIGIN, Reply, SECRET, request, signed_in};
use crate::stub::{EXCHANGE, QUOTA};

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

async fn with_secret(edge: &Edge, secret: &str) -> Reply {
    let request = request("GET", "/v1/me").header(header::AUTHORIZATION, format!("Bearer {secret}"));
    edge.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_wrong_secret_is_asked_about_once_in_a_few_seconds() {
    let edge = Edge::start().await;
    for _ in 0..5 {
        assert_eq!(with_secret(&edge, "wrong").await.reason(), "SESSION_ENDED");
    }
    assert_eq!(edge.stub.calls(EXCHANGE).len(), 1);
    edge.clock.advance(TimeDelta::seconds(5));
    assert_eq!(with_secret(&edge, "wrong").await.reason(), "SESSION_ENDED");
    assert_eq!(edge.stub.calls(EXCHANGE).len(), 2);
}

#[tokio::test]
async fn a_flood_of_wrong_secrets_stops_at_the_edge_and_hurts_no_session() {
    let edge = Edge::start().await;
    assert_eq!(
        with_secret(&edge, SECRET).await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    let mut heard = 0;
    for number in 0..200 {
        let reply = with_secret(&edge, &format!("wrong {number}")).await;
        if reply.status == StatusCode::UNAUTHORIZED {
            heard += 1;
        } else {
            assert_eq!(reply.reason(), "RATE_LIMITED");
            assert!(!reply.header("retry-after").is_empty());
        }
    }
    assert_eq!(heard, 120);
    assert_eq!(edge.stub.calls(EXCHANGE).len(), 121);
    edge.stub.forget();
    with_secret(&edge, "wrong again").await;
    assert!(edge.stub.calls(QUOTA).is_empty() && edge.stub.calls(EXCHANGE).is_empty());
    // The session that was there before is exchanged again all the same, and whoever has none is served.
    edge.clock.advance(TimeDelta::seconds(31));
    with_secret(&edge, SECRET).await;
    assert_eq!(edge.stub.calls(GET_PERSON).len(), 1);
    assert_eq!(edge.get("/v1/offices").await.status, StatusCode::OK);
    edge.clock.advance(TimeDelta::seconds(60));
    assert_eq!(with_secret(&edge, "wrong 1").await.reason(), "SESSION_ENDED");
}

#[tokio::test]
async fn many_sessions_of_one_address_are_no_flood() {
    let edge = Edge::start().await;
    let answer = pb::ExchangeSessionResponse {
        session_id: "s".to_owned(),
        ..Default::default()
    };
    edge.stub.answers(EXCHANGE, &answer);
    for number in 0..300 {
        let reply = with_secret(&edge, &format!("session {number}")).await;
        assert_ne!(reply.status, StatusCode::TOO_MANY_REQUESTS, "{number}");
    }
}

#[tokio::test]
async fn a_cookie_whose_session_has_ended_is_taken_back() {
    let edge = Edge::start().await;
    let page = async |path: &str, secret: &str| {
        let cookie = format!("__Host-wathiq-session={secret}");
        let request = request("GET", path).header(header::COOKIE, cookie);
        edge.send(request.body(Body::empty()).unwrap()).await
    };
    for path in ["/account", "/sign-in", "/account/files/0/document"] {
        let taken = page(path, "gone").await;
        assert!(
            taken.header("set-cookie").starts_with("__Host-wathiq-session=;"),
            "{path}"
        );
        assert!(taken.header("set-cookie").ends_with("Max-Age=0"), "{path}");
        assert_eq!(page(path, SECRET).await.header("set-cookie"), "", "{path}");
    }
    // Whatever a page loads beside itself may be answered after the next session has begun.
    for path in ["/", "/verify", "/v1/me", "/assets/icon.svg", "/sign-in-now"] {
        assert_eq!(page(path, "gone").await.header("set-cookie"), "", "{path}");
    }
}

#[tokio::test]
async fn what_is_the_same_for_everyone_asks_for_no_session() {
    let edge = Edge::start().await;
    edge.limit_reached();
    for path in ["/assets/icon.svg", "/openapi.json"] {
        let cookie = request("GET", path).header(header::COOKIE, COOKIE);
        let reply = edge.send(cookie.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
    }
    assert!(edge.stub.calls(EXCHANGE).is_empty() && edge.stub.calls(QUOTA).is_empty());
}

#[tokio::test]
async fn with_identity_down_nobody_is_told_to_be_signed_out() {
    let edge = Edge::start().await;
    edge.stub.refuses(EXCHANGE, Status::unavailable("no database"));
    let sign_out = request("POST", "/sign-out")
        .header(header::COOKIE, COOKIE)
        .header(header::ORIGIN, ORIGIN);
    let reply = edge.send(sign_out.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("set-cookie"), "");
}

#[tokio::test]
async fn how_the_secret_came_counts_each_time() {
    let edge = Edge::start().await;
    let body = json!({"current_password": "a", "new_password": "b"}).to_string();
    let change = async |name: header::HeaderName, value: &str| {
        let request = request("PUT", "/v1/me/password")
            .header(name, value)
            .header("idempotency-key", KEY)
            .header(header::CONTENT_TYPE, "application/json");
        edge.send(request.body(Body::from(body.clone())).unwrap()).await
    };
    // A Bearer needs no origin; the same secret as a cookie does, although it has just been exchanged.
    let bearer = change(header::AUTHORIZATION, &format!("Bearer {SECRET}")).await;
    assert_eq!(bearer.status, StatusCode::NO_CONTENT);
    assert_eq!(
        change(header::COOKIE, COOKIE).await.reason(),
        "CROSS_SITE_REQUEST"
    );
    // A wrong Bearer, or another scheme, does not make the cookie count without its origin.
    for scheme in ["Bearer wrong", "Basic eDp5", "bearer"] {
        edge.stub.forget();
        let request = request("PUT", "/v1/me/password")
            .header(header::AUTHORIZATION, scheme)
            .header(header::COOKIE, COOKIE)
            .header("idempotency-key", KEY)
            .header(header::CONTENT_TYPE, "application/json");
        let reply = edge.send(request.body(Body::from(body.clone())).unwrap()).await;
        assert!(matches!(reply.status.as_u16(), 401 | 403), "{scheme}");
        assert!(edge.stub.work().is_empty(), "{scheme}");
    }
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
        "__Host-wathiq-session=fresh-secret; Path=/; Secure; HttpOnly; SameSite=Lax"
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
