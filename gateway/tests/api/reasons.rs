//! Every reason that a process can give has a text in Arabic, French and English.
//!
//! The sources are read: whatever is written there like a reason is one, or stands here as something else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use wathiq_gateway::language::{Language, find};

/// Sources whose reasons reach people, below the workspace.
const SOURCES: [&str; 11] = [
    "services/identity/src",
    "services/signature/src",
    "services/signature/pades/src/intake",
    "services/notification/src",
    "services/payment/src",
    "services/postal-shipping/src",
    "services/postal-shipping/address/src",
    "services/civil-registry-order/src",
    "crates/chassis/src",
    "crates/outbox/src",
    "gateway/src",
];

/// Words that are written like reasons and are none, by what they are.
const NO_REASONS: &[(&str, &[&str])] = &[
    (
        "states and kinds as they are stored",
        &[
            "ABROAD",
            "ACCEPTED",
            "ACTION_NEEDED",
            "ACTS",
            "ADDRESSEE",
            "AGENT_ACCEPTED",
            "ANNULLED",
            "ARABIC",
            "AUTHORISED",
            "AWAITING_PAYMENT",
            "AWAITING_SIGNATURE",
            "BILINGUAL",
            "BY_HAND",
            "CANCELLED",
            "CAPTURED",
            "CHECKED",
            "CHILD",
            "CHOSEN_OFFICE",
            "COMPLETED",
            "CONFIRMED",
            "CREDITED",
            "DECLARED",
            "DECLINED",
            "DELIVERED",
            "DIFFERS",
            "DIGITISED",
            "DOCUMENT",
            "DRAFT",
            "DRAWN",
            "ELECTRONIC_SEAL",
            "ENDED",
            "ENROLLED_ADMINISTRATION",
            "EVIDENCE",
            "EXTRACT",
            "FAILED",
            "FEMALE",
            "FINISHED",
            "FRENCH",
            "FROZEN",
            "FULL_COPY",
            "GUARDIAN",
            "INTERNATIONAL",
            "IN_PRODUCTION",
            "IN_PROGRESS",
            "KEYED_ONCE",
            "LEGALISATION_PAGE",
            "MALE",
            "MANDATAIRE",
            "MANDATARY",
            "MATCHES",
            "MATCHES_WITH_DIFFERENCES",
            "MOROCCO",
            "NONE",
            "OFFICER",
            "OFFICER_KEY",
            "OFFICE_OF_REGISTRATION",
            "ONESELF",
            "OPEN",
            "OTHER",
            "OTHER_ADMINISTRATION",
            "PAID",
            "PAPER",
            "PARENT",
            "PASSPORT",
            "PAUSED",
            "PENDING",
            "PREPARED",
            "PRIVATE_PARTY",
            "PRODUCED",
            "REFUNDED",
            "REFUNDING",
            "REFUSED",
            "REGISTERED",
            "REGISTERED_DOMESTIC",
            "REGISTERED_INTERNATIONAL",
            "REQUESTED",
            "RESIDENCE_CARD",
            "RUNNING",
            "SEALED",
            "SIGNATURE_PLACED",
            "SIGNED",
            "SPOUSE",
            "STANDING",
            "STARTED",
            "SUBMITTED",
            "TO_CORRECT",
            "UNSPECIFIED",
            "VOIDED",
            "VOIDING",
            "WITHDRAWN",
        ],
    ),
    (
        "what payment knows before the order does, told with texts of its own",
        &["PAYMENT_CANCELLED", "PAYMENT_EXPIRED", "PAYMENT_RECEIVED"],
    ),
    (
        "why a finished seal still waits, told to people as a progress",
        &[
            "TIME_STAMP_MISSING",
            "TIME_STAMP_UNTRUSTED",
            "REVOCATION_UNKNOWN",
            "UNFINISHABLE",
        ],
    ),
    (
        "why a message was not sent, told to administrators as a code",
        &[
            "ADDRESS_INVALID",
            "ATTEMPT_TIMEOUT",
            "INTERRUPTED",
            "MAIL_MALFORMED",
            "NO_ADDRESS",
            "NO_TEXT",
            "SIGNATURE_UNAVAILABLE",
            "SMTP_552",
            "SMTP_TIMEOUT",
            "SMTP_TLS",
            "SMTP_UNREACHABLE",
            "SMTP_UNUSABLE",
            "TEXT_TIMEOUT",
            "TEXT_UNREACHABLE",
            "TOO_LATE",
            "OVERTAKEN",
            "CIVIL_REGISTRY_ORDER_UNAVAILABLE",
            "NO_PHONE",
            "FACTS_MISSING",
        ],
    ),
    (
        "reasons that an office gives, in the words of their service's catalogue",
        &[
            "ACT_DIFFERS",
            "ACT_UNDER_CORRECTION",
            "EVIDENCE_INSUFFICIENT",
            "EVIDENCE_NEEDED",
            "REGISTER_DAMAGED",
            "REGISTER_NOT_HELD",
        ],
    ),
    (
        "differences in the books, told to whoever runs the audit",
        &[
            "DEPOSIT_MISSING",
            "DEPOSIT_WITHOUT_LINE",
            "DOCUMENT_OF_NO_LINE",
            "LINES_DIFFER",
            "MONEY_OF_NO_PAYABLE",
            "PAID_WITHOUT_PAYABLE",
            "PARCEL_DIFFERS",
            "PAYABLE_DIFFERS",
            "PAYABLE_MISSING",
            "PAYABLE_OF_NO_ORDER",
            "PAYMENT_DIFFERS",
            "POSTED_WITHOUT_PARCEL",
            "PRODUCED_NOT_SEALED",
            "REFUNDS_DIFFER",
            "REFUND_DIFFERS",
            "SEALED_NOT_PRODUCED",
            "SEALED_TWICE",
            "SEAL_MISSING",
            "SHIPMENT_DIFFERS",
            "SHIPMENT_MISSING",
            "SHIPMENT_OF_NO_PARCEL",
            "STATEMENT_DIFFERS",
        ],
    ),
    (
        "what is asked of other services, as it is stored",
        &[
            "CANCEL",
            "CANCEL_PAYABLE",
            "CREATE_SHIPMENT",
            "DEPOSIT_DOCUMENT",
            "EXPIRE_PAYABLE",
            "HAND_OVER",
            "OPEN_PAYABLE",
            "REFUND",
            "REQUEST_REFUND",
            "WITHDRAW_DOCUMENT",
        ],
    ),
    (
        "words of the providers of payments",
        &[
            "APPROVED",
            "CARDBRAND",
            "CARDISSUER",
            "CNCL",
            "FAILURE",
            "HASH",
            "MDSTATUS",
            "ORDERHISTORY",
            "ORDERSTATUS",
            "THORN",
            "TRANS_ID",
        ],
    ),
    ("names of algorithms", &["RSA_SHA256"]),
    ("chunks of a PNG file", &["IDAT", "IEND", "IHDR"]),
    (
        "kinds of identity document, as the carrier writes them",
        &["CNIE"],
    ),
    (
        "names of gRPC codes, in metrics",
        &[
            "ABORTED",
            "DATA_LOSS",
            "FAILED_PRECONDITION",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "UNAUTHENTICATED",
            "UNAVAILABLE",
            "UNIMPLEMENTED",
            "UNKNOWN",
        ],
    ),
    ("methods of HTTP", &["DELETE", "HEAD", "OPTIONS", "PATCH", "POST"]),
    (
        "words of other languages",
        &[
            "CERTIFICATE",
            "EXCLUDE",
            "INCLUDE",
            "OCSP",
            "SCREAMING_SNAKE_CASE",
            "SELECT",
        ],
    ),
    ("set by the build", &["CARGO_PKG_VERSION"]),
    ("answers to the gateway's own call", &["BUCKET_UNKNOWN"]),
    (
        "answers to the command that makes the first administrator",
        &["BOOTSTRAP_DONE"],
    ),
    (
        "a warning of a sign-up, for the program that shows the form",
        &["DOCUMENT_NUMBER_UNUSUAL"],
    ),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.ends_with("tests") {
                continue;
            }
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The lines of the sources that are neither comments nor tests, each with its file.
fn lines() -> Vec<(String, PathBuf)> {
    let mut sources = Vec::new();
    for folder in SOURCES {
        files(&workspace().join(folder), &mut sources);
    }
    let mut lines = Vec::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.extend(code.map(|line| (line.to_owned(), path.clone())));
    }
    lines
}

