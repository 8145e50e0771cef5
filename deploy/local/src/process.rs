//! Starting, finding and ending processes that outlive the command that started them, or end with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use data_encoding::HEXLOWER;
use rustix::process::{Pid, Signal, WaitOptions};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::wait;

/// How a process relates to the one that starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// A session of its own: it stays when the starter ends.
    Detached,
    /// The kernel kills it when the starter ends, however that ends.
    Tied,
}

/// A system user to run a process as.
#[derive(Debug, Clone, Copy)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

impl User {
    /// Looks a user up in `/etc/passwd`.
    pub fn named(name: &str) -> Result<Self> {
        let table = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        table
            .lines()
            .find_map(|line| {
                let mut fields = line.split(':');
                (fields.next() == Some(name)).then_some(())?;
                let uid = fields.nth(1)?.parse().ok()?;
                let gid = fields.next()?.parse().ok()?;
                Some(Self { uid, gid })
            })
            .with_context(|| format!("there is no system user {name}"))
    }
}

/// What to start.
#[derive(Debug)]
pub struct Spec {
    pub name: String,
    pub program: PathBuf,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub user: Option<User>,
    pub folder: PathBuf,
    /// Standard output and error are appended here.
    pub log: PathBuf,
    /// What beside its command line decides how the process works: the text of its configuration.
    pub settings: String,
}

/// The variable by which a process of a stack is known though whoever started it ended before recording it. It holds the
/// path of the record.
const MARK: &str = "WATHIQ_LOCAL_PROCESS";

/// A process that was started, as recorded on disk. The start time guards against a reused process id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub name: String,
    pub pid: i32,
    /// Clock ticks after boot, field 22 of `/proc/<pid>/stat`.
    pub started: u64,
    pub log: PathBuf,
    /// Digest of the program, its command line and its settings.
    #[serde(default)]
    pub fingerprint: String,
}

impl Spec {
    /// Starts the process and returns as soon as it exists.
    ///
    /// # Errors
    /// When its log cannot be opened or the program cannot be started.
    pub fn start(&self, bond: Bond, record: &Path) -> Result<Running> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("cannot write the log {}", self.log.display()))?;
        let mut command = self.command(bond);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .env(MARK, record)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let pid = spawn_lasting(command).with_context(|| format!("cannot start {}", self.name))?;
        let started = start_time(pid)
            .with_context(|| format!("{} ended at once, see {}", self.name, self.log.display()))?;
        Ok(Running {
            name: self.name.clone(),
            pid,
            started,
            log: self.log.clone(),
            fingerprint: self.fingerprint(),
        })
    }

    /// Digest of all that decides how the process works, the program's own change included.
    pub fn fingerprint(&self) -> String {
        let changed = std::fs::metadata(&self.program)
            .and_then(|metadata| metadata.modified())
            .ok();
        let all = format!(
            "{:?}",
            (
                &self.program,
                changed,
                &self.arguments,
                &self.environment,
                &self.settings
            )
        );
        HEXLOWER.encode(&Sha256::digest(all))
    }

    fn command(&self, bond: Bond) -> Command {
        let mut command = match bond {
            Bond::Detached => Command::new("setsid"),
            Bond::Tied => Command::new("setpriv"),
        };
        if bond == Bond::Tied {
            use std::os::unix::process::CommandExt;
            // Its own group: Ctrl-C on the terminal reaches the starter alone, which then ends its parts in order.
            command.process_group(0).args(["--pdeathsig", "KILL"]);
        } else if self.user.is_some() {
            command.arg("setpriv");
        }
        if let Some(user) = self.user {
            command.args([
                "--reuid",
                &user.uid.to_string(),
                "--regid",
                &user.gid.to_string(),
                "--clear-groups",
            ]);
        }
        command.arg(&self.program);
        command
    }
}

impl Running {
    /// Whether this very process still runs.
    pub fn alive(&self) -> bool {
        reap(self.pid);
        start_time(self.pid) == Some(self.started)
    }

    /// Sends a signal; a process that is gone is no error.
    pub fn signal(&self, signal: Signal) {
        if self.alive()
            && let Some(pid) = Pid::from_raw(self.pid)
        {
            // It may end between the two lines: that is what was wanted.
            let _gone = rustix::process::kill_process(pid, signal);
        }
    }

    /// Asks the process to end, waits, and kills it when the bound has passed. Answers whether it ended by itself.
    pub async fn stop(&self, signal: Signal, bound: Duration) -> bool {
        self.signal(signal);
        if self.ended(bound).await {
            return true;
        }
        self.signal(Signal::KILL);
        self.ended(Duration::from_secs(5)).await;
        false
    }

    /// Fails for good once the process has ended, quoting the end of its log.
    ///
    /// # Errors
    /// A [`wait::Hopeless`] when the process is gone.
    pub fn check_alive(&self) -> Result<()> {
        if self.alive() {
            return Ok(());
        }
        Err(anyhow!(wait::Hopeless(format!(
            "{} ended unexpectedly; the end of {}:\n{}",
            self.name,
            self.log.display(),
            last_lines(&self.log, 12)
        ))))
    }

