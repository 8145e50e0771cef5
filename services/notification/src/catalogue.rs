//! The texts of all languages, from `locales/`.

pub mod shape;

use std::sync::LazyLock;

use serde::de::DeserializeOwned;

use crate::domain::language::Language;
use crate::domain::template::Template;
use shape::{Catalogue, Common, Mail, Mails, Reviewed, Texts};

static ARABIC: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../locales/ar.toml")));
static FRENCH: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../locales/fr.toml")));
static ENGLISH: LazyLock<Catalogue> = LazyLock::new(|| read(include_str!("../locales/en.toml")));
static TAMAZIGHT: LazyLock<Reviewed> = LazyLock::new(|| read(include_str!("../locales/zgh.toml")));

fn read<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("the build has read this file into this type")
}

/// A text with what belongs to its language.
#[derive(Debug, Clone, Copy)]
pub struct Found<T: 'static> {
    /// The language it is written in: Arabic where Tamazight was asked for and has no reviewed text.
    pub language: Language,
    pub common: &'static Common,
    pub text: T,
}

/// The e-mail of a template; none for [`Template::Delivery`], which says nothing yet.
pub fn mail(language: Language, template: Template) -> Option<Found<&'static Mail>> {
    if language == Language::Tamazight
        && let Some(common) = &TAMAZIGHT.common
        && let Some(text) = pick_mail(&TAMAZIGHT.mails, template)?.as_ref()
    {
        return Some(Found {
            language,
            common,
            text,
        });
    }
    let (language, catalogue) = complete(language);
    Some(Found {
        language,
        common: &catalogue.common,
        text: pick_mail(&catalogue.mails, template)?,
    })
}

/// The text message of a template; none where a template has none.
pub fn text_message(language: Language, template: Template) -> Option<Found<&'static str>> {
    if language == Language::Tamazight
        && let Some(common) = &TAMAZIGHT.common
        && let Some(text) = pick_text(&TAMAZIGHT.texts, template)?.as_ref()
    {
        return Some(Found {
            language,
            common,
            text,
        });
    }
    let (language, catalogue) = complete(language);
    Some(Found {
        language,
        common: &catalogue.common,
        text: pick_text(&catalogue.texts, template)?,
    })
}

/// Names of the texts that have no reviewed Tamazight.
pub fn without_tamazight() -> Vec<String> {
    let common = TAMAZIGHT.common.is_none().then(|| "common".to_owned());
    let mails = TAMAZIGHT
        .mails
        .named()
        .filter(|(_, mail)| mail.is_none())
        .map(|(name, _)| format!("mails.{name}"));
    let texts = TAMAZIGHT
        .texts
        .named()
        .filter(|(_, text)| text.is_none())
        .map(|(name, _)| format!("texts.{name}"));
    common.into_iter().chain(mails).chain(texts).collect()
}

fn complete(language: Language) -> (Language, &'static Catalogue) {
    match language {
        Language::Arabic | Language::Tamazight => (Language::Arabic, &ARABIC),
        Language::French => (language, &FRENCH),
        Language::English => (language, &ENGLISH),
    }
}

fn pick_mail<T>(mails: &Mails<T>, template: Template) -> Option<&T> {
    Some(match template {
        Template::Delivery => return None,
        Template::SignUpCode => &mails.sign_up_code,
        Template::ContactChangeCode => &mails.contact_change_code,
        Template::PasswordResetCode => &mails.password_reset_code,
        Template::AccountExistsNotice => &mails.account_exists_notice,
        Template::CredentialChangedNotice => &mails.credential_changed_notice,
        Template::Submitted => &mails.submitted,
        Template::PaymentAwaited => &mails.payment_awaited,
        Template::Refused => &mails.refused,
        Template::Delivered => &mails.delivered,
        Template::Cancelled => &mails.cancelled,
        Template::Expired => &mails.expired,
    })
}

fn pick_text<T>(texts: &Texts<T>, template: Template) -> Option<&T> {
    Some(match template {
        Template::SignUpCode => &texts.sign_up_code,
        Template::ContactChangeCode => &texts.contact_change_code,
        Template::PasswordResetCode => &texts.password_reset_code,
        Template::AccountExistsNotice => &texts.account_exists_notice,
        Template::CredentialChangedNotice => &texts.credential_changed_notice,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::shape::{Part, parts};
    use super::*;

    #[test]
    fn every_message_has_an_email_in_every_language() {
        for template in Template::ALL {
            for language in Language::ALL {
                let found = mail(language, *template);
                assert_eq!(
                    found.is_some(),
                    *template != Template::Delivery,
                    "{template:?} in {language:?}"
                );
            }
        }
    }

    #[test]
    fn text_messages_are_for_deliveries_alone() {
        for template in Template::ALL {
            let wanted = *template != Template::Delivery && template.as_str().starts_with("identity.");
            assert_eq!(
                text_message(Language::English, *template).is_some(),
                wanted,
                "{template:?}"
            );
        }
    }

    #[test]
    fn arabic_stands_in_for_tamazight_that_nobody_has_reviewed() {
        let lacking = without_tamazight();
        let found = mail(Language::Tamazight, Template::Submitted).unwrap();
        let reviewed =
            !lacking.contains(&"common".to_owned()) && !lacking.contains(&"mails.submitted".to_owned());
        assert_eq!(
            found.language,
            if reviewed {
                Language::Tamazight
            } else {
                Language::Arabic
            }
        );
    }

    #[test]
    fn a_text_is_words_and_values() {
        assert_eq!(
            parts("a {b} c"),
            Some(vec![Part::Words("a "), Part::Value("b"), Part::Words(" c")])
        );
        assert_eq!(parts("{b}"), Some(vec![Part::Value("b")]));
        for broken in ["a {b", "a b}", "a }b{ c}", "{a{b}}"] {
            assert_eq!(parts(broken), None, "{broken}");
        }
    }

    /// The French catalogue with one change, as the build would judge it.
    fn fault(from: &str, to: &str) -> String {
        let text = include_str!("../locales/fr.toml");
        assert!(text.contains(from), "{from}");
        match toml::from_str::<Catalogue>(&text.replacen(from, to, 1)) {
            Ok(catalogue) => catalogue.check().unwrap_err().to_string(),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn a_catalogue_with_a_fault_is_refused() {
        assert_eq!(
            fault("[mails.expired]", "[mails.expried]"),
            "unknown field `expried`, expected one of `sign_up_code`, `contact_change_code`, `password_reset_code`, `account_exists_notice`, `credential_changed_notice`, `submitted`, `payment_awaited`, `refused`, `delivered`, `cancelled`, `expired`"
        );
        assert_eq!(
            fault("Motif : {reason}", "Motif"),
            "mails.refused.paragraphs: does not name {reason}"
        );
        assert_eq!(
            fault("{remark}", "{note}"),
            "mails.refused.paragraphs: names {note}, which nobody fills in"
        );
        assert_eq!(
            fault("{fee}", "{fee"),
            "mails.payment_awaited.paragraphs: has a brace without its partner"
        );
        assert_eq!(
            fault("Récépissé de votre demande", " "),
            "mails.submitted.subject: is empty"
        );
        assert_eq!(
            fault("account_exists_notice = \"Wathiq", "# \"Wathiq"),
            "missing field `account_exists_notice`"
        );
        assert_eq!(
            fault(
                "de votre compte a été modifiée. Si ce n'est pas vous, appelez le {help_number}",
                "modifiée"
            ),
            "texts.credential_changed_notice: does not name {help_number}"
        );
    }
}
