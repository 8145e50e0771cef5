//! The document itself: AsyncAPI 3.0, the Kafka bindings 0.5, CloudEvents 1.0 in binary mode.

use serde_json::{Map, Value, json};

use crate::source::{Contracts, Declared, Topic};

pub(crate) fn of(topics: &[Topic], contracts: &Contracts) -> Value {
    let channels: Map<String, Value> = topics
        .iter()
        .map(|topic| (topic.name.clone(), channel(topic)))
        .collect();
    let operations: Map<String, Value> = topics.iter().flat_map(operations).collect();
    let messages: Map<String, Value> = topics
        .iter()
        .flat_map(|topic| topic.event_types().into_iter().map(move |event| (topic, event)))
        .map(|(topic, event)| (event.clone(), message(topic, &event, contracts.message(&event))))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wathiq events",
            "version": "1",
            "description": "Every state change of the platform. Events carry ids, states, codes and salted commitments, never \
                            personal data. Delivery is at least once: a consumer recognises repeats by ce_id. Events of one \
                            aggregate are in one partition, in the order of ce_sequence.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/protobuf",
        "servers": {
            "kafka": {
                "host": "{brokers}",
                "protocol": "kafka-secure",
                "description": "TLS with a client certificate. A service writes its own topics and reads those it consumes; the \
                                auditor reads all and writes none.",
                "variables": {"brokers": {"description": "Addresses of the brokers, from the installation's configuration."}},
                "security": [{"$ref": "#/components/securitySchemes/certificate"}],
            },
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "messageTraits": {"cloudEvent": {"headers": headers()}},
            "securitySchemes": {"certificate": {"type": "X509"}},
        },
    })
}

fn channel(topic: &Topic) -> Value {
    let messages: Map<String, Value> = topic
        .event_types()
        .into_iter()
        .map(|event| {
            (
                event.clone(),
                json!({"$ref": format!("#/components/messages/{event}")}),
            )
        })
        .collect();
    json!({
        "address": topic.name,
        "description": format!("Written by {} alone. The key is the id of the {}.", topic.producer, topic.aggregate),
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": messages,
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1},
                "bindingVersion": "0.5.0",
            },
        },
    })
}

/// One operation a service and topic.
fn operations(topic: &Topic) -> Vec<(String, Value)> {
    let operation = |service: &str, action: &str| {
        let value = json!({"action": action, "channel": {"$ref": format!("#/channels/{}", topic.name)}, "title": service});
        (format!("{service}.{action}.{}", topic.name), value)
    };
    let receivers = topic.consumers.iter().map(String::as_str).chain(["auditor"]);
    let receives = receivers.map(|service| operation(service, "receive"));
    std::iter::once(operation(&topic.producer, "send"))
        .chain(receives)
        .collect()
}

fn message(topic: &Topic, event: &str, declared: &Declared) -> Value {
    let short = declared.descriptor.name();
    let place = format!("Topic {}. ", topic.name);
    let summary = declared.comment.strip_prefix(&place).unwrap_or(&declared.comment);
    json!({
        "name": event,
        "title": short,
        "summary": summary,
        "contentType": "application/protobuf",
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": {
            "schemaFormat": "application/vnd.google.protobuf;version=3",
            "schema": format!("// {}\n{}", declared.file, declared.text),
        },
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
    })
}

/// CloudEvents, Kafka protocol binding, 3.2; W3C Trace Context.
fn headers() -> Value {
    json!({
        "type": "object",
        "required": [
            "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_sequence", "content-type",
        ],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {"type": "string", "format": "uuid", "description": "Id of the event; a repeat has the same."},
            "ce_source": {"type": "string", "description": "wathiq/<service>"},
            "ce_type": {"type": "string", "description": "Full protobuf name of the payload."},
            "ce_time": {"type": "string", "format": "date-time"},
            "ce_subject": {"type": "string", "format": "uuid", "description": "Id of the aggregate; equals the key."},
            "ce_sequence": {"type": "string", "pattern": "^[0-9]+$", "description": "Version of the aggregate; a jump is a gap."},
            "content-type": {"const": "application/protobuf"},
            "traceparent": {"type": "string"},
        },
    })
}
