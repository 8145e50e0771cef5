//! What is no record is kept for its time.

use chrono::TimeDelta;
use wathiq_postal_shipping::app::forget::forget;

use crate::harness::{World, event, number};

async fn rows(world: &World, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_one(&mut world.database.connect().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn messages_and_strange_items_are_forgotten_and_what_was_said_of_ours_is_not() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let told = [
        event(&number(&shipment), "EMG", world.now()),
        event("RR473124829MA", "EMG", world.now()),
    ];
    let send = async |id: &str| {
        let message = world.message(id, &told);
        let answer = world.carriers().receive_webhook(message).await.unwrap();
        (answer.get_ref().taken, answer.get_ref().known_before)
    };
    assert_eq!(send("msg-1").await, (1, 0));
    world.pass(TimeDelta::days(90));
    assert_eq!(forget(&world.app).await.unwrap(), 0);
    // The same id is the same message, answered as before.
    assert_eq!(send("msg-1").await, (1, 0));
    world.pass(TimeDelta::seconds(1));
    assert_eq!(forget(&world.app).await.unwrap(), 1);
    assert_eq!(rows(&world, "carrier_message").await, 0);
    assert_eq!(rows(&world, "unknown_item_event").await, 1);
    // Told again after that, its events are known for what they say.
    assert_eq!(send("msg-1").await, (0, 1));
    world.pass(TimeDelta::days(275));
    assert_eq!(forget(&world.app).await.unwrap(), 2);
    assert_eq!(rows(&world, "unknown_item_event").await, 0);
    assert_eq!(rows(&world, "carrier_event").await, 1);
    assert_eq!(world.get(&shipment.shipment_id).await.events.len(), 1);
}
