//! Every change of a request is one event that names the request and no person.

use wathiq_outbox::testing;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{World, drawn, id_of, matching};

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
