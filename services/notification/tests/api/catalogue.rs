//! Every message in every language, whole.

use chrono::{DateTime, Utc};
use wathiq_notification::app::compose::{self, Carriage};
use wathiq_notification::catalogue;
use wathiq_notification::clients::identity::{Delivery, Recipient};
use wathiq_notification::config::{HelpConfig, HelpHours};
use wathiq_notification::domain::language::Language;
use wathiq_notification::domain::message::Channel;
use wathiq_notification::domain::template::{Subject, Template};
use wathiq_notification::letter::{self, House, Letter, Values};

use crate::doubles::{facts, orders};

fn house() -> House {
    House {
        public_url: "https://wathiq.example".into(),
        help: HelpConfig {
            number: "080 200 60 60".into(),
            hours: HelpHours {
                ar: "من الإثنين إلى الجمعة".into(),
                fr: "du lundi au vendredi".into(),
                en: "Monday to Friday".into(),
                zgh: None,
            },
            short_hours: "8:30-16:30".into(),
        },
    }
}

fn recipient(language: Language) -> Recipient {
    Recipient {
        email: "amina@example.ma".to_owned().into(),
        phone: "+212600000000".to_owned().into(),
        language,
        name_arabic: "أمينة الإدريسي".into(),
        name_latin: "Amina El Idrissi".into(),
        wants_attachments: true,
    }
}

fn delivery(template: Template, language: Language) -> Delivery {
    let code = if template.as_str().ends_with("_code") {
        "804213"
    } else {
        ""
    };
    let expires_at: DateTime<Utc> = "2026-11-22T21:59:00Z".parse().unwrap();
    Delivery {
        template,
        channel: Channel::Email,
        address: String::new().into(),
        language,
        code: code.to_owned().into(),
        expires_at,
    }
}

fn values(template: Template, language: Language, carriage: &Carriage) -> Values {
    let common = letter::common(language, template).unwrap();
    let (house, person) = (house(), uuid::Uuid::nil());
    match template.subject() {
        Subject::Delivery => compose::delivery(common.1, &delivery(template, language)),
        Subject::Legalisation => {
            compose::request(&house, common, &recipient(language), &facts(person), carriage)
        }
        Subject::Order => compose::order(&house, common, &recipient(language), &orders::facts(person)),
        Subject::Platform => compose::platform(person),
        Subject::Office => compose::office(&house, common.0, person, &orders::office("bec@example.ma")),
    }
}

fn mail(template: Template, language: Language, carriage: &Carriage) -> Letter {
    letter::mail(
        &house(),
        language,
        template,
        &values(template, language, carriage),
    )
    .unwrap()
}

fn messages() -> impl Iterator<Item = (Template, Language)> {
    let templates = Template::ALL
        .iter()
        .copied()
        .filter(|template| *template != Template::Delivery);
    templates.flat_map(|template| Language::ALL.map(|language| (template, language)))
}

fn carriages() -> [Carriage; 4] {
    let attached = Carriage::Attached(vec!["a.pdf".into(), "legalisation-page.pdf".into()]);
    [Carriage::Nothing, attached, Carriage::Link, Carriage::LargeLink]
}

/// Arabic letters among all letters.
fn share_of_arabic(text: &str) -> f64 {
    let is_arabic = |c: &char| ('\u{0600}'..='\u{06FF}').contains(c);
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    letters.iter().filter(|c| is_arabic(c)).count() as f64 / letters.len() as f64
}

#[test]
fn every_email_is_whole_and_closes_with_the_help_line() {
    for (template, language) in messages() {
        for carriage in carriages() {
            let letter = mail(template, language, &carriage);
            let place = format!("{template:?} in {language:?}: {}", letter.text);
            for text in [&letter.subject, &letter.text, &letter.html] {
                assert!(!text.contains(['{', '}']), "a value is missing: {place}");
            }
            assert!(!letter.text.contains("\n\n\n"), "an empty paragraph: {place}");
            assert!(
                letter.subject.chars().count() < 70 && !letter.subject.contains('\n'),
                "{place}"
            );
            let (_, end) = letter.text.rsplit_once("\n\n").unwrap();
            assert!(end.contains("080\u{a0}200\u{a0}60\u{a0}60"), "{place}");
        }
    }
}

