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
    "NO_FEE",
    "KIND_WITHOUT_FEE",
    "QUANTITY_WITHOUT_FEE",
    "OFFICE_NOT_TO_CHOOSE",
];

const REASONS: &[(&str, &str, &[&str])] = &[
    ("POST", "/v1/civil-status/quotes", OF_AN_ORDER),
    ("POST", "/v1/civil-status/orders", OF_AN_ORDER),
    ("POST", "/v1/civil-status/orders", &["PRICE_CHANGED"]),
    (
        "POST",
        "/v1/civil-status/evidence",
        &["FILE_TYPE", "FILE_EMPTY", "FILE_TOO_LARGE", "KIND_UNKNOWN"],
    ),
    (
        "POST",
        "/v1/civil-status/orders/{order_id}/cancellation",
        &[
            "LINE_IN_PRODUCTION",
            "LINE_STATE",
            "ORDER_NOT_PAID",
            "ORDER_CHANGED",
        ],
    ),
    (
        "PUT",
        "/v1/civil-status/orders/{order_id}/address",
        &[
            "ADDRESS_NOT_ASKED",
            "ADDRESS_IN_OTHER_ZONE",
            "ORDER_CHANGED",
            "ADDRESS_INCOMPLETE",
            "COUNTRY_UNKNOWN",
            "POSTAL_CODE",
        ],
    ),
    (
        "PUT",
        "/v1/civil-status/orders/{order_id}/lines/{line_id}/correction",
        &[
            "ACT_REFERENCE_IMPOSSIBLE",
            "ACT_REFERENCE_INCOMPLETE",
            "OFFICE_UNKNOWN",
            "OFFICE_NOT_OPEN",
            "EVIDENCE_UNKNOWN",
            "ADDRESSEE_NOT_ENTITLED",
            "LINE_STATE",
            "ORDER_CHANGED",
        ],
    ),
    (
        "GET",
        "/v1/civil-status/orders/{order_id}/lines/{line_id}/document",
        &["DOCUMENT_NOT_READY"],
    ),
    (
        "PUT",
        "/v1/civil-status/document-kinds/{code}",
        &[
            "KIND_VERSION_EXISTS",
            "TEMPLATE_UNKNOWN",
            "LANGUAGE_NOT_OFFERED",
            "NOT_A_RELATION",
            "DATE_PAST",
            "RANGE_REVERSED",
        ],
    ),
    (
        "PUT",
        "/v1/civil-status/fees",
        &[
            "FEE_EXISTS",
            "FEE_ABOVE_CEILING",
            "DOCUMENT_KIND_UNKNOWN",
            "ZONE_UNKNOWN",
            "PRICE_UNSOUND",
            "STEPS_OUT_OF_ORDER",
            "NOT_BOTH",
            "RANGE_REVERSED",
            "DATE_PAST",
        ],
    ),
    (
        "PUT",
        "/v1/civil-status/fee-ceiling",
        &["CEILING_EXISTS", "FEE_ABOVE_CEILING", "VALID_FROM_PAST"],
    ),
    (
        "PUT",
        "/v1/civil-status/templates/{template}/law",
        &[
            "TEMPLATE_VERSION_EXISTS",
            "TEMPLATE_UNKNOWN",
            "TEMPLATE_NOT_DRAWN",
            "TEMPLATE_TOO_COSTLY",
            "TEMPLATE_DRAWS_OTHER",
            "DATE_PAST",
            "RANGE_REVERSED",
        ],
    ),
    (
        "PUT",
        "/v1/civil-status/holidays",
        &["HOLIDAY_STANDS", "DATE_PAST", "WEEKEND_CLOSED"],
    ),
    (
        "PUT",
        "/v1/civil-status/destination-zones/{country_code}",
        &[
            "DESTINATION_EXISTS",
            "ZONE_OF_MOROCCO",
            "COUNTRY_UNKNOWN",
            "DATE_PAST",
        ],
    ),
    (
        "PUT",
        "/v1/civil-status/register-custody",
        &[
            "YEAR_IMPOSSIBLE",
            "YEARS_REVERSED",
            "NOTHING_HELD",
            "OFFICE_UNKNOWN",
            "OFFICE_WITHOUT_REGISTERS",
        ],
    ),
    (
        "POST",
        "/v1/office/keyings/{keying_id}/withdrawal",
        &["KEYING_STATE", "KEYED_BY_SAME_PERSON"],
    ),
    (
        "PUT",
        "/v1/offices/{office_id}/civil-status-profile",
        &[
            "LANGUAGE_UNKNOWN",
            "DOCUMENT_KIND_UNKNOWN",
            "ADDRESS_INCOMPLETE",
            "COUNTRY_UNKNOWN",
            "POSTAL_CODE",
        ],
    ),
    (
        "POST",
        "/v1/payments/{payable_id}/attempts",
        &[
            "PAYABLE_PAID",
            "PAYABLE_CANCELLED",
            "PAYABLE_EXPIRED",
            "PAYMENT_CONFIRMING",
            "TOO_MANY_ATTEMPTS",
            "TEXT_MESSAGE_PENDING",
            "TEXT_MESSAGE_QUOTA",
            "PROVIDER_UNAVAILABLE",
        ],
    ),
    ("GET", "/v1/payments/{payable_id}/receipt", &["PAYABLE_NOT_PAID"]),
    (
        "POST",
        "/v1/office/order-lines/{line_id}/entitlement",
        &["ORDER_LINE_NOT_FOUND"],
    ),
    (
        "POST",
        "/v1/office/order-line-assignments",
        &["ORDER_LINE_NOT_FOUND", "NOT_A_MEMBER"],
    ),
    (
        "GET",
        "/v1/office/order-lines/{line_id}/document",
        &["DOCUMENT_NOT_READY"],
    ),
    (
        "PUT",
        "/v1/office/order-lines/{line_id}/act",
        &[
            "ACT_OF_OTHER_REGISTER",
            "DOCUMENT_PREPARED",
            "LINE_STATE",
            "OWN_ORDER",
        ],
    ),
    (
        "POST",
        "/v1/office/order-lines/{line_id}/correction-request",
        &["REASON_UNKNOWN", "LINE_STATE", "DOCUMENT_PREPARED", "OWN_ORDER"],
    ),
    (
        "POST",
        "/v1/office/order-lines/{line_id}/entitlement",
        &["NOTE_REQUIRED", "LINE_STATE", "OWN_ORDER"],
    ),
    (
        "POST",
        "/v1/office/order-line-assignments",
        &["NOT_A_MEMBER", "OWN_ORDER"],
    ),
    (
        "POST",
        "/v1/office/order-lines/{line_id}/release",
        &["LINE_STATE", "DOCUMENT_PREPARED", "OWN_ORDER"],
    ),
    (
        "POST",
        "/v1/office/order-lines/{line_id}/refusal",
        &[
            "REASON_UNKNOWN",
            "LINE_STATE",
            "DOCUMENT_BEING_WITHDRAWN",
            "OWN_ORDER",
        ],
    ),
    (
        "POST",
        "/v1/office/batch-sheets",
        &["NOTHING_WAITS", "LINE_STATE", "OWN_ORDER"],
    ),
    (
        "POST",
        "/v1/office/productions",
        &[
            "NOT_A_MEMBER",
            "LINE_STATE",
            "DOCUMENT_PREPARED",
            "ENTITLEMENT_NOT_CHECKED",
            "OWN_ORDER",
        ],
    ),
    (
        "POST",
        "/v1/payment-differences/{attempt_id}/refund-retries",
        &["REFUND_NOT_FAILED"],
    ),
    ("POST", "/v1/office/shipment-scans", &["SHIPMENT_NOT_HANDED_OVER"]),
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
            "OWN_ORDER",
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
                assert!(said.contains(&format!("`{reason}`")), "{method} {path}: {said}");
            }
        }
    }

    /// Whatever changes something of civil status can be refused for a reason of its own.
    #[test]
    fn every_change_of_civil_status_names_its_reasons() {
        let document = serde_json::to_value(api::router().1).unwrap();
        let mut walked = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let tag = operation["tags"][0].as_str().unwrap_or_default();
                let ours = tag.starts_with("civil-status") || path.contains("civil-status");
                if !ours || !["post", "put", "patch", "delete"].contains(&method.as_str()) {
                    continue;
                }
                walked += 1;
                let said = operation["description"].as_str().unwrap_or_default();
                assert!(
                    said.contains(", for: `"),
                    "{method} {path} names no reason: {said}"
                );
            }
        }
        assert!(walked >= 20, "only {walked} operations were found");
    }
}
