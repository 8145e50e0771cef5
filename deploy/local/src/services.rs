//! Our own services as processes: how each is configured, migrated, started and found ready. What is special to one
//! service's configuration stands in a file of its own.

mod gateway;
mod identity;
mod notification;
mod signature;

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::description::Description;
use crate::parts::Surroundings;
use crate::process::{Running, last_lines};
use crate::{http, pki, secrets, wait};

/// One of our services.
pub struct Service {
    pub name: &'static str,
    /// Whether it keeps a database of its own.
    pub database: bool,
    settings: fn(&Facts<'_>) -> Result<Value>,
}

/// Every service, in the order in which they are started.
pub const SERVICES: [Service; 4] = [
    Service {
        name: "identity",
        database: true,
        settings: identity::settings,
    },
    Service {
        name: "signature",
        database: true,
        settings: signature::settings,
    },
    Service {
        name: "notification",
        database: true,
        settings: notification::settings,
    },
    Service {
        name: "gateway",
        database: false,
        settings: gateway::settings,
    },
];

/// How many processes of each service there are; one where nothing is said.
pub type Replicas = BTreeMap<String, usize>;

/// What the configuration of a service is made of.
pub struct Facts<'a> {
    pub around: &'a Surroundings<'a>,
    pub description: &'a Description,
    /// Names the databases: `wathiq_<service><suffix>`.
    pub database_suffix: &'a str,
    pub replicas: &'a Replicas,
    /// The process this configuration is for.
    pub instance: Instance,
}

/// One process of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance {
    pub service: &'static str,
    /// Counted from one.
    pub replica: usize,
}

impl Instance {
    /// `identity`, or `identity-2` for the second replica. Ports, logs and configuration go by this name.
    pub fn name(self) -> String {
        if self.replica == 1 {
            self.service.to_owned()
        } else {
            format!("{}-{}", self.service, self.replica)
        }
    }

    /// Name of the port for probes and metrics.
    pub fn operations(self) -> String {
        format!("{}-operations", self.name())
    }
}

/// Every process there is to be.
pub fn instances(replicas: &Replicas) -> Vec<Instance> {
    SERVICES
        .iter()
        .flat_map(|service| {
            let count = replicas.get(service.name).copied().unwrap_or(1);
            (1..=count).map(|replica| Instance {
                service: service.name,
                replica,
            })
        })
        .collect()
}

impl Facts<'_> {
    /// Name of a service's database.
    pub fn database(&self, service: &str) -> String {
        format!("wathiq_{service}{}", self.database_suffix)
    }

    /// Path of a file with a secret of this stack, made when it does not exist yet.
    fn secret_file(&self, name: &str, generate: impl FnOnce() -> String) -> Result<String> {
        let path = self.around.layout.secrets().join(name);
        secrets::kept(&path, generate)?;
        Ok(path.display().to_string())
    }

    fn certificate_files(&self, name: &str) -> Value {
        let folder = self.around.layout.certificates();
        json!({
            "ca": folder.join("ca.pem"),
            "certificate": folder.join(format!("{name}.pem")),
            "key": folder.join(format!("{name}.key")),
        })
    }

    /// Section `[process]`.
    fn process(&self) -> Result<Value> {
        let Instance { service, .. } = self.instance;
        Ok(json!({
            "name": service,
            "listen": self.loopback(&self.instance.name())?,
            "operations_listen": self.loopback(&self.instance.operations())?,
            "trust_domain": pki::TRUST_DOMAIN,
            "tls": self.certificate_files(service),
            "reflection": true,
        }))
    }

    /// Section `[database]`: one role to work, one to migrate.
    fn database_section(&self) -> Result<Value> {
        let service = self.instance.service;
        let postgres = &self.description.postgres;
        let url = |role: &str| {
            let mut url = format!(
                "postgres://{role}@{}:{}/{}",
                postgres.host,
                postgres.port,
                self.database(service)
            );
            match &postgres.ca {
                Some(ca) => url.push_str(&format!("?sslmode=verify-full&sslrootcert={}", ca.display())),
                None => url.push_str("?sslmode=disable"),
            }
            url
        };
        let (application, owner) = (format!("wathiq_{service}_app"), format!("wathiq_{service}_owner"));
        let file = |role: &str| {
            postgres
                .roles
                .get(role)
                .with_context(|| format!("no password for {role}"))
        };
        Ok(json!({
            "url": url(&application),
            "password_file": file(&application)?,
            "owner_url": url(&owner),
            "owner_password_file": file(&owner)?,
        }))
    }

    /// Section `[kafka]`.
    fn kafka(&self) -> Value {
        let mut section = self.certificate_files(self.instance.service);
        section["brokers"] = json!(self.description.kafka.brokers);
        section
    }

    /// Section `[upstream]` with every replica of each named service.
    fn upstream(&self, services: &[&str]) -> Result<Value> {
        let mut section = json!({});
        for &service in services {
            let addresses = instances(self.replicas)
                .into_iter()
                .filter(|instance| instance.service == service)
                .map(|instance| self.loopback(&instance.name()))
                .collect::<Result<Vec<_>>>()?;
            section[service.replace('-', "_")] = json!({"addresses": addresses, "server_name": service});
        }
        Ok(section)
    }

    fn loopback(&self, port: &str) -> Result<String> {
        Ok(format!("127.0.0.1:{}", self.around.ports.get(port)?))
    }

    /// The platform's address as people see it.
    fn public_url(&self) -> Result<String> {
        public_url(self.around)
    }
}

