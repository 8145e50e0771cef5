//! The documents of civil status of civil-registry-order, in each language, from one act of birth and one of death.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use wathiq_documents::{Engine, Fitting, Standard, Template, qr_svg};

use crate::tools::{Rendered, assert_archival, drawn};

macro_rules! form {
    ($name:literal, $($part:literal),+) => {
        LazyLock::new(|| Template::new(
            concat!($name, ".typ"),
            concat!($(include_str!(concat!(
                "../../../../services/civil-registry-order/templates/", $part, ".typ"
            ))),+),
        ))
    };
}

static BIRTH_EXTRACT: LazyLock<Template> = form!("birth-extract", "civil-status", "birth-extract");
static BIRTH_COPY: LazyLock<Template> =
    form!("birth-full-copy", "civil-status", "full-copy", "birth-full-copy");
static DEATH_EXTRACT: LazyLock<Template> = form!("death-extract", "civil-status", "death-extract");
static DEATH_COPY: LazyLock<Template> =
    form!("death-full-copy", "civil-status", "full-copy", "death-full-copy");

/// Sizes of print, in points: an extract has less to say than a copy.
const OF_EXTRACTS: &[u8] = &[10, 9, 8, 7];
const OF_COPIES: &[u8] = &[9, 8, 7];

const URL: &str = "https://verification.example.ma/v/K7QP3M9TXW4R";

fn birth(language: &str) -> Value {
    let example =
        include_str!("../../../../services/civil-registry-order/templates/civil-status.example.json");
    let mut data: Value = serde_json::from_str(example).expect("the example is JSON");
    data["language"] = json!(language);
    data
}

fn death(language: &str) -> Value {
    let mut data = birth(language);
    data["act"]["death"] = json!({
        "date": {
            "hijri": { "fr": "trois rabie I mil quatre cent quarante-huit", "ar": "ثالث ربيع الأول عام ألف وأربعمائة وثمانية وأربعين" },
            "gregorian": { "fr": "seize août deux mille vingt-six", "ar": "سادس عشر غشت سنة ألفين وستة وعشرين" },
        },
        "place": { "fr": "Rabat", "ar": "الرباط" },
        "time": { "clock": "09:05", "letters": { "fr": "neuf heures cinq", "ar": "التاسعة وخمس دقائق صباحا" } },
    });
    data
}

fn by_judgment(mut data: Value) -> Value {
    data["act"]["declarant"] = Value::Null;
    data["act"]["judgment"] = json!({
        "reference": "1234/2019",
        "court": { "fr": "Tribunal de première instance de Rabat", "ar": "المحكمة الابتدائية بالرباط" },
        "date": {
            "hijri": { "fr": "cinq safar mil quatre cent quarante et un", "ar": "خامس صفر عام ألف وأربعمائة وواحد وأربعين" },
            "gregorian": { "fr": "quatre octobre deux mille dix-neuf", "ar": "رابع أكتوبر سنة ألفين وتسعة عشر" },
        },
    });
    data["act"]["transcribed_from"] = json!("Bureau de Fès, 77/1988");
    data
}

fn by_hand(mut data: Value) -> Value {
    data["officer"] = Value::Null;
    data["seal"] = json!("BY_HAND");
    data["verification"] = Value::Null;
    data
}

fn render(template: &Template, data: &Value) -> Rendered {
    let qr = qr_svg(URL).expect("an address fits");
    let sealed = !data["verification"].is_null();
    let assets: Vec<(&str, &[u8])> = sealed.then_some(("qr.svg", qr.as_bytes())).into_iter().collect();
    let created = "2026-11-22T10:11:12Z".parse().expect("a valid instant");
    let sizes = if template.name().ends_with("extract.typ") {
        OF_EXTRACTS
    } else {
        OF_COPIES
    };
    let fitting = Fitting { template, sizes };
    let data = data.clone();
    let pdf = Engine::new().render_fitting(fitting, data, &assets, Standard::A2a, created, "document 1");
    Rendered::new(&pdf.expect("the form is rendered"))
}

