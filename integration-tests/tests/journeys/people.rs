//! Who may do what: other citizens, other offices, the wrong surface, ended sessions, four eyes.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use wathiq_local::journey::account::{self, Account};
use wathiq_local::journey::api::{Api, new_key, text};
use wathiq_local::journey::{legalisation, office, people};
use wathiq_local::stack::Options;

use crate::calls::{call, get};
use crate::operations::{self, Ids, Operation};
use crate::stage::{self, Stage, today};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_person_sees_and_does_what_is_theirs() {
    let options = Options {
        environment: stage::without_limits(),
        ..Options::default()
    };
    let mut stage = stage::open(options).await.unwrap();
    let ids = facts(&mut stage).await.unwrap();
    let before = stage.request(&ids.request).await.unwrap();

    nobody_without_a_session(&stage, &ids).await;
    strangers(&mut stage, &ids).await;
    wrong_surfaces(&stage, &ids).await;
    another_office(&mut stage, &ids).await;
    assert_eq!(
        stage.request(&ids.request).await.unwrap(),
        before,
        "none of this has changed the request"
    );
    four_eyes(&mut stage).await;
}

/// A request that an agent could work on, an intent that an officer could seal.
async fn facts(stage: &mut Stage) -> Result<Ids> {
    let accepted = stage.accepted().await?;
    let intents = legalisation::authorise(&stage.cast.officer_session, &[&accepted]).await?;
    let request = stage.submitted().await?;
    let document = text(&stage.request(&request).await?, "/document_id")?.to_owned();
    let citizen = stage.cast.citizen_session.get("/v1/me").await?;
    Ok(Ids {
        request,
        document,
        intent: text(&intents[0], "/intent_id")?.to_owned(),
        office: stage.cast.office.office_id.clone(),
        person: text(&citizen, "/person_id")?.to_owned(),
    })
}

/// Calls each operation and compares what is said, all at once.
async fn expect(
    who: &str,
    api: &Api,
    ids: &Ids,
    operations: Vec<Operation>,
    expected: impl Fn(&Operation) -> String,
) {
    let mut wrong = Vec::new();
    for operation in operations {
        let (said, mut wanted) = (operation.call(api, ids).await.said(), expected(&operation));
        if operation.method == Method::HEAD {
            // Such an answer has no body to give a reason in.
            wanted = format!("{} without a reason", &wanted[..3]);
        }
        if said != wanted {
            wrong.push(format!("{}: {said}, not {wanted}", operation.name()));
        }
    }
    assert!(wrong.is_empty(), "{who}:\n{}", wrong.join("\n"));
}

fn everything(ids: &Ids) -> Vec<Operation> {
    let nothing = uuid::Uuid::nil().to_string();
    let mut all = operations::on_own_request(&nothing);
    all.extend(operations::on_own_document());
    all.extend(operations::on_request_of_office());
    all.extend(operations::of_office(ids, &nothing));
    all.extend(operations::of_administration(ids));
    all
}

async fn nobody_without_a_session(stage: &Stage, ids: &Ids) {
    let anyone = &stage.cast.anyone;
    // The tables of operations are whole.
    for (below, listed) in [
        ("/v1/legalisation-requests/", operations::on_own_request("")),
        ("/v1/documents/", operations::on_own_document()),
        ("/v1/office/requests/", operations::on_request_of_office()),
    ] {
        assert_eq!(
            operations::described(anyone, below).await,
            operations::names(&listed)
        );
    }
    expect("without a session", anyone, ids, everything(ids), |_| {
        "401 SIGN_IN_REQUIRED".into()
    })
    .await;
    let invented = anyone.with_session("an-invented-secret");
    expect("with an invented secret", &invented, ids, everything(ids), |_| {
        "401 SESSION_ENDED".into()
    })
    .await;
}

async fn strangers(stage: &mut Stage, ids: &Ids) {
    let other = stage.another_citizen().await.unwrap();
    let confirmation = uuid::Uuid::new_v4().to_string();
    let requests = operations::on_own_request(&confirmation);
    expect("another citizen", &other, ids, requests, |_| {
        "404 LEGALISATION_REQUEST_NOT_FOUND".into()
    })
    .await;
    let documents = operations::on_own_document();
    expect("another citizen", &other, ids, documents, |_| {
        "404 DOCUMENT_NOT_FOUND".into()
    })
    .await;
    let mine = get(&other, "/v1/legalisation-requests").await;
    assert_eq!(mine.body["items"], json!([]));

    // What was the session's is nobody's after its end.
    assert_eq!(
        call(&other, Method::DELETE, "/v1/sessions/current", None)
            .await
            .said(),
        "204"
    );
    expect("an ended session", &other, ids, everything(ids), |_| {
        "401 SESSION_ENDED".into()
    })
    .await;
}