/// The platform's address as people see it.
///
/// # Errors
/// When no port is allotted to the gateway.
pub fn public_url(around: &Surroundings<'_>) -> Result<String> {
    Ok(format!("http://localhost:{}", around.ports.get("gateway")?))
}

/// Writes the configuration of one process and answers its path.
///
/// # Errors
/// When a fact is missing or the file cannot be written.
pub fn configure(facts: &Facts<'_>) -> Result<std::path::PathBuf> {
    let service = find(facts.instance.service)?;
    let settings = (service.settings)(facts)?;
    let path = facts
        .around
        .layout
        .config()
        .join(format!("{}.toml", facts.instance.name()));
    secrets::write_private(&path, toml::to_string_pretty(&settings)?)?;
    Ok(path)
}

/// Runs a service's migrations to the end.
///
/// # Errors
/// When they fail, with the end of their log.
pub async fn migrate(around: &Surroundings<'_>, service: &'static str) -> Result<()> {
    run(around, service, &["migrate"]).await
}

/// Runs one command of a service, such as `migrate`, with its configuration and waits for its end.
///
/// # Errors
/// When it fails, with the end of its log.
pub async fn run(around: &Surroundings<'_>, service: &'static str, command: &[&str]) -> Result<()> {
    let log = around
        .layout
        .log()
        .join(format!("{service}-{}.log", command.first().unwrap_or(&"command")));
    let output = std::fs::File::create(&log)?;
    let status = tokio::process::Command::new(around.layout.binary(service)?)
        .arg("--config")
        .arg(around.layout.config().join(format!("{service}.toml")))
        .args(command)
        .stdin(std::process::Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("cannot run {service}"))?;
    if !status.success() {
        bail!(
            "{service} {} failed; the end of {}:\n{}",
            command.join(" "),
            log.display(),
            last_lines(&log, 12)
        );
    }
    Ok(())
}

/// Starts one process, which must be configured, and waits until it is ready.
///
/// # Errors
/// When it cannot be started, ends, or is not ready in time.
pub async fn start(
    around: &Surroundings<'_>,
    description: &Description,
    instance: Instance,
    environment: &[(String, String)],
) -> Result<Running> {
    let running = launch(around, description, instance, environment).await?;
    let url = format!(
        "http://127.0.0.1:{}/readyz",
        around.ports.get(&instance.operations())?
    );
    let client = http::client()?;
    wait::until(&running.name, Duration::from_secs(30), async || {
        running.check_alive()?;
        client.get(&url).send().await?.error_for_status()?;
        Ok(())
    })
    .await
    .with_context(|| {
        format!(
            "the end of {}:\n{}",
            running.log.display(),
            last_lines(&running.log, 6)
        )
    })?;
    Ok(running)
}

/// Starts one process, which must be configured.
///
/// # Errors
/// When it cannot be started.
pub async fn launch(
    around: &Surroundings<'_>,
    description: &Description,
    instance: Instance,
    environment: &[(String, String)],
) -> Result<Running> {
    let name = instance.name();
    let configuration = around.layout.config().join(format!("{name}.toml"));
    let arguments = vec![
        "--config".into(),
        configuration.display().to_string(),
        "serve".into(),
    ];
    let mut spec = around.spec(&name, around.layout.binary(instance.service)?, arguments);
    spec.environment.extend_from_slice(environment);
    // The PKCS#11 module finds its store by this variable alone.
    spec.environment.push((
        "SOFTHSM2_CONF".into(),
        description.softhsm.conf.display().to_string(),
    ));
    spec.settings = std::fs::read_to_string(&configuration).with_context(|| {
        format!(
            "{} is not configured: cannot read {}",
            instance.service,
            configuration.display()
        )
    })?;
    let (own, operations) = (instance.name(), instance.operations());
    around.start(&spec, &[&own, &operations]).await
}

/// The service of this name.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Service> {
    SERVICES
        .iter()
        .find(|service| service.name == name)
        .with_context(|| format!("there is no service {name}"))
}

/// Runs one command of a service and answers what it printed on its standard output.
///
/// # Errors
/// When it fails, with what it said.
pub async fn output(around: &Surroundings<'_>, service: &'static str, command: &[String]) -> Result<String> {
    let output = tokio::process::Command::new(around.layout.binary(service)?)
        .arg("--config")
        .arg(around.layout.config().join(format!("{service}.toml")))
        .args(command)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {service}"))?;
    if !output.status.success() {
        bail!(
            "{service} {} failed:\n{}",
            command.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// As [`output`], but what it prints goes to a file that only its owner may read, even where this process ends first. Nothing
/// that stands there already is lost.
///
/// # Errors
/// When it fails, with what it said.
pub async fn answer_into(
    around: &Surroundings<'_>,
    service: &'static str,
    command: &[String],
    file: &std::path::Path,
) -> Result<()> {
    let to = std::fs::File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let log = around.layout.log().join(format!("{service}-command.log"));
    let status = tokio::process::Command::new(around.layout.binary(service)?)
        .arg("--config")
        .arg(around.layout.config().join(format!("{service}.toml")))
        .args(command)
        .stdin(std::process::Stdio::null())
        .stdout(to)
        .stderr(std::fs::File::create(&log)?)
        .status()
        .await
        .with_context(|| format!("cannot run {service}"))?;
    if !status.success() {
        bail!(
            "{service} {} failed:\n{}",
            command.first().map_or("", String::as_str),
            last_lines(&log, 12)
        );
    }
    Ok(())
}
