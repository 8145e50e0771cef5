//! An example of every JSON body, made from the schemas and the names of the fields.

use serde_json::{Map, Value, json};
use utoipa::openapi::{Content, OpenApi, RefOr};

use super::each_operation;

const ID: &str = "0190c6f2-5f1e-7d3a-9c55-0d4a3f1b2c6e";

/// Puts an example beside each schema of a request or an answer.
pub(super) fn add(document: &mut OpenApi) {
    let whole = serde_json::to_value(&*document).unwrap_or_default();
    let give = |content: &mut RefOr<Content>| {
        let RefOr::T(content) = content else { return };
        let schema = serde_json::to_value(&content.schema).unwrap_or_default();
        content.example = Some(example(&whole, "", &schema));
    };
    each_operation(document, |_, _, operation| {
        if let Some(RefOr::T(body)) = &mut operation.request_body
            && let Some(content) = body.content.get_mut("application/json")
        {
            give(content);
        }
        for (status, response) in &mut operation.responses.responses {
            if let RefOr::T(response) = response
                && status.starts_with('2')
                && let Some(content) = response.content.get_mut("application/json")
            {
                give(content);
            }
        }
    });
}

/// A value that fits a schema: its own example where it has one, every property, one item in every list, the first word of every enumeration.
fn example(document: &Value, name: &str, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#'));
        return target.map_or(Value::Null, |target| example(document, name, target));
    }
    if let Some(own) = schema.get("example") {
        return own.clone();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.first().cloned().unwrap_or_default();
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array() {
            let real = choices.iter().find(|choice| choice["type"] != "null");
            return real.map_or(Value::Null, |real| example(document, name, real));
        }
    }
    match kind(schema) {
        "object" => object(document, schema),
        "array" => json!([example(document, name, &schema["items"])]),
        "integer" => json!(integer(name)),
        "number" => json!(0.5),
        "boolean" => json!(false),
        _ => text(name, schema["format"].as_str()),
    }
}

fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    }
}

fn object(document: &Value, schema: &Value) -> Value {
    let properties = schema["properties"].as_object();
    let mut object: Map<String, Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.clone(), example(document, name, property)))
        .collect();
    // Where a body holds alternatives, the example shows one: a person by id, a drawn signature.
    if object.contains_key("role") && object.contains_key("email") {
        object.insert("email".to_owned(), Value::Null);
    }
    if object.contains_key("drawn") && object.contains_key("standing") {
        object.insert("standing".to_owned(), Value::Bool(false));
    }
    // A number is an identity document's, but within an act the register's, and on a batch sheet the sheet's.
    for (beside, number) in [("year", "12 bis"), ("line_ids", "2026-000012")] {
        if object.contains_key(beside) && object.get("number").is_some_and(Value::is_string) {
            object.insert("number".to_owned(), json!(number));
        }
    }
    Value::Object(object)
}

fn integer(name: &str) -> i64 {
    match name {
        "year" => 1990,
        "hijri_year" => 1410,
        name if name.ends_with("centimes") => 2000,
        _ => 1,
    }
}

pub(super) fn text(name: &str, format: Option<&str>) -> Value {
    match (format, name) {
        (Some("date"), name) if name.ends_with("birth_date") => json!("1990-05-17"),
        (Some("date"), _) => json!("2026-11-22"),
        (Some("partial-date"), _) => json!("1990-05-17"),
        (Some("date-time"), _) => json!("2026-11-22T09:00:00Z"),
        (Some("hex"), _) => json!("9f".repeat(32)),
        (Some("byte"), _) => json!("iVBORw0KGgo="),
        (_, "email" | "login") => json!("s.alaoui@example.ma"),
        (_, "phone") => json!("+212612345678"),
        (_, "code" | "totp_code" | "second_factor" | "email_code" | "phone_code") => json!("123456"),
        (_, "number" | "applicant_identity_document") => json!("BK123456"),
        (_, "verification_code") => json!("ABCD-2345-WXYZ"),
        (_, name) => json!(of_orders(name).unwrap_or_else(|| otherwise(name))),
    }
}

/// How references, codes and addresses of civil-status orders look.
fn of_orders(name: &str) -> Option<&'static str> {
    Some(match name {
        "reference" | "display_reference" => "W4K7-M2PX-93",
        "line_reference" => "W4K7-M2PX-93-1",
        "tracking_id" | "tracking_number" | "tracking_numbers" | "unknown_tracking_ids" => "RR123456785MA",
        "receipt_number" => "2026-000001",
        "document_kind" => "birth-extract",
        "provider" => "cmi",
        "reason_code" => "ACT_NOT_FOUND",
        "progress_code" => "WAITING_FOR_OFFICE",
        "shipment_state" => "HELD_FOR_COLLECTION",
        "exception_code" => "DELIVERED_TO_OTHER",
        "country_code" => "MA",
        "postal_code" => "20250",
        "locality_latin" => "Casablanca",
        "locality_arabic" => "الدار البيضاء",
        "extra_latin" => "Appt 3",
        "extra_arabic" => "شقة 3",
        "quarter_latin" => "Hay Hassani",
        "quarter_arabic" => "الحي الحسني",
        "part" => "2",
        "street_latin" => "12, rue Tarfaya",
        "street_arabic" => "12، زنقة طرفاية",
        "given_latin" => "Sara",
        "given_arabic" => "سارة",
        "family_latin" => "Alaoui",
        "family_arabic" => "العلوي",
        "masked_phone" => "•••••••••••78",
        "service_indicator" => "RR",
        "zone" => "MOROCCO",
        name if name.ends_with("_last_four") => "3456",
        _ => return None,
    })
}

fn otherwise(name: &str) -> &'static str {
    match name {
        name if name.ends_with("_id") || name.ends_with("_ids") => ID,
        name if name.ends_with("_ar") || name.ends_with("_arabic") => "نص",
        _ => "text",
    }
}