/// Every label or value stands on the page, once at least; Arabic ones letter by letter from the right.
#[track_caller]
fn assert_says(page: &Rendered, french: &[&str], arabic: &[&str]) {
    let text = page.text();
    for expected in french {
        assert!(text.contains(expected), "no {expected:?} in {text}");
    }
    // A reader of letters takes the wide gap after a letter that joins nothing, such as ر, for a space: lines are compared without.
    let mut lines = BTreeMap::<i64, Vec<(f64, String)>>::new();
    for word in page.all_words() {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a page is a few hundred points high"
        )]
        let baseline = (word.bottom * 2.0).round() as i64;
        lines.entry(baseline).or_default().push((word.left, word.text));
    }
    let lines: Vec<String> = lines
        .into_values()
        .map(|mut words| {
            words.sort_by(|one, other| one.0.total_cmp(&other.0));
            words.into_iter().map(|(_, text)| text).collect()
        })
        .collect();
    for phrase in arabic {
        for word in phrase.split(' ') {
            let shown = drawn(word);
            assert!(
                lines.iter().any(|line| line.contains(&shown)),
                "no {word:?} of {phrase:?} among {lines:?}"
            );
        }
    }
}

#[test]
fn an_extract_of_birth_holds_every_field_of_the_form_in_both_languages() {
    let page = render(&BIRTH_EXTRACT, &birth("BILINGUAL"));
    assert!(page.info().contains("Pages:           1\n"));
    assert_says(
        &page,
        &[
            "ROYAUME DU MAROC",
            "MINISTÈRE DE L’INTÉRIEUR",
            "Préfecture d’arrondissement de Hay Hassani",
            "Commune de Casablanca",
            "Bureau d’état civil Cité de l’Air",
            "Loi n° 37-99",
            "Acte n°",
            "123 bis",
            "Année hégirienne",
            "1410",
            "Année grégorienne",
            "1990",
            "Prénom",
            "Salma",
            "Nom",
            "El Idrissi",
            "Lieu de naissance",
            "Né(e) le",
            "dix-sept chaabane mil quatre cent dix",
            "Correspondant au",
            "quinze mars mil neuf cent quatre",
            "Sexe",
            "Féminin",
            "Nationalité",
            "Fils / Fille de",
            "Driss ben Mohammed El Idrissi",
            "Et de",
            "Khadija bent Ahmed Benjelloun",
            "Mention marginale de décès",
            "Néant",
            "certifié conforme au registre de l’état civil par nous soussigné",
            "Fait à Casablanca, le 22 novembre 2026",
            "Amina Benjelloun, officier délégué de l’état civil",
            "Sceau.",
            "K7QP-3M9T-XW4R",
        ],
        &[
            "المملكة المغربية",
            "وزارة الداخلية",
            "عقد رقم",
            "السنة الهجرية",
            "السنة الميلادية",
            "الاسم الشخصي",
            "سلمى",
            "الاسم العائلي",
            "الإدريسي",
            "مكان الولادة",
            "سابع عشر شعبان عام ألف وأربعمائة وعشرة",
            "الموافق",
            "خامس عشر مارس سنة ألف وتسعمائة وتسعين",
            "الجنس",
            "أنثى",
            "الجنسية",
            "إدريس بن محمد",
            "خديجة بنت أحمد بنجلون",
            "بيان الوفاة",
            "شيء",
            "نشهد بصفتنا ضابطا للحالة المدنية",
            "بمطابقة هذه النسخة",
            "حرر",
            "بتاريخ",
            "نونبر",
            "طابع",
        ],
    );
    assert_eq!(page.read_qr(150), URL);
}

#[test]
fn arabic_labels_stand_on_the_right_and_are_read_from_there() {
    let page = render(&BIRTH_EXTRACT, &birth("BILINGUAL"));
    let (french, arabic) = (page.word("Prénom"), page.word(&drawn("الشخصي")));
    assert!(french.right < page.width() / 2.0 && arabic.left > page.width() / 2.0);
    assert!(
        (french.bottom - arabic.bottom).abs() < 6.0,
        "{french:?} {arabic:?}"
    );
    // Read from the right: the label's first word, then its second.
    assert!(page.word(&drawn("الاسم")).left > page.word(&drawn("الشخصي")).left);
}

