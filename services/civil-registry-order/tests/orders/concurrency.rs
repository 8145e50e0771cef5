//! Many at the same time, and the same thing again.

use std::collections::HashSet;

use futures::future::join_all;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, World, line, order_request, reason, request_id};

#[tokio::test]
async fn sixty_four_orders_are_placed_at_once_with_references_of_their_own() {
    let world = World::start().await;
    let citizen = world.citizen();
    let placing = (0..64).map(|number| {
        let request = order_request(vec![line(&(number + 1).to_string())]);
        let (mut orders, request) = (world.orders(), world.as_citizen(citizen, request));
        async move {
            orders
                .place_order(request)
                .await
                .unwrap()
                .into_inner()
                .order
                .unwrap()
        }
    });
    let placed = join_all(placing).await;
    let references: HashSet<&str> = placed.iter().map(|order| order.reference.as_str()).collect();
    assert_eq!(references.len(), 64);
    world.drive().await;
    assert_eq!(world.peers.payables.lock().unwrap().len(), 64);
}

#[tokio::test]
async fn the_same_request_is_one_order_and_another_one_under_its_id_is_refused() {
    let world = World::start().await;
    let citizen = world.citizen();
    let request = order_request(vec![line("1")]);
    let placing = (0..8).map(|_| {
        let (mut orders, request) = (world.orders(), world.as_citizen(citizen, request.clone()));
        async move {
            orders
                .place_order(request)
                .await
                .unwrap()
                .into_inner()
                .order
                .unwrap()
        }
    });
    let placed = join_all(placing).await;
    let ids: HashSet<&str> = placed.iter().map(|order| order.order_id.as_str()).collect();
    assert_eq!(ids.len(), 1);
    let other = pb::PlaceOrderRequest {
        lines: vec![line("2")],
        ..request
    };
    let refused = world.orders().place_order(world.as_citizen(citizen, other)).await;
    assert_eq!(
        reason(refused),
        (tonic::Code::AlreadyExists, "REQUEST_ID_REUSED".to_owned())
    );
}

#[tokio::test]
async fn batch_sheets_drawn_up_at_once_share_no_line_and_have_numbers_without_gaps() {
    let world = World::start().await;
    let citizen = world.citizen();
    for number in 0..4 {
        let lines = (0..10)
            .map(|one| line(&(number * 10 + one + 1).to_string()))
            .collect();
        let order = world.place(citizen, lines).await;
        world.pay(&order).await;
    }
    let agent = world.agent();
    let drawing = (0..6).map(|_| {
        let request = pb::CreateBatchSheetRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            line_ids: Vec::new(),
        };
        let (mut office, request) = (world.office(), world.staff(agent, request));
        async move { office.create_batch_sheet(request).await }
    });
    let mut lines = Vec::new();
    let mut numbers = Vec::new();
    for answer in join_all(drawing).await {
        match answer {
            Ok(answer) => {
                let sheet = answer.into_inner().batch_sheet.unwrap();
                lines.extend(sheet.line_ids);
                numbers.push(sheet.number);
            }
            Err(refused) => {
                let reason = wathiq_chassis::status::reason(&refused).unwrap_or_default();
                assert!(
                    ["NOTHING_WAITS", "LOST_RACE"].contains(&reason.as_str()),
                    "{refused:?}"
                );
            }
        }
    }
    let distinct: HashSet<&String> = lines.iter().collect();
    assert_eq!((lines.len(), distinct.len()), (40, 40));
    numbers.sort();
    let expected: Vec<String> = (1..=numbers.len())
        .map(|number| format!("2026-{number:06}"))
        .collect();
    assert_eq!(numbers, expected);
}
