//! Money, documents and parcels balance, and what does not is found.

use wathiq_civil_registry_order::app::audit_books::{Report, audit_books};
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{World, line, request_id};

async fn audit(world: &World) -> Report {
    let app = &world.app;
    let audited = audit_books(&app.pool, &app.payment, &app.postal, &app.signature);
    audited.await.unwrap()
}

#[tokio::test]
async fn the_books_balance_and_what_is_altered_shows() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("1"), line("2")]).await;
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    let refuse = pb::RefuseLineRequest {
        request_id: request_id(),
        line_id: order.lines[1].line_id.clone(),
        reason_code: "NOT_ENTITLED".to_owned(),
        text: String::new(),
    };
    world
        .office()
        .refuse_line(world.staff(agent, refuse))
        .await
        .unwrap();
    world.drive().await;
    world.give_back(&order, &order.lines[1]).await;
    let unpaid = world.place(citizen, vec![line("3")]).await;

    let report = audit(&world).await;
    assert_eq!(report.differences, []);
    assert_eq!((report.checked.payables, report.checked.lines), (2, 3));
    assert_eq!((report.checked.statement_entries, report.checked.parcels), (1, 1));

    // A refund that nobody asked for, a payable that is gone, a shipment that is nobody's.
    {
        let mut payables = world.peers.payables.lock().unwrap();
        payables.remove(&unpaid.order_id);
        let payable = payables.get_mut(&order.order_id).unwrap();
        let mut second = payable.refunds[0].clone();
        second.owner_reference.clone_from(&order.lines[0].line_id);
        payable.refunds.push(second);
        let mut shipments = world.peers.shipments.lock().unwrap();
        let mut stray = shipments.values().next().unwrap().clone();
        stray.owner_reference = uuid::Uuid::new_v4().to_string();
        shipments.insert(stray.owner_reference.clone(), stray);
    }
    let codes: Vec<&str> = audit(&world)
        .await
        .differences
        .iter()
        .map(|one| one.code)
        .collect();
    assert_eq!(
        codes,
        ["REFUND_DIFFERS", "PAYABLE_MISSING", "SHIPMENT_OF_NO_PARCEL"]
    );
}
