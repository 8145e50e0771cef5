//! A person's authenticator app (RFC 6238: SHA-1, six digits, 30 seconds).

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use data_encoding::BASE32_NOPAD;
use totp_rs::{Builder, Totp};

use crate::secrets;

const STEP: u64 = 30;
/// How long a code given here stays good at least, in seconds: time enough to carry it to the platform.
const GOOD_FOR: u64 = 10;

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
        self.last_step <= now() / STEP
    }

    /// The next code that the platform takes. It takes one step either side of its own clock, so that two or three codes
    /// can be had at once; for one more this waits.
    pub async fn code(&mut self) -> String {
        loop {
            let seconds = now();
            let next = (self.last_step + 1).max(oldest_step(seconds));
            if next <= seconds / STEP + 1 {
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

/// The oldest step whose code the platform still takes when this time, in seconds, has gone on by [`GOOD_FOR`].
fn oldest_step(seconds: u64) -> u64 {
    ((seconds + GOOD_FOR) / STEP).saturating_sub(1)
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::{GOOD_FOR, STEP, oldest_step};

    #[test]
    fn no_code_is_given_that_dies_on_its_way() {
        for seconds in 60_000..60_000 + 2 * STEP {
            let step = oldest_step(seconds);
            let ends = (step + 2) * STEP;
            assert!(
                ends >= seconds + GOOD_FOR,
                "at {seconds} the code of {step} ends at {ends}"
            );
            assert!(
                step <= seconds / STEP,
                "at {seconds} nothing is left to give at once"
            );
        }
        assert_eq!(
            oldest_step(60_000),
            1999,
            "early in a step the one before it still does"
        );
    }
}
