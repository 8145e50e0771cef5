//! What the carrier sends: signed, hostile, twice, out of order, for items that are not ours.

use chrono::TimeDelta;
use serde_json::json;
use tonic::Code;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::ShipmentState;

use crate::harness::{World, delivered, event, number, reason, request_id, violations};

#[tokio::test]
async fn only_the_carriers_messages_of_now_are_taken() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let good = world.message("msg-1", &[event(&number(&shipment), "EMG", world.now())]);
    let wrong = [
        pb::ReceiveWebhookRequest {
            webhook_signature: String::new(),
            ..good.clone()
        },
        pb::ReceiveWebhookRequest {
            webhook_id: "msg-2".to_owned(),
            ..good.clone()
        },
        pb::ReceiveWebhookRequest {
            webhook_timestamp: "1".to_owned(),
            ..good.clone()
        },
        pb::ReceiveWebhookRequest {
            body: b"[]".to_vec(),
            ..good.clone()
        },
    ];
    let not_signed = (Code::Unauthenticated, "WEBHOOK_SIGNATURE_INVALID".to_owned());
    for message in wrong {
        assert_eq!(
            reason(world.carriers().receive_webhook(message).await),
            not_signed
        );
    }
    let file = world.file("file-1", "tracking_id,code,event_time\r\n");
    let file = pb::ImportBatchRequest {
        webhook_signature: good.webhook_signature.clone(),
        ..file
    };
    assert_eq!(reason(world.carriers().import_batch(file).await), not_signed);
    world.pass(TimeDelta::minutes(6));
    assert_eq!(reason(world.carriers().receive_webhook(good).await), not_signed);
    assert!(world.get(&shipment.shipment_id).await.events.is_empty());
}

#[tokio::test]
async fn a_message_told_again_is_answered_the_same_and_moves_nothing() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let events = [event(&number(&shipment), "EMG", world.now())];
    let send = async |id: &str, events: &[serde_json::Value]| {
        let message = world.message(id, events);
        world.carriers().receive_webhook(message).await
    };
    let first = send("msg-1", &events).await.unwrap().into_inner();
    world.pass(TimeDelta::hours(1));
    let again = send("msg-1", &events).await.unwrap().into_inner();
    assert_eq!(again, first);
    let elsewhere = send("msg-2", &events).await.unwrap().into_inner();
    assert_eq!((elsewhere.taken, elsewhere.known_before), (0, 1));
    let other = [event(&number(&shipment), "EMH", world.now())];
    assert_eq!(
        reason(send("msg-1", &other).await),
        (Code::AlreadyExists, "WEBHOOK_ID_REUSED".to_owned())
    );
    assert_eq!(world.get(&shipment.shipment_id).await.events.len(), 1);
}

/// Place, field and reason of each fault.
fn faults(answer: &pb::ReceiveWebhookResponse) -> Vec<(i32, &str, &str)> {
    let refused = answer.refused.iter();
    refused
        .map(|event| (event.index, event.field.as_str(), event.reason.as_str()))
        .collect()
}

#[tokio::test]
async fn good_events_are_taken_and_every_fault_of_the_others_is_named() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let number = number(&shipment);
    let now = world.now();
    let mut typed = event(&number, "EMC", now);
    typed["document_last_four"] = json!(3456);
    let mut long = event(&number, "EMC", now);
    long["place"] = json!("x".repeat(81));
    let mut own = event(&number, "liv", now);
    own["document_kind"] = json!("Livret");
    let ahead = event(&number, "EMC", now + TimeDelta::minutes(16));
    let wrong = event("RR123456784MA", "E M", now + TimeDelta::hours(1));
    let events = [
        event(&number, "EMG", now),
        typed,
        json!("text"),
        long,
        own,
        ahead,
        wrong,
    ];
    let answer = world.tell(&events).await;
    assert_eq!(
        faults(&answer),
        [
            (1, "document_last_four", "MALFORMED"),
            (2, "", "MALFORMED"),
            (3, "place", "LENGTH"),
            (5, "event_time", "IN_FUTURE"),
            (6, "tracking_id", "CHECK_DIGIT_WRONG"),
            (6, "code", "MALFORMED"),
            (6, "event_time", "IN_FUTURE"),
        ]
    );
    assert_eq!((answer.taken, answer.faults), (2, 7));
    let found = world.get(&shipment.shipment_id).await;
    let mut codes: Vec<(&str, bool)> = found
        .events
        .iter()
        .map(|event| (event.code.as_str(), event.known))
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [("EMG", true), ("liv", false)]);
    assert_eq!(found.state(), ShipmentState::AtDeliveryOffice);
}

