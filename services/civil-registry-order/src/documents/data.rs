//! The data of a form; its shape stands at the head of `templates/civil-status.typ`.

use serde_json::{Value, json};

use super::Drawing;
use crate::domain::act::{Act, Bilingual, Parent, Sex};
use crate::domain::act_key::RegisterKind;
use crate::domain::extract::{ExtractContent, extract_of};
use crate::domain::kind::{Form, SealMode};
use crate::domain::written_date::WrittenDate;

/// What the template reads.
pub(super) fn of(drawing: &Drawing<'_>) -> Value {
    let office = drawing.office;
    let officer = (drawing.seal_mode != SealMode::ByHand).then(|| {
        json!({
            "name": { "fr": drawing.officer.latin.trim(), "ar": drawing.officer.arabic.trim() },
            "quality": { "fr": "officier de l’état civil", "ar": "ضابط الحالة المدنية" },
        })
    });
    let address = &office.address;
    json!({
        "language": drawing.language.as_str(),
        "office": {
            "province": { "fr": office.province_fr, "ar": office.province_ar },
            "commune": { "fr": office.commune_fr, "ar": office.commune_ar },
            "bureau": { "fr": office.bureau_fr, "ar": office.bureau_ar },
            "place": { "fr": address.locality_latin, "ar": address.locality_arabic },
        },
        "law": { "fr": drawing.law.fr, "ar": drawing.law.ar },
        "act": act(drawing.act, drawing.kind.form),
        "officer": officer,
        "date": wathiq_chassis::civil_date(drawing.at).to_string(),
        "seal": drawing.seal_mode.as_str(),
        "verification": drawing.verification.map(|(code, address)| json!({ "code": code, "address": address })),
        "reference": drawing.reference,
    })
}

fn act(act: &Act, form: Form) -> Value {
    let content = &act.content;
    // A full copy prints the original and every note; an extract what the notes have made of it.
    let shown = match form {
        Form::Extract => extract_of(content, &act.notes),
        Form::FullCopy => extract_of(content, &[]),
    };
    let death = (act.key.kind == RegisterKind::Death).then(
        || json!({ "date": date(&shown.death_date), "place": text(&shown.death_place), "time": time(act) }),
    );
    let notes: Vec<Value> = act
        .notes
        .iter()
        .map(|note| {
            json!({ "ordinal": note.ordinal, "date": note.draft.date.to_string(), "text": text(&note.draft.text) })
        })
        .collect();
    let part = act.key.part.as_str();
    let transcribed = &content.transcribed_from;
    json!({
        "number": act.key.number.as_str(),
        "part": (!part.is_empty()).then_some(part),
        "year": act.key.year,
        "hijri_year": shown.hijri_year,
        "person": person(&shown),
        "father": parent(&content.father, &shown.father_name),
        "mother": parent(&content.mother, &shown.mother_name),
        "death_note": shown.death_note.as_ref().map(text),
        "death": death,
        "time": time(act),
        "notes": notes,
        "declarant": content.declarant.as_ref().map(declarant),
        "judgment": content.judgment.as_ref().map(judgment),
        "drawn_up": date(&content.drawn_up),
        "officer": text(&content.officer),
        "signed_with_declarant": content.signed_with_declarant,
        "transcribed_from": (!transcribed.is_empty()).then_some(transcribed),
        "profession": text(&content.profession),
        "address": text(&content.address),
        "marital_state": text(&content.marital_state),
    })
}

fn person(shown: &ExtractContent) -> Value {
    let sex = match shown.sex {
        Sex::Male => "MALE",
        Sex::Female => "FEMALE",
    };
    json!({
        "given_name": text(&shown.given_name),
        "family_name": text(&shown.family_name),
        "sex": sex,
        "nationality": text(&shown.nationality),
        "birth_place": text(&shown.birth_place),
        "birth_date": date(&shown.birth_date),
    })
}

fn parent(parent: &Parent, name: &Bilingual) -> Value {
    json!({
        "name": text(name),
        "nationality": text(&parent.nationality),
        "birth_place": text(&parent.birth_place),
        "birth_date": date(&parent.birth_date),
        "profession": text(&parent.profession),
        "address": text(&parent.address),
    })
}

fn declarant(declarant: &crate::domain::act::Declarant) -> Value {
    json!({
        "name": text(&declarant.name),
        "relationship": text(&declarant.relationship),
        "age": declarant.age,
        "profession": text(&declarant.profession),
        "nationality": text(&declarant.nationality),
        "address": text(&declarant.address),
    })
}

fn judgment(judgment: &crate::domain::act::Judgment) -> Value {
    json!({ "reference": judgment.reference, "date": date(&judgment.date), "court": text(&judgment.court) })
}

fn time(act: &Act) -> Value {
    let content = &act.content;
    match (content.hour, content.minute) {
        (Some(hour), minute) => {
            let clock = format!("{hour:02}:{:02}", minute.unwrap_or(0));
            json!({ "clock": clock, "letters": text(&content.time_in_letters) })
        }
        (None, _) => Value::Null,
    }
}

fn text(text: &Bilingual) -> Value {
    json!({ "fr": text.latin, "ar": text.arabic })
}

fn date(date: &WrittenDate) -> Value {
    json!({
        "hijri": { "fr": date.hijri_latin, "ar": date.hijri_arabic },
        "gregorian": { "fr": date.gregorian_latin, "ar": date.gregorian_arabic },
    })
}
