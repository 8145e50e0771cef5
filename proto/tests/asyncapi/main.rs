//! The AsyncAPI document follows from `topics.yaml` and the contracts. `UPDATE=1 cargo test -p wathiq-proto` writes it anew.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[cfg(test)]
mod document;
#[cfg(test)]
mod source;

use std::collections::BTreeSet;
use std::path::Path;

use source::{Contracts, Topic};

const DOCUMENT: &str = "asyncapi/wathiq.json";

fn sources() -> (Vec<Topic>, Contracts) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let topics = std::fs::read_to_string(root.join("topics.yaml")).unwrap();
    (source::topics(&topics), Contracts::read(root))
}

#[test]
fn the_document_is_what_topics_and_contracts_say() {
    let (topics, contracts) = sources();
    let wanted = document::of(&topics, &contracts);
    let wanted = format!("{}\n", serde_json::to_string_pretty(&wanted).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &wanted).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = stored
        .lines()
        .zip(wanted.lines())
        .find(|(stored, wanted)| stored != wanted);
    assert!(
        stored == wanted,
        "{DOCUMENT} is out of date (UPDATE=1 writes it anew); first difference: {differs:?}"
    );
}

#[test]
fn every_event_stands_under_exactly_one_topic() {
    let (topics, contracts) = sources();
    let declared: Vec<String> = topics.iter().flat_map(Topic::event_types).collect();
    let unique: BTreeSet<String> = declared.iter().cloned().collect();
    assert_eq!(declared.len(), unique.len(), "an event stands under two topics");
    assert_eq!(unique, contracts.events());
}

#[test]
fn every_event_names_its_own_aggregate_first() {
    let (topics, contracts) = sources();
    for event in topics.iter().flat_map(Topic::event_types) {
        let message = contracts.message(&event);
        let field = message.descriptor.field.first().map_or("", |field| field.name());
        assert!(field.ends_with("_id"), "{event} begins with {field:?}");
    }
}
