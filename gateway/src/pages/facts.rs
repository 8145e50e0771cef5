//! What several pages say of a legalisation, in the page's language.

use chrono::DateTime;
use chrono_tz::Africa::Casablanca;
use data_encoding::HEXLOWER;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::app::App;
use crate::language::{Language, find, text};

/// A fact as a row of a list.
pub(super) struct Row {
    pub name: &'static str,
    pub value: String,
    /// Digits and Latin letters that keep their order in Arabic.
    pub technical: bool,
}

/// An instant as people read it, in Moroccan time.
pub(super) fn time(instant: Option<&prost_types::Timestamp>) -> Option<String> {
    let instant = DateTime::from_timestamp(instant?.seconds, 0)?;
    Some(
        instant
            .with_timezone(&Casablanca)
            .format("%d/%m/%Y %H:%M")
            .to_string(),
    )
}

/// An hexadecimal hash.
pub(super) fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// The name of a kind of document; its code where the catalogue cannot be asked.
pub(super) async fn kind_name(app: &App, language: Language, code: &str) -> String {
    let request = pb::GetCatalogueRequest {
        office_id: String::new(),
    };
    let Ok(answer) = app.clients.legalisations().get_catalogue(request).await else {
        return code.to_owned();
    };
    let kind = answer
        .into_inner()
        .document_kinds
        .into_iter()
        .find(|kind| kind.code == code);
    kind.map_or_else(
        || code.to_owned(),
        |kind| match language {
            Language::French => kind.name_fr,
            Language::English => kind.name_en,
            Language::Arabic | Language::Tamazight => kind.name_ar,
        },
    )
}

/// The facts of a legalisation, those that are known.
pub(super) async fn rows(app: &App, language: Language, facts: &pb::LegalisationFacts) -> Vec<Row> {
    let arabic = matches!(language, Language::Arabic | Language::Tamazight);
    let pick = |ar: &str, other: &str| if arabic { ar.to_owned() } else { other.to_owned() };
    let register =
        (facts.register_number > 0).then(|| format!("{}/{}", facts.register_number, facts.register_year));
    let method = (!facts.confirmation_method.is_empty()).then(|| {
        let known = find(language, &format!("method.{}", facts.confirmation_method));
        known.unwrap_or(&facts.confirmation_method).to_owned()
    });
    let document = (!facts.document_sha256.is_empty()).then(|| hash(&facts.document_sha256));
    let kind = kind_name(app, language, &facts.document_kind).await;
    [
        (
            "facts.signer",
            Some(pick(&facts.signer_name_arabic, &facts.signer_name_latin)),
            false,
        ),
        ("facts.kind", Some(kind), false),
        (
            "facts.office",
            Some(pick(&facts.office_name_ar, &facts.office_name_fr)),
            false,
        ),
        ("facts.officer", Some(facts.officer_name.clone()), false),
        ("facts.register", register, true),
        ("facts.sealed", time(facts.seal_time.as_ref()), true),
        ("facts.confirmed", time(facts.confirm_time.as_ref()), true),
        ("facts.method", method, false),
        ("facts.code", Some(grouped(&facts.verification_code)), true),
        ("facts.sha256", document, true),
    ]
    .into_iter()
    .filter_map(|(key, value, technical)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(Row {
            name: text(language, key),
            value,
            technical,
        })
    })
    .collect()
}

/// The facts of a document that an administration issued; nobody's name.
pub(super) fn issued_rows(language: Language, facts: &pb::IssuedDocumentFacts) -> Vec<Row> {
    let arabic = matches!(language, Language::Arabic | Language::Tamazight);
    let title = match language {
        Language::Arabic | Language::Tamazight => &facts.title_ar,
        Language::French => &facts.title_fr,
        Language::English => &facts.title_en,
    };
    let office = if arabic {
        &facts.office_name_ar
    } else {
        &facts.office_name_fr
    };
    let document = (!facts.document_sha256.is_empty()).then(|| hash(&facts.document_sha256));
    [
        ("facts.kind", Some(title.clone()), false),
        ("facts.office", Some(office.clone()), false),
        ("facts.sealed", time(facts.seal_time.as_ref()), true),
        ("facts.code", Some(grouped(&facts.verification_code)), true),
        ("facts.sha256", document, true),
    ]
    .into_iter()
    .filter_map(|(key, value, technical)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(Row {
            name: text(language, key),
            value,
            technical,
        })
    })
    .collect()
}

/// A verification code as printed: groups of four.
pub(super) fn grouped(code: &str) -> String {
    let plain: Vec<char> = code.chars().filter(char::is_ascii_alphanumeric).collect();
    plain
        .chunks(4)
        .map(|group| group.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join("-")
}

/// The outcome of a verification as people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Genuine,
    Undecided,
    Wrong,
}

impl Outcome {
    /// The outcome for a file or code: what is altered or withdrawn is wrong whatever its signatures say.
    pub(super) fn of(
        indication: pb::Indication,
        issued: pb::IssuedState,
        facts: Option<&pb::LegalisationFacts>,
    ) -> Self {
        match indication {
            _ if issued == pb::IssuedState::Altered || is_withdrawn(issued, facts) => Outcome::Wrong,
            pb::Indication::TotalPassed => Outcome::Genuine,
            pb::Indication::TotalFailed => Outcome::Wrong,
            pb::Indication::Indeterminate | pb::Indication::Unspecified => Outcome::Undecided,
        }
    }

    /// Class of the panel.
    pub(super) fn class(self) -> &'static str {
        match self {
            Outcome::Genuine => "good",
            Outcome::Undecided => "doubtful",
            Outcome::Wrong => "bad",
        }
    }
}

/// Whether the legalisation behind a file or code was annulled.
pub(super) fn is_withdrawn(issued: pb::IssuedState, facts: Option<&pb::LegalisationFacts>) -> bool {
    let annulled = facts.is_some_and(|facts| facts.register_state() == pb::RegisterEntryState::Annulled);
    annulled || issued == pb::IssuedState::Withdrawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn altered_or_withdrawn_is_never_genuine() {
        use pb::IssuedState::{Altered, AsIssued, Unknown, Withdrawn};
        let entry = |state: pb::RegisterEntryState| pb::LegalisationFacts {
            register_state: state as i32,
            ..pb::LegalisationFacts::default()
        };
        let sealed = entry(pb::RegisterEntryState::Sealed);
        let annulled = entry(pb::RegisterEntryState::Annulled);
        let passed = pb::Indication::TotalPassed;
        for (indication, issued, facts, expected) in [
            (passed, AsIssued, Some(&sealed), Outcome::Genuine),
            (passed, Altered, Some(&sealed), Outcome::Wrong),
            (passed, Withdrawn, Some(&sealed), Outcome::Wrong),
            (passed, AsIssued, Some(&annulled), Outcome::Wrong),
            (pb::Indication::Indeterminate, Unknown, None, Outcome::Undecided),
            (pb::Indication::TotalFailed, Unknown, None, Outcome::Wrong),
        ] {
            assert_eq!(
                Outcome::of(indication, issued, facts),
                expected,
                "{indication:?} {issued:?}"
            );
        }
    }

    #[test]
    fn codes_are_shown_as_printed() {
        assert_eq!(grouped("ABCD2345WXYZ"), "ABCD-2345-WXYZ");
        assert_eq!(grouped("ABCD-2345-WXYZ"), "ABCD-2345-WXYZ");
    }
}
