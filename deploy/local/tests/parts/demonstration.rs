//! The demonstration's life, here in a state folder and on ports of its own: up, found again, down, cleaned.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU16, Ordering};

struct Place {
    state: tempfile::TempDir,
    base: u16,
}

impl Place {
    fn new() -> Self {
        static TAKEN: AtomicU16 = AtomicU16::new(0);
        // A run of free ports, below those that test stacks take; each place of this process begins elsewhere.
        let skipped =
            u16::try_from(std::process::id() % 200).unwrap() + TAKEN.fetch_add(50, Ordering::Relaxed);
        let base = (12_000..19_000)
            .step_by(20)
            .skip(skipped.into())
            .find(|&base| (base..base + 18).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()))
            .unwrap();
        let state = tempfile::tempdir().unwrap();
        // Closed to others: as root, the cluster has to stand elsewhere.
        std::fs::set_permissions(state.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        Self { state, base }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_wathiq-local"))
            .args(arguments)
            .env("WATHIQ_STATE", self.state.path().join("state"))
            .env("WATHIQ_PORT_BASE", self.base.to_string())
            .output()
            .unwrap()
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

#[test]
fn parts_stay_are_found_again_and_leave_nothing_behind() {
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