#[test]
fn every_email_is_in_its_language_and_direction() {
    for (template, language) in messages() {
        let letter = mail(template, language, &Carriage::Nothing);
        let arabic = matches!(letter.language, Language::Arabic);
        assert_eq!(
            arabic,
            matches!(language, Language::Arabic | Language::Tamazight),
            "{template:?} in {language:?}"
        );
        let share = share_of_arabic(&letter.text);
        assert!(
            if arabic { share > 0.7 } else { share < 0.3 },
            "{template:?} in {language:?}: {share}"
        );
        let head = if arabic {
            "<html lang=\"ar\" dir=\"rtl\">".to_owned()
        } else {
            format!("<html lang=\"{}\" dir=\"ltr\">", language.tag())
        };
        assert!(letter.html.contains(&head), "{}", letter.html);
    }
}

#[test]
fn a_code_stands_alone_on_its_line() {
    for (template, language) in messages().filter(|(template, _)| template.as_str().ends_with("_code")) {
        let letter = mail(template, language, &Carriage::Nothing);
        assert_eq!(
            letter.text.lines().filter(|line| *line == "804213").count(),
            1,
            "{}",
            letter.text
        );
        let runs = letter
            .text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|run| run.len() == 6)
            .count();
        assert_eq!(runs, 1, "another run of six digits: {}", letter.text);
        assert!(
            !letter.subject.contains("804213"),
            "a subject shows on locked screens"
        );
    }
}

#[test]
fn a_paragraph_without_its_value_is_left_out() {
    let common = letter::common(Language::French, Template::Refused).unwrap();
    let facts = wathiq_notification::clients::signature::Facts {
        refusal_text: None,
        receipt_number: None,
        ..facts(uuid::Uuid::nil())
    };
    let values = compose::request(
        &house(),
        common,
        &recipient(Language::French),
        &facts,
        &Carriage::Nothing,
    );
    let letter = letter::mail(&house(), Language::French, Template::Refused, &values).unwrap();
    assert!(!letter.text.contains("Précision du bureau") && !letter.text.contains("Numéro du récépissé"));
    assert!(letter.text.contains("Motif : La signature ne correspond pas"));
}

/// Letters that a part of 160 characters may hold (3GPP TS 23.038, 6.2.1, without those that count twice).
const GSM: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

#[test]
fn a_text_message_is_one_part() {
    let texts =
        messages().filter(|(template, _)| catalogue::text_message(Language::French, *template).is_some());
    for (template, language) in texts {
        let values = values(template, language, &Carriage::Nothing);
        let text = letter::text_message(&house(), language, template, &values)
            .unwrap()
            .expect("no value is missing");
        assert!(
            text.contains("0802006060") && text.contains("8:30-16:30") && !text.contains(['{', '}']),
            "{text}"
        );
        assert_eq!(
            text.contains("804213"),
            template.as_str().ends_with("_code"),
            "{text}"
        );
        let gsm = text.chars().all(|c| GSM.contains(c));
        let arabic = matches!(language, Language::Arabic | Language::Tamazight);
        assert_eq!(gsm, !arabic, "{text}");
        let (length, room) = if gsm {
            (text.chars().count(), 160)
        } else {
            (text.encode_utf16().count(), 70)
        };
        assert!(length <= room, "{length} of {room}: {text}");
    }
}

#[test]
fn the_readme_names_every_mail_about_an_order() {
    let readme = include_str!("../../README.md");
    for template in Template::ALL {
        let code = template.as_str();
        let named = readme.contains(&format!("`{code}`"));
        assert!(
            named || template.subject() != Subject::Order,
            "{code} is not in the table of steps"
        );
    }
}
