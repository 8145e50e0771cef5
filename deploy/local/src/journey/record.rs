//! One printed line and its duration a step.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::account::Account;
use crate::stack_file;

/// Collects the steps of a journey and prints them as they end.
pub struct Recorder {
    journey: &'static str,
    print: fn(&str),
    steps: Vec<Value>,
    accounts: Vec<stack_file::Account>,
}

impl Recorder {
    #[must_use]
    pub fn new(journey: &'static str, print: fn(&str)) -> Self {
        Self {
            journey,
            print,
            steps: Vec::new(),
            accounts: Vec::new(),
        }
    }

    /// Plays one step.
    ///
    /// # Errors
    /// The step's own, with its name.
    pub async fn step<T>(&mut self, name: &str, play: impl Future<Output = Result<T>>) -> Result<T> {
        let begun = Instant::now();
        let result = play.await.with_context(|| format!("step \"{name}\""))?;
        let seconds = begun.elapsed().as_secs_f64();
        (self.print)(&format!("{seconds:6.2} s  {name}"));
        self.steps
            .push(json!({"journey": self.journey, "step": name, "seconds": seconds}));
        Ok(result)
    }

    /// Remembers an account for whoever plays on.
    pub fn account(&mut self, account: &Account) {
        self.accounts.retain(|known| known.login != account.email);
        self.accounts.push(stack_file::Account {
            role: account.role.clone(),
            login: account.email.clone(),
            password: account.password.clone(),
            totp_secret: account.authenticator.secret().to_owned(),
        });
    }

    /// The accounts so far.
    #[must_use]
    pub fn accounts(&self) -> &[stack_file::Account] {
        &self.accounts
    }

    /// The steps so far, as `steps.json` has them.
    #[must_use]
    pub fn steps(&self) -> &[Value] {
        &self.steps
    }
}
