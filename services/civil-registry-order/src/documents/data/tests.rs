use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;
use uuid::Uuid;
use wathiq_documents::Engine;

use super::*;
use crate::documents::{Officer, Page, drawn_by, example, render_brought};
use crate::domain::act::note::Note;
use crate::domain::act::{ActContent, Source};
use crate::domain::act_key::ActKey;
use crate::domain::kind::{DocumentKind, Language, Routing};
use crate::store::offices::Profile;
use crate::store::templates::TemplateVersion;

/// An act that says as little as an act may.
fn sparse(register: RegisterKind) -> Act {
    let mut content = json!({
        "origin": "declaration", "sex": "female", "given_name": { "latin": "Amina" },
        "birth_date": { "gregorian": "1990-03" }, "hour": 14, "declarant": { "name": { "latin": "Ahmed" } },
        "drawn_up": { "gregorian": "1990-03-18" },
    });
    if register == RegisterKind::Death {
        content["death_date"] = json!({ "gregorian": "1991-04-05" });
    }
    let content: ActContent = serde_json::from_value(content).unwrap();
    Act {
        id: Uuid::nil(),
        key: ActKey {
            office_id: Uuid::nil(),
            kind: register,
            year: 1990,
            part: "".parse().unwrap(),
            number: "12".parse().unwrap(),
        },
        content,
        notes: Vec::new(),
        source: Source::Keyed,
        has_scan: false,
        created_at: chrono::DateTime::UNIX_EPOCH,
    }
}

fn kind(template: &str, register: RegisterKind, form: Form) -> DocumentKind {
    DocumentKind {
        id: Uuid::nil(),
        code: "certificate".to_owned(),
        register,
        name_ar: "شهادة جديدة".to_owned(),
        name_fr: "Certificat nouveau".to_owned(),
        name_en: "New certificate".to_owned(),
        form,
        routing: Routing::OfficeOfRegistration,
        relations: Vec::new(),
        relations_with_evidence: Vec::new(),
        languages: vec![Language::French],
        template: template.to_owned(),
        issuing_administration_ar: "وزارة العدل".to_owned(),
        issuing_administration_fr: "Ministère de la Justice".to_owned(),
        seal_mode: SealMode::ByHand,
        production_working_days: 3,
        valid_from: chrono::NaiveDate::default(),
        valid_to: None,
    }
}

