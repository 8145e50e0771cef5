//! Starting, being watched, stopping.

use std::{net::SocketAddr, sync::Arc};

use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use wathiq_chassis::{
    Readiness, operations,
    testing::{self, Pki},
};

use crate::probe::{self, Probe, SEE_ALONE, WAIT, World, call, see, soon};

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let response = client
        .get(format!("http://{address}{path}").parse().unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn health(address: SocketAddr) -> i32 {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    client
        .check(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner()
        .status
}

#[tokio::test]
async fn a_drain_lets_the_call_in_flight_end_and_readiness_turns_first() {
    let pki = Pki::new();
    let probe = Probe::new("probe");
    let (entered, gate) = (Arc::clone(&probe.entered), Arc::clone(&probe.gate));
    let server = probe::start(&pki.process("probe"), probe, testing::verifier(probe::clock())).await;
    let channel = pki.channel("gateway", "probe", server.address).unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let operations_address = listener.local_addr().unwrap();
    let readiness = Readiness::new();
    readiness.set("database", true);
    let serving = operations::with_operations(
        listener,
        readiness.clone(),
        testing::telemetry(),
        server.shutdown.clone(),
        server.task,
    );
    let serving = tokio::spawn(serving);
    assert_eq!(get(operations_address, "/readyz").await.0, 200);

    let in_flight = tokio::spawn(call(channel.clone(), WAIT, Request::new(String::new())));
    soon(entered.notified()).await;
    server.shutdown.cancel();
    let not_ready = async {
        while readiness.ready() {
            tokio::task::yield_now().await;
        }
    };
    soon(not_ready).await;
    let (status, text) = get(operations_address, "/readyz").await;
    assert_eq!((status, text.as_str()), (503, "not ready: stopping\n"));
    assert!(!in_flight.is_finished() && !serving.is_finished());

    gate.notify_one();
    assert_eq!(soon(in_flight).await.unwrap().unwrap(), "done");
    soon(serving).await.unwrap().unwrap().unwrap();
    assert!(
        see(&channel, SEE_ALONE, None).await.is_err(),
        "the listener is gone"
    );
}

#[tokio::test]
async fn a_drain_is_bounded() {
    let pki = Pki::new();
    let probe = Probe::new("probe");
    let entered = Arc::clone(&probe.entered);
    let mut config = pki.process("probe");
    config.drain_seconds = 0;
    let server = probe::start(&config, probe, testing::verifier(probe::clock())).await;
    let channel = pki.channel("gateway", "probe", server.address).unwrap();
    let in_flight = tokio::spawn(call(channel, WAIT, Request::new(String::new())));
    soon(entered.notified()).await;
    server.shutdown.cancel();
    soon(server.task).await.unwrap().unwrap();
    assert!(soon(in_flight).await.unwrap().is_err());
}

#[tokio::test]
async fn probes_tell_live_from_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
    let operations = wathiq_chassis::serve_operations(
        listener,
        readiness.clone(),
        testing::telemetry(),
        shutdown.clone(),
    );
    let operations = tokio::spawn(operations);

    assert_eq!(get(address, "/livez").await.0, 200);
    assert_eq!(
        get(address, "/readyz").await,
        (503, "not ready: starting\n".to_owned())
    );
    assert_eq!(health(address).await, 2);
    readiness.set("database", true);
    readiness.set("schema", false);
    assert_eq!(
        get(address, "/readyz").await,
        (503, "not ready: schema\n".to_owned())
    );
    readiness.set("schema", true);
    soon(readiness.wait_ready()).await;
    assert_eq!(get(address, "/readyz").await.0, 200);
    soon(async { while health(address).await != 1 {} }).await;
    assert_eq!(get(address, "/elsewhere").await.0, 404);
    shutdown.cancel();
    soon(operations).await.unwrap();
    assert!(!readiness.ready());
}

#[tokio::test]
async fn calls_are_measured_by_method_and_outcome() {
    let world = World::new().await;
    see(&world.channel, SEE_ALONE, None).await.unwrap();
    see(&world.channel, "/wathiq.test.v1.Probe/Invented", None)
        .await
        .unwrap_err();
    let metrics = testing::telemetry();
    let lines = [
        r#"rpc_server_call_duration_seconds_count{rpc_method="/wathiq.test.v1.Probe/SeeAlone",rpc_response_status_code="OK"}"#,
        r#"rpc_server_call_duration_seconds_count{rpc_method="unknown",rpc_response_status_code="PERMISSION_DENIED"}"#,
        r#"rpc_server_call_duration_seconds_bucket{rpc_method="/wathiq.test.v1.Probe/SeeAlone",rpc_response_status_code="OK",le="0.5"}"#,
        r#"rpc_client_call_duration_seconds_count{rpc_method="/wathiq.test.v1.Probe/SeeAlone",server="probe",rpc_response_status_code="OK"}"#,
        "certificate_expiry_seconds",
    ];
    // The server's own record is written when its side of the call ends, which may be after the client's.
    let all_there = async {
        while let Some(missing) = lines.iter().find(|line| !metrics.render().contains(**line)) {
            assert!(!missing.is_empty());
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(std::time::Duration::from_secs(20), all_there)
        .await
        .is_err()
    {
        panic!("{}", metrics.render());
    }
    assert!(
        !metrics.render().contains("Invented\",rpc_response"),
        "callers cannot make series on the server"
    );
}
