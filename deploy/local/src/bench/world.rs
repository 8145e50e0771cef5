//! The whole platform on parts that work as lasting ones do, with an office of civil status and everybody signed in.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use chrono_tz::Africa::Casablanca;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::cpu::Watched;
use crate::journey::account::{self, Account};
use crate::journey::api::{Api, text};
use crate::journey::authenticator::Authenticator;
use crate::journey::record::Recorder;
use crate::journey::{Cast, gather, people};
use crate::services::Replicas;
use crate::stack::{Options, Stack};
use crate::test_stack::TestStack;

/// Limits that people who click do not reach, and programs that measure do.
const LIMITS: [&str; 6] = [
    "http.default",
    "http.sign_in",
    "http.sign_up",
    "http.upload",
    "http.verify",
    "sign_up.address",
];

pub(super) struct World {
    pub(super) parts: TestStack,
    pub(super) stack: Stack,
    pub(super) cast: Cast,
    /// The head of the platform.
    pub(super) head: Api,
}

impl World {
    pub(super) async fn open(root: &Path) -> Result<Self> {
        super::say("starting the platform and bringing everybody in");
        let parts = TestStack::measured(root, &|_| ()).await?;
        match Box::pin(people_in(&parts)).await {
            Ok((stack, cast, head)) => Ok(Self {
                parts,
                stack,
                cast,
                head,
            }),
            Err(error) => {
                parts.stop().await;
                Err(error)
            }
        }
    }

    pub(super) async fn close(self) {
        drop(self.stack);
        self.parts.stop().await;
    }

    /// Every process of the platform and of what it stands on, and this program as the one that makes the load.
    pub(super) fn watched(&self) -> Watched {
        let mut watched = Watched::default();
        for (name, running) in self.stack.processes() {
            watched.add(name, running.pid);
        }
        for part in self.parts.processes() {
            watched.add(&part.name, part.pid);
        }
        watched
    }

    /// A connection to a service's database as the superuser.
    pub(super) async fn database(&self, service: &str) -> Result<PgConnection> {
        Ok(self.stack.database(service).connect().await?)
    }

    /// Makes somebody a member of an office, from today on.
    pub(super) async fn appoint(&self, office_id: &str, email: &str, role: &str) -> Result<()> {
        let body = json!({"email": email, "role": role, "deputy_for_membership_id": null, "from": today(), "to": null});
        let path = format!("/v1/offices/{office_id}/memberships");
        self.head.post(&path, &body).await.context("appointing")?;
        Ok(())
    }

    /// Has the platform forget which codes were used, so that nobody waits for the next one.
    pub(super) async fn codes_again(&self) -> Result<()> {
        let mut connection = self.database("identity").await?;
        forget_codes(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Has the logs stay when this world goes, and says where they are.
    pub(super) fn keep_logs(&self) {
        let kept = std::env::temp_dir().join("wathiq-bench-logs");
        let _leftover = std::fs::remove_dir_all(&kept);
        if std::fs::create_dir_all(&kept).is_err() {
            return;
        }
        for (name, running) in self.stack.processes() {
            // A log that cannot be kept is no reason to fail otherwise than for what went wrong.
            let _unkept = std::fs::copy(&running.log, kept.join(format!("{name}.log")));
        }
        super::say(&format!("the services' logs are kept in {}", kept.display()));
    }

    /// Imports acts from a file.
    pub(super) async fn import(&self, file: &Path) -> Result<()> {
        let command = ["import", "--file", &file.display().to_string()].map(str::to_owned);
        self.stack.output("civil-registry-order", &command).await?;
        Ok(())
    }

    /// What the audit says at the end: nothing may differ.
    pub(super) async fn audit(&self) -> Result<usize> {
        let command = ["audit", "--json"].map(str::to_owned);
        let report = self.stack.output("civil-registry-order", &command).await?;
        let report: Value = serde_json::from_str(&report).context("the audit's report is not JSON")?;
        let differences = report["differences"]
            .as_array()
            .context("the audit tells no differences")?;
        for difference in differences.iter().take(5) {
            super::say(&format!("the audit finds {difference}"));
        }
        Ok(differences.len())
    }
}

async fn people_in(parts: &TestStack) -> Result<(Stack, Cast, Api)> {
    let limits = LIMITS.map(|limit| {
        let key = format!("WATHIQ__QUOTAS__{}", limit.to_uppercase());
        let without_end = "{ per_minute = 600000.0, burst = 600000 }";
        ("identity", key, without_end.to_owned())
    });
    let options = Options {
        replicas: Replicas::new(),
        shared_kafka: true,
        environment: limits.into(),
    };
    let stack = Stack::on(parts.description.clone(), options).await?;
    let administrator = first_administrator(&stack).await?;
    let mut recorder = Recorder::new("measurement", |_| ());
    let cast = gather(
        &stack.url()?,
        &parts.description,
        administrator,
        &today(),
        &mut recorder,
    )
    .await?;
    let known = recorder
        .accounts()
        .iter()
        .find(|account| account.role == "administrator");
    let known = known.context("there is no administrator")?;
    let mut account = Account {
        role: known.role.clone(),
        email: known.login.clone(),
        password: known.password.clone(),
        authenticator: Authenticator::new(&known.totp_secret, 0)?,
    };
    let mut connection = stack.database("identity").connect().await?;
    forget_codes(&mut connection).await?;
    connection.close().await?;
    let head = account::sign_in(&cast.anyone, &mut account, "staff").await?;
    Ok((stack, cast, head))
}

async fn forget_codes(connection: &mut PgConnection) -> Result<()> {
    sqlx::query("UPDATE totp SET last_step = NULL")
        .execute(connection)
        .await?;
    Ok(())
}

async fn first_administrator(stack: &Stack) -> Result<Account> {
    let person = people::administrator();
    let folder = tempfile::tempdir()?;
    let password_file = folder.path().join("password");
    std::fs::write(&password_file, &person.password)?;
    let answer = stack
        .output("identity", &person.bootstrap(&password_file))
        .await?;
    let answer: Value =
        serde_json::from_str(&answer).context("bootstrap-administrator did not answer JSON")?;
    Ok(Account {
        role: person.role.to_owned(),
        email: person.email.clone(),
        password: person.password.clone(),
        authenticator: Authenticator::new(text(&answer, "/totp_secret")?, 0)?,
    })
}

/// Today in Morocco.
pub(super) fn today() -> String {
    let now: chrono::DateTime<chrono::Utc> = std::time::SystemTime::now().into();
    now.with_timezone(&Casablanca).date_naive().to_string()
}

/// The value in the middle of sorted ones, at this share of the way.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Result<f64> {
    ensure!(!sorted.is_empty(), "nothing was measured");
    // Lengths and shares here are far below where rounding would matter.
    let place = ((sorted.len() - 1) as f64 * share).round();
    Ok(sorted[(place as usize).min(sorted.len() - 1)])
}