fn printed(act: &Act, kind: &DocumentKind) -> String {
    let profile = Profile {
        office_id: Uuid::nil(),
        province_ar: "عمالة الرباط".to_owned(),
        province_fr: "Préfecture de Rabat".to_owned(),
        commune_ar: "جماعة الرباط".to_owned(),
        commune_fr: "Commune de Rabat".to_owned(),
        bureau_ar: "مكتب الحالة المدنية".to_owned(),
        bureau_fr: "Bureau d’état civil".to_owned(),
        email: String::new(),
        language: "fr".to_owned(),
        address: Default::default(),
        signs_by_hand: true,
        electronic_seal_kinds: Vec::new(),
    };
    let version = TemplateVersion {
        id: Uuid::nil(),
        template: kind.template.clone(),
        law_fr: "Loi n° 37-99".to_owned(),
        law_ar: "القانون رقم 37.99".to_owned(),
        drawn: drawn_by(&kind.template).unwrap(),
        source: None,
        valid_from: chrono::NaiveDate::default(),
        valid_to: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    let drawing = Drawing {
        act,
        kind,
        language: Language::French,
        office: &profile,
        registered_at: None,
        version: &version,
        officer: &Officer {
            latin: String::new(),
            arabic: String::new(),
        },
        seal_mode: SealMode::ByHand,
        at: "2026-11-22T09:00:00Z".parse().unwrap(),
        reference: "ABCDE-FGHJK-1",
        verification: None,
        identifier: "document 1",
    };
    let page = Page::of(&drawing).unwrap();
    let pdf = render_brought(&Engine::new(), &kind.template, page).unwrap();
    let mut tool = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(&pdf).unwrap();
    let output = tool.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_sparse_act_is_drawn_by_every_form_with_its_figures_and_nothing_made_up() {
    for (template, register, form) in [
        ("birth-extract", RegisterKind::Birth, Form::Extract),
        ("birth-full-copy", RegisterKind::Birth, Form::FullCopy),
        ("death-extract", RegisterKind::Death, Form::Extract),
        ("death-full-copy", RegisterKind::Death, Form::FullCopy),
    ] {
        let text = printed(&sparse(register), &kind(template, register, form));
        let mut expected = vec![
            "MINISTÈRE DE LA JUSTICE",
            "Certificat nouveau",
            "Préfecture de Rabat",
            "Loi n° 37-99",
            "12",
            "1990",
            "Amina",
            "03/1990",
            "Féminin",
        ];
        if register == RegisterKind::Death {
            expected.push("05/04/1991");
        }
        if form == Form::FullCopy {
            expected.extend(["18/03/1990", "14 h", "Ahmed", "Néant"]);
        }
        for expected in expected {
            assert!(text.contains(expected), "{template}: no {expected:?} in {text}");
        }
        // No minute was said, and no Hijri date is computed.
        assert!(
            !text.contains("14:00") && !text.contains("1410"),
            "{template}: {text}"
        );
    }
}

#[test]
fn a_time_is_told_as_far_as_the_act_says_it() {
    let told = |hour: Option<u8>, minute: Option<u8>, letters: &str| {
        let mut act = sparse(RegisterKind::Birth);
        (act.content.hour, act.content.minute) = (hour, minute);
        act.content.time_in_letters = Bilingual::new("", letters);
        let time = time(&act);
        time.is_object().then(|| {
            (
                time["clock"].as_str().unwrap().to_owned(),
                time["letters"]["fr"].as_str().unwrap().to_owned(),
            )
        })
    };
    let of = |clock: &str, letters: &str| Some((clock.to_owned(), letters.to_owned()));
    assert_eq!(told(Some(14), Some(5), ""), of("14:05", ""));
    assert_eq!(told(Some(14), None, ""), of("14 h", ""));
    assert_eq!(told(None, None, "quatorze heures"), of("", "quatorze heures"));
    assert_eq!(told(None, None, ""), None);
}

#[test]
fn letters_come_before_figures() {
    let mut written = WrittenDate {
        gregorian: "1990-03-15".parse().ok(),
        ..WrittenDate::default()
    };
    let told = |written: &WrittenDate, calendar: &str| {
        let date = date(written);
        ["fr", "ar"].map(|language| date[calendar][language].as_str().unwrap().to_owned())
    };
    assert_eq!(told(&written, "gregorian"), ["15/03/1990", "15/03/1990"]);
    "quinze mars".clone_into(&mut written.gregorian_latin);
    assert_eq!(told(&written, "gregorian"), ["quinze mars", ""]);
    assert_eq!(told(&written, "hijri"), ["", ""]);
}

#[test]
fn figures_are_the_same_everywhere_on_the_page() {
    let mut act = sparse(RegisterKind::Birth);
    act.content.birth_date.hijri_arabic = "١٨ شعبان ۱۴۱۰".to_owned();
    act.notes = vec![Note {
        id: Uuid::nil(),
        ordinal: 1,
        draft: serde_json::from_value(json!({
            "date": "2015-06-01", "kind": "marriage", "text": { "arabic": "تزوجت بتاريخ ٣٠ ماي ٢٠١٥" },
            "changes_extract": false, "changes": [],
        }))
        .unwrap(),
        author_id: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
    }];
    let data = super::act(&act, Form::FullCopy);
    assert_eq!(data["person"]["birth_date"]["hijri"]["ar"], "18 شعبان 1410");
    assert_eq!(data["notes"][0]["text"]["ar"], "تزوجت بتاريخ 30 ماي 2015");
    let strange = |character: char| {
        ('\u{660}'..='\u{669}').contains(&character) || ('\u{6f0}'..='\u{6f9}').contains(&character)
    };
    assert!(!data.to_string().contains(strange), "{data}");
}

/// The keys of objects, by their path.
fn keys(value: &Value, path: &str, found: &mut Vec<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        keys(value, &path, found);
        found.push(path);
    }
}

#[test]
fn what_forms_are_tried_out_with_has_the_shape_of_what_they_are_drawn_from() {
    for register in [RegisterKind::Birth, RegisterKind::Death] {
        let (mut real, mut made_up) = (Vec::new(), Vec::new());
        keys(&super::act(&sparse(register), Form::FullCopy), "", &mut real);
        let full = example::full(register);
        keys(&full["act"], "", &mut made_up);
        // Widths are a help that may be missing.
        for key in real.iter().filter(|key| !key.ends_with(".ems")) {
            assert!(made_up.contains(key), "{key}");
        }
        let top: Vec<&String> = full.as_object().unwrap().keys().collect();
        for name in [
            "title",
            "registered_at",
            "law",
            "administration",
            "seal",
            "verification",
            "reference",
        ] {
            assert!(top.iter().any(|key| *key == name), "{name}");
        }
    }
}
