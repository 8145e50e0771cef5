use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use wathiq_pades::cms::{self, Algorithm, SignedAttributes};
use wathiq_pades::prepare;
use wathiq_pades::syntax::Document;
use wathiq_pades::verify::{
    Change, Coverage, Indication, LaterChanges, Level, RevocationData, SignatureReport, SubIndication,
    TrustContext, revocation_urls, verify,
};

use crate::build;
use crate::support::{CAPACITY, Desk, decode, mark, plan, seal, sign, signature, tool, trust};

/// A time a little after the tests' certificates of time-stamps were made: the machine's own.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from(std::time::SystemTime::now()) + TimeDelta::minutes(5)
}

fn revocation(time: Option<DateTime<Utc>>, ocsp: &[&str]) -> Vec<RevocationData> {
    let crls: &[&str] = if ocsp.is_empty() {
        &["root", "issuing"]
    } else {
        &["root"]
    };
    let time = time.map(|time| time.to_rfc3339());
    let answer = tool(
        "revocation",
        json!({"folder": trust().path(), "time": time, "crls": crls, "ocsp": ocsp}),
    );
    let list = |key: &str| answer[key].as_array().expect("a list").clone();
    let crls = list("crls")
        .into_iter()
        .map(|der| RevocationData::Crl(decode(&der)));
    crls.chain(
        list("ocsps")
            .into_iter()
            .map(|der: Value| RevocationData::Ocsp(decode(&der))),
    )
    .collect()
}

pub(crate) fn context(revocation: Vec<RevocationData>) -> TrustContext {
    TrustContext {
        anchors: vec![trust().certificate("root")],
        certificates: Vec::new(),
        revocation,
        at: now(),
        max_age: TimeDelta::zero(),
    }
}

pub(crate) fn known() -> TrustContext {
    context(revocation(None, &[]))
}

pub(crate) fn only(reports: Vec<SignatureReport>) -> SignatureReport {
    assert_eq!(reports.len(), 1);
    reports.into_iter().next().expect("one report")
}

fn sealed(desk: &Desk) -> Vec<u8> {
    seal(&desk.reportlab("plain", 1), &plan())
}

#[track_caller]
pub(crate) fn assert_sub(report: &SignatureReport, expected: SubIndication) {
    assert_eq!(report.sub_indication, Some(expected), "{}", report.field);
    assert_eq!(report.indication, expected.indication());
}

#[test]
fn a_seal_passes_at_level_b_t() {
    let desk = Desk::new();
    for revocation in [revocation(None, &[]), revocation(None, &["officer-rsa", "other"])] {
        let report = only(verify(&sealed(&desk), &context(revocation)).expect("it can be read"));
        assert_eq!(report.sub_indication, None);
        assert_eq!(report.indication, Indication::TotalPassed);
        assert_eq!(report.level, Some(Level::BT));
        assert_eq!(report.coverage, Coverage::WholeFile);
        assert_eq!(report.later, LaterChanges::None);
        assert_eq!(report.signer_name.as_deref(), Some("Officier RSA"));
        assert_eq!(report.reason, plan().reason);
        assert_eq!(report.location, plan().location);
        assert_eq!(report.claimed_time, Some(plan().signing_time));
        assert_eq!(
            report.best_signature_time,
            report.timestamp.map(|stamp| stamp.time)
        );
        assert_eq!(report.chain.len(), 3);
    }
}

#[test]
fn without_revocation_data_one_tries_later() {
    let desk = Desk::new();
    let report = only(verify(&sealed(&desk), &context(Vec::new())).expect("it can be read"));
    assert_sub(&report, SubIndication::TryLater);
}

#[test]
fn data_older_than_the_signature_do_not_count() {
    let desk = Desk::new();
    let old = revocation(Some(now() - TimeDelta::days(400)), &[]);
    let report = only(verify(&sealed(&desk), &context(old)).expect("it can be read"));
    assert_sub(&report, SubIndication::TryLater);
}

#[test]
fn an_unknown_root_gives_no_chain() {
    let desk = Desk::new();
    let mut context = known();
    context.anchors = vec![trust().certificate("other")];
    let report = only(verify(&sealed(&desk), &context).expect("it can be read"));
    assert_sub(&report, SubIndication::NoCertificateChainFound);
}

#[test]
fn revoked_and_expired_certificates_are_told_apart() {
    let desk = Desk::new();
    let prepared = prepare(&desk.reportlab("plain", 1), &plan()).expect("it can be prepared");
    for (name, expected) in [
        ("revoked", SubIndication::RevokedNoPoe),
        ("expired", SubIndication::OutOfBoundsNoPoe),
    ] {
        let file = sign(&prepared, name, Algorithm::EcdsaP256Sha256);
        assert_sub(&only(verify(&file, &known()).expect("it can be read")), expected);
    }
}