#[tokio::test]
async fn a_message_that_is_no_array_of_events_is_refused() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let named = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    assert_eq!(
        violations(world.try_tell(&[]).await),
        [named("events", "OUT_OF_RANGE")]
    );
    let body = b"{\"tracking_id\": 1}".to_vec();
    let nonsense = pb::ReceiveWebhookRequest {
        webhook_signature: world.signature("msg", &body),
        body,
        ..world.message("msg", &[])
    };
    assert_eq!(
        violations(world.carriers().receive_webhook(nonsense).await),
        [named("body", "MALFORMED")]
    );
    assert!(world.get(&shipment.shipment_id).await.events.is_empty());
}

#[tokio::test]
async fn items_that_are_not_ours_are_reported_and_kept_apart() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let strange = "RR123456785MA";
    let events = [
        event(strange, "EMG", world.now()),
        event(&number(&shipment), "EMG", world.now()),
    ];
    let answer = world.tell(&events).await;
    assert_eq!(
        (answer.taken, answer.unknown_tracking_ids),
        (1, vec![strange.to_owned()])
    );
    world.tell(&events).await;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM unknown_item_event WHERE tracking_id = $1")
        .bind(strange)
        .fetch_one(&mut world.database.connect().await)
        .await
        .unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn events_out_of_order_lead_to_the_same_state() {
    let world = World::start().await;
    let (first, second) = (
        world.handed_over("parcel-1").await,
        world.handed_over("parcel-2").await,
    );
    let now = world.now();
    world.pass(TimeDelta::hours(9));
    let of = |shipment: &pb::Shipment| {
        let number = number(shipment);
        vec![
            event(&number, "EMA", now),
            event(&number, "EMG", now + TimeDelta::hours(3)),
            event(&number, "EMH", now + TimeDelta::hours(4)),
            delivered(&number, "Mohamed El Alaoui", now + TimeDelta::hours(5)),
            event(&number, "ZZZ", now + TimeDelta::hours(6)),
        ]
    };
    for told in of(&first) {
        world.tell(&[told]).await;
    }
    for told in of(&second).into_iter().rev() {
        world.tell(&[told]).await;
    }
    let (first, second) = (
        world.get(&first.shipment_id).await,
        world.get(&second.shipment_id).await,
    );
    assert_eq!((first.state(), first.attempts), (ShipmentState::Delivered, 1));
    assert_eq!((second.state(), second.attempts), (first.state(), first.attempts));
    assert!(second.proof == first.proof);
    let codes = |shipment: &pb::Shipment| {
        shipment
            .events
            .iter()
            .map(|event| (event.code.clone(), event.known))
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(&second), codes(&first));
    assert_eq!(codes(&first)[4], ("ZZZ".to_owned(), false));
}

