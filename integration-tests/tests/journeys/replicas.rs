//! Nothing a request needs lives in one process.

use wathiq_local::journey::{CONTRACT, CONTRACT_SPOT};
use wathiq_local::stack::Options;

use crate::stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_of_every_service_work() {
    let replicas = [
        ("identity", 2),
        ("signature", 2),
        ("notification", 2),
        ("gateway", 2),
    ];
    let replicas = replicas
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    let mut stage = stage::open(Options {
        replicas,
        ..Options::default()
    })
    .await
    .unwrap();
    let sealed = stage
        .cast
        .legalise(
            "contract.pdf",
            CONTRACT.to_vec(),
            Some(CONTRACT_SPOT),
            &mut stage.recorder,
        )
        .await
        .map_err(|error| stage::with_logs(error, &stage.stack))
        .unwrap();
    assert_eq!(sealed.verification["indication"], "total_passed");

    // The session made at one gateway lives at the other.
    let other = format!("http://{}", stage.stack.address("gateway-2").unwrap());
    let id = sealed.request["legalisation_request_id"].as_str().unwrap();
    let elsewhere = stage.cast.citizen_session.at(&other);
    let request = elsewhere
        .get(&format!("/v1/legalisation-requests/{id}"))
        .await
        .unwrap();
    assert_eq!(request["state"], "delivered");

    for service in ["identity", "identity-2", "signature", "signature-2"] {
        let url = format!("{}/metrics", stage.stack.operations(service).unwrap());
        let metrics = reqwest::get(url).await.unwrap().text().await.unwrap();
        assert!(
            metrics.contains("rpc_server_call_duration_seconds_count"),
            "{service} took no call"
        );
    }
}
