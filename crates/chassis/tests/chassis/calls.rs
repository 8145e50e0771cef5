//! What goes along with a call, over two hops, and how a call ends.

use std::time::Duration;

use tokio::time::Instant;
use tonic::{Code, Request, client::Grpc};
use tonic_prost::ProstCodec;
use tracing::Instrument;
use wathiq_chassis::{
    CallContext, status, telemetry,
    testing::{self, Pki},
};

use crate::probe::{
    self, DRIP, FORWARD, PANIC, PERSON, Probe, SEE, SEE_ALONE, Sight, WAIT, World, call, see, soon,
};

/// gateway -> first -> second, and what both saw.
async fn two_hops(
    mut edit: impl FnMut(&mut Request<String>),
    last: &str,
) -> Result<[Sight; 2], tonic::Status> {
    let pki = Pki::new();
    let clock = probe::clock();
    let verifier = testing::verifier(clock.clone());
    let second = probe::start(&pki.process("second"), Probe::new("second"), verifier.clone()).await;
    let next = pki.channel("first", "second", second.address).unwrap();
    let first = Probe::new("first").forwarding_to(next);
    let first = probe::start(&pki.process("first"), first, verifier).await;
    let channel = pki.channel("gateway", "first", first.address).unwrap();
    let claims = testing::claims(PERSON, wathiq_chassis::Clock::now(&*clock));
    let mut request = testing::with_token(last.to_owned(), &testing::token(&claims));
    edit(&mut request);
    let sights = call(channel, FORWARD, request).await?;
    Ok(serde_json::from_str(&sights).unwrap())
}

#[tokio::test]
async fn the_user_and_the_request_id_go_along() {
    let [first, second] = two_hops(|_| (), SEE).await.unwrap();
    assert_eq!((first.server.as_str(), first.peer.as_str()), ("first", "gateway"));
    assert_eq!(
        (second.server.as_str(), second.peer.as_str()),
        ("second", "first")
    );
    assert_eq!(second.person, Some(PERSON));
    assert_eq!(first.request_id, second.request_id);
}

#[tokio::test]
async fn the_deadline_shrinks_over_two_hops() {
    let [first, second] = two_hops(|request| request.set_timeout(Duration::from_secs(7)), SEE_ALONE)
        .await
        .unwrap();
    assert!((1..=7_000).contains(&first.remaining_ms), "{first:?}");
    assert!(second.remaining_ms <= first.remaining_ms, "{first:?} {second:?}");
    let [first, _] = two_hops(|_| (), SEE_ALONE).await.unwrap();
    assert!(
        (7_001..=15_000).contains(&first.remaining_ms),
        "the default is 15 s: {first:?}"
    );
    let [first, _] = two_hops(
        |request| request.set_timeout(Duration::from_secs(3600)),
        SEE_ALONE,
    )
    .await
    .unwrap();
    assert!(
        (15_001..=60_000).contains(&first.remaining_ms),
        "the cap is 60 s: {first:?}"
    );
}

#[tokio::test]
async fn the_trace_continues_over_two_hops() {
    testing::telemetry();
    let span = tracing::info_span!("a test");
    telemetry::set_parent(&span, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let [first, second] = two_hops(|_| (), SEE).instrument(span).await.unwrap();
    let spans: Vec<String> = [first, second]
        .into_iter()
        .map(|sight| {
            let parent = sight.traceparent.expect("a handler runs inside a span");
            let mut parts = parent.split('-').map(str::to_owned);
            assert_eq!(parts.nth(1).unwrap(), "4bf92f3577b34da6a3ce929d0e0e4736");
            parts.next().unwrap()
        })
        .collect();
    assert_ne!(spans[0], spans[1]);
    assert_ne!(spans[0], "00f067aa0ba902b7");
}

#[tokio::test]
async fn a_malformed_trace_parent_starts_a_new_trace() {
    testing::telemetry();
    let span = tracing::info_span!("a test");
    telemetry::set_parent(&span, "00-00000000000000000000000000000000-00f067aa0ba902b7-01");
    let traceparent = span.in_scope(telemetry::traceparent).unwrap();
    assert!(!traceparent.contains("00f067aa0ba902b7") && !traceparent.contains(&"0".repeat(32)));
}

#[tokio::test]
async fn a_handler_ends_at_the_deadline() {
    let world = World::new().await;
    let mut request = Request::new(String::new());
    request.set_timeout(Duration::from_millis(200));
    let status = soon(call(world.channel.clone(), WAIT, request))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_call_after_the_deadline_is_not_made() {
    let world = World::new().await;
    let context = CallContext {
        deadline: Instant::now(),
        ..CallContext::new(Duration::ZERO, "r")
    };
    let late = context.scope(call(
        world.channel.clone(),
        SEE_ALONE,
        Request::new(String::new()),
    ));
    assert_eq!(late.await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_stream_ends_at_the_deadline_too() {
    let world = World::new().await;
    // The connection stands before the time runs, so that the first drop is not late for a handshake's sake.
    see(&world.channel, SEE_ALONE, None).await.unwrap();
    let mut request = Request::new(String::new());
    request.set_timeout(Duration::from_secs(2));
    let codec = ProstCodec::<String, String>::default();
    let mut client = Grpc::new(world.channel.clone());
    let answer = soon(client.server_streaming(request, DRIP.parse().unwrap(), codec))
        .await
        .unwrap();
    let mut drops = answer.into_inner();
    assert_eq!(soon(drops.message()).await.unwrap().as_deref(), Some("drop"));
    assert_eq!(
        soon(drops.message()).await.unwrap_err().code(),
        Code::DeadlineExceeded
    );
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_goes_on() {
    let world = World::new().await;
    let panicking = CallContext::new(Duration::from_secs(5), "request-7").scope(call(
        world.channel.clone(),
        PANIC,
        Request::new(String::new()),
    ));
    let status = panicking.await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status::reason(&status).as_deref(), Some("INTERNAL"));
    assert_eq!(status.message(), "internal error, request request-7");
    call(world.channel.clone(), SEE_ALONE, Request::new(String::new()))
        .await
        .unwrap();
}
