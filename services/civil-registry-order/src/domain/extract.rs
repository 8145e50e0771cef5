//! What an extract says: the original, and over it what the marginal notes change (domain of the short copy, نسخة موجزة). Full copies
//! print the original and every note instead.

use super::act::{
    ActContent, Bilingual, ExtractChange, ExtractField, Note, NoteDraft, NoteKind, Parent, Sex,
};
use super::written_date::{PartialDate, WrittenDate};

/// The content of an extract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractContent {
    /// As written; nothing where the act does not say.
    pub hijri_year: Option<i16>,
    pub given_name: Bilingual,
    pub family_name: Bilingual,
    pub sex: Sex,
    pub nationality: Bilingual,
    pub birth_date: WrittenDate,
    pub birth_place: Bilingual,
    /// Given name, then family name where the act has it.
    pub father_name: Bilingual,
    pub mother_name: Bilingual,
    /// Death acts only, as the next.
    pub death_date: WrittenDate,
    pub death_place: Bilingual,
    /// The marginal note of death, which a birth extract prints in place of "Néant / لا شيء".
    pub death_note: Option<Bilingual>,
}

/// The extract of an act with these notes, first to last: a later note wins over an earlier one.
pub fn extract_of(content: &ActContent, notes: &[Note]) -> ExtractContent {
    let mut extract = ExtractContent {
        hijri_year: content.hijri_year,
        given_name: content.given_name.clone(),
        family_name: content.family_name.clone(),
        sex: content.sex,
        nationality: content.nationality.clone(),
        birth_date: content.birth_date.clone(),
        birth_place: content.birth_place.clone(),
        father_name: name_of(&content.father),
        mother_name: name_of(&content.mother),
        death_date: content.death_date.clone(),
        death_place: content.death_place.clone(),
        death_note: None,
    };
    for note in notes {
        if note.draft.kind == NoteKind::Death {
            extract.death_note = Some(note.draft.text.clone());
        }
        if note.draft.changes_extract {
            for change in &note.draft.changes {
                extract.apply(change);
            }
        }
    }
    extract
}

impl ExtractContent {
    fn apply(&mut self, change: &ExtractChange) {
        let text = match change.field {
            ExtractField::GivenName => &mut self.given_name,
            ExtractField::FamilyName => &mut self.family_name,
            ExtractField::BirthPlace => &mut self.birth_place,
            ExtractField::Nationality => &mut self.nationality,
            ExtractField::FatherName => &mut self.father_name,
            ExtractField::MotherName => &mut self.mother_name,
            ExtractField::BirthDate => {
                self.birth_date = change.date.clone();
                return;
            }
            ExtractField::Sex => {
                self.sex = match change.text.latin.as_str() {
                    "male" => Sex::Male,
                    _ => Sex::Female,
                };
                return;
            }
        };
        write_over(text, &change.text);
    }
}

/// A note in one script leaves the other as it was.
fn write_over(text: &mut Bilingual, changed: &Bilingual) {
    if !changed.arabic.is_empty() {
        text.arabic.clone_from(&changed.arabic);
    }
    if !changed.latin.is_empty() {
        text.latin.clone_from(&changed.latin);
    }
}

/// What the person of an act goes by, and is looked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAs {
    pub given_name: Bilingual,
    pub family_name: Bilingual,
    pub birth_date: Option<PartialDate>,
}

impl KnownAs {
    /// As the act was first drawn up.
    pub fn at_first(content: &ActContent) -> Self {
        Self {
            given_name: content.given_name.clone(),
            family_name: content.family_name.clone(),
            birth_date: content.birth_date.gregorian,
        }
    }

    /// As these notes, first to last, have made it; nothing where none of them changes name or birth date.
    pub fn by_notes<'a>(
        content: &ActContent,
        notes: impl IntoIterator<Item = &'a NoteDraft>,
    ) -> Option<Self> {
        let mut now = None;
        let notes = notes.into_iter().filter(|note| note.changes_extract);
        for change in notes.flat_map(|note| &note.changes) {
            let now = match change.field {
                ExtractField::GivenName | ExtractField::FamilyName | ExtractField::BirthDate => {
                    now.get_or_insert_with(|| Self::at_first(content))
                }
                _ => continue,
            };
            match change.field {
                ExtractField::GivenName => write_over(&mut now.given_name, &change.text),
                ExtractField::FamilyName => write_over(&mut now.family_name, &change.text),
                _ => now.birth_date = change.date.gregorian,
            }
        }
        now
    }
}

