//! The headers that operations take.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Required};

use super::{OPTIONAL_KEY, VERSIONED, WITHOUT_KEY, examples};

/// Headers of a signed message (Standard Webhooks).
const SIGNED: [(&str, &str); 3] = [
    ("webhook-id", "Name of the message; a repeat has the same one."),
    ("webhook-timestamp", "When it was sent: seconds since 1970."),
    (
        "webhook-signature",
        "`v1,` and the Base64 of HMAC-SHA-256 over `{id}.{timestamp}.{body}`; several may stand, apart by spaces.",
    ),
];

pub(super) fn add(method: &str, path: &str, operation: &mut Operation) {
    let listed = |table: &[(&str, &str)]| table.contains(&(method, path));
    let mut headers = vec![header(
        "Accept-Language",
        "Language of texts for people: `ar` (where absent), `fr`, `en` or `zgh`.",
    )];
    if method != "GET" && (!listed(WITHOUT_KEY) || listed(OPTIONAL_KEY)) {
        headers.push(idempotency_key(!listed(WITHOUT_KEY)));
    }
    if listed(VERSIONED) {
        headers.push(header(
            "If-Match",
            "The `ETag` the resource was read with; without it the version is not checked.",
        ));
    }
    if operation.responses.responses.contains_key("206") {
        headers.push(header("Range", "One range of bytes, such as `bytes=0-65535`."));
        headers.push(header(
            "If-Range",
            "The `ETag` of the part already held; else the whole is answered.",
        ));
        headers.push(header("If-None-Match", "The `ETag` of the file already held."));
    }
    if path.starts_with("/v1/carrier/") {
        headers.extend(SIGNED.map(|(name, description)| built(name, description, Required::True, None)));
    }
    if path == "/callbacks/payments/{provider}" {
        let description =
            "Signature of a JSON message: `sha256=` and the HMAC-SHA-256 of the body in hexadecimal.";
        headers.push(header("x-signature", description));
    }
    let parameters = operation.parameters.get_or_insert_default();
    let described = std::mem::take(parameters).into_iter().map(shown);
    parameters.extend(described);
    parameters.extend(headers.into_iter().map(Into::into));
}

/// A part of a path with an example of it.
fn shown(parameter: RefOr<Parameter>) -> RefOr<Parameter> {
    match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path => {
            let example = examples::text(&parameter.name, None);
            RefOr::T(ParameterBuilder::from(parameter).example(Some(example)).build())
        }
        parameter => parameter,
    }
}

fn header(name: &str, description: &str) -> Parameter {
    built(name, description, Required::False, None)
}

fn idempotency_key(required: bool) -> Parameter {
    let required = if required { Required::True } else { Required::False };
    let description = "A new UUID; the same one when the call is repeated.";
    built("Idempotency-Key", description, required, Some("uuid"))
}

fn built(name: &str, description: &str, required: Required, format: Option<&str>) -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .format(format.map(|format| SchemaFormat::Custom(format.to_owned())))
        .build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
