//! Apache Kafka: one KRaft node, TLS with client certificates on both listeners, access denied unless granted.

pub mod access;
mod wire;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use tokio::process::Command;

use self::wire::Client;
use super::{Purpose, Surroundings};
use crate::description::Kafka;
use crate::process::Running;
use crate::topics::Topic;
use crate::{secrets, wait};

/// A heap that holds one quiet node, and a compiler tier that starts fast.
const JVM: [&str; 6] = [
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
];

/// Lays the node's storage out when it does not exist yet, starts it, and waits until it has the declared topics and
/// access rules.
///
/// # Errors
/// When Kafka is not installed, cannot be started, does not answer or refuses a topic or a rule.
pub async fn start(around: &Surroundings<'_>, topics: &[Topic]) -> Result<Running> {
    let data = around.layout.data().join("kafka");
    let settings = around.layout.config().join("kafka.properties");
    let text = properties(around, &data)?;
    secrets::write_private(&settings, &text)?;
    keystore(around)?;
    if !data.join("meta.properties").is_file() {
        format_storage(around, &data, &settings).await?;
    }
    let mut arguments: Vec<String> = JVM.iter().map(|&option| option.to_owned()).collect();
    arguments.extend([
        "-cp".into(),
        class_path(around),
        "kafka.Kafka".into(),
        settings.display().to_string(),
    ]);
    let mut spec = around.spec("kafka", "java", arguments);
    spec.settings = text;
    let running = around.start(&spec, &["kafka", "kafka-controller"]).await?;
    wait::until("Kafka", Duration::from_secs(60), async || {
        running.check_alive()?;
        provision(around, topics).await
    })
    .await?;
    Ok(running)
}

/// Where clients find the broker and their certificates.
///
/// # Errors
/// When no port is allotted.
pub fn describe(around: &Surroundings<'_>) -> Result<Kafka> {
    Ok(Kafka {
        brokers: format!("127.0.0.1:{}", around.ports.get("kafka")?),
        certificates: around.layout.certificates(),
    })
}

/// Creates topics and rules that are missing; repeating it changes nothing.
async fn provision(around: &Surroundings<'_>, topics: &[Topic]) -> Result<()> {
    let mut client = Client::connect(around.ports.get("kafka")?, &around.layout.certificates()).await?;
    client.create_topics(topics).await?;
    let mut rules = access::rules(topics);
    if around.purpose != Purpose::Lasting {
        rules.extend(access::test_rules());
    }
    client.create_rules(&rules).await?;
    let known = client.known_rules().await?;
    ensure!(
        known >= rules.len(),
        "the broker knows {known} of {} access rules",
        rules.len()
    );
    Ok(())
}

fn class_path(around: &Surroundings<'_>) -> String {
    around.layout.tools().join("kafka/*").display().to_string()
}

/// Kafka wants key and chain in one PEM file.
fn keystore(around: &Surroundings<'_>) -> Result<()> {
    let folder = around.layout.certificates();
    let mut pem = std::fs::read_to_string(folder.join("kafka.key"))?;
    pem.push_str(&std::fs::read_to_string(folder.join("kafka.pem"))?);
    pem.push_str(&std::fs::read_to_string(folder.join("ca.pem"))?);
    secrets::write_private(&around.layout.config().join("kafka.keystore.pem"), pem)
}

/// `StorageTool` writes two small files and takes a second of JVM start: the version's bootstrap record is kept
/// beside the installation, the other file is written here.
async fn format_storage(around: &Surroundings<'_>, data: &Path, settings: &Path) -> Result<()> {
    if data.exists() {
        // Half formatted, by a start that was cut off.
        std::fs::remove_dir_all(data)?;
    }
    std::fs::create_dir_all(data)?;
    let kept = around.layout.tools().join("kafka.bootstrap.checkpoint");
    if kept.is_file() {
        std::fs::copy(&kept, data.join("bootstrap.checkpoint"))?;
        let meta = format!(
            "version=1\nnode.id=1\ncluster.id={}\ndirectory.id={}\n",
            random_id(),
            random_id()
        );
        // Whole or not at all: its presence says that the storage is formatted.
        return secrets::write_private(&data.join("meta.properties"), meta);
    }
    let output = Command::new("java")
        .args([
            "-Xmx128m",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            &class_path(around),
            "kafka.tools.StorageTool",
        ])
        .args(["format", "-t", &random_id(), "-c"])
        .arg(settings)
        .output()
        .await
        .context("cannot run java")?;
    if !output.status.success() {
        bail!(
            "Kafka's storage cannot be formatted: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    // A temporary name first: another stack may be reading it.
    let partial = kept.with_extension(secrets::random_hex(4));
    std::fs::copy(data.join("bootstrap.checkpoint"), &partial)?;
    std::fs::rename(&partial, &kept)?;
    Ok(())
}

/// Kafka's ids: 16 bytes in unpadded URL-safe Base64 that do not begin with `-`.
fn random_id() -> String {
    let bytes: Vec<u8> = uuid_bytes();
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

fn uuid_bytes() -> Vec<u8> {
    use rand::Rng;
    let mut bytes = vec![0u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    bytes[0] &= 0x7f;
    bytes
}

fn properties(around: &Surroundings<'_>, data: &Path) -> Result<String> {
    let broker = around.ports.get("kafka")?;
    let controller = around.ports.get("kafka-controller")?;
    Ok(format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=BROKER://127.0.0.1:{broker}\n\
         listener.security.protocol.map=BROKER:SSL,CONTROLLER:SSL\n\
         inter.broker.listener.name=BROKER\ncontroller.listener.names=CONTROLLER\n\
         ssl.keystore.type=PEM\nssl.keystore.location={}\nssl.truststore.type=PEM\nssl.truststore.location={}\n\
         ssl.client.auth=required\nssl.endpoint.identification.algorithm=https\n\
         ssl.principal.mapping.rules=RULE:^.*CN=([^,]+).*$/$1/,DEFAULT\n\
         authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
         allow.everyone.if.no.acl.found=false\nsuper.users=User:kafka;User:operator\n\
         auto.create.topics.enable=false\nlog.retention.ms=-1\nlog.retention.bytes=-1\n\
         offsets.retention.minutes=52560000\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=2\nshare.coordinator.state.topic.replication.factor=1\n\
         group.initial.rebalance.delay.ms=0\nlog.dirs={}\n",
        around.layout.config().join("kafka.keystore.pem").display(),
        around.layout.certificates().join("ca.pem").display(),
        data.display()
    ))
}
