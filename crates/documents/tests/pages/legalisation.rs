//! The legalisation page of the signature service, rendered from its example and from hostile variations.

use std::sync::LazyLock;

use serde_json::{Value, json};
use wathiq_documents::{Engine, RenderError, Standard, Template, qr_svg};

use crate::tools::{Rendered, assert_archival, child_with_address_space, drawn};

static PAGE: LazyLock<Template> = LazyLock::new(|| {
    Template::new(
        "legalisation-page.typ",
        include_str!("../../../../services/signature/templates/legalisation-page.typ"),
    )
});
const URL: &str = "https://verification.example.ma/v/K7QP3M9TXW4R";
const SEALED_SHA256: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

fn example() -> Value {
    let example = include_str!("../../../../services/signature/templates/legalisation-page.example.json");
    serde_json::from_str(example).expect("the example is JSON")
}

fn separate() -> Value {
    let mut data = example();
    data["accompanies"] = json!({ "sha256": SEALED_SHA256 });
    data
}

fn try_render(data: &Value, standard: Standard) -> Result<Vec<u8>, RenderError> {
    let qr = qr_svg(URL).expect("an address fits");
    let created = "2026-11-22T10:11:12Z".parse().expect("a valid instant");
    Engine::new().render(
        &PAGE,
        data,
        &[("qr.svg", qr.as_bytes())],
        standard,
        created,
        "intent 1",
    )
}

fn render(data: &Value) -> Rendered {
    Rendered::new(&try_render(data, Standard::A2a).expect("the page is rendered"))
}

/// Letters that a typographer draws apart, or under each other, are still one word to who copies the code or has it read aloud.
#[test]
fn a_code_is_read_back_as_one_word_whatever_its_letters() {
    for code in ["EJAJ-XJVJ-AJEJ", "AVAW-TATJ-7J4J", "YZAJ-93B2-45NK"] {
        let mut data = example();
        data["verification"]["code"] = json!(code);
        let text = render(&data).text();
        assert!(text.contains(code), "{code} in {text}");
    }
}

#[test]
fn both_forms_conform_to_both_standards_on_one_a4_page() {
    for data in [example(), separate()] {
        for standard in [Standard::A2a, Standard::A3a] {
            let page = Rendered::new(&try_render(&data, standard).unwrap());
            let info = page.info();
            assert!(info.contains("Pages:           1\n"), "{info}");
            assert!(info.contains("(A4)"), "{info}");
            assert!(info.contains("Tagged:          yes"), "{info}");
        }
    }
}

#[test]
fn verapdf_passes_both_forms() {
    assert_archival(&[example(), separate()].map(|data| render(&data)));
}

#[test]
fn equal_data_gives_equal_bytes() {
    let first = try_render(&example(), Standard::A2a).unwrap();
    assert_eq!(first, try_render(&example(), Standard::A2a).unwrap());
    assert_ne!(first, try_render(&separate(), Standard::A2a).unwrap());
}

#[test]
fn the_qr_code_is_read_back_from_a_rendering_at_office_printer_resolution() {
    assert_eq!(render(&example()).read_qr(150), URL);
    assert_eq!(render(&separate()).read_qr(150), URL);
}