#[tokio::test]
async fn a_file_is_taken_row_by_row() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let (number, at) = (number(&shipment), world.now().to_rfc3339());
    let csv = format!(
        "\u{feff}code,tracking_id,event_time,place\r\nEMG,{number},{at},\"CASA, GARE\"\r\nEMG,{number}\r\ne h,{number},{at},\r\nEMH,RR123456785MA,{at},\r\nEMG,{number},{at},\"CASA, GARE\"\r\n"
    );
    let send = async |id: &str, csv: &str| world.carriers().import_batch(world.file(id, csv)).await;
    let answer = send("file-1", &csv).await.unwrap().into_inner();
    assert_eq!((answer.taken, answer.known_before), (1, 1));
    let refused: Vec<_> = answer
        .refused
        .iter()
        .map(|row| (row.line, row.field.as_str(), row.reason.as_str()))
        .collect();
    assert_eq!(
        refused,
        [
            (3, "", "FIELD_COUNT"),
            (4, "code", "MALFORMED"),
            (5, "tracking_id", "UNKNOWN_ITEM")
        ]
    );
    assert_eq!(send("file-1", &csv).await.unwrap().into_inner(), answer);
    assert_eq!(
        reason(send("file-1", "tracking_id,code,event_time\r\n").await).1,
        "WEBHOOK_ID_REUSED"
    );
    // Under another id every row is known.
    let again = send("file-2", &csv).await.unwrap().into_inner();
    assert_eq!((again.taken, again.known_before), (0, 2));
    let found = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (
            found.events.len(),
            found.events[0].place.as_str(),
            found.events[0].source.as_str()
        ),
        (1, "CASA, GARE", "csv")
    );
}

#[tokio::test]
async fn a_file_without_its_header_is_none() {
    let world = World::start().await;
    for csv in [
        "",
        "RR123456785MA,EMG,2026-11-22T09:00:00Z\r\n",
        "tracking_id,code\r\n",
        "tracking_id,code,event_time,code\r\n",
    ] {
        let refused = violations(
            world
                .carriers()
                .import_batch(world.file(&request_id(), csv))
                .await,
        );
        assert_eq!(refused, [("csv".to_owned(), "HEADER".to_owned())], "{csv}");
    }
}

/// As a spreadsheet in French saves it, with columns of the carrier's own.
#[tokio::test]
async fn a_file_of_a_spreadsheet_is_taken() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let (number, at) = (number(&shipment), world.now().to_rfc3339());
    let csv = format!(
        "\u{feff}Code;TRACKING_ID;Agence;Event_Time;place;\r\nEMG;{number};42;{at};\"CASA; GARE, 2\";\r\nEMC,{number},42,{at},RABAT,\r\n"
    );
    let answer = world.carriers().import_batch(world.file("file-1", &csv)).await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(
        (answer.taken, answer.ignored_columns),
        (1, vec!["Agence".to_owned()])
    );
    let refused = &answer.refused[0];
    assert_eq!((refused.line, refused.reason.as_str()), (3, "FIELD_COUNT"));
    assert!(refused.description.contains("in quotes"), "{refused:?}");
    let found = world.get(&shipment.shipment_id).await;
    assert_eq!(
        (found.state(), found.events[0].place.as_str()),
        (ShipmentState::AtDeliveryOffice, "CASA; GARE, 2")
    );
}

/// A file cut off between two transactions, and sent again.
#[tokio::test]
async fn a_file_that_was_begun_is_finished_when_it_comes_again() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let csv = format!(
        "tracking_id,code,event_time\r\n{},EMG,{}\r\n",
        number(&shipment),
        world.now().to_rfc3339()
    );
    let send = async || {
        world
            .carriers()
            .import_batch(world.file("file-1", &csv))
            .await
            .unwrap()
            .into_inner()
    };
    assert_eq!(send().await.taken, 1);
    sqlx::query("UPDATE carrier_message SET answer = NULL")
        .execute(&mut world.database.connect().await)
        .await
        .unwrap();
    let again = send().await;
    assert_eq!((again.taken, again.known_before), (0, 1));
    assert_eq!(send().await, again);
}

#[tokio::test]
async fn an_event_is_known_again_whichever_way_it_comes() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let (number, now) = (number(&shipment), world.now());
    world.tell(&[event(&number, "EMG", now)]).await;
    let scan = pb::RecordScanRequest {
        request_id: request_id(),
        tracking_id: format!(" {} ", number.to_lowercase()),
        event: Some(pb::CarrierEvent {
            code: "EMG".to_owned(),
            event_time: Some(prost_types::Timestamp {
                seconds: now.timestamp(),
                nanos: 0,
            }),
            ..Default::default()
        }),
    };
    world.office().record_scan(world.by_agent(scan)).await.unwrap();
    assert_eq!(world.get(&shipment.shipment_id).await.events.len(), 1);
}

