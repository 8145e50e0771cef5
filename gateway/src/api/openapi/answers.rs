//! What operations answer beside what they say themselves: the problems, and the headers of answers.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Content, ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::partners;

/// Each status of a problem: what it means, and one of its reasons.
const PROBLEMS: [(u16, &str, &str); 14] = [
    (
        400,
        "The request is not well formed; `errors` names what is wrong.",
        "INVALID_ARGUMENT",
    ),
    (401, "No session, or one that has ended.", "SIGN_IN_REQUIRED"),
    (
        403,
        "The person may not do this, or another site made a browser send the request.",
        "NOT_ALLOWED",
    ),
    (
        404,
        "There is no such thing, or the person may not see it.",
        "NOT_FOUND",
    ),
    (408, "The body came too slowly.", "BODY_TOO_SLOW"),
    (
        409,
        "It exists already, changed meanwhile, or the key was used for another request.",
        "ETAG_STALE",
    ),
    (413, "The body is too large.", "BODY_TOO_LARGE"),
    (415, "The body is of another type.", "UNSUPPORTED_MEDIA_TYPE"),
    (
        416,
        "No byte of the file is in the range.",
        "RANGE_NOT_SATISFIABLE",
    ),
    (422, "The state of things does not allow it.", "REQUEST_STATE"),
    (
        429,
        "Too many calls, or too many files at once; `Retry-After` says when to come back.",
        "RATE_LIMITED",
    ),
    (500, "An error of the platform.", "INTERNAL"),
    (
        503,
        "A part of the platform cannot be reached; `Retry-After` says when to come back.",
        "SERVICE_UNAVAILABLE",
    ),
    (
        504,
        "The answer took too long; repeat with the same key.",
        "TIME_OUT",
    ),
];

/// Statuses that any operation may answer.
const ANY: [u16; 5] = [400, 429, 500, 503, 504];
/// Resources with a version.
const TAGGED: [&str; 5] = [
    "Person",
    "LegalisationRequest",
    "Administration",
    "Office",
    "Order",
];

/// The problems as parts of the document that operations point to.
pub(super) fn problems() -> impl Iterator<Item = (String, RefOr<Response>)> {
    PROBLEMS.into_iter().map(|(status, meaning, reason)| {
        let example = json!({
            "type": format!("https://wathiq.ma/problems/{}", reason.to_lowercase().replace('_', "-")),
            "title": "…",
            "status": status,
            "detail": "…",
            "reason": reason,
            "request_id": "0190c6f2-5f1e-7d3a-9c55-0d4a3f1b2c6e",
        });
        let mut response = problem(meaning, Some(example));
        if matches!(status, 429 | 503) {
            let wait = header("Seconds to wait before the next try.");
            response.headers.insert("Retry-After".to_owned(), wait.into());
        }
        (name(status), response.into())
    })
}

/// What the problems of a status say, for an operation that answers something else with it as well.
fn content_of(status: u16) -> Vec<(String, RefOr<Content>)> {
    let known = problems().find(|(known, _)| *known == name(status));
    match known {
        Some((_, RefOr::T(response))) => response.content.into_iter().collect(),
        _ => Vec::new(),
    }
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

fn problem(meaning: &str, example: Option<serde_json::Value>) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemDocument")))
        .example(example)
        .build();
    ResponseBuilder::new()
        .description(meaning)
        .content("application/problem+json", content)
        .build()
}

/// What an answer says where its operation has nothing of its own to add.
fn meaning(status: &str) -> &'static str {
    match status {
        "201" => "It was made.",
        "202" => "It was taken and goes on by itself.",
        "204" => "It was done.",
        "206" => "The bytes asked for.",
        _ => "What was asked for, or what has become of it.",
    }
}

