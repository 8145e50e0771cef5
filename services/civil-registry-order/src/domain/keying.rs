//! Keying an act from the register: twice, by two people, and a third look where they differ.
//!
//! keyed once → registered, where the second reads the same; keyed once → differs → registered, by a third person who settles the fields
//! that differ and leaves the others. What was keyed under a wrong key, or was misread by both, is withdrawn before it is registered; the key is
//! free again then.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::act::{Draft, Entry, flat};

/// One person's reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub person_id: Uuid,
    pub entry: Entry,
}

/// Where a keying stands, with what that state has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    KeyedOnce,
    Differs {
        second: Look,
    },
    Registered {
        second: Look,
        third: Option<Look>,
        act_id: Uuid,
    },
    /// Set aside before it was an act.
    Withdrawn {
        second: Option<Look>,
        by: Uuid,
    },
}

impl Stage {
    /// The state's name in the database, in events and in answers.
    pub fn name(&self) -> &'static str {
        match self {
            Self::KeyedOnce => "KEYED_ONCE",
            Self::Differs { .. } => "DIFFERS",
            Self::Registered { .. } => "REGISTERED",
            Self::Withdrawn { .. } => "WITHDRAWN",
        }
    }
}

/// An act on its way into the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keying {
    pub id: Uuid,
    /// 1 after the first look; one more with each.
    pub version: i64,
    pub first: Look,
    pub stage: Stage,
    pub scan_id: Option<Uuid>,
}

/// A field on which two readings differ; the empty text where one has nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Dotted path, such as `content.mother.birth_place.latin`.
    pub field: String,
    pub first: String,
    pub second: String,
}

/// Why a look does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyingError {
    #[error("who has keyed this act may not look a second time")]
    SamePerson,
    #[error("the act is registered")]
    Registered,
    /// Both had read the same there.
    #[error("a third look settles only the fields that differ")]
    AgreedFieldsChanged(Vec<String>),
    #[error("the keying is of another act")]
    OtherKey,
    #[error("the keying is withdrawn")]
    Withdrawn,
    #[error("a first look is withdrawn by who keyed it, or by an officer")]
    NotTheirs,
}

impl Keying {
    /// The first look.
    pub fn open(id: Uuid, first: Look, scan_id: Option<Uuid>) -> Self {
        Self {
            id,
            version: 1,
            first,
            stage: Stage::KeyedOnce,
            scan_id,
        }
    }

    /// A further look, which registers the act as `act_id` where that settles it.
    ///
    /// # Errors
    /// [`KeyingError`].
    pub fn look(self, look: Look, act_id: Uuid) -> Result<Self, KeyingError> {
        if look.entry.key() != self.first.entry.key() {
            return Err(KeyingError::OtherKey);
        }
        let looked = self.people().contains(&look.person_id);
        let stage = match self.stage {
            Stage::Registered { .. } => return Err(KeyingError::Registered),
            Stage::Withdrawn { .. } => return Err(KeyingError::Withdrawn),
            _ if looked => return Err(KeyingError::SamePerson),
            Stage::KeyedOnce if differences(&self.first.entry, &look.entry).is_empty() => Stage::Registered {
                second: look,
                third: None,
                act_id,
            },
            Stage::KeyedOnce => Stage::Differs { second: look },
            Stage::Differs { second } => {
                let changed = agreed_but_changed(&self.first.entry, &second.entry, &look.entry);
                if !changed.is_empty() {
                    return Err(KeyingError::AgreedFieldsChanged(changed));
                }
                Stage::Registered {
                    second,
                    third: Some(look),
                    act_id,
                }
            }
        };
        Ok(Self {
            version: self.version + 1,
            stage,
            ..self
        })
    }

    /// Sets aside what was keyed: a first look by who keyed it or by an officer; two looks that differ by whoever took neither.
    ///
    /// # Errors
    /// [`KeyingError`].
    pub fn withdraw(self, by: Uuid, is_officer: bool) -> Result<Self, KeyingError> {
        let looked = self.people().contains(&by);
        let second = match self.stage {
            Stage::Registered { .. } => return Err(KeyingError::Registered),
            Stage::Withdrawn { .. } => return Err(KeyingError::Withdrawn),
            Stage::KeyedOnce if looked || is_officer => None,
            Stage::KeyedOnce => return Err(KeyingError::NotTheirs),
            Stage::Differs { .. } if looked => return Err(KeyingError::SamePerson),
            Stage::Differs { second } => Some(second),
        };
        Ok(Self {
            version: self.version + 1,
            stage: Stage::Withdrawn { second, by },
            ..self
        })
    }

