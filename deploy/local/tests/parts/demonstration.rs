//! The demonstration's life, here in a state folder and on ports of its own: up, found again, down, cleaned.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::Value;
use wathiq_local::wait;

struct Place {
    state: tempfile::TempDir,
    base: u16,
}

impl Place {
    fn new() -> Self {
        static TAKEN: AtomicU16 = AtomicU16::new(0);
        // A run of free ports, below those that test stacks take; each place of this process begins elsewhere.
        let skipped =
            u16::try_from(std::process::id() % 150).unwrap() + TAKEN.fetch_add(50, Ordering::Relaxed);
        let base = (12_000..19_000)
            .step_by(25)
            .skip(skipped.into())
            .find(|&base| (base..base + 24).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()))
            .unwrap();
        let state = tempfile::tempdir().unwrap();
        // Closed to others: as root, the cluster has to stand elsewhere.
        std::fs::set_permissions(state.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { state, base }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wathiq-local"));
        command
            .args(arguments)
            .env("WATHIQ_STATE", self.state())
            .env("WATHIQ_PORT_BASE", self.base.to_string())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Kills the command with SIGKILL when it has said this.
    fn run_until(&self, arguments: &[&str], said: &str) {
        let mut child = self.command(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let found = lines.map(Result::unwrap).any(|line| line.contains(said));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found, "{arguments:?} ended without saying {said}");
    }

    fn state(&self) -> PathBuf {
        self.state.path().join("state")
    }

    /// What the journey left.
    fn result(&self, name: &str) -> PathBuf {
        self.state().join("demo").join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.run(&["clean"]);
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn cluster(status: &str) -> PathBuf {
    let (_, place) = status.rsplit_once("cluster in ").unwrap();
    place.trim().into()
}

fn line<'a>(status: &'a str, name: &str) -> &'a str {
    status.lines().find(|line| line.trim().starts_with(name)).unwrap()
}

/// A killed process is still there for a moment; what nobody reaps stays as a zombie.
async fn wait_for_end(pid: &str) {
    wait::until("the end of the process", Duration::from_secs(10), async || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The state follows the command's name, which stands in parentheses and may hold some itself.
        let lives = stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| !rest.starts_with('Z'));
        anyhow::ensure!(!lives, "{pid} runs: {stat}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn parts_stay_are_found_again_and_leave_nothing_behind() {
    let place = Place::new();
    let up = place.run(&["up", "--parts-only"]);
    assert!(up.status.success(), "{}", text(&up));
    let first = text(&place.run(&["status", "--parts-only"]));
    let again = place.run(&["up", "--parts-only"]);
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(
        line(&text(&again), "kafka").split_whitespace().nth(3),
        line(&first, "kafka").split_whitespace().nth(3)
    );

    let pid = line(&first, "trust")
        .split_whitespace()
        .nth(3)
        .unwrap()
        .to_owned();
    assert!(
        Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap()
            .success()
    );
    wait_for_end(&pid).await;
    let status = place.run(&["status", "--parts-only"]);
    assert_eq!(status.status.code(), Some(1));
    assert!(
        line(&text(&status), "trust").contains("down"),
        "{}",
        text(&status)
    );
    let before = std::fs::read(place.state.path().join("state/data/trust/officer-1.pem")).unwrap();
    assert!(place.run(&["up", "--parts-only"]).status.success());
    assert_eq!(
        before,
        std::fs::read(place.state.path().join("state/data/trust/officer-1.pem")).unwrap()
    );

    let down = place.run(&["down"]);
    assert!(down.status.success(), "{}", text(&down));
    let status = place.run(&["status", "--parts-only"]);
    assert!(!text(&status).contains(" up "), "{}", text(&status));
    let cluster = cluster(&text(&status));
    let elsewhere = !cluster.starts_with(place.state.path());
    assert_eq!(elsewhere, rustix::process::geteuid().is_root());
    assert!(cluster.exists());
    assert!(place.run(&["clean"]).status.success());
    assert!(!cluster.exists());
    assert!(!place.state.path().join("state/secrets").exists());
}

#[test]
fn a_taken_port_is_named_with_what_wants_it() {
    let place = Place::new();
    let _taken = TcpListener::bind(("127.0.0.1", place.base + 3)).unwrap();
    let up = place.run(&["up", "--parts-only"]);
    assert_eq!(up.status.code(), Some(1));
    let text = text(&up);
    assert!(
        text.contains(&format!("port {}", place.base + 3)) && text.contains("trust"),
        "{text}"
    );
    assert!(text.contains("WATHIQ_PORT_TRUST"), "{text}");
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Roles of the accounts in `stack.json`, each of which says how to sign in.
fn roles(stack: &Value) -> Vec<&str> {
    let accounts = stack["accounts"].as_array().unwrap();
    for account in accounts {
        for member in ["login", "password", "totp_secret"] {
            assert!(
                account[member].as_str().is_some_and(|text| text.len() > 8),
                "{account}"
            );
        }
    }
    accounts
        .iter()
        .map(|account| account["role"].as_str().unwrap())
        .collect()
}

#[test]
fn a_demo_killed_on_its_way_is_taken_up_and_serves_own_files() {
    let place = Place::new();
    for said in ["first administrator", "the annexe opens", "the citizen confirms"] {
        place.run_until(&["demo"], said);
    }
    let whole = place.run(&["demo"]);
    assert!(whole.status.success(), "{}", text(&whole));
    for name in ["legalised.pdf", "verification.json", "steps.json", "events.jsonl"] {
        assert!(place.result(name).is_file(), "{name}");
    }
    let stack = json(&place.result("stack.json"));
    let everybody = ["administrator", "agent", "officer", "citizen"];
    assert_eq!(roles(&stack), everybody);
    assert_eq!(stack["services"].as_array().unwrap().len(), 4);
    for url in [
        &stack["partners"]["mail"]["inbox"],
        &stack["partners"]["text_messages"]["inbox"],
        &stack["partners"]["trust"]["time_stamping"],
    ] {
        assert!(
            text(&whole).contains(url.as_str().unwrap()),
            "{url} is not printed"
        );
    }

    // Accounts are known even when the file that names them went away.
    std::fs::remove_file(place.result("stack.json")).unwrap();
    let before = std::fs::read(place.result("legalised.pdf")).unwrap();
    let (good, bad) = (
        place.state.path().join("mon bail (1).pdf"),
        place.state.path().join("bad.pdf"),
    );
    std::fs::write(&good, wathiq_local::journey::CONTRACT).unwrap();
    std::fs::write(&bad, "%PDF-1.7\nnothing").unwrap();
    let named = format!("'{}' {}", good.display(), bad.display());
    let own = place.run(&["demo", "--named", &named]);
    assert!(own.status.success(), "{}", text(&own));
    for account in everybody {
        assert!(text(&own).contains(&format!("  {account} ")), "{}", text(&own));
    }
    // Another citizen may have come, so that nobody waits for a fresh code.
    assert_eq!(roles(&json(&place.result("stack.json")))[..4], everybody);
    assert!(place.result("mon bail (1)/legalised.pdf").is_file());
    assert!(json(&place.result("bad/refusal.json"))["reason"].is_string());
    assert_eq!(before, std::fs::read(place.result("legalised.pdf")).unwrap());
}
