//! `test -- <command>`: a command with a stack of its own around it.

use std::io::IsTerminal;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};
use tokio::signal::unix::{SignalKind, signal};

use crate::description::VARIABLE;
use crate::test_stack::TestStack;

/// How long the command may take to end after it was told to.
const END_BOUND: Duration = Duration::from_secs(10);

/// Starts a stack, runs the command with the stack's description in its environment, ends the stack, and answers the
/// command's exit code.
///
/// # Errors
/// When the stack does not come up or the command cannot be started.
pub async fn run(root: &Path, command: &[String], progress: &dyn Fn(&str)) -> Result<u8> {
    let [program, arguments @ ..] = command else {
        bail!("test needs a command: wathiq-local test -- <command...>")
    };
    let begun = Instant::now();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stack = tokio::select! {
        stack = TestStack::start(root, progress) => stack?,
        _ = terminate.recv() => bail!("terminated while the stack was coming up"),
        _ = interrupt.recv() => bail!("interrupted while the stack was coming up"),
    };
    progress(&format!(
        "test stack up in {:.1} s",
        begun.elapsed().as_secs_f64()
    ));
    let result = attend(program, arguments, &stack, &mut terminate, &mut interrupt).await;
    stack.stop().await;
    result.map(exit_code)
}

async fn attend(
    program: &str,
    arguments: &[String],
    stack: &TestStack,
    terminate: &mut tokio::signal::unix::Signal,
    interrupt: &mut tokio::signal::unix::Signal,
) -> Result<ExitStatus> {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "TERM", program])
        .args(arguments)
        .env(VARIABLE, &stack.file)
        // What tests leave, killed ones above all, goes with the stack.
        .env("TMPDIR", stack.temporary_files()?);
    command.env("SOFTHSM2_CONF", &stack.description.softhsm.conf);
    // On a terminal the command stays in its foreground group and gets Ctrl-C itself; elsewhere it leads a group, so
    // that whatever it started can be ended with it.
    let own_group = !std::io::stdin().is_terminal();
    if own_group {
        command.process_group(0);
    }
    let mut child = tokio::process::Command::from(command)
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let pid = child
        .id()
        .and_then(|id| Pid::from_raw(id.cast_signed()))
        .context("the command has no process id")?;
    let _guard = if own_group { Some(guard(pid)?) } else { None };
    let told = tokio::select! {
        status = child.wait() => return Ok(status?),
        _ = terminate.recv() => Signal::TERM,
        _ = interrupt.recv() => Signal::INT,
    };
    tell(pid, own_group, told);
    if let Ok(status) = tokio::time::timeout(END_BOUND, child.wait()).await {
        return Ok(status?);
    }
    tell(pid, own_group, Signal::KILL);
    Ok(child.wait().await?)
}

/// Ends the command's whole group when this process is killed: what the command started knows nothing of us. It waits for the
/// end of a pipe whose other side is held here, and ends with its value.
fn guard(group: Pid) -> Result<tokio::process::Child> {
    let script = "read -r _; kill -s TERM -- -$0; sleep 2; kill -s KILL -- -$0";
    tokio::process::Command::new("sh")
        .args(["-c", script, &group.as_raw_nonzero().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("cannot run sh")
}

fn tell(pid: Pid, group: bool, signal: Signal) {
    // Whoever ended in the meantime needs no telling.
    let _gone = if group {
        rustix::process::kill_process_group(pid, signal)
    } else {
        rustix::process::kill_process(pid, signal)
    };
}

/// As a shell reports it: the code, or 128 and the signal.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code & 0xff).unwrap_or(u8::MAX)
}
