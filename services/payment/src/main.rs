//! The process: `payment [--config FILE] serve | migrate`.

use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::process::Arguments;
use wathiq_chassis::{Ambient, Readiness, operations, process, telemetry};
use wathiq_payment::{Settings, migrate, serve};

const NAME: &str = "payment";

fn main() -> ExitCode {
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
