//! What the operations answer is what the document says: every service method answers a full message, and the answer is
//! held against the schema, the statuses and the headers of the document.

use axum::body::Body;
use http::{StatusCode, header};
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value as Proto,
};
use serde_json::Value;
use tonic::{Code, Status};

use crate::harness::{Edge, Reply, request};
use crate::routes::{Operation, call, operations};
use crate::stub::{EXCHANGE, QUOTA, all_methods};

/// A message with every field set: one item in every list, the first word of every enumeration.
fn full(message: &MessageDescriptor, depth: u32) -> DynamicMessage {
    let mut filled = DynamicMessage::new(message.clone());
    for field in message.fields() {
        // Of alternatives the first stands; a document that was refused is answered as a problem.
        let later = field
            .containing_oneof()
            .is_some_and(|oneof| !oneof.is_synthetic() && oneof.fields().next() != Some(field.clone()));
        if later || field.name() == "refusal" && message.name() == "Document" {
            continue;
        }
        if let Some(value) = value(message, &field, depth) {
            let value = if field.is_list() {
                Proto::List(vec![value])
            } else {
                value
            };
            filled.set_field(&field, value);
        }
    }
    filled
}

fn value(message: &MessageDescriptor, field: &FieldDescriptor, depth: u32) -> Option<Proto> {
    let small = match (message.full_name(), field.name()) {
        ("google.type.Date", "year") => 2026,
        ("google.protobuf.Timestamp", "seconds") => 1_800_000_000,
        ("google.protobuf.Timestamp", "nanos") => 0,
        _ => 1,
    };
    Some(match field.kind() {
        Kind::Bool => Proto::Bool(true),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Proto::I32(small),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Proto::I64(i64::from(small)),
        Kind::Uint32 | Kind::Fixed32 => Proto::U32(1),
        Kind::Uint64 | Kind::Fixed64 => Proto::U64(1),
        Kind::Double => Proto::F64(0.5),
        Kind::Float => Proto::F32(0.5),
        Kind::String => Proto::String("text".to_owned()),
        // A file of one byte, and a digest where a digest is expected.
        Kind::Bytes => Proto::Bytes(vec![7; if field.name() == "chunk" { 1 } else { 32 }].into()),
        Kind::Enum(kind) => Proto::EnumNumber(kind.values().find(|word| word.number() != 0)?.number()),
        Kind::Message(_) if depth == 0 => return None,
        Kind::Message(kind) => Proto::Message(full(&kind, depth - 1)),
    })
}

/// Every method but the gateway's own answers a full message.
fn answer_fully(edge: &Edge) {
    let pool = DescriptorPool::decode(wathiq_proto::FILE_DESCRIPTOR_SET).unwrap();
    for path in all_methods() {
        if path == EXCHANGE || path == QUOTA {
            continue;
        }
        let (service, method) = path.trim_start_matches('/').split_once('/').unwrap();
        let service = pool.get_service_by_name(service).unwrap();
        let method = service.methods().find(|it| it.name() == method).unwrap();
        edge.stub.answers(&path, &full(&method.output(), 6));
    }
}

/// Where a value differs from a schema, if it does.
fn mismatch(document: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).unwrap();
        return mismatch(document, target, value, at);
    }
    for keyword in schema.as_object().unwrap().keys() {
        let known = [
            "type",
            "default",
            "format",
            "description",
            "properties",
            "required",
            "items",
            "enum",
            "oneOf",
            "minimum",
            "additionalProperties",
            "propertyNames",
        ];
        assert!(
            known.contains(&keyword.as_str()),
            "{keyword} is not understood here"
        );
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices
            .iter()
            .filter(|choice| mismatch(document, choice, value, at).is_none());
        return (fitting.count() != 1).then(|| format!("{at}: {value} fits not one of {choices:?}"));
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = kinds.contains(&kind) || kind == "integer" && kinds.contains(&"number");
    if !fits {
        return Some(format!("{at}: {value} is no {kinds:?}"));
    }
    match value {
        Value::String(text) => mismatch_of_text(schema, text, at),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| mismatch(document, &schema["items"], item, &format!("{at}/{index}"))),
        Value::Object(members) => {
            let required = schema["required"].as_array().into_iter().flatten();
            let mut missing = required.filter(|name| !members.contains_key(name.as_str().unwrap()));
            if let Some(name) = missing.next() {
                return Some(format!("{at}: {name} is missing"));
            }
            members.iter().find_map(|(name, member)| {
                let place = format!("{at}/{name}");
                let more = &schema["additionalProperties"];
                match schema["properties"].get(name) {
                    Some(property) => mismatch(document, property, member, &place),
                    None if more.is_object() => mismatch(document, more, member, &place),
                    None => Some(format!("{place} is not in the document")),
                }
            })
        }
        _ => None,
    }
}

fn mismatch_of_text(schema: &Value, text: &str, at: &str) -> Option<String> {
    let fits = match schema["format"].as_str() {
        Some("date") => chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
        Some("date-time") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        Some("hex") => data_encoding::HEXLOWER.decode(text.as_bytes()).is_ok(),
        Some("byte") => data_encoding::BASE64.decode(text.as_bytes()).is_ok(),
        _ => true,
    };
    let words = schema["enum"].as_array();
    let known = words.is_none_or(|words| words.iter().any(|word| word == text));
    (!fits || !known).then(|| format!("{at}: \"{text}\" is not as {schema} says"))
}

