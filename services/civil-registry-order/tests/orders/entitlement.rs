//! Whose act is drawn for whom: nothing is made or handed out before person and relation are known.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::digitised::{act_to_key, digitise, key_twice, prepare};
use crate::harness::{OFFICE, Person, World, date, line, name, order_request, reason, request_id};

/// Another person's act under this number.
async fn digitise_stranger(world: &World, number: &str) {
    let mut act = act_to_key("", number);
    let content = act.content.get_or_insert_default();
    content.given_name = Some(pb::BilingualText {
        arabic: "كريم".to_owned(),
        latin: "Karim".to_owned(),
    });
    content.sex = pb::Sex::Male.into();
    key_twice(world, &act).await;
}

async fn shown(world: &World, staff: Person, line: &pb::OrderLine) -> pb::GetLineResponse {
    let request = pb::GetLineRequest {
        key: Some(pb::get_line_request::Key::LineId(line.line_id.clone())),
    };
    let answer = world.office().get_line(world.staff(staff, request)).await;
    answer.unwrap().into_inner()
}

async fn link(world: &World, staff: Person, line: &pb::OrderLine, act_id: &str, note: &str) -> pb::OrderLine {
    let request = pb::LinkActRequest {
        request_id: request_id(),
        line_id: line.line_id.clone(),
        act_id: act_id.to_owned(),
        confirms_differences: !note.is_empty(),
        note: note.to_owned(),
    };
    let answer = world.office().link_act(world.staff(staff, request)).await;
    answer.unwrap().into_inner().entry.unwrap().line.unwrap()
}

async fn check(world: &World, staff: Person, line: &pb::OrderLine) {
    let request = pb::CheckEntitlementRequest {
        request_id: request_id(),
        line_id: line.line_id.clone(),
        note: "livret de famille".to_owned(),
    };
    let answer = world
        .office()
        .check_entitlement(world.staff(staff, request))
        .await;
    answer.unwrap();
}

async fn queue(world: &World, staff: Person, path: &str) -> Vec<String> {
    let request = pb::ListQueueRequest {
        page_size: 100,
        office_id: OFFICE.to_string(),
        path: path.to_owned(),
        ..Default::default()
    };
    let answer = world.office().list_queue(world.staff(staff, request)).await;
    let entries = answer.unwrap().into_inner().entries.into_iter();
    entries.map(|entry| entry.line.unwrap().line_id).collect()
}

#[tokio::test]
async fn a_line_with_a_digitised_act_is_on_the_digitised_path_from_the_start() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = world.place(citizen, vec![line("12"), line("99")]).await;
    world.pay(&order).await;
    let (digitised, paper) = (&order.lines[0], &order.lines[1]);
    assert_eq!(
        queue(&world, agent, "DIGITISED").await,
        std::slice::from_ref(&digitised.line_id)
    );
    assert_eq!(
        queue(&world, agent, "PAPER").await,
        std::slice::from_ref(&paper.line_id)
    );
    let entry = shown(&world, agent, digitised).await.entry.unwrap();
    assert!(!entry.act_id.is_empty());
    assert_eq!(entry.path, "DIGITISED");
    // A sheet of whatever waits leaves it out.
    let sheet = world.batch_sheet(agent, &[]).await;
    assert_eq!(sheet.line_ids, std::slice::from_ref(&paper.line_id));
}

#[tokio::test]
async fn a_stranger_s_act_is_not_drawn_until_an_official_confirms_it() {
    let world = World::start().await;
    digitise_stranger(&world, "12").await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    let line = &order.lines[0];
    assert_eq!(line.entitlement_proof(), pb::EntitlementProof::Declared);
    world.pay(&order).await;
    let refused = prepare(&world, officer, line).await;
    assert_eq!(refused.problems[0].reason, "ENTITLEMENT_NOT_CHECKED");
    check(&world, agent, line).await;
    let refused = prepare(&world, officer, line).await;
    assert_eq!(refused.problems[0].reason, "ACT_NOT_CONFIRMED");

    let candidate = shown(&world, agent, line).await.candidates.remove(0);
    assert_eq!(candidate.differences, ["given_name"]);
    assert!(candidate.similarity < 1.0);
    // Naming it again is no decision.
    link(&world, agent, line, &candidate.act_id, "").await;
    let refused = prepare(&world, officer, line).await;
    assert_eq!(refused.problems[0].reason, "ACT_NOT_CONFIRMED");
    link(&world, agent, line, &candidate.act_id, "jugement rectificatif vu").await;
    assert_eq!(prepare(&world, officer, line).await.problems.len(), 0);
    let mut conn = world.database.connect().await;
    let recorded: (String, serde_json::Value) =
        sqlx::query_as("SELECT action, details FROM audit WHERE action = 'line.confirm_act'")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    assert_eq!(recorded.1["differences"], serde_json::json!(["given_name"]));
    assert_eq!(recorded.1["note"], "jugement rectificatif vu");
}

#[tokio::test]
async fn a_confirmation_needs_its_reason() {
    let world = World::start().await;
    digitise_stranger(&world, "12").await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    let act_id = shown(&world, agent, &order.lines[0]).await.candidates[0]
        .act_id
        .clone();
    let request = pb::LinkActRequest {
        request_id: request_id(),
        line_id: order.lines[0].line_id.clone(),
        act_id,
        confirms_differences: true,
        note: " ".to_owned(),
    };
    let refused = world.office().link_act(world.staff(agent, request)).await;
    assert_eq!(
        crate::harness::violations(refused),
        [("note".to_owned(), "REQUIRED".to_owned())]
    );
}