#[test]
fn the_act_says_what_it_must_in_french() {
    let text = render(&example()).text();
    for part in [
        "ROYAUME DU MAROC",
        "Commune de Casablanca",
        "Annexe administrative Cité de l’Air",
        "17 / 2026",
        "Amina El Idrissi",
        "carte nationale d’identité électronique n° BE123456",
        "Procuration",
        "Youssef Benali, n° K401223",
        "12, rue des Orangers, Rabat",
        "Pour son propre compte",
        "Administration : Direction régionale des impôts de Rabat",
        "Apposée pour la présente demande, page 3",
        "le 21 novembre 2026 à 10:15",
        "version 2, identité vérifiée en personne le 1er octobre 2026",
        "9f86d081 … b0f00a08",
        "9f86d081 884c7d65 9a2feaa0 c55ad015 a3bf4f1b 2b0b822c d15d6c15 b0f00a08",
        "Fait le 22 novembre 2026",
        "Rachid Amrani",
        "Officier délégué à la légalisation des signatures",
        "sans limitation de durée",
        "K7QP-3M9T-XW4R",
        "https://verification.example.ma",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    assert!(!text.contains("document distinct"), "{text}");
}

#[test]
fn the_act_says_what_it_must_in_arabic() {
    let text = render(&example()).text();
    // Words on which the text extraction of Amiri's contextual forms is known to be exact.
    for part in [
        "المملكة",
        "المغربية",
        "شوهد",
        "أمينة",
        "وكالة",
        "يوسف",
        "نونبر",
        "حرر",
        "رشيد",
        "الملحقة",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn arabic_runs_from_right_to_left() {
    let page = render(&example());
    let (first, second) = (page.word(&drawn("شوهد")), page.word(&drawn("للمصادقة")));
    assert!(
        first.right > page.width() - 60.0,
        "the Arabic column begins at the right margin: {first:?}"
    );
    assert!(
        second.right < first.left,
        "the second word stands left of the first: {second:?} {first:?}"
    );
    let french = (page.word("Vu"), page.word("pour"));
    assert!(
        french.0.left < 60.0 && french.1.left > french.0.right,
        "{french:?}"
    );
}

#[test]
fn a_number_inside_an_arabic_sentence_stands_after_its_label() {
    let page = render(&example());
    let numbers = page.words("BE123456");
    let arabic = numbers
        .iter()
        .find(|word| word.left > page.width() / 2.0)
        .expect("one in the Arabic column");
    let label = page
        .words(&drawn("رقم"))
        .into_iter()
        .find(|word| (word.bottom - arabic.bottom).abs() < 8.0);
    assert!(label.expect("the label on the same line").left > arabic.right);
}

#[test]
fn a_separate_page_names_the_file_it_belongs_to() {
    let text = render(&separate()).text();
    assert!(
        text.contains("La présente page est un document distinct."),
        "{text}"
    );
    assert!(
        text.contains("2c26b46b 68ffc68f f99b453c 1d304134 13422d70 6483bfa0 f98a5e88 6266e7ae"),
        "{text}"
    );
}

#[test]
fn every_code_the_service_knows_has_its_words() {
    let cases = [
        (
            "/signer/identity_document/kind",
            vec!["CIN", "PASSPORT", "RESIDENCE_CARD"],
        ),
        ("/placement/mark", vec!["DRAWN", "STANDING"]),
        (
            "/destination/kind",
            vec![
                "ENROLLED_ADMINISTRATION",
                "OTHER_ADMINISTRATION",
                "PRIVATE_PARTY",
                "ABROAD",
            ],
        ),
    ];
    for (pointer, codes) in cases {
        for code in codes {
            let mut data = example();
            *data.pointer_mut(pointer).unwrap() = json!(code);
            try_render(&data, Standard::A2a).unwrap();
        }
        let mut data = example();
        *data.pointer_mut(pointer).unwrap() = json!("UNHEARD_OF");
        let error = try_render(&data, Standard::A2a).unwrap_err().to_string();
        assert!(
            error.starts_with("template legalisation-page.typ does not compile: line "),
            "{error}"
        );
        assert!(error.contains("UNHEARD_OF"), "{error}");
    }
}

/// Methods of proof and confirmation are added without touching a template that is in use.
#[test]
fn a_method_that_came_later_is_not_named() {
    for (pointer, codes) in [
        (
            "/specimen/proof/method",
            ["IN_PERSON", "NATIONAL_EID", "BOOTSTRAP"].as_slice(),
        ),
        ("/confirmation/method", ["TOTP"].as_slice()),
    ] {
        let with = |code: &str| {
            let mut data = example();
            *data.pointer_mut(pointer).unwrap() = json!(code);
            render(&data).text()
        };
        let unnamed = with("UNHEARD_OF");
        assert!(!unnamed.contains("UNHEARD"), "{unnamed}");
        for code in codes {
            assert_ne!(with(code), unnamed, "{pointer} {code}");
        }
    }
}

#[test]
fn what_may_be_absent_is_left_out() {
    let mut data = example();
    data["mandatary"] = Value::Null;
    data["destination"]["name"] = Value::Null;
    data["specimen"]["proof"]["office"] = Value::Null;
    data["office"]["above"] = json!([]);
    let text = render(&data).text();
    assert!(
        !text.contains("Mandataire") && !text.contains("Préfecture"),
        "{text}"
    );
    assert!(!text.contains("null") && !text.contains("none"), "{text}");
}

#[test]
fn a_name_in_one_script_serves_both_columns() {
    let mut data = example();
    data["signer"]["name_arabic"] = Value::Null;
    let page = render(&data);
    let names = page.words("Idrissi");
    assert!(
        names.iter().any(|word| word.left < page.width() / 2.0),
        "{names:?}"
    );
    assert!(
        names.iter().any(|word| word.left > page.width() / 2.0),
        "{names:?}"
    );
}

#[test]
fn no_key_is_silently_optional() {
    let keys: Vec<String> = example().as_object().unwrap().keys().cloned().collect();
    for key in keys {
        let mut data = example();
        data.as_object_mut().unwrap().remove(&key);
        let error = try_render(&data, Standard::A2a).unwrap_err();
        assert!(matches!(error, RenderError::Compile { .. }), "{key}: {error}");
    }
}

#[test]
fn hostile_values_are_printed_and_not_obeyed() {
    let mut data = example();
    data["signer"]["name_latin"] = json!("#panic(\"x\") *b* <l> @r `c` $x$ \\ [z]");
    data["mandatary"]["name_latin"] = json!("\u{202e}abc\u{2066} 😀");
    data["destination"]["name"]["fr"] = json!("a\nb\u{0}c #eval(\"1\")");
    let text = render(&data).text();
    for part in [
        "#panic(\"x\") *b* <l> @r `c` $x$ \\ [z]",
        "[U+202E]abc[U+2066] [U+1F600]",
        "a b c #eval(\"1\")",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn long_values_wrap_and_stay_on_the_page() {
    let long = |word: &str| word.repeat(150 / word.chars().count());
    let mut data = separate();
    data["office"]["name"] = json!({ "fr": long("Annexe administrative "), "ar": long("الملحقة الإدارية ") });
    data["signer"]["name_latin"] = json!(long("W"));
    data["signer"]["name_arabic"] = json!(long("م"));
    data["mandatary"]["address"] = json!(long("Boulevard "));
    data["destination"]["name"] = json!({ "fr": long("Direction "), "ar": long("المديرية ") });
    data["officer"]["quality"] = json!({ "fr": long("officier "), "ar": long("ضابط ") });
    let page = render(&data);
    assert!(page.info().contains("Pages:           1\n"), "{}", page.info());
    assert_eq!(page.read_qr(150), URL);
    for word in page.all_words() {
        assert!(
            word.left >= 45.0 && word.right <= page.width() - 45.0,
            "outside of the margins: {word:?}"
        );
    }
}

#[test]
fn absurd_values_continue_on_a_numbered_page() {
    let mut data = example();
    data["validity"]["fr"] = json!("mot ".repeat(1200));
    let page = render(&data);
    assert!(page.info().contains("Pages:           2\n"), "{}", page.info());
    let text = page.text();
    assert!(
        text.contains("1 / 2") && text.contains("2 / 2") && text.contains("K7QP-3M9T-XW4R"),
        "{text}"
    );
}

/// The service composes in a child process whose address space is limited to 512 MiB.
#[test]
fn half_a_gibibyte_of_address_space_is_enough() {
    child_with_address_space(512 * 1024, "legalisation::equal_data_gives_equal_bytes");
}
