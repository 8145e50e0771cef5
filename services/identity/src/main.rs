//! `identity [--config FILE] serve | migrate | tidy | bootstrap-administrator …`

mod bootstrap;

use std::process::ExitCode;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::process::{self, Arguments};
use wathiq_chassis::{Ambient, Readiness, operations, telemetry};
use wathiq_identity::Settings;

fn main() -> ExitCode {
    process::main("identity", |arguments, shutdown| async move {
        match arguments.command.as_str() {
            "serve" => serve(arguments.load()?, shutdown).await,
            "migrate" => Ok(wathiq_identity::migrate(&arguments.load()?).await?),
            "tidy" => Ok(wathiq_identity::service::tidy(&arguments.load()?, Ambient::system()).await?),
            "bootstrap-administrator" => bootstrap(&arguments).await,
            _ => Err(arguments.unknown_command("identity").into()),
        }
    })
}

async fn serve(settings: Settings, shutdown: CancellationToken) -> anyhow::Result<()> {
    let telemetry = telemetry::init(&settings.process)?;
    let listen = settings.process.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let listen = settings.process.operations_listen;
    let operations_listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    let readiness = Readiness::new();
    let work = wathiq_identity::serve(
        settings,
        listener,
        readiness.clone(),
        shutdown.clone(),
        Ambient::system(),
    );
    operations::with_operations(
        operations_listener,
        readiness,
        telemetry.metrics(),
        shutdown,
        Box::pin(work),
    )
    .await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the secret is handed to the operator, once")]
async fn bootstrap(arguments: &Arguments) -> anyhow::Result<()> {
    let settings: Settings = arguments.load()?;
    let ambient = Ambient::system();
    let first = bootstrap::parse(&arguments.rest, &ambient)?;
    let made = wathiq_identity::bootstrap_administrator(&settings, ambient, first).await?;
    let handed = serde_json::json!({
        "person_id": made.person_id,
        "totp_secret": *made.totp_secret,
        "otpauth": *made.otpauth,
    });
    println!("{handed}");
    Ok(())
}
