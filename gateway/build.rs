//! Fails the build when a text is missing in Arabic, French or English, or when a language has a key the others lack.

use std::collections::{BTreeMap, BTreeSet};

type Catalogue = BTreeMap<String, BTreeMap<String, String>>;

fn main() {
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=templates");
    let keys = |language: &str| -> BTreeSet<String> {
        let path = format!("locales/{language}.toml");
        let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let catalogue: Catalogue = toml::from_str(&source).unwrap_or_else(|error| panic!("{path}: {error}"));
        for (section, texts) in &catalogue {
            for (key, text) in texts {
                assert!(!text.trim().is_empty(), "{path}: {section}.{key} is empty");
            }
        }
        catalogue
            .into_iter()
            .flat_map(|(section, texts)| texts.into_keys().map(move |key| format!("{section}.{key}")))
            .collect()
    };
    let [arabic, french, english] = ["ar", "fr", "en"].map(keys);
    let all: BTreeSet<_> = arabic.union(&french).chain(&english).cloned().collect();
    for (language, have) in [("ar", &arabic), ("fr", &french), ("en", &english)] {
        let missing: Vec<_> = all.difference(have).collect();
        assert!(missing.is_empty(), "locales/{language}.toml lacks {missing:?}");
    }
    let unknown: Vec<_> = keys("zgh").difference(&all).cloned().collect();
    assert!(
        unknown.is_empty(),
        "locales/zgh.toml has keys that no other language has: {unknown:?}"
    );
}
