//! The office: each officer has a batch of what is paid drawn, and seals it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};

use super::post::Post;
use super::{Mishaps, pause};
use crate::bench::world::{World, today};
use crate::journey::account::{self, Account};
use crate::journey::api::{Api, text};
use crate::journey::order::address;
use crate::journey::{office, people};
use crate::parts::softhsm::ELECTRONIC_SEAL;

/// Officers: the platform takes a code of each authenticator every 30 seconds, for 200 documents at most.
const OFFICERS: usize = 12;
/// Documents of a batch, and lines a page of a list.
const BATCH: usize = 200;
const PAGE: usize = 100;
/// How often somebody looks for what waits.
const LOOK: Duration = Duration::from_secs(1);
/// How often an officer looks whether a batch is drawn.
const DRAWING: Duration = Duration::from_secs(3);
/// Fewer lines than this wait for more, for a moment.
const WORTH_A_CODE: usize = 150;
/// For how many looks.
const PATIENT: usize = 8;
/// Kinds that the institution seals.
const KINDS: [&str; 2] = ["birth-extract", "birth-full-copy"];

/// The office and its officers.
#[derive(Clone)]
pub(super) struct Desk {
    office_id: String,
    officers: Arc<Vec<Mutex<(Account, Api)>>>,
    queue: Arc<Mutex<()>>,
    pub(super) post: Post,
}

/// Hires the officers, and has the institution's electronic seal registered and used for every kind.
pub(super) async fn open(world: &World, orders: usize, each: usize) -> Result<Desk> {
    let office_id = world.cast.office.office_id.clone();
    world.codes_again().await?;
    let mut officers = Vec::with_capacity(OFFICERS);
    for number in 0..OFFICERS {
        let mut person = people::citizen();
        // Cards of people beside each other must differ.
        person.cin = format!("BX{number:06}");
        let cast = &world.cast;
        let (mut account, _) = account::sign_up(&cast.anyone, &cast.inbox, &person).await?;
        office::prove(&cast.agent_session, &person, &office_id).await?;
        world.appoint(&office_id, &person.email, "officer").await?;
        let session = account::sign_in(&cast.anyone, &mut account, "staff").await?;
        officers.push(Mutex::new((account, session)));
    }
    seal_electronically(world, &office_id).await?;
    let post = Post::open(world, orders).await?;
    super::super::say(&format!(
        "{OFFICERS} officers, {orders} orders of {each} acts to come"
    ));
    Ok(Desk {
        office_id,
        officers: Arc::new(officers),
        queue: Arc::default(),
        post,
    })
}

async fn seal_electronically(world: &World, office_id: &str) -> Result<()> {
    let description = &world.parts.description;
    let tokens = &description.softhsm.tokens;
    let token = tokens.iter().find(|token| token.label == ELECTRONIC_SEAL);
    let token = token.context("there is no token of the electronic seal")?;
    let chain = format!(
        "{}{}",
        std::fs::read_to_string(&token.certificate)?,
        std::fs::read_to_string(&description.trust.issuing)?
    );
    let body = json!({
        "token_label": token.label,
        "key_label": token.key_label,
        "certificate_chain_pem": chain,
        "kind": "electronic_seal",
        "authority": {
            "decision_reference": "Arrêté n° 12-26", "decision_date": today(),
            "authority_name": "Ministère de l'Intérieur", "document_kinds": KINDS, "office_ids": [],
            "valid_from": today(), "valid_to": "2099-12-31",
        },
    });
    let path = format!("/v1/offices/{office_id}/credentials");
    world
        .head
        .post(&path, &body)
        .await
        .context("registering the electronic seal")?;
    let profile = json!({
        "office_id": office_id,
        "province_ar": "عمالة مقاطعة الحي الحسني", "province_fr": "Préfecture d'arrondissement de Hay Hassani",
        "commune_ar": "جماعة الدار البيضاء", "commune_fr": "Commune de Casablanca",
        "bureau_ar": "مكتب الحالة المدنية مدينة الهواء", "bureau_fr": "Bureau d'état civil Cité de l'Air",
        "email": "bec.cite-de-l-air@example.ma", "language": "fr",
        "address": address(), "signs_by_hand": false, "electronic_seal_kinds": KINDS,
    });
    let path = format!("/v1/offices/{office_id}/civil-status-profile");
    world
        .head
        .put(&path, Some(&profile))
        .await
        .context("setting the office's profile")?;
    Ok(())
}

