//! Inside a service imports go one way: grpc and consumed events → app → store and other mechanisms → domain.

use crate::tree::{File, none, sources};

const SERVICES: [&str; 6] = [
    "identity",
    "signature",
    "notification",
    "payment",
    "postal-shipping",
    "civil-registry-order",
];

/// What each floor is made of, from the ground up. A module that is not named is a mechanism: store, clients, keys, mail, the
/// publishing half of events …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    Domain,
    Mechanism,
    App,
    /// What calls the app: gRPC handlers and consumers of events.
    Edge,
    /// The composition root and the commands of the process.
    Top,
}

fn floor(module: &str) -> Floor {
    match module.split("::").collect::<Vec<_>>()[..] {
        ["domain", ..] => Floor::Domain,
        ["app", ..] => Floor::App,
        ["grpc", ..] | ["events", "consume", ..] => Floor::Edge,
        [
            "service" | "main" | "lib" | "bootstrap" | "janitor" | "sender" | "migrate" | "workers"
            | "commands",
            ..,
        ] => Floor::Top,
        _ => Floor::Mechanism,
    }
}

/// `services/identity/src/store/people.rs` is the module `store::people`.
fn module_of(file: &File, service: &str) -> String {
    let inside = file
        .path
        .strip_prefix(&format!("services/{service}/src/"))
        .unwrap();
    inside.trim_end_matches(".rs").replace('/', "::")
}

/// The modules that a file names by `crate::`. Of a list in braces each.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices("crate::") {
        if text[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &text[start + "crate::".len()..];
        let path: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
            .collect();
        match rest[path.len()..]
            .strip_prefix('{')
            .and_then(|list| list.split('}').next())
        {
            Some(list) => found.extend(list.split(',').map(|item| format!("{path}{}", item.trim()))),
            None => found.push(path),
        }
    }
    found
}

#[test]
fn lists_of_imports_are_read() {
    let text = "use crate::app::{App, AppError};\nuse crate::domain;\nlet x = crate::store::people::find(); mycrate::no";
    assert_eq!(
        imports(text),
        ["app::App", "app::AppError", "domain", "store::people::find"]
    );
}

#[test]
fn imports_go_one_way() {
    let breaches = SERVICES.iter().flat_map(|service| {
        sources(&format!("services/{service}/src/")).flat_map(move |file| {
            let module = module_of(file, service);
            let own = floor(&module);
            imports(file.text())
                .into_iter()
                // Settings stand with the part they are for, and the configuration gathers them: both name each other.
                .filter(move |import| !import.starts_with("config") && !module.starts_with("config"))
                .filter(move |import| floor(import) > own)
                .map(|import| format!("{} imports {import}", file.path))
        })
    });
    none("imports go down, never up", breaches);
}

#[test]
fn the_edges_do_not_know_each_other() {
    let breaches = SERVICES.iter().flat_map(|service| {
        let of = move |folder: &str, other: &'static str| {
            sources(&format!("services/{service}/src/{folder}"))
                .filter(move |file| {
                    imports(file.text())
                        .iter()
                        .any(|import| import.starts_with(other))
                })
                .map(move |file| format!("{} imports {other}", file.path))
                .collect::<Vec<_>>()
        };
        [of("grpc", "events::consume"), of("events/consume", "grpc")].concat()
    });
    none("handlers and consumers both call the app", breaches);
}

/// Each service's words for the contract stay at its borders.
#[test]
fn only_the_borders_name_the_contract() {
    let allowed = |module: &str| {
        ["grpc", "clients", "events", "wire", "service"]
            .iter()
            .any(|border| module == *border || module.starts_with(&format!("{border}::")))
    };
    let breaches = SERVICES.iter().flat_map(|service| {
        sources(&format!("services/{service}/src/"))
            .filter(|file| file.text().contains("wathiq_proto"))
            .filter(move |file| !allowed(&module_of(file, service)))
            .map(|file| file.path.clone())
    });
    none("wathiq_proto is for grpc, clients and events", breaches);
}

#[test]
fn the_domain_is_pure() {
    let forbidden = [
        "async fn",
        "sqlx",
        "wathiq_proto",
        "prost",
        "tonic",
        "tokio",
        "rdkafka",
        "reqwest",
        "SystemTime",
        ".now()",
        "std::fs",
        "std::env",
    ];
    let breaches = SERVICES.iter().flat_map(|service| {
        sources(&format!("services/{service}/src/domain")).flat_map(move |file| {
            // What follows are the file's own tests.
            let text = file.text().split("#[cfg(test)]").next().unwrap_or_default();
            forbidden
                .into_iter()
                .filter(move |word| text.contains(word))
                .map(|word| format!("{} has {word}", file.path))
        })
    });
    none("the domain has no input, output or clock", breaches);
}

#[test]
fn only_the_store_speaks_sql() {
    let speaks = |text: &str| {
        ["sqlx::query", "sqlx::raw_sql", "QueryBuilder"]
            .iter()
            .any(|word| text.contains(word))
    };
    let breaches = SERVICES.iter().flat_map(|service| {
        sources(&format!("services/{service}/src/"))
            .filter(move |file| speaks(file.text()))
            .filter(move |file| {
                let module = module_of(file, service);
                // Migrations run before there is a store.
                !(module.starts_with("store") || module == "migrate")
            })
            .map(|file| file.path.clone())
    });
    none("SQL stands in the store", breaches);
}
