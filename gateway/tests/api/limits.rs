//! Limits on how often an address or a session may call.

use axum::body::Body;
use http::StatusCode;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::harness::{Edge, request, signed_in};
use crate::stub::QUOTA;

#[tokio::test]
async fn the_standing_is_told_and_the_limit_kept() {
    let edge = Edge::start().await;
    let reply = edge.get("/v1/verification/ABCD").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("ratelimit-policy"), "\"http.verify\";q=100");
    assert_eq!(reply.header("ratelimit"), "\"http.verify\";r=99;t=7");
    edge.limit_reached();
    edge.stub.forget();
    let reply = edge.get("/v1/verification/ABCD").await;
    assert_eq!(
        (reply.status, reply.reason().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED")
    );
    assert_eq!(
        (reply.header("retry-after"), reply.header("ratelimit")),
        ("12", "\"http.verify\";r=0;t=60")
    );
    assert!(edge.stub.work().is_empty());
    let page = edge.get("/v/ABCD").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn addresses_and_sessions_are_counted_apart_and_not_named() {
    let edge =
        Edge::with(|settings| settings.http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()]).await;
    let from = async |address: &str| {
        let request = request("GET", "/v1/offices").header("x-forwarded-for", address);
        edge.send(request.body(Body::empty()).unwrap()).await;
    };
    from("203.0.113.1").await;
    from("203.0.113.1").await;
    from("203.0.113.2").await;
    edge.send(signed_in("GET", "/v1/offices").body(Body::empty()).unwrap())
        .await;
    let keys: Vec<Vec<u8>> = edge
        .stub
        .calls(QUOTA)
        .iter()
        .map(|call| call.message::<pb::TakeQuotaRequest>().key)
        .collect();
    assert!(keys.iter().all(|key| key.len() == 32));
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0] != keys[2] && keys[0] != keys[3] && keys[2] != keys[3]);
}

#[tokio::test]
async fn with_identity_down_verification_goes_on_within_a_small_limit() {
    let edge = Edge::start().await;
    edge.limits_down();
    let mut answered = 0;
    for _ in 0..70 {
        answered += usize::from(edge.get("/v1/verification/ABCD").await.status == StatusCode::OK);
    }
    assert_eq!(answered, 60);
}