#[test]
fn a_full_copy_holds_what_the_decree_lists() {
    let french = [
        "Copie intégrale d’acte de naissance",
        "14:35 (quatorze heures trente-cinq)",
        "Parents",
        "Père",
        "Mère",
        "Fès",
        "mil trois cent quatre-vingts",
        "mil neuf cent soixante",
        "Instituteur",
        "12, rue des Orangers",
        "Déclarant",
        "Qualité",
        "30",
        "Dressé le",
        "vingt chaabane mil quatre cent dix",
        "dix-huit mars mil neuf cent quatre-vingt-dix",
        "Officier",
        "Mohammed Tazi",
        "Avec le déclarant",
        "Mentions marginales",
        "12 juin 2015",
        "acte n° 456",
    ];
    assert_says(&render(&BIRTH_COPY, &birth("FRENCH")), &french, &[]);
    let arabic = [
        "كاملة",
        "الساعة",
        "الثانية وخمس وثلاثون",
        "الأبوان",
        "عام ألف وثلاثمائة وثمانين",
        "معلم",
        "المصرح",
        "الصفة",
        "حرر بتاريخ",
        "عشرون شعبان",
        "محمد التازي",
        "مع المصرح",
        "البيانات الهامشية",
        "تزوجت بالدار البيضاء",
    ];
    assert_says(&render(&BIRTH_COPY, &birth("ARABIC")), &["14:35", "456"], &arabic);
}

#[test]
fn an_act_by_judgment_names_the_court_instead_of_a_declarant() {
    let page = render(&BIRTH_COPY, &by_judgment(birth("FRENCH")));
    assert_says(
        &page,
        &[
            "Jugement",
            "1234/2019",
            "Tribunal de première instance de Rabat",
            "quatre octobre deux mille dix-neuf",
            "Transcrit de",
        ],
        &[],
    );
    assert!(!page.text().contains("Déclarant"));
}

#[test]
fn an_extract_of_death_holds_every_field_of_the_form() {
    assert_says(
        &render(&DEATH_EXTRACT, &death("BILINGUAL")),
        &[
            "Décédé(e) à",
            "Rabat",
            "trois rabie I mil quatre cent quarante-huit",
            "seize août deux mille vingt-six",
            "Prénom",
            "Nom",
            "Né(e) le",
            "Fils / Fille de",
            "Et de",
        ],
        &["الرباط", "ثالث ربيع الأول", "سادس عشر غشت", "الوفاة"],
    );
}

#[test]
fn what_is_signed_by_hand_has_room_for_it_and_no_code() {
    let page = render(&BIRTH_EXTRACT, &by_hand(birth("BILINGUAL")));
    assert_says(&page, &["Signature et sceau"], &["الإمضاء وطابع"]);
    let text = page.text();
    assert!(
        !text.contains("K7QP") && !text.contains("Amina Benjelloun"),
        "{text}"
    );
}

/// Dates are printed as they were written: one that no calendar agrees with, too.
#[test]
fn a_hijri_date_is_printed_as_written() {
    let mut data = birth("BILINGUAL");
    data["act"]["person"]["birth_date"]["hijri"] =
        json!({ "fr": "trente safar mil trois cent", "ar": "ثلاثون صفر عام ألف وثلاثمائة" });
    data["act"]["hijri_year"] = json!(1333);
    let page = render(&BIRTH_EXTRACT, &data);
    assert_says(
        &page,
        &["trente safar mil trois cent", "1333"],
        &["ثلاثون صفر عام ألف وثلاثمائة"],
    );
}

#[test]
fn verapdf_passes_every_form_in_every_language() {
    let mut pages = Vec::new();
    for language in ["BILINGUAL", "ARABIC", "FRENCH"] {
        pages.push(render(&BIRTH_EXTRACT, &birth(language)));
        pages.push(render(&DEATH_EXTRACT, &death(language)));
        pages.push(render(&BIRTH_EXTRACT, &by_hand(birth(language))));
    }
    for language in ["ARABIC", "FRENCH"] {
        pages.push(render(&BIRTH_COPY, &birth(language)));
        pages.push(render(&BIRTH_COPY, &by_judgment(birth(language))));
        pages.push(render(&DEATH_COPY, &death(language)));
    }
    assert_archival(&pages);
}
