//! `partner-sandbox --listen=HOST:PORT --text-message-key-file=FILE`

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use wathiq_sandbox::text_message::Provider;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .init();
    let (mut listen, mut key) = (None, None);
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some(("--listen", value)) => {
                listen = Some(value.parse::<SocketAddr>().context("--listen wants HOST:PORT")?);
            }
            Some(("--text-message-key-file", value)) => {
                key = Some(std::fs::read_to_string(value).with_context(|| format!("cannot read {value}"))?);
            }
            _ => bail!("unknown argument {argument}"),
        }
    }
    let listen = listen.context("--listen=HOST:PORT is missing")?;
    let key = key.context("--text-message-key-file=FILE is missing")?;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(%listen, "partner sandbox listens");
    let mut terminate = signal(SignalKind::terminate())?;
    axum::serve(listener, wathiq_sandbox::router(Provider::new(key.trim_end())))
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    Ok(())
}