    /// Who has looked so far.
    pub fn people(&self) -> Vec<Uuid> {
        let mut people = vec![self.first.person_id];
        match &self.stage {
            Stage::KeyedOnce => {}
            Stage::Differs { second } => people.push(second.person_id),
            Stage::Withdrawn { second, .. } => people.extend(second.as_ref().map(|second| second.person_id)),
            Stage::Registered { second, third, .. } => {
                people.push(second.person_id);
                people.extend(third.as_ref().map(|third| third.person_id));
            }
        }
        people
    }

    /// What the two read differently, while that is open.
    pub fn differences(&self) -> Vec<Difference> {
        match &self.stage {
            Stage::Differs { second } => differences(&self.first.entry, &second.entry),
            Stage::KeyedOnce | Stage::Registered { .. } | Stage::Withdrawn { .. } => Vec::new(),
        }
    }

    /// What is to be registered: the last reading.
    pub fn settled(&self) -> Option<(&Entry, Uuid)> {
        match &self.stage {
            Stage::Registered {
                second,
                third,
                act_id,
            } => Some((&third.as_ref().unwrap_or(second).entry, *act_id)),
            Stage::KeyedOnce | Stage::Differs { .. } | Stage::Withdrawn { .. } => None,
        }
    }
}

/// The fields on which two readings differ, by path.
pub fn differences(first: &Entry, second: &Entry) -> Vec<Difference> {
    let (first, second) = (fields(first), fields(second));
    let mut paths: Vec<&String> = first.keys().chain(second.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| !same_reading(first.get(*path), second.get(*path)))
        .map(|path| Difference {
            field: path.clone(),
            first: first.get(path).cloned().unwrap_or_default(),
            second: second.get(path).cloned().unwrap_or_default(),
        })
        .collect()
}

/// The tatweel lengthens a letter on paper and says nothing.
fn same_reading(one: Option<&String>, other: Option<&String>) -> bool {
    const TATWEEL: char = '\u{640}';
    let letters = |text: Option<&String>| -> Option<String> {
        text.map(|text| text.chars().filter(|character| *character != TATWEEL).collect())
    };
    one == other || letters(one) == letters(other)
}

fn agreed_but_changed(first: &Entry, second: &Entry, third: &Entry) -> Vec<String> {
    let (first, second) = (fields(first), fields(second));
    let differ = |path: &String| !same_reading(first.get(path), second.get(path));
    let third = fields(third);
    let mut changed: Vec<String> = first
        .keys()
        .chain(third.keys())
        .filter(|path| !differ(path) && !same_reading(first.get(*path), third.get(*path)))
        .filter(|path| !below_a_difference(path, &first, &second))
        .cloned()
        .collect();
    changed.sort_unstable();
    changed.dedup();
    changed
}

/// Notes are numbered by place: where the two did not read the same number of notes, all notes are open.
fn below_a_difference(
    path: &str,
    first: &BTreeMap<String, String>,
    second: &BTreeMap<String, String>,
) -> bool {
    let count = |fields: &BTreeMap<String, String>| {
        fields
            .keys()
            .filter(|path| path.starts_with("notes[") && path.ends_with("].kind"))
            .count()
    };
    path.starts_with("notes[") && count(first) != count(second)
}

fn fields(entry: &Entry) -> BTreeMap<String, String> {
    let key = entry.key();
    let mut fields = flat::flatten(&Draft {
        office: String::new(),
        kind: key.kind,
        year: i32::from(key.year),
        part: key.part.as_str().to_owned(),
        number: key.number.as_str().to_owned(),
        content: Box::new(entry.content().clone()),
        notes: entry.notes().to_vec(),
    });
    // The key is the same in both, or it would be another keying.
    fields.retain(|path, _| path.starts_with("content.") || path.starts_with("notes["));
    fields
}

#[cfg(test)]
mod tests;
