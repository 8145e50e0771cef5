//! The happy path, and what everybody sees of it.

use serde_json::Value;
use wathiq_local::journey::{CONTRACT, CONTRACT_SPOT, checks};
use wathiq_local::layout::{Layout, find_root};
use wathiq_local::stack::Options;
use wathiq_local::{records, topics};

use crate::stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_is_legalised_end_to_end() {
    let mut stage = stage::open(Options::default()).await.unwrap();
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

    assert_eq!(sealed.request["state"], "delivered");
    assert_eq!(sealed.request["register_entry"]["number"], 1);
    assert_eq!(sealed.verification["indication"], "total_passed");
    assert_eq!(sealed.verification["issued"], "as_issued");
    assert_eq!(sealed.verification["revision"], 1);
    assert_eq!(sealed.verification["signatures"][0]["level"], "B-T");
    assert!(
        sealed.document.starts_with(CONTRACT),
        "the seal is an incremental update: the contract's bytes stand"
    );

    let mail = stage.cast.delivery_mail(&sealed).await.unwrap();
    let attached = stage.cast.inbox.attachment(&mail, ".pdf").await.unwrap();
    assert_eq!(attached, sealed.document, "the mail carries the very bytes");

    let code = sealed.request["verification_code"].as_str().unwrap();
    let by_code = stage
        .cast
        .anyone
        .get(&format!("/v1/verification/{code}"))
        .await
        .unwrap();
    assert_eq!(by_code["indication"], "total_passed");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("legalised.pdf");
    std::fs::write(&file, &sealed.document).unwrap();
    let layout = Layout::demonstration(&find_root().unwrap());
    let root = stage.stack.description.trust.root.clone();
    checks::judge(&layout, &file, &root).await.unwrap();

    events_tell_the_story_without_persons(&stage).await;
}

async fn events_tell_the_story_without_persons(stage: &stage::Stage) {
    let kafka = stage.stack.description.kafka.clone();
    let topics = topics::read(&find_root().unwrap()).unwrap();
    let mut kinds = Vec::new();
    // Delivery to Kafka is asynchronous: read until the last expected record is there.
    for _ in 0..60 {
        let (kafka, topics) = (kafka.clone(), topics.clone());
        let events = tokio::task::spawn_blocking(move || records::read_all(&kafka, &topics))
            .await
            .unwrap()
            .unwrap();
        kinds = events
            .iter()
            .map(|event| event["headers"]["ce_type"].as_str().unwrap().to_owned())
            .collect();
        if kinds
            .iter()
            .any(|kind| kind == "wathiq.notification.v1.MessageSent")
            && kinds
                .iter()
                .any(|kind| kind == "wathiq.signature.v1.LegalisationDelivered")
        {
            no_personal_data(&events, stage);
            break;
        }
    }
    let signature: Vec<&str> = kinds
        .iter()
        .filter_map(|kind| kind.strip_prefix("wathiq.signature.v1."))
        .collect();
    let (request, mut around): (Vec<&str>, Vec<&str>) = signature.into_iter().partition(|kind| {
        kind.starts_with("Legalisation") || ["SignaturePlaced", "SealAuthorised"].contains(kind)
    });
    // Kafka orders the records of one key; the document and the credential have keys of their own.
    around.sort_unstable();
    // Two officers have a key: of legalisations and of civil status.
    assert_eq!(
        around,
        [
            "DocumentUploaded",
            "SigningCredentialRegistered",
            "SigningCredentialRegistered"
        ]
    );
    assert_eq!(
        request,
        [
            "LegalisationRequestCreated",
            "SignaturePlaced",
            "LegalisationRequestConfirmed",
            "LegalisationRequestSubmitted",
            "LegalisationRequestAccepted",
            "SealAuthorised",
            "LegalisationSealed",
            "LegalisationDelivered",
        ]
    );
}

fn no_personal_data(events: &[Value], stage: &stage::Stage) {
    let text = serde_json::to_string(events).unwrap();
    for secret in [
        stage.cast.citizen.email.as_str(),
        "Salma",
        "سلمى",
        "Idrissi",
        "Benjelloun",
        "+2126",
    ] {
        assert!(!text.contains(secret), "{secret} stands on a topic");
    }
}
