//! The gateway as a process.

use std::process::ExitCode;

use tokio::net::TcpListener;
use wathiq_chassis::{Ambient, Readiness, operations, process, telemetry};
use wathiq_gateway::Settings;

fn main() -> ExitCode {
    process::main("gateway", |arguments, shutdown| async move {
        let settings: Settings = arguments.load()?;
        settings.check()?;
        if arguments.command != "serve" {
            return Err(arguments.unknown_command("gateway").into());
        }
        let telemetry = telemetry::init(&settings.process)?;
        let listener = TcpListener::bind(settings.http.listen).await?;
        let operations_listener = TcpListener::bind(settings.process.operations_listen).await?;
        let readiness = Readiness::new();
        let work = wathiq_gateway::serve(
            settings,
            Ambient::system(),
            listener,
            readiness.clone(),
            shutdown.clone(),
        );
        operations::with_operations(
            operations_listener,
            readiness,
            telemetry.metrics(),
            shutdown,
            work,
        )
        .await
        .map_err(anyhow::Error::from)
    })
}
