use serde_json::Value;
use wathiq_pades::cms::Algorithm;
use wathiq_pades::plan::FieldPlacement;
use wathiq_pades::prepare;

use crate::support::{Desk, assert_qpdf_clean, mark, plan, run, seal, sign, strokes, text, trust};

const APPENDIX: &[u8] = include_bytes!("../fixtures/typst-page.pdf");

fn assert_trusted(status: &Value) {
    assert_eq!(status["bottom_line"], true, "{status}");
    assert_eq!(status["subfilter"], "/ETSI.CAdES.detached", "{status}");
    assert_eq!(status["coverage"], "ENTIRE_FILE", "{status}");
}

#[test]
fn a_sealed_contract_satisfies_qpdf_pdfsig_and_pyhanko() {
    let desk = Desk::new();
    let original = desk.reportlab("plain", 2);
    for (name, original) in [
        ("table", original.clone()),
        ("streams", desk.qpdf(&original, &["--object-streams=generate"])),
        ("linearised", desk.qpdf(&original, &["--linearize"])),
    ] {
        let mut plan = plan();
        plan.mark = Some(mark());
        plan.append_pages = Some(APPENDIX.to_vec());
        let sealed = seal(&original, &plan);
        assert!(
            sealed.starts_with(&original),
            "{name}: an incremental update keeps every byte"
        );
        let file = desk.write(&format!("{name}-sealed.pdf"), &sealed);
        assert_qpdf_clean(&file);
        let status = trust().validate(&file);
        assert_eq!(status.len(), 1);
        assert_trusted(&status[0]);
        assert_eq!(status[0]["stamp"], true, "{name}");
        assert_eq!(status[0]["pages"], 3, "{name}");
        let pdfsig = run("pdfsig", &["-nocert", text(&file)]);
        let printed = String::from_utf8_lossy(&pdfsig.stdout).into_owned();
        assert!(printed.contains("Signature is Valid."), "{name}: {printed}");
        assert!(printed.contains("Total document signed"), "{name}: {printed}");
    }
}

#[test]
fn every_algorithm_makes_a_signature_others_accept() {
    let desk = Desk::new();
    let original = desk.reportlab("plain", 1);
    let prepared = prepare(&original, &plan()).expect("it can be prepared");
    for (name, algorithm) in [
        ("officer-rsa", Algorithm::RsaPkcs1Sha256),
        ("officer-rsa", Algorithm::RsaPssSha256),
        ("officer-p256", Algorithm::EcdsaP256Sha256),
    ] {
        let file = desk.write("algorithm.pdf", &sign(&prepared, name, algorithm));
        assert_trusted(&trust().validate(&file)[0]);
    }
}

#[test]
fn preparing_again_gives_the_same_bytes() {
    let desk = Desk::new();
    let original = desk.reportlab("form", 2);
    let mut plan = plan();
    plan.mark = Some(mark());
    plan.append_pages = Some(APPENDIX.to_vec());
    let first = prepare(&original, &plan).expect("it can be prepared");
    let again = prepare(&original, &plan).expect("it can be prepared");
    assert_eq!(first, again);
    plan.id_seed = [8; 16];
    assert_ne!(
        first.digest,
        prepare(&original, &plan).expect("it can be prepared").digest
    );
}

#[test]
fn a_visible_field_carries_the_strokes() {
    let desk = Desk::new();
    let original = desk.reportlab("form", 2);
    let mut plan = plan();
    plan.field = FieldPlacement::Visible {
        name: "Sceau".to_owned(),
        page_index: 1,
        rect: [100.0, 100.0, 250.0, 160.0],
        appearance: strokes(),
    };
    let file = desk.write("visible.pdf", &seal(&original, &plan));
    assert_qpdf_clean(&file);
    assert_trusted(&trust().validate(&file)[0]);
}
