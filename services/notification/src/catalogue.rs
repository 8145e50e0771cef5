//! The texts of all languages, from `locales/`.

pub mod shape;

use std::sync::LazyLock;

use serde::de::DeserializeOwned;

use crate::domain::language::Language;
use crate::domain::template::Template;
use shape::{Catalogue, Common, Mail, Mails, Reasons, Reviewed, Texts};

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

/// The text of an office's reason, by its code.
pub fn reason(language: Language, code: &str) -> &'static str {
    if language == Language::Tamazight
        && TAMAZIGHT.common.is_some()
        && let Some(text) = pick_reason(&TAMAZIGHT.reasons, code)
    {
        return text;
    }
    let (_, catalogue) = complete(language);
    pick_reason(&catalogue.reasons, code).as_str()
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
    let reasons = TAMAZIGHT
        .reasons
        .named()
        .filter(|(_, text)| text.is_none())
        .map(|(name, _)| format!("reasons.{name}"));
    common
        .into_iter()
        .chain(mails)
        .chain(texts)
        .chain(reasons)
        .collect()
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
        Template::ContactSessionCode => &mails.contact_session_code,
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
        Template::OrderPlaced => &mails.order_placed,
        Template::OrderPaid => &mails.order_paid,
        Template::OrderExpired => &mails.order_expired,
        Template::OrderCancelled => &mails.order_cancelled,
        Template::OrderCancelledAfterPayment => &mails.order_cancelled_after_payment,
        Template::OrderPaidTooLate => &mails.order_paid_too_late,
        Template::OrderCorrectionRequested => &mails.order_correction_requested,
        Template::OrderRefused => &mails.order_refused,
        Template::OrderOverdue => &mails.order_overdue,
        Template::OrderAddressLapsed => &mails.order_address_lapsed,
        Template::OrderRefunded => &mails.order_refunded,
        Template::OrderHandedOver => &mails.order_handed_over,
        Template::OrderDeliveryAttempted => &mails.order_delivery_attempted,
        Template::OrderHeldForCollection => &mails.order_held_for_collection,
        Template::OrderDelivered => &mails.order_delivered,
        Template::OrderDeliveredToOther => &mails.order_delivered_to_other,
        Template::OrderDeliveredWithoutDocument => &mails.order_delivered_without_document,
        Template::OrderReturned => &mails.order_returned,
        Template::OrderLost => &mails.order_lost,
        Template::OrderAddressRefused => &mails.order_address_refused,
        Template::OrderInProduction => &mails.order_in_production,
        Template::OrderProduced => &mails.order_produced,
        Template::OrderReturning => &mails.order_returning,
        Template::OrderClaimed => &mails.order_claimed,
        Template::OrderRefundFailed => &mails.order_refund_failed,
        Template::OfficeReminder => &mails.office_reminder,
        Template::NumbersRunLow => &mails.platform_numbers_run_low,
    })
}

fn pick_text<T>(texts: &Texts<T>, template: Template) -> Option<&T> {
    Some(match template {
        Template::SignUpCode => &texts.sign_up_code,
        Template::ContactChangeCode => &texts.contact_change_code,
        Template::PasswordResetCode => &texts.password_reset_code,
        Template::AccountExistsNotice => &texts.account_exists_notice,
        Template::CredentialChangedNotice => &texts.credential_changed_notice,
        Template::ContactSessionCode => &texts.contact_session_code,
        Template::OrderPaid => &texts.order_paid,
        Template::OrderHeldForCollection => &texts.order_held_for_collection,
        Template::OrderDelivered => &texts.order_delivered,
        _ => return None,
    })
}

fn pick_reason<'a, T>(reasons: &'a Reasons<T>, code: &str) -> &'a T {
    let known = reasons.named().find(|(name, _)| name.eq_ignore_ascii_case(code));
    known.map_or(&reasons.other, |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::shape::{Part, parts};
    use super::*;
    use crate::domain::template::Subject;

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
    fn text_messages_are_for_deliveries_and_for_what_cannot_wait() {
        let urgent = [
            Template::OrderPaid,
            Template::OrderHeldForCollection,
            Template::OrderDelivered,
        ];
        for template in Template::ALL {
            let is_delivery = *template != Template::Delivery && template.subject() == Subject::Delivery;
            let wanted = is_delivery || urgent.contains(template);
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
    fn a_reason_has_a_text_even_where_it_is_new() {
        let french = reason(Language::French, "REGISTER_DAMAGED");
        assert_eq!(french, "le registre est endommagé et l'acte ne peut pas être lu.");
        assert_eq!(
            reason(Language::English, "SOMETHING_NEW"),
            "the office gave another reason."
        );
        assert_eq!(
            reason(Language::Tamazight, "ACT_DIFFERS"),
            reason(Language::Arabic, "ACT_DIFFERS")
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
        let unknown = fault("[mails.expired]", "[mails.expried]");
        assert!(
            unknown.starts_with("unknown field `expried`, expected one of `sign_up_code`"),
            "{unknown}"
        );
        assert_eq!(
            fault("act_differs =", "act_difers ="),
            "unknown field `act_difers`, expected one of `act_not_found`, `act_differs`, `not_entitled`, `evidence_needed`, `evidence_insufficient`, `register_not_held`, `register_damaged`, `act_under_correction`, `other`"
        );
        assert_eq!(
            fault("Détail de la commande :\\n{order_link}", "Voir la page"),
            "mails.order_expired.paragraphs: does not name {order_link}"
        );
        assert_eq!(
            fault("Dont en retard : {late}", "Dont en retard : {total}"),
            "mails.office_reminder.paragraphs: names {total}, which nobody fills in"
        );
        assert_eq!(
            fault("jusqu'au {held_until_short}", "bientôt"),
            "texts.order_held_for_collection: does not name {held_until_short}"
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
