//! What becomes due is asked as soon as it is committed, by whoever wrote it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wathiq_civil_registry_order::app::drive;

use crate::digitised::{digitise, prepare};
use crate::harness::{World, line};

/// The driver of these worlds looks by itself once an hour.
#[tokio::test]
async fn an_event_of_another_service_wakes_the_driver() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    prepare(&world, officer, &order.lines[0]).await;
    let shutdown = CancellationToken::new();
    let options = world.database.config.connect_options().unwrap();
    let driver = tokio::spawn(drive::run(Arc::clone(&world.app), options, shutdown.clone()));
    world.database.listened_to().await;
    world.hear_seal(&order.lines[0].line_id).await;
    let numbered = async {
        loop {
            let parcels = world.get(citizen, &order).await.parcels;
            if parcels.iter().any(|parcel| !parcel.tracking_number.is_empty()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), numbered)
        .await
        .expect("the parcel gets its number long before the driver looks again");
    shutdown.cancel();
    driver.await.unwrap();
}
