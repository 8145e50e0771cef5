//! The frame of `main.rs` as an operator meets it: exit codes, signals, what stands on standard error.
//!
//! This binary plays both parts, so it has no test harness: started with [`PLAY`] it is the process, otherwise it
//! starts itself and looks.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use anyhow::Context;
use serde::Deserialize;
use wathiq_chassis::process;

const PLAY: &str = "PLAY";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(rename = "answer")]
    _answer: u32,
}

fn main() -> ExitCode {
    if std::env::var_os(PLAY).is_some() {
        return play();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("play.toml");
    std::fs::write(&file, "answer = 42\n").unwrap();
    exit_codes_tell_configuration_from_failure(&file);
    the_first_signal_stops_gently_and_the_second_at_once(&file);
    ExitCode::SUCCESS
}

fn play() -> ExitCode {
    process::main("play", |arguments, shutdown| async move {
        let _config: Config = arguments.load().context("cannot start")?;
        match arguments.command.as_str() {
            "fail" => anyhow::bail!("the disk is full"),
            "serve" | "stubborn" => {
                let mut out = std::io::stdout();
                writeln!(out, "up")?;
                shutdown.cancelled().await;
                writeln!(out, "stopping")?;
                if arguments.command == "stubborn" {
                    std::future::pending::<()>().await;
                }
                anyhow::Ok(())
            }
            _ => Err(arguments.unknown_command("play").into()),
        }
    })
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(arguments)
        .env(PLAY, "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn ends_with(arguments: &[&str], env: &[(&str, &str)], code: i32, word: &str) {
    let output = command(arguments).envs(env.iter().copied()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    assert!(error.contains(word), "`{word}` is not in: {error}");
}

fn exit_codes_tell_configuration_from_failure(file: &Path) {
    let file = file.to_str().unwrap();
    ends_with(&["--config", file, "fail"], &[], 1, "play: the disk is full");
    ends_with(&["--config", file, "dance"], &[], 64, "unknown command dance");
    ends_with(&["--verbose"], &[], 64, "--verbose");
    ends_with(&["--config", "nowhere.toml"], &[], 64, "nowhere.toml");
    ends_with(&["serve"], &[], 64, "`answer`");
    ends_with(
        &["--config", file],
        &[("WATHIQ__ANSWER", "many")],
        64,
        "WATHIQ__ANSWER",
    );
}

fn the_first_signal_stops_gently_and_the_second_at_once(file: &Path) {
    let file = file.to_str().unwrap();
    for (play, signals, code) in [
        ("serve", &["TERM"] as &[_], 0),
        ("serve", &["INT"], 0),
        ("stubborn", &["TERM", "TERM"], 130),
    ] {
        let mut child = command(&["--config", file, play]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "up");
        signal(&child, signals[0]);
        assert_eq!(lines.next().unwrap().unwrap(), "stopping");
        for again in &signals[1..] {
            signal(&child, again);
        }
        let mut error = String::new();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert_eq!(
            child.wait().unwrap().code(),
            Some(code),
            "{play} {signals:?}: {error}"
        );
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}
