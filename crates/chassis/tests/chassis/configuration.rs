//! What an operator reads when the configuration is wrong.

use std::{collections::BTreeMap, path::PathBuf};

use secrecy::ExposeSecret;
use serde::Deserialize;
use wathiq_chassis::{ConfigError, ProcessConfig, SecretFile, UpstreamConfig, config::load};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    process: ProcessConfig,
    #[serde(default)]
    upstream: BTreeMap<String, UpstreamConfig>,
    #[serde(default)]
    pin: Option<String>,
}

const GOOD: &str = r#"
[process]
name = "identity"
listen = "127.0.0.1:7001"
operations_listen = "127.0.0.1:7002"
tls = { ca = "ca.pem", certificate = "identity.pem", key = "identity.key" }
[upstream.identity]
addresses = ["identity:7001"]
server_name = "identity"
"#;

fn read(file: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("identity.toml");
    std::fs::write(&path, file).unwrap();
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(Some(&path), env)
}

#[track_caller]
fn complains(file: &str, env: &[(&str, &str)], words: &[&str]) {
    let error = read(file, env).unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "`{word}` is not in: {error}");
    }
}

#[test]
fn the_environment_overrides_the_file() {
    let config = read(
        GOOD,
        &[
            ("WATHIQ__PROCESS__LISTEN", "127.0.0.1:9"),
            ("WATHIQ__PROCESS__DRAIN_SECONDS", "25"),
            ("WATHIQ__PROCESS__REFLECTION", "true"),
            ("WATHIQ__UPSTREAM__IDENTITY__ADDRESSES", r#"["a:1", "b:2"]"#),
            ("WATHIQ__PIN", "'0123'"),
            ("HOME", "/nowhere"),
        ],
    )
    .unwrap();
    assert_eq!(config.process.listen.port(), 9);
    assert_eq!(
        (config.process.drain_seconds, config.process.reflection),
        (25, true)
    );
    assert_eq!(config.process.trust_domain, "wathiq.local");
    assert_eq!(config.upstream["identity"].addresses, ["a:1", "b:2"]);
    assert_eq!(config.pin.as_deref(), Some("0123"));
}

#[test]
fn an_error_names_the_key_and_the_remedy() {
    let without_listen = GOOD.replace("listen = \"127.0.0.1:7001\"\n", "");
    complains(
        &without_listen,
        &[],
        &["`process.listen`", "missing", "WATHIQ__PROCESS__LISTEN"],
    );
    complains(
        &format!("{GOOD}\nserver_nam = 1"),
        &[],
        &["upstream.identity.server_nam", "unknown field"],
    );
    complains(
        GOOD,
        &[("WATHIQ__PROCESS__DRAIN_SECONDS", "soon")],
        &["`process.drain_seconds`", "soon"],
    );
    complains(
        GOOD,
        &[("WATHIQ__PROCESS__NAME__FIRST", "x")],
        &["process.name.first", "not a section"],
    );
    complains("[process", &[], &["identity.toml", "not valid TOML"]);
    complains("", &[], &["`process`", "missing"]);
    let missing = load::<Config>(Some(&PathBuf::from("nowhere.toml")), std::iter::empty()).unwrap_err();
    assert!(missing.to_string().contains("nowhere.toml"), "{missing}");
}

#[test]
fn a_secret_is_read_from_its_file_and_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "correct horse \n").unwrap();
    let file: SecretFile = toml::Value::String(path.display().to_string())
        .try_into()
        .unwrap();
    let secret = file.read().unwrap();
    assert_eq!(secret.expose_secret(), "correct horse ");
    assert!(!format!("{file:?} {secret:?}").contains("horse"));
    let error = SecretFile::new(folder.path().join("absent")).read().unwrap_err();
    assert!(error.to_string().contains("absent"), "{error}");
}
