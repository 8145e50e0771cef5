//! Limits on how often an address or a session may call.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt;
use http::{StatusCode, header};
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::harness::{Edge, KEY, request, signed_in};
use crate::stub::QUOTA;

const VERIFY: &str = "/wathiq.signature.v1.VerificationService/VerifyFile";
const UPLOAD: &str = "/wathiq.signature.v1.DocumentService/UploadDocument";

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

#[tokio::test]
async fn files_have_places_apart_for_people_and_for_strangers() {
    let edge = Edge::with(|settings| {
        let limits = &mut settings.http.limits;
        (limits.uploads, limits.uploads_each) = (2, 1);
        (limits.verifications, limits.verifications_each) = (2, 1);
        settings.http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let verify = |address: &str, body: Body| {
        let request = request("POST", "/v1/verification")
            .header("x-forwarded-for", address)
            .header(header::CONTENT_TYPE, "application/pdf");
        edge.send(request.body(body).unwrap())
    };
    let hold = |address: &'static str| {
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
        let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
        (sender, verify(address, body))
    };
    let (first_sender, first) = hold("203.0.113.1");
    let (second_sender, second) = hold("203.0.113.2");
    let checks = async {
        edge.until(|stub| stub.begun(VERIFY) == 2).await;
        let again = verify("203.0.113.1", Body::from("x")).await;
        assert_eq!(
            (again.status.as_u16(), again.reason().as_str()),
            (429, "UPLOADS_TOO_MANY")
        );
        assert_eq!(again.header("retry-after"), "5");
        let other = verify("203.0.113.3", Body::from("x")).await;
        assert_eq!(
            (other.status.as_u16(), other.reason().as_str()),
            (503, "UPLOADS_BUSY")
        );
        assert_eq!(other.header("retry-after"), "5");
        // The people who are signed in have places of their own.
        let upload = signed_in("POST", "/v1/documents")
            .header("idempotency-key", KEY)
            .header(header::CONTENT_TYPE, "application/pdf");
        edge.send(upload.body(Body::from("x")).unwrap()).await;
        assert_eq!(edge.stub.calls(UPLOAD).len(), 1);
        drop((first_sender, second_sender));
    };
    let (first, second, ()) = tokio::join!(first, second, checks);
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(
        verify("203.0.113.1", Body::from("x")).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_slow_file_makes_room_where_all_places_are_taken() {
    let edge = Edge::with(|settings| {
        let limits = &mut settings.http.limits;
        (limits.verifications, limits.verifications_each) = (2, 1);
        (limits.sender_span_seconds, limits.sender_bytes) = (1, 1);
        settings.http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let verify = |address: &str, body: Body| {
        let request = request("POST", "/v1/verification")
            .header("x-forwarded-for", address)
            .header(header::CONTENT_TYPE, "application/pdf");
        edge.send(request.body(body).unwrap())
    };
    let slow = |address: &'static str| {
        let pace = tokio::time::interval(Duration::from_millis(100));
        let pieces = tokio_stream::wrappers::IntervalStream::new(pace)
            .take(60)
            .map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"1")));
        verify(address, Body::from_stream(pieces))
    };
    let newcomer = async {
        edge.until(|stub| stub.begun(VERIFY) == 2).await;
        let mut refused = 0;
        loop {
            let reply = verify("203.0.113.3", Body::from("x")).await;
            if reply.status == StatusCode::OK {
                return refused;
            }
            assert_eq!(reply.reason(), "UPLOADS_BUSY");
            refused += 1;
            assert!(refused < 100_000, "no place becomes free");
        }
    };
    let (first, second, refused) = tokio::join!(slow("203.0.113.1"), slow("203.0.113.2"), newcomer);
    let (given_up, heard) = if first.status == StatusCode::OK {
        (second, first)
    } else {
        (first, second)
    };
    assert_eq!(
        (given_up.status, given_up.reason().as_str()),
        (StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW")
    );
    assert_eq!(heard.status, StatusCode::OK, "one is enough");
    assert!(refused > 0, "everyone is waited for at first");
}
