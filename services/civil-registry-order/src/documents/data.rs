//! The data of a form; its shape stands at the head of `templates/civil-status.typ`.

use serde_json::{Value, json};

use super::{Drawing, width};
use crate::domain::act::{Act, Bilingual, Parent, Sex};
use crate::domain::act_key::{RegisterKind, western};
use crate::domain::extract::{ExtractContent, extract_of};
use crate::domain::kind::{Form, SealMode};
use crate::domain::written_date::{PartialDate, WrittenDate};

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
        "title": { "fr": drawing.kind.name_fr, "ar": drawing.kind.name_ar },
        "administration": pair(
            &drawing.kind.issuing_administration_fr.to_uppercase(),
            &drawing.kind.issuing_administration_ar,
        ),
        "office": {
            "province": pair(&office.province_fr, &office.province_ar),
            "commune": pair(&office.commune_fr, &office.commune_ar),
            "bureau": pair(&office.bureau_fr, &office.bureau_ar),
            "place": { "fr": address.locality_latin, "ar": address.locality_arabic },
        },
        "registered_at": drawing.registered_at.map(|office| json!({ "fr": office.bureau_fr, "ar": office.bureau_ar })),
        "law": { "fr": drawing.version.law_fr, "ar": drawing.version.law_ar },
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
    json!({ "reference": western(&judgment.reference), "date": date(&judgment.date), "court": text(&judgment.court) })
}

/// As far as the act says it: an hour without minutes is no full hour, and the letters may stand alone.
fn time(act: &Act) -> Value {
    let content = &act.content;
    let clock = match (content.hour, content.minute) {
        (Some(hour), Some(minute)) => format!("{hour:02}:{minute:02}"),
        (Some(hour), None) => format!("{hour:02} h"),
        (None, _) => String::new(),
    };
    if clock.is_empty() && content.time_in_letters.is_empty() {
        return Value::Null;
    }
    json!({ "clock": clock, "letters": text(&content.time_in_letters) })
}

/// Figures are printed as 0 to 9 in both languages, as in everything else on the page, however they were keyed.
fn text(text: &Bilingual) -> Value {
    pair(&western(&text.latin), &western(&text.arabic))
}

fn pair(fr: &str, ar: &str) -> Value {
    let ems = width::at_most(fr).max(width::at_most(ar));
    json!({ "fr": fr, "ar": ar, "ems": ems })
}

/// In letters as written; a Gregorian date that is written in figures alone is printed in figures. A Hijri date is never computed.
fn date(date: &WrittenDate) -> Value {
    let letters = Bilingual::new(&date.gregorian_arabic, &date.gregorian_latin);
    let gregorian = match date.gregorian {
        Some(figures) if letters.is_empty() => {
            let figures = in_figures(figures);
            Bilingual::new(&figures, &figures)
        }
        _ => letters,
    };
    json!({
        "hijri": text(&Bilingual::new(&date.hijri_arabic, &date.hijri_latin)),
        "gregorian": text(&gregorian),
    })
}

/// Day first: 15/03/1990, 03/1990, 1990.
fn in_figures(date: PartialDate) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match (month, day) {
        (0, _) => format!("{year:04}"),
        (_, 0) => format!("{month:02}/{year:04}"),
        _ => format!("{day:02}/{month:02}/{year:04}"),
    }
}

#[cfg(test)]
mod tests;
