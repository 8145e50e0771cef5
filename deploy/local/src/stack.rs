//! Our services as processes on the parts of a test stack, for end-to-end tests: with databases and, unless shared, a
//! Kafka of their own; replicas, `kill -9`, restarts, and cut connections to the parts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::description::Description;
use crate::layout::{self, Layout};
use crate::link::Link;
use crate::parts::{self, Purpose, Surroundings, kafka, postgres};
use crate::ports::Ports;
use crate::process::{Bond, Running, last_lines};
use crate::services::{self, Facts, Instance, Replicas, SERVICES, instances};
use crate::{secrets, topics, wait};

/// What a stack is to look like.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Processes a service; one where nothing is said, none for 0.
    pub replicas: Replicas,
    /// Uses the Kafka of the test stack instead of an own one. Topics are then shared with every other test.
    pub shared_kafka: bool,
    /// Environment of each service's processes, such as `("signature", "WATHIQ__PDF__WORKERS", "1")`.
    pub environment: Vec<(&'static str, String, String)>,
}

/// Connections between our services and the parts that a test can cut.
pub struct Links {
    pub postgres: Link,
    pub time_stamping: Link,
    pub smtp: Link,
    pub text_messages: Link,
    pub cmi: Link,
    pub text_payment: Link,
    pub carrier: Link,
}

/// Running services. They end with this value, or with the process.
pub struct Stack {
    layout: Layout,
    ports: Ports,
    options: Options,
    database_suffix: String,
    running: BTreeMap<String, Running>,
    /// The parts as a test reaches them itself, past the links.
    pub description: Description,
    /// The parts as the services reach them.
    linked: Description,
    pub links: Links,
}

impl Stack {
    /// Starts every service on the parts that the environment names.
    ///
    /// # Errors
    /// When there is no test stack, or something does not come up.
    pub async fn start(options: Options) -> Result<Self> {
        Self::on(Description::from_environment()?, options).await
    }

    /// Starts every service on these parts.
    ///
    /// # Errors
    /// When something does not come up.
    pub async fn on(mut description: Description, options: Options) -> Result<Self> {
        let token = secrets::random_hex(4);
        let parent = std::env::temp_dir().join(format!("wathiq-test-{}-{token}", std::process::id()));
        std::fs::create_dir_all(&parent)?;
        let layout = Layout::temporary(&layout::find_root()?, &parent);
        // The authority is the test stack's.
        std::os::unix::fs::symlink(&description.kafka.certificates, layout.certificates())?;
        layout.create()?;
        let mut ports = Ports::default();
        for instance in instances(&options.replicas) {
            ports.allot(&instance.name())?;
            ports.allot(&instance.operations())?;
        }
        if !options.shared_kafka {
            let port = ports.allot("kafka")?;
            ports.allot("kafka-controller")?;
            description.kafka.brokers = format!("127.0.0.1:{port}");
        }
        let (links, linked) = link(&description)?;
        let database_suffix = format!("_{token}");
        let running = BTreeMap::new();
        let mut stack = Self {
            layout,
            ports,
            options,
            database_suffix,
            running,
            description,
            linked,
            links,
        };
        stack.start_everything().await?;
        Ok(stack)
    }

    /// Where the gateway answers.
    ///
    /// # Errors
    /// When the stack has no gateway.
    pub fn url(&self) -> Result<String> {
        services::public_url(&self.around())
    }