async fn wrong_surfaces(stage: &Stage, ids: &Ids) {
    let nothing = uuid::Uuid::nil().to_string();
    let mut staff = operations::on_request_of_office();
    staff.extend(operations::of_office(ids, &nothing));
    staff.extend(operations::of_administration(ids));
    expect(
        "the citizen",
        &stage.cast.citizen_session,
        ids,
        staff,
        |operation| match operation.template {
            "/v1/messages" => "403 PLATFORM_ADMINISTRATOR_REQUIRED".into(),
            _ => "403 WRONG_SURFACE".into(),
        },
    )
    .await;
    for session in [&stage.cast.agent_session, &stage.cast.officer_session] {
        let mut own = operations::on_own_request(&nothing);
        own.extend(operations::on_own_document());
        expect("an official", session, ids, own, |_| "403 WRONG_SURFACE".into()).await;
    }
}

/// An agent and an officer of the annexe next door.
async fn another_office(stage: &mut Stage, ids: &Ids) {
    let hired = next_door(stage).await.unwrap();
    let nothing = uuid::Uuid::nil().to_string();
    for mut account in hired {
        let session = account::sign_in(&stage.cast.anyone, &mut account, "staff")
            .await
            .unwrap();
        let who = format!("the {} next door", account.role);
        let on_request = operations::on_request_of_office();
        expect(&who, &session, ids, on_request, |_| {
            "404 LEGALISATION_REQUEST_NOT_FOUND".into()
        })
        .await;
        let mut others = operations::of_office(ids, &nothing);
        others.extend(operations::of_administration(ids));
        expect(&who, &session, ids, others, elsewhere).await;
    }
}

/// What an official hears about an office that is not theirs.
fn elsewhere(operation: &Operation) -> String {
    let said = match operation.name().as_str() {
        "POST /v1/office/seal-intents" => "200 LEGALISATION_REQUEST_NOT_FOUND",
        "POST /v1/office/seals" => "200 SEAL_INTENT_NOT_FOUND",
        "POST /v1/office/seal-intents/{intent_id}/annul" => "404 SEAL_INTENT_NOT_FOUND",
        "GET /v1/messages" => "403 PLATFORM_ADMINISTRATOR_REQUIRED",
        name if [
            "claim-searches",
            "identity-proofs",
            "specimens",
            "memberships",
            "services",
            "POST /v1/offices",
            "administrations",
        ]
        .iter()
        .any(|part| name.contains(part) && !name.ends_with("credentials")) =>
        {
            "403 ROLE_REQUIRED"
        }
        _ => "404 OFFICE_NOT_FOUND",
    };
    said.to_owned()
}

