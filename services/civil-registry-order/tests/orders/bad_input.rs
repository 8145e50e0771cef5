//! What cannot be: a clear reason each, everything at once, nothing kept.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{
    CLOSED, OFFICE, World, date, line, name, order_request, pdf, reason, request_id, violations,
};

type Change = fn(&mut pb::PlaceOrderRequest);

fn act(request: &mut pb::PlaceOrderRequest) -> &mut pb::ActClue {
    request.lines[0].act.get_or_insert_default()
}

#[tokio::test]
async fn each_wrong_field_has_its_own_reason() {
    let world = World::start().await;
    let citizen = world.citizen();
    let cases: [(Change, &str, &str); 17] = [
        (
            |order| act(order).year = 2031,
            "lines[0].act.year",
            "ACT_REFERENCE_IMPOSSIBLE",
        ),
        (
            |order| act(order).number = "0".into(),
            "lines[0].act.number",
            "ACT_REFERENCE_IMPOSSIBLE",
        ),
        (
            |order| act(order).person = None,
            "lines[0].act",
            "ACT_REFERENCE_INCOMPLETE",
        ),
        (
            |order| act(order).birth_date = None,
            "lines[0].act",
            "ACT_REFERENCE_INCOMPLETE",
        ),
        (
            |order| act(order).office_id = CLOSED.to_string(),
            "lines[0].act.office_id",
            "OFFICE_NOT_OPEN",
        ),
        (
            |order| act(order).office_id = uuid::Uuid::nil().to_string(),
            "lines[0].act.office_id",
            "OFFICE_UNKNOWN",
        ),
        (
            |order| act(order).person = Some(name("Youssef", "Benali")),
            "lines[0].relation",
            "NOT_ENTITLED",
        ),
        (
            |order| act(order).birth_date = Some(date(1989, 3, 15)),
            "lines[0].relation",
            "NOT_ENTITLED",
        ),
        (
            |order| order.lines[0].set_relation(pb::Relation::Spouse),
            "lines[0].evidence_ids",
            "EVIDENCE_REQUIRED",
        ),
        (
            |order| order.lines[0].evidence_ids = vec!["x".into()],
            "lines[0].evidence_ids[0]",
            "EVIDENCE_UNKNOWN",
        ),
        (
            |order| order.lines[0].copies = 11,
            "lines[0].copies",
            "OUT_OF_RANGE",
        ),
        (
            |order| order.lines[0].document_kind = "marriage".into(),
            "lines[0].document_kind",
            "DOCUMENT_KIND_UNKNOWN",
        ),
        (
            |order| order.lines[0].language = 0,
            "lines[0].language",
            "LANGUAGE_NOT_OFFERED",
        ),
        (
            |order| order.addressee = Some(name("Youssef", "Benali")),
            "addressee",
            "ADDRESSEE_NOT_ENTITLED",
        ),
        (
            |order| order.address.get_or_insert_default().postal_code = "123".into(),
            "address.postal_code",
            "POSTAL_CODE",
        ),
        (
            |order| order.address.get_or_insert_default().street_latin.clear(),
            "address.street_latin",
            "ADDRESS_INCOMPLETE",
        ),
        (|order| order.lines.clear(), "lines", "OUT_OF_RANGE"),
    ];
    for (change, field, expected) in cases {
        let mut request = order_request(vec![line("1")]);
        change(&mut request);
        let refused = world
            .orders()
            .place_order(world.as_citizen(citizen, request))
            .await;
        let found = violations(refused);
        assert!(
            found.contains(&(field.to_owned(), expected.to_owned())),
            "{field} {expected}: {found:?}"
        );
    }
    assert!(
        world.peers.payables.lock().unwrap().is_empty(),
        "nothing was placed"
    );
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let world = World::start().await;
    let citizen = world.citizen();
    let mut request = order_request(vec![line("1"), line("2")]);
    act(&mut request).year = 1700;
    request.lines[1].copies = 0;
    request.addressee = None;
    request.address.get_or_insert_default().country_code = "XX".into();
    let found = violations(
        world
            .orders()
            .place_order(world.as_citizen(citizen, request))
            .await,
    );
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    for field in [
        "lines[0].act.year",
        "lines[1].copies",
        "addressee",
        "address.country_code",
    ] {
        assert!(fields.contains(&field), "{field}: {fields:?}");
    }
}

#[tokio::test]
async fn an_altered_amount_is_refused() {
    let world = World::start().await;
    let citizen = world.citizen();
    let mut request = order_request(vec![line("1")]);
    request.expected_total_centimes = 1;
    let refused = world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await;
    assert_eq!(
        reason(refused),
        (tonic::Code::FailedPrecondition, "PRICE_CHANGED".to_owned())
    );
}

