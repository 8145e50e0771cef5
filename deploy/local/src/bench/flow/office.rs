//! The office: what is paid is drawn, what is drawn is sealed.

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
/// Fewer documents than this wait for more, for a moment.
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

/// Works until everybody goes home.
pub(super) async fn work(desk: Desk, whole: watch::Receiver<bool>, mishaps: Arc<Mishaps>) {
    let drawing = draw(&desk, whole.clone(), &mishaps);
    let sealing = seal(&desk, whole, &mishaps);
    tokio::join!(drawing, sealing);
}

/// Has the documents of paid lines drawn, as soon as they are paid.
async fn draw(desk: &Desk, mut whole: watch::Receiver<bool>, mishaps: &Mishaps) {
    let session = desk.officers[0].lock().await.1.clone();
    loop {
        let drawn = draw_what_waits(desk, &session).await;
        match drawn {
            Ok(lines) if lines >= PAGE => continue,
            Ok(_) => {}
            Err(error) => mishaps.note("drawing", &error),
        }
        if !pause(&mut whole, LOOK).await {
            return;
        }
    }
}

async fn draw_what_waits(desk: &Desk, session: &Api) -> Result<usize> {
    let office = &desk.office_id;
    let path = format!("/v1/office/order-lines?office_id={office}&states=paid&page_size={PAGE}");
    let page = session.get(&path).await.context("the queue")?;
    let items = page["items"].as_array().context("the queue has no items")?;
    let ids: Vec<&str> = items
        .iter()
        .map(|item| text(item, "/line/line_id"))
        .collect::<Result<_>>()?;
    if ids.is_empty() {
        return Ok(0);
    }
    let body = json!({ "line_ids": ids });
    let answer = session.post("/v1/office/prepared-documents", &body).await?;
    let problems = answer["problems"].as_array().map_or(0, Vec::len);
    ensure!(
        problems == 0,
        "{problems} lines cannot be drawn: {}",
        answer["problems"][0]
    );
    Ok(ids.len())
}

/// Seals what waits, in batches that are worth an officer's code.
async fn seal(desk: &Desk, mut whole: watch::Receiver<bool>, mishaps: &Arc<Mishaps>) {
    let session = desk.officers[0].lock().await.1.clone();
    let mut under_way: Vec<(Vec<String>, tokio::task::JoinHandle<()>)> = Vec::new();
    let (mut next, mut looks) = (0, 0);
    loop {
        under_way.retain(|(_, sealing)| !sealing.is_finished());
        let taken = |id: &str| {
            under_way
                .iter()
                .any(|(ids, _)| ids.iter().any(|taken| taken == id))
        };
        let batch = match waiting(desk, &session, taken).await {
            Ok(batch) => batch,
            Err(error) => {
                mishaps.note("the list of documents to seal", &error);
                Vec::new()
            }
        };
        looks = if batch.is_empty() { 0 } else { looks + 1 };
        if batch.len() >= WORTH_A_CODE || looks > PATIENT {
            looks = 0;
            let ids = batch
                .iter()
                .map(|(id, _)| id.as_str().unwrap_or_default().to_owned());
            let ids: Vec<String> = ids.collect();
            let (desk, officer, mishaps) = (desk.clone(), next, Arc::clone(mishaps));
            next = (next + 1) % OFFICERS;
            let sealing = tokio::spawn(async move {
                if let Err(error) = seal_batch(&desk, officer, &batch).await {
                    mishaps.note("sealing", &error);
                }
            });
            under_way.push((ids, sealing));
            continue;
        }
        if !pause(&mut whole, LOOK).await {
            return;
        }
    }
}

/// Ids and digests of documents that no officer is at, oldest first.
async fn waiting(desk: &Desk, session: &Api, taken: impl Fn(&str) -> bool) -> Result<Vec<(Value, Value)>> {
    let office = &desk.office_id;
    let first = format!("/v1/office/issued-documents?office_id={office}&page_size={PAGE}");
    let (mut found, mut next) = (Vec::new(), Some(first));
    while let Some(path) = next {
        let page = session.get(&path).await?;
        for item in page["items"].as_array().into_iter().flatten() {
            if item["digest"].is_string() && !taken(text(item, "/issued_document_id")?) {
                found.push((item["issued_document_id"].clone(), item["digest"].clone()));
            }
        }
        if found.len() >= BATCH {
            found.truncate(BATCH);
            break;
        }
        let token = page["next_page_token"].as_str().filter(|token| !token.is_empty());
        next = token.map(|token| {
            format!("/v1/office/issued-documents?office_id={office}&page_size={PAGE}&page_token={token}")
        });
    }
    Ok(found)
}

async fn seal_batch(desk: &Desk, officer: usize, batch: &[(Value, Value)]) -> Result<()> {
    let mut officer = desk.officers[officer].lock().await;
    let (account, session) = &mut *officer;
    let digests: Vec<Value> = batch.iter().map(|(_, digest)| digest.clone()).collect();
    let confirmation = account::confirm(session, account, "seal", &digests).await?;
    let ids: Vec<&Value> = batch.iter().map(|(id, _)| id).collect();
    let body = json!({"issued_document_ids": ids, "confirmation_id": confirmation, "pin": null});
    let answer = session.post("/v1/office/issued-document-seals", &body).await?;
    let problems = answer["problems"].as_array().map_or(0, Vec::len);
    ensure!(
        problems == 0,
        "{problems} documents are not sealed: {}",
        answer["problems"][0]
    );
    Ok(())
}
