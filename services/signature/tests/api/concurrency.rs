//! Thirty-two at the same time.

use std::collections::HashSet;

use futures::future::join_all;
use tonic::{Code, Status};
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{World, drawn, id_of, matching, reason, request_id};
use crate::sample;

const MANY: usize = 32;

/// All went well or were told to try again, at least one went well, and all answers are equal.
fn one_answer<T: PartialEq + std::fmt::Debug>(results: Vec<Result<T, Status>>) -> T {
    let mut answers = Vec::new();
    for result in results {
        match result {
            Ok(answer) => answers.push(answer),
            Err(status) => assert!(
                matches!(status.code(), Code::Unavailable | Code::ResourceExhausted),
                "{status:?}"
            ),
        }
    }
    let first = answers.pop().expect("at least one call went well");
    assert!(answers.iter().all(|answer| *answer == first));
    first
}

async fn count(world: &World, sql: &'static str) -> i64 {
    let mut conn = world.database.connect().await;
    sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_of_each_command_have_one_effect() {
    let world = World::start().await;
    let (citizen, agent, officer) = (
        world.citizen(),
        world.official(&["agent"]),
        world.official(&["officer"]),
    );
    let document = world.upload(citizen, &sample::plain(1)).await;

    let message = world.opening(&document);
    let calls = (0..MANY).map(|_| async {
        let answer = world
            .legalisation()
            .create_legalisation_request(world.as_citizen(citizen, message.clone()))
            .await?;
        Ok(answer.into_inner().legalisation_request.unwrap())
    });
    let request = one_answer(join_all(calls).await);
    assert_eq!(
        count(&world, "SELECT count(*) FROM legalisation_request").await,
        1
    );
    let id = request.legalisation_request_id.clone();

    let message = pb::PlaceSignatureRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        placement: Some(drawn()),
        etag: request.etag,
    };
    let calls = (0..MANY).map(|_| async {
        Ok(world
            .legalisation()
            .place_signature(world.as_citizen(citizen, message.clone()))
            .await?
            .into_inner())
    });
    one_answer(join_all(calls).await);

    let message = pb::ConfirmLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        confirmation_id: world.confirmation(citizen, &id).await,
    };
    let calls = (0..MANY).map(|_| async {
        let request = world.as_citizen(citizen, message.clone());
        Ok(world
            .legalisation()
            .confirm_legalisation_request(request)
            .await?
            .into_inner())
    });
    one_answer(join_all(calls).await);
    assert_eq!(count(&world, "SELECT last FROM receipt_counter").await, 1);
    assert_eq!(world.identity.redemptions(), 1);

    let message = pb::ClaimRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
    };
    let calls = (0..MANY).map(|_| async {
        Ok(world
            .office()
            .claim_request(world.as_staff(agent, message.clone()))
            .await?
            .into_inner())
    });
    one_answer(join_all(calls).await);
    let review = world.try_review(agent, &id).await.unwrap();
    let message = pb::AcceptRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        comparison: Some(matching(&review)),
    };
    let calls = (0..MANY).map(|_| async {
        Ok(world
            .office()
            .accept_request(world.as_staff(agent, message.clone()))
            .await?
            .into_inner())
    });
    one_answer(join_all(calls).await);

    world.try_claim(officer, &id).await.unwrap();
    let message = pb::ReturnRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        note: "Merci de vérifier la page 2.".to_owned(),
    };
    let calls = (0..MANY).map(|_| async {
        Ok(world
            .office()
            .return_request(world.as_staff(officer, message.clone()))
            .await?
            .into_inner())
    });
    one_answer(join_all(calls).await);
    world.try_claim(agent, &id).await.unwrap();
    let message = pb::RefuseRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        reason_code: "other".to_owned(),
        text: "Le document est au nom d'un tiers.".to_owned(),
        comparison: None,
    };
    let calls = (0..MANY).map(|_| async {
        Ok(world
            .office()
            .refuse_request(world.as_staff(agent, message.clone()))
            .await?
            .into_inner())
    });
    one_answer(join_all(calls).await);

    let message = pb::ResubmitLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        document_id: String::new(),
    };
    let calls = (0..MANY).map(|_| async {
        let request = world.as_citizen(citizen, message.clone());
        Ok(world
            .legalisation()
            .resubmit_legalisation_request(request)
            .await?
            .into_inner())
    });
    let again = one_answer(join_all(calls).await).legalisation_request.unwrap();
    let message = pb::CancelLegalisationRequestRequest {
        request_id: request_id(),
        legalisation_request_id: again.legalisation_request_id,
    };
    let calls = (0..MANY).map(|_| async {
        let request = world.as_citizen(citizen, message.clone());
        Ok(world
            .legalisation()
            .cancel_legalisation_request(request)
            .await?
            .into_inner())
    });
    one_answer(join_all(calls).await);

    // Each version of each request is one event, and the versions have no gap.
    let rows = "SELECT count(*) FROM outbox WHERE topic = 'wathiq.signature.legalisation.v1'";
    let versions = "SELECT sum(version)::bigint FROM legalisation_request";
    assert_eq!(count(&world, rows).await, count(&world, versions).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_beside_the_request_have_one_effect() {
    let world = World::start().await;
    let (citizen, administrator) = (world.citizen(), world.official(&["administrator"]));
    let (file, id) = (sample::plain(1), request_id());
    let calls = (0..MANY).map(|_| world.try_upload(citizen, &id, &file));
    one_answer(join_all(calls).await);
    assert_eq!(count(&world, "SELECT count(*) FROM document").await, 1);
    let kept = std::fs::read_dir(world.folder.path().join("objects/documents"))
        .unwrap()
        .count();
    assert_eq!(kept, 1);

    let message = pb::SetFeeRequest {
        request_id: request_id(),
        office_id: crate::harness::OFFICE.to_string(),
        document_kind: "contract".to_owned(),
        fee_centimes: 100,
        from_time: None,
    };
    let calls = (0..MANY).map(|_| async {
        Ok(world
            .office()
            .set_fee(world.as_staff(administrator, message.clone()))
            .await?
            .into_inner())
    });
    one_answer(join_all(calls).await);
    assert_eq!(count(&world, "SELECT count(*) FROM fee").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_agents_gets_the_claim() {
    let world = World::start().await;
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    let agents: Vec<_> = (0..MANY).map(|_| world.official(&["agent"])).collect();
    let results = join_all(agents.iter().map(|agent| world.try_claim(*agent, &id))).await;
    let mut won = 0;
    for result in results {
        match result {
            Ok(_) => won += 1,
            Err(status) if status.code() == Code::Unavailable => {}
            Err(status) => {
                assert_eq!(
                    reason::<()>(Err(status)),
                    (Code::FailedPrecondition, "CLAIMED_BY_OTHER".to_owned())
                );
            }
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn different_commands_at_the_same_time_take_turns() {
    let world = World::start().await;
    let citizen = world.citizen();
    let request = world.drafted(citizen).await;
    let id = request.legalisation_request_id.clone();
    let results = join_all((0..MANY).map(|_| world.try_place(citizen, &id, drawn()))).await;
    let mut versions = HashSet::new();
    for result in results {
        match result {
            Ok(placed) => assert!(versions.insert(placed.etag)),
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status:?}"),
        }
    }
    let now = world.try_get(citizen, &id).await.unwrap();
    assert_eq!(now.etag, (versions.len() + 1).to_string());
    let mut conn = world.database.connect().await;
    let sequences: Vec<i64> =
        sqlx::query_scalar("SELECT sequence FROM outbox WHERE aggregate_id = $1 ORDER BY id")
            .bind(id_of(&now))
            .fetch_all(&mut conn)
            .await
            .unwrap();
    assert_eq!(
        sequences,
        (1..=i64::try_from(versions.len()).unwrap() + 1).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipt_numbers_are_dense_and_unique() {
    let world = World::start().await;
    let citizen = world.citizen();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let id = world.placed(citizen).await.legalisation_request_id;
        waiting.push((world.confirmation(citizen, &id).await, id));
    }
    let calls = waiting
        .iter()
        .map(|(confirmation_id, id)| world.try_confirm(citizen, id, confirmation_id));
    let mut numbers: Vec<String> = join_all(calls)
        .await
        .into_iter()
        .map(|result| result.unwrap().receipt.unwrap().number)
        .collect();
    numbers.sort_unstable();
    let expected: Vec<String> = (1..=8)
        .map(|number| format!("ANF-CITE-AIR-2026-{number:06}"))
        .collect();
    assert_eq!(numbers, expected);
}
