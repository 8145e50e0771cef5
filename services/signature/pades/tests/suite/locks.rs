//! Later changes that an earlier signature forbids: DocMDP and FieldMDP, ours and pyHanko's judgement.

use serde_json::{Value, json};
use wathiq_pades::plan::FieldPlacement;
use wathiq_pades::verify::{Change, Indication, LaterChanges, SubIndication};

use crate::build::Builder;
use crate::judge::{first, pyhanko, word};
use crate::support::{Desk, plan, seal, strokes, text, tool, trust};
use crate::verify::assert_sub;

fn original() -> Vec<u8> {
    Builder::new()
        .object(
            1,
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>",
        )
        .object(6, "<< /FT /Tx /T (champ0) /V (a) >>")
        .finish()
}

fn invisible() -> FieldPlacement {
    FieldPlacement::Invisible {
        name: "Sceau".to_owned(),
    }
}

fn visible() -> FieldPlacement {
    FieldPlacement::Visible {
        name: "Sceau".to_owned(),
        page_index: 0,
        rect: [300.0, 100.0, 450.0, 160.0],
        appearance: strokes(),
    }
}

fn existing() -> FieldPlacement {
    FieldPlacement::Existing {
        name: "Vide".to_owned(),
        appearance: Some(strokes()),
    }
}

/// Signs with pyHanko and these options, then puts our seal into this field, whatever intake would say.
#[track_caller]
fn sealed_over(options: Value, field: FieldPlacement, ours: &str, theirs: &str) {
    let desk = Desk::new();
    let signed = desk.signed(&original(), options.clone());
    let mut plan = plan();
    plan.field = field;
    let file = seal(&signed, &plan);
    let report = first(&file);
    let judged = (word(&report.later), pyhanko(&file));
    assert_eq!(judged, (ours, theirs.to_owned()), "{options}: {:?}", report.later);
    if ours == "other" {
        assert_sub(&report, SubIndication::SigConstraintsFailure);
    } else {
        assert_eq!(report.indication, Indication::TotalPassed, "{report:?}");
    }
}

#[test]
fn no_signature_follows_a_certification_that_forbids_all_changes() {
    let forbidden = "FORM_FILLING FORBIDDEN";
    sealed_over(json!({"certify": 1}), invisible(), "other", forbidden);
    let locked = json!({"lock": "Include", "lock_fields": ["champ0"], "lock_p": 1});
    sealed_over(locked, invisible(), "other", forbidden);
}

#[test]
fn a_certification_for_forms_foresees_its_own_fields_alone() {
    sealed_over(json!({"certify": 2}), invisible(), "harmless", "FORM_FILLING");
    sealed_over(json!({"certify": 2}), visible(), "other", "OTHER");
    let with_field = json!({"certify": 2, "empty": ["Vide"]});
    sealed_over(with_field, existing(), "visible", "FORM_FILLING");
    sealed_over(json!({"certify": 3}), visible(), "other", "OTHER");
}

#[test]
fn locked_fields_are_not_signed() {
    sealed_over(json!({"lock": "All"}), invisible(), "other", "OTHER");
    let except = json!({"lock": "Exclude", "lock_fields": ["champ0"]});
    sealed_over(except, invisible(), "other", "OTHER");
    let included = json!({"lock": "Include", "lock_fields": ["champ0"]});
    sealed_over(included, visible(), "visible", "FORM_FILLING");
    let own = json!({"empty": ["Vide"], "lock": "Include", "lock_fields": ["Vide"]});
    sealed_over(own, existing(), "other", "OTHER");
}

/// Material for validation and a document time-stamp are no changes in the sense of ISO 32000-2, 12.8.2.2.2.
#[test]
fn a_certification_that_forbids_all_changes_can_be_kept() {
    for options in [json!({"certify": 1}), json!({"lock": "All"})] {
        let desk = Desk::new();
        let source = desk.write("certified.pdf", &desk.signed(&original(), options.clone()));
        let target = desk.path("kept.pdf");
        let arguments = json!({"folder": trust().path(), "source": text(&source), "target": text(&target)});
        tool("augment", arguments);
        let file = std::fs::read(target).expect("pyhanko wrote it");
        let report = first(&file);
        let LaterChanges::Harmless { changes } = &report.later else {
            panic!("{options}: {:?}", report.later);
        };
        assert_eq!(
            changes[..2],
            [Change::DocumentTimestamp, Change::ValidationMaterial]
        );
        assert_eq!(report.indication, Indication::TotalPassed, "{report:?}");
        assert_eq!(pyhanko(&file), "LTA_UPDATES", "{options}");
    }
}