#[tokio::test]
async fn paper_for_somebody_else_is_made_once_the_relation_was_checked() {
    let world = World::start().await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let evidence = crate::evidence::upload(&world, citizen, request_id()).await;
    let mut request = order_request(vec![line("1")]);
    request.lines[0].set_relation(pb::Relation::Mandataire);
    request.lines[0].evidence_ids = vec![evidence];
    let placed = world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await;
    let order = placed.unwrap().into_inner().order.unwrap();
    world.pay(&order).await;
    world.batch_sheet(agent, &[&order.lines[0]]).await;
    let refused = world.produce(agent, officer, &order.lines[0]).await;
    assert_eq!(reason(refused).1, "ENTITLEMENT_NOT_CHECKED");
    assert!(world.get(citizen, &order).await.parcels.is_empty());
    check(&world, agent, &order.lines[0]).await;
    world.produce(agent, officer, &order.lines[0]).await.unwrap();
    assert_eq!(world.get(citizen, &order).await.parcels.len(), 1);
}

#[tokio::test]
async fn a_guest_gets_the_paper_and_no_file() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (agent, officer) = (world.agent(), world.officer());
    let guest = Person(uuid::Uuid::now_v7());
    world.identity.add_contact(guest.0);
    let mut request = order_request(vec![line("12")]);
    request.applicant = Some(name("Amina", "El Idrissi"));
    request.applicant_birth_date = Some(date(1990, 3, 15));
    request.applicant_identity_document = "AB123456".to_owned();
    let placed = world.orders().place_order(world.as_guest(guest, request)).await;
    let order = placed.unwrap().into_inner().order.unwrap();
    let line = &order.lines[0];
    // Name and birth date agree with the act; that they are the guest's own is only said.
    assert_eq!(line.entitlement_proof(), pb::EntitlementProof::Declared);
    world.pay(&order).await;
    check(&world, agent, line).await;
    assert_eq!(prepare(&world, officer, line).await.problems.len(), 0);
    world.seal(&line.line_id).await;
    let request = pb::DownloadDocumentRequest {
        order_id: order.order_id.clone(),
        line_id: line.line_id.clone(),
    };
    let refused = world
        .orders()
        .download_document(world.as_guest(guest, request))
        .await;
    assert_eq!(reason(refused).1, "DOCUMENT_BY_POST");
    let request = pb::GetOrderRequest {
        key: Some(pb::get_order_request::Key::OrderId(order.order_id.clone())),
    };
    let shown = world.orders().get_order(world.as_guest(guest, request)).await;
    let shown = shown.unwrap().into_inner().order.unwrap();
    assert_eq!(shown.lines[0].state(), pb::LineState::Produced);
    assert!(!shown.lines[0].document_available);
}

#[tokio::test]
async fn what_was_refunded_is_not_handed_out() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    prepare(&world, officer, &order.lines[0]).await;
    world.seal(&order.lines[0].line_id).await;
    let order = world.get(citizen, &order).await;
    let download = || pb::DownloadDocumentRequest {
        order_id: order.order_id.clone(),
        line_id: order.lines[0].line_id.clone(),
    };
    let given = world
        .orders()
        .download_document(world.as_citizen(citizen, download()))
        .await;
    assert!(given.is_ok());
    let hand_over = pb::HandOverParcelsRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        tracking_numbers: vec![order.parcels[0].tracking_number.clone()],
    };
    world
        .office()
        .hand_over_parcels(world.staff(officer, hand_over))
        .await
        .unwrap();
    let lost = wathiq_proto::wathiq::postal_shipping::v1::ShipmentState::Lost;
    world.track(&order.parcels[0], 5, lost).await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].state(), pb::LineState::Refunding);
    assert!(!order.lines[0].document_available);
    let refused = world
        .orders()
        .download_document(world.as_citizen(citizen, download()))
        .await;
    assert_eq!(reason(refused).1, "DOCUMENT_NOT_GIVEN");
}

#[tokio::test]
async fn a_correction_keeps_the_addressee_to_who_is_entitled() {
    let world = World::start().await;
    let (citizen, agent) = (world.citizen(), world.agent());
    let evidence = crate::evidence::upload(&world, citizen, request_id()).await;
    let mut request = order_request(vec![line("1")]);
    request.lines[0].set_relation(pb::Relation::Mandataire);
    request.lines[0].evidence_ids = vec![evidence];
    let person = name("Karim", "Benali");
    request.lines[0].act.get_or_insert_default().person = Some(person.clone());
    request.addressee = Some(person);
    let placed = world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await;
    let order = placed.unwrap().into_inner().order.unwrap();
    world.pay(&order).await;
    let ask = pb::RequestCorrectionRequest {
        request_id: request_id(),
        line_id: order.lines[0].line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    world
        .office()
        .request_correction(world.staff(agent, ask))
        .await
        .unwrap();
    let mut act = line("2").act.unwrap();
    act.person = Some(name("Somebody", "Else"));
    let correct = pb::CorrectLineRequest {
        request_id: request_id(),
        order_id: order.order_id.clone(),
        line_id: order.lines[0].line_id.clone(),
        act: Some(act),
        evidence_ids: Vec::new(),
        etag: String::new(),
    };
    let refused = world
        .orders()
        .correct_line(world.as_citizen(citizen, correct))
        .await;
    assert_eq!(
        crate::harness::violations(refused),
        [("addressee".to_owned(), "ADDRESSEE_NOT_ENTITLED".to_owned())]
    );
}

#[tokio::test]
async fn an_act_that_is_digitised_after_the_order_proves_it() {
    let world = World::start().await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    assert_eq!(order.lines[0].entitlement_proof(), pb::EntitlementProof::Declared);
    world.pay(&order).await;
    digitise(&world, "12").await;
    assert_eq!(prepare(&world, officer, &order.lines[0]).await.problems.len(), 0);
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].entitlement_proof(), pb::EntitlementProof::Acts);
}
