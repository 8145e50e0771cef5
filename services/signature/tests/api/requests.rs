//! The citizen's side of a request.

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use tonic::Code;
use uuid::Uuid;
use wathiq_chassis::testing::{token, with_token};
use wathiq_chassis::{Assurance, CallContext, Surface};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::confirm_request::confirm_request;
use wathiq_signature::clients::identity::Purpose;

use crate::harness::{OFFICE, World, drawn, id_of, reason, request_id, standing, violations};
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
async fn confirming_needs_a_proved_person_with_a_specimen() {
    let world = World::start().await;
    let citizen = world.citizen();
    let id = world.placed(citizen).await.legalisation_request_id;
    let confirmation_id = world.confirmation(citizen, &id).await;
    let message = pb::ConfirmLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        confirmation_id: confirmation_id.clone(),
    };
    let mut claims = world.claims(citizen, Surface::Citizen);
    claims.assurance = Assurance::Claimed;
    let result = world
        .legalisation()
        .confirm_legalisation_request(with_token(message, &token(&claims)))
        .await;
    assert_eq!(
        reason(result),
        (Code::FailedPrecondition, "PERSON_NOT_PROVED".to_owned())
    );

    world.identity.remove_specimens(citizen.0);
    let result = world.try_confirm(citizen, &id, &confirmation_id).await;
    assert_eq!(
        reason(result),
        (Code::FailedPrecondition, "SPECIMEN_MISSING".to_owned())
    );
    assert_eq!(world.identity.redemptions(), 0);
    world.identity.add_specimen(citizen.0, 1);
    world.try_confirm(citizen, &id, &confirmation_id).await.unwrap();
}

#[tokio::test]
async fn a_confirmation_is_for_exactly_what_was_shown() {
    let world = World::start().await;
    let citizen = world.citizen();
    let id = world.placed(citizen).await.legalisation_request_id;
    let mismatch = (Code::FailedPrecondition, "CONFIRMATION_MISMATCH".to_owned());

    let confirmation_id = world.confirmation(citizen, &id).await;
    world.try_place(citizen, &id, standing()).await.unwrap();
    assert_eq!(
        reason(world.try_confirm(citizen, &id, &confirmation_id).await),
        mismatch
    );
    world.try_place(citizen, &id, drawn()).await.unwrap();
    world.identity.add_specimen(citizen.0, 2);
    assert_eq!(
        reason(world.try_confirm(citizen, &id, &confirmation_id).await),
        mismatch
    );

    let for_seal = world
        .identity
        .confirm(citizen.0, Purpose::Seal, vec![[0; 32]])
        .to_string();
    assert_eq!(reason(world.try_confirm(citizen, &id, &for_seal).await), mismatch);
    let unknown = world.try_confirm(citizen, &id, &Uuid::new_v4().to_string()).await;
    assert_eq!(
        reason(unknown),
        (Code::NotFound, "CONFIRMATION_NOT_FOUND".to_owned())
    );
    let fresh = world.confirmation(citizen, &id).await;
    let submitted = world.try_confirm(citizen, &id, &fresh).await.unwrap();
    assert_eq!(submitted.state(), pb::LegalisationState::Submitted);
    let again = world.try_confirm(citizen, &id, &fresh).await;
    assert_eq!(
        reason(again),
        (Code::FailedPrecondition, "REQUEST_STATE".to_owned())
    );
}

/// The process died after identity gave the record and before the transaction: the same confirmation still works.
#[tokio::test]
async fn a_redeemed_confirmation_is_not_lost_by_a_crash() {
    let world = World::start().await;
    let citizen = world.citizen();
    let request = world.placed(citizen).await;
    let id = request.legalisation_request_id.clone();
    let confirmation_id = world.confirmation(citizen, &id).await;
    let mut blocker = world.database.connect().await;
    sqlx::query("BEGIN").execute(&mut blocker).await.unwrap();
    sqlx::query("SELECT FROM legalisation_request FOR UPDATE")
        .execute(&mut blocker)
        .await
        .unwrap();

    let claims = world.claims(citizen, Surface::Citizen);
    let caller = wathiq_chassis::testing::caller(&claims);
    let method = "/wathiq.signature.v1.LegalisationService/ConfirmLegalisationRequest";
    let command = wathiq_outbox::Command::new("person:x", method, Uuid::new_v4(), &());
    let confirming = confirm_request(
        &world.app,
        &caller,
        &command,
        id_of(&request),
        confirmation_id.parse().unwrap(),
        |_| Vec::new(),
    );
    let context = CallContext::new(Duration::from_secs(10), "test").with_bearer(token(&claims).into());
    let redeemed = async {
        while world.identity.redemptions() == 0 {
            tokio::task::yield_now().await;
        }
    };
    // The future is dropped where it waits for the row: nothing of the transaction is left.
    tokio::select! {
        done = context.scope(confirming) => panic!("the row is locked, and still: {done:?}"),
        () = redeemed => {}
    }
    sqlx::query("ROLLBACK").execute(&mut blocker).await.unwrap();
    assert_eq!(
        world.try_get(citizen, &id).await.unwrap().state(),
        pb::LegalisationState::SignaturePlaced
    );
    // Another request id, as after a reload of the page.
    let submitted = world.try_confirm(citizen, &id, &confirmation_id).await.unwrap();
    assert_eq!(submitted.state(), pb::LegalisationState::Submitted);
    assert_eq!(world.identity.redemptions(), 1);
}

