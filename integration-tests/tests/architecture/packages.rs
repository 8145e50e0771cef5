//! The packages of the workspace, and what they may depend on.

use std::collections::BTreeSet;

use wathiq_local::services::SERVICES;
use wathiq_local::topics;

use crate::tree::{FILES, none, root, toml};

fn members() -> Vec<String> {
    let members = &toml("Cargo.toml")["workspace"]["members"];
    members
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member.as_str().unwrap().to_owned())
        .collect()
}

/// Names of what a package needs to run, tests apart.
fn dependencies(member: &str) -> BTreeSet<String> {
    let manifest = toml(format!("{member}/Cargo.toml"));
    let table = manifest
        .get("dependencies")
        .and_then(|section| section.as_table());
    table
        .into_iter()
        .flat_map(|table| table.keys().cloned())
        .collect()
}

#[test]
fn every_package_is_a_member_and_takes_the_common_lints() {
    let manifests = FILES
        .iter()
        .filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    let (manifests, members): (BTreeSet<&str>, Vec<String>) = (manifests.collect(), members());
    assert_eq!(manifests, members.iter().map(String::as_str).collect());
    let breaches = members.into_iter().filter(|member| {
        let manifest = toml(format!("{member}/Cargo.toml"));
        manifest.get("lints").and_then(|lints| lints.get("workspace")) != Some(&toml::Value::Boolean(true))
    });
    none("[lints] workspace = true", breaches);
}

#[test]
fn three_crates_are_shared() {
    let shared: BTreeSet<String> = std::fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        shared,
        ["chassis", "documents", "outbox"].map(str::to_owned).into()
    );
}

#[test]
fn no_process_links_another_service() {
    let shared = [
        "wathiq-proto",
        "wathiq-chassis",
        "wathiq-outbox",
        "wathiq-documents",
    ];
    let processes = members()
        .into_iter()
        .filter(|member| member.starts_with("services/") || member == "gateway");
    let breaches = processes.flat_map(|member| {
        dependencies(&member)
            .into_iter()
            .filter(|name| name.starts_with("wathiq-") && !shared.contains(&name.as_str()))
            .filter(|name| !(member == "services/signature" && name == "wathiq-pades"))
            // What the post takes is checked where it is asked for and shown where it is read, by the same code: it knows no service.
            .filter(|name| {
                let users = [
                    "services/postal-shipping",
                    "services/civil-registry-order",
                    "gateway",
                ];
                !(users.contains(&member.as_str()) && name == "wathiq-postal-address")
            })
            .map(|name| format!("{member} depends on {name}"))
            .collect::<Vec<_>>()
    });
    none("services meet over gRPC and Kafka alone", breaches);
}

#[test]
fn what_is_apart_stays_apart() {
    let breaches = [
        (
            "gateway",
            ["sqlx", "rdkafka", "wathiq-outbox", "typst"].as_slice(),
        ),
        ("crates/chassis", &["sqlx", "rdkafka", "wathiq-proto", "typst"]),
        (
            "services/signature/pades",
            &["tokio", "sqlx", "tonic", "reqwest", "wathiq-chassis"],
        ),
        (
            "services/postal-shipping/address",
            &[
                "tokio",
                "sqlx",
                "tonic",
                "chrono",
                "wathiq-chassis",
                "wathiq-proto",
            ],
        ),
        ("services/identity", &["typst", "wathiq-documents"]),
        ("services/notification", &["typst", "wathiq-documents"]),
    ]
    .into_iter()
    .flat_map(|(member, forbidden)| {
        let present = dependencies(member);
        let found = forbidden.iter().filter(move |name| present.contains(**name));
        found.map(move |name| format!("{member} depends on {name}"))
    });
    none("these stay small for a reason", breaches);
}

#[test]
fn no_contract_names_another_services() {
    let contracts = FILES.iter().filter(|file| file.path.starts_with("proto/wathiq/"));
    let breaches = contracts.flat_map(|file| {
        let own: String = file
            .path
            .split('/')
            .take(3)
            .skip(1)
            .map(|part| format!("{part}/"))
            .collect();
        file.text()
            .lines()
            .filter_map(|line| line.strip_prefix("import \"")?.split('"').next())
            .filter(move |import| import.starts_with("wathiq/") && !import.starts_with(&own))
            .map(|import| format!("{} imports {import}", file.path))
    });
    none("a package stands alone", breaches);
}

#[test]
fn every_topic_has_its_producer_and_every_consumer_exists() {
    let exists = |name: &str| SERVICES.iter().any(|service| service.name == name);
    let breaches = topics::read(root()).unwrap().into_iter().flat_map(|topic| {
        let mut named = topic.consumers.clone();
        named.push(topic.producer.clone());
        let own = topic.name.starts_with(&format!("wathiq.{}.", topic.producer));
        let strange = named
            .into_iter()
            .filter(|name| !exists(name))
            .map(|name| format!("{}: {name}", topic.name));
        strange
            .chain((!own).then(|| format!("{} is not its producer's", topic.name)))
            .collect::<Vec<_>>()
    });
    none("topics name services that exist", breaches);
}