/// The words written like reasons, and one file of each.
fn words() -> BTreeMap<String, PathBuf> {
    let mut words = BTreeMap::new();
    for (line, path) in lines() {
        for literal in line.split('"').skip(1).step_by(2) {
            let shouted = literal.len() >= 4
                && literal
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
                && literal.starts_with(|first: char| first.is_ascii_uppercase())
                && !literal.ends_with('_')
                && literal.bytes().filter(u8::is_ascii_digit).count() <= 4;
            if shouted {
                words.insert(literal.to_owned(), path.clone());
            }
        }
    }
    words
}

/// The variants of an enumeration as they are written in messages.
fn variants(file: &str, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(workspace().join(file)).unwrap();
    let start = text.find(&format!("pub enum {name} {{")).unwrap();
    let block = text[start..].split("\n}").next().unwrap();
    let names = block
        .lines()
        .skip(1)
        .filter_map(|line| line.trim().strip_suffix(','));
    let shout = |name: &str| {
        let mut shouted = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !shouted.is_empty() {
                shouted.push('_');
            }
            shouted.push(letter.to_ascii_uppercase());
        }
        shouted
    };
    names.map(shout).collect()
}

fn has_text(keys: &[String]) -> bool {
    [Language::Arabic, Language::French, Language::English]
        .into_iter()
        .all(|language| keys.iter().any(|key| find(language, key).is_some()))
}

