//! Every change of a request is one event that names the request and no person.

use wathiq_outbox::testing;
use wathiq_proto::wathiq::signature::v1 as pb;

use wathiq_signature::domain::role::{ADMINISTRATOR, OFFICER};

use crate::harness::{OFFICE, World, drawn, id_of, matching, request_id};
use crate::officers::Token;
use crate::sample;

#[tokio::test]
async fn the_way_to_a_refusal_as_events() {
    let world = World::start().await;
    let (citizen, agent, officer) = (
        world.citizen(),
        world.official(&["agent"]),
        world.official(&["officer"]),
    );
    let request = world.submitted(citizen).await;
    let (id, uuid) = (request.legalisation_request_id.clone(), id_of(&request));
    world.accept(agent, &id).await;
    world.try_claim(officer, &id).await.unwrap();
    let message = pb::ReturnRequestRequest {
        request_id: crate::harness::request_id(),
        legalisation_request_id: id.clone(),
        note: "Merci de vérifier la page 2.".to_owned(),
    };
    world
        .office()
        .return_request(world.as_staff(officer, message))
        .await
        .unwrap();
    world.try_claim(agent, &id).await.unwrap();
    let review = world.try_review(agent, &id).await.unwrap();
    let differs = pb::Comparison {
        result: pb::ComparisonResult::Differs.into(),
        ..matching(&review)
    };
    world.try_refuse(agent, &id, Some(differs)).await.unwrap();

    let mut conn = world.database.connect().await;
    let events = testing::drain(&mut conn).await;
    let (uploaded, events): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| event.topic == "wathiq.signature.document.v1");
    assert_eq!(uploaded.len(), 1);
    let expected = [
        "LegalisationRequestCreated",
        "SignaturePlaced",
        "LegalisationRequestConfirmed",
        "LegalisationRequestSubmitted",
        "LegalisationRequestAccepted",
        "LegalisationRequestReturned",
        "LegalisationRequestRefused",
    ];
    let types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, expected.map(|name| format!("wathiq.signature.v1.{name}")));
    let sequences: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [1, 2, 3, 4, 5, 6, 7]);
    for event in &events {
        assert_eq!(
            (event.topic.as_str(), event.aggregate_id),
            ("wathiq.signature.legalisation.v1", uuid)
        );
        for person in [citizen, agent, officer] {
            let bytes = person.0.to_string().into_bytes();
            assert!(
                !event.payload.windows(bytes.len()).any(|window| window == bytes),
                "{}",
                event.event_type
            );
        }
    }
    assert!(events[1].decode::<pb::SignaturePlaced>().drawn);
    let filed: pb::LegalisationRequestSubmitted = events[3].decode();
    assert_eq!(filed.receipt_number, request.receipt.unwrap().number);
    let refused: pb::LegalisationRequestRefused = events[6].decode();
    assert_eq!(
        (refused.reason_code.as_str(), refused.level.as_str()),
        ("signature_differs", "agent")
    );
    testing::assert_drained(&mut conn).await;
}

#[tokio::test]
async fn documents_credentials_and_fees_as_events() {
    let world = World::present().await;
    let citizen = world.citizen();
    let document = world.upload(citizen, &sample::plain(1)).await;
    let refused = world
        .try_upload(citizen, &request_id(), b"no document at all")
        .await
        .unwrap();
    let administrator = world.official(&[ADMINISTRATOR]);
    let token = Token::named("officer-1");
    let officer = world.holder(&token, &[OFFICER]);
    let credential = world.try_register(administrator, officer, &token).await.unwrap();
    world.try_set_fee(administrator, 2_500, None).await.unwrap();

    let mut conn = world.database.connect().await;
    let events = testing::drain(&mut conn).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.topic.as_str(), event.event_type.as_str(), event.sequence))
        .collect();
    assert_eq!(
        told,
        [
            (
                "wathiq.signature.document.v1",
                "wathiq.signature.v1.DocumentUploaded",
                1
            ),
            (
                "wathiq.signature.document.v1",
                "wathiq.signature.v1.DocumentUploaded",
                1
            ),
            (
                "wathiq.signature.office.v1",
                "wathiq.signature.v1.SigningCredentialRegistered",
                1
            ),
            ("wathiq.signature.office.v1", "wathiq.signature.v1.FeeSet", 1),
        ]
    );
    let accepted: pb::DocumentUploaded = events[0].decode();
    assert_eq!(
        (accepted.document_id.as_str(), accepted.state()),
        (document.document_id.as_str(), pb::DocumentState::Accepted)
    );
    let other: pb::DocumentUploaded = events[1].decode();
    assert_eq!(
        (other.document_id, other.state, other.refusal_reason.as_str()),
        (
            refused.document_id,
            pb::DocumentState::Refused.into(),
            "NOT_A_PDF"
        )
    );
    let registered: pb::SigningCredentialRegistered = events[2].decode();
    assert_eq!(registered.credential_id, credential.credential_id);
    let fee: pb::FeeSet = events[3].decode();
    assert_eq!(
        (
            fee.office_id.as_str(),
            fee.document_kind.as_str(),
            fee.fee_centimes
        ),
        (OFFICE.to_string().as_str(), "contract", 2_500)
    );
    assert_eq!(fee.fee_id, events[3].aggregate_id.to_string());
    for person in [citizen, administrator, officer] {
        let bytes = person.0.to_string().into_bytes();
        for event in &events {
            assert!(!event.payload.windows(bytes.len()).any(|window| window == bytes));
        }
    }
}

/// A command that is refused changes nothing and tells nothing.
#[tokio::test]
async fn refused_commands_are_no_events() {
    let world = World::start().await;
    let citizen = world.citizen();
    let request = world.submitted(citizen).await;
    let mut conn = world.database.connect().await;
    testing::drain(&mut conn).await;
    world
        .try_place(citizen, &request.legalisation_request_id, drawn())
        .await
        .unwrap_err();
    testing::assert_drained(&mut conn).await;
}
