//! A body for every operation, made from the document's own schemas.

use serde_json::{Map, Value, json};

/// A value that fits a schema: every property, one item in every list, the first word of every enumeration.
pub(crate) fn sample(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.trim_start_matches('#');
        return sample(document, document.pointer(pointer).unwrap());
    }
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let real = choices.iter().find(|choice| choice["type"] != "null").unwrap();
            return sample(document, real);
        }
    }
    match kind(schema) {
        "object" => object(document, schema),
        "array" => json!([sample(document, &schema["items"])]),
        "integer" => json!(1),
        "number" => json!(0.5),
        "boolean" => json!(false),
        _ => match schema["format"].as_str() {
            Some("date") => json!("2026-11-22"),
            Some("date-time") => json!("2026-11-22T09:00:00Z"),
            Some("hex") => json!("00".repeat(32)),
            Some("byte") => json!("aGVsbG8="),
            _ => json!("text"),
        },
    }
}

fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap(),
        Value::String(kind) => kind,
        _ => panic!("a schema without a type: {schema}"),
    }
}

fn object(document: &Value, schema: &Value) -> Value {
    let mut object = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        object.insert(name.clone(), sample(document, property));
    }
    Value::Object(object)
}