#[test]
fn a_changed_byte_is_a_hash_failure() {
    let desk = Desk::new();
    let mut file = sealed(&desk);
    let at = file
        .windows(4)
        .position(|run| run == b"/Rot")
        .or(Some(200))
        .expect("a place");
    file[at + 3] ^= 1;
    let verdict =
        verify(&file, &known()).map(|reports| reports.into_iter().next().and_then(|r| r.sub_indication));
    assert!(
        matches!(verdict, Ok(Some(SubIndication::HashFailure)) | Err(_)),
        "{verdict:?}"
    );
    let mut file = sealed(&desk);
    let at = file
        .windows(3)
        .position(|run| run == b"/M ")
        .expect("the claimed time")
        + 6;
    file[at] = if file[at] == b'2' { b'1' } else { b'2' };
    assert_sub(
        &only(verify(&file, &known()).expect("it can be read")),
        SubIndication::HashFailure,
    );
}

#[test]
fn a_value_of_another_key_is_a_crypto_failure() {
    let desk = Desk::new();
    let prepared = prepare(&desk.reportlab("plain", 1), &plan()).expect("it can be prepared");
    let mut cms = signature(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256);
    let chain = trust().chain("officer-p256");
    let attributes = SignedAttributes::new(&prepared.digest, &chain[0]);
    let wrong = trust()
        .key("other", Algorithm::EcdsaP256Sha256)
        .sign(attributes.der())
        .expect("signing works");
    let refused = cms::assemble(&attributes, Algorithm::EcdsaP256Sha256, &wrong, &chain);
    assert_eq!(refused, Err(cms::CmsError::WrongSignature));
    // The value is the last thing in a signature without a time-stamp.
    let last = cms.len() - 1;
    cms[last] ^= 1;
    let file = cms::finish(
        &prepared.bytes,
        prepared.contents_offset,
        prepared.contents_len,
        &cms,
    )
    .expect("it fits");
    assert_sub(
        &only(verify(&file, &known()).expect("it can be read")),
        SubIndication::SigCryptoFailure,
    );
}

#[test]
fn a_second_signature_that_is_seen_leaves_the_first_as_it_was() {
    let desk = Desk::new();
    let first = desk.signed(
        &desk.reportlab("form", 2),
        json!({"visible": true, "stamped": true}),
    );
    let mut plan = plan();
    plan.field = wathiq_pades::plan::FieldPlacement::Visible {
        name: "Sceau".to_owned(),
        page_index: 0,
        rect: [300.0, 100.0, 450.0, 160.0],
        appearance: crate::support::strokes(),
    };
    let reports = verify(&seal(&first, &plan), &known()).expect("it can be read");
    assert_eq!(reports.len(), 2);
    assert_eq!(reports[0].coverage, Coverage::WholeRevision);
    assert_eq!(
        reports[0].later,
        LaterChanges::Visible {
            changes: vec![Change::Signature]
        }
    );
    assert_eq!(reports[0].indication, Indication::TotalPassed);
    assert_eq!(reports[0].revision_length, first.len() as u64);
    assert_eq!(reports[1].indication, Indication::TotalPassed);
}

#[test]
fn pyhanko_augments_to_lt_and_lta() {
    let desk = Desk::new();
    let source = desk.write("bt.pdf", &sealed(&desk));
    let target = desk.path("lta.pdf");
    let arguments = json!({
        "folder": trust().path(), "source": crate::support::text(&source), "target": crate::support::text(&target),
    });
    tool("augment", arguments);
    let file = std::fs::read(target).expect("pyhanko wrote it");
    let reports = verify(&file, &context(Vec::new())).expect("it can be read");
    assert_eq!(reports.len(), 2);
    assert_eq!(reports[0].indication, Indication::TotalPassed);
    assert_eq!(reports[0].level, Some(Level::BLta));
    let changes = vec![
        Change::DocumentTimestamp,
        Change::ValidationMaterial,
        Change::Metadata,
    ];
    assert_eq!(reports[0].later, LaterChanges::Harmless { changes });
    assert_eq!(reports[1].indication, Indication::TotalPassed);
}

