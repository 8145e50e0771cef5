//! What operations on civil-status orders, their payment and their parcels are refused for, beside what any operation may be.

use utoipa::openapi::path::Operation;

/// Reasons of a line, an address or a price that cannot be taken.
const OF_AN_ORDER: &[&str] = &[
    "ACT_REFERENCE_IMPOSSIBLE",
    "ACT_REFERENCE_INCOMPLETE",
    "OFFICE_UNKNOWN",
    "OFFICE_NOT_OPEN",
    "DOCUMENT_KIND_UNKNOWN",
    "LANGUAGE_NOT_OFFERED",
    "EVIDENCE_UNKNOWN",
    "ADDRESS_INCOMPLETE",
    "ADDRESSEE_NOT_ENTITLED",
    "COUNTRY_UNKNOWN",
    "POSTAL_CODE",
];

const REASONS: &[(&str, &str, &[&str])] = &[
    ("POST", "/v1/civil-status/quotes", OF_AN_ORDER),
    ("POST", "/v1/civil-status/orders", OF_AN_ORDER),
    ("POST", "/v1/civil-status/orders", &["PRICE_CHANGED"]),
    (
        "POST",
        "/v1/civil-status/orders/{order_id}/cancellation",
        &["LINE_IN_PRODUCTION", "LINE_STATE", "ORDER_CHANGED"],
    ),
    (
        "PUT",
        "/v1/civil-status/orders/{order_id}/lines/{line_id}/correction",
        &["ACT_REFERENCE_IMPOSSIBLE", "LINE_STATE", "ORDER_CHANGED"],
    ),
    (
        "POST",
        "/v1/payments/{payable_id}/attempts",
        &[
            "PAYABLE_PAID",
            "PAYABLE_CANCELLED",
            "PAYABLE_EXPIRED",
            "TOO_MANY_ATTEMPTS",
            "TEXT_MESSAGE_PENDING",
            "TEXT_MESSAGE_QUOTA",
            "PROVIDER_UNAVAILABLE",
        ],
    ),
    ("GET", "/v1/payments/{payable_id}/receipt", &["PAYABLE_NOT_PAID"]),
    (
        "PUT",
        "/v1/office/order-lines/{line_id}/act",
        &["ACT_OF_OTHER_REGISTER", "DOCUMENT_PREPARED", "LINE_STATE"],
    ),
    (
        "POST",
        "/v1/office/order-lines/{line_id}/correction-request",
        &["REASON_UNKNOWN", "LINE_STATE", "DOCUMENT_PREPARED"],
    ),
    (
        "POST",
        "/v1/office/order-lines/{line_id}/refusal",
        &["REASON_UNKNOWN", "LINE_STATE", "DOCUMENT_BEING_WITHDRAWN"],
    ),
    (
        "POST",
        "/v1/office/batch-sheets",
        &["NOTHING_WAITS", "LINE_STATE"],
    ),
    (
        "POST",
        "/v1/office/productions",
        &[
            "NOT_A_MEMBER",
            "LINE_STATE",
            "DOCUMENT_PREPARED",
            "ENTITLEMENT_NOT_CHECKED",
        ],
    ),
    (
        "POST",
        "/v1/payment-differences/{attempt_id}/refund-retries",
        &["REFUND_NOT_FAILED"],
    ),
    ("POST", "/v1/carrier/events", &["WEBHOOK_SIGNATURE_INVALID"]),
    ("POST", "/v1/carrier/event-files", &["WEBHOOK_SIGNATURE_INVALID"]),
];

/// Operations on many at once: what is not taken stands in the answer, and the others are taken.
const PROBLEMS: &[(&str, &str, &[&str])] = &[
    (
        "POST",
        "/v1/office/prepared-documents",
        &[
            "LINE_STATE",
            "ACT_NOT_DIGITISED",
            "ACT_TO_CHOOSE",
            "ACT_NOT_CONFIRMED",
            "ENTITLEMENT_NOT_CHECKED",
        ],
    ),
    (
        "POST",
        "/v1/office/hand-overs",
        &["BARCODE_UNKNOWN", "PARCEL_OF_OTHER_OFFICE", "ALREADY_HANDED_OVER"],
    ),
];

/// Names them in the description.
pub(super) fn add(method: &str, path: &str, operation: &mut Operation) {
    let of = |table: &[(&str, &str, &[&str])]| {
        let here = table.iter().filter(|(of, at, _)| (*of, *at) == (method, path));
        let codes: Vec<String> = here
            .flat_map(|(_, _, reasons)| *reasons)
            .map(|code| format!("`{code}`"))
            .collect();
        codes.join(", ")
    };
    let (refused, listed) = (of(REASONS), of(PROBLEMS));
    let own = operation.description.take().unwrap_or_default();
    let refused = match refused.as_str() {
        "" => String::new(),
        codes => format!("Refused, beside what may happen to any call, for: {codes}."),
    };
    let listed = match listed.as_str() {
        "" => String::new(),
        codes => format!("What is not taken is listed in `problems`, for: {codes}."),
    };
    let parts: Vec<String> = [own, refused, listed]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    operation.description = (!parts.is_empty()).then(|| parts.join("\n\n"));
}

#[cfg(test)]
mod tests {
    use super::{PROBLEMS, REASONS};
    use crate::api;
    use crate::language::{Language, find};

    #[test]
    fn every_reason_has_a_text_and_every_operation_is_there() {
        let document = serde_json::to_value(api::router().1).unwrap();
        for (method, path, reasons) in REASONS.iter().chain(PROBLEMS) {
            let operation = &document["paths"][path][method.to_lowercase()];
            let said = operation["description"].as_str().unwrap_or_default();
            for reason in *reasons {
                let known = ["problem", "field"]
                    .iter()
                    .any(|section| find(Language::English, &format!("{section}.{reason}")).is_some());
                assert!(known, "{reason} has no text");
                assert!(said.contains(reason), "{method} {path}: {said}");
            }
        }
    }
}