#[tokio::test]
async fn a_guest_says_who_they_are_and_has_no_list() {
    let world = World::start().await;
    let guest = crate::harness::Person(uuid::Uuid::now_v7());
    world.identity.add_contact(guest.0);
    let mut request = order_request(vec![line("1")]);
    let nameless = world
        .orders()
        .place_order(world.as_guest(guest, request.clone()))
        .await;
    let fields: Vec<String> = violations(nameless).into_iter().map(|(field, _)| field).collect();
    for field in ["applicant", "applicant_birth_date", "applicant_identity_document"] {
        assert!(fields.iter().any(|found| found == field), "{field}: {fields:?}");
    }
    request.applicant = Some(name("Amina", "El Idrissi"));
    request.applicant_birth_date = Some(date(1990, 3, 15));
    request.applicant_identity_document = "AB123456".to_owned();
    let placed = world
        .orders()
        .place_order(world.as_guest(guest, request))
        .await
        .unwrap();
    assert_eq!(
        placed.into_inner().order.unwrap().state(),
        pb::OrderState::AwaitingPayment
    );
    let refused = world
        .orders()
        .list_orders(world.as_guest(guest, pb::ListOrdersRequest::default()))
        .await;
    assert_eq!(reason(refused).1, "WRONG_SURFACE");
}

#[tokio::test]
async fn a_barcode_of_another_office_or_of_nobody_is_not_found() {
    let world = World::start().await;
    let (citizen, officer) = (world.citizen(), world.officer());
    let stranger = world.official_at(crate::harness::OTHER, "agent");
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    let refused = world.produce(stranger, officer, &order.lines[0]).await;
    assert_eq!(refused.err().unwrap().code(), tonic::Code::NotFound);
    let agent = world.agent();
    let scan = |text: &str| pb::RecordProductionRequest {
        request_id: request_id(),
        line_reference: text.to_owned(),
        officer_person_id: officer.0.to_string(),
        looked_by_person_id: String::new(),
    };
    let refused = world
        .office()
        .record_production(world.staff(agent, scan("2222-2222-22-1")))
        .await;
    assert_eq!(refused.err().unwrap().code(), tonic::Code::NotFound);
    let refused = world
        .office()
        .record_production(world.staff(agent, scan("2222-2222-23-1")))
        .await;
    assert_eq!(violations(refused)[0].1, "REFERENCE_CHECK");
}

#[tokio::test]
async fn a_file_is_what_its_structure_says() {
    let world = World::start().await;
    let citizen = world.citizen();
    let upload = |file: Vec<u8>| {
        use pb::upload_evidence_request::Part;
        let header = pb::EvidenceHeader {
            request_id: request_id(),
            file_name: "C:\\scans\\procuration.pdf".to_owned(),
            kind: "power-of-attorney".to_owned(),
        };
        let parts = vec![Part::Header(header), Part::Chunk(file)];
        tokio_stream::iter(
            parts
                .into_iter()
                .map(|part| pb::UploadEvidenceRequest { part: Some(part) }),
        )
    };
    for nothing in [
        &b"MZ.."[..],
        b"%PDF-1.7",
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
    ] {
        let refused = world
            .orders()
            .upload_evidence(world.as_citizen(citizen, upload(nothing.to_vec())))
            .await;
        assert_eq!(violations(refused)[0].1, "FILE_TYPE", "{nothing:?}");
    }
    let kept = world
        .orders()
        .upload_evidence(world.as_citizen(citizen, upload(pdf())))
        .await;
    let evidence_id = kept.unwrap().into_inner().evidence_id;
    let mut request = order_request(vec![line("1")]);
    request.lines[0].set_relation(pb::Relation::Mandataire);
    request.lines[0].evidence_ids = vec![evidence_id.clone()];
    let stranger = world.citizen();
    let refused = world
        .orders()
        .place_order(world.as_citizen(stranger, request.clone()))
        .await;
    assert_eq!(violations(refused)[0].1, "EVIDENCE_UNKNOWN");
    let order = world
        .orders()
        .place_order(world.as_citizen(citizen, request))
        .await
        .unwrap();
    let order = order.into_inner().order.unwrap();
    assert_eq!(order.lines[0].entitlement_proof(), pb::EntitlementProof::Evidence);
    let look = pb::DownloadEvidenceRequest {
        line_id: order.lines[0].line_id.clone(),
        evidence_id,
    };
    let agent = world.agent();
    let mut parts = world
        .office()
        .download_evidence(world.staff(agent, look))
        .await
        .unwrap()
        .into_inner();
    let first = parts.message().await.unwrap().unwrap();
    assert_eq!(
        (first.file_name.as_str(), first.content_type.as_str()),
        ("procuration.pdf", "application/pdf")
    );
    assert_eq!(OFFICE.to_string(), order.lines[0].office_id);
}
