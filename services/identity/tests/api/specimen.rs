//! Specimens: deposit, proof, review.

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma};
use wathiq_proto::wathiq::identity::v1::*;

use crate::harness::{TestApp, reason, request_id, violations, with_token};

/// A drawn image; `shift` makes it another.
pub(crate) fn png(shift: u32) -> Vec<u8> {
    let stroke = |x: u32, y: u32| {
        if x / 3 == (y + shift) / 3 {
            Luma([10u8])
        } else {
            Luma([255])
        }
    };
    let image = DynamicImage::from(ImageBuffer::from_fn(300, 120, stroke));
    let mut out = std::io::Cursor::new(Vec::new());
    image.write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

pub(crate) fn deposit(shift: u32) -> DepositSpecimenRequest {
    let point = |x, y, time_milliseconds| StrokePoint {
        x,
        y,
        pressure: 0.5,
        time_milliseconds,
    };
    DepositSpecimenRequest {
        request_id: request_id(),
        image_png: png(shift),
        strokes: vec![Stroke {
            points: vec![point(0.1, 0.1, 0), point(0.9, 0.9, 300)],
        }],
    }
}

pub(crate) fn prove(office: &str, person: &str, version: i32) -> ProveSpecimenRequest {
    ProveSpecimenRequest {
        request_id: request_id(),
        office_id: office.to_owned(),
        person_id: person.to_owned(),
        version,
    }
}

#[tokio::test]
async fn a_specimen_counts_once_its_person_and_it_are_proved() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let someone = app.newcomer().await;
    app.drain().await;
    let mut specimens = app.gateway.specimens.clone();
    let first = specimens
        .deposit_specimen(with_token(deposit(0), &someone.token))
        .await
        .unwrap()
        .into_inner();
    let second = specimens
        .deposit_specimen(with_token(deposit(9), &someone.token))
        .await
        .unwrap()
        .into_inner();
    let (first, second) = (first.specimen.unwrap(), second.specimen.unwrap());
    assert_eq!(
        (first.version, second.version, second.proof.is_some()),
        (1, 2, false)
    );
    let claimed = specimens
        .prove_specimen(with_token(prove(&office.office_id, &someone.id, 1), &agent.token))
        .await;
    assert_eq!(reason(claimed), "PERSON_NOT_PROVED");
    app.prove(&agent, &office.office_id, &someone).await;
    let review = |version| GetSpecimenForReviewRequest {
        person_id: someone.id.clone(),
        version,
    };
    let mut for_signature = app.signature.specimens.clone();
    let nothing = for_signature
        .get_specimen_for_review(with_token(review(0), &agent.token))
        .await;
    assert_eq!(reason(nothing), "SPECIMEN_NOT_FOUND");
    let proved = specimens
        .prove_specimen(with_token(prove(&office.office_id, &someone.id, 1), &agent.token))
        .await;
    let proof = proved.unwrap().into_inner().specimen.unwrap().proof.unwrap();
    assert_eq!(
        (
            proof.method(),
            proof.office_id.as_str(),
            proof.official_person_id.as_str(),
            proof.prove_time.is_some()
        ),
        (
            ProofMethod::InPerson,
            office.office_id.as_str(),
            agent.id.as_str(),
            true
        )
    );
    // The newest that counts is the first: the second is only deposited.
    let shown = for_signature
        .get_specimen_for_review(with_token(review(0), &agent.token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((shown.specimen.unwrap().version, shown.image_png), (1, png(0)));
    let uncounted = for_signature
        .get_specimen_for_review(with_token(review(2), &agent.token))
        .await;
    assert_eq!(reason(uncounted), "SPECIMEN_NOT_FOUND");
    let again = specimens
        .prove_specimen(with_token(prove(&office.office_id, &someone.id, 1), &agent.token))
        .await;
    assert_eq!(reason(again), "SPECIMEN_ALREADY_PROVED");
    // Events name the specimen's own id, and follow each other without a gap.
    let events = app.drain().await;
    let own: Vec<_> = events
        .iter()
        .filter(|event| event.topic.ends_with("specimen.v1"))
        .collect();
    assert_eq!(
        own.iter().map(|event| event.sequence).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(
        own.iter()
            .all(|event| event.aggregate_id.to_string() != someone.id)
    );
    app.finish().await;
}

#[tokio::test]
async fn a_person_sees_their_own_versions() {
    let app = TestApp::start().await;
    let (someone, other) = (app.newcomer().await, app.newcomer().await);
    let mut specimens = app.gateway.specimens.clone();
    for shift in [0, 9, 18] {
        specimens
            .deposit_specimen(with_token(deposit(shift), &someone.token))
            .await
            .unwrap();
    }
    let list = ListSpecimensRequest {
        page_size: 2,
        page_token: String::new(),
    };
    let page = specimens
        .list_specimens(with_token(list, &someone.token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        page.specimens
            .iter()
            .map(|specimen| specimen.version)
            .collect::<Vec<_>>(),
        [3, 2]
    );
    let list = ListSpecimensRequest {
        page_size: 2,
        page_token: page.next_page_token,
    };
    let page = app
        .signature
        .specimens
        .clone()
        .list_specimens(with_token(list, &someone.token))
        .await
        .unwrap();
    assert_eq!(page.into_inner().specimens[0].version, 1);
    let get = |version| GetSpecimenRequest { version };
    let found = specimens
        .get_specimen(with_token(get(2), &someone.token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(found.image_png, png(9));
    assert_eq!(
        reason(specimens.get_specimen(with_token(get(1), &other.token)).await),
        "SPECIMEN_NOT_FOUND"
    );
    app.finish().await;
}

#[tokio::test]
async fn what_is_no_specimen_is_refused_with_every_reason() {
    let app = TestApp::start().await;
    let someone = app.newcomer().await;
    let mut bad = deposit(0);
    bad.image_png = b"not a png".to_vec();
    bad.strokes[0].points[0].x = 3.0;
    let found = violations(
        app.gateway
            .specimens
            .clone()
            .deposit_specimen(with_token(bad, &someone.token))
            .await,
    );
    let expected = [("image_png", "IMAGE_NOT_PNG"), ("strokes", "STROKE_OUT_OF_RANGE")];
    assert_eq!(
        found,
        expected.map(|(field, reason)| (field.to_owned(), reason.to_owned()))
    );
    app.finish().await;
}

#[tokio::test]
async fn staff_deposit_nothing_in_a_staff_session_and_only_agents_review() {
    let app = TestApp::start().await;
    let (agent, office) = app.counter().await;
    let mut specimens = app.gateway.specimens.clone();
    let deposited = specimens
        .deposit_specimen(with_token(deposit(0), &agent.token))
        .await;
    assert_eq!(reason(deposited), "WRONG_SURFACE");
    let officer = app.member(&agent, &office.office_id, OfficeRole::Officer).await;
    let review = || GetSpecimenForReviewRequest {
        person_id: agent.id.clone(),
        version: 0,
    };
    let mut for_signature = app.signature.specimens.clone();
    let by_officer = for_signature
        .get_specimen_for_review(with_token(review(), &officer.token))
        .await;
    assert_eq!(reason(by_officer), "ROLE_REQUIRED");
    let citizen = app.newcomer().await;
    let by_citizen = for_signature
        .get_specimen_for_review(with_token(review(), &citizen.token))
        .await;
    assert_eq!(reason(by_citizen), "WRONG_SURFACE");
    app.finish().await;
}