#[test]
fn a_shadow_revision_is_seen() {
    let desk = Desk::new();
    let file = sealed(&desk);
    let document = Document::open(&file).expect("it can be read");
    let size = document.next_number();
    let page = document
        .object_ids()
        .find(|id| {
            let loaded = document
                .object(*id)
                .expect("objects can be read")
                .expect("objects in use exist");
            loaded
                .value
                .dictionary()
                .is_some_and(|page| page.is_type(b"Page"))
        })
        .expect("a page");
    let other = "<< /Type /Page /MediaBox [0 0 100 100] /Parent 1 0 R >>";
    let shadowed = build::append(&file, &[(page.number, other)], size);
    let report = only(verify(&shadowed, &known()).expect("it can be read"));
    assert_eq!(
        report.later,
        LaterChanges::Other {
            objects: vec![page.number]
        }
    );
    assert_sub(&report, SubIndication::SigConstraintsFailure);
}

#[test]
fn an_object_that_fills_an_open_reference_is_seen() {
    let original = build::Builder::new()
        .object(
            3,
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 99 0 R >>",
        )
        .finish();
    let file = seal(&original, &plan());
    let filled = build::append(&file, &[(99, "<< /Length 0 >>\nstream\n\nendstream")], 100);
    let report = only(verify(&filled, &known()).expect("it can be read"));
    assert_eq!(report.later, LaterChanges::Other { objects: vec![99] });
}

/// Byte ranges that leave something out, point elsewhere, or hold no numbers.
#[test]
fn odd_byte_ranges_are_format_failures() {
    let desk = Desk::new();
    let prepared = prepare(&desk.reportlab("plain", 1), &plan()).expect("it can be prepared");
    let file = sign(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256);
    let [_, before, after, rest] = prepared.byte_range;
    let at = file
        .windows(10)
        .position(|run| run == b"/ByteRange")
        .expect("a byte range")
        + 11;
    for range in [
        format!("[0 {} {after} {rest}]", before - 1),
        format!("[0 {before} {} {}]", after + 2, rest - 2),
        format!("[0 {before} {after} {}]", rest - 8),
        format!("[1 {} {after} {rest}]", before - 1),
        format!("[0 {before} {after}]"),
        "[null null null null]".to_owned(),
        "null".to_owned(),
        "[0 0 0 0]".to_owned(),
        format!("[0 {before} {after} 999999999]"),
    ] {
        let mut odd = file.clone();
        odd[at..at + 48].fill(b' ');
        odd[at..at + range.len()].copy_from_slice(range.as_bytes());
        let report = only(verify(&odd, &known()).expect("it can be read"));
        assert_sub(&report, SubIndication::FormatFailure);
        assert_eq!(report.coverage, Coverage::Partial, "{range}");
    }
}

#[test]
fn bytes_outside_the_range_are_seen() {
    let desk = Desk::new();
    let mut file = sealed(&desk);
    file.extend_from_slice(b"%hidden\n");
    let report = only(verify(&file, &known()).expect("it can be read"));
    assert_ne!(report.coverage, Coverage::WholeFile);
}

#[test]
fn a_second_contents_key_is_a_format_failure() {
    let desk = Desk::new();
    let file = sealed(&desk);
    let location = br"/Location (Rabat \(Agdal\))";
    let at = file
        .windows(location.len())
        .position(|run| run == location)
        .expect("a location");
    let mut doubled = file.clone();
    doubled[at..at + location.len()].fill(b' ');
    doubled[at..at + 14].copy_from_slice(b"/Contents <00>");
    let report = only(verify(&doubled, &known()).expect("it can be read"));
    assert_sub(&report, SubIndication::FormatFailure);
}

#[test]
fn certificates_tell_where_to_ask() {
    let urls = revocation_urls(&trust().certificate("officer-rsa"));
    assert!(
        urls.crl.iter().all(|url| url.starts_with("http://trust.test/")) && urls.crl.len() == 1,
        "{urls:?}"
    );
    assert_eq!((urls.ocsp.len(), urls.issuers.len()), (1, 1));
}

#[test]
fn a_hole_that_is_too_small_is_told() {
    let desk = Desk::new();
    let mut plan = plan();
    plan.mark = Some(mark());
    plan.contents_capacity = 100;
    let prepared = prepare(&desk.reportlab("plain", 1), &plan).expect("it can be prepared");
    let cms = signature(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256);
    let finished = cms::finish(
        &prepared.bytes,
        prepared.contents_offset,
        prepared.contents_len,
        &cms,
    );
    assert_eq!(
        finished,
        Err(cms::CmsError::TooLarge {
            needed: cms.len(),
            reserved: 100
        })
    );
    assert!(cms.len() < CAPACITY);
}
