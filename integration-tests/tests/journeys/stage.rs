//! A stack of one test's own, with everybody signed in.

use anyhow::{Context, Result};
use serde_json::Value;
use wathiq_local::journey::account::Account;
use wathiq_local::journey::api::text;
use wathiq_local::journey::authenticator::Authenticator;
use wathiq_local::journey::record::Recorder;
use wathiq_local::journey::{Cast, gather, people};
use wathiq_local::stack::{Options, Stack};

/// The running services and the people.
pub(crate) struct Stage {
    pub(crate) stack: Stack,
    pub(crate) cast: Cast,
    pub(crate) recorder: Recorder,
}

/// Starts the services and brings everybody in.
pub(crate) async fn open(options: Options) -> Result<Stage> {
    let stack = Stack::start(options).await?;
    let mut recorder = Recorder::new("legalisation", |_| ());
    let administrator = first_administrator(&stack).await?;
    let url = stack.url()?;
    let cast = gather(&url, &stack.description, administrator, &today(), &mut recorder)
        .await
        .map_err(|error| with_logs(error, &stack))?;
    Ok(Stage { stack, cast, recorder })
}

/// Today in Morocco.
pub(crate) fn today() -> String {
    wathiq_chassis::civil_date(wathiq_chassis::Ambient::system().now()).to_string()
}

/// Adds the last lines of every log to an error.
pub(crate) fn with_logs(error: anyhow::Error, stack: &Stack) -> anyhow::Error {
    let logs: String = ["gateway", "identity", "signature", "notification"]
        .into_iter()
        .map(|name| {
            let log = stack.log(name);
            let lines: Vec<&str> = log.lines().rev().take(5).collect();
            format!("\n--- {name}\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        })
        .collect();
    error.context(logs)
}

async fn first_administrator(stack: &Stack) -> Result<Account> {
    let person = people::administrator();
    let folder = tempfile::tempdir()?;
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, &person.password)?;
    let answer = stack.output("identity", &person.bootstrap(&password_file)).await?;
    let answer: Value = serde_json::from_str(&answer).context("bootstrap-administrator did not answer JSON")?;
    Ok(Account {
        role: person.role.to_owned(),
        email: person.email.clone(),
        password: person.password.clone(),
        authenticator: Authenticator::new(text(&answer, "/totp_secret")?, 0)?,
    })
}