fn name_of(parent: &Parent) -> Bilingual {
    let joined = |given: &str, family: &str| format!("{given} {family}").trim().to_owned();
    Bilingual {
        arabic: joined(&parent.given_name.arabic, &parent.family_name.arabic),
        latin: joined(&parent.given_name.latin, &parent.family_name.latin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::act::{NoteDraft, Origin};
    use chrono::{DateTime, NaiveDate};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn content() -> ActContent {
        serde_json::from_value(serde_json::json!({
            "origin": "declaration",
            "given_name": { "arabic": "أمينة", "latin": "Amina" },
            "family_name": { "arabic": "العلوي", "latin": "Alaoui" },
            "sex": "female",
            "birth_date": { "gregorian": "1984-03-02" },
            "father": { "given_name": { "latin": "Ahmed" }, "family_name": { "latin": "Alaoui" } },
            "mother": { "given_name": { "latin": "Fatima" } },
        }))
        .unwrap()
    }

    fn note(ordinal: i16, kind: NoteKind, changes: Vec<ExtractChange>) -> Note {
        Note {
            id: Uuid::from_u128(7),
            ordinal,
            draft: NoteDraft {
                date: NaiveDate::from_ymd_opt(2020, 1, 1).unwrap(),
                kind,
                text: Bilingual::new("بيان", format!("note {ordinal}")),
                changes_extract: !changes.is_empty(),
                changes,
            },
            author_id: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn change(field: ExtractField, latin: &str) -> ExtractChange {
        ExtractChange {
            field,
            text: Bilingual::new("", latin),
            date: WrittenDate::default(),
        }
    }

    #[test]
    fn without_notes_it_is_the_original() {
        let content = content();
        let extract = extract_of(&content, &[]);
        assert_eq!(extract.given_name, content.given_name);
        assert_eq!(extract.birth_date, content.birth_date);
        assert_eq!(extract.father_name, Bilingual::new("", "Ahmed Alaoui"));
        assert_eq!(extract.mother_name, Bilingual::new("", "Fatima"));
        assert_eq!(extract.death_note, None);
        assert_eq!(content.origin, Origin::Declaration);
    }

    #[test]
    fn the_last_note_on_a_field_wins_and_marriages_are_not_shown() {
        let notes = [
            note(
                1,
                NoteKind::Judgment,
                vec![change(ExtractField::FamilyName, "El Alaoui")],
            ),
            note(2, NoteKind::Marriage, Vec::new()),
            note(
                3,
                NoteKind::Judgment,
                vec![
                    change(ExtractField::FamilyName, "Alaoui Mdaghri"),
                    change(ExtractField::Sex, "male"),
                ],
            ),
            note(4, NoteKind::Death, Vec::new()),
        ];
        let extract = extract_of(&content(), &notes);
        assert_eq!(extract.family_name, Bilingual::new("العلوي", "Alaoui Mdaghri"));
        assert_eq!(extract.sex, Sex::Male);
        assert_eq!(extract.death_note, Some(Bilingual::new("بيان", "note 4")));
        assert_eq!(extract.given_name, content().given_name);
    }

    #[test]
    fn a_birth_date_is_replaced_whole() {
        let mut dated = change(ExtractField::BirthDate, "");
        dated.date.gregorian = "1984-02-03".parse().ok();
        let extract = extract_of(&content(), &[note(1, NoteKind::Judgment, vec![dated])]);
        assert_eq!(extract.birth_date.gregorian, "1984-02-03".parse().ok());
    }

    #[test]
    fn a_person_is_known_as_the_extract_says() {
        let content = content();
        let mut dated = change(ExtractField::BirthDate, "");
        dated.date.gregorian = "1984-02-03".parse().ok();
        let notes = [
            note(
                1,
                NoteKind::Judgment,
                vec![change(ExtractField::FamilyName, "El Alaoui")],
            ),
            note(
                2,
                NoteKind::Judgment,
                vec![change(ExtractField::MotherName, "Fatna"), dated],
            ),
            note(
                3,
                NoteKind::Judgment,
                vec![change(ExtractField::GivenName, "Amena")],
            ),
        ];
        for count in 0..=notes.len() {
            let extract = extract_of(&content, &notes[..count]);
            let now = KnownAs::by_notes(&content, notes[..count].iter().map(|note| &note.draft));
            let expected = KnownAs {
                given_name: extract.given_name,
                family_name: extract.family_name,
                birth_date: extract.birth_date.gregorian,
            };
            assert_eq!(now, (count > 0).then_some(expected));
        }
        let mother = note(
            1,
            NoteKind::Judgment,
            vec![change(ExtractField::MotherName, "Fatna")],
        );
        assert_eq!(KnownAs::by_notes(&content, [&mother.draft]), None);
    }

    proptest! {
        #[test]
        fn notes_that_change_nothing_change_nothing(kinds in prop::collection::vec(prop::sample::select(NoteKind::ALL.to_vec()), 0..6)) {
            let notes: Vec<Note> = (1..).zip(&kinds).map(|(ordinal, kind)| note(ordinal, *kind, Vec::new())).collect();
            let extract = extract_of(&content(), &notes);
            let died = kinds.contains(&NoteKind::Death);
            prop_assert_eq!(extract.death_note.is_some(), died);
            let alive = ExtractContent { death_note: None, ..extract };
            prop_assert_eq!(alive, extract_of(&content(), &[]));
        }
    }
}
