//! The headers that operations take.

use utoipa::openapi::Required;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};

use super::{OPTIONAL_KEY, VERSIONED, WITHOUT_KEY};

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
    let parameters = operation.parameters.get_or_insert_default();
    parameters.extend(headers.into_iter().map(Into::into));
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
