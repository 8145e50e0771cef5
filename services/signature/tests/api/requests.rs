//! The citizen's side of a request.

use chrono::NaiveDate;
use tonic::Code;
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::pdf::{PdfConfig, Pool};

use crate::harness::{OFFICE, World, drawn, reason, request_id, standing, violations};
use crate::sample;

fn fault(field: &str, reason: &str) -> (String, String) {
    (field.to_owned(), reason.to_owned())
}

async fn create(
    world: &World,
    person: crate::harness::Person,
    change: impl FnOnce(&mut pb::CreateLegalisationRequestRequest),
) -> Result<pb::LegalisationRequest, tonic::Status> {
    let document = world.upload(person, &sample::plain(1)).await;
    let mut message = world.opening(&document);
    change(&mut message);
    let answer = world
        .legalisation()
        .create_legalisation_request(world.as_citizen(person, message))
        .await?;
    Ok(answer.into_inner().legalisation_request.unwrap())
}

fn mandatary() -> pb::Mandatary {
    pb::Mandatary {
        name_arabic: "كريم بناني".to_owned(),
        name_latin: "Karim Bennani".to_owned(),
        identity_document_number: "BE765432".to_owned(),
        address: "12, rue Tarik Ibn Ziad, Casablanca".to_owned(),
    }
}

#[tokio::test]
async fn from_draft_to_the_office() {
    let world = World::start().await;
    let citizen = world.citizen();
    let draft = world.drafted(citizen).await;
    assert_eq!(draft.state(), pb::LegalisationState::Draft);
    assert_eq!(draft.progress_code, "WAITING_FOR_PLACEMENT");
    assert!(draft.expire_time.is_some());
    let id = draft.legalisation_request_id.clone();
    let placed = world.try_place(citizen, &id, drawn()).await.unwrap();
    assert_eq!(placed.state(), pb::LegalisationState::SignaturePlaced);
    let rectangle = placed.placement.as_ref().unwrap().rectangle;
    assert_eq!(rectangle, drawn().rectangle);

    let confirmation_id = world.confirmation(citizen, &id).await;
    let submitted = world.try_confirm(citizen, &id, &confirmation_id).await.unwrap();
    assert_eq!(submitted.state(), pb::LegalisationState::Submitted);
    let receipt = submitted.receipt.clone().unwrap();
    assert_eq!(receipt.number, "ANF-CITE-AIR-2026-000001");
    // Monday 23 November 2026 and two working days.
    let expected = receipt.expected_date.unwrap();
    assert_eq!((expected.year, expected.month, expected.day), (2026, 11, 25));
    assert_eq!(submitted.expire_time, None);
    assert_eq!(world.try_get(citizen, &id).await.unwrap(), submitted);
    assert_eq!(world.identity.redemptions(), 1);

    let second = world.submitted(citizen).await;
    assert_eq!(second.receipt.unwrap().number, "ANF-CITE-AIR-2026-000002");
}

#[tokio::test]
async fn every_bad_field_is_named_at_once() {
    let world = World::start().await;
    let message = pb::CreateLegalisationRequestRequest {
        request_id: request_id(),
        document_id: "x".to_owned(),
        office_id: String::new(),
        mandatary: Some(pb::Mandatary {
            address: "a\u{202e}b".to_owned(),
            ..mandatary()
        }),
        destination: Some(pb::Destination {
            kind: pb::DestinationKind::Abroad.into(),
            ..pb::Destination::default()
        }),
        ..pb::CreateLegalisationRequestRequest::default()
    };
    let result = world
        .legalisation()
        .create_legalisation_request(world.as_citizen(world.citizen(), message))
        .await;
    assert_eq!(
        violations(result),
        [
            fault("document_id", "MALFORMED"),
            fault("office_id", "REQUIRED"),
            fault("document_kind", "REQUIRED"),
            fault("destination.name", "REQUIRED"),
            fault("mandatary.address", "UNPRINTABLE"),
            fault("capacity", "REQUIRED"),
        ]
    );
}

