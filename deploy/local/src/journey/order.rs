//! An order of civil-status documents, step by step: what a citizen orders, pays for and receives.

pub mod desk;
pub mod payer;
pub mod registry;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::api::{Api, text};
use super::record::Recorder;
use super::{Cast, pen, people};
use crate::description::{Carrier, Description};
use crate::{http, wait};

/// Longest wait for what the platform does by itself: asking another service, hearing of an event.
const BOUND: Duration = Duration::from_secs(120);

/// An order with everything that was made on the way.
pub struct Delivered {
    /// As the citizen sees it at the end.
    pub order: Value,
    pub extract: Vec<u8>,
    pub full_copy: Vec<u8>,
    pub batch_sheet: Vec<u8>,
    pub label: Vec<u8>,
    pub deposit_list: Vec<u8>,
    pub receipt: Vec<u8>,
}

/// Places of the lines in the order of the demonstration.
const EXTRACT: usize = 0;
const FULL_COPY: usize = 1;
const ON_PAPER: usize = 2;
const REFUSED: usize = 3;

impl Cast {
    /// Plays an order of four acts: an extract and a full copy of the citizen's own digitised act, an extract of their child's that
    /// is made from paper, and one of their father's that the office cannot find.
    ///
    /// # Errors
    /// When a step is refused.
    pub async fn order(&mut self, description: &Description, recorder: &mut Recorder) -> Result<Delivered> {
        let office = self.office.office_id.clone();
        let placed = recorder
            .step(
                "the citizen attaches evidence, sees the price and places an order of four acts",
                async {
                    let evidence = upload_evidence(&self.citizen_session).await?;
                    place(&self.citizen_session, &four_lines(&office, &evidence)).await
                },
            )
            .await?;
        let id = text(&placed, "/order_id")?.to_owned();
        let order = recorder
            .step(
                "the citizen pays by card on the provider's page; the order is paid",
                async { pay_order(&self.citizen_session, &id, payer::MOROCCAN).await },
            )
            .await?;
        let reference = text(&order, "/reference")?.to_owned();
        let lines = line_ids(&order)?;
        let batch_sheet = recorder
            .step(
                "the agent finds in the queue what is made from paper, and prints the batch sheet of all that waits",
                async {
                    let paper = desk::queue(&self.agent_session, &office, &reference, "PAPER").await?;
                    ensure!(paper == [lines[ON_PAPER].clone(), lines[REFUSED].clone()], "the queue has {paper:?}");
                    desk::batch_sheet(&self.agent_session, &office, &[]).await
                },
            )
            .await?;
        recorder
            .step("the officer records by its barcode what was made from paper; the agent refuses what the register does not hold", async {
                let officer = self.registrar_session.get("/v1/me").await?;
                let officer = text(&officer, "/person_id")?;
                desk::check_evidence(&self.agent_session, &lines[ON_PAPER]).await?;
                let barcode = text(&order, &format!("/lines/{ON_PAPER}/line_reference"))?;
                desk::produce(&self.registrar_session, barcode, officer).await?;
                desk::refuse(&self.agent_session, &lines[REFUSED], "ACT_NOT_FOUND").await
            })
            .await?;
        let prepared = recorder
            .step(
                "the officer finds in the queue what is digitised, and has it drawn",
                async {
                    let digitised =
                        desk::queue(&self.registrar_session, &office, &reference, "DIGITISED").await?;
                    ensure!(
                        digitised == [lines[EXTRACT].clone(), lines[FULL_COPY].clone()],
                        "the queue has {digitised:?}"
                    );
                    let digitised: Vec<&str> = digitised.iter().map(String::as_str).collect();
                    desk::prepare(&self.registrar_session, &office, &digitised).await
                },
            )
            .await?;
        recorder
            .step(
                "the officer confirms their hashes with one code and seals both",
                async {
                    desk::seal(
                        &self.registrar_session,
                        &mut self.office.registrar,
                        &prepared,
                        &self.registrar_pin,
                    )
                    .await
                },
            )
            .await?;
        let (parcel, label) = recorder
            .step("the parcel gets its number; the agent prints the label", async {
                let order = until(&self.citizen_session, &id, "the parcel's number", |order| {
                    order["parcels"][0]["tracking_number"].is_string()
                })
                .await?;
                let parcel = order["parcels"][0].clone();
                let label = desk::label(&self.agent_session, &office, text(&parcel, "/shipment_id")?).await?;
                Ok((parcel, label))
            })
            .await?;
        let number = text(&parcel, "/tracking_number")?.to_owned();
        let deposit_list = recorder
            .step(
                "the agent hands the parcel over by its number, with a deposit list",
                async { desk::hand_over(&self.agent_session, &office, &number).await },
            )
            .await?;
        let order = recorder
            .step(
                "the carrier brings it, against an identity document; the refused act is refunded",
                async {
                    deliver(&description.carrier, self.anyone.base(), &number).await?;
                    until(&self.citizen_session, &id, "delivery and refund", is_over).await
                },
            )
            .await?;
        self.collect(&order, batch_sheet, label, deposit_list, recorder)
            .await
    }

