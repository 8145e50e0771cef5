//! The partner sandbox: stand-ins for the partners. The providers of text messages and of payments, and the carrier.

use std::time::Duration;

use anyhow::Result;
use data_encoding::BASE64;
use rand::Rng;

use super::Surroundings;
use crate::description::{Carrier, Cmi, Sms, TextPayment};
use crate::process::Running;
use crate::{secrets, services, wait};

/// The store's number and the name of its XML account at CMI.
const CMI: (&str, &str) = ("600000001", "wathiq-api");
/// Where the gateway takes the carrier's events and files, below its public address.
const CARRIER_PATHS: [&str; 2] = ["/v1/carrier/events", "/v1/carrier/event-files"];

/// Starts the sandbox and waits until it listens.
///
/// # Errors
/// When the binary is not built, cannot be started or does not answer.
pub async fn start(around: &Surroundings<'_>) -> Result<Running> {
    let port = around.ports.get("sandbox")?;
    let (payments, phones, carrier) = (cmi(around)?, text_payment(around)?, carrier(around)?);
    let sms_key = secret(around, "sms-key", || secrets::random_hex(16))?;
    // A test stack's gateways come later, each on a port of its own: there every call names the address.
    let platform = services::public_url(around).unwrap_or_else(|_| "http://127.0.0.1:9".to_owned());
    let [events, files] = CARRIER_PATHS.map(|path| format!("{platform}{path}"));
    let folder = around.layout.data().join("sandbox");
    std::fs::create_dir_all(&folder)?;
    let file = |name: &str, path: &std::path::Path| format!("--{name}-file={}", path.display());
    let arguments = vec![
        format!("--listen=127.0.0.1:{port}"),
        file("journal", &folder.join("partners.jsonl")),
        file("text-message-key", &sms_key),
        format!("--cmi-client-id={}", payments.client_id),
        file("cmi-store-key", &payments.store_key_file),
        format!("--cmi-api-name={}", payments.api_name),
        file("cmi-api-password", &payments.api_password_file),
        file("text-payment-key", &phones.key_file),
        file("text-payment-secret", &phones.callback_secret_file),
        format!("--carrier-webhook-url={events}"),
        format!("--carrier-csv-url={files}"),
        file("carrier-inbound-secret", &carrier.inbound_secret_file),
        file("carrier-outbound-secret", &carrier.outbound_secret_file),
    ];
    let running = around
        .start(
            &around.spec("sandbox", around.layout.binary("partner-sandbox")?, arguments),
            &["sandbox"],
        )
        .await?;
    wait::until("the partner sandbox", Duration::from_secs(15), async || {
        running.check_alive()?;
        wait::listening(port).await
    })
    .await?;
    Ok(running)
}

/// Where the text-message provider listens, and the key it wants.
///
/// # Errors
/// When no port is allotted or the key cannot be read.
pub fn describe(around: &Surroundings<'_>) -> Result<Sms> {
    let key = secrets::kept(&around.layout.secrets().join("sms-key"), || {
        secrets::random_hex(16)
    })?;
    Ok(Sms {
        url: url(around)?,
        key,
    })
}

/// The store at CMI.
///
/// # Errors
/// When no port is allotted or a secret cannot be written.
pub fn cmi(around: &Surroundings<'_>) -> Result<Cmi> {
    let (client_id, api_name) = CMI;
    Ok(Cmi {
        url: url(around)?,
        control: url(around)?,
        client_id: client_id.to_owned(),
        store_key_file: secret(around, "cmi-store-key", || secrets::random_hex(16))?,
        api_name: api_name.to_owned(),
        api_password_file: secret(around, "cmi-api-password", || secrets::random_hex(16))?,
    })
}

/// The account at the provider of payments by text message.
///
/// # Errors
/// When no port is allotted or a secret cannot be written.
pub fn text_payment(around: &Surroundings<'_>) -> Result<TextPayment> {
    Ok(TextPayment {
        url: format!("{}/text-payment", url(around)?),
        control: url(around)?,
        key_file: secret(around, "text-payment-key", || secrets::random_hex(16))?,
        callback_secret_file: secret(around, "text-payment-secret", || secrets::random_hex(32))?,
    })
}

/// The carrier, and the secrets that sign both ways.
///
/// # Errors
/// When no port is allotted or a secret cannot be written.
pub fn carrier(around: &Surroundings<'_>) -> Result<Carrier> {
    Ok(Carrier {
        url: format!("{}/carrier", url(around)?),
        control: url(around)?,
        inbound_secret_file: secret(around, "carrier-inbound-secret", webhook_secret)?,
        outbound_secret_file: secret(around, "carrier-outbound-secret", webhook_secret)?,
    })
}

fn url(around: &Surroundings<'_>) -> Result<String> {
    Ok(format!("http://127.0.0.1:{}", around.ports.get("sandbox")?))
}

fn secret(
    around: &Surroundings<'_>,
    name: &str,
    generate: impl FnOnce() -> String,
) -> Result<std::path::PathBuf> {
    let path = around.layout.secrets().join(name);
    secrets::kept(&path, generate)?;
    Ok(path)
}

/// As Standard Webhooks writes one.
fn webhook_secret() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("whsec_{}", BASE64.encode(&bytes))
}
