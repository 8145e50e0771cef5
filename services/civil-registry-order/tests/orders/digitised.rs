//! Documents drawn from digitised acts: prepared, sealed at signature, withdrawn, signed by hand.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use tokio_stream::StreamExt;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::act_service_client::ActServiceClient;

use crate::harness::{OFFICE, Person, World, date, line, profile, reason, request_id};

fn text(arabic: &str, latin: &str) -> Option<pb::BilingualText> {
    Some(pb::BilingualText {
        arabic: arabic.to_owned(),
        latin: latin.to_owned(),
    })
}

fn content() -> pb::ActContent {
    pb::ActContent {
        origin: pb::ActOrigin::Declaration.into(),
        hijri_year: 1410,
        given_name: text("أمينة", "Amina"),
        family_name: text("الإدريسي", "El Idrissi"),
        sex: pb::Sex::Female.into(),
        nationality: text("مغربية", "marocaine"),
        birth_date: Some(pb::WrittenDate {
            gregorian: Some(date(1990, 3, 15)),
            hijri_latin: "dix-sept chaabane mil quatre cent dix".to_owned(),
            gregorian_latin: "quinze mars mil neuf cent quatre-vingt-dix".to_owned(),
            ..Default::default()
        }),
        birth_place: text("الرباط", "Rabat"),
        hour: -1,
        minute: -1,
        father: Some(pb::ActParent {
            given_name: text("أحمد", "Ahmed"),
            family_name: text("الإدريسي", "El Idrissi"),
            ..Default::default()
        }),
        mother: Some(pb::ActParent {
            given_name: text("فاطمة", "Fatima"),
            family_name: text("العلوي", "Alaoui"),
            ..Default::default()
        }),
        declarant: Some(pb::ActDeclarant {
            name: text("أحمد الإدريسي", "Ahmed El Idrissi"),
            ..Default::default()
        }),
        drawn_up: Some(pb::WrittenDate {
            gregorian: Some(date(1990, 3, 18)),
            ..Default::default()
        }),
        officer: text("محمد التازي", "Mohammed Tazi"),
        ..Default::default()
    }
}

/// Two people key the act of 1990 with this number, in a register without parts.
pub(crate) async fn digitise(world: &World, number: &str) {
    digitise_in(world, "", number).await;
}

/// As [`digitise`], in a part of the register.
pub(crate) async fn digitise_in(world: &World, part: &str, number: &str) {
    key_twice(world, &act_to_key(part, number)).await;
}

/// Two people key this act.
pub(crate) async fn key_twice(world: &World, act: &pb::KeyActRequest) {
    let mut acts = ActServiceClient::new(world.channel("gateway"));
    for _ in 0..2 {
        let request = pb::KeyActRequest {
            request_id: request_id(),
            ..act.clone()
        };
        Box::pin(acts.key_act(world.staff(world.agent(), request)))
            .await
            .unwrap();
    }
}

/// The sample under a key of 1990.
pub(crate) fn act_to_key(part: &str, number: &str) -> pb::KeyActRequest {
    pb::KeyActRequest {
        request_id: request_id(),
        key: Some(pb::ActKey {
            office_id: OFFICE.to_string(),
            kind: pb::RegisterKind::Birth.into(),
            year: 1990,
            part: part.to_owned(),
            number: number.to_owned(),
        }),
        content: Some(content()),
        ..Default::default()
    }
}

pub(crate) async fn prepare(
    world: &World,
    officer: Person,
    line: &pb::OrderLine,
) -> pb::PrepareDocumentsResponse {
    let request = pb::PrepareDocumentsRequest {
        request_id: request_id(),
        line_ids: vec![line.line_id.clone()],
    };
    let answer = world
        .office()
        .prepare_documents(world.staff(officer, request))
        .await
        .unwrap();
    world.drive().await;
    answer.into_inner()
}

pub(crate) async fn prepared(world: &World, officer: Person) -> Vec<pb::PreparedDocument> {
    let request = pb::ListPreparedDocumentsRequest {
        office_id: OFFICE.to_string(),
        ..Default::default()
    };
    let answer = world
        .office()
        .list_prepared_documents(world.staff(officer, request))
        .await;
    answer.unwrap().into_inner().documents
}

#[tokio::test]
async fn a_digitised_act_is_drawn_sealed_and_downloaded() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    assert_eq!(order.lines[0].entitlement_proof(), pb::EntitlementProof::Acts);
    world.pay(&order).await;
    let line = &order.lines[0];
    let answer = prepare(&world, officer, line).await;
    assert_eq!(answer.problems.len(), 0);
    let waiting = prepared(&world, officer).await;
    assert_eq!(waiting[0].progress_code, "WAITING_FOR_SEAL");
    assert_eq!(
        (waiting[0].digest.len(), waiting[0].seal_mode.as_str()),
        (32, "OFFICER_KEY")
    );
    let by_hand = world.produce(officer, officer, line).await;
    assert_eq!(reason(by_hand).1, "DOCUMENT_PREPARED");

    let sealed = world.seal(&line.line_id).await;
    world.deliver(&sealed).await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].state(), pb::LineState::Produced);
    assert!(order.lines[0].document_available);
    assert_eq!(order.parcels.len(), 1);
    let request = pb::DownloadDocumentRequest {
        order_id: order.order_id.clone(),
        line_id: line.line_id.clone(),
    };
    let answer = world
        .orders()
        .download_document(world.as_citizen(citizen, request))
        .await
        .unwrap();
    let parts: Vec<_> = answer.into_inner().collect().await;
    let file: Vec<u8> = parts.into_iter().flat_map(|part| part.unwrap().chunk).collect();
    assert!(file.starts_with(b"%PDF-"));
    let expected = [
        "OrderPlaced",
        "OrderPaid",
        "LinesTaken",
        "LineDocumentPrepared",
        "LineProduced",
        "ParcelReady",
    ];
    assert_eq!(world.events(&order).await, expected);
}