#[tokio::test]
async fn where_the_office_takes_a_fee_the_request_waits() {
    let world = World::start().await;
    let administrator = world.official(&["administrator"]);
    set_fee(&world, administrator, 200, None).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    let citizen = world.citizen();
    let waiting = world.submitted(citizen).await;
    assert_eq!(waiting.state(), pb::LegalisationState::AwaitingPayment);
    assert_eq!(waiting.fee_centimes, 200);
    assert_eq!(waiting.receipt, None);

    let message = pb::GetCatalogueRequest {
        office_id: OFFICE.to_string(),
    };
    let catalogue = world
        .legalisation()
        .get_catalogue(message)
        .await
        .unwrap()
        .into_inner();
    let fee = |code: &str| {
        catalogue
            .document_kinds
            .iter()
            .find(|kind| kind.code == code)
            .unwrap()
            .fee_centimes
    };
    assert_eq!((fee("contract"), fee("lease")), (200, 0));
    let refused = catalogue
        .document_kinds
        .iter()
        .find(|kind| kind.code == "procuration_real_estate")
        .unwrap();
    assert_eq!(refused.refused_reason, "REAL_ESTATE_PROCURATION");
}

async fn set_fee(
    world: &World,
    person: crate::harness::Person,
    fee_centimes: i64,
    from_time: Option<prost_types::Timestamp>,
) -> Result<(), tonic::Status> {
    let message = pb::SetFeeRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        document_kind: "contract".to_owned(),
        fee_centimes,
        from_time,
    };
    world
        .office()
        .set_fee(world.as_staff(person, message))
        .await
        .map(|_| ())
}

#[tokio::test]
async fn fees_are_dated_and_the_administrator_s_alone() {
    let world = World::start().await;
    let administrator = world.official(&["administrator"]);
    let agent = world.official(&["agent"]);
    let at = |text: &str| {
        let at: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
        Some(prost_types::Timestamp {
            seconds: at.timestamp(),
            nanos: 0,
        })
    };
    assert_eq!(
        reason(set_fee(&world, agent, 100, None).await),
        (Code::NotFound, "OFFICE_NOT_FOUND".to_owned())
    );
    let past = set_fee(&world, administrator, 100, at("2026-11-22T00:00:00Z")).await;
    assert_eq!(violations(past), [fault("from_time", "FROM_TIME_PAST")]);
    assert_eq!(
        violations(set_fee(&world, administrator, -1, None).await),
        [fault("fee_centimes", "OUT_OF_RANGE")]
    );
    set_fee(&world, administrator, 300, at("2026-12-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(world.drafted(world.citizen()).await.fee_centimes, 0);
    world.clock.set("2026-12-01T00:00:00Z".parse().unwrap());
    assert_eq!(world.drafted(world.citizen()).await.fee_centimes, 300);

    world.identity.revoke(administrator.0);
    let mut claims = world.claims(administrator, Surface::Staff);
    claims.grants = vec![wathiq_chassis::Grant {
        office_id: OFFICE,
        role: "administrator".to_owned(),
    }];
    let message = pb::SetFeeRequest {
        request_id: request_id(),
        office_id: OFFICE.to_string(),
        document_kind: "contract".to_owned(),
        ..Default::default()
    };
    let result = world.office().set_fee(with_token(message, &token(&claims))).await;
    assert_eq!(
        reason(result),
        (Code::PermissionDenied, "ROLE_MISSING".to_owned())
    );
}

#[tokio::test]
async fn cancelling_and_lists() {
    let world = World::start().await;
    let citizen = world.citizen();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.drafted(citizen).await.legalisation_request_id);
        world.clock.advance(TimeDelta::seconds(1));
    }
    world.drafted(world.citizen()).await;
    let cancel = async |id: &str| {
        let message = pb::CancelLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.to_owned(),
        };
        world
            .legalisation()
            .cancel_legalisation_request(world.as_citizen(citizen, message))
            .await
    };
    let cancelled = cancel(&ids[1])
        .await
        .unwrap()
        .into_inner()
        .legalisation_request
        .unwrap();
    assert_eq!(cancelled.state(), pb::LegalisationState::Cancelled);
    assert_eq!(
        reason(cancel(&ids[1]).await),
        (Code::FailedPrecondition, "REQUEST_STATE".to_owned())
    );

    let list = async |message: pb::ListLegalisationRequestsRequest| {
        let answer = world
            .legalisation()
            .list_legalisation_requests(world.as_citizen(citizen, message))
            .await;
        let answer = answer.unwrap().into_inner();
        let found: Vec<String> = answer
            .legalisation_requests
            .into_iter()
            .map(|found| found.legalisation_request_id)
            .collect();
        (found, answer.next_page_token)
    };
    let page = |page_size, page_token| pb::ListLegalisationRequestsRequest {
        page_size,
        page_token,
        states: vec![],
    };
    let (first, token) = list(page(2, String::new())).await;
    assert_eq!(first, [ids[2].clone(), ids[1].clone()]);
    let (second, token) = list(page(2, token)).await;
    assert_eq!((second, token), (vec![ids[0].clone()], String::new()));
    let only = pb::ListLegalisationRequestsRequest {
        states: vec![pb::LegalisationState::Cancelled.into()],
        ..Default::default()
    };
    assert_eq!(list(only).await.0, [ids[1].as_str()]);
    let message = pb::ListLegalisationRequestsRequest {
        page_token: "?".to_owned(),
        ..Default::default()
    };
    let result = world
        .legalisation()
        .list_legalisation_requests(world.as_citizen(citizen, message))
        .await;
    assert_eq!(violations(result), [fault("page_token", "MALFORMED")]);
}

