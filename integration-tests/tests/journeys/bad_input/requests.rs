//! Requests with wrong fields, wrong places for a signature, and repeats that are none.

use reqwest::Method;
use serde_json::{Value, json};
use wathiq_local::journey::api::{new_key, text};
use wathiq_local::journey::{CONTRACT, pen};

use super::{Table, upload};
use crate::calls::{call, keyed, receive};
use crate::files::File;
use crate::stage::Stage;

pub(super) async fn openings(stage: &Stage) {
    let api = &stage.cast.citizen_session;
    let right = stage.opening().await.unwrap();
    let with = |member: &str, value: Value| {
        let mut body = right.clone();
        body[member] = value;
        body
    };
    let offices = api.get("/v1/offices?page_size=100").await.unwrap();
    let closed = offices["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|office| office["code"] == "CASA-HH-OULFA")
        .unwrap();
    let unknown = json!("01a20000-0000-7000-8000-000000000000");
    let enrolled = json!({"kind": "enrolled_administration", "administration_id": unknown, "name": null});
    let cases = [
        (
            with("office_id", unknown.clone()),
            "400 INVALID_ARGUMENT /office_id OFFICE_UNKNOWN",
        ),
        (
            with("office_id", json!("annexe")),
            "400 INVALID_ARGUMENT /office_id MALFORMED",
        ),
        (
            with("office_id", closed["office_id"].clone()),
            "422 OFFICE_NOT_OPEN",
        ),
        (with("document_id", unknown.clone()), "404 DOCUMENT_NOT_FOUND"),
        (
            with("document_kind", json!("letter")),
            "400 INVALID_ARGUMENT /document_kind DOCUMENT_KIND_UNKNOWN",
        ),
        (
            with("document_kind", json!("procuration")),
            "400 INVALID_ARGUMENT /mandatary REQUIRED",
        ),
        (
            with("document_kind", json!("procuration_real_estate")),
            "422 REAL_ESTATE_PROCURATION",
        ),
        (
            with("capacity", json!("organisation")),
            "422 ORGANISATIONS_NOT_ENROLLED",
        ),
        (
            with("capacity", json!("nobody")),
            "400 INVALID_ARGUMENT /capacity MALFORMED",
        ),
        (
            with("destination", enrolled),
            "400 INVALID_ARGUMENT /destination/administration_id ADMINISTRATION_UNKNOWN",
        ),
        (
            with("surprise", json!(1)),
            "400 INVALID_ARGUMENT /surprise UNKNOWN_FIELD",
        ),
        (json!({}), "400 INVALID_ARGUMENT /document_id REQUIRED"),
    ];
    let mut table = Table::default();
    for (body, expected) in cases {
        let answer = call(api, Method::POST, "/v1/legalisation-requests", Some(&body)).await;
        table.add(answer.said(), expected, &body);
    }
    table.holds();
    assert_eq!(
        api.get("/v1/legalisation-requests").await.unwrap()["items"],
        json!([])
    );
}

pub(super) async fn placements(stage: &Stage) {
    let api = &stage.cast.citizen_session;
    let id = stage.draft().await.unwrap();
    let path = format!("/v1/legalisation-requests/{id}/placement");
    let before = stage.request(&id).await.unwrap();
    let drawn = || pen::drawn(&pen::signature(0.3));
    let at = |page: i64, x: f64, y: f64, width: f64, height: f64| json!({"page_number": page, "rectangle": {"x": x, "y": y, "width": width, "height": height}, "drawn": drawn()});
    let mut both = at(1, 100.0, 100.0, 100.0, 40.0);
    both["standing"] = json!(true);
    let mut neither = at(1, 100.0, 100.0, 100.0, 40.0);
    neither.as_object_mut().unwrap().remove("drawn");
    let cases = [
        (
            at(1, 500.0, 100.0, 200.0, 60.0),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_OUTSIDE_PAGE",
        ),
        (
            at(1, -1.0, 100.0, 200.0, 60.0),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_OUTSIDE_PAGE",
        ),
        (
            at(1, 100.0, 100.0, 5.0, 5.0),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_TOO_SMALL",
        ),
        (
            at(1, 10.0, 10.0, 500.0, 800.0),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_TOO_LARGE",
        ),
        (
            at(99, 100.0, 100.0, 200.0, 60.0),
            "400 INVALID_ARGUMENT /placement/page_number PAGE_UNKNOWN",
        ),
        (
            at(0, 100.0, 100.0, 200.0, 60.0),
            "400 INVALID_ARGUMENT /placement/page_number PAGE_UNKNOWN",
        ),
        (
            at(1, 1e300, 1e300, 1e300, 1e300),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_MALFORMED",
        ),
        (both, "400 INVALID_ARGUMENT /drawn ONE_MARK"),
        (neither, "400 INVALID_ARGUMENT /drawn ONE_MARK"),
    ];
    let mut table = Table::default();
    for (body, expected) in cases {
        let answer = call(api, Method::PUT, &path, Some(&body)).await;
        table.add(answer.said(), expected, &body["rectangle"]);
    }
    table.holds();
    let stale = api
        .request(Method::PUT, &path)
        .header("idempotency-key", new_key())
        .header("if-match", "\"7\"");
    assert_eq!(
        receive(stale.json(&at(1, 100.0, 100.0, 100.0, 40.0)))
            .await
            .said(),
        "409 REQUEST_CHANGED"
    );
    assert_eq!(stage.request(&id).await.unwrap(), before);
}

pub(super) async fn repeats(stage: &Stage) {
    let api = &stage.cast.citizen_session;
    let body = stage.opening().await.unwrap();
    let path = "/v1/legalisation-requests";
    let without = receive(api.request(Method::POST, path).json(&body)).await;
    assert_eq!(
        without.said(),
        "400 INVALID_ARGUMENT #header/Idempotency-Key IDEMPOTENCY_KEY_MISSING"
    );
    let malformed = keyed(api, Method::POST, path, "once", Some(&body)).await;
    assert_eq!(
        malformed.said(),
        "400 INVALID_ARGUMENT #header/Idempotency-Key MALFORMED"
    );

    let key = new_key();
    let first = keyed(api, Method::POST, path, &key, Some(&body)).await;
    assert_eq!(first.said(), "201");
    assert_eq!(keyed(api, Method::POST, path, &key, Some(&body)).await, first);
    let mut changed = body.clone();
    changed["destination"]["name"] = json!("Une autre société");
    let id = text(&first.body, "/legalisation_request_id").unwrap();
    let before = stage.request(id).await.unwrap();
    assert_eq!(
        keyed(api, Method::POST, path, &key, Some(&changed)).await.said(),
        "409 REQUEST_ID_REUSED"
    );
    assert_eq!(stage.request(id).await.unwrap(), before);

    let key = new_key();
    let first = upload(api, &key, "application/pdf", CONTRACT.to_vec()).await;
    assert_eq!(
        upload(api, &key, "application/pdf", CONTRACT.to_vec()).await,
        first
    );
    let other = upload(api, &key, "application/pdf", File::plain().bytes()).await;
    assert_eq!(other.said(), "409 REQUEST_ID_REUSED");
}
