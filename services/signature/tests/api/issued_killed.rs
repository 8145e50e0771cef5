//! The real process, killed while it finishes a batch of issued documents, and started again: each is sealed once.

use sqlx::Connection;
use tokio::net::TcpListener;

use crate::harness::World;
use crate::issuing::header;
use crate::officers::Token;
use crate::seal_interrupted::without_time_stamps;
use crate::seal_killed::{BOUND, Service, holding};
use crate::tools;

const SIGNED: &str = "SELECT count(*) FROM issued_document WHERE state = 'SIGNED'";

/// The events that would end the documents are being written by somebody who does not commit: whoever writes them too, waits.
const EVENTS_HELD: &str =
    "INSERT INTO outbox (event_id, topic, event_type, aggregate_id, sequence, payload, occurred_at)
    SELECT gen_random_uuid(), topic, event_type, aggregate_id, 2, payload, occurred_at FROM outbox
    WHERE topic = 'wathiq.signature.issued-document.v1'";

/// Killed while the authority is asked, and between the stored files and their rows.
#[tokio::test]
async fn killed_while_finishing() {
    let world: World = without_time_stamps().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let documents = [world.deposited(header()).await, world.deposited(header()).await];
    let act = world.issuing(officer, &documents, &token.pin);
    world.try_seal_issued(officer, act).await.unwrap();
    assert_eq!(world.count(SIGNED).await, 2);
    let mut service = Service::new(&world);

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answering = std::mem::replace(
        &mut service.timestamp_url,
        format!("http://{}/", silent.local_addr().unwrap()),
    );
    service.lease_runs_out().await;
    let first = service.start();
    let asked = tokio::time::timeout(BOUND, silent.accept()).await;
    asked.expect("the authority is asked").unwrap();
    first.kill();
    service.timestamp_url = answering;
    assert_eq!(world.count(SIGNED).await, 2);

    let held = holding(&world, EVENTS_HELD).await;
    service.lease_runs_out().await;
    let second = service.start();
    service.until_stored("issued").await;
    second.kill();
    held.close().await.unwrap();
    assert_eq!(world.count(SIGNED).await, 2);

    service.lease_runs_out().await;
    let third = service.start();
    service
        .until_state("SELECT count(*) / 2 FROM issued_document WHERE state = 'SEALED'")
        .await;
    third.kill();
    let sealed = "SELECT count(*) FROM outbox WHERE event_type LIKE '%IssuedDocumentSealed'";
    assert_eq!(world.count(sealed).await, 2);
    for document in &documents {
        let id = &document.issued_document_id;
        let (file, _) = world.try_download_issued(id, false).await.unwrap();
        tools::check_sealed(&file).await;
    }
}
