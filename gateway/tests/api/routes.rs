//! The document, the routes and the services' methods are one and the same list.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use axum::body::Body;
use http::{StatusCode, header};
use serde_json::Value;

use crate::harness::{Edge, KEY, ORIGIN, request, signed_in};
use crate::stub::{EXCHANGE, all_methods};

/// Methods of services that no route of the API reaches, and why.
const NOT_FOR_PROGRAMS: &[(&str, &str)] = &[
    (
        "/wathiq.identity.v1.SessionService/ExchangeSession",
        "the gateway's own call for every session",
    ),
    (
        "/wathiq.identity.v1.DirectoryService/TakeQuota",
        "the gateway's own call for every limit",
    ),
    (
        "/wathiq.identity.v1.DirectoryService/ListVerificationKeys",
        "between services",
    ),
    (
        "/wathiq.identity.v1.DirectoryService/GetAuthorization",
        "between services",
    ),
    (
        "/wathiq.identity.v1.DirectoryService/GetPersonForService",
        "between services",
    ),
    (
        "/wathiq.identity.v1.DirectoryService/TakeDelivery",
        "between services",
    ),
    (
        "/wathiq.identity.v1.DirectoryService/GetAdministration",
        "between services",
    ),
    (
        "/wathiq.identity.v1.SpecimenService/GetSpecimenForReview",
        "between services",
    ),
    (
        "/wathiq.identity.v1.ConfirmationService/RedeemConfirmation",
        "between services",
    ),
    (
        "/wathiq.signature.v1.IssuedDocumentService/DepositIssuedDocument",
        "between services",
    ),
    (
        "/wathiq.signature.v1.IssuedDocumentService/GetIssuedDocument",
        "between services",
    ),
    (
        "/wathiq.signature.v1.IssuedDocumentService/DownloadIssuedDocument",
        "between services",
    ),
    (
        "/wathiq.signature.v1.IssuedDocumentService/WithdrawIssuedDocument",
        "between services",
    ),
    (
        "/wathiq.signature.v1.IssuedDocumentService/ListIssuedDocuments",
        "between services",
    ),
    (
        "/wathiq.payment.v1.ProviderService/ReceiveReturn",
        "a browser's way back, which leads to a page",
    ),
];

/// One operation of the document.
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) template: String,
    pub(crate) path: String,
    pub(crate) content: Option<(String, Value)>,
    pub(crate) needs_key: bool,
    pub(crate) public: bool,
    /// Posted by a partner, who has no session.
    pub(crate) partner: bool,
}

pub(crate) fn operations(edge: &Edge) -> Vec<Operation> {
    let document = serde_json::to_value(&edge.document).unwrap();
    let mut operations = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let content = operation["requestBody"]["content"]
                .as_object()
                .and_then(|content| {
                    let (kind, media) = content.iter().next()?;
                    Some((kind.clone(), media["example"].clone()))
                });
            let parameters = operation["parameters"].as_array();
            let mut path = filled(template);
            let required = |parameter: &&Value| parameter["in"] == "query" && parameter["required"] == true;
            for (index, parameter) in parameters.into_iter().flatten().filter(required).enumerate() {
                let separator = if index == 0 { '?' } else { '&' };
                path = format!("{path}{separator}{}=1", parameter["name"].as_str().unwrap());
            }
            operations.push(Operation {
                method: method.to_uppercase(),
                template: template.clone(),
                path,
                content,
                needs_key: parameters
                    .into_iter()
                    .flatten()
                    .any(|it| it["name"] == "Idempotency-Key" && it["required"] == true),
                public: !operation["security"].to_string().contains("session"),
                partner: operation["tags"][0] == "partners",
            });
        }
    }
    operations
}

fn filled(template: &str) -> String {
    template
        .split('/')
        .map(|part| match part {
            "{kind}" => "document",
            "{service}" => "legalisation",
            "{provider}" => "cmi",
            "{version}" | "{page_number}" => "1",
            part if part.starts_with('{') => "0190c6f2-0000-7000-8000-000000000000",
            part => part,
        })
        .collect::<Vec<_>>()
        .join("/")
}

