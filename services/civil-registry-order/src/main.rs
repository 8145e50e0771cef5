//! The process: `civil-registry-order [--config FILE] serve | migrate | import | generate | audit`. It starts itself again as
//! `civil-registry-order draw-form` to draw forms that are data.

use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::process::Arguments;
use wathiq_chassis::{Ambient, Readiness, operations, process, telemetry};
use wathiq_civil_registry_order::commands::{audit, generate, import};
use wathiq_civil_registry_order::documents::aside;
use wathiq_civil_registry_order::{Settings, migrate, serve};

const NAME: &str = "civil-registry-order";

fn main() -> ExitCode {
    // Before a thread, a file or a log exists: it limits itself first of all.
    if std::env::args().nth(1).as_deref() == Some(aside::SUBCOMMAND) {
        return aside::main();
    }
    process::main(NAME, run)
}

async fn run(arguments: Arguments, shutdown: CancellationToken) -> anyhow::Result<()> {
    // Makes up acts from a seed: nothing to configure.
    if arguments.command == "generate" {
        return Ok(generate::run(&generate::parse(&arguments.rest)?)?);
    }
    let settings: Settings = arguments.load()?;
    let telemetry = telemetry::init(&settings.process)?;
    match arguments.command.as_str() {
        "migrate" => Ok(migrate(&settings.database).await?),
        "import" => {
            let asked = import::parse(&arguments.rest)?;
            let ambient = Ambient::system();
            let offices = import::offices(&settings, &ambient).await?;
            import::run(&settings.database, &ambient, offices, asked, &shutdown).await?;
            Ok(())
        }
        "audit" => {
            let json = arguments.rest.iter().any(|argument| argument == "--json");
            Ok(audit::run(&settings, json).await?)
        }
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
