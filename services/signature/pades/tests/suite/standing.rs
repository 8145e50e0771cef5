//! What lists say together: suspended and released again, revoked for good, and lists that name no next one.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use wathiq_pades::cms::Algorithm;
use wathiq_pades::prepare;
use wathiq_pades::verify::{RevocationData, SubIndication, verify};

use crate::support::{Desk, decode, plan, seal, sign, tool, trust};
use crate::verify::{context, now, only};

const SIGNER: &str = "officer-p256";

/// The list of the root, by which the issuing authority stands.
fn root() -> RevocationData {
    let answer = tool("revocation", json!({"folder": trust().path(), "crls": ["root"]}));
    RevocationData::Crl(decode(&answer["crls"][0]))
}

/// A list of the issuing authority of so many minutes before `at`, which counts for a day.
fn list(at: DateTime<Utc>, minutes: i64, revoked: &[(&str, DateTime<Utc>, &str)]) -> RevocationData {
    list_until(at, minutes, Some(at + TimeDelta::days(1)), revoked)
}

fn list_until(
    at: DateTime<Utc>,
    minutes: i64,
    next_update: Option<DateTime<Utc>>,
    revoked: &[(&str, DateTime<Utc>, &str)],
) -> RevocationData {
    let revoked: Vec<_> = revoked
        .iter()
        .map(|(name, since, reason)| json!([name, since.to_rfc3339(), reason]))
        .collect();
    let arguments = json!({
        "folder": trust().path(),
        "this_update": (at - TimeDelta::minutes(minutes)).to_rfc3339(),
        "next_update": next_update.map(|time| time.to_rfc3339()),
        "revoked": revoked,
    });
    RevocationData::Crl(decode(&tool("crl", arguments)["crl"]))
}

fn fault(
    file: &[u8],
    at: DateTime<Utc>,
    lists: &[RevocationData],
    max_age: TimeDelta,
) -> Option<SubIndication> {
    let mut context = context([&[root()], lists].concat());
    (context.at, context.max_age) = (at, max_age);
    only(verify(file, &context).expect("it can be read")).sub_indication
}

#[test]
fn a_suspension_passes_and_a_revocation_stays() {
    let (desk, at) = (Desk::new(), now());
    let prepared = prepare(&desk.reportlab("plain", 1), &plan()).expect("it can be prepared");
    let file = sign(&prepared, SIGNER, Algorithm::EcdsaP256Sha256);
    let since = at - TimeDelta::days(1);
    let says = |lists: &[RevocationData]| fault(&file, at, lists, TimeDelta::zero());
    let (older, newer) = (list(at, 30, &[]), list(at, 10, &[]));
    let hold = list(at, 20, &[(SIGNER, since, "certificate_hold")]);
    let revoked = list(at, 20, &[(SIGNER, since, "key_compromise")]);
    assert_eq!(says(std::slice::from_ref(&newer)), None);
    assert_eq!(says(std::slice::from_ref(&hold)), Some(SubIndication::TryLater));
    assert_eq!(
        says(&[hold.clone(), older.clone()]),
        Some(SubIndication::TryLater)
    );
    assert_eq!(says(&[newer.clone(), hold.clone()]), None, "it was released");
    assert_eq!(says(&[hold, newer.clone()]), None, "in whatever order");
    assert_eq!(says(&[newer, revoked, older]), Some(SubIndication::RevokedNoPoe));
}

#[test]
fn a_suspension_does_not_touch_what_is_older() {
    let (desk, at) = (Desk::new(), now());
    let file = seal(&desk.reportlab("plain", 1), &plan());
    let suspended = |since| list(at, 1, &[("officer-rsa", since, "certificate_hold")]);
    // The time-stamp is of the machine's time, five minutes before.
    let after = suspended(at - TimeDelta::minutes(2));
    assert_eq!(fault(&file, at, &[after], TimeDelta::zero()), None);
    let before = suspended(at - TimeDelta::hours(1));
    assert_eq!(
        fault(&file, at, &[before], TimeDelta::zero()),
        Some(SubIndication::TryLater)
    );
}

#[test]
fn a_list_that_names_no_next_one_counts_for_a_while() {
    let (desk, at) = (Desk::new(), now());
    let prepared = prepare(&desk.reportlab("plain", 1), &plan()).expect("it can be prepared");
    let file = sign(&prepared, SIGNER, Algorithm::EcdsaP256Sha256);
    let undated = [list_until(at, 10, None, &[])];
    assert_eq!(fault(&file, at, &undated, TimeDelta::hours(1)), None);
    assert_eq!(
        fault(&file, at, &undated, TimeDelta::minutes(5)),
        Some(SubIndication::TryLater)
    );
    let ended = [list_until(at, 10, Some(at - TimeDelta::minutes(1)), &[])];
    assert_eq!(
        fault(&file, at, &ended, TimeDelta::hours(1)),
        Some(SubIndication::TryLater),
        "a list that names its end ends there"
    );
}