#[test]
fn every_reason_has_its_texts() {
    let words = words();
    assert!(words.len() > 200, "the sources were not found: {}", words.len());
    let others: BTreeSet<&str> = NO_REASONS.iter().flat_map(|(_, words)| *words).copied().collect();
    let has_texts = |word: &str| {
        has_text(&[
            format!("problem.{word}"),
            format!("field.{word}"),
            format!("progress.{}", word.to_lowercase()),
            format!("sub.{word}"),
            format!("line_progress.{}", word.to_lowercase()),
            format!("parcel_state.{}", word.to_lowercase()),
            format!("parcel_exception.{word}"),
            format!("end_reason.{word}"),
            format!("exception.{word}"),
        ])
    };
    let silent: Vec<_> = words
        .iter()
        .filter(|(word, _)| !others.contains(word.as_str()) && !has_texts(word))
        .collect();
    assert!(silent.is_empty(), "no text in the locales for {silent:?}");
    let gone: Vec<_> = others.iter().filter(|word| !words.contains_key(**word)).collect();
    assert!(gone.is_empty(), "no source says {gone:?} any more");
}

/// What is not found is named by its kind, from which the reason is made.
#[test]
fn whatever_is_not_found_has_its_texts() {
    let lines = lines();
    let kinds: BTreeSet<&str> = lines
        .iter()
        .filter_map(|(line, _)| line.trim().strip_prefix("resource: \"")?.split('"').next())
        .collect();
    assert!(kinds.len() > 4, "{kinds:?}");
    for kind in kinds {
        let reason = format!("{}_NOT_FOUND", kind.to_uppercase());
        assert!(has_text(&[format!("problem.{reason}")]), "{reason}");
    }
}

#[test]
fn every_refusal_of_a_file_and_every_verdict_has_its_texts() {
    let refusals = variants("services/signature/pades/src/intake/refusal.rs", "Reason");
    let verdicts = variants("services/signature/pades/src/verify/report.rs", "SubIndication");
    assert!(
        refusals.len() > 20 && verdicts.len() > 10,
        "{refusals:?} {verdicts:?}"
    );
    for reason in refusals {
        assert!(has_text(&[format!("problem.{reason}")]), "{reason}");
    }
    for verdict in verdicts {
        assert!(has_text(&[format!("sub.{verdict}")]), "{verdict}");
    }
}