#[tokio::test]
async fn a_seal_that_is_heard_before_signature_s_own_answer_counts() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    world.peers.signature_down.store(true, Ordering::SeqCst);
    prepare(&world, officer, &order.lines[0]).await;
    assert_eq!(
        prepared(&world, officer).await[0].progress_code,
        "WAITING_FOR_SIGNATURE_SERVICE"
    );
    world.peers.signature_down.store(false, Ordering::SeqCst);
    world.after(TimeDelta::minutes(6)).await;
    assert_eq!(
        prepared(&world, officer).await[0].progress_code,
        "WAITING_FOR_SEAL"
    );
    world.seal(&order.lines[0].line_id).await;
    assert_eq!(
        world.get(citizen, &order).await.lines[0].state(),
        pb::LineState::Produced
    );
}

#[tokio::test]
async fn a_refusal_takes_the_document_back_first_and_a_seal_that_was_faster_wins() {
    let world = World::start().await;
    digitise(&world, "12").await;
    digitise(&world, "13").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("12"), line("13")]).await;
    world.pay(&order).await;
    for line in &order.lines {
        prepare(&world, officer, line).await;
    }
    let sealed = &order.lines[1].line_id;
    world
        .peers
        .documents
        .lock()
        .unwrap()
        .get_mut(sealed)
        .unwrap()
        .set_state(wathiq_proto::wathiq::signature::v1::IssuedDocumentState::Sealed);
    for line in &order.lines {
        let refuse = pb::RefuseLineRequest {
            request_id: request_id(),
            line_id: line.line_id.clone(),
            reason_code: "ACT_UNDER_CORRECTION".to_owned(),
            text: String::new(),
        };
        let answer = world
            .office()
            .refuse_line(world.staff(officer, refuse))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(answer.entry.unwrap().line.unwrap().progress_code, "WITHDRAWING");
    }
    world.drive().await;
    let order = world.get(citizen, &order).await;
    assert_eq!(order.lines[0].state(), pb::LineState::Refunding);
    assert_eq!(order.lines[1].state(), pb::LineState::InProduction);
    world.seal(sealed).await;
    assert_eq!(
        world.get(citizen, &order).await.lines[1].state(),
        pb::LineState::Produced
    );
}

#[tokio::test]
async fn an_office_without_a_key_prints_and_signs_by_hand() {
    let world = World::start().await;
    digitise(&world, "12").await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let administrator = world.official_at(OFFICE, "administrator");
    let request = pb::SetOfficeProfileRequest {
        request_id: request_id(),
        profile: Some(pb::OfficeProfile {
            signs_by_hand: true,
            ..profile(OFFICE)
        }),
    };
    world
        .administration()
        .set_office_profile(world.staff(administrator, request))
        .await
        .unwrap();
    let order = world.place(citizen, vec![line("12")]).await;
    world.pay(&order).await;
    prepare(&world, officer, &order.lines[0]).await;
    assert_eq!(
        prepared(&world, officer).await[0].progress_code,
        "WAITING_FOR_SIGNATURE_BY_HAND"
    );
    let request = pb::DownloadLineDocumentRequest {
        line_id: order.lines[0].line_id.clone(),
    };
    let mut parts = world
        .office()
        .download_line_document(world.staff(officer, request))
        .await
        .unwrap()
        .into_inner();
    assert!(parts.message().await.unwrap().unwrap().total_bytes > 10_000);
    world.produce(officer, officer, &order.lines[0]).await.unwrap();
    assert_eq!(
        world.get(citizen, &order).await.lines[0].state(),
        pb::LineState::Produced
    );
}

#[tokio::test]
async fn an_act_that_is_not_digitised_is_named_as_such() {
    let world = World::start().await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let order = world.place(citizen, vec![line("99")]).await;
    world.pay(&order).await;
    let answer = prepare(&world, officer, &order.lines[0]).await;
    assert_eq!(answer.problems[0].reason, "ACT_NOT_DIGITISED");
    let agent = world.agent();
    let request = pb::PrepareDocumentsRequest {
        request_id: request_id(),
        line_ids: vec![order.lines[0].line_id.clone()],
    };
    let answer = world
        .office()
        .prepare_documents(world.staff(agent, request))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().problems[0].reason, "ROLE_MISSING");
}
