//! Sealing when processes and partners fail.

use std::time::Duration;

use anyhow::ensure;
use wathiq_local::journey::legalisation;
use wathiq_local::link::Flow;
use wathiq_local::stack::Options;
use wathiq_local::wait;

use crate::calls::said;
use crate::stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_the_steps_of_sealing_there_is_one_seal_one_number_and_no_gap() {
    let mut stage = stage::open(Options::default()).await.unwrap();
    let id = stage.accepted().await.unwrap();

    let first = legalisation::authorise(&stage.cast.officer_session, &[&id])
        .await
        .unwrap();
    stage.stack.kill("signature").await.unwrap();
    stage.stack.restart("signature").await.unwrap();
    // The officer finds the same intent again, with the same digests.
    let office = stage.cast.office.office_id.clone();
    let again = stage
        .cast
        .officer_session
        .get(&format!("/v1/office/seal-intents?office_id={office}"))
        .await
        .unwrap();
    assert_eq!(again["items"][0]["digests"], first[0]["digests"]);
    assert_eq!(again["items"][0]["register_entry"]["number"], 1);

    // With the time-stamp authority down the seal waits and says so.
    stage.stack.links.time_stamping.set(Flow::Cut);
    let waiting = stage.seal(&first).await;
    assert!(waiting.is_ok(), "{waiting:?}");
    let request = stage
        .cast
        .citizen_session
        .get(&format!("/v1/legalisation-requests/{id}"))
        .await
        .unwrap();
    assert_eq!(request["state"], "awaiting_signature");
    assert_eq!(request["progress_code"], "WAITING_FOR_TIME_STAMP");

    // Killed while it waits; the seal is finished without the PIN once the authority answers again.
    stage.stack.kill("signature").await.unwrap();
    stage.stack.links.time_stamping.set(Flow::Open);
    stage.stack.restart("signature").await.unwrap();
    wait::until("the seal", Duration::from_secs(60), async || {
        let request = stage
            .cast
            .citizen_session
            .get(&format!("/v1/legalisation-requests/{id}"))
            .await?;
        ensure!(request["state"] == "delivered", "still {}", request["state"]);
        Ok(())
    })
    .await
    .map_err(|error| stage::with_logs(error, &stage.stack))
    .unwrap();

    let register = stage
        .cast
        .officer_session
        .get(&format!("/v1/offices/{office}/register?year={}", year()))
        .await
        .unwrap();
    let entries = register["items"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "one seal, one register number: {entries:?}");
    assert_eq!(
        (&entries[0]["number"], &entries[0]["state"]),
        (&1.into(), &"sealed".into())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_pin_the_key_stays_closed() {
    let mut stage = stage::open(Options {
        shared_kafka: true,
        ..Options::default()
    })
    .await
    .unwrap();
    let id = stage.accepted().await.unwrap();
    let intents = legalisation::authorise(&stage.cast.officer_session, &[&id])
        .await
        .unwrap();
    let pin = std::mem::replace(&mut stage.cast.officer_pin, "000000".into());
    assert_eq!(said(stage.seal(&intents).await), "422 PIN_INCORRECT");
    stage.cast.officer_pin = pin;
    let sealed = stage.seal(&intents).await;
    assert!(sealed.is_ok(), "{sealed:?}");
}

fn year() -> String {
    stage::today()[..4].to_owned()
}
