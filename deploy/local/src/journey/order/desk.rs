//! The office of civil status: queue, paper, digitised documents, parcels.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::BOUND;
use crate::journey::account::{Account, confirm};
use crate::journey::api::{Api, text};
use crate::wait;

/// The lines of an order that wait at an office and are made in this way, `PAPER` or `DIGITISED`: their ids, as the order has them.
///
/// # Errors
/// When it is refused.
pub async fn queue(staff: &Api, office_id: &str, reference: &str, path: &str) -> Result<Vec<String>> {
    let query = format!("office_id={office_id}&reference={reference}&path={path}&page_size=100");
    let page = staff
        .get(&format!("/v1/office/order-lines?{query}"))
        .await
        .context("the queue")?;
    let mut lines = Vec::new();
    for entry in page["items"].as_array().into_iter().flatten() {
        lines.push((
            text(entry, "/line/line_reference")?,
            text(entry, "/line/line_id")?,
        ));
    }
    lines.sort_unstable();
    Ok(lines.into_iter().map(|(_, id)| id.to_owned()).collect())
}

/// Draws up a batch sheet of these lines, or of all that wait on paper. Answers the file.
///
/// # Errors
/// When it is refused.
pub async fn batch_sheet(agent: &Api, office_id: &str, lines: &[&str]) -> Result<Vec<u8>> {
    let body = json!({"office_id": office_id, "line_ids": lines});
    let sheet = agent
        .post("/v1/office/batch-sheets", &body)
        .await
        .context("drawing up a batch sheet")?;
    let path = format!(
        "/v1/office/batch-sheets/{}/file",
        text(&sheet, "/batch_sheet_id")?
    );
    agent
        .get_bytes(&path)
        .await
        .context("downloading the batch sheet")
}

/// Records that the evidence shows the relation.
///
/// # Errors
/// When it is refused.
pub async fn check_evidence(agent: &Api, line_id: &str) -> Result<()> {
    let path = format!("/v1/office/order-lines/{line_id}/entitlement");
    let body = json!({"note": "livret de famille"});
    agent
        .post(&path, &body)
        .await
        .context("checking the evidence")
        .map(|_| ())
}

/// Records what was made from paper by the barcode of its line.
///
/// # Errors
/// When it is refused.
pub async fn produce(agent: &Api, line_reference: &str, officer_person_id: &str) -> Result<Value> {
    let body = json!({"line_reference": line_reference, "officer_person_id": officer_person_id});
    agent
        .post("/v1/office/productions", &body)
        .await
        .context("recording a production")
}

/// Refuses a line; the money goes back.
///
/// # Errors
/// When it is refused itself.
pub async fn refuse(agent: &Api, line_id: &str, reason_code: &str) -> Result<()> {
    let path = format!("/v1/office/order-lines/{line_id}/refusal");
    let body =
        json!({"reason_code": reason_code, "text": "Le registre de cette année ne contient pas cet acte."});
    agent
        .post(&path, &body)
        .await
        .context("refusing a line")
        .map(|_| ())
}

/// Has the documents of lines with a digitised act drawn. Answers them once the officer may seal them.
///
/// # Errors
/// When a line cannot be prepared.
pub async fn prepare(officer: &Api, office_id: &str, lines: &[&str]) -> Result<Vec<Value>> {
    have_drawn(officer, lines).await?;
    prepared(officer, office_id, lines).await
}

/// Asks for the documents of lines with a digitised act.
///
/// # Errors
/// When a line cannot be prepared.
pub async fn have_drawn(officer: &Api, lines: &[&str]) -> Result<()> {
    let answer = officer
        .post("/v1/office/prepared-documents", &json!({ "line_ids": lines }))
        .await
        .context("preparing documents")?;
    complete(&answer)
}

/// The documents of these lines, once the officer may seal them.
///
/// # Errors
/// When they are not ready in time.
pub async fn prepared(officer: &Api, office_id: &str, lines: &[&str]) -> Result<Vec<Value>> {
    let path = format!("/v1/office/prepared-documents?office_id={office_id}&page_size=100");
    wait::until("the prepared documents", BOUND, async || {
        let page = officer.get(&path).await?;
        let all = page["items"].as_array().cloned().unwrap_or_default();
        let ours = |document: &Value| lines.iter().any(|line| document["line_id"] == *line);
        let ready =
            |document: &Value| document["digest"].is_string() && document["issued_document_id"].is_string();
        let ours: Vec<Value> = all.into_iter().filter(|document| ours(document)).collect();
        ensure!(
            ours.len() == lines.len() && ours.iter().all(ready),
            "the documents stand at {ours:?}"
        );
        Ok(ours)
    })
    .await
}

/// Confirms the digests of prepared documents and seals them with the officer's key.
///
/// # Errors
/// When a document cannot be sealed.
pub async fn seal(officer: &Api, account: &mut Account, prepared: &[Value], pin: &str) -> Result<()> {
    let confirmation = confirm_digests(officer, account, prepared).await?;
    seal_confirmed(officer, prepared, &confirmation, pin).await
}

/// Confirms the digests of prepared documents. Answers the confirmation's id.
///
/// # Errors
/// When it is refused.
pub async fn confirm_digests(officer: &Api, account: &mut Account, prepared: &[Value]) -> Result<String> {
    confirm(officer, account, "seal", &member(prepared, "digest")).await
}

/// Seals prepared documents whose digests are confirmed with the officer's key.
///
/// # Errors
/// When a document cannot be sealed.
pub async fn seal_confirmed(
    officer: &Api,
    prepared: &[Value],
    confirmation_id: &str,
    pin: &str,
) -> Result<()> {
    let body = json!({
        "issued_document_ids": member(prepared, "issued_document_id"),
        "confirmation_id": confirmation_id,
        "pin": pin,
    });
    let answer = officer
        .post("/v1/office/issued-document-seals", &body)
        .await
        .context("sealing the documents")?;
    complete(&answer)
}

fn member(documents: &[Value], name: &str) -> Vec<Value> {
    documents.iter().map(|document| document[name].clone()).collect()
}

/// The label of a parcel.
///
/// # Errors
/// When it is refused.
pub async fn label(agent: &Api, office_id: &str, shipment_id: &str) -> Result<Vec<u8>> {
    let body = json!({"office_id": office_id, "shipment_ids": [shipment_id]});
    agent
        .post_for_bytes("/v1/office/shipment-labels", &body)
        .await
        .context("printing the label")
}

/// Hands a parcel to the post by its number. Answers the deposit list.
///
/// # Errors
/// When it is refused.
pub async fn hand_over(agent: &Api, office_id: &str, tracking_number: &str) -> Result<Vec<u8>> {
    let body = json!({"office_id": office_id, "tracking_numbers": [tracking_number]});
    let answer = agent
        .post("/v1/office/hand-overs", &body)
        .await
        .context("handing the parcel over")?;
    complete(&answer)?;
    let list = text(&answer, "/deposit_list_id").context("the post has not confirmed")?;
    agent
        .get_bytes(&format!("/v1/office/deposit-lists/{list}/file"))
        .await
        .context("downloading the deposit list")
}

fn complete(answer: &Value) -> Result<()> {
    let problems = answer["problems"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    ensure!(problems.is_empty(), "not everything was done: {problems:?}");
    Ok(())
}