pub(super) fn add(method: &str, path: &str, public: bool, operation: &mut Operation) {
    let is_file = operation.responses.responses.contains_key("206");
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
        {
            add_headers(response, is_file);
            if response.description.is_empty() {
                meaning(status).clone_into(&mut response.description);
            }
        }
    }
    if partners::is_of_payment(path) {
        add_bare(&mut operation.responses.responses);
        return;
    }
    let changes = method != "GET";
    let body = operation.request_body.is_some();
    let mut statuses = ANY.to_vec();
    // The carrier signs what it sends.
    statuses.extend((!public || path.starts_with("/v1/carrier/")).then_some(401));
    statuses.extend((!public || changes).then_some(403));
    statuses.extend(path.contains('{').then_some(404));
    if changes {
        // What a body names may be missing as well.
        statuses.extend([404, 409, 422]);
    }
    if body {
        statuses.extend([408, 413, 415]);
    }
    // What does not exist yet: a receipt before the payment, a document before its seal.
    statuses.extend((path.ends_with("/receipt") || path.ends_with("/document")).then_some(422));
    // A picture is drawn from a file that may not be drawable.
    statuses.extend(path.ends_with(".png").then_some(422));
    statuses.extend((!changes && path.contains("/confirmation-subject")).then_some(422));
    let responses = &mut operation.responses.responses;
    if is_file {
        statuses.push(416);
        let same = ResponseBuilder::new().description("The file is the one of `If-None-Match`.");
        responses.insert("304".to_owned(), same.build().into());
    }
    for status in statuses {
        match responses.get_mut(&status.to_string()) {
            Some(RefOr::T(own)) => own.content.extend(content_of(status)),
            _ => {
                let reference = Ref::from_response_name(name(status));
                responses.insert(status.to_string(), RefOr::Ref(reference));
            }
        }
    }
    let other = problem("Any other problem.", None);
    responses.insert("default".to_owned(), other.into());
}

/// What a payment provider is answered that reads a bare word with every status.
fn add_bare(responses: &mut BTreeMap<String, RefOr<Response>>) {
    let text = || {
        let word = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
        ContentBuilder::new().schema(Some(word.build())).build()
    };
    let bare = |meaning: &str| {
        let meaning = format!("`FAILURE`: {meaning}");
        let response = ResponseBuilder::new().description(meaning);
        response.content("text/plain", text()).build()
    };
    for (status, meaning, _) in PROBLEMS {
        if matches!(status, 408 | 413 | 415 | 429 | 500 | 503 | 504) {
            let mut response = bare(meaning);
            if matches!(status, 429 | 503) {
                let wait = header("Seconds to wait before the next try.");
                response.headers.insert("Retry-After".to_owned(), wait.into());
            }
            responses.insert(status.to_string(), response.into());
        }
    }
    responses.insert("default".to_owned(), bare("any other problem.").into());
}

fn add_headers(response: &mut Response, is_file: bool) {
    let mut put = |name: &str, meaning: &str| {
        response.headers.insert(name.to_owned(), header(meaning).into());
    };
    put("X-Request-Id", "Name this when asking for help.");
    put(
        "RateLimit-Policy",
        "The limit that the call counted under, and how much it grants.",
    );
    put(
        "RateLimit",
        "What is left of it, and the seconds until it is whole again.",
    );
    if is_file {
        put("ETag", "SHA-256 of the file.");
        put("Accept-Ranges", "`bytes`");
        put("Content-Disposition", "The file's name.");
    }
    let schema = response.content.values().find_map(|content| match content {
        RefOr::T(content) => match &content.schema {
            Some(RefOr::Ref(reference)) => reference.ref_location.rsplit('/').next().map(str::to_owned),
            _ => None,
        },
        RefOr::Ref(_) => None,
    });
    let schema = schema.unwrap_or_default();
    if TAGGED.contains(&schema.as_str()) {
        let meaning = "The resource's version, for `If-Match`.";
        response.headers.insert("ETag".to_owned(), header(meaning).into());
    }
    if schema.starts_with("ListingBody") {
        let meaning = "The address of the next page (RFC 8288), where there is one.";
        response.headers.insert("Link".to_owned(), header(meaning).into());
    }
}

fn header(meaning: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    HeaderBuilder::new()
        .schema(Some(text.build()))
        .description(Some(meaning))
        .build()
}
