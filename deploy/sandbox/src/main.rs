//! `partner-sandbox --listen=HOST:PORT …`; the arguments stand in `deploy/sandbox/README.md`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use wathiq_sandbox::{Patience, Settings, carrier, cmi, text_payment};

const ARGUMENTS: [&str; 13] = [
    "listen",
    "journal-file",
    "text-message-key-file",
    "cmi-client-id",
    "cmi-store-key-file",
    "cmi-api-name",
    "cmi-api-password-file",
    "text-payment-key-file",
    "text-payment-secret-file",
    "carrier-webhook-url",
    "carrier-csv-url",
    "carrier-inbound-secret-file",
    "carrier-outbound-secret-file",
];

/// What stands on the command line, by name.
struct Arguments(BTreeMap<String, String>);

impl Arguments {
    fn read() -> Result<Self> {
        let mut by_name = BTreeMap::new();
        for argument in std::env::args().skip(1) {
            match argument.strip_prefix("--").and_then(|rest| rest.split_once('=')) {
                Some((name, value)) if ARGUMENTS.contains(&name) => {
                    by_name.insert(name.to_owned(), value.to_owned());
                }
                _ => bail!("unknown argument {argument}"),
            }
        }
        Ok(Self(by_name))
    }

    fn text(&self, name: &str) -> Result<String> {
        self.0
            .get(name)
            .cloned()
            .with_context(|| format!("--{name}=… is missing"))
    }

    /// The one line of a file.
    fn secret(&self, name: &str) -> Result<String> {
        let path = self.text(name)?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        Ok(text.trim_end().to_owned())
    }

    fn settings(&self) -> Result<Settings> {
        let outbound = self.secret("carrier-outbound-secret-file")?;
        Ok(Settings {
            text_message_key: self.secret("text-message-key-file")?,
            cmi: cmi::Store {
                client_id: self.text("cmi-client-id")?,
                store_key: self.secret("cmi-store-key-file")?,
                api_name: self.text("cmi-api-name")?,
                api_password: self.secret("cmi-api-password-file")?,
            },
            text_payment: text_payment::Account {
                key: self.secret("text-payment-key-file")?,
                callback_secret: self.secret("text-payment-secret-file")?,
            },
            carrier: carrier::Account {
                webhook_url: self.text("carrier-webhook-url")?,
                csv_url: self.text("carrier-csv-url")?,
                inbound: carrier::Secret::read(&self.secret("carrier-inbound-secret-file")?)?,
                outbound: outbound
                    .lines()
                    .map(carrier::Secret::read)
                    .collect::<Result<_>>()?,
            },
            patience: Patience::default(),
            journal: self.0.get("journal-file").map(Into::into),
        })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::read()?;
    let listen: SocketAddr = arguments
        .text("listen")?
        .parse()
        .context("--listen wants HOST:PORT")?;
    let router = wathiq_sandbox::router(arguments.settings()?)?;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(%listen, "partner sandbox listens");
    let mut terminate = signal(SignalKind::terminate())?;
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    Ok(())
}
