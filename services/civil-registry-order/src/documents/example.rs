//! Made-up data with which a form is tried out before it is taken: an act that says all that it may, and one that says as little as it may.

use serde_json::{Value, json};
use wathiq_documents::{QrError, qr_svg};

use super::Page;
use crate::domain::act_key::RegisterKind;
use crate::store::templates::TemplateVersion;

/// Both, in each language of the form.
pub(super) fn pages(version: &TemplateVersion) -> Result<Vec<Page>, QrError> {
    let qr = qr_svg("https://verification.example.ma/v/K7QP3M9TXW4R")?;
    let register = version.drawn.register;
    let mut pages = Vec::new();
    for language in version.drawn.languages() {
        for sparse in [false, true] {
            let mut data = if sparse {
                sparse_of(full(register))
            } else {
                full(register)
            };
            data["language"] = language.as_str().into();
            data["law"] = json!({ "fr": version.law_fr, "ar": version.law_ar });
            pages.push(Page {
                data,
                qr: (!sparse).then(|| qr.clone()),
                at: chrono::DateTime::UNIX_EPOCH,
                identifier: "example".to_owned(),
            });
        }
    }
    Ok(pages)
}

/// With everything there can be.
pub(super) fn full(register: RegisterKind) -> Value {
    let example = include_str!("../../templates/civil-status.example.json");
    let mut data: Value = serde_json::from_str(example).unwrap_or_default();
    data["title"] = json!({ "fr": "Titre du document", "ar": "عنوان الوثيقة" });
    data["registered_at"] = data["office"]["bureau"].clone();
    let act = &mut data["act"];
    act["death_note"] =
        json!({ "fr": "Décédée à Rabat le 2 mai 2020", "ar": "توفيت بالرباط بتاريخ 2 ماي 2020" });
    if register == RegisterKind::Death {
        let date = act["person"]["birth_date"].clone();
        act["death"] =
            json!({ "date": date, "place": { "fr": "Rabat", "ar": "الرباط" }, "time": act["time"] });
    }
    data
}

/// With nothing that may be missing: signed by hand, by judgment, in one script.
fn sparse_of(mut data: Value) -> Value {
    for name in ["officer", "verification", "registered_at"] {
        data[name] = Value::Null;
    }
    data["seal"] = "BY_HAND".into();
    let act = &mut data["act"];
    for name in [
        "part",
        "hijri_year",
        "death_note",
        "time",
        "declarant",
        "transcribed_from",
    ] {
        act[name] = Value::Null;
    }
    act["notes"] = json!([]);
    act["judgment"] =
        json!({ "reference": "123/2001", "date": act["drawn_up"], "court": { "fr": "Rabat", "ar": "" } });
    let nothing = json!({ "fr": "", "ar": "" });
    for name in ["profession", "address", "marital_state"] {
        act[name] = nothing.clone();
    }
    for parent in ["father", "mother"] {
        for name in ["nationality", "birth_place", "profession", "address"] {
            act[parent][name] = nothing.clone();
        }
        act[parent]["birth_date"] = json!({ "hijri": nothing, "gregorian": nothing });
    }
    if !act["death"].is_null() {
        act["death"]["time"] = Value::Null;
    }
    data
}
