//! Who may do what: other citizens, other offices, the wrong surface, ended sessions, four eyes.

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};
use wathiq_local::journey::account::{self, Account};
use wathiq_local::journey::api::{Api, text};
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
        let (said, wanted) = (operation.call(api, ids).await.said(), expected(&operation));
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
    expect("another citizen", &other.session, ids, requests, |_| {
        "404 LEGALISATION_REQUEST_NOT_FOUND".into()
    })
    .await;
    let documents = operations::on_own_document();
    expect("another citizen", &other.session, ids, documents, |_| {
        "404 DOCUMENT_NOT_FOUND".into()
    })
    .await;
    let mine = get(&other.session, "/v1/legalisation-requests").await;
    assert_eq!(mine.body["items"], json!([]));

    // What was the session's is nobody's after its end.
    assert_eq!(
        call(&other.session, Method::DELETE, "/v1/sessions/current", None)
            .await
            .said(),
        "204"
    );
    expect("an ended session", &other.session, ids, everything(ids), |_| {
        "401 SESSION_ENDED".into()
    })
    .await;
}

async fn wrong_surfaces(stage: &Stage, ids: &Ids) {
    let nothing = uuid::Uuid::nil().to_string();
    let mut staff = operations::on_request_of_office();
    staff.extend(operations::of_office(ids, &nothing));
    staff.extend(operations::of_administration(ids));
    expect("the citizen", &stage.cast.citizen_session, ids, staff, |operation| {
            match operation.template {
                "/v1/messages" => "403 PLATFORM_ADMINISTRATOR_REQUIRED".into(),
                _ => "403 WRONG_SURFACE".into(),
            }
        }
    })
    .await;
    for session in [&stage.cast.agent_session, &stage.cast.officer_session] {
        let mut own = operations::on_own_request(&nothing);
        own.extend(operations::on_own_document());
        expect("an official", session, ids, own, |_| "403 WRONG_SURFACE".into()).await;
    }
}

/// An agent and an officer of the annexe next door.
async fn another_office(stage: &mut Stage, ids: &Ids) {
    let (mut agent, mut officer) = next_door(stage).await.unwrap();
    let nothing = uuid::Uuid::nil().to_string();
    for account in [&mut agent, &mut officer] {
        let session = account::sign_in(&stage.cast.anyone, account, "staff")
            .await
            .unwrap();
        let mut all = operations::on_request_of_office();
        all.extend(operations::of_office(ids, &nothing));
        all.extend(operations::of_administration(ids));
        expect(
            &format!("the {} next door", account.role),
            &session,
            ids,
            all,
            |operation| operation.name(),
        )
        .await;
    }
}

/// Hires the people of another annexe, which opens today.
async fn next_door(stage: &mut Stage) -> Result<(Account, Account)> {
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
    let mut hired = hired.into_iter();
    hired.next().zip(hired.next()).context("two people are hired")
}

async fn appoint(head: &Api, office: &str, email: &str, role: &str) -> Result<Value> {
    let body =
        json!({"email": email, "role": role, "deputy_for_membership_id": null, "from": today(), "to": null});
    head.post(&format!("/v1/offices/{office}/memberships"), &body)
        .await
}
