//! `deploy/compose.yaml` and `deploy/Dockerfile` name processes, files and settings that exist, and hold each process to the
//! agreed limits.

use std::process::Command;

use serde_json::Value;
use wathiq_local::layout::{Layout, find_root};
use wathiq_local::services::SERVICES;

/// Read by the PKCS#11 module, not by us.
const FOREIGN: [&str; 1] = ["SOFTHSM2_CONF"];

fn layout() -> Layout {
    Layout::demonstration(&find_root().unwrap())
}

/// The file as JSON, anchors and merges resolved.
fn compose() -> Value {
    let layout = layout();
    let program = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let output = Command::new(layout.python_program("python"))
        .args(["-c", program])
        .arg(layout.root.join("deploy/compose.yaml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn words(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Every process of ours: `(name in the file, service, command)`.
fn processes(compose: &Value) -> Vec<(String, &'static str, &Value)> {
    let all = compose["services"].as_object().unwrap();
    all.iter()
        .filter(|(name, _)| *name != "parts")
        .map(|(name, process)| {
            let own = name.strip_suffix("-migrate").unwrap_or(name);
            let service = SERVICES.iter().find(|service| service.name == own);
            let service = service.unwrap_or_else(|| panic!("there is no service {own}"));
            (name.clone(), service.name, process)
        })
        .collect()
}

#[test]
fn every_service_is_served_and_migrated_from_its_own_configuration() {
    let compose = compose();
    let mut found: Vec<(&str, String)> = Vec::new();
    for (name, service, process) in processes(&compose) {
        let command = words(&process["command"]);
        let configuration = format!("/state/config/{service}.toml");
        assert_eq!(command[..2], ["--config", configuration.as_str()], "{name}");
        let verb = if name.ends_with("-migrate") {
            "migrate"
        } else {
            "serve"
        };
        assert_eq!(command[2..], [verb], "{name}");
        found.push((service, verb.to_owned()));
    }
    for service in &SERVICES {
        assert!(
            found.contains(&(service.name, "serve".into())),
            "{}",
            service.name
        );
        assert_eq!(
            found.contains(&(service.name, "migrate".into())),
            service.database,
            "{}",
            service.name
        );
    }
}

#[test]
fn every_process_is_held_to_the_limits() {
    let compose = compose();
    for (name, _, process) in processes(&compose) {
        assert_eq!(process["read_only"], true, "{name}");
        assert!(
            process["user"]
                .as_str()
                .is_some_and(|user| !user.starts_with('0')),
            "{name}"
        );
        assert_eq!(words(&process["cap_drop"]), ["ALL"], "{name}");
        assert!(
            words(&process["tmpfs"])
                .iter()
                .any(|place| place.starts_with("/tmp")),
            "{name}"
        );
    }
}

#[test]
fn every_image_is_a_stage_with_the_binary_of_its_process() {
    let dockerfile = std::fs::read_to_string(layout().root.join("deploy/Dockerfile")).unwrap();
    let stages: Vec<&str> = dockerfile.split("\nFROM ").collect();
    let compose = compose();
    let stage = |process: &Value| {
        let target = process["build"]["target"].as_str().unwrap().to_owned();
        let heading = format!(" AS {target}\n");
        let found = stages.iter().find(|stage| stage.contains(&heading));
        *found.unwrap_or_else(|| panic!("no stage {target}"))
    };
    for (name, service, process) in processes(&compose) {
        let stage = stage(process);
        assert!(stage.contains(&format!("/target/release/{service} ")), "{name}");
        assert!(
            stage.contains(&format!("ENTRYPOINT [\"/usr/local/bin/{service}\"]")),
            "{name}"
        );
    }
    stage(&compose["services"]["parts"]);
    assert!(dockerfile.contains("\nUSER 10001:10001\n"));
}

#[test]
fn every_variable_is_a_setting_or_the_module_s_own() {
    let compose = compose();
    for (name, service, process) in processes(&compose) {
        let variables = process["environment"].as_object().cloned().unwrap_or_default();
        for variable in variables.keys().filter(|name| !FOREIGN.contains(&name.as_str())) {
            let path = variable
                .strip_prefix("WATHIQ__")
                .unwrap_or_else(|| panic!("{name}: nobody reads {variable}"));
            let readme = layout().root.join(match service {
                "gateway" => "gateway/README.md".to_owned(),
                service => format!("services/{service}/README.md"),
            });
            // The README's example has every key.
            let example = std::fs::read_to_string(readme).unwrap();
            let key = path.rsplit("__").next().unwrap().to_lowercase();
            assert!(
                example.contains(&format!("{key} = ")),
                "{name}: no setting {path}"
            );
        }
    }
}
