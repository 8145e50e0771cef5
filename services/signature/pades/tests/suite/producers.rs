//! Files of many writers, from their page to our seal and other people's judgement of it.

use wathiq_pades::intake::{Limits, SealPolicy, inspect};

use crate::support::{Desk, assert_qpdf_clean, mark, plan, run, seal, text, trust};

const APPENDIX: &[u8] = include_bytes!("../fixtures/typst-page.pdf");

/// Runs a program that writes a PDF file.
fn written(desk: &Desk, program: &str, arguments: &[&str], target: &str) -> Vec<u8> {
    let output = run(program, arguments);
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::read(desk.path(target)).unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn ghostscript(desk: &Desk, source: &str, level: &str) -> Vec<u8> {
    let target = desk.path("gs.pdf");
    let output = format!("-sOutputFile={}", text(&target));
    let level = format!("-dCompatibilityLevel={level}");
    written(
        desk,
        "gs",
        &[
            "-q",
            "-dNOPAUSE",
            "-dBATCH",
            "-sDEVICE=pdfwrite",
            &level,
            &output,
            source,
        ],
        "gs.pdf",
    )
}

fn cairo(desk: &Desk, source: &str) -> Vec<u8> {
    let target = desk.path("cairo.pdf");
    written(desk, "pdftocairo", &["-pdf", source, text(&target)], "cairo.pdf")
}

fn chromium(desk: &Desk) -> Vec<u8> {
    let html = "<!doctype html><html lang=ar dir=rtl><title>عقد</title><h1>عقد كراء</h1><p><a href='https://example.org'>رابط</a>";
    let page = desk.write("page.html", html.as_bytes());
    let target = desk.path("chromium.pdf");
    let print = format!("--print-to-pdf={}", text(&target));
    let profile = format!("--user-data-dir={}", text(&desk.path("profile")));
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        &profile,
        &print,
        text(&page),
    ];
    written(desk, "chromium", &arguments, "chromium.pdf")
}

#[test]
fn files_of_many_writers_are_sealed_and_stay_what_they_were() {
    let desk = Desk::new();
    let form = desk.reportlab("form", 3);
    let source = desk.write("source.pdf", &form);
    let source = text(&source);
    for (name, original) in [
        ("reportlab with a form", form.clone()),
        ("reportlab, rotated and cropped", desk.reportlab("rotated", 2)),
        ("ghostscript 1.3", ghostscript(&desk, source, "1.3")),
        ("ghostscript 1.7", ghostscript(&desk, source, "1.7")),
        ("cairo", cairo(&desk, source)),
        ("chromium", chromium(&desk)),
        ("typst", APPENDIX.to_vec()),
        (
            "qpdf, object streams",
            desk.qpdf(&form, &["--object-streams=generate"]),
        ),
        (
            "qpdf, linearised",
            desk.qpdf(&form, &["--linearize", "--object-streams=generate"]),
        ),
        ("qpdf, split", desk.qpdf(&form, &["--pages", ".", "2", "--"])),
        ("qpdf, uncompressed", desk.qpdf(&form, &["--qdf"])),
    ] {
        let intake =
            inspect(&original, &Limits::default()).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        assert_eq!(intake.policy, SealPolicy::Unsigned, "{name}");
        let mut plan = plan();
        plan.mark = Some(mark());
        plan.append_pages = Some(APPENDIX.to_vec());
        let sealed = seal(&original, &plan);
        let file = desk.write("sealed.pdf", &sealed);
        assert_qpdf_clean(&file);
        let status = trust().validate(&file);
        assert_eq!(status[0]["bottom_line"], true, "{name}: {}", status[0]);
        let after =
            inspect(&sealed, &Limits::default()).unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        assert_eq!(after.pages.len(), intake.pages.len() + 1, "{name}");
        assert_eq!(after.pages[..intake.pages.len()], intake.pages[..], "{name}");
        assert_eq!(after.pages[intake.pages.len()].rotate, 0, "{name}");
    }
}

/// Bookmarks, form fields and the tagged structure are the same objects as before.
#[test]
fn the_rest_of_the_document_survives() {
    let desk = Desk::new();
    let keys = |bytes: &[u8]| {
        let file = desk.write("keys.pdf", bytes);
        let output = run(
            "qpdf",
            &[
                "--json=1",
                "--json-key=outlines",
                "--json-key=acroform",
                text(&file),
            ],
        );
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("qpdf writes json");
        let fields = json["acroform"]["fields"].as_array().expect("fields").clone();
        let ours = |field: &&serde_json::Value| field["fullname"] == "Sceau";
        let names: Vec<_> = fields
            .iter()
            .filter(|field| !ours(field))
            .map(|field| (field["fullname"].clone(), field["value"].clone()))
            .collect();
        (json["outlines"].clone(), names)
    };
    let original = desk.reportlab("form", 3);
    let mut plan = plan();
    plan.mark = Some(mark());
    plan.append_pages = Some(APPENDIX.to_vec());
    let (outlines, names) = keys(&original);
    let (outlines_after, names_after) = keys(&seal(&original, &plan));
    assert_eq!(outlines, outlines_after);
    assert_eq!(names, names_after);
    let tagged = seal(APPENDIX, &plan);
    let structure = |bytes: &[u8]| {
        let file = desk.write("tagged.pdf", bytes);
        let info = run("pdfinfo", &["-struct", text(&file)]);
        String::from_utf8_lossy(&info.stdout).into_owned()
    };
    assert!(structure(APPENDIX).lines().count() > 5);
    assert_eq!(structure(APPENDIX), structure(&tagged));
}
