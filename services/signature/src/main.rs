//! The process: `signature [--config FILE] serve | migrate`. It starts itself again as `signature pdf-worker` to open files.

use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::process::Arguments;
use wathiq_chassis::{Ambient, Readiness, operations, process, telemetry};
use wathiq_signature::{Settings, migrate, serve};

const NAME: &str = "signature";

fn main() -> ExitCode {
    // Before a thread, a file or a log exists: the worker limits itself first of all.
    if std::env::args().nth(1).as_deref() == Some("pdf-worker") {
        return wathiq_signature::pdf::worker::main();
    }
    process::main(NAME, run)
}

async fn run(arguments: Arguments, shutdown: CancellationToken) -> anyhow::Result<()> {
    let settings: Settings = arguments.load()?;
    let telemetry = telemetry::init(&settings.process)?;
    match arguments.command.as_str() {
        "migrate" => Ok(migrate(&settings.database).await?),
        "serve" => {
            let listener = TcpListener::bind(settings.process.listen).await?;
            let operations_listener = TcpListener::bind(settings.process.operations_listen).await?;
            let readiness = Readiness::new();
            let work = serve(
                settings,
                listener,
                readiness.clone(),
                Ambient::system(),
                shutdown.clone(),
            );
            let metrics = telemetry.metrics();
            operations::with_operations(operations_listener, readiness, metrics, shutdown, work).await?;
            Ok(())
        }
        _ => Err(arguments.unknown_command(NAME).into()),
    }
}