    /// Asks the process to end in the way that suits it, as [`Running::stop`].
    pub async fn end(&self, bound: Duration) -> bool {
        // PostgreSQL waits for its clients on SIGTERM and disconnects them on SIGINT.
        let signal = if self.name == "postgres" {
            Signal::INT
        } else {
            Signal::TERM
        };
        self.stop(signal, bound).await
    }

    async fn ended(&self, bound: Duration) -> bool {
        wait::until(&self.name, bound, async || {
            if self.alive() {
                Err(anyhow!("still runs"))
            } else {
                Ok(())
            }
        })
        .await
        .is_ok()
    }

    /// Resident memory in KiB, the anonymous part and in all, from `/proc/<pid>/status`.
    pub fn memory_kib(&self) -> Option<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let field = |name: &str| {
            status.lines().find_map(|line| {
                line.strip_prefix(name)?
                    .trim()
                    .strip_suffix("kB")?
                    .trim()
                    .parse()
                    .ok()
            })
        };
        Some(Memory {
            anonymous: field("RssAnon:")?,
            resident: field("VmRSS:")?,
        })
    }
}

/// Processes that were started for a record and are not in it, because the starter was killed in between.
pub fn unrecorded(name: &str, record: &Path, log: &Path) -> Vec<Running> {
    let mark = format!("{MARK}={}", record.display());
    let marked = |pid: i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|&byte| byte == 0)
            .any(|entry| entry == mark.as_bytes())
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&pid| marked(pid))
        .filter_map(|pid| {
            Some(Running {
                name: name.to_owned(),
                pid,
                started: start_time(pid)?,
                log: log.to_owned(),
                fingerprint: String::new(),
            })
        })
        .collect()
}

/// Memory of a process in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub anonymous: u64,
    pub resident: u64,
}

/// The end of a log file, for error messages.
pub fn last_lines(log: &Path, count: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Start time of a process that is not a zombie.
fn start_time(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name stands in parentheses and may itself hold spaces.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?;
    (state != "Z" && state != "X").then_some(())?;
    fields.nth(18)?.parse().ok()
}

/// Collects a child of ours that has ended; any other process id is left alone.
fn reap(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _not_ours = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

type Request = (Command, mpsc::Sender<std::io::Result<i32>>);

/// Starts a process from a thread that lives as long as we do: the kernel's "parent died" signal is about the thread
/// that forked, and the threads of a test come and go.
fn spawn_lasting(command: Command) -> Result<i32> {
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Request>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, requests) = mpsc::channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, answer) in requests {
                let result = command.spawn().map(|child| child.id().cast_signed());
                // The asker waits for this answer and nothing else.
                let _asker_gone = answer.send(result);
            }
        });
        Mutex::new(sender)
    });
    let (answer, result) = mpsc::channel();
    spawner
        .lock()
        .map_err(|_| anyhow!("the spawning thread has panicked"))?
        .send((command, answer))
        .map_err(|_| anyhow!("the spawning thread has ended"))?;
    Ok(result.recv().context("the spawning thread has ended")??)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path) -> Spec {
        Spec {
            name: "sleeper".into(),
            program: "sleep".into(),
            arguments: vec!["600".into()],
            environment: Vec::new(),
            user: None,
            folder: folder.to_owned(),
            log: folder.join("sleeper.log"),
            settings: String::new(),
        }
    }

    #[tokio::test]
    async fn both_bonds_keep_the_process_id_and_end_on_request() {
        let folder = tempfile::tempdir().unwrap();
        for bond in [Bond::Detached, Bond::Tied] {
            let running = sleeper(folder.path())
                .start(bond, &folder.path().join("record"))
                .unwrap();
            wait::until("exec", Duration::from_secs(5), async || {
                let name = std::fs::read_to_string(format!("/proc/{}/comm", running.pid))?;
                anyhow::ensure!(name.trim() == "sleep");
                Ok(())
            })
            .await
            .unwrap();
            assert!(running.alive());
            assert!(running.stop(Signal::TERM, Duration::from_secs(5)).await);
            assert!(!running.alive());
        }
    }

    #[tokio::test]
    async fn a_process_whose_starter_was_killed_before_recording_it_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (record, log) = (folder.path().join("record"), folder.path().join("sleeper.log"));
        assert!(unrecorded("sleeper", &record, &log).is_empty());
        let running = sleeper(folder.path()).start(Bond::Detached, &record).unwrap();
        let found = wait::until("the environment", Duration::from_secs(5), async || {
            let found = unrecorded("sleeper", &record, &log);
            anyhow::ensure!(!found.is_empty());
            Ok(found)
        })
        .await
        .unwrap();
        assert_eq!(found[0].pid, running.pid);
        assert!(found[0].stop(Signal::TERM, Duration::from_secs(5)).await);
        assert!(!running.alive());
    }

    #[test]
    fn a_reused_process_id_is_not_taken_for_ours() {
        let own = std::process::id().cast_signed();
        let started = start_time(own).unwrap();
        let running = Running {
            name: "x".into(),
            pid: own,
            started: started + 1,
            log: PathBuf::new(),
            fingerprint: String::new(),
        };
        assert!(!running.alive());
    }

    #[test]
    fn other_settings_make_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut spec = sleeper(folder.path());
        let before = spec.fingerprint();
        assert_eq!(before, sleeper(folder.path()).fingerprint());
        spec.settings = "port = 1".into();
        assert_ne!(before, spec.fingerprint());
    }
}