/// Holds an answer against the document.
#[track_caller]
fn check(document: &Value, operation: &Operation, reply: &Reply) {
    let name = format!("{} {}", operation.method, operation.template);
    let described = &document["paths"][&operation.template][operation.method.to_lowercase()];
    let status = reply.status.as_u16().to_string();
    let mut response = &described["responses"][&status];
    assert!(
        response.is_object(),
        "{name} answers {status}, which the document does not know: {}",
        reply.text()
    );
    if let Some(reference) = response["$ref"].as_str() {
        response = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    for header in ["etag", "link", "retry-after", "ratelimit", "x-request-id"] {
        let documented = response["headers"].as_object().into_iter().flatten();
        let documented = documented
            .map(|(name, _)| name.to_lowercase())
            .any(|name| name == header);
        let general = reply.status.is_client_error()
            || reply.status.is_server_error()
            || reply.status == StatusCode::NOT_MODIFIED;
        assert!(
            documented || general && header != "retry-after" || !reply.headers.contains_key(header),
            "{name} {status} has {header}, which the document does not know"
        );
    }
    if operation.method == "HEAD" {
        let described = reply.status.is_success() && !response["content"].is_null();
        assert!(!described && reply.body.is_empty(), "{name} {status} has no body");
        return;
    }
    let kind = reply.header("content-type");
    let kind = kind.split(';').next().unwrap();
    if kind.is_empty() {
        assert!(
            response["content"].is_null() && reply.body.is_empty(),
            "{name} {status} has no body"
        );
        return;
    }
    let media = &response["content"][kind];
    assert!(media.is_object(), "{name} {status} is {kind}: {response}");
    if kind.ends_with("json") {
        let wrong = mismatch(document, &media["schema"], &reply.json(), "");
        assert!(wrong.is_none(), "{name} {status}: {}", wrong.unwrap());
        let wrong = mismatch(document, &media["schema"], &media["example"], "example ");
        assert!(wrong.is_none(), "{name} {status}: {}", wrong.unwrap());
    }
}

#[tokio::test]
async fn every_full_answer_is_as_the_document_says() {
    let edge = Edge::start().await;
    answer_fully(&edge);
    let document = serde_json::to_value(&edge.document).unwrap();
    for operation in operations(&edge) {
        let reply = edge.send(call(&operation)).await;
        let name = format!("{} {}", operation.method, operation.template);
        assert!(
            reply.status.is_success(),
            "{name} answered {}: {}",
            reply.status,
            reply.text()
        );
        check(&document, &operation, &reply);
        if operation.template.ends_with("/content") || operation.template.ends_with("/files/{kind}") {
            let tag = reply.header("etag").to_owned();
            for (header, value, status) in [
                ("range", "bytes=0-0", 206),
                ("range", "bytes=7-", 416),
                ("if-none-match", tag.as_str(), 304),
            ] {
                if operation.method == "HEAD" && header == "range" {
                    continue;
                }
                let mut asked = call(&operation);
                asked.headers_mut().insert(header, value.parse().unwrap());
                let reply = edge.send(asked).await;
                assert_eq!(reply.status.as_u16(), status, "{name}");
                check(&document, &operation, &reply);
            }
        }
    }
}

#[tokio::test]
async fn every_refusal_is_as_the_document_says() {
    let edge = Edge::start().await;
    let document = serde_json::to_value(&edge.document).unwrap();
    let codes = [
        Code::InvalidArgument,
        Code::ResourceExhausted,
        Code::Internal,
        Code::Unavailable,
        Code::DeadlineExceeded,
    ];
    for code in codes {
        for path in all_methods() {
            if path != EXCHANGE && path != QUOTA {
                edge.stub.refuses(&path, Status::new(code, "said by a service"));
            }
        }
        for operation in operations(&edge) {
            check(&document, &operation, &edge.send(call(&operation)).await);
        }
    }
    for operation in operations(&edge) {
        let mut stranger = call(&operation);
        stranger.headers_mut().remove(header::AUTHORIZATION);
        check(&document, &operation, &edge.send(stranger).await);
        if operation.content.is_some() {
            let mut other = call(&operation);
            other
                .headers_mut()
                .insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
            check(&document, &operation, &edge.send(other).await);
            let mut large = call(&operation);
            *large.body_mut() = Body::from(vec![b' '; 27 * 1024 * 1024]);
            check(&document, &operation, &edge.send(large).await);
        }
    }
}

#[tokio::test]
async fn every_parameter_that_a_list_takes_is_in_the_document() {
    let edge = Edge::start().await;
    let document = serde_json::to_value(&edge.document).unwrap();
    for operation in operations(&edge)
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let described = &document["paths"][&operation.template]["get"];
        let parameters = described["parameters"].as_array().unwrap();
        let has = |name: &str| parameters.iter().any(|parameter| parameter["name"] == name);
        let separator = if operation.path.contains('?') { '&' } else { '?' };
        for (name, value) in [("page_size", "1"), ("page_token", "x")] {
            let asked = format!("{}{separator}{name}={value}", operation.path);
            edge.stub.forget();
            let built = request("GET", &asked).header(header::AUTHORIZATION, "Bearer session-secret");
            let reply = edge.send(built.body(Body::empty()).unwrap()).await;
            let message = edge.stub.work().first().map(|call| call.messages.clone());
            let base = edge.send(call(operation)).await;
            let plain = edge.stub.work().last().map(|call| call.messages.clone());
            let taken = reply.status == base.status && message != plain;
            assert_eq!(taken, has(name), "{} {name}", operation.template);
        }
        for part in operation
            .template
            .split('/')
            .filter_map(|part| part.strip_prefix('{'))
        {
            let name = part.trim_end_matches('}');
            assert!(has(name), "{} lacks {name}", operation.template);
        }
        assert!(has("Accept-Language"), "{}", operation.template);
    }
}
