//! The engine on small templates: what a template can reach, what it gets, and how it fails.

use chrono::{DateTime, Utc};
use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use serde_json::{Value, json};
use wathiq_documents::{Engine, RenderError, Standard, Template};

const HEAD: &str = "#set document(title: \"t\")\n#set text(font: (\"Noto Sans\", \"Amiri\"))\n";

fn created() -> DateTime<Utc> {
    "2026-11-22T10:11:12Z".parse().expect("a valid instant")
}

fn render_with(
    body: &str,
    data: &Value,
    assets: &[(&str, &[u8])],
    standard: Standard,
) -> Result<Vec<u8>, RenderError> {
    let template = Template::new("sample.typ", format!("{HEAD}{body}"));
    Engine::new().render(&template, data, assets, standard, created(), "document 1")
}

fn render(body: &str, data: &Value) -> Result<Vec<u8>, RenderError> {
    render_with(body, data, &[], Standard::A2a)
}

#[track_caller]
fn refused(body: &str, message: &str) {
    let error = render(body, &json!({})).expect_err("it is refused").to_string();
    assert!(
        error.starts_with("template sample.typ does not compile: line 3: "),
        "{error}"
    );
    assert!(error.contains(message), "{error}");
}

fn contains(pdf: &[u8], text: &str) -> bool {
    pdf.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn the_file_declares_its_standard_date_and_title() {
    for (standard, part) in [(Standard::A2a, "2"), (Standard::A3a, "3")] {
        let pdf = render_with("Text", &json!({}), &[], standard).unwrap();
        assert!(pdf.starts_with(b"%PDF-1.7"), "{standard:?}");
        assert!(
            contains(&pdf, &format!("<pdfaid:part>{part}</pdfaid:part>")),
            "{standard:?}"
        );
        assert!(
            contains(&pdf, "<pdfaid:conformance>A</pdfaid:conformance>"),
            "{standard:?}"
        );
        assert!(contains(&pdf, "(D:20261122101112Z)"), "{standard:?}");
        assert!(contains(&pdf, "/Creator(Wathiq)"), "{standard:?}");
    }
}

#[test]
fn equal_input_gives_equal_bytes_and_other_input_does_not() {
    let template = Template::new(
        "sample.typ",
        "#set document(title: \"t\")\n#json(\"data.json\").name",
    );
    let render = |name: &str, identifier: &str| {
        let data = json!({ "name": name });
        Engine::new()
            .render(&template, &data, &[], Standard::A2a, created(), identifier)
            .unwrap()
    };
    let first = render("Amina", "1");
    assert_eq!(first, render("Amina", "1"));
    assert_ne!(first, render("Amina", "2"));
    assert_ne!(first, render("Rachid", "1"));
}

#[test]
fn one_engine_serves_many_documents_alike() {
    let engine = Engine::new();
    let template = Template::new(
        "sample.typ",
        "#set document(title: \"t\")\n#json(\"data.json\").name",
    );
    let render = |name: &str| {
        engine
            .render(
                &template,
                &json!({ "name": name }),
                &[],
                Standard::A2a,
                created(),
                "1",
            )
            .unwrap()
    };
    let first = render("Amina");
    render("Rachid");
    assert_eq!(first, render("Amina"));
}

#[test]
fn a_template_reaches_nothing_but_its_own_files() {
    refused("#read(\"/etc/passwd\")", "file not found");
    refused("#read(\"../Cargo.toml\")", "would escape");
    refused("#import \"@preview/cetz:0.3.0\"", "file not found");
    refused("#import \"other.typ\"", "file not found");
    refused("#image(\"missing.svg\")", "file not found");
    refused("#datetime.today()", "unable to get the current date");
}

#[test]
fn assets_are_there_by_name() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>"#;
    let body = "#image(\"a.svg\", width: 1cm, alt: \"a\")";
    render_with(body, &json!({}), &[("a.svg", svg)], Standard::A2a).unwrap();
}

#[test]
fn an_attachment_needs_the_standard_that_allows_it() {
    let body = "#pdf.attach(\"act.json\", mime-type: \"application/json\", relationship: \"data\", description: \"d\")";
    let assets: [(&str, &[u8]); 1] = [("act.json", b"{}")];
    render_with(body, &json!({}), &assets, Standard::A3a).unwrap();
    let error = render_with(body, &json!({}), &assets, Standard::A2a).unwrap_err();
    assert!(
        matches!(
            error,
            RenderError::Export {
                template: "sample.typ",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn file_names_are_plain_and_unique() {
    for name in ["", "..", "a/b.svg", "/a.svg", ".hidden", "a\\b.svg", "data.json"] {
        let error = render_with("x", &json!({}), &[(name, b"")], Standard::A2a).unwrap_err();
        assert!(
            matches!(&error, RenderError::FileName { name: named, .. } if named == name),
            "{error}"
        );
    }
}

#[test]
fn a_warning_is_an_error() {
    refused(
        "#text(font: \"Comic Sans\")[x]",
        "unknown font family: comic sans",
    );
}

#[test]
fn an_error_names_template_line_and_cause() {
    refused(
        "#json(\"data.json\").name",
        "dictionary does not contain key \"name\"",
    );
    refused("#unknown", "unknown variable: unknown");
}

#[test]
fn an_image_without_a_description_is_no_archival_document() {
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>"#;
    let error = render_with("#image(\"a.svg\")", &json!({}), &[("a.svg", svg)], Standard::A2a)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("template sample.typ does not export: "),
        "{error}"
    );
}

#[test]
fn creation_times_outside_of_pdf_dates_are_refused() {
    let template = Template::new("sample.typ", "x");
    let created = DateTime::<Utc>::MAX_UTC;
    let error = Engine::new()
        .render(&template, &json!({}), &[], Standard::A2a, created, "1")
        .unwrap_err();
    assert!(
        matches!(
            error,
            RenderError::Created {
                template: "sample.typ"
            }
        ),
        "{error}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_at_all_can_be_printed(text in proptest::collection::vec(any::<char>(), 0..40)) {
        let text: String = text.into_iter().collect();
        let pdf = render("#json(\"data.json\").text", &json!({ "text": text }));
        prop_assert!(pdf.is_ok(), "{:?}", pdf.err().map(|error| error.to_string()));
    }

    #[test]
    fn any_mixture_of_the_scripts_in_use_can_be_printed(text in "[a-zéḥ\u{301}\u{327}0-9 ابتثجلإأآىئؤ\u{64b}-\u{655}\u{670}ـ،؟\u{200c}\u{200d}ⴰⵯⵥΩжﷲﻻ]{0,40}") {
        let pdf = render("#json(\"data.json\").text", &json!({ "text": text }));
        prop_assert!(pdf.is_ok(), "{:?}", pdf.err().map(|error| error.to_string()));
    }
}
