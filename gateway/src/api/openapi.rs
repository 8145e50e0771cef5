//! The OpenAPI document: what the handlers do not say one by one is added here for all of them.

use utoipa::PartialSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Schema, SecurityRequirement};

use crate::language::keys;
use crate::problem::{FieldProblem, ProblemDocument};
use crate::session::COOKIE;

mod answers;
mod examples;
mod parameters;
mod reasons;

/// Operations that change something and yet need no `Idempotency-Key`: an answer with a secret is never repeated, and
/// searching, pricing and verifying change nothing, and partners name their messages themselves.
pub(crate) const WITHOUT_KEY: &[(&str, &str)] = &[
    ("POST", "/v1/sessions"),
    ("POST", "/v1/sessions/second-factor"),
    ("POST", "/v1/verification"),
    ("POST", "/v1/offices/{office_id}/claim-searches"),
    ("POST", "/v1/civil-status/quotes"),
    ("POST", "/v1/office/act-searches"),
    ("POST", "/v1/office/shipment-labels"),
    ("POST", "/callbacks/payments/{provider}"),
    ("POST", "/v1/carrier/events"),
    ("POST", "/v1/carrier/event-files"),
];

/// Those of them that take an `Idempotency-Key` all the same.
const OPTIONAL_KEY: &[(&str, &str)] = &[("POST", "/v1/sessions"), ("POST", "/v1/sessions/second-factor")];

/// Operations that check the version they change.
const VERSIONED: &[(&str, &str)] = &[
    ("PATCH", "/v1/me"),
    (
        "PUT",
        "/v1/legalisation-requests/{legalisation_request_id}/placement",
    ),
    ("PATCH", "/v1/administrations/{administration_id}"),
    ("POST", "/v1/civil-status/orders/{order_id}/cancellation"),
    ("PUT", "/v1/civil-status/orders/{order_id}/address"),
    (
        "PUT",
        "/v1/civil-status/orders/{order_id}/lines/{line_id}/correction",
    ),
];

/// Operations that anyone may call.
pub(crate) const PUBLIC: &[(&str, &str)] = &[
    ("POST", "/v1/sign-ups"),
    ("POST", "/v1/sign-ups/{sign_up_id}/contact-proofs"),
    ("POST", "/v1/sign-ups/{sign_up_id}/codes"),
    ("GET", "/v1/code-deliveries/{delivery_id}"),
    ("POST", "/v1/password-resets"),
    ("POST", "/v1/password-resets/{password_reset_id}/completion"),
    ("POST", "/v1/sessions"),
    ("POST", "/v1/sessions/second-factor"),
    ("GET", "/v1/catalogue"),
    ("GET", "/v1/offices"),
    ("GET", "/v1/offices/{office_id}"),
    ("GET", "/v1/administrations"),
    ("POST", "/v1/verification"),
    ("GET", "/v1/verification/{code}"),
    ("GET", "/v1/links/{token}"),
    ("GET", "/v1/links/{token}/files/{kind}"),
    ("POST", "/v1/contact-sessions"),
    ("POST", "/v1/contact-sessions/{contact_session_id}/completion"),
    ("GET", "/v1/civil-status/catalogue"),
    ("GET", "/v1/civil-status/offices"),
    ("POST", "/v1/civil-status/quotes"),
    ("GET", "/v1/tracking/{tracking_id}"),
    ("POST", "/callbacks/payments/{provider}"),
    ("POST", "/v1/carrier/events"),
    ("POST", "/v1/carrier/event-files"),
];

pub(super) fn frame() -> OpenApi {
    let description = "Every error is a problem document (RFC 9457). Lists are paged with `page_size` and \
        `page_token`. `Idempotency-Key` makes a repeated call answer what the first one did. Resources with an `etag` \
        take it back in `If-Match`.";
    let info = InfoBuilder::new()
        .title("Wathiq")
        .description(Some(description))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// Adds what holds for every operation.
pub(super) fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    components
        .schemas
        .insert("ProblemDocument".to_owned(), ProblemDocument::schema());
    components
        .schemas
        .insert("FieldProblem".to_owned(), FieldProblem::schema());
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The session's secret, for programs."))
        .build();
    components.add_security_scheme("session", SecurityScheme::Http(bearer));
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        COOKIE,
        "The same secret, for browsers.",
    ));
    components.add_security_scheme("session_cookie", SecurityScheme::ApiKey(cookie));
    let signature = ApiKey::Header(ApiKeyValue::with_description(
        "webhook-signature",
        "Signature of the body with the carrier's secret (Standard Webhooks).",
    ));
    components.add_security_scheme("carrier_signature", SecurityScheme::ApiKey(signature));
    name_reasons(components);
    components.responses.extend(answers::problems());
    each_operation(document, complete_operation);
    add_heads(document);
    examples::add(document);
}

/// The stable codes of problems are those that the catalogue has texts for: a test keeps it complete.
fn name_reasons(components: &mut Components) {
    for (schema, section) in [("ProblemDocument", "problem."), ("FieldProblem", "field.")] {
        let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(schema) else {
            continue;
        };
        if let Some(RefOr::T(Schema::Object(reason))) = object.properties.get_mut("reason") {
            let codes: Vec<String> = keys(section).map(|code| format!("`{code}`")).collect();
            reason.description = Some(format!("Stable code; others may be added. {}", codes.join(", ")));
        }
    }
}

/// A file is asked about by HEAD as it is fetched by GET, though never for a range (RFC 9110, 14.2).
fn add_heads(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let Some(get) = &item.get else { continue };
        if !get.responses.responses.contains_key("206") {
            continue;
        }
        let mut head = get.clone();
        let name = head.operation_id.unwrap_or_default();
        head.operation_id = Some(format!("{name}_head"));
        head.summary = Some("Size, name and `ETag` of the file, without the file.".to_owned());
        let responses = &mut head.responses.responses;
        responses.retain(|status, _| !matches!(status.as_str(), "206" | "416"));
        if let Some(RefOr::T(found)) = responses.get_mut("200") {
            found.content.clear();
        }
        if let Some(parameters) = &mut head.parameters {
            parameters.retain(|parameter| match parameter {
                RefOr::T(parameter) => !matches!(parameter.name.as_str(), "Range" | "If-Range"),
                RefOr::Ref(_) => true,
            });
        }
        item.head = Some(head);
    }
}

/// Does something with every operation, its method and its path.
fn each_operation(document: &mut OpenApi, mut work: impl FnMut(&str, &str, &mut Operation)) {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("GET", &mut item.get),
            ("POST", &mut item.post),
            ("PUT", &mut item.put),
            ("PATCH", &mut item.patch),
            ("DELETE", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                work(method, path, operation);
            }
        }
    }
}

fn complete_operation(method: &str, path: &str, operation: &mut Operation) {
    let public = PUBLIC.contains(&(method, path));
    if !public {
        let none: [&str; 0] = [];
        operation.security = Some(vec![
            SecurityRequirement::new("session", none),
            SecurityRequirement::new("session_cookie", none),
        ]);
    }
    if path.starts_with("/v1/carrier/") {
        let none: [&str; 0] = [];
        operation.security = Some(vec![SecurityRequirement::new("carrier_signature", none)]);
    }
    parameters::add(method, path, operation);
    answers::add(method, path, public, operation);
    reasons::add(method, path, operation);
}
