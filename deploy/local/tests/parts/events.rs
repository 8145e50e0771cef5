//! Kafka: who writes and who reads.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::given::stack;

const BOUND: Duration = Duration::from_secs(30);
const PERSON: &str = "wathiq.identity.person.v1";
const DELIVERY: &str = "wathiq.identity.delivery.v1";
const LEGALISATION: &str = "wathiq.signature.legalisation.v1";

fn client(principal: Option<&str>) -> ClientConfig {
    let kafka = stack().kafka;
    let file = |name: &str| kafka.certificates.join(name).display().to_string();
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &kafka.brokers)
        .set("security.protocol", "ssl")
        .set("ssl.ca.location", file("ca.pem"))
        .set("ssl.endpoint.identification.algorithm", "https");
    if let Some(principal) = principal {
        client
            .set("ssl.certificate.location", file(&format!("{principal}.pem")))
            .set("ssl.key.location", file(&format!("{principal}.key")));
    }
    client
}

/// Idempotent, as the relay writes. Refusals are asked for without: a principal that may write nothing at all gets a
/// fatal error before it gets the topic's.
async fn write(principal: &str, topic: &str, key: &str) -> Result<(), KafkaError> {
    produce(principal, topic, key, true).await
}

async fn refused_write(principal: &str, topic: &str) -> RDKafkaErrorCode {
    code(produce(principal, topic, "x", false).await)
}

async fn produce(principal: &str, topic: &str, key: &str, idempotent: bool) -> Result<(), KafkaError> {
    let producer: FutureProducer = client(Some(principal))
        .set("enable.idempotence", idempotent.to_string())
        .set("message.timeout.ms", "20000")
        .create()
        .unwrap();
    producer
        .send(FutureRecord::to(topic).key(key).payload("x"), BOUND)
        .await
        .map(|_| ())
        .map_err(|(error, _)| error)
}

/// Reads until a record with `key` comes, or an error other than "nothing yet" and "not there yet".
fn read(principal: &str, group: &str, topic: &str, key: &str) -> Result<(), KafkaError> {
    let consumer: BaseConsumer = client(Some(principal))
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let start = std::time::Instant::now();
    while start.elapsed() < BOUND {
        match consumer.poll(Duration::from_millis(250)) {
            Some(Ok(message)) if message.key() == Some(key.as_bytes()) => return Ok(()),
            Some(Err(error)) if !passing(&error) => return Err(error),
            _ => {}
        }
    }
    panic!("{principal} has read neither the record nor an error on {topic}");
}

fn passing(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::NotCoordinator
        )
    )
}

fn code(result: Result<(), KafkaError>) -> RDKafkaErrorCode {
    result.unwrap_err().rdkafka_error_code().unwrap()
}

fn unique(name: &str) -> String {
    format!("{name}-{}", wathiq_local::secrets::random_hex(6))
}

#[tokio::test]
async fn a_service_writes_its_own_topics_and_a_consumer_reads_them() {
    let key = unique("own");
    write("identity", DELIVERY, &key).await.unwrap();
    read("notification", &unique("notification"), DELIVERY, &key).unwrap();
}

#[tokio::test]
async fn nobody_writes_the_topics_of_another() {
    for (principal, topic) in [
        ("signature", PERSON),
        ("identity", LEGALISATION),
        ("gateway", PERSON),
        ("stranger", PERSON),
    ] {
        let code = refused_write(principal, topic).await;
        assert_eq!(
            code,
            RDKafkaErrorCode::TopicAuthorizationFailed,
            "{principal} on {topic}"
        );
    }
}

#[tokio::test]
async fn nobody_reads_what_it_does_not_consume() {
    for (principal, topic) in [
        ("signature", PERSON),
        ("notification", PERSON),
        ("gateway", LEGALISATION),
        ("stranger", PERSON),
    ] {
        let code = code(read(principal, &unique(principal), topic, "x"));
        let refused = [
            RDKafkaErrorCode::TopicAuthorizationFailed,
            RDKafkaErrorCode::GroupAuthorizationFailed,
        ];
        assert!(refused.contains(&code), "{principal} on {topic}: {code}");
    }
}

#[tokio::test]
async fn a_consumer_cannot_take_another_group() {
    let code = code(read("notification", &unique("identity"), DELIVERY, "x"));
    assert_eq!(code, RDKafkaErrorCode::GroupAuthorizationFailed);
}

#[tokio::test]
async fn the_auditor_reads_everything_and_writes_nothing() {
    let key = unique("audited");
    write("signature", LEGALISATION, &key).await.unwrap();
    read("auditor", &unique("any-group"), LEGALISATION, &key).unwrap();
    for topic in wathiq_local::topics::read(&wathiq_local::layout::find_root().unwrap()).unwrap() {
        let code = refused_write("auditor", &topic.name).await;
        assert_eq!(code, RDKafkaErrorCode::TopicAuthorizationFailed, "{}", topic.name);
    }
}

#[tokio::test]
async fn without_a_certificate_there_is_no_connection() {
    let consumer: BaseConsumer = client(None).create().unwrap();
    assert!(consumer.fetch_metadata(None, Duration::from_secs(3)).is_err());
    let consumer: BaseConsumer = client(Some("auditor")).create().unwrap();
    let metadata = consumer.fetch_metadata(None, BOUND).unwrap();
    assert!(metadata.topics().iter().any(|topic| topic.name() == PERSON));
}

#[tokio::test]
async fn topics_keep_their_records_for_ever() {
    use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
    let admin: AdminClient<_> = client(Some("operator")).create().unwrap();
    let answers = admin
        .describe_configs(&[ResourceSpecifier::Topic(LEGALISATION)], &AdminOptions::new())
        .await
        .unwrap();
    let topic = answers.into_iter().next().unwrap().unwrap();
    for setting in ["retention.ms", "retention.bytes"] {
        assert_eq!(
            topic.get(setting).unwrap().value.as_deref(),
            Some("-1"),
            "{setting}"
        );
    }
}
