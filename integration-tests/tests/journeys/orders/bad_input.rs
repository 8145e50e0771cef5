//! What is wrong in what people, offices and partners send: a clear error with its own reason, and nothing has changed.

use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wathiq_local::journey::api::text;
use wathiq_local::journey::order::payer::{self, Browser, MOROCCAN, Page};
use wathiq_local::journey::order::{self, desk};
use wathiq_local::stack::Options;

use super::{all, imports};
use crate::bad_input::{Table, count};
use crate::calls::call;
use crate::stage::{self, Stage};

/// Nobody's.
const UNKNOWN: &str = "01a20000-0000-7000-8000-000000000000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_order_is_named_and_changes_nothing() {
    let options = Options {
        environment: stage::without_limits(),
        ..Options::default()
    };
    let mut stage = stage::open(options).await.unwrap();
    imports::killed_and_resumed(&stage).await;
    imports::malformed_rows(&stage).await;
    orders(&stage).await;
    at_the_office(&stage).await;
    at_another_office(&mut stage).await;
    from_the_provider(&stage).await;
    from_the_carrier(&stage).await;
}

async fn orders(stage: &Stage) {
    let citizen = &stage.cast.citizen_session;
    let office = &stage.cast.office.office_id;
    let right = json!({
        "lines": [order::line("birth-extract", "bilingual", office, (1991, "301"), order::addressee())],
        "addressee": order::addressee(),
        "address": order::address(),
        "expected_total_centimes": 2_000,
    });
    let with = |pointer: &str, value: Value| {
        let mut body = right.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let mut vague = right.clone();
    for clue in ["number", "birth_date"] {
        vague["lines"][0]["act"][clue] = Value::Null;
    }
    let closed = other_office(stage).await;
    let another = order::name(["Omar", "Tazi"], ["عمر", "التازي"]);
    let cases = [
        (
            with("/lines/0/act/year", json!(2_190)),
            "400 INVALID_ARGUMENT /lines/0/act/year ACT_REFERENCE_IMPOSSIBLE",
        ),
        (
            with("/lines/0/act/number", json!("abc")),
            "400 INVALID_ARGUMENT /lines/0/act/number ACT_REFERENCE_IMPOSSIBLE",
        ),
        (
            vague,
            "400 INVALID_ARGUMENT /lines/0/act ACT_REFERENCE_INCOMPLETE",
        ),
        (
            with("/lines/0/act/office_id", json!(closed)),
            "400 INVALID_ARGUMENT /lines/0/act/office_id OFFICE_NOT_OPEN",
        ),
        (
            with("/lines/0/act/office_id", json!(UNKNOWN)),
            "400 INVALID_ARGUMENT /lines/0/act/office_id OFFICE_UNKNOWN",
        ),
        (
            with("/lines/0/act/person", another.clone()),
            "400 INVALID_ARGUMENT /lines/0/relation NOT_ENTITLED",
        ),
        (
            with("/lines/0/relation", json!("spouse")),
            "400 INVALID_ARGUMENT /lines/0/evidence_ids EVIDENCE_REQUIRED",
        ),
        (
            with("/addressee", another),
            "400 INVALID_ARGUMENT /addressee ADDRESSEE_NOT_ENTITLED",
        ),
        (
            with(
                "/address",
                json!({"country_code": "MA", "postal_code": "20230", "locality_latin": "Casablanca"}),
            ),
            "400 INVALID_ARGUMENT /address/street_latin ADDRESS_INCOMPLETE",
        ),
        (
            with("/address/postal_code", json!("2023")),
            "400 INVALID_ARGUMENT /address/postal_code POSTAL_CODE",
        ),
        (with("/expected_total_centimes", json!(1)), "422 PRICE_CHANGED"),
    ];
    let mut table = Table::default();
    for (body, expected) in cases {
        let answer = call(citizen, Method::POST, "/v1/civil-status/orders", Some(&body)).await;
        table.add(answer.said(), expected, &body);
    }
    table.holds();
    let orders = "SELECT count(*) FROM customer_order";
    assert_eq!(count(stage, "civil-registry-order", orders).await, 0);
}

/// An annexe that takes no orders.
async fn other_office(stage: &Stage) -> String {
    let offices = stage.cast.anyone.get("/v1/offices?page_size=100").await.unwrap();
    let items = offices["items"].as_array().unwrap();
    let office = items.iter().find(|office| office["code"] == "CASA-HH-OULFA");
    text(office.unwrap(), "/office_id").unwrap().to_owned()
}

async fn at_the_office(stage: &Stage) {
    let officer = stage.officer_id().await.unwrap();
    let mut table = Table::default();
    // The check digit holds, but the order has no such line.
    let order = stage.order_one("303").await.unwrap();
    let unknown = format!("{}-7", text(&order, "/reference").unwrap());
    let other = if unknown.starts_with('X') { "W" } else { "X" };
    let mistyped = format!("{other}{}", &unknown[1..]);
    for (barcode, expected) in [
        (unknown.as_str(), "404 ORDER_LINE_NOT_FOUND"),
        (&mistyped, "400 INVALID_ARGUMENT /line_reference REFERENCE_CHECK"),
        (
            "not a barcode",
            "400 INVALID_ARGUMENT /line_reference REFERENCE_MALFORMED",
        ),
    ] {
        let body = json!({"line_reference": barcode, "officer_person_id": officer});
        let officer = &stage.cast.registrar_session;
        let answer = call(officer, Method::POST, "/v1/office/productions", Some(&body)).await;
        table.add(answer.said(), expected, &body);
    }
    let body = json!({"office_id": stage.cast.office.office_id, "tracking_numbers": ["RR000000005MA"]});
    let agent = &stage.cast.agent_session;
    let answer = call(agent, Method::POST, "/v1/office/hand-overs", Some(&body)).await;
    table.add(answer.said(), "200 BARCODE_UNKNOWN", &body);
    table.holds();
}

/// Whoever works at one office makes and hands over nothing of another's, and sees none of it.
async fn at_another_office(stage: &mut Stage) {
    let order = stage.paid("304").await.unwrap();
    let officer = stage.officer_id().await.unwrap();
    let line = text(&order, "/lines/0/line_id").unwrap();
    let barcode = text(&order, "/lines/0/line_reference").unwrap();
    desk::batch_sheet(&stage.cast.agent_session, &stage.cast.office.office_id, &[line])
        .await
        .unwrap();
    desk::produce(&stage.cast.registrar_session, barcode, &officer)
        .await
        .unwrap();
    let numbered = |order: &Value| order["parcels"][0]["tracking_number"].is_string();
    let order = stage.order_until(&order, "its number", numbered).await.unwrap();
    let number = text(&order, "/parcels/0/tracking_number").unwrap();

    let other = other_office(stage).await;
    let head = stage.administrator().await.unwrap();
    let login = stage
        .recorder
        .accounts()
        .iter()
        .find(|account| account.role == "administrator");
    let membership = json!({
        "email": login.unwrap().login, "role": "agent", "deputy_for_membership_id": null,
        "from": stage::today(), "to": null,
    });
    let path = format!("/v1/offices/{other}/memberships");
    head.post(&path, &membership).await.unwrap();
    let stranger = stage.administrator().await.unwrap();
    let mut table = Table::default();
    let refusal = json!({"reason_code": "ACT_NOT_FOUND", "text": "Introuvable."});
    let cases = [
        (
            "/v1/office/productions".to_owned(),
            json!({"line_reference": barcode, "officer_person_id": officer}),
            "404 ORDER_LINE_NOT_FOUND",
        ),
        (
            format!("/v1/office/order-lines/{line}/refusal"),
            refusal,
            "404 ORDER_LINE_NOT_FOUND",
        ),
        (
            "/v1/office/hand-overs".to_owned(),
            json!({"office_id": other, "tracking_numbers": [number]}),
            "200 PARCEL_OF_OTHER_OFFICE",
        ),
    ];
    for (path, body, expected) in cases {
        let answer = call(&stranger, Method::POST, &path, Some(&body)).await;
        table.add(answer.said(), expected, &body);
    }
    table.holds();
    let order = stage.order_until(&order, "nothing more", |_| true).await.unwrap();
    assert!(all(&order, "produced"), "{order}");
}

/// A message that was altered on its way is not taken; the genuine one still is.
async fn from_the_provider(stage: &Stage) {
    let (order, payable) = stage.payable("302").await.unwrap();
    let citizen = &stage.cast.citizen_session;
    let browser = Browser::new().unwrap();
    let page = payer::open(citizen, &browser, &payable).await.unwrap();
    let back = payer::give_card(&browser, &page, MOROCCAN).await.unwrap();
    let callback = format!("{}/callbacks/payments/cmi", stage.cast.anyone.base());
    let client = wathiq_local::http::client().unwrap();
    for (name, value) in [
        ("amount", "1.00"),
        ("HASH", "AAAA"),
        ("oid", "WTQ00000000000000000000000000"),
    ] {
        let mut altered = back.fields.clone();
        for field in altered.iter_mut().filter(|field| field.0 == name) {
            field.1 = value.to_owned();
        }
        let answer = client.post(&callback).form(&altered).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "FAILURE", "{name}");
    }
    assert!(matches!(browser.post(&back, &[]).await.unwrap(), Page::SentTo(_)));
    stage
        .order_until(&order, "its payment", |order| all(order, "paid"))
        .await
        .unwrap();
}

