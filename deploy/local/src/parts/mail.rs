//! The mail catcher: SMTP over TLS (RFC 8314) under our own authority, an inbox page and its REST interface.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Surroundings;
use crate::description::Mail;
use crate::process::Running;
use crate::wait;

/// Starts the catcher and waits until both its sides answer.
///
/// # Errors
/// When maildev is not installed, cannot be started or does not answer.
pub async fn start(around: &Surroundings<'_>) -> Result<Running> {
    let program = around.layout.tools().join("node/node_modules/maildev");
    ensure!(
        program.is_dir(),
        "{} is not installed: run deploy/install.sh",
        program.display()
    );
    let certificates = around.layout.certificates();
    let (smtp, web) = (around.ports.get("smtp")?, around.ports.get("mail")?);
    let messages = around.layout.data().join("mail");
    std::fs::create_dir_all(&messages)?;
    let arguments = [
        around
            .layout
            .root
            .join("deploy/local/mail.cjs")
            .display()
            .to_string(),
        program.display().to_string(),
        "--ip=127.0.0.1".into(),
        format!("--smtp={smtp}"),
        format!("--web={web}"),
        // It does not announce STARTTLS, so that TLS from the first byte is the one way to have it.
        "--incoming-secure".into(),
        format!("--incoming-cert={}", certificates.join("mail.pem").display()),
        format!("--incoming-key={}", certificates.join("mail.key").display()),
        format!("--mail-directory={}", messages.display()),
    ];
    let running = around
        .start(
            &around.spec("mail", "node", arguments.to_vec()),
            &["mail", "smtp"],
        )
        .await?;
    wait::until("the mail catcher", Duration::from_secs(30), async || {
        running.check_alive()?;
        wait::listening(smtp).await?;
        wait::listening(web).await
    })
    .await?;
    Ok(running)
}

/// Where the catcher listens.
///
/// # Errors
/// When no port is allotted.
pub fn describe(around: &Surroundings<'_>) -> Result<Mail> {
    Ok(Mail {
        smtp: format!("127.0.0.1:{}", around.ports.get("smtp")?),
        api: format!("http://127.0.0.1:{}", around.ports.get("mail")?),
        ca: around.layout.certificates().join("ca.pem"),
    })
}
