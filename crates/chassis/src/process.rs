//! The frame of a `main.rs`: command line, runtime, signals, exit code.
//!
//! Exit codes: 0 done, 1 failed, 64 wrong command line or configuration (`EX_USAGE` of `sysexits.h`), 130 stopped
//! by a second signal.

use std::{future::Future, path::PathBuf, process::ExitCode, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, ConfigError},
    telemetry::TelemetryError,
    tls,
};

const USAGE_EXIT: u8 = 64;
const WORKER_THREADS: usize = 2;
const RUNTIME_SHUTDOWN: Duration = Duration::from_secs(5);

/// The command line: `<process> [--config FILE.toml] [command [arguments…]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// The configuration file.
    pub config: Option<PathBuf>,
    /// What to do; `serve` when nothing is said.
    pub command: String,
    /// What follows the command.
    pub rest: Vec<String>,
}

impl Arguments {
    /// Reads a command line, without the program's own name.
    ///
    /// # Errors
    /// [`ConfigError::CommandLine`].
    pub fn parse(name: &str, arguments: impl Iterator<Item = String>) -> Result<Self, ConfigError> {
        let mut arguments = arguments;
        let mut parsed = Self {
            config: None,
            command: "serve".to_owned(),
            rest: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--config" => {
                    let path = arguments
                        .next()
                        .ok_or_else(|| usage(name, "--config needs a file"))?;
                    parsed.config = Some(path.into());
                }
                option if option.starts_with('-') => {
                    return Err(usage(name, &format!("unknown option {option}")));
                }
                _ => {
                    parsed.command = argument;
                    parsed.rest = arguments.collect();
                    break;
                }
            }
        }
        Ok(parsed)
    }

    /// The configuration that this command line and the process's environment give.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load<T: serde::de::DeserializeOwned>(&self) -> Result<T, ConfigError> {
        // A variable that is no UTF-8 cannot be one of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        config::load(self.config.as_deref(), environment)
    }

    /// The error for a command this process does not know.
    pub fn unknown_command(&self, name: &str) -> ConfigError {
        usage(name, &format!("unknown command {}", self.command))
    }
}

fn usage(name: &str, problem: &str) -> ConfigError {
    ConfigError::CommandLine {
        problem: problem.to_owned(),
        usage: format!("{name} [--config FILE] [serve | migrate | …]"),
    }
}

/// Runs a process to its end. `run` gets the command line and a token that the first SIGTERM or SIGINT cancels; it
/// then has to end by itself (see [`crate::GrpcServer::serve`], which drains with a bound). A second signal ends
/// the process at once.
pub fn main<R, F, E>(name: &str, run: R) -> ExitCode
where
    R: FnOnce(Arguments, CancellationToken) -> F,
    F: Future<Output = Result<(), E>>,
    E: AsRef<dyn std::error::Error + Send + Sync + 'static>,
{
    tls::install_crypto_provider();
    let arguments = match Arguments::parse(name, std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => return report(name, &error),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .thread_name(name)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return report(name, &error),
    };
    let code = runtime.block_on(async {
        let shutdown = CancellationToken::new();
        if let Err(error) = listen_for_signals(shutdown.clone()) {
            return report(name, &error);
        }
        match run(arguments, shutdown).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => report(name, error.as_ref()),
        }
    });
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN);
    code
}

fn listen_for_signals(shutdown: CancellationToken) -> Result<(), std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if shutdown.is_cancelled() {
                tracing::warn!(event = "process.killed", "stopped by a second signal");
                std::process::exit(130);
            }
            tracing::info!(event = "process.stopping", "stopping: calls in flight may end");
            shutdown.cancel();
        }
    });
    Ok(())
}

fn report(name: &str, error: &(dyn std::error::Error + 'static)) -> ExitCode {
    let chain = crate::status::chain(error);
    tracing::error!(
        event = "process.failed",
        error = chain,
        "the process ends with an error"
    );
    // Telemetry may not stand yet, and the operator must see this one line in any case.
    eprintln!("{name}: {chain}");
    if is_configuration(error) {
        ExitCode::from(USAGE_EXIT)
    } else {
        ExitCode::FAILURE
    }
}

fn is_configuration(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        error.is::<ConfigError>()
            || error.is::<tls::TlsError>()
            || matches!(error.downcast_ref(), Some(TelemetryError::Filter(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, ConfigError> {
        Arguments::parse("identity", line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_command_line_is_read() {
        let arguments = parse("--config a.toml migrate --twice now").unwrap();
        assert_eq!(arguments.config, Some("a.toml".into()));
        assert_eq!(arguments.command, "migrate");
        assert_eq!(arguments.rest, ["--twice", "now"]);
        assert_eq!(parse("").unwrap().command, "serve");
        assert!(parse("--verbose").unwrap_err().to_string().contains("--verbose"));
        assert!(
            parse("--config")
                .unwrap_err()
                .to_string()
                .contains("needs a file")
        );
    }

    #[test]
    fn a_bad_configuration_is_recognised_below_other_errors() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot start")]
        struct Outer(#[source] ConfigError);
        assert!(is_configuration(&Outer(ConfigError::key(
            "process.listen",
            "missing"
        ))));
        assert!(!is_configuration(&std::io::Error::other("disk full")));
    }
}
