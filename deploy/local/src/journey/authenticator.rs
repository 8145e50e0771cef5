//! A person's authenticator app (RFC 6238: SHA-1, six digits, 30 seconds).

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use data_encoding::BASE32_NOPAD;
use totp_rs::{Builder, Totp};

use crate::secrets;

const STEP: u64 = 30;

/// Gives each code once: the platform refuses a code that was used.
pub struct Authenticator {
    totp: Totp,
    secret: String,
    last_step: u64,
    /// Where the step of each code is written before the code is given.
    ledger: Option<PathBuf>,
}

impl Authenticator {
    /// From the Base32 secret shown at enrolment.
    ///
    /// # Errors
    /// When it is not Base32.
    pub fn new(secret: &str, last_step: u64) -> Result<Self> {
        let decoded: [u8; 20] = BASE32_NOPAD
            .decode(secret.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .context("the TOTP secret is not 20 bytes in Base32")?;
        let totp = Builder::new().with_secret(decoded).build_noncompliant();
        Ok(Self {
            totp,
            secret: secret.to_owned(),
            last_step,
            ledger: None,
        })
    }

    /// The same, keeping in a file which codes were given, so that no run gives one twice, however the one before ended.
    #[must_use]
    pub fn with_ledger(mut self, file: PathBuf) -> Self {
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        self.last_step = self.last_step.max(written.trim().parse().unwrap_or(0));
        self.ledger = Some(file);
        self
    }

    /// The secret, Base32.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The step of the newest code given.
    #[must_use]
    pub fn last_step(&self) -> u64 {
        self.last_step
    }

    /// Whether a code can be had without waiting.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.last_step <= step_now()
    }

    /// The next code that the platform takes. It takes one step either side of its own clock, so three codes can be had
    /// at once; for a fourth this waits.
    pub async fn code(&mut self) -> String {
        loop {
            let now = step_now();
            let next = (self.last_step + 1).max(now.saturating_sub(1));
            if next <= now + 1 {
                self.last_step = next;
                if let Some(file) = &self.ledger {
                    // Not written, it costs the next run a refused code at most.
                    let _unwritten = secrets::write_private(file, next.to_string());
                }
                return self.totp.generate(next * STEP).to_string();
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn step_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs() / STEP
}