pub(crate) fn call(operation: &Operation) -> http::Request<Body> {
    let mut built = signed_in(&operation.method, &operation.path).header("idempotency-key", KEY);
    let body = match &operation.content {
        Some((kind, body)) if kind == "application/json" => {
            built = built.header(header::CONTENT_TYPE, kind);
            Body::from(body.to_string())
        }
        Some((kind, _)) => {
            built = built.header(header::CONTENT_TYPE, kind);
            Body::from("%PDF-1.7")
        }
        None => Body::empty(),
    };
    built.body(body).unwrap()
}

#[tokio::test]
async fn every_operation_leads_to_one_method_and_every_method_is_reached() {
    let edge = Edge::start().await;
    let mut reached: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for operation in operations(&edge) {
        edge.stub.forget();
        let reply = edge.send(call(&operation)).await;
        let name = format!("{} {}", operation.method, operation.template);
        let work = edge.stub.work();
        let paths: BTreeSet<String> = work.iter().map(|call| call.path.clone()).collect();
        assert_eq!(
            paths.len(),
            1,
            "{name} answered {} {} and called {paths:?}",
            reply.status,
            reply.text()
        );
        for call in &work {
            let expected = (!operation.partner).then_some("Bearer access-token");
            let token = call.headers.get(header::AUTHORIZATION);
            assert_eq!(token.map(|token| token.to_str().unwrap()), expected, "{name}");
        }
        reached
            .entry(paths.into_iter().next().unwrap())
            .or_default()
            .push(name);
    }
    let exceptions: BTreeSet<&str> = NOT_FOR_PROGRAMS.iter().map(|(path, _)| *path).collect();
    for path in all_methods() {
        let known = exceptions.contains(path.as_str());
        assert!(
            known != reached.contains_key(&path),
            "{path}: reached by {:?}",
            reached.get(&path)
        );
    }
}

#[tokio::test]
async fn whatever_changes_something_asks_for_an_idempotency_key() {
    let edge = Edge::start().await;
    for operation in operations(&edge) {
        let mut request = call(&operation);
        request.headers_mut().remove("idempotency-key");
        let reply = edge.send(request).await;
        let refused = reply.status == StatusCode::BAD_REQUEST
            && reply.problem()["errors"][0]["reason"] == "IDEMPOTENCY_KEY_MISSING";
        assert_eq!(
            refused, operation.needs_key,
            "{} {}",
            operation.method, operation.template
        );
    }
}

#[tokio::test]
async fn without_a_session_only_public_operations_work() {
    let edge = Edge::start().await;
    for operation in operations(&edge) {
        edge.stub.forget();
        let mut request = call(&operation);
        request.headers_mut().remove(header::AUTHORIZATION);
        let reply = edge.send(request).await;
        let name = format!("{} {}", operation.method, operation.template);
        if operation.public {
            assert_ne!(reply.status, StatusCode::UNAUTHORIZED, "{name}");
        } else {
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{name}");
            if operation.method != "HEAD" {
                assert_eq!(reply.reason(), "SIGN_IN_REQUIRED", "{name}");
            }
            assert!(edge.stub.work().is_empty(), "{name} called a service");
        }
    }
}

