//! What the platform stands on, and what stands in for the outside world. One file a part: how it is laid out, how it
//! is started and how one knows that it answers.

pub mod kafka;
pub mod mail;
pub mod postgres;
pub mod sandbox;
pub mod softhsm;
pub mod trust;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::description::Description;
use crate::layout::Layout;
use crate::ports::Ports;
use crate::process::{self, Bond, Running, Spec, User};
use crate::{pki, secrets, topics};

/// The parts in the order in which they are listed, each with the ports it listens on.
pub const PARTS: [(&str, &[&str]); 5] = [
    ("postgres", &["postgres"]),
    ("kafka", &["kafka", "kafka-controller"]),
    ("trust", &["trust"]),
    ("mail", &["mail", "smtp"]),
    ("sandbox", &["sandbox"]),
];

/// How long a process may take to end when it is told to.
pub const END_BOUND: Duration = Duration::from_secs(30);

/// What a stack is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It stays, and so does what is written.
    Lasting,
    /// It is thrown away: durability is given up for speed, there and only there.
    Test,
    /// It is thrown away, but works as one that stays, with the memory of a machine of its own.
    Measurement,
}

/// What every part needs to know of the stack it belongs to.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub layout: &'a Layout,
    pub ports: &'a Ports,
    pub bond: Bond,
    pub purpose: Purpose,
    /// Says what has come up.
    pub progress: &'a dyn Fn(&str),
}

impl Surroundings<'_> {
    /// A process of this stack, with its log in the usual place.
    pub fn spec(&self, name: &str, program: impl Into<PathBuf>, arguments: Vec<String>) -> Spec {
        Spec {
            name: name.to_owned(),
            program: program.into(),
            arguments,
            environment: Vec::new(),
            user: None,
            folder: self.layout.state.clone(),
            log: self.layout.log().join(format!("{name}.log")),
            settings: String::new(),
        }
    }

    /// The process of this specification: the recorded one where it runs as it should, a new one otherwise, after an
    /// outdated one was ended and the ports were found free. It is recorded, so that another command finds it again.
    ///
    /// # Errors
    /// When a port is taken, the process cannot be started or the record cannot be written.
    pub async fn start(&self, spec: &Spec, ports: &[&str]) -> Result<Running> {
        if let Some(running) = self.running(&spec.name) {
            if running.fingerprint == spec.fingerprint() {
                return Ok(running);
            }
            (self.progress)(&format!("{:<20} has changed: starting it again", spec.name));
            running.end(END_BOUND).await;
        }
        let record = self.record(&spec.name);
        for forgotten in process::unrecorded(&spec.name, &record, &spec.log) {
            forgotten.end(END_BOUND).await;
        }
        for port in ports {
            self.ports.check_free(port)?;
        }
        let running = spec.start(self.bond, &record)?;
        secrets::write_private(&record, serde_json::to_vec(&running)?)?;
        Ok(running)
    }

    /// The process recorded under a name, if it still runs.
    pub fn running(&self, name: &str) -> Option<Running> {
        let text = std::fs::read(self.record(name)).ok()?;
        serde_json::from_slice::<Running>(&text)
            .ok()
            .filter(Running::alive)
    }

    /// Says how long `start` took, if it had anything to start.
    ///
    /// # Errors
    /// Those of `start`.
    pub async fn timed<F>(&self, name: &str, start: F) -> Result<Running>
    where
        F: Future<Output = Result<Running>>,
    {
        let before = self.running(name);
        let begun = Instant::now();
        let running = start.await?;
        if before.as_ref() != Some(&running) {
            (self.progress)(&format!(
                "{name:<20} up in {:.1} s",
                begun.elapsed().as_secs_f64()
            ));
        }
        Ok(running)
    }

    fn record(&self, name: &str) -> PathBuf {
        self.layout.run().join(format!("{name}.json"))
    }
}

/// Starts every part that does not run yet, side by side, and prepares topics, databases, tokens and certificates.
///
/// # Errors
/// When a part does not come up; the others are left as they are.
pub async fn start_all(around: &Surroundings<'_>) -> Result<Vec<Running>> {
    around.layout.create()?;
    pki::Authority::open(&around.layout.certificates())?;
    let topics = topics::read(&around.layout.root)?;
    let database = async {
        let running = around.timed("postgres", postgres::start(around)).await?;
        postgres::prepare_databases(around).await?;
        anyhow::Ok(running)
    };
    let trust = async {
        softhsm::prepare(around).await?;
        around.timed("trust", trust::start(around)).await
    };
    // The slow starters first: what blocks below blocks while they already work.
    let (kafka, mail, sandbox, trust, database) = futures::try_join!(
        Box::pin(around.timed("kafka", kafka::start(around, &topics))),
        Box::pin(around.timed("mail", mail::start(around))),
        Box::pin(around.timed("sandbox", sandbox::start(around))),
        Box::pin(trust),
        Box::pin(database),
    )?;
    Ok(vec![database, kafka, trust, mail, sandbox])
}

/// What the parts offer.
///
/// # Errors
/// When something the description names is missing.
pub fn describe(around: &Surroundings<'_>) -> Result<Description> {
    Ok(Description {
        postgres: postgres::describe(around)?,
        kafka: kafka::describe(around)?,
        trust: trust::describe(around)?,
        softhsm: softhsm::describe(around, |officer| trust::certificate(around, officer.label))
            .context("cannot describe the token store")?,
        mail: mail::describe(around)?,
        sms: sandbox::describe(around)?,
        cmi: sandbox::cmi(around)?,
        text_payment: sandbox::text_payment(around)?,
        carrier: sandbox::carrier(around)?,
    })
}

/// Removes the temporary folder of a stack, unless `WATHIQ_KEEP_STATE` asks for it to look at logs afterwards.
pub(crate) fn remove_state(state: &Path) {
    if std::env::var_os("WATHIQ_KEEP_STATE").is_none() {
        // A leftover is found by the sweep of the next run.
        let _leftover = std::fs::remove_dir_all(state);
    }
}

/// The user that PostgreSQL runs as: it refuses to run as root.
fn database_user() -> Result<Option<User>> {
    if rustix::process::geteuid().is_root() {
        User::named("postgres").map(Some)
    } else {
        Ok(None)
    }
}