/// Signed by the carrier, or not; of items that nobody knows; a file with rows that are none.
async fn from_the_carrier(stage: &Stage) {
    let carrier = &stage.stack.description.carrier;
    let base = stage.cast.anyone.base();
    let client = wathiq_local::http::client().unwrap();
    let event = |number: &str| json!({"tracking_id": number, "code": "EMD", "event_time": "2026-11-22T08:00:00+01:00"});
    let tell = async |message: Value| -> Value {
        let url = format!("{}/control/carrier/events", carrier.control);
        let sent = client.post(url).json(&message).send().await.unwrap();
        sent.json().await.unwrap()
    };
    let events = format!("{base}/v1/carrier/events");
    let told = tell(json!({"body": [event("RR999999995MA")], "url": events})).await;
    assert_eq!(told["status"], 200, "{told}");
    assert!(
        text(&told, "/answer").unwrap().contains("RR999999995MA"),
        "{told}"
    );
    let told = tell(json!({"body": [event("RR999999995MA")], "url": events, "forged": true})).await;
    assert_eq!(told["status"], 401, "{told}");
    let told = tell(json!({"body": [event("RR999999995MA"), {"code": "EMD"}], "url": events})).await;
    // What is good of a delivery is taken; the rest is named.
    assert_eq!(told["status"], 200, "{told}");
    let answer: Value = serde_json::from_str(text(&told, "/answer").unwrap()).unwrap();
    assert_eq!(answer["unknown_tracking_ids"], json!(["RR999999995MA"]), "{told}");
    assert_eq!(answer["refused"][0]["index"], 1, "{told}");
    assert_eq!(answer["refused"][0]["field"], "tracking_id", "{told}");
    let unsigned = client
        .post(format!("{base}/v1/carrier/event-files"))
        .body("tracking_id\n");
    assert_eq!(unsigned.send().await.unwrap().status(), 401);
    files_of_the_carrier(stage).await;
}

