//! A legalisation, step by step: upload, placing, confirmation, comparison, seal, delivery, verification.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::account::{Account, confirm};
use super::api::{Api, text};
use super::pen;

/// Where a citizen puts their signature: points from the top left of the page as shown.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    pub page_number: i64,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// The smallest mark that the platform takes, in points.
const SMALLEST: (f64, f64) = (30.0, 10.0);

impl Spot {
    /// A place near the foot of an uploaded document's last page. On a page too small for any mark it reaches beyond the page,
    /// which the platform refuses.
    ///
    /// # Errors
    /// When the document's description lacks its pages.
    pub fn near_the_foot(document: &Value) -> Result<Self> {
        let pages = document["pages"]
            .as_array()
            .filter(|pages| !pages.is_empty())
            .context("the document has no pages")?;
        let last = &pages[pages.len() - 1];
        let side = |name: &str| {
            last[name]
                .as_f64()
                .with_context(|| format!("the page has no {name}"))
        };
        let (page_width, page_height) = (side("width")?, side("height")?);
        let width = (page_width * 0.35).clamp(SMALLEST.0, 180.0);
        let height = (page_height * 0.12).clamp(SMALLEST.1, 56.0);
        Ok(Self {
            page_number: i64::try_from(pages.len())?,
            x: (page_width * 0.55).min(page_width - width).max(0.0),
            y: (page_height * 0.8).min(page_height - height).max(0.0),
            width,
            height,
        })
    }
}

/// Uploads a file. A refusal is an [`super::api::Refused`] with the gateway's problem document.
///
/// # Errors
/// When the file is refused.
pub async fn upload(citizen: &Api, name: &str, bytes: Vec<u8>) -> Result<Value> {
    let mut url: reqwest::Url = "http://gateway/v1/documents".parse()?;
    url.query_pairs_mut().append_pair("file_name", name);
    let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    citizen.upload(&path, "application/pdf", bytes).await
}

/// Opens a request for an uploaded document and places the signature. Answers the request.
///
/// # Errors
/// When a step is refused.
pub async fn place(
    citizen: &Api,
    document: &Value,
    office_id: &str,
    administration_id: &str,
    spot: Spot,
) -> Result<Value> {
    let body = json!({
        "document_id": document["document_id"],
        "office_id": office_id,
        "document_kind": "contract",
        "capacity": "oneself",
        "destination": {"kind": "enrolled_administration", "administration_id": administration_id, "name": null},
        "mandatary": null,
    });
    let request = citizen
        .post("/v1/legalisation-requests", &body)
        .await
        .context("opening the request")?;
    let id = text(&request, "/legalisation_request_id")?;
    let mut placement = json!({
        "page_number": spot.page_number,
        "rectangle": {"x": spot.x, "y": spot.y, "width": spot.width, "height": spot.height},
    });
    // A certified document takes no drawing: the citizen's signature stands in it already.
    if ["existing_field", "invisible_field"]
        .iter()
        .any(|policy| document["seal_policy"] == *policy)
    {
        placement["standing"] = true.into();
    } else {
        placement["drawn"] = pen::drawn(&pen::signature(0.3));
    }
    citizen
        .put(
            &format!("/v1/legalisation-requests/{id}/placement"),
            Some(&placement),
        )
        .await
        .context("placing the signature")
}

/// The citizen confirms with the second factor; the request reaches the office. Answers the request.
///
/// # Errors
/// When a step is refused.
pub async fn submit(citizen: &Api, account: &mut Account, request_id: &str) -> Result<Value> {
    let path = format!("/v1/legalisation-requests/{request_id}");
    let subject = citizen
        .get(&format!("{path}/confirmation-subject"))
        .await
        .context("what is to be confirmed")?;
    let confirmation = confirm(citizen, account, "legalise", &[subject["hash"].clone()]).await?;
    citizen
        .post(
            &format!("{path}/confirm"),
            &json!({"confirmation_id": confirmation}),
        )
        .await
        .context("confirming the request")
}

/// The agent claims the request, compares and accepts. Answers the review, pictures and all.
///
/// # Errors
/// When a step is refused.
pub async fn accept(agent: &Api, office_id: &str, request_id: &str) -> Result<Value> {
    let queue = agent
        .get(&format!("/v1/office/queue?office_id={office_id}&page_size=100"))
        .await
        .context("the queue")?;
    let waits = queue["items"].as_array().is_some_and(|entries| {
        entries
            .iter()
            .any(|entry| entry["legalisation_request"]["legalisation_request_id"] == request_id)
    });
    if !waits {
        bail!("the request does not stand in the agents' queue");
    }
    claim(agent, request_id).await?;
    let path = format!("/v1/office/requests/{request_id}");
    let review = agent.get(&format!("{path}/review")).await.context("the review")?;
    let comparison = json!({
        "result": "matches",
        "note": "",
        "specimen_version": review["specimen_version"],
        "region_sha256": review["region_sha256"],
        "specimen_sha256": review["specimen_sha256"],
    });
    agent
        .post(&format!("{path}/accept"), &json!({ "comparison": comparison }))
        .await
        .context("accepting the request")?;
    Ok(review)
}