/// More rows than one transaction takes, of several shipments, each told twice.
#[tokio::test]
async fn a_long_file_is_taken_whole() {
    let world = World::start().await;
    let (first, second) = (
        world.handed_over("parcel-1").await,
        world.handed_over("parcel-2").await,
    );
    world.pass(TimeDelta::hours(6));
    let mut csv = "tracking_id,code,event_time\r\n".to_owned();
    for _ in 0..2 {
        for minute in 0..300 {
            let at = (world.now() - TimeDelta::minutes(minute)).to_rfc3339();
            let shipment = if minute % 2 == 0 { &first } else { &second };
            let code = if minute == 0 { "EMG" } else { "EMC" };
            csv += &format!("{},{code},{at}\r\n", number(shipment));
        }
    }
    let answer = world
        .carriers()
        .import_batch(world.file("file-1", &csv))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (answer.taken, answer.known_before, answer.refused.len()),
        (300, 300, 0)
    );
    assert_eq!(
        world.get(&first.shipment_id).await.state(),
        ShipmentState::AtDeliveryOffice
    );
    assert_eq!(
        world.get(&second.shipment_id).await.state(),
        ShipmentState::InTransit
    );
}

/// The largest file that is taken, with the largest answer: the first of more faults than an answer names.
#[tokio::test]
async fn a_file_of_eight_mebibytes_is_taken_and_a_byte_more_is_not() {
    const LARGEST: usize = 8 * 1024 * 1024;
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let now = world.now().to_rfc3339();
    let mut csv = format!(
        "tracking_id,code,event_time,place\n{},EMG,{now},\n",
        number(&shipment)
    );
    let row = format!("RR1,?,yesterday,{}\n", "x".repeat(400));
    for _ in 0..19_000 {
        csv += &row;
    }
    csv += &format!("RR1,?,yesterday,{}\n", "x".repeat(LARGEST - csv.len() - 17));
    assert_eq!(csv.len(), LARGEST);
    let mut carriers = world.carriers().max_decoding_message_size(LARGEST);
    let answer = carriers.import_batch(world.file("file-1", &csv)).await.unwrap();
    let answer = answer.into_inner();
    assert_eq!((answer.taken, answer.refused.len()), (1, 1_000));
    assert_eq!((answer.refused[0].line, answer.faults), (3, 4 * 19_001));
    csv.push('\n');
    let refused = violations(carriers.import_batch(world.file("file-2", &csv)).await);
    assert_eq!(refused, [("csv".to_owned(), "TOO_LARGE".to_owned())]);
}

#[tokio::test]
async fn a_quote_that_is_not_closed_takes_its_own_line_alone() {
    let world = World::start().await;
    let shipment = world.handed_over("parcel-1").await;
    let (number, at) = (number(&shipment), world.now().to_rfc3339());
    let csv = format!(
        "tracking_id,code,event_time,place\r\n{number},EMC,{at},\"CASA\r\n{number},EMG,{at},\"CASA \"\"1\"\"\"\r\n{number},EMC,{at},\"RABAT"
    );
    let answer = world.carriers().import_batch(world.file("file-1", &csv)).await;
    let answer = answer.unwrap().into_inner();
    let refused: Vec<_> = answer
        .refused
        .iter()
        .map(|row| (row.line, row.reason.as_str()))
        .collect();
    assert_eq!(refused, [(2, "OPEN_QUOTE"), (4, "OPEN_QUOTE")]);
    assert_eq!((answer.taken, answer.faults), (1, 2));
    let found = world.get(&shipment.shipment_id).await;
    assert_eq!(found.events[0].place, "CASA \"1\"");
}
