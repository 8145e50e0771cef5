//! The same call thirty-two times at once, over two replicas of the signature service: one effect.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use wathiq_local::journey::api::{Api, new_key, text};
use wathiq_local::journey::{account, legalisation, pen};
use wathiq_local::stack::Options;

use crate::calls::{Answer, call, keyed};
use crate::stage::{self, Stage};

const MANY: usize = 32;
/// Requests that are authorised at once, each asked for by several calls.
const REQUESTS: usize = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_duplicates_have_one_effect_and_the_register_is_dense() {
    let replicas = [("signature".to_owned(), 2)].into();
    let options = Options {
        replicas,
        environment: stage::without_limits(),
        ..Options::default()
    };
    let mut stage = stage::open(options).await.unwrap();
    let id = each_call_of_one_request(&mut stage).await;
    let mut accepted = vec![id];
    while accepted.len() < REQUESTS {
        accepted.push(stage.accepted().await.unwrap());
    }
    let intents = all_authorised_at_once(&stage, &accepted).await;
    all_sealed_at_once(&mut stage, &intents).await;
    for service in ["signature", "signature-2"] {
        let url = format!("{}/metrics", stage.stack.operations(service).unwrap());
        let metrics = reqwest::get(url).await.unwrap().text().await.unwrap();
        assert!(metrics.contains("AuthoriseSeals"), "{service} had no part in it");
    }
}

/// Sends a call under one key many times at once. All that are done answer the same; the others are told to come again.
async fn duplicates(api: &Api, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let key = new_key();
    let answers = join_all((0..MANY).map(|_| keyed(api, method.clone(), path, &key, body))).await;
    let mut done: Vec<Answer> = Vec::new();
    for answer in answers {
        match answer.status {
            200..300 => done.push(answer),
            status => assert_eq!(status, 503, "{path}: {}", answer.body),
        }
    }
    let first = done.pop().unwrap_or_else(|| panic!("{path}: none was done"));
    assert!(
        done.iter().all(|answer| *answer == first),
        "{path}: the answers differ"
    );
    let again = keyed(api, method, path, &key, body).await;
    assert_eq!(again, first, "{path}: a late repeat is answered the same");
    first
}

/// From a document to the agent's acceptance. Answers the request's id.
async fn each_call_of_one_request(stage: &mut Stage) -> String {
    let citizen = stage.cast.citizen_session.clone();
    let opening = stage.opening().await.unwrap();
    let draft = duplicates(
        &citizen,
        Method::POST,
        "/v1/legalisation-requests",
        Some(&opening),
    )
    .await;
    let id = text(&draft.body, "/legalisation_request_id").unwrap().to_owned();
    let listed = citizen.get("/v1/legalisation-requests").await.unwrap();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));

    let path = format!("/v1/legalisation-requests/{id}");
    let placement = json!({
        "page_number": 1, "rectangle": {"x": 330.0, "y": 608.0, "width": 190.0, "height": 62.0},
        "drawn": pen::drawn(&pen::signature(0.3)),
    });
    duplicates(
        &citizen,
        Method::PUT,
        &format!("{path}/placement"),
        Some(&placement),
    )
    .await;
    let subject = citizen
        .get(&format!("{path}/confirmation-subject"))
        .await
        .unwrap();
    stage.codes_again().await.unwrap();
    let hashes = [subject["hash"].clone()];
    let confirmation = account::confirm(&citizen, &mut stage.cast.citizen, "legalise", &hashes)
        .await
        .unwrap();
    let body = json!({"confirmation_id": confirmation});
    let confirmed = duplicates(&citizen, Method::POST, &format!("{path}/confirm"), Some(&body)).await;
    assert_eq!(confirmed.body["state"], "submitted");

    let agent = stage.cast.agent_session.clone();
    let path = format!("/v1/office/requests/{id}");
    duplicates(&agent, Method::PUT, &format!("{path}/claim"), None).await;
    let review = agent.get(&format!("{path}/review")).await.unwrap();
    let comparison = json!({"comparison": {
        "result": "matches", "note": "", "specimen_version": review["specimen_version"],
        "region_sha256": review["region_sha256"], "specimen_sha256": review["specimen_sha256"],
    }});
    let accepted = duplicates(&agent, Method::POST, &format!("{path}/accept"), Some(&comparison)).await;
    assert_eq!(accepted.body["state"], "agent_accepted");
    // Created, placed, confirmed, submitted, accepted: each once.
    assert_eq!(accepted.body["etag"], "5");
    id
}

