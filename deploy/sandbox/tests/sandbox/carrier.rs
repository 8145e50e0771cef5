//! The carrier: lists in, events out.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::platform::{INBOUND, Message, OUTBOUND, World};

const HEADER: &str = "tracking_id,product,sheets,addressee_latin,addressee_arabic,country_code,postal_code,\
    locality_latin,street_latin,quarter_latin,extra_latin,locality_arabic,street_arabic,quarter_arabic,extra_arabic,phone";
const NUMBER: &str = "RR123456785MA";

fn list(rows: &[&str]) -> String {
    let row = |number: &&str| {
        format!("{number},REGISTERED_DOMESTIC,2,\"El Idrissi, Salma\",سلمى,MA,10000,Rabat,1 rue,,,,,,,+2126")
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    format!("{HEADER}\r\n{}\r\n", rows.join("\r\n"))
}

fn signature(secret: &str, id: &str, time: &str, body: &[u8]) -> String {
    let key = BASE64
        .decode(secret.trim_start_matches("whsec_").as_bytes())
        .unwrap();
    let signed = [id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
    let tag = sign(&Key::new(HMAC_SHA256, &key), &signed);
    format!("v1,{}", BASE64.encode(tag.as_ref()))
}

async fn announce(world: &World, secret: &str, id: &str, body: &str) -> u16 {
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let time = now.timestamp().to_string();
    let request = world
        .client
        .post(format!("{}/carrier/deposit-lists", world.url))
        .header("webhook-id", id)
        .header("webhook-timestamp", &time)
        .header("webhook-signature", signature(secret, id, &time, body.as_bytes()))
        .header("wathiq-deposit-list", "2026/000042")
        .header("wathiq-office", "office");
    request
        .body(body.to_owned())
        .send()
        .await
        .unwrap()
        .status()
        .as_u16()
}

async fn play(world: &World, body: Value) -> Value {
    let answer = world
        .post(&format!("/control/carrier/items/{NUMBER}/play"), &body)
        .await;
    answer.json().await.unwrap()
}

/// The codes of a message that the carrier has signed.
fn codes(message: &Message) -> Vec<String> {
    let header = |name: &str| message.headers[name].to_str().unwrap();
    let expected = signature(
        INBOUND,
        header("webhook-id"),
        header("webhook-timestamp"),
        &message.body,
    );
    assert_eq!(header("webhook-signature"), expected);
    let events = message.json();
    let events = events.as_array().unwrap().iter();
    events
        .map(|event| event["code"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_list_is_taken_once_and_only_with_its_signature() {
    let world = World::new().await;
    assert_eq!(announce(&world, INBOUND, "1", &list(&[NUMBER])).await, 401);
    assert_eq!(
        announce(&world, OUTBOUND, "1", &list(&["RR123456784MA"])).await,
        400
    );
    assert_eq!(announce(&world, OUTBOUND, "1", &list(&[])).await, 400);
    world
        .put("/control/carrier/faults", &json!({"down_seconds": 60}))
        .await;
    assert_eq!(announce(&world, OUTBOUND, "1", &list(&[NUMBER])).await, 503);
    world
        .put("/control/carrier/faults", &json!({"lists_unanswered": 1}))
        .await;
    let items = async || {
        world
            .get("/control/carrier/items")
            .await
            .json::<Value>()
            .await
            .unwrap()
    };
    assert_eq!(items().await, json!([]));
    assert_eq!(announce(&world, OUTBOUND, "1", &list(&[NUMBER])).await, 502);
    assert_eq!(announce(&world, OUTBOUND, "1", &list(&[NUMBER])).await, 202);
    assert_eq!(
        announce(&world, OUTBOUND, "1", &list(&["RR473124829MA"])).await,
        409
    );
    let known = items().await;
    assert_eq!(known.as_array().unwrap().len(), 1);
    assert_eq!(known[0]["addressee_latin"], "El Idrissi, Salma");
    let page = world.get("/parcels").await.text().await.unwrap();
    assert!(page.contains(NUMBER) && page.contains("سلمى"), "{page}");
}

#[tokio::test]
async fn an_item_is_attempted_and_delivered_to_a_name_with_a_document() {
    let world = World::new().await;
    announce(&world, OUTBOUND, "1", &list(&[NUMBER])).await;
    let report = play(&world, json!({"happening": "attempted"})).await;
    assert_eq!(report[0]["status"], 200);
    play(
        &world,
        json!({"happening": "delivered", "document_last_four": "7777"}),
    )
    .await;
    let heard = world.platform.hears(2).await;
    assert_eq!(codes(&heard[0]), ["EMA", "EMD", "EMG", "EMH"]);
    assert_eq!(codes(&heard[1]), ["EMI"]);
    let delivered = &heard[1].json()[0];
    assert_eq!(delivered["recipient_name"], "El Idrissi, Salma");
    assert_eq!(
        (&delivered["document_kind"], &delivered["document_last_four"]),
        (&json!("CIN"), &json!("7777"))
    );
    let file = world
        .get("/control/carrier/events.csv")
        .await
        .text()
        .await
        .unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[5].starts_with("RR123456785MA,EMI,"), "{file}");
    assert!(lines[5].ends_with("\"El Idrissi, Salma\",CIN,7777"), "{file}");
    world.post("/control/carrier/events.csv", &json!({})).await;
    assert_eq!(world.platform.hears(3).await[2].body, file.as_bytes());
}

#[tokio::test]
async fn events_come_twice_out_of_order_late_and_unknown_as_asked() {
    let world = World::new().await;
    announce(&world, OUTBOUND, "1", &list(&[NUMBER])).await;
    play(
        &world,
        json!({"happening": "delivered", "out_of_order": true, "copies": 2}),
    )
    .await;
    let heard = world.platform.hears(8).await;
    let told: Vec<String> = heard.iter().flat_map(codes).collect();
    assert_eq!(told, ["EMI", "EMI", "EMG", "EMG", "EMD", "EMD", "EMA", "EMA"]);
    assert_eq!(heard[0].headers["webhook-id"], heard[1].headers["webhook-id"]);
    assert_ne!(heard[1].headers["webhook-id"], heard[2].headers["webhook-id"]);
    let reports = play(&world, json!({"happening": "unknown_code", "delay_ms": 50})).await;
    assert_eq!(reports, json!([]));
    assert_eq!(codes(&world.platform.hears(9).await[8]), ["ZZ9"]);
    play(&world, json!({"happening": "lost", "told": false})).await;
    assert_eq!(world.platform.heard().len(), 9);
    assert!(
        world
            .get("/control/carrier/events.csv")
            .await
            .text()
            .await
            .unwrap()
            .contains("XLO")
    );
}

#[tokio::test]
async fn a_platform_that_is_down_is_told_again_under_the_same_id() {
    let world = World::new().await;
    announce(&world, OUTBOUND, "1", &list(&[NUMBER])).await;
    world.platform.answers(&[(503, "")], (200, "{}"));
    let report = play(&world, json!({"happening": "posted"})).await;
    assert_eq!(report[0]["status"], 503);
    let heard = world.platform.hears(2).await;
    assert_eq!(heard[0].headers["webhook-id"], heard[1].headers["webhook-id"]);
    assert_eq!(codes(&heard[1]), ["EMA"]);
    // What is refused is not told again.
    world.platform.answers(&[], (400, "{}"));
    let raw = json!({"body": [{"code": 1}], "webhook_id": "own", "forged": true, "seconds_off": -900});
    let report = world
        .post("/control/carrier/events", &raw)
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(
        (&report["status"], &report["webhook_id"]),
        (&json!(400), &json!("own"))
    );
    let forged = world.platform.hears(3).await.pop().unwrap();
    assert_eq!(forged.json(), json!([{"code": 1}]));
    assert_ne!(
        forged.headers["webhook-signature"].to_str().unwrap(),
        signature(
            INBOUND,
            "own",
            forged.headers["webhook-timestamp"].to_str().unwrap(),
            &forged.body
        )
    );
}

#[tokio::test]
async fn what_is_set_up_for_an_office_happens_by_itself() {
    let world = World::new().await;
    let other = format!("{}/elsewhere", world.platform_url);
    let set = json!({"play": "delivered", "url": other});
    world.put("/control/carrier/offices/office/faults", &set).await;
    announce(&world, OUTBOUND, "1", &list(&[NUMBER, "RR473124829MA"])).await;
    let heard = world.platform.hears(2).await;
    assert!(
        heard
            .iter()
            .all(|message| codes(message).last().unwrap() == "EMI")
    );
}

#[tokio::test]
async fn a_restart_forgets_no_item() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let world = World::with(Some(&journal)).await;
    announce(&world, OUTBOUND, "1", &list(&[NUMBER])).await;
    play(&world, json!({"happening": "posted"})).await;
    let world = World::with(Some(&journal)).await;
    play(&world, json!({"happening": "at_delivery_office"})).await;
    assert_eq!(codes(&world.platform.hears(1).await[0]), ["EMD", "EMG"]);
}
