//! The topics of the platform and who may write and read them, as declared in `proto/topics.yaml`.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// One declared topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topic {
    pub name: String,
    pub partitions: i32,
    pub producer: String,
    pub consumers: Vec<String>,
}

/// Reads `proto/topics.yaml`: a list of flat mappings with `name`, `partitions`, `producer` and an inline list
/// `consumers`; other keys (descriptions for people) are left alone.
///
/// # Errors
/// When the file cannot be read or a topic is incomplete.
pub fn read(root: &Path) -> Result<Vec<Topic>> {
    let path = root.join("proto/topics.yaml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("topics of {}", path.display()))
}

fn parse(text: &str) -> Result<Vec<Topic>> {
    let mut topics: Vec<Topic> = Vec::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        let content = line.trim_start();
        let (starts, content) = match content.strip_prefix("- ") {
            Some(rest) => (true, rest),
            None => (false, content),
        };
        let Some((key, value)) = content.split_once(':') else {
            continue;
        };
        if starts && key == "name" {
            topics.push(Topic::default());
        }
        let (Some(topic), value) = (topics.last_mut(), value.trim()) else {
            continue;
        };
        match key.trim() {
            "name" => topic.name = unquote(value).to_owned(),
            "partitions" => topic.partitions = value.parse().context("partitions is not a number")?,
            "producer" => topic.producer = unquote(value).to_owned(),
            "consumers" => topic.consumers = inline_list(value)?,
            _ => {}
        }
    }
    if topics.is_empty() {
        bail!("no topic is declared");
    }
    for topic in &topics {
        if topic.name.is_empty() || topic.partitions < 1 || topic.producer.is_empty() {
            bail!("topic {:?} lacks a name, partitions or a producer", topic.name);
        }
    }
    Ok(topics)
}

fn inline_list(value: &str) -> Result<Vec<String>> {
    let inner = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .with_context(|| format!("consumers is not an inline list: {value}"))?;
    Ok(inner
        .split(',')
        .map(|item| unquote(item.trim()).to_owned())
        .filter(|item| !item.is_empty())
        .collect())
}

fn unquote(value: &str) -> &str {
    value.trim_matches('"').trim_matches('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_topic_is_read_whole() {
        let text = "# who may do what\ntopics:\n  - name: wathiq.a.b.v1\n    partitions: 6 # fixed at creation\n    \
                    producer: a\n    consumers: [x, \"y\"]\n    description: for people\n  - name: c\n    partitions: 1\n    \
                    producer: a\n    consumers: []\n";
        let topics = parse(text).unwrap();
        assert_eq!(topics.len(), 2);
        assert_eq!(topics[0].consumers, ["x", "y"]);
        assert_eq!((topics[0].partitions, topics[0].producer.as_str()), (6, "a"));
        assert!(topics[1].consumers.is_empty());
    }

    #[test]
    fn an_incomplete_topic_is_refused() {
        let error = parse("- name: a.b\n  partitions: 3\n").unwrap_err();
        assert!(error.to_string().contains("a.b"), "{error}");
    }
}
