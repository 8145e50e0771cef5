//! Files that carry signatures already: what intake says, and what pyHanko's difference analysis says of the
//! first signature after ours.

use serde_json::{Value, json};
use wathiq_pades::intake::{Limits, Reason, SealPolicy, inspect};
use wathiq_pades::plan::FieldPlacement;

use crate::build::Builder;
use crate::support::{Desk, assert_qpdf_clean, plan, seal, strokes, trust};

/// Our field as the policy wants it.
fn placement(policy: &SealPolicy) -> FieldPlacement {
    let name = "Sceau".to_owned();
    match policy {
        SealPolicy::Unsigned
        | SealPolicy::Certified {
            empty_field: None, ..
        } => FieldPlacement::Invisible { name },
        SealPolicy::Approval => FieldPlacement::Visible {
            name,
            page_index: 0,
            rect: [300.0, 100.0, 450.0, 160.0],
            appearance: strokes(),
        },
        SealPolicy::Certified {
            empty_field: Some(name),
            ..
        } => FieldPlacement::Existing {
            name: name.clone(),
            appearance: Some(strokes()),
        },
    }
}

/// A form with one text field and no appearance for it. With an appearance, pyHanko's analysis calls every later
/// revision a change of a locked field, its own second signature included.
fn form() -> Vec<u8> {
    Builder::new()
        .object(
            1,
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /DA (/Helv 0 Tf) >> >>",
        )
        .object(
            3,
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [4 0 R] >>",
        )
        .object(
            4,
            "<< /Subtype /Widget /FT /Tx /T (champ0) /V (a) /Rect [72 600 272 620] /P 3 0 R >>",
        )
        .finish()
}

/// Seals what intake lets in, and lets pyHanko judge.
fn accepted(options: Value, expected: &SealPolicy) {
    let desk = Desk::new();
    let signed = desk.signed(&form(), options.clone());
    let intake =
        inspect(&signed, &Limits::default()).unwrap_or_else(|refusal| panic!("{options}: {refusal:?}"));
    assert_eq!(&intake.policy, expected, "{options}");
    let mut plan = plan();
    plan.field = placement(&intake.policy);
    let file = desk.write("sealed.pdf", &seal(&signed, &plan));
    assert_qpdf_clean(&file);
    let status = trust().validate(&file);
    assert_eq!(status.len(), 2, "{options}");
    for signature in &status {
        assert_eq!(signature["bottom_line"], true, "{options}: {signature}");
        assert_ne!(signature["docmdp_ok"], false, "{options}: {signature}");
    }
}

fn refused(options: Value, lock: &str) {
    let desk = Desk::new();
    let signed = desk.signed(&desk.reportlab("form", 2), options.clone());
    let refusal = inspect(&signed, &Limits::default()).expect_err("a lock forbids our field");
    assert_eq!(refusal.reason, Reason::LockedBySignature, "{options}");
    assert_eq!(refusal.data["lock"], lock, "{options}");
    assert_eq!(refusal.data["field"], "Premier", "{options}");
}

#[test]
fn an_approval_signature() {
    accepted(json!({"visible": true}), &SealPolicy::Approval);
}

#[test]
fn certified_without_any_change() {
    refused(json!({"certify": 1}), "DOCMDP_1");
}

#[test]
fn certified_for_forms() {
    accepted(
        json!({"certify": 2}),
        &SealPolicy::Certified {
            p: 2,
            empty_field: None,
        },
    );
}

#[test]
fn certified_for_annotations() {
    accepted(
        json!({"certify": 3}),
        &SealPolicy::Certified {
            p: 3,
            empty_field: None,
        },
    );
}

#[test]
fn certified_with_an_empty_field() {
    let empty_field = Some("Vide".to_owned());
    accepted(
        json!({"certify": 2, "empty": ["Vide"]}),
        &SealPolicy::Certified { p: 2, empty_field },
    );
}

#[test]
fn locked_all() {
    refused(json!({"lock": "All"}), "ALL");
}

#[test]
fn locked_include() {
    accepted(
        json!({"lock": "Include", "lock_fields": ["champ0"]}),
        &SealPolicy::Approval,
    );
}

#[test]
fn locked_exclude() {
    refused(json!({"lock": "Exclude", "lock_fields": ["champ0"]}), "EXCLUDE");
}

#[test]
fn locked_include_with_permissions() {
    let lock = |p: u8| json!({"lock": "Include", "lock_fields": ["champ0"], "lock_p": p});
    refused(lock(1), "DOCMDP_1");
    accepted(
        lock(2),
        &SealPolicy::Certified {
            p: 2,
            empty_field: None,
        },
    );
    accepted(
        lock(3),
        &SealPolicy::Certified {
            p: 3,
            empty_field: None,
        },
    );
}

#[test]
fn a_locked_empty_field_is_not_used() {
    let options = json!({"certify": 2, "empty": ["Vide"], "lock": "Include", "lock_fields": ["Vide"]});
    accepted(
        options,
        &SealPolicy::Certified {
            p: 2,
            empty_field: None,
        },
    );
}