/// The officer authorises. Answers the intents: register numbers and the digests to confirm.
///
/// # Errors
/// When a step is refused or one request cannot be authorised.
pub async fn authorise(officer: &Api, request_ids: &[&str]) -> Result<Vec<Value>> {
    for request_id in request_ids {
        claim(officer, request_id).await?;
    }
    let body = json!({"legalisation_request_ids": request_ids, "credential_id": null});
    let answer = officer
        .post("/v1/office/seal-intents", &body)
        .await
        .context("authorising the seal")?;
    complete(&answer)?;
    Ok(answer["intents"].as_array().cloned().unwrap_or_default())
}

/// Claims a request for a member of the staff.
///
/// # Errors
/// When somebody else holds it.
pub async fn claim(staff: &Api, request_id: &str) -> Result<()> {
    staff
        .put(&format!("/v1/office/requests/{request_id}/claim"), None)
        .await
        .context("claiming the request")
        .map(|_| ())
}

/// The officer confirms the digests and seals with the PIN. Answers the requests.
///
/// # Errors
/// When a step is refused or one request cannot be sealed.
pub async fn seal(officer: &Api, account: &mut Account, intents: &[Value], pin: &str) -> Result<Vec<Value>> {
    let answer = seal_some(officer, account, intents, pin).await?;
    complete(&answer)?;
    Ok(answer["legalisation_requests"]
        .as_array()
        .cloned()
        .unwrap_or_default())
}

/// As [`seal`], but answers which requests were sealed and which were not.
///
/// # Errors
/// When the whole batch is refused.
pub async fn seal_some(officer: &Api, account: &mut Account, intents: &[Value], pin: &str) -> Result<Value> {
    let digests: Vec<Value> = intents
        .iter()
        .flat_map(|intent| intent["digests"].as_array().cloned().unwrap_or_default())
        .collect();
    let ids: Vec<Value> = intents.iter().map(|intent| intent["intent_id"].clone()).collect();
    let confirmation = confirm(officer, account, "seal", &digests).await?;
    let body = json!({"intent_ids": ids, "confirmation_id": confirmation, "pin": pin});
    officer.post("/v1/office/seals", &body).await.context("sealing")
}

fn complete(answer: &Value) -> Result<()> {
    match answer["problems"].as_array().map(Vec::as_slice) {
        None | Some([]) => Ok(()),
        Some(problems) => bail!("not everything was done: {problems:?}"),
    }
}

/// Downloads a sealed file: `document` or `legalisation_page`.
///
/// # Errors
/// When it is refused.
pub async fn download(citizen: &Api, request_id: &str, kind: &str) -> Result<Vec<u8>> {
    citizen
        .get_bytes(&format!("/v1/legalisation-requests/{request_id}/files/{kind}"))
        .await
        .with_context(|| format!("downloading the {kind}"))
}

/// Verifies a file by upload, without an account.
///
/// # Errors
/// When it is refused.
pub async fn verify(anyone: &Api, bytes: Vec<u8>) -> Result<Value> {
    anyone
        .upload("/v1/verification", "application/pdf", bytes)
        .await
        .context("verification by upload")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{SMALLEST, Spot};

    fn spot(width: f64, height: f64) -> Spot {
        let pages = json!([{"width": 595.0, "height": 842.0}, {"width": width, "height": height}]);
        Spot::near_the_foot(&json!({ "pages": pages })).unwrap()
    }

    #[test]
    fn a_mark_lies_within_its_page_and_covers_no_more_than_half_of_it() {
        for (width, height) in [
            (595.276, 841.89),
            (40.0, 30.0),
            (2000.0, 20.0),
            (30.0, 20.0),
            (60.0, 10.0),
        ] {
            let spot = spot(width, height);
            assert_eq!(spot.page_number, 2);
            assert!(spot.width >= SMALLEST.0 && spot.height >= SMALLEST.1, "{spot:?}");
            assert!(spot.x >= 0.0 && spot.x + spot.width <= width, "{spot:?}");
            assert!(spot.y >= 0.0 && spot.y + spot.height <= height, "{spot:?}");
            assert!(spot.width * spot.height * 2.0 <= width * height, "{spot:?}");
        }
    }

    #[test]
    fn a_page_too_small_for_any_mark_gets_one_that_is_refused() {
        let spot = spot(3.0, 3.0);
        assert_eq!((spot.x, spot.y), (0.0, 0.0));
        assert!(spot.width > 3.0 && spot.height > 3.0, "{spot:?}");
    }
}
