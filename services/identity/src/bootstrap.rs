//! The command line of `bootstrap-administrator`.

use std::collections::HashMap;

use chrono::NaiveDate;
use secrecy::ExposeSecret;
use wathiq_chassis::{Ambient, ConfigError, SecretFile, civil_date};
use wathiq_identity::app::bootstrap_administrator::FirstAdministrator;
use wathiq_identity::domain::contact::{Email, Phone};
use wathiq_identity::domain::identity_document::{DocumentKind, IdentityDocument};
use wathiq_identity::domain::name::{PersonName, Script};
use wathiq_identity::domain::password::NewPassword;
use wathiq_identity::domain::person::CivilIdentity;
use wathiq_identity::domain::vocabulary::{Language, Word};

const USAGE: &str = "identity --config FILE bootstrap-administrator --email E --password-file FILE --phone P \
                     --given-name-arabic N --family-name-arabic N --given-name-latin N --family-name-latin N \
                     --birth-date YYYY-MM-DD --document-kind cin|passport|residence_card --document-number N [--language ar|fr|zgh|en]";

const REQUIRED: [&str; 10] = [
    "--email",
    "--password-file",
    "--phone",
    "--given-name-arabic",
    "--family-name-arabic",
    "--given-name-latin",
    "--family-name-latin",
    "--birth-date",
    "--document-kind",
    "--document-number",
];
const LANGUAGE: &str = "--language";

/// Reads the options, each followed by its value.
pub(crate) fn parse(rest: &[String], ambient: &Ambient) -> anyhow::Result<FirstAdministrator> {
    let options = options(rest)?;
    let get = |name: &str| options.get(name).map_or("", |value| value.as_str());
    let password = SecretFile::new(get("--password-file")).read()?;
    let name = |script, given, family| {
        PersonName::parse(script, get(given), get(family)).map_err(|errors| {
            usage(
                errors
                    .first()
                    .map_or_else(String::new, |(_, error)| format!("{given}: {error}")),
            )
        })
    };
    let birth_date: NaiveDate = get("--birth-date")
        .parse()
        .map_err(|_| usage("--birth-date is not a date".to_owned()))?;
    if birth_date > civil_date(ambient.now()) {
        return Err(usage("--birth-date lies in the future".to_owned()).into());
    }
    let kind = DocumentKind::from_str(get("--document-kind"))
        .ok_or_else(|| usage("--document-kind is not one of the known ones".to_owned()))?;
    let language = options.get(LANGUAGE).map_or("fr", |value| value.as_str());
    Ok(FirstAdministrator {
        email: Email::parse(get("--email")).map_err(|error| usage(format!("--email: {error}")))?,
        phone: Phone::parse(get("--phone")).map_err(|error| usage(format!("--phone: {error}")))?,
        civil: CivilIdentity {
            name_arabic: name(Script::Arabic, "--given-name-arabic", "--family-name-arabic")?,
            name_latin: name(Script::Latin, "--given-name-latin", "--family-name-latin")?,
            birth_date,
            document: IdentityDocument::parse(kind, get("--document-number"))
                .map_err(|error| usage(format!("--document-number: {error}")))?,
        },
        language: Language::from_str(language)
            .ok_or_else(|| usage(format!("unknown language {language}")))?,
        password: NewPassword::parse(password.expose_secret())
            .map_err(|error| usage(format!("--password-file: {error}")))?,
    })
}

fn options(rest: &[String]) -> Result<HashMap<&str, &String>, ConfigError> {
    let mut options = HashMap::new();
    let mut words = rest.iter();
    while let Some(name) = words.next() {
        let known = REQUIRED.contains(&name.as_str()) || name == LANGUAGE;
        if !known {
            return Err(usage(format!("unknown option {name}")));
        }
        let value = words
            .next()
            .ok_or_else(|| usage(format!("{name} needs a value")))?;
        options.insert(name.as_str(), value);
    }
    match REQUIRED.iter().find(|name| !options.contains_key(**name)) {
        Some(missing) => Err(usage(format!("{missing} is missing"))),
        None => Ok(options),
    }
}

fn usage(problem: String) -> ConfigError {
    ConfigError::CommandLine {
        problem,
        usage: USAGE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let problem = |line: &str| {
            parse(&words(line), &Ambient::system())
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        assert!(problem("").contains("--email is missing"));
        assert!(problem("--admin x").contains("unknown option --admin"));
        assert!(problem("--email").contains("--email needs a value"));
    }

    #[test]
    fn a_whole_line_makes_an_administrator() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "une phrase que je retiens\n").unwrap();
        let line = format!(
            "--email admin@example.ma --password-file {} --phone 0612345678 --given-name-arabic سعاد \
             --family-name-arabic العلوي --given-name-latin Souad --family-name-latin Alaoui --birth-date 1980-02-03 \
             --document-kind cin --document-number A123456",
            file.display()
        );
        let first = parse(&words(&line), &Ambient::system()).unwrap();
        assert_eq!(first.civil.document.number(), "A123456");
        assert_eq!(first.language, Language::French);
        let wrong = parse(&words(&line.replace("A123456", "123")), &Ambient::system());
        assert!(
            wrong
                .map(|_| ())
                .unwrap_err()
                .to_string()
                .contains("--document-number")
        );
    }
}