/// Each request is authorised by several calls at once, each under a key of its own.
async fn all_authorised_at_once(stage: &Stage, accepted: &[String]) -> Vec<Value> {
    let officer = &stage.cast.officer_session;
    for id in accepted {
        let claim = call(
            officer,
            Method::PUT,
            &format!("/v1/office/requests/{id}/claim"),
            None,
        )
        .await;
        assert_eq!(claim.said(), "200");
    }
    let calls = (0..MANY).map(|number| {
        let body =
            json!({"legalisation_request_ids": [accepted[number % accepted.len()]], "credential_id": null});
        async move { call(officer, Method::POST, "/v1/office/seal-intents", Some(&body)).await }
    });
    let mut intents: Vec<Value> = Vec::new();
    for answer in join_all(calls).await {
        match answer.status {
            200 => intents.extend(answer.body["intents"].as_array().unwrap().iter().cloned()),
            status => assert_eq!(status, 503, "{}", answer.body),
        }
    }
    let ids: BTreeSet<&str> = intents
        .iter()
        .filter_map(|intent| intent["intent_id"].as_str())
        .collect();
    assert_eq!(ids.len(), accepted.len(), "one intent a request");
    assert_eq!(
        numbers(stage).await,
        (1..=accepted.len() as u64).collect::<Vec<_>>(),
        "no gap, no number twice"
    );
    let standing = officer
        .get(&format!(
            "/v1/office/seal-intents?office_id={}",
            stage.cast.office.office_id
        ))
        .await;
    standing.unwrap()["items"].as_array().unwrap().clone()
}

async fn numbers(stage: &Stage) -> Vec<u64> {
    let register = stage.register().await.unwrap();
    register
        .iter()
        .filter_map(|entry| entry["number"].as_u64())
        .collect()
}

/// One act over all intents, sent many times at once.
async fn all_sealed_at_once(stage: &mut Stage, intents: &[Value]) {
    stage.codes_again().await.unwrap();
    let cast = &mut stage.cast;
    let officer = cast.officer_session.clone();
    let digests: Vec<Value> = intents
        .iter()
        .flat_map(|intent| intent["digests"].as_array().unwrap().clone())
        .collect();
    assert_eq!(digests.len(), intents.len());
    let confirmation = account::confirm(&officer, &mut cast.office.officer, "seal", &digests)
        .await
        .unwrap();
    let ids: Vec<&Value> = intents.iter().map(|intent| &intent["intent_id"]).collect();
    let act = json!({"intent_ids": ids, "confirmation_id": confirmation, "pin": cast.officer_pin});
    let key = new_key();
    let calls = (0..MANY).map(|_| keyed(&officer, Method::POST, "/v1/office/seals", &key, Some(&act)));
    let answers = join_all(calls).await;
    let done = answers.iter().filter(|answer| answer.said() == "200").count();
    let told: BTreeSet<String> = answers
        .iter()
        .filter(|answer| answer.status != 503)
        .map(Answer::said)
        .collect();
    assert_eq!((done > 0, told), (true, BTreeSet::from(["200".to_owned()])));

    let register = stage.register().await.unwrap();
    assert!(
        register.iter().all(|entry| entry["state"] == "sealed"),
        "{register:?}"
    );
    assert_eq!(register.len(), REQUESTS);
    for entry in &register {
        let id = text(entry, "/legalisation_request_id").unwrap();
        let request = stage.request(id).await.unwrap();
        assert_eq!(
            (&request["state"], request["files"].as_array().map(Vec::len)),
            (&json!("delivered"), Some(1))
        );
        let document = legalisation::download(&stage.cast.citizen_session, id, "document")
            .await
            .unwrap();
        let verified = legalisation::verify(&stage.cast.anyone, document).await.unwrap();
        // The platform's seal alone: one signature in the file.
        assert_eq!(
            verified["signatures"].as_array().map(Vec::len),
            Some(1),
            "{verified}"
        );
        assert_eq!(verified["indication"], "total_passed");
    }
}
