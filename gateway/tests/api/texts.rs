//! The catalogue has every text that the code and the templates name, and no text that nobody names.

use std::collections::BTreeSet;
use std::path::Path;

use wathiq_gateway::language::{Language, find, tamazight_fallbacks};

/// Sections whose keys the code names whole; those of the others are put together from codes of the services.
const NAMED: [&str; 30] = [
    "site",
    "home",
    "verify",
    "result",
    "facts",
    "verdict",
    "link",
    "files",
    "sign_in",
    "second_factor",
    "account",
    "docs",
    "name",
    "state",
    "when",
    "status",
    "order",
    "order_text",
    "order_name",
    "order_when",
    "line_name",
    "line_text",
    "attempt_text",
    "change",
    "pay",
    "tracking",
    "contact",
    "address",
    "bureau",
    "relation",
];

/// Sections whose keys are codes of the services, each with the codes that the contracts name.
const CODED: [(&str, &[&str]); 6] = [
    (
        "evidence_kind",
        &[
            "power-of-attorney",
            "guardianship",
            "family-booklet",
            "identity-document",
            "other",
        ],
    ),
    (
        "line_progress",
        &[
            "waiting_for_payment_service",
            "waiting_for_payment",
            "waiting_for_office",
            "waiting_for_correction",
            "waiting_for_signature_service",
            "preparing",
            "preparation_failed",
            "waiting_for_seal",
            "waiting_for_time_stamp",
            "waiting_for_post",
            "waiting_for_refund",
        ],
    ),
    (
        "parcel_state",
        &[
            "waiting",
            "label_printed",
            "handed_over",
            "in_transit",
            "customs",
            "at_delivery_office",
            "attempted",
            "held_for_collection",
            "delivered",
            "returning",
            "returned",
            "claimed",
            "lost",
            "cancelled",
        ],
    ),
    (
        "parcel_exception",
        &[
            "DELIVERED_TO_OTHER",
            "DELIVERED_WITHOUT_DOCUMENT",
            "SILENT",
            "CONTRADICTORY_EVENTS",
        ],
    ),
    (
        "end_reason",
        &[
            "REFUSED",
            "CANCELLED",
            "OVERDUE",
            "ADDRESS_REFUSED",
            "LOST",
            "EXPIRED",
            "RETURNED",
        ],
    ),
    (
        "exception",
        &[
            "PAID_NOT_PRODUCED",
            "PRODUCED_NOT_POSTED",
            "POSTED_AND_SILENT",
            "DELIVERED_TO_OTHER",
            "RETURNED",
            "RETURNED_AND_KEPT",
            "REFUND_FAILED",
            "REFUND_OVERDUE",
            "OFFICE_PROFILE_MISSING",
        ],
    ),
];

/// What the services say of a request's progress.
const PROGRESS: [&str; 14] = [
    "PREPARING",
    "WAITING_FOR_PLACEMENT",
    "WAITING_FOR_CONFIRMATION",
    "WAITING_FOR_PAYMENT_SERVICE",
    "WAITING_FOR_PAYMENT",
    "WAITING_FOR_AGENT",
    "WAITING_FOR_OFFICER",
    "WAITING_FOR_SIGNATURE",
    "WAITING_FOR_PAGE_SIGNATURE",
    "WAITING_FOR_TIME_STAMP",
    "WAITING_FOR_TRUSTED_TIME_STAMP",
    "WAITING_FOR_REVOCATION_DATA",
    "CANNOT_BE_FINISHED",
    "PREPARATION_FAILED",
];

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn named_keys() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    sources(&root.join("src"), &mut text);
    sources(&root.join("templates"), &mut text);
    let is_key = |literal: &&str| {
        let word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        literal
            .split_once('.')
            .is_some_and(|(section, key)| NAMED.contains(&section) && word(key) && key != "html")
    };
    text.split('"').filter(is_key).map(str::to_owned).collect()
}

fn catalogue_keys() -> BTreeSet<String> {
    // No Tamazight text has been reviewed, so every key is among those that fall back.
    tamazight_fallbacks().into_iter().map(str::to_owned).collect()
}

#[test]
fn every_text_that_is_named_is_there() {
    let keys = named_keys();
    assert!(keys.len() > 80, "the sources were not found");
    for key in &keys {
        for language in Language::ALL {
            assert!(find(language, key).is_some(), "{key} in {}", language.tag());
        }
    }
}

#[test]
fn no_text_is_left_over() {
    let named = named_keys();
    let own = |key: &&String| {
        let section = key.split('.').next().unwrap();
        NAMED.contains(&section) && section != "status"
    };
    let left_over: Vec<_> = catalogue_keys()
        .iter()
        .filter(own)
        .filter(|key| !named.contains(*key))
        .cloned()
        .collect();
    assert!(left_over.is_empty(), "{left_over:?}");
}

#[test]
fn every_progress_has_a_text_in_each_language() {
    for code in PROGRESS {
        let key = format!("progress.{}", code.to_lowercase());
        let texts: BTreeSet<_> = [Language::Arabic, Language::French, Language::English]
            .iter()
            .map(|language| find(*language, &key).unwrap_or_else(|| panic!("{key} in {}", language.tag())))
            .collect();
        assert_eq!(texts.len(), 3, "{key} is the same in two languages");
    }
}

#[test]
fn every_code_of_an_order_has_a_text_in_each_language() {
    for (section, codes) in CODED {
        for code in codes {
            let key = format!("{section}.{code}");
            let texts: BTreeSet<_> = [Language::Arabic, Language::French, Language::English]
                .iter()
                .map(|language| {
                    find(*language, &key).unwrap_or_else(|| panic!("{key} in {}", language.tag()))
                })
                .collect();
            assert_eq!(texts.len(), 3, "{key} is the same in two languages");
        }
    }
}

#[test]
fn tamazight_shows_arabic_where_no_text_has_been_reviewed() {
    for key in tamazight_fallbacks() {
        assert_eq!(
            find(Language::Tamazight, key),
            find(Language::Arabic, key),
            "{key}"
        );
    }
    assert_eq!(Language::Tamazight.written(), Language::Arabic);
}
