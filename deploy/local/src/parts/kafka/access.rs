//! Who may do what on Kafka. Everything that is not granted here is denied.

use crate::services::{SERVICES, Service};
use crate::topics::Topic;

/// Resource types of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum Resource {
    Topic = 2,
    Group = 3,
}

/// How a resource name is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum Pattern {
    Literal = 3,
    Prefixed = 4,
}

/// Operations of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum Operation {
    All = 2,
    Read = 3,
    Write = 4,
    Describe = 8,
}

/// One grant to one principal, from any host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub principal: String,
    pub resource: Resource,
    pub pattern: Pattern,
    pub name: String,
    pub operation: Operation,
}

/// A producer writes its own topics, a consumer reads what it consumes under groups that bear its name, `auditor`
/// reads every topic under any group and writes none. Idempotent writing needs no grant of its own since Kafka 3.0.
pub fn rules(topics: &[Topic]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for topic in topics {
        rules.push(on_topic(&topic.producer, &topic.name, Operation::Write));
        rules.push(on_topic(&topic.producer, &topic.name, Operation::Describe));
        for consumer in &topic.consumers {
            rules.push(on_topic(consumer, &topic.name, Operation::Read));
            let group = rule(
                consumer,
                Resource::Group,
                Pattern::Prefixed,
                consumer,
                Operation::Read,
            );
            if !rules.contains(&group) {
                rules.push(group);
            }
        }
    }
    rules.push(rule(
        "auditor",
        Resource::Topic,
        Pattern::Prefixed,
        "wathiq.",
        Operation::Read,
    ));
    rules.push(rule(
        "auditor",
        Resource::Group,
        Pattern::Literal,
        "*",
        Operation::Read,
    ));
    rules
}

/// On a test stack only: every process may do anything under topics and groups whose names begin with `test.`.
pub fn test_rules() -> Vec<Rule> {
    SERVICES
        .iter()
        .flat_map(|Service { name: principal, .. }| {
            [Resource::Topic, Resource::Group]
                .map(|resource| rule(principal, resource, Pattern::Prefixed, "test.", Operation::All))
        })
        .collect()
}

fn on_topic(principal: &str, topic: &str, operation: Operation) -> Rule {
    rule(principal, Resource::Topic, Pattern::Literal, topic, operation)
}

fn rule(principal: &str, resource: Resource, pattern: Pattern, name: &str, operation: Operation) -> Rule {
    Rule {
        principal: format!("User:{principal}"),
        resource,
        pattern,
        name: name.to_owned(),
        operation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_producer_writes_and_the_auditor_only_reads() {
        let topics = [Topic {
            name: "wathiq.a.b.v1".into(),
            partitions: 1,
            producer: "identity".into(),
            consumers: vec!["notification".into()],
        }];
        let rules = rules(&topics);
        let writers: Vec<&str> = rules
            .iter()
            .filter(|rule| matches!(rule.operation, Operation::Write | Operation::All))
            .map(|rule| rule.principal.as_str())
            .collect();
        assert_eq!(writers, ["User:identity"]);
        assert!(
            rules
                .iter()
                .filter(|rule| rule.principal == "User:auditor")
                .all(|rule| rule.operation == Operation::Read)
        );
        assert!(!rules.iter().any(|rule| rule.principal == "User:signature"));
    }
}