#[tokio::test]
async fn another_person_s_request_is_not_found() {
    let world = World::start().await;
    let owner = world.citizen();
    let id = world.placed(owner).await.legalisation_request_id;
    let other = world.citizen();
    let missing = (Code::NotFound, "LEGALISATION_REQUEST_NOT_FOUND".to_owned());
    assert_eq!(reason(world.try_get(other, &id).await), missing);
    assert_eq!(reason(world.try_place(other, &id, drawn()).await), missing);
    assert_eq!(
        reason(world.try_confirm(other, &id, &Uuid::new_v4().to_string()).await),
        missing
    );
    let subject = pb::GetConfirmationSubjectRequest {
        legalisation_request_id: id.clone(),
    };
    assert_eq!(
        reason(
            world
                .legalisation()
                .get_confirmation_subject(world.as_citizen(other, subject))
                .await
        ),
        missing
    );
    let cancel = pb::CancelLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
    };
    assert_eq!(
        reason(
            world
                .legalisation()
                .cancel_legalisation_request(world.as_citizen(other, cancel))
                .await
        ),
        missing
    );
    let resubmit = pb::ResubmitLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        document_id: String::new(),
    };
    let result = world
        .legalisation()
        .resubmit_legalisation_request(world.as_citizen(other, resubmit))
        .await;
    assert_eq!(reason(result), missing);
    assert_eq!(
        world.try_get(owner, &id).await.unwrap().state(),
        pb::LegalisationState::SignaturePlaced
    );
}

#[tokio::test]
async fn a_refused_request_is_resubmitted_free_and_once() {
    let world = World::start().await;
    let administrator = world.official(&["administrator"]);
    let (citizen, agent) = (world.citizen(), world.official(&["agent"]));
    let id = world.submitted(citizen).await.legalisation_request_id;
    let resubmit = async || {
        let message = pb::ResubmitLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.clone(),
            document_id: String::new(),
        };
        let answer = world
            .legalisation()
            .resubmit_legalisation_request(world.as_citizen(citizen, message))
            .await?;
        Ok::<_, tonic::Status>(answer.into_inner().legalisation_request.unwrap())
    };
    assert_eq!(
        reason(resubmit().await),
        (Code::FailedPrecondition, "REQUEST_NOT_REFUSED".to_owned())
    );
    world.try_claim(agent, &id).await.unwrap();
    let refused = world.try_refuse(agent, &id, None).await.unwrap();
    assert_eq!(refused.refusal.unwrap().reason_code, "signature_differs");
    set_fee(&world, administrator, 500, None).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));

    let draft = resubmit().await.unwrap();
    assert_eq!(
        (draft.resubmission_of.as_str(), draft.fee_centimes),
        (id.as_str(), 0)
    );
    assert_eq!(
        reason(resubmit().await),
        (Code::FailedPrecondition, "ALREADY_RESUBMITTED".to_owned())
    );
    let cancel = pb::CancelLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: draft.legalisation_request_id,
    };
    world
        .legalisation()
        .cancel_legalisation_request(world.as_citizen(citizen, cancel))
        .await
        .unwrap();
    let draft = resubmit().await.unwrap();
    world
        .try_place(citizen, &draft.legalisation_request_id, drawn())
        .await
        .unwrap();
    let confirmation_id = world.confirmation(citizen, &draft.legalisation_request_id).await;
    let filed = world
        .try_confirm(citizen, &draft.legalisation_request_id, &confirmation_id)
        .await
        .unwrap();
    assert_eq!(filed.state(), pb::LegalisationState::Submitted);
}