/// Four eyes hold for each request and compare persons, whatever roles one person holds.
async fn four_eyes(stage: &mut Stage) {
    let office_id = stage.cast.office.office_id.clone();
    let head = stage.administrator().await.unwrap();
    let (email, role) = (stage.cast.office.officer.email.clone(), "agent");
    let membership = appoint(&head, &office_id, &email, role).await.unwrap();
    // From here on one person is agent and officer. A session made anew knows both roles.
    let cast = &mut stage.cast;
    let both = account::sign_in(&cast.anyone, &mut cast.office.officer, "staff")
        .await
        .unwrap();

    let accepted = stage.accepted().await.unwrap();
    let by_agent = stage.cast.agent_session.clone();
    assert_eq!(
        claim(&by_agent, &accepted).await,
        "403 ROLE_MISSING",
        "the agent has no part in sealing"
    );
    assert_eq!(
        authorise(&by_agent, &accepted).await,
        "200 LEGALISATION_REQUEST_NOT_FOUND"
    );
    let intents = legalisation::authorise(&stage.cast.officer_session, &[&accepted])
        .await
        .unwrap();
    let seal = json!({"intent_ids": [intents[0]["intent_id"]], "confirmation_id": new_key(), "pin": stage.cast.officer_pin});
    let answer = call(&by_agent, Method::POST, "/v1/office/seals", Some(&seal)).await;
    assert_eq!(answer.said(), "200 SEAL_INTENT_NOT_FOUND");

    let twice = stage.submitted().await.unwrap();
    legalisation::accept(&both, &office_id, &twice).await.unwrap();
    assert_eq!(
        claim(&both, &twice).await,
        "403 FOUR_EYES",
        "who accepted does not seal"
    );
    assert_eq!(authorise(&both, &twice).await, "200 FOUR_EYES");
    assert_eq!(stage.request(&twice).await.unwrap()["state"], "agent_accepted");

    let own = of_the_officer(stage).await.unwrap();
    let comparison = json!({"comparison": {
        "result": "matches", "note": "", "specimen_version": 1,
        "region_sha256": "00".repeat(32), "specimen_sha256": "00".repeat(32),
    }});
    assert_eq!(
        claim(&both, &own).await,
        "403 FOUR_EYES",
        "nobody decides on their own request"
    );
    let path = format!("/v1/office/requests/{own}/accept");
    assert_eq!(
        call(&both, Method::POST, &path, Some(&comparison)).await.said(),
        "422 CLAIM_MISSING"
    );
    legalisation::accept(&by_agent, &office_id, &own).await.unwrap();
    assert_eq!(claim(&both, &own).await, "403 FOUR_EYES");
    assert_eq!(authorise(&both, &own).await, "200 FOUR_EYES");

    // A role that has ended is refused at once, also in a session that began with it.
    let last = stage.submitted().await.unwrap();
    assert_eq!(claim(&both, &last).await, "200");
    let review = both
        .get(&format!("/v1/office/requests/{last}/review"))
        .await
        .unwrap();
    let end = format!(
        "/v1/memberships/{}/end",
        text(&membership, "/membership_id").unwrap()
    );
    head.send(Method::POST, &end, None).await.unwrap();
    let mut comparison = comparison;
    for member in ["specimen_version", "region_sha256", "specimen_sha256"] {
        comparison["comparison"][member] = review[member].clone();
    }
    let path = format!("/v1/office/requests/{last}/accept");
    assert_eq!(
        call(&both, Method::POST, &path, Some(&comparison)).await.said(),
        "403 ROLE_MISSING"
    );
    assert_eq!(stage.request(&last).await.unwrap()["state"], "submitted");
    let numbers: Vec<Value> = stage
        .register()
        .await
        .unwrap()
        .iter()
        .map(|entry| entry["number"].clone())
        .collect();
    assert_eq!(numbers, [json!(1), json!(2)], "no refusal takes a number");
}

async fn claim(session: &Api, id: &str) -> String {
    call(
        session,
        Method::PUT,
        &format!("/v1/office/requests/{id}/claim"),
        None,
    )
    .await
    .said()
}

async fn authorise(session: &Api, id: &str) -> String {
    let body = json!({"legalisation_request_ids": [id], "credential_id": null});
    call(session, Method::POST, "/v1/office/seal-intents", Some(&body))
        .await
        .said()
}

/// The officer has a signature of their own legalised, as any citizen.
async fn of_the_officer(stage: &mut Stage) -> Result<String> {
    stage.codes_again().await?;
    let cast = &mut stage.cast;
    let session = account::sign_in(&cast.anyone, &mut cast.office.officer, "citizen").await?;
    let version = account::deposit_specimen(&session).await?;
    let person = text(&session.get("/v1/me").await?, "/person_id")?.to_owned();
    let body = json!({"office_id": cast.office.office_id});
    cast.agent_session
        .post(&format!("/v1/people/{person}/specimens/{version}/proof"), &body)
        .await?;
    let id = stage.placed(&session).await?;
    legalisation::submit(&session, &mut stage.cast.office.officer, &id).await?;
    Ok(id)
}

/// Hires the people of another annexe, which opens today.
async fn next_door(stage: &mut Stage) -> Result<Vec<Account>> {
    let head = stage.administrator().await?;
    let offices = head.get("/v1/offices?page_size=100").await?;
    let other = offices["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|office| office["code"] == "CASA-HH-OULFA");
    let other = text(other.context("there is no other annexe")?, "/office_id")?.to_owned();
    let period = json!({"from": today(), "to": null});
    head.put(
        &format!("/v1/offices/{other}/services/legalisation"),
        Some(&period),
    )
    .await?;
    let mut hired = Vec::new();
    for person in people::staff() {
        let (account, _) = account::sign_up(&stage.cast.anyone, &stage.cast.inbox, &person).await?;
        office::prove(&stage.cast.agent_session, &person, &stage.cast.office.office_id).await?;
        appoint(&head, &other, &person.email, person.role).await?;
        hired.push(account);
    }
    Ok(hired)
}

async fn appoint(head: &Api, office: &str, email: &str, role: &str) -> Result<Value> {
    let body =
        json!({"email": email, "role": role, "deputy_for_membership_id": null, "from": today(), "to": null});
    head.post(&format!("/v1/offices/{office}/memberships"), &body)
        .await
}
