//! Documents that do not say any more what they should are drawn anew; lines follow their register.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::act_service_client::ActServiceClient;
use wathiq_proto::wathiq::signature::v1::IssuedDocumentState;

use crate::digitised::{digitise, prepare, prepared};
use crate::harness::{OFFICE, OTHER, World, date, line, request_id};

async fn note_of_marriage(world: &World, act_id: &str) {
    let request = pb::AddMarginalNoteRequest {
        request_id: request_id(),
        act_id: act_id.to_owned(),
        note: Some(pb::MarginalNote {
            date: Some(date(2015, 6, 1)),
            kind: "marriage".to_owned(),
            text: Some(pb::BilingualText {
                arabic: String::new(),
                latin: "Mariée le 30 mai 2015 avec Karim Benali".to_owned(),
            }),
            ..Default::default()
        }),
    };
    let mut acts = ActServiceClient::new(world.channel("gateway"));
    acts.add_marginal_note(world.staff(world.officer(), request))
        .await
        .unwrap();
    world.drive().await;
}

async fn act_of(world: &World, line: &pb::OrderLine) -> String {
    let mut conn = world.database.connect().await;
    let id: uuid::Uuid = sqlx::query_scalar("SELECT act_id FROM order_line WHERE id = $1::uuid")
        .bind(uuid::Uuid::try_parse(&line.line_id).unwrap())
        .fetch_one(&mut conn)
        .await
        .unwrap();
    id.to_string()
}

#[tokio::test]
async fn a_note_after_the_drawing_has_the_document_drawn_anew() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    prepare(&world, officer, &order.lines[0]).await;
    let before = prepared(&world, officer).await.remove(0);
    let drawn = world.peers.files.lock().unwrap()[&before.issued_document_id].clone();
    note_of_marriage(&world, &act_of(&world, &order.lines[0]).await).await;
    let after = prepared(&world, officer).await.remove(0);
    assert_eq!(after.progress_code, "WAITING_FOR_SEAL");
    assert_ne!(after.issued_document_id, before.issued_document_id);
    let redrawn = world.peers.files.lock().unwrap()[&after.issued_document_id].clone();
    assert_ne!(redrawn, drawn);
    world.seal(&order.lines[0].line_id).await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].state(), pb::LineState::Produced);
}

#[tokio::test]
async fn a_seal_that_was_faster_than_the_note_stays() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    let line = &order.lines[0];
    prepare(&world, officer, line).await;
    let before = prepared(&world, officer).await.remove(0);
    let act_id = act_of(&world, line).await;
    if let Some(document) = world.peers.documents.lock().unwrap().get_mut(&line.line_id) {
        document.set_state(IssuedDocumentState::Sealed);
    }
    note_of_marriage(&world, &act_id).await;
    let after = prepared(&world, officer).await.remove(0);
    assert_eq!(after.issued_document_id, before.issued_document_id);
    world.seal(&line.line_id).await;
    assert_eq!(
        world.get(citizen, &order).await.lines[0].state(),
        pb::LineState::Produced
    );
}

#[tokio::test]
async fn the_officer_who_prepares_is_the_one_to_seal_and_another_may_take_over() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer, other) = (world.citizen(), world.officer(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    let line = &order.lines[0];
    let named = || world.peers.signing_officers.lock().unwrap()[&line.line_id].clone();
    prepare(&world, officer, line).await;
    assert_eq!(named(), officer.0.to_string());
    assert_eq!(
        prepare(&world, officer, line).await.problems[0].reason,
        "LINE_STATE"
    );
    assert_eq!(prepare(&world, other, line).await.problems.len(), 0);
    assert_eq!(named(), other.0.to_string());
    world.seal(&line.line_id).await;
    let mut conn = world.database.connect().await;
    let signed_by: uuid::Uuid = sqlx::query_scalar("SELECT signed_by FROM order_line WHERE id = $1")
        .bind(uuid::Uuid::try_parse(&line.line_id).unwrap())
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(signed_by, other.0);
}

#[tokio::test]
async fn a_note_that_leaves_open_what_it_changes_is_not_drawn_over() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    let mut conn = world.database.connect().await;
    let act_id = uuid::Uuid::try_parse(&act_of(&world, &order.lines[0]).await).unwrap();
    // As an import of earlier days may have left it.
    sqlx::query(
        "INSERT INTO act_note (id, act_id, ordinal, noted_on, kind, text_arabic, text_latin, changes_extract, changes, author_id, created_at)
         VALUES (gen_random_uuid(), $1, 1, '2001-02-03', 'judgment', '', 'Nom rectifié', true, '[]', NULL, now())",
    )
    .bind(act_id)
    .execute(&mut conn)
    .await
    .unwrap();
    let refused = prepare(&world, officer, &order.lines[0]).await;
    assert_eq!(refused.problems[0].reason, "NOTE_WITHOUT_CHANGES");
}

#[tokio::test]
async fn lines_that_wait_follow_their_register_and_what_is_made_stays_where_its_paper_is() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, agent, officer) = (world.citizen(), world.agent(), world.officer());
    let made = world.place(citizen, vec![line("15")]).await;
    world.pay(&made).await;
    world.batch_sheet(agent, &[&made.lines[0]]).await;
    world.produce(agent, officer, &made.lines[0]).await.unwrap();
    let order = world
        .place(citizen, vec![line("12"), line("13"), line("14")])
        .await;
    world.pay(&order).await;
    prepare(&world, officer, &order.lines[0]).await;
    world.batch_sheet(agent, &[&order.lines[2]]).await;
    let request = pb::SetRegisterCustodyRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        kind: pb::RegisterKind::Birth.into(),
        from_year: 1980,
        to_year: 1999,
        held_by_office_id: OTHER.to_string(),
        valid_from: Some(date(2026, 11, 23)),
    };
    let mut administration = world.administration();
    administration
        .set_register_custody(world.platform(request))
        .await
        .unwrap();
    let order = world.get(citizen, &order).await;
    assert_eq!(
        order.lines[0].office_id,
        OFFICE.to_string(),
        "what is being made stays"
    );
    assert_eq!(order.lines[1].office_id, OTHER.to_string());
    assert_eq!(order.lines[2].office_id, OFFICE.to_string(), "it is on a sheet");
    // Where the paper lies it is packed and handed over, though others of the order are made elsewhere.
    world.seal(&order.lines[0].line_id).await;
    world.produce(agent, officer, &order.lines[2]).await.unwrap();
    let order = world.get(citizen, &order).await;
    let parcel = &order.parcels[0];
    assert_eq!(
        (parcel.office_id.as_str(), parcel.line_ids.len()),
        (OFFICE.to_string().as_str(), 2)
    );
    let made = world.get(citizen, &made).await;
    assert_eq!(made.lines[0].office_id, OFFICE.to_string());
    let request = pb::HandOverParcelsRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        tracking_numbers: vec![
            parcel.tracking_number.clone(),
            made.parcels[0].tracking_number.clone(),
        ],
    };
    let answer = world
        .office()
        .hand_over_parcels(world.staff(agent, request))
        .await;
    assert_eq!(answer.unwrap().into_inner().parcels.len(), 2);
    // What goes back to waiting follows.
    let asked = world.place(citizen, vec![line("16")]).await;
    assert_eq!(asked.lines[0].office_id, OTHER.to_string());
}