#[tokio::test]
async fn kinds_capacities_and_mandataries() {
    let world = World::start().await;
    let citizen = world.citizen();
    let unknown = create(&world, citizen, |message| {
        message.document_kind = "poem".to_owned();
    })
    .await;
    assert_eq!(
        violations(unknown),
        [fault("document_kind", "DOCUMENT_KIND_UNKNOWN")]
    );
    let real_estate = create(&world, citizen, |message| {
        message.document_kind = "procuration_real_estate".to_owned();
        message.mandatary = Some(mandatary());
    });
    assert_eq!(
        reason(real_estate.await),
        (Code::FailedPrecondition, "REAL_ESTATE_PROCURATION".to_owned())
    );
    let organisation = create(&world, citizen, |message| {
        message.set_capacity(pb::SigningCapacity::Organisation);
    })
    .await;
    assert_eq!(
        reason(organisation),
        (Code::FailedPrecondition, "ORGANISATIONS_NOT_ENROLLED".to_owned())
    );

    let nobody = create(&world, citizen, |message| {
        message.document_kind = "procuration".to_owned();
    })
    .await;
    assert_eq!(violations(nobody), [fault("mandatary", "REQUIRED")]);
    let somebody = create(&world, citizen, |message| message.mandatary = Some(mandatary())).await;
    assert_eq!(violations(somebody), [fault("mandatary", "NOT_ALLOWED")]);
    let procuration = create(&world, citizen, |message| {
        message.document_kind = "procuration".to_owned();
        message.mandatary = Some(mandatary());
    });
    assert_eq!(procuration.await.unwrap().mandatary, Some(mandatary()));
}

#[tokio::test]
async fn destinations_and_offices_are_asked_at_identity() {
    let world = World::start().await;
    let citizen = world.citizen();
    let (enrolled, past) = (Uuid::from_u128(0xad), Uuid::from_u128(0xae));
    world.identity.add_administration(enrolled, true);
    world.identity.add_administration(past, false);
    let to = |id: Uuid| pb::Destination {
        kind: pb::DestinationKind::EnrolledAdministration.into(),
        administration_id: id.to_string(),
        name: String::new(),
    };
    let request = create(&world, citizen, |message| {
        message.destination = Some(to(enrolled));
    })
    .await
    .unwrap();
    assert_eq!(request.destination.unwrap().name, "Ministère de la Justice");
    let ended = create(&world, citizen, |message| message.destination = Some(to(past))).await;
    assert_eq!(
        reason(ended),
        (Code::FailedPrecondition, "ADMINISTRATION_NOT_ENROLLED".to_owned())
    );
    let unknown = create(&world, citizen, |message| {
        message.destination = Some(to(Uuid::from_u128(9)));
    })
    .await;
    assert_eq!(
        violations(unknown),
        [fault("destination.administration_id", "ADMINISTRATION_UNKNOWN")]
    );

    let nowhere = create(&world, citizen, |message| {
        message.office_id = Uuid::from_u128(9).to_string();
    })
    .await;
    assert_eq!(violations(nowhere), [fault("office_id", "OFFICE_UNKNOWN")]);
    world.identity.set_down(true);
    let down = create(&world, citizen, |_| {}).await;
    assert_eq!(
        reason(down),
        (Code::Unavailable, "IDENTITY_UNAVAILABLE".to_owned())
    );
    world.identity.set_down(false);
    world
        .identity
        .close_office(OFFICE, NaiveDate::from_ymd_opt(2026, 11, 22).unwrap());
    let closed = create(&world, citizen, |_| {}).await;
    assert_eq!(
        reason(closed),
        (Code::FailedPrecondition, "OFFICE_NOT_OPEN".to_owned())
    );
    // The last day is included, and it is Casablanca's.
    world
        .identity
        .close_office(OFFICE, NaiveDate::from_ymd_opt(2026, 11, 23).unwrap());
    create(&world, citizen, |_| {}).await.unwrap();
}