    async fn collect(
        &self,
        order: &Value,
        batch_sheet: Vec<u8>,
        label: Vec<u8>,
        deposit_list: Vec<u8>,
        recorder: &mut Recorder,
    ) -> Result<Delivered> {
        let citizen = &self.citizen_session;
        recorder
            .step(
                "the citizen downloads the sealed documents and the receipt",
                async {
                    let id = text(order, "/order_id")?;
                    let document = async |place: usize| {
                        let line = text(order, &format!("/lines/{place}/line_id"))?;
                        let path = format!("/v1/civil-status/orders/{id}/lines/{line}/document");
                        citizen
                            .get_bytes(&path)
                            .await
                            .context("downloading a sealed document")
                    };
                    let payable = text(order, "/payable_id")?;
                    Ok(Delivered {
                        order: order.clone(),
                        extract: document(EXTRACT).await?,
                        full_copy: document(FULL_COPY).await?,
                        batch_sheet,
                        label,
                        deposit_list,
                        receipt: citizen
                            .get_bytes(&format!("/v1/payments/{payable}/receipt"))
                            .await
                            .context("downloading the receipt")?,
                    })
                },
            )
            .await
    }
}

/// A name as the API takes it.
#[must_use]
pub fn name([given_latin, family_latin]: [&str; 2], [given_arabic, family_arabic]: [&str; 2]) -> Value {
    json!({
        "given_latin": given_latin, "family_latin": family_latin,
        "given_arabic": given_arabic, "family_arabic": family_arabic,
    })
}

/// The citizen's name.
#[must_use]
pub fn addressee() -> Value {
    let citizen = people::citizen();
    name(citizen.name_latin, citizen.name_arabic)
}

/// Where the citizen has the parcel sent.
#[must_use]
pub fn address() -> Value {
    json!({
        "country_code": "MA", "postal_code": "20230",
        "locality_latin": "Casablanca", "street_latin": "14, rue des Orangers", "quarter_latin": "Hay Hassani",
        "locality_arabic": "الدار البيضاء", "street_arabic": "14 زنقة أشجار البرتقال", "quarter_arabic": "الحي الحسني",
    })
}

/// A line for a birth act of this year and number, of somebody born in that year.
#[must_use]
pub fn line(
    kind: &str,
    language: &str,
    office_id: &str,
    (year, number): (i32, &str),
    person: Value,
) -> Value {
    json!({
        "document_kind": kind, "language": language, "copies": 1,
        "act": {"office_id": office_id, "kind": "birth", "year": year, "number": number, "person": person,
            "birth_date": year.to_string()},
        "relation": "oneself", "evidence_ids": [],
    })
}

/// The four acts of the demonstration.
fn four_lines(office_id: &str, evidence_id: &str) -> Vec<Value> {
    let own = |kind: &str, language: &str| {
        let act = (registry::OWN_YEAR, registry::OWN_NUMBER);
        let mut line = line(kind, language, office_id, act, addressee());
        line["act"]["part"] = registry::OWN_PART.into();
        line
    };
    let related = |relation: &str, act: (i32, &str), person: Value| {
        let mut line = line("birth-extract", "bilingual", office_id, act, person);
        line["relation"] = relation.into();
        line["evidence_ids"] = json!([evidence_id]);
        line
    };
    let daughter = name(["Yasmine", "Amrani"], ["ياسمين", "العمراني"]);
    let father = name(["Driss", "El Idrissi"], ["إدريس", "الإدريسي"]);
    vec![
        own("birth-extract", "bilingual"),
        own("birth-full-copy", "french"),
        related("parent", (2016, "812"), daughter),
        related("child", (1958, "77"), father),
    ]
}

