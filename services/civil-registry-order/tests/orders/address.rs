//! An address that the post does not take: shown, corrected by the citizen, or paid back.

use chrono::TimeDelta;
use tonic::{Code, Status};
use wathiq_chassis::Clock;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{OFFICE, Person, World, line, order_request, profile, reason, request_id, violations};

/// Two lines in one parcel to where the post knows no such code.
async fn refused(world: &World, citizen: Person, agent: Person) -> pb::Order {
    let officer = world.officer();
    let mut request = order_request(vec![line("1"), line("2")]);
    "30000".clone_into(&mut request.address.as_mut().unwrap().postal_code);
    let order = world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await;
    let order = order.unwrap().into_inner().order.unwrap();
    world.peers.unknown_codes.lock().unwrap().push("30000".to_owned());
    world.pay(&order).await;
    let lines: Vec<&pb::OrderLine> = order.lines.iter().collect();
    world.batch_sheet(agent, &lines).await;
    for line in lines {
        world.produce(agent, officer, line).await.unwrap();
    }
    world.get(citizen, &order).await
}

async fn exceptions(world: &World, agent: Person) -> Vec<String> {
    let request = pb::ListExceptionsRequest {
        office_id: OFFICE.to_string(),
        ..Default::default()
    };
    let answer = world.office().list_exceptions(world.staff(agent, request)).await;
    let entries = answer.unwrap().into_inner().entries;
    entries.into_iter().map(|entry| entry.code).collect()
}

fn correction(order: &pb::Order, change: impl FnOnce(&mut pb::DeliveryAddress)) -> pb::CorrectAddressRequest {
    let mut address = order.address.clone().unwrap();
    address.postal_code = "20000".to_owned();
    change(&mut address);
    pb::CorrectAddressRequest {
        request_id: request_id(),
        order_id: order.order_id.clone(),
        address: Some(address),
        etag: String::new(),
    }
}

async fn correct(
    world: &World,
    citizen: Person,
    request: pb::CorrectAddressRequest,
) -> Result<pb::Order, Status> {
    let answer = world
        .orders()
        .correct_address(world.as_citizen(citizen, request))
        .await?;
    Ok(answer.into_inner().order.unwrap())
}

#[tokio::test]
async fn what_the_post_does_not_take_is_corrected_and_sent() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = refused(&world, citizen, agent).await;
    assert_eq!(order.state(), pb::OrderState::ActionNeeded);
    assert_eq!(order.progress_code, "WAITING_FOR_ADDRESS");
    for line in &order.lines {
        assert_eq!(line.state(), pb::LineState::Produced);
        assert_eq!(line.progress_code, "WAITING_FOR_ADDRESS");
        let deadline = line.deadline.as_ref().unwrap().seconds;
        assert_eq!(deadline, (world.clock.now() + TimeDelta::days(15)).timestamp());
    }
    let parcel = &order.parcels[0];
    assert_eq!(
        (parcel.exception_code.as_str(), parcel.tracking_number.as_str()),
        ("ADDRESS_REFUSED", "")
    );
    let faults: Vec<_> = parcel
        .address_faults
        .iter()
        .map(|fault| (fault.field.as_str(), fault.reason.as_str()))
        .collect();
    assert_eq!(faults, [("postal_code", "POSTAL_CODE")]);
    assert_eq!(
        exceptions(&world, agent).await,
        ["ADDRESS_REFUSED", "ADDRESS_REFUSED"]
    );
    let asked = world.events(&order).await;
    let asked = asked.iter().filter(|event| *event == "LineCorrectionRequested");
    assert_eq!(asked.count(), 1, "one mail for one address");

    let stranger = correct(&world, world.citizen(), correction(&order, |_| {})).await;
    assert_eq!(stranger.err().unwrap().code(), Code::NotFound);
    let wrong = correct(
        &world,
        citizen,
        correction(&order, |address| address.postal_code = "2".into()),
    )
    .await;
    assert_eq!(
        violations(wrong),
        [("address.postal_code".to_owned(), "POSTAL_CODE".to_owned())]
    );
    let abroad = correct(
        &world,
        citizen,
        correction(&order, |address| address.country_code = "FR".into()),
    )
    .await;
    assert_eq!(
        reason(abroad),
        (Code::FailedPrecondition, "ADDRESS_IN_OTHER_ZONE".to_owned())
    );
    let stale = pb::CorrectAddressRequest {
        etag: "1".to_owned(),
        ..correction(&order, |_| {})
    };
    assert_eq!(reason(correct(&world, citizen, stale).await).1, "ORDER_CHANGED");

    let request = correction(&order, |_| {});
    correct(&world, citizen, request.clone()).await.unwrap();
    world.drive().await;
    // The repeat answers how it stands now.
    let order = correct(&world, citizen, request).await.unwrap();
    assert_eq!(order.address.as_ref().unwrap().postal_code, "20000");
    assert_eq!(order.state(), pb::OrderState::InProgress);
    assert_eq!(order.lines[0].progress_code, "WAITING_FOR_POST");
    let parcel = &order.parcels[0];
    assert!(!parcel.tracking_number.is_empty());
    assert_eq!(
        (parcel.exception_code.as_str(), parcel.address_faults.len()),
        ("", 0)
    );
    let sent = world.peers.shipments.lock().unwrap()[&parcel.parcel_id].clone();
    assert_eq!(sent.addressee.unwrap().address.unwrap().postal_code, "20000");
    let mut conn = world.database.connect().await;
    let code = "SELECT address->>'postal_code' FROM parcel WHERE id::text = $1";
    let code: String = sqlx::query_scalar(code)
        .bind(&parcel.parcel_id)
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(code, "20000", "a parcel keeps the address that it goes to");
    let audited = "SELECT details->'parcels'->>0 FROM audit WHERE action = 'order.correct_address'";
    let audited: Vec<String> = sqlx::query_scalar(audited).fetch_all(&mut conn).await.unwrap();
    assert_eq!(audited, std::slice::from_ref(&parcel.parcel_id));
    assert_eq!(exceptions(&world, agent).await, Vec::<String>::new());
    let again = correct(&world, citizen, correction(&order, |_| {})).await;
    assert_eq!(
        reason(again),
        (Code::FailedPrecondition, "ADDRESS_NOT_ASKED".to_owned())
    );
    let events = world.events(&order).await;
    assert_eq!(events[events.len() - 2..], ["LineCorrected", "ParcelReady"]);
}