#[tokio::test]
async fn a_placement_must_fit_the_page() {
    let world = World::start().await;
    let citizen = world.citizen();
    let id = world.drafted(citizen).await.legalisation_request_id;
    let at = |x, y, width, height| pb::Placement {
        rectangle: Some(pb::Rectangle { x, y, width, height }),
        ..standing()
    };
    let cases = [
        (
            at(500.0, 10.0, 96.0, 30.0),
            "placement.rectangle",
            "RECTANGLE_OUTSIDE_PAGE",
        ),
        (
            at(10.0, 10.0, 29.0, 30.0),
            "placement.rectangle",
            "RECTANGLE_TOO_SMALL",
        ),
        (
            at(0.0, 0.0, 595.0, 422.0),
            "placement.rectangle",
            "RECTANGLE_TOO_LARGE",
        ),
        (
            at(f64::NAN, 0.0, 100.0, 30.0),
            "placement.rectangle",
            "RECTANGLE_MALFORMED",
        ),
        (
            pb::Placement {
                page_number: 2,
                ..drawn()
            },
            "placement.page_number",
            "PAGE_UNKNOWN",
        ),
        (
            pb::Placement {
                page_number: -1,
                ..drawn()
            },
            "placement.page_number",
            "PAGE_UNKNOWN",
        ),
        (
            pb::Placement {
                mark: None,
                ..drawn()
            },
            "placement.mark",
            "REQUIRED",
        ),
        (strokes(vec![]), "placement.drawn.strokes", "STROKES_COUNT"),
        (
            strokes(vec![vec![(0.5, 0.5)]]),
            "placement.drawn.strokes",
            "STROKES_BLANK",
        ),
        (
            strokes(vec![vec![(0.5, 0.5), (1.5, 0.5)]]),
            "placement.drawn.strokes",
            "STROKES_OUT_OF_RANGE",
        ),
    ];
    for (placement, field, reason) in cases {
        let result = world.try_place(citizen, &id, placement).await;
        assert_eq!(violations(result), [fault(field, reason)]);
    }
    assert_eq!(
        world.try_get(citizen, &id).await.unwrap().state(),
        pb::LegalisationState::Draft
    );
    let placed = world.try_place(citizen, &id, standing()).await.unwrap();
    assert_eq!(placed.placement, Some(standing()));
}

fn strokes(strokes: Vec<Vec<(f32, f32)>>) -> pb::Placement {
    let strokes = strokes.into_iter().map(|points| pb::SignatureStroke {
        points: points
            .into_iter()
            .map(|(x, y)| pb::SignaturePoint { x, y })
            .collect(),
    });
    let drawn_signature = pb::DrawnSignature {
        strokes: strokes.collect(),
    };
    pb::Placement {
        mark: Some(pb::placement::Mark::Drawn(drawn_signature)),
        ..drawn()
    }
}

#[tokio::test]
async fn a_stale_etag_is_told() {
    let world = World::start().await;
    let citizen = world.citizen();
    let draft = world.drafted(citizen).await;
    world
        .try_place(citizen, &draft.legalisation_request_id, drawn())
        .await
        .unwrap();
    let message = pb::PlaceSignatureRequest {
        request_id: request_id(),
        legalisation_request_id: draft.legalisation_request_id.clone(),
        placement: Some(standing()),
        etag: draft.etag,
    };
    let result = world
        .legalisation()
        .place_signature(world.as_citizen(citizen, message))
        .await;
    assert_eq!(reason(result), (Code::Aborted, "REQUEST_CHANGED".to_owned()));
}

#[tokio::test]
async fn a_page_that_cannot_be_shown_is_refused_when_the_signature_is_placed() {
    let world = World::start_with("2026-11-23T09:00:00Z".parse().unwrap(), |app| {
        app.pdf = Pool::new(PdfConfig {
            worker: Some(env!("CARGO_BIN_EXE_signature").into()),
            cpu_seconds: 2,
            ..PdfConfig::default()
        });
    })
    .await;
    let citizen = world.citizen();
    let document = world.upload(citizen, &sample::with_looping_form()).await;
    let opening = world.as_citizen(citizen, world.opening(&document));
    let opened = world.legalisation().create_legalisation_request(opening).await;
    let id = opened
        .unwrap()
        .into_inner()
        .legalisation_request
        .unwrap()
        .legalisation_request_id;
    for placement in [drawn(), standing()] {
        assert_eq!(
            reason(world.try_place(citizen, &id, placement).await),
            (Code::FailedPrecondition, "PDF_TOO_COMPLEX".to_owned())
        );
    }
    let request = world.try_get(citizen, &id).await.unwrap();
    assert_eq!(request.state(), pb::LegalisationState::Draft);
    assert_eq!(request.placement, None);
}

/// Closing what such a page leaves open would cost more than a seal may add.
#[tokio::test]
async fn a_page_whose_content_is_far_from_balanced_is_not_drawn_on() {
    let world = World::start().await;
    let citizen = world.citizen();
    let file = sample::with_content(1, &"Q ".repeat(10_001));
    let document = world.upload(citizen, &file).await;
    let opened = world
        .legalisation()
        .create_legalisation_request(world.as_citizen(citizen, world.opening(&document)))
        .await;
    let id = opened
        .unwrap()
        .into_inner()
        .legalisation_request
        .unwrap()
        .legalisation_request_id;
    let refused = world.try_place(citizen, &id, drawn()).await;
    assert_eq!(
        reason(refused),
        (Code::FailedPrecondition, "PAGE_UNBALANCED".to_owned())
    );
    world.try_place(citizen, &id, standing()).await.unwrap();
}