/// A file that lacks a column is none; of one with wrong rows each is named, whatever divides its fields.
async fn files_of_the_carrier(stage: &Stage) {
    let secret = &stage.stack.description.carrier.inbound_secret_file;
    let secret = std::fs::read_to_string(secret).unwrap();
    let key = secret.trim().strip_prefix("whsec_").unwrap();
    let key = BASE64.decode(key.as_bytes()).unwrap();
    let url = format!("{}/v1/carrier/event-files", stage.cast.anyone.base());
    let client = wathiq_local::http::client().unwrap();
    let send = async |id: &str, file: &'static str| -> (u16, Value) {
        let now: chrono::DateTime<chrono::Utc> = std::time::SystemTime::now().into();
        let time = now.timestamp().to_string();
        let request = client
            .post(&url)
            .header("webhook-id", id)
            .header("webhook-timestamp", &time);
        let request = request.header(
            "webhook-signature",
            signature(&key, &format!("{id}.{time}.{file}")),
        );
        let answer = request
            .header("content-type", "text/csv")
            .body(file)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    };
    let (status, told) = send("msg_no_time", "tracking_id,code\nRR999999995MA,EMD\n").await;
    assert_eq!(
        (status, &told["reason"]),
        (400, &json!("INVALID_ARGUMENT")),
        "{told}"
    );
    assert!(told.to_string().contains("HEADER"), "{told}");
    let rows = "Tracking_ID;Code;Event_Time;Agence\nRR999999995MA;EMD;2026-11-22T08:00:00+01:00;Rabat\nRR999999995MA;E M D;hier;Rabat\nRR999999995MA\n";
    let (status, told) = send("msg_rows", rows).await;
    assert_eq!((status, &told["taken"]), (200, &json!(0)), "{told}");
    assert_eq!(told["ignored_columns"], json!(["Agence"]), "{told}");
    let refused = told["refused"].as_array().unwrap().iter();
    let refused: Vec<Value> = refused
        .map(|row| json!([row["line"], row["field"], row["reason"]]))
        .collect();
    let expected = json!([
        [2, "tracking_id", "UNKNOWN_ITEM"],
        [3, "code", "MALFORMED"],
        [3, "event_time", "MALFORMED"],
        [4, "", "FIELD_COUNT"],
    ]);
    assert_eq!(Value::from(refused), expected, "{told}");
}

/// HMAC-SHA-256 (RFC 2104) in the writing of Standard Webhooks.
fn signature(key: &[u8], text: &str) -> String {
    let block: Vec<u8> = key.iter().copied().chain(std::iter::repeat(0)).take(64).collect();
    let pad = |mask: u8| block.iter().map(|byte| byte ^ mask).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36).as_slice(), text.as_bytes()].concat());
    let tag = Sha256::digest([pad(0x5c).as_slice(), inner.as_slice()].concat());
    format!("v1,{}", BASE64.encode(&tag))
}