#[tokio::test]
async fn no_operation_changes_anything_for_a_cookie_that_another_site_sends() {
    let edge = Edge::start().await;
    let with_cookie = async |mut request: http::Request<Body>, origin: &'static str, site: &'static str| {
        let headers = request.headers_mut();
        headers.remove(header::AUTHORIZATION);
        headers.insert(
            header::COOKIE,
            "__Host-wathiq-session=session-secret".parse().unwrap(),
        );
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        headers.insert("sec-fetch-site", site.parse().unwrap());
        edge.stub.forget();
        edge.send(request).await
    };
    let mut tried = 0;
    for operation in operations(&edge)
        .iter()
        .filter(|operation| !matches!(operation.method.as_str(), "GET" | "HEAD"))
    {
        if operation.partner {
            // Another site's by nature; the cookie is not looked at.
            let reply = with_cookie(call(operation), "https://evil.test", "cross-site").await;
            assert_ne!(reply.status, StatusCode::FORBIDDEN, "{}", operation.template);
            assert!(edge.stub.calls(EXCHANGE).is_empty(), "{}", operation.template);
            continue;
        }
        let name = format!("{} {}", operation.method, operation.template);
        for (origin, site) in [
            ("https://evil.test", "cross-site"),
            (ORIGIN, "same-site"),
            ("null", "same-origin"),
        ] {
            let reply = with_cookie(call(operation), origin, site).await;
            assert_eq!(reply.reason(), "CROSS_SITE_REQUEST", "{name}");
            assert!(edge.stub.work().is_empty(), "{name} called a service");
            assert!(
                edge.stub.calls(EXCHANGE).is_empty(),
                "{name} asked for the session"
            );
        }
        let own = with_cookie(call(operation), ORIGIN, "same-origin").await;
        assert_ne!(own.status, StatusCode::FORBIDDEN, "{name}");
        let mut bearer = call(operation);
        bearer
            .headers_mut()
            .insert(header::ORIGIN, "https://other.test".parse().unwrap());
        edge.stub.forget();
        assert_ne!(
            edge.send(bearer).await.status,
            StatusCode::FORBIDDEN,
            "{name} as Bearer"
        );
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
    for path in [
        "/sign-in",
        "/sign-in/second-factor",
        "/sign-out",
        "/verify",
        "/contact",
        "/contact/codes",
        "/payments/p/start",
        "/office/scan",
        "/office/hand-over",
        "/office/batch-sheets",
        "/office/lines/l/refusal",
        "/office/lines/l/correction",
        "/office/lines/l/assignment",
        "/office/lines/l/act",
        "/office/lines/l/entitlement",
        "/office/lines/l/preparation",
    ] {
        let request = request("POST", path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let reply = with_cookie(
            request.body(Body::empty()).unwrap(),
            "https://evil.test",
            "cross-site",
        )
        .await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
        assert!(edge.stub.work().is_empty(), "{path}");
    }
}

/// Judged by the schema that the OpenAPI Initiative publishes.
fn conforms(document: &Value) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), document.to_string()).unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let judged = Command::new(format!("{root}/.local/tools/node/node_modules/.bin/validate-api"))
        .arg(file.path())
        .output()
        .unwrap();
    assert!(
        judged.status.success(),
        "{}{}",
        String::from_utf8_lossy(&judged.stdout),
        String::from_utf8_lossy(&judged.stderr)
    );
}

#[tokio::test]
async fn the_document_is_served_and_is_openapi_3_1() {
    let edge = Edge::start().await;
    let reply = edge.get("/openapi.json").await;
    assert_eq!(reply.status, StatusCode::OK);
    let document = reply.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    conforms(&document);
    assert_eq!(document, serde_json::to_value(&edge.document).unwrap());
    let mut names = BTreeSet::new();
    for operation in document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap())
    {
        let (_, operation) = operation;
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{operation}"
        );
        assert!(
            names.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{operation}"
        );
        assert!(operation["responses"]["default"].is_object(), "{operation}");
    }
    let reset = "/v1/password-resets/{password_reset_id}/completion";
    let reset = &document["paths"][reset]["post"]["requestBody"]["content"]["application/json"];
    assert_eq!(reset["example"]["code"], "7K2M-9QXF-4TRB");
    assert!(document["paths"]["/v1/documents/{document_id}/content"]["head"].is_object());
    for reference in references(&document) {
        assert!(
            document.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference} leads nowhere"
        );
    }
    let page = edge
        .send(request("GET", "/docs").body(Body::empty()).unwrap())
        .await;
    assert_eq!(page.status, StatusCode::OK);
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(page.text().contains(path), "{path} is not on the page");
    }
}

fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if name == "$ref" => vec![text.clone()],
                value => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
