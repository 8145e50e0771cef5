//! The sheet with which an office goes to its registers.

use std::sync::LazyLock;

use serde_json::{Value, json};
use wathiq_documents::{Engine, Standard, Template, qr_svg};

use crate::tools::{Rendered, assert_archival, drawn};

static SHEET: LazyLock<Template> = LazyLock::new(|| {
    Template::new(
        "batch-sheet.typ",
        include_str!("../../../../services/civil-registry-order/templates/batch-sheet.typ"),
    )
});

fn line(ordinal: usize) -> Value {
    json!({
        "ordinal": ordinal,
        "reference": format!("W4K7-M2PX-93-{ordinal}"),
        "barcode": format!("barcode-{ordinal}.svg"),
        "kind": { "fr": "Extrait d'acte de naissance", "ar": "نسخة موجزة من رسم الولادة" },
        "language": (["BILINGUAL", "ARABIC", "FRENCH"][ordinal % 3]),
        "copies": 2,
        "registered_at": { "fr": "Bureau Cité Dakhla", "ar": "مكتب سيتي الداخلة" },
        "register": if ordinal.is_multiple_of(2) { "birth" } else { "death" },
        "year": 1990,
        "part": "",
        "number": format!("{ordinal} bis"),
        "person": { "fr": "Yasmine Amrani", "ar": "ياسمين العمراني" },
        "born": "1990-03-15",
        "parents": { "fr": "Driss Amrani / Jamila Ouahbi", "ar": "" },
    })
}

fn render(lines: usize) -> Rendered {
    let lines: Vec<Value> = (1..=lines).map(line).collect();
    let data = json!({
        "office": { "name": { "fr": "Bureau d'état civil Cité de l'Air", "ar": "مكتب الحالة المدنية مدينة الهواء" } },
        "number": "2026-000012",
        "date": "2026-11-22",
        "lines": lines,
    });
    let assets: Vec<(String, String)> = lines
        .iter()
        .map(|line| {
            let text = |key: &str| line[key].as_str().expect("a text").to_owned();
            (
                text("barcode"),
                qr_svg(&text("reference")).expect("a reference fits"),
            )
        })
        .collect();
    let assets: Vec<(&str, &[u8])> = assets
        .iter()
        .map(|(name, svg)| (name.as_str(), svg.as_bytes()))
        .collect();
    let created = "2026-11-22T10:11:12Z".parse().expect("a valid instant");
    let pdf = Engine::new().render(&SHEET, &data, &assets, Standard::A2a, created, "sheet 12");
    Rendered::new(&pdf.expect("the sheet is rendered"))
}

#[test]
fn a_sheet_says_in_both_languages_what_to_look_for_and_has_room_for_the_answer() {
    let page = render(2);
    let text = page.text();
    for expected in [
        "n° 2026-000012, le 22/11/2026",
        "Bureau Cité Dakhla",
        "Naissances",
        "Décès",
        "Année 1990",
        "N° 2 bis",
        "Né(e) 15/03/1990",
        "en arabe · 2 ex.",
        "en français · 2 ex.",
        "Trouvé",
        "Introuvable",
        "W4K7-M2PX-93-2",
    ] {
        assert!(text.contains(expected), "no {expected:?} in {text}");
    }
    for expected in ["الإنجاز", "الولادات", "ياسمين", "بالعربية", "بالفرنسية"]
    {
        page.word(&drawn(expected));
    }
}

#[test]
fn verapdf_passes_a_sheet_of_one_page_and_one_of_many() {
    let many = render(20);
    assert!(!many.info().contains("Pages:           1\n"));
    assert_archival(&[render(1), many]);
}
