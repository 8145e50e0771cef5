//! `import --file FILE|- [--format jsonl|csv] [--resume] [--report FILE]`: loads acts in bulk and says how it goes.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use wathiq_chassis::tls::TlsError;
use wathiq_chassis::{Ambient, ConfigError, client};

use crate::app::import_acts::{Asked, ImportError, Offices, ReportAt, import_acts};
use crate::clients::ClientError;
use crate::clients::identity::Identity;
use crate::config::{DatabaseConfig, Settings};
use crate::domain::import::{Format, Import, State};

/// How often a progress line is written: on a terminal, and in a log.
const ON_TERMINAL: Duration = Duration::from_millis(500);
const IN_LOG: Duration = Duration::from_secs(10);

/// What the command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// Standard input without one.
    pub file: Option<PathBuf>,
    pub format: Format,
    pub resume: bool,
    pub report: ReportAt,
}

/// Why nothing, or not all, was loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{} cannot be opened", .0.display())]
    Open(PathBuf, #[source] io::Error),
    #[error("the database refused or did not answer")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the offices cannot be asked for")]
    Offices(#[from] ClientError),
}

/// Reads the arguments. The format follows from the file's name where it is not said; the report stands beside the file.
///
/// # Errors
/// [`ConfigError`] naming the argument.
pub fn parse(arguments: &[String]) -> Result<Arguments, ConfigError> {
    let mut flags = super::flags::read(arguments, &["--file", "--format", "--report"], &["--resume"])?;
    let resume = flags.has("--resume");
    let file = flags
        .take("--file")
        .ok_or_else(|| ConfigError::key("--file", "is missing"))?;
    let file = (file != "-").then(|| PathBuf::from(file));
    let extension = file
        .as_ref()
        .and_then(|file| file.extension()?.to_str())
        .unwrap_or_default();
    let named = flags.take("--format");
    let format = match named.as_deref() {
        Some(name) => {
            Format::parse(name).ok_or_else(|| ConfigError::key("--format", "must be jsonl or csv"))?
        }
        None if extension == "csv" => Format::Csv,
        None => Format::JsonLines,
    };
    let report = match flags.take("--report") {
        Some(named) => ReportAt::File(named.into()),
        None => ReportAt::Beside(file.clone().unwrap_or_else(|| PathBuf::from("import"))),
    };
    Ok(Arguments {
        file,
        format,
        resume,
        report,
    })
}

/// Every office that identity knows, by its code: also those that take no orders, for their registers are digitised too.
///
/// # Errors
/// [`Error`].
pub async fn offices(settings: &Settings, ambient: &Ambient) -> Result<Offices, Error> {
    let process = &settings.process;
    let channel = client::channel(&settings.upstream.identity, &process.tls, &process.trust_domain)?;
    let identity = Identity::new(channel, ambient.clone(), Duration::ZERO);
    let offices = identity.offices().await?;
    let by_code = offices.values().map(|office| (office.code.clone(), office.id));
    let without_registers = offices.values().filter(|office| !office.holds_registers);
    let without_registers = without_registers.map(|office| office.id).collect();
    Ok(Offices::new(by_code.collect()).without_registers(without_registers))
}

/// Loads the file; stops after the chunk at hand when it is told to.
///
/// # Errors
/// [`Error`].
pub async fn run(
    database: &DatabaseConfig,
    ambient: &Ambient,
    offices: Offices,
    arguments: Arguments,
    stop: &CancellationToken,
) -> Result<Import, Error> {
    let (input, total): (Box<dyn Read + Send>, Option<u64>) = match &arguments.file {
        Some(path) => {
            let open = |error| Error::Open(path.clone(), error);
            let file = File::open(path).map_err(open)?;
            let total = file.metadata().map_err(open)?.len();
            (Box::new(file), Some(total))
        }
        None => (Box::new(io::stdin()), None),
    };
    // A chunk is copied in one statement: the time-out of calls would be too short for it on a slow disk.
    let options = database.connect_options()?.options([
        ("statement_timeout", "300s"),
        ("idle_in_transaction_session_timeout", "300s"),
    ]);
    let mut conn = PgConnection::connect_with(&options).await?;
    let asked = Asked {
        format: arguments.format,
        resume: arguments.resume,
        report: arguments.report.clone(),
        offices,
    };
    let report = arguments.report;
    let mut progress = Progress::new(total);
    let done = import_acts(&mut conn, ambient, input, asked, stop, |import| {
        progress.tell(import);
    })
    .await;
    let closed = conn.close().await;
    // What went wrong first is what is told.
    let import = done?;
    closed?;
    progress.end(&import, &report.path(import.id));
    Ok(import)
}

/// Lines on standard error.
struct Progress {
    total: Option<u64>,
    begun: Instant,
    /// Where this run began, in bytes and acts.
    from: Option<(u64, u64)>,
    told: Option<Instant>,
    terminal: bool,
}

impl Progress {
    fn new(total: Option<u64>) -> Self {
        Self {
            total,
            begun: Instant::now(),
            from: None,
            told: None,
            terminal: io::stderr().is_terminal(),
        }
    }

    fn tell(&mut self, import: &Import) {
        let position = import.position;
        // The first chunk is where measuring begins: what was done before a resumption took no time now.
        let from = *self.from.get_or_insert((position.byte_offset, position.taken));
        let pause = if self.terminal { ON_TERMINAL } else { IN_LOG };
        if self.told.is_some_and(|told| told.elapsed() < pause) {
            return;
        }
        self.told = Some(Instant::now());
        let line = line(import, self.total, from, self.begun.elapsed());
        let (beginning, end) = if self.terminal {
            ("\r\x1b[K", "")
        } else {
            ("", "\n")
        };
        // Nobody to read it is no reason to stop.
        let _ = write!(io::stderr(), "{beginning}{line}{end}");
    }

    fn end(&self, import: &Import, report: &Path) {
        let position = import.position;
        let state = match import.state {
            State::Finished => "finished",
            State::Paused | State::Running => "paused; go on with --resume",
        };
        let beginning = if self.terminal { "\r\x1b[K" } else { "" };
        let _ = writeln!(
            io::stderr(),
            "{beginning}{state}: {} acts taken, {} rows refused ({} digitised before), {:.1} s",
            position.taken,
            position.refused,
            position.duplicates,
            self.begun.elapsed().as_secs_f64()
        );
        if position.refused > 0 {
            let _ = writeln!(io::stderr(), "refused rows: {}", report.display());
        }
    }
}

/// Such as `1250000 acts, 3 refused, 41 %, 25300/s, 1 min 10 s remaining`.
fn line(import: &Import, total: Option<u64>, from: (u64, u64), elapsed: Duration) -> String {
    let position = import.position;
    let mut line = format!("{} acts, {} refused", position.taken, position.refused);
    let seconds = elapsed.as_secs_f64().max(0.001);
    let rate = (position.taken.saturating_sub(from.1)) as f64 / seconds;
    if let Some(total) = total {
        let share = position.byte_offset as f64 / total.max(1) as f64;
        line.push_str(&format!(", {:.0} %", 100.0 * share));
    }
    line.push_str(&format!(", {rate:.0}/s"));
    let bytes = position.byte_offset.saturating_sub(from.0);
    if let Some(total) = total
        && bytes > 0
    {
        let left = total.saturating_sub(position.byte_offset) as f64 * seconds / bytes as f64;
        line.push_str(&format!(
            ", {:.0} min {:02.0} s remaining",
            (left / 60.0).floor(),
            left % 60.0
        ));
    }
    line
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::import::Position;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn arguments_are_read() {
        let read = parse(&words("--file acts.csv --resume")).unwrap();
        assert_eq!((read.format, read.resume), (Format::Csv, true));
        assert_eq!(read.report, ReportAt::Beside("acts.csv".into()));
        let beside = read.report.path(Uuid::nil());
        let expected = "acts.csv.00000000-0000-0000-0000-000000000000.refused.csv";
        assert_eq!(beside, PathBuf::from(expected));
        let read = parse(&words("--file - --format csv --report r.csv")).unwrap();
        assert_eq!(
            (read.file, read.format, read.report),
            (None, Format::Csv, ReportAt::File("r.csv".into()))
        );
        for bad in [
            "",
            "--file",
            "--file a --format xml",
            "--file a --file b",
            "--file a extra",
        ] {
            assert!(parse(&words(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_line_says_what_remains() {
        let import = Import {
            id: Uuid::nil(),
            version: 0,
            state: State::Running,
            format: Format::JsonLines,
            head_sha256: [0; 32],
            position: Position {
                byte_offset: 600,
                taken: 500,
                refused: 3,
                ..Position::default()
            },
            created_at: DateTime::UNIX_EPOCH,
        };
        let told = line(&import, Some(1_000), (200, 100), Duration::from_secs(80));
        assert_eq!(told, "500 acts, 3 refused, 60 %, 5/s, 1 min 20 s remaining");
        let told = line(&import, None, (200, 100), Duration::from_secs(80));
        assert_eq!(told, "500 acts, 3 refused, 5/s");
    }
}
