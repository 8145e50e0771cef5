//! The partner sandbox: stand-ins for the partners, here the provider of text messages.

use std::time::Duration;

use anyhow::Result;

use super::Surroundings;
use crate::description::Sms;
use crate::process::Running;
use crate::{secrets, wait};

/// Starts the sandbox and waits until it listens.
///
/// # Errors
/// When the binary is not built, cannot be started or does not answer.
pub async fn start(around: &Surroundings<'_>) -> Result<Running> {
    let port = around.ports.get("sandbox")?;
    let key_file = around.layout.secrets().join("sms-key");
    secrets::kept(&key_file, || secrets::random_hex(16))?;
    let arguments = vec![
        format!("--listen=127.0.0.1:{port}"),
        format!("--text-message-key-file={}", key_file.display()),
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
        url: format!("http://127.0.0.1:{}", around.ports.get("sandbox")?),
        key,
    })
}
