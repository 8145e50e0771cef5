//! What stands in the files, and what must not.

use std::collections::BTreeSet;

use crate::tree::{FILES, none, sources, toml};

/// Lines of a source that people read.
const LONGEST: usize = 500;

/// Files longer than that, each with the reason.
const LONG: [(&str, &str); 4] = [
    ("Cargo.lock", "written by cargo"),
    ("deploy/tools/node/package-lock.json", "written by npm"),
    ("deploy/tools/python/requirements.txt", "written by pip-compile"),
    (
        "proto/asyncapi/wathiq.json",
        "generated from topics.yaml and the contracts",
    ),
];

/// Hosts that a file may name: our own examples, documentation and name spaces. Where packages are fetched from is a matter of
/// the machine, never of the tree.
const HOSTS: [&str; 28] = [
    "127.0.0.1",
    // An address of RFC 5737.
    "192.0.2.1",
    "localhost",
    "host",
    "gateway",
    "feross.org",
    "github.com",
    "identity.wathiq",
    "kafka.apache.org",
    "maven.apache.org",
    "ns.adobe.com",
    "opencollective.com",
    "provider.example",
    "purl.org",
    "rustup.rs",
    "evil.example",
    "wathiq.example",
    "wathiq.ma",
    "www.aiim.org",
    "www.amirifont.org",
    "www.apache.org",
    "www.patreon.com",
    "www.w3.org",
    "example.org",
    "wathiq.local",
    // In a published vector of hash ver3, and the payment provider's own.
    "domain.com",
    "payment.cmi.co.ma",
    "testpayment.cmi.co.ma",
];

/// Domains kept for examples (RFC 2606), and ours under `.ma`.
const EXAMPLES: [&str; 3] = [".test", ".example", "example.ma"];

#[test]
fn files_are_short() {
    let long: BTreeSet<&str> = FILES
        .iter()
        // A catalogue of texts is as long as what there is to say.
        .filter(|file| !file.ends(".pdf") && !file.path.contains("/locales/"))
        .filter(|file| file.text().lines().count() > LONGEST)
        .map(|file| file.path.as_str())
        .collect();
    let named: BTreeSet<&str> = LONG.iter().map(|(path, _)| *path).collect();
    none(
        "a file has at most 500 lines",
        long.difference(&named).map(ToString::to_string),
    );
    none(
        "these have become short and need no exception",
        named.difference(&long).map(ToString::to_string),
    );
}

#[test]
fn modules_are_files_beside_their_folders() {
    let breaches = FILES
        .iter()
        .filter(|file| file.ends("/mod.rs"))
        .map(|file| file.path.clone());
    none("foo.rs and foo/, not foo/mod.rs", breaches);
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    // Put together here, so that this file does not breach its own rule.
    let words =
        ["#[allow", "#![allow", "todo", "unimplemented", "dbg"].map(|word| match word.strip_prefix('#') {
            Some(attribute) => format!("#{attribute}("),
            None => format!("{word}!("),
        });
    let breaches = sources("").flat_map(|file| {
        let words = words.clone();
        words
            .into_iter()
            .filter(|word| file.text().contains(word))
            .map(|word| format!("{}: {word}", file.path))
    });
    none(
        "lints are expected with a reason, work is done or not begun",
        breaches,
    );
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let breaches = FILES
        .iter()
        .filter(|file| file.path != "Cargo.lock" && marks.iter().any(|mark| file.text().contains(mark)))
        .map(|file| file.path.clone());
    none("what is to be done stands in no file", breaches);
}

#[test]
fn every_expectation_gives_its_reason() {
    let breaches = sources("").flat_map(|file| {
        let text = file.text();
        ["#[expect(", "#![expect("]
            .into_iter()
            .flat_map(move |start| text.match_indices(start))
            .map(move |(at, _)| text[at..].split(']').next().unwrap_or_default())
            .filter(|attribute| !attribute.contains("reason = "))
            .map(move |attribute| format!("{}: {attribute}", file.path))
            .collect::<Vec<_>>()
    });
    none(
        "expect has a reason",
        breaches.filter(|line| !line.contains("architecture/texts.rs")),
    );
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let folders = folders();
    let breaches = FILES.iter().flat_map(|file| {
        let lines = file.text().lines().enumerate();
        lines
            .filter(|(_, line)| folders.iter().any(|folder| names_folder(line, folder)))
            .map(|(number, line)| format!("{}:{}: {}", file.path, number + 1, line.trim()))
            .collect::<Vec<_>>()
    });
    none("paths are relative to the checkout or configured", breaches);
}

