//! The languages of people's texts and the one catalogue they come from.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// A language of the portal. Tamazight falls back to Arabic, text by text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Arabic,
    French,
    Tamazight,
    English,
}

impl Language {
    pub const ALL: [Language; 4] = [
        Language::Arabic,
        Language::French,
        Language::Tamazight,
        Language::English,
    ];

    /// BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Language::Arabic => "ar",
            Language::French => "fr",
            Language::Tamazight => "zgh",
            Language::English => "en",
        }
    }

    /// Writing direction for the `dir` attribute.
    #[must_use]
    pub fn direction(self) -> &'static str {
        if self == Language::Arabic { "rtl" } else { "ltr" }
    }

    /// The language the catalogue is really written in: Arabic for Tamazight while no Tamazight text has been reviewed.
    #[must_use]
    pub fn written(self) -> Language {
        if self == Language::Tamazight && texts(self).is_empty() {
            Language::Arabic
        } else {
            self
        }
    }

    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Language> {
        let primary = tag.split('-').next().unwrap_or_default();
        Language::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The best of `Accept-Language` (RFC 9110, 12.5.4); Arabic where nothing fits.
    #[must_use]
    pub fn negotiate(headers: &HeaderMap) -> Language {
        let Some(value) = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()) else {
            return Language::Arabic;
        };
        let mut best = (0.0_f32, Language::Arabic);
        for item in value.split(',').take(32) {
            let mut parts = item.trim().split(';');
            let Some(language) = parts.next().and_then(|tag| Language::from_tag(tag.trim())) else {
                continue;
            };
            let quality = parts
                .find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok())
                .unwrap_or(1.0);
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }
}

type Texts = BTreeMap<String, String>;

static CATALOGUE: LazyLock<[Texts; 4]> = LazyLock::new(|| {
    [
        flatten(include_str!("../locales/ar.toml")),
        flatten(include_str!("../locales/fr.toml")),
        flatten(include_str!("../locales/zgh.toml")),
        flatten(include_str!("../locales/en.toml")),
    ]
});

fn flatten(source: &str) -> Texts {
    let sections: BTreeMap<String, Texts> =
        toml::from_str(source).expect("the build script has parsed the catalogue");
    sections
        .into_iter()
        .flat_map(|(section, texts)| {
            texts
                .into_iter()
                .map(move |(key, text)| (format!("{section}.{key}"), text))
        })
        .collect()
}

fn texts(language: Language) -> &'static Texts {
    let index = match language {
        Language::Arabic => 0,
        Language::French => 1,
        Language::Tamazight => 2,
        Language::English => 3,
    };
    &CATALOGUE[index]
}

/// The text of a key, such as `state.submitted`; `None` for a key that the catalogue does not have.
#[must_use]
pub fn find(language: Language, key: &str) -> Option<&'static str> {
    texts(language)
        .get(key)
        .or_else(|| texts(Language::Arabic).get(key))
        .map(String::as_str)
}

/// The keys of a section, such as `problem.`, without its name and in order.
pub(crate) fn keys(section: &str) -> impl Iterator<Item = &'static str> {
    texts(Language::English)
        .keys()
        .filter_map(move |key| key.strip_prefix(section))
}

/// The text of a key that the code names itself. An unknown key shows as the key: a test walks all keys the code and templates name.
#[must_use]
pub fn text(language: Language, key: &str) -> &str {
    find(language, key).unwrap_or(key)
}

/// Keys for which Tamazight has no reviewed text and Arabic is shown.
#[must_use]
pub fn tamazight_fallbacks() -> Vec<&'static str> {
    let own = texts(Language::Tamazight);
    texts(Language::Arabic)
        .keys()
        .filter(|key| !own.contains_key(*key))
        .map(String::as_str)
        .collect()
}