#[tokio::test]
async fn an_address_that_is_not_corrected_in_time_is_paid_back() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = refused(&world, citizen, agent).await;
    world.after(TimeDelta::days(14)).await;
    assert_eq!(
        world.get(citizen, &order).await.state(),
        pb::OrderState::ActionNeeded
    );
    world.after(TimeDelta::days(2)).await;
    let order = world.get(citizen, &order).await;
    for line in &order.lines {
        assert_eq!(
            (line.state(), line.end_reason.as_str()),
            (pb::LineState::Refunding, "ADDRESS_REFUSED")
        );
    }
    let late = correct(&world, citizen, correction(&order, |_| {})).await;
    assert_eq!(reason(late).1, "ADDRESS_NOT_ASKED");
    assert_eq!(exceptions(&world, agent).await.len(), 2);
    let waiting = pb::ListParcelsRequest {
        office_id: OFFICE.to_string(),
        waiting_only: true,
        ..Default::default()
    };
    let waiting = world.office().list_parcels(world.staff(agent, waiting)).await;
    assert!(
        waiting.unwrap().into_inner().parcels.is_empty(),
        "nothing is to be posted"
    );
    let refunds: Vec<String> = {
        let payables = world.peers.payables.lock().unwrap();
        let refunds = payables[&order.order_id].refunds.iter();
        refunds.map(|refund| refund.reason_code.clone()).collect()
    };
    assert_eq!(refunds, ["LINE_ADDRESS_REFUSED"; 2]);
    for line in &order.lines {
        world.give_back(&order, line).await;
    }
    assert_eq!(world.get(citizen, &order).await.state(), pb::OrderState::Refunded);
    assert_eq!(exceptions(&world, agent).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_address_of_the_office_is_the_office_s_to_mend() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let mut own = profile(OFFICE);
    let code = own.address.as_ref().unwrap().postal_code.clone();
    let mut request = order_request(vec![line("1")]);
    request.address.as_mut().unwrap().postal_code = "20000".to_owned();
    let order = world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await;
    let order = order.unwrap().into_inner().order.unwrap();
    world.peers.unknown_codes.lock().unwrap().push(code);
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    let order = world.get(citizen, &order).await;
    assert_eq!(order.progress_code, "WAITING_FOR_POSTAL_SERVICE");
    assert_eq!(order.parcels[0].exception_code, "");

    own.address.as_mut().unwrap().postal_code = "20000".to_owned();
    let administrator = world.official_at(OFFICE, "administrator");
    let request = pb::SetOfficeProfileRequest {
        request_id: request_id(),
        profile: Some(own),
    };
    world
        .administration()
        .set_office_profile(world.staff(administrator, request))
        .await
        .unwrap();
    world.after(TimeDelta::minutes(1)).await;
    assert_eq!(world.get(citizen, &order).await.progress_code, "WAITING_FOR_POST");
}

#[tokio::test]
async fn a_refusal_of_more_than_the_address_is_not_put_to_the_citizen() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let name = "addressee.name.latin".to_owned();
    world.peers.refused_fields.lock().unwrap().push(name);
    let order = refused(&world, citizen, agent).await;
    assert_eq!(order.state(), pb::OrderState::InProgress);
    assert_eq!(order.progress_code, "WAITING_FOR_POSTAL_SERVICE");
    assert_eq!(order.parcels[0].exception_code, "");
    let not_asked = correct(&world, citizen, correction(&order, |_| {})).await;
    assert_eq!(reason(not_asked).1, "ADDRESS_NOT_ASKED");

    world.peers.refused_fields.lock().unwrap().clear();
    world.after(TimeDelta::minutes(1)).await;
    assert_eq!(
        world.get(citizen, &order).await.progress_code,
        "WAITING_FOR_ADDRESS"
    );
}
