//! `wathiq-local test`: the exit code comes back and nothing is left, however it ends.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use wathiq_local::description::Description;
use wathiq_local::wait;

fn wathiq_local() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wathiq-local"));
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// Ids of the processes whose command line or working directory names the folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let place = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(folder) || place.starts_with(folder)
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

async fn nothing_is_left(folder: &Path) {
    wait::until("the end of every process", Duration::from_secs(20), async || {
        let left = processes_of(folder);
        anyhow::ensure!(left.is_empty(), "still there: {left:?}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn the_exit_code_comes_back_and_nothing_is_left() {
    let output = wathiq_local()
        .args(["test", "--", "sh", "-c", "mktemp -d >/dev/null; echo $WATHIQ_TEST_STACK; case $TMPDIR in $(dirname $WATHIQ_TEST_STACK)/*) exit 7;; esac"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    let file = String::from_utf8(output.stdout).unwrap();
    let folder = Path::new(file.trim()).parent().unwrap();
    nothing_is_left(folder).await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_killed_run_takes_its_parts_and_its_command_along() {
    let note = tempfile::tempdir().unwrap();
    let written = note.path().join("stack");
    let script = format!(
        "echo $WATHIQ_TEST_STACK > {0}.part; mv {0}.part {0}; \
         cd $(dirname $WATHIQ_TEST_STACK); (trap '' HUP; sleep 600) & exec sleep 600",
        written.display()
    );
    let mut run = wathiq_local()
        .args(["test", "--", "sh", "-c", &script])
        .spawn()
        .unwrap();
    let file = wait::until("the nested stack", Duration::from_secs(90), async || {
        anyhow::ensure!(
            run.try_wait()?.is_none(),
            wait::Hopeless("the nested run has ended".into())
        );
        Ok(std::fs::read_to_string(&written)?)
    })
    .await
    .unwrap();
    let file = Path::new(file.trim());
    let port = Description::read(file).unwrap().postgres.port;
    wait::listening(port).await.unwrap();
    let folder = file.parent().unwrap();
    assert!(processes_of(folder).len() >= 5);
    run.kill().unwrap();
    run.wait().unwrap();
    nothing_is_left(folder).await;
    assert!(wait::listening(port).await.is_err());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_unknown_command_says_what_there_is() {
    let output = Command::new(env!("CARGO_BIN_EXE_wathiq-local"))
        .arg("upp")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("upp") && text.contains("status"), "{text}");
}