    /// `host:port` of a process's gRPC (or, for the gateway, HTTP) listener: `identity`, `signature-2`.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn address(&self, process: &str) -> Result<String> {
        Ok(format!("127.0.0.1:{}", self.ports.get(process)?))
    }

    /// URL of a process's probes and metrics.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn operations(&self, process: &str) -> Result<String> {
        Ok(format!(
            "http://127.0.0.1:{}",
            self.ports.get(&format!("{process}-operations"))?
        ))
    }

    /// What a process has logged.
    pub fn log(&self, process: &str) -> String {
        last_lines(&self.layout.log().join(format!("{process}.log")), usize::MAX)
    }

    /// Options to enter a service's database as the superuser.
    pub fn database(&self, service: &str) -> PgConnectOptions {
        postgres::superuser(
            &self.description.postgres,
            &format!("{}{}", postgres::database(service), self.database_suffix),
        )
    }

    /// The configuration file of a process, to run one of its commands with.
    pub fn configuration(&self, process: &str) -> PathBuf {
        self.layout.config().join(format!("{process}.toml"))
    }

    /// The record of a running process.
    ///
    /// # Errors
    /// When it does not run.
    pub fn process(&self, process: &str) -> Result<&Running> {
        self.running
            .get(process)
            .filter(|running| running.alive())
            .with_context(|| format!("{process} does not run"))
    }

    /// The records of all processes that were started, by name.
    pub fn processes(&self) -> impl Iterator<Item = (&str, &Running)> {
        self.running
            .iter()
            .map(|(name, running)| (name.as_str(), running))
    }

    /// `kill -9`, and waits for the end. `kafka` counts as a process here when it is the stack's own.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&self, process: &str) -> Result<()> {
        self.process(process)?
            .stop(Signal::KILL, Duration::from_secs(5))
            .await;
        Ok(())
    }

    /// Asks a process to end and waits. Answers whether it ended by itself within its bound.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn stop(&self, process: &str) -> Result<bool> {
        Ok(self.process(process)?.end(parts::END_BOUND).await)
    }

    /// Starts a process that has ended and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&mut self, process: &str) -> Result<()> {
        self.vacated(process).await?;
        let running = if process == "kafka" {
            kafka::start(&self.around(), &topics::read(&self.layout.root)?).await?
        } else {
            self.serve(self.instance(process)?).await?
        };
        self.running.insert(process.to_owned(), running);
        Ok(())
    }

    /// Waits until nothing holds the port any more: of a process that is killed, the sockets close with its last thread.
    async fn vacated(&self, process: &str) -> Result<()> {
        wait::until(process, Duration::from_secs(5), async || {
            self.ports.check_free(process)
        })
        .await
    }

    /// Starts a process that has ended, and does not wait until it is ready.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn launch(&mut self, process: &str) -> Result<()> {
        let instance = self.instance(process)?;
        let running = services::launch(
            &self.around(),
            &self.linked,
            instance,
            &self.environment(instance),
        )
        .await?;
        self.running.insert(process.to_owned(), running);
        Ok(())
    }

    /// Runs a command of a service, such as `migrate`, with its configuration.
    ///
    /// # Errors
    /// When it fails.
    pub async fn run(&self, service: &'static str, command: &[&str]) -> Result<()> {
        services::run(&self.around(), service, command).await
    }

    /// Runs a command of a service and answers what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub async fn output(&self, service: &'static str, command: &[String]) -> Result<String> {
        services::output(&self.around(), service, command).await
    }

    fn around(&self) -> Surroundings<'_> {
        Surroundings {
            layout: &self.layout,
            ports: &self.ports,
            bond: Bond::Tied,
            purpose: Purpose::Test,
            progress: &|_| (),
        }
    }

    async fn start_everything(&mut self) -> Result<()> {
        if !self.options.shared_kafka {
            let running = kafka::start(&self.around(), &topics::read(&self.layout.root)?).await?;
            self.running.insert("kafka".into(), running);
        }
        self.create_databases().await?;
        let wanted = instances(&self.options.replicas);
        for &instance in &wanted {
            let around = self.around();
            services::configure(&Facts {
                around: &around,
                description: &self.linked,
                database_suffix: &self.database_suffix,
                replicas: &self.options.replicas,
                instance,
            })?;
        }
        let migrations = wanted
            .iter()
            .filter(|instance| instance.replica == 1)
            .filter(|instance| services::find(instance.service).is_ok_and(|service| service.database))
            .map(async |instance| services::migrate(&self.around(), instance.service).await);
        futures::future::try_join_all(migrations).await?;
        let started =
            futures::future::join_all(wanted.iter().map(async |&instance| self.serve(instance).await)).await;
        for (instance, running) in wanted.iter().zip(started) {
            self.running.insert(instance.name(), running?);
        }
        Ok(())
    }

    async fn create_databases(&self) -> Result<()> {
        let mut connection = postgres::superuser(&self.description.postgres, "postgres")
            .connect()
            .await?;
        for service in SERVICES.iter().filter(|service| service.database) {
            let database = format!("{}{}", postgres::database(service.name), self.database_suffix);
            postgres::create_database(&mut connection, service.name, &database).await?;
        }
        Ok(connection.close().await?)
    }

    fn instance(&self, process: &str) -> Result<Instance> {
        instances(&self.options.replicas)
            .into_iter()
            .find(|instance| instance.name() == process)
            .with_context(|| format!("there is no process {process}"))
    }

    fn environment(&self, instance: Instance) -> Vec<(String, String)> {
        let own = self
            .options
            .environment
            .iter()
            .filter(|(service, ..)| *service == instance.service);
        own.map(|(_, key, value)| (key.clone(), value.clone())).collect()
    }

    async fn serve(&self, instance: Instance) -> Result<Running> {
        services::start(
            &self.around(),
            &self.linked,
            instance,
            &self.environment(instance),
        )
        .await
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        for running in self.running.values() {
            running.signal(Signal::KILL);
        }
        parts::remove_state(&self.layout.state);
    }
}

/// Puts a link before each part that is reached by an address of its own.
fn link(description: &Description) -> Result<(Links, Description)> {
    let mut linked = description.clone();
    let tsa: reqwest::Url = description.trust.tsa_url.parse()?;
    let sms: reqwest::Url = description.sms.url.parse()?;
    let (cmi, phones, carrier): (reqwest::Url, reqwest::Url, reqwest::Url) = (
        description.cmi.url.parse()?,
        description.text_payment.url.parse()?,
        description.carrier.url.parse()?,
    );
    let loopback = |url: &reqwest::Url| -> Result<std::net::SocketAddr> {
        Ok((
            [127, 0, 0, 1],
            url.port().context("the part's address has no port")?,
        )
            .into())
    };
    let links = Links {
        postgres: Link::to(([127, 0, 0, 1], description.postgres.port).into())?,
        time_stamping: Link::to(loopback(&tsa)?)?,
        smtp: Link::to(description.mail.smtp.parse()?)?,
        text_messages: Link::to(loopback(&sms)?)?,
        cmi: Link::to(loopback(&cmi)?)?,
        text_payment: Link::to(loopback(&phones)?)?,
        carrier: Link::to(loopback(&carrier)?)?,
    };
    linked.postgres.port = links.postgres.port();
    linked.trust.tsa_url = moved(tsa, links.time_stamping.port());
    linked.sms.url = moved(sms, links.text_messages.port());
    linked.cmi.url = moved(cmi, links.cmi.port());
    linked.text_payment.url = moved(phones, links.text_payment.port());
    linked.carrier.url = moved(carrier, links.carrier.port());
    linked.mail.smtp = format!("127.0.0.1:{}", links.smtp.port());
    Ok((links, linked))
}

fn moved(mut url: reqwest::Url, port: u16) -> String {
    // A URL with a host takes any port.
    let _always = url.set_port(Some(port));
    url.as_str().trim_end_matches('/').to_owned()
}