/// Keeps a picture of the family booklet. Answers the evidence's id.
///
/// # Errors
/// When it is refused.
pub async fn upload_evidence(citizen: &Api) -> Result<String> {
    let path = "/v1/civil-status/evidence?kind=family-booklet&file_name=livret-de-famille.png";
    let picture = pen::picture(&pen::signature(0.0))?;
    let kept = citizen
        .upload(path, "image/png", picture)
        .await
        .context("attaching evidence")?;
    Ok(text(&kept, "/evidence_id")?.to_owned())
}

/// Asks for the price and places the order at it.
///
/// # Errors
/// When a step is refused.
pub async fn place(citizen: &Api, lines: &[Value]) -> Result<Value> {
    let quote = citizen
        .post(
            "/v1/civil-status/quotes",
            &json!({"lines": lines, "country_code": "MA"}),
        )
        .await
        .context("the price")?;
    let body = json!({
        "lines": lines,
        "addressee": addressee(),
        "address": address(),
        "expected_total_centimes": quote["total_centimes"],
    });
    citizen
        .post("/v1/civil-status/orders", &body)
        .await
        .context("placing the order")
}

/// Pays an order with a card and waits until all of its lines are paid. Answers the order.
///
/// # Errors
/// When a step is refused.
pub async fn pay_order(citizen: &Api, order_id: &str, card: &str) -> Result<Value> {
    let order = until(citizen, order_id, "its payable", |order| {
        order["payable_id"].is_string()
    })
    .await?;
    payer::pay(citizen, text(&order, "/payable_id")?, card).await?;
    until(citizen, order_id, "its payment", |order| {
        states(order).all(|state| state == "paid")
    })
    .await
}

/// The order, once it is as wanted.
///
/// # Errors
/// When it does not become so in time, with how it stands.
pub async fn until(
    citizen: &Api,
    order_id: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Result<Value> {
    let path = format!("/v1/civil-status/orders/{order_id}");
    wait::until(what, BOUND, async || {
        let order = citizen.get(&path).await?;
        ensure!(wanted(&order), "the order stands at {}", brief(&order));
        Ok(order)
    })
    .await
}

/// States of the order's lines.
pub fn states(order: &Value) -> impl Iterator<Item = &str> {
    let lines = order["lines"].as_array().into_iter().flatten();
    lines.map(|line| line["state"].as_str().unwrap_or_default())
}

/// Ids of the order's lines.
///
/// # Errors
/// When a line has none.
pub fn line_ids(order: &Value) -> Result<Vec<String>> {
    let lines = order["lines"].as_array().context("the order has no lines")?;
    lines
        .iter()
        .map(|line| Ok(text(line, "/line_id")?.to_owned()))
        .collect()
}

fn is_over(order: &Value) -> bool {
    let mut states = states(order);
    states.all(|state| matches!(state, "delivered" | "refunded"))
}

fn brief(order: &Value) -> String {
    let lines: Vec<&str> = states(order).collect();
    format!(
        "{} ({}), waiting for {}, parcels {}",
        order["state"],
        lines.join(", "),
        order["progress_code"],
        order["parcels"]
    )
}

/// The sandbox's carrier takes an item all the way to its addressee, and tells the platform at this address.
///
/// # Errors
/// When the carrier does not know the item, or the platform does not take what it tells.
pub async fn deliver(carrier: &Carrier, platform: &str, tracking_number: &str) -> Result<()> {
    let citizen = people::citizen();
    let recipient = citizen.name_latin.join(" ");
    let happenings = [
        json!({"happening": "in_transit", "place": "CASABLANCA CTD"}),
        json!({"happening": "at_delivery_office", "place": "CASABLANCA HAY HASSANI"}),
        json!({"happening": "delivered", "recipient_name": recipient, "document_kind": "CIN", "document_last_four": "3456"}),
    ];
    let client = http::client()?;
    let url = format!("{}/control/carrier/items/{tracking_number}/play", carrier.control);
    for mut happening in happenings {
        happening["url"] = format!("{platform}/v1/carrier/events").into();
        // The list that announces the item is on its way when the office has it in hand.
        let told: Vec<Value> = wait::until("the carrier", BOUND, async || {
            let answer = client.post(&url).json(&happening).send().await?;
            let answer = answer
                .error_for_status()
                .context("the carrier does not know the item")?;
            Ok(answer.json().await?)
        })
        .await?;
        ensure!(
            told.iter().all(|told| told["status"] == 200),
            "the platform did not take what the carrier told: {told:?}"
        );
    }
    Ok(())
}