fn folders() -> [String; 4] {
    ["work", "root", "home", "Users"].map(|folder| format!("/{folder}/"))
}

/// Whether an absolute path begins in this folder: nothing that belongs to a longer path stands before it.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| {
            before.is_alphanumeric() || matches!(before, '_' | '-' | '.' | '}' | ')' | '/')
        })
    })
}

#[test]
fn absolute_paths_are_told_from_others() {
    // An @ stands for the slash here, so that this file does not breach its own rule.
    for (line, expected) in [
        ("path = \"@work@x\"", true),
        ("see @root@x", true),
        ("@home@x", true),
        ("app@work@x", false),
        ("https:@@example.org@work@x", false),
        ("{base}@work@x", false),
    ] {
        let line = line.replace('@', "/");
        assert_eq!(
            folders().iter().any(|folder| names_folder(&line, folder)),
            expected,
            "{line}"
        );
    }
}

#[test]
fn no_file_names_a_strange_host() {
    let strange = |host: &str| {
        let example = EXAMPLES.iter().any(|suffix| host.ends_with(suffix));
        !(host.is_empty() || example || HOSTS.contains(&host))
    };
    let breaches = FILES.iter().flat_map(|file| {
        hosts(file.text())
            .into_iter()
            .filter(|host| strange(host))
            .map(|host| format!("{} names {host}", file.path))
            .collect::<BTreeSet<_>>()
    });
    none("only these hosts are named", breaches);
}

fn hosts(text: &str) -> BTreeSet<String> {
    ["http://", "https://"]
        .iter()
        .flat_map(|scheme| {
            text.match_indices(scheme)
                .map(move |(at, _)| &text[at + scheme.len()..])
        })
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
                .collect::<String>()
        })
        .map(|host| host.trim_end_matches('.').to_owned())
        .collect()
}

#[test]
fn packages_are_locked_without_naming_where_they_came_from() {
    let lock = toml("Cargo.lock");
    let packages = lock["package"].as_array().unwrap();
    let sources: BTreeSet<&str> = packages
        .iter()
        .filter_map(|package| package.get("source")?.as_str())
        .collect();
    assert_eq!(sources.len(), 1, "one registry: {sources:?}");
    let breaches = FILES
        .iter()
        .filter(|file| file.path.starts_with("deploy/tools/"))
        .filter(|file| {
            let text = file.text();
            text.contains("\"resolved\"")
                || text
                    .lines()
                    .any(|line| line.trim_start().starts_with("--index-url"))
        })
        .map(|file| file.path.clone());
    none(
        "locked by hash, fetched from the machine's own registry",
        breaches,
    );
}

#[test]
fn every_language_has_every_text() {
    for folder in ["gateway/locales", "services/notification/locales"] {
        let keys = |language: &str| {
            let mut keys = BTreeSet::new();
            flatten(
                &toml::Value::Table(toml(format!("{folder}/{language}.toml"))),
                "",
                &mut keys,
            );
            keys
        };
        let arabic = keys("ar");
        assert!(arabic.len() > 20, "{folder} has {} texts", arabic.len());
        for language in ["fr", "en"] {
            let other = keys(language);
            none(
                folder,
                arabic
                    .symmetric_difference(&other)
                    .map(|key| format!("{language} {key}")),
            );
        }
        // Tamazight stands where a speaker has reviewed it; Arabic is shown for the rest.
        none(
            folder,
            keys("zgh").difference(&arabic).map(|key| format!("zgh {key}")),
        );
    }
}

fn flatten(value: &toml::Value, path: &str, keys: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(value, &format!("{path}.{key}"), keys);
            }
        }
        _ => {
            keys.insert(path.to_owned());
        }
    }
}