/// Works until everybody goes home: each officer takes a batch, and seals it.
pub(super) async fn work(desk: Desk, whole: watch::Receiver<bool>, mishaps: Arc<Mishaps>) {
    let officers = (0..OFFICERS).map(|officer| at_work(&desk, officer, whole.clone(), &mishaps));
    futures::future::join_all(officers).await;
}

async fn at_work(desk: &Desk, officer: usize, mut whole: watch::Receiver<bool>, mishaps: &Mishaps) {
    loop {
        match take_batch(desk, officer, &mut whole).await {
            Ok(0) => return,
            Ok(lines) => {
                if let Err(error) = seal_batch(desk, officer, lines, &mut whole).await {
                    mishaps.note("sealing", &error);
                }
            }
            Err(error) => {
                mishaps.note("drawing", &error);
                if !pause(&mut whole, LOOK).await {
                    return;
                }
            }
        }
    }
}

/// Has the documents of a batch of paid lines drawn, as soon as there are enough of them for an officer's code, or some have waited.
/// Answers their number: zero when everybody goes home.
async fn take_batch(desk: &Desk, officer: usize, whole: &mut watch::Receiver<bool>) -> Result<usize> {
    let session = desk.officers[officer].lock().await.1.clone();
    // One officer looks at a time: what one takes is not on the list of the next.
    let _queue = desk.queue.lock().await;
    let mut looks = 0;
    loop {
        let waiting = waiting(desk, &session).await?;
        if waiting.len() >= WORTH_A_CODE || (!waiting.is_empty() && looks >= PATIENT) {
            let body = json!({ "line_ids": waiting });
            let answer = session.post("/v1/office/prepared-documents", &body).await?;
            no_problems(&answer, "drawn")?;
            return Ok(waiting.len());
        }
        looks = if waiting.is_empty() { 0 } else { looks + 1 };
        if !pause(whole, LOOK).await {
            return Ok(0);
        }
    }
}

/// Ids of paid lines, oldest first.
async fn waiting(desk: &Desk, session: &Api) -> Result<Vec<String>> {
    let office = &desk.office_id;
    let first = format!("/v1/office/order-lines?office_id={office}&states=paid&page_size={PAGE}");
    let items = pages(session, &first).await?;
    items
        .iter()
        .map(|item| Ok(text(item, "/line/line_id")?.to_owned()))
        .collect()
}

/// Items of a list, up to a batch.
async fn pages(session: &Api, first: &str) -> Result<Vec<Value>> {
    let (mut found, mut next) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = next.filter(|_| found.len() < BATCH) {
        let mut page = session.get(&path).await?;
        let items = page["items"].as_array_mut().context("the list has no items")?;
        found.append(items);
        let token = page["next_page_token"].as_str().filter(|token| !token.is_empty());
        next = token.map(|token| format!("{first}&page_token={token}"));
    }
    found.truncate(BATCH);
    Ok(found)
}

fn no_problems(answer: &Value, done: &str) -> Result<()> {
    let problems = answer["problems"].as_array().map_or(0, Vec::len);
    ensure!(
        problems == 0,
        "{problems} documents are not {done}: {}",
        answer["problems"][0]
    );
    Ok(())
}

/// Seals the officer's documents once all of the batch are drawn.
async fn seal_batch(
    desk: &Desk,
    officer: usize,
    lines: usize,
    whole: &mut watch::Receiver<bool>,
) -> Result<()> {
    let mut officer = desk.officers[officer].lock().await;
    let (account, session) = &mut *officer;
    let office = &desk.office_id;
    let own = format!("/v1/office/issued-documents?office_id={office}&mine_only=true&page_size={PAGE}");
    let batch = loop {
        if !pause(whole, DRAWING).await {
            return Ok(());
        }
        let drawn = pages(session, &own).await?;
        if drawn.len() >= lines {
            break drawn;
        }
    };
    let digests: Vec<Value> = batch.iter().map(|item| item["digest"].clone()).collect();
    let confirmation = account::confirm(session, account, "seal", &digests).await?;
    let ids: Vec<&Value> = batch.iter().map(|item| &item["issued_document_id"]).collect();
    let body = json!({"issued_document_ids": ids, "confirmation_id": confirmation, "pin": null});
    let answer = session.post("/v1/office/issued-document-seals", &body).await?;
    no_problems(&answer, "sealed")
}
