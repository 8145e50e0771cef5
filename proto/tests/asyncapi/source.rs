//! What the document is made of: the list of topics, and the contracts with their comments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use serde::Deserialize;

/// A topic as declared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) partitions: u32,
    pub(crate) producer: String,
    pub(crate) consumers: Vec<String>,
    pub(crate) aggregate: String,
    events: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topics {
    topics: Vec<Topic>,
}

impl Topic {
    /// Full names of the topic's events.
    pub(crate) fn event_types(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|event| format!("wathiq.{}.v1.{event}", self.producer.replace('-', "_")))
            .collect()
    }
}

pub(crate) fn topics(text: &str) -> Vec<Topic> {
    serde_yaml::from_str::<Topics>(text).unwrap().topics
}

/// A message with what its file says about it.
pub(crate) struct Declared {
    pub(crate) file: String,
    pub(crate) descriptor: DescriptorProto,
    /// The comment above it.
    pub(crate) comment: String,
    /// The lines that declare it.
    pub(crate) text: String,
}

/// The messages of all files, by full name.
pub(crate) struct Contracts {
    messages: BTreeMap<String, Declared>,
    /// Types of fields: such a message is part of others.
    parts: BTreeSet<String>,
}

/// Number of the field `message_type` in a `FileDescriptorProto`: how paths of the source information begin.
const MESSAGE_TYPE: i32 = 4;

impl Contracts {
    pub(crate) fn read(root: &Path) -> Self {
        let set = FileDescriptorSet::decode(wathiq_proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut contracts = Self {
            messages: BTreeMap::new(),
            parts: BTreeSet::new(),
        };
        for file in set
            .file
            .iter()
            .filter(|file| file.package().starts_with("wathiq."))
        {
            contracts.add(file, &std::fs::read_to_string(root.join(file.name())).unwrap());
        }
        contracts
    }

    fn add(&mut self, file: &FileDescriptorProto, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        for (index, descriptor) in file.message_type.iter().enumerate() {
            let path = [MESSAGE_TYPE, i32::try_from(index).unwrap()];
            let information = file.source_code_info.as_ref().unwrap();
            let location = information
                .location
                .iter()
                .find(|location| location.path == path)
                .unwrap();
            let declared = Declared {
                file: file.name().to_owned(),
                descriptor: descriptor.clone(),
                comment: location
                    .leading_comments()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" "),
                text: lines[lines_of(&location.span)].join("\n"),
            };
            let fields = descriptor
                .field
                .iter()
                .map(|field| field.type_name().trim_start_matches('.'));
            self.parts.extend(fields.map(str::to_owned));
            self.messages
                .insert(format!("{}.{}", file.package(), descriptor.name()), declared);
        }
    }

    pub(crate) fn message(&self, name: &str) -> &Declared {
        self.messages
            .get(name)
            .unwrap_or_else(|| panic!("no message {name}"))
    }

    /// The messages of the files of events that are no part of another message.
    pub(crate) fn events(&self) -> BTreeSet<String> {
        let events = self
            .messages
            .iter()
            .filter(|(_, declared)| declared.file.ends_with("/events.proto"));
        events
            .map(|(name, _)| name.clone())
            .filter(|name| !self.parts.contains(name))
            .collect()
    }
}

/// A span is line, column, line, column; without the second line where both are the same.
fn lines_of(span: &[i32]) -> std::ops::RangeInclusive<usize> {
    let line = |index: usize| usize::try_from(span[index]).unwrap();
    line(0)..=if span.len() == 4 { line(2) } else { line(0) }
}
