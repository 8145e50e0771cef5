//! How a process reaches Kafka: TLS with its own certificate, and librdkafka's log as ours.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use serde::Deserialize;

/// Section `[kafka]` of a service's configuration. The client's certificate is its principal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaConfig {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// PEM of the authorities that may vouch for the brokers.
    pub ca: PathBuf,
    /// PEM of this service's certificate chain.
    pub certificate: PathBuf,
    /// PEM of its private key (PKCS#8).
    pub key: PathBuf,
}

/// What is common to the producer and the consumer of a process.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    client: ClientConfig,
    files: Vec<PathBuf>,
    /// A record without an acknowledgement after this time counts as failed.
    pub(crate) deliver_within: Duration,
}

impl Link {
    pub(crate) fn tls(config: &KafkaConfig) -> Self {
        let mut client = common(&config.brokers);
        client
            .set("security.protocol", "ssl")
            .set("ssl.ca.location", text(&config.ca))
            .set("ssl.certificate.location", text(&config.certificate))
            .set("ssl.key.location", text(&config.key))
            .set("ssl.endpoint.identification.algorithm", "https");
        let files = vec![config.ca.clone(), config.certificate.clone(), config.key.clone()];
        Self {
            client,
            files,
            deliver_within: Duration::from_secs(10),
        }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn plaintext(brokers: &str) -> Self {
        Self {
            client: common(brokers),
            files: Vec::new(),
            deliver_within: Duration::from_secs(2),
        }
    }

    /// A configuration to add the producer's or the consumer's own settings to.
    pub(crate) fn client(&self) -> ClientConfig {
        self.client.clone()
    }

    /// librdkafka reads its files once, when a client is made: a client made under another fingerprint is out
    /// of date.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.files.iter().map(|file| stamp(file)).collect())
    }
}

/// Sizes and modification times of the certificate files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(Vec<Option<(u64, SystemTime)>>);

fn stamp(file: &Path) -> Option<(u64, SystemTime)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn common(brokers: &str) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", brokers)
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "2000")
        .set_log_level(RDKafkaLogLevel::Warning);
    client
}

/// Takes librdkafka's log and statistics.
pub(crate) struct Observer {
    /// `source` of a relay, name of a consumer.
    pub(crate) owner: String,
}

impl ClientContext for Observer {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => {
                tracing::warn!(
                    event = "kafka.client",
                    owner = self.owner,
                    facility,
                    "kafka client: {message}"
                );
            }
            _ => tracing::debug!(
                event = "kafka.client",
                owner = self.owner,
                facility,
                "kafka client: {message}"
            ),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(event = "kafka.client_error", owner = self.owner, %error, "kafka client: {reason}");
    }

    fn stats(&self, statistics: Statistics) {
        for (name, topic) in &statistics.topics {
            // librdkafka says -1 while it does not know.
            let lag: i64 = topic
                .partitions
                .values()
                .map(|partition| partition.consumer_lag.max(0))
                .sum();
            metrics::gauge!("consumer_lag", "consumer" => self.owner.clone(), "topic" => name.clone())
                .set(lag as f64);
        }
    }
}

impl ConsumerContext for Observer {}
