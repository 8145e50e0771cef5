use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::syntax::{Dictionary, Document, Fault, Kind, MAX_NESTING, ObjectId, Value};

/// What leads where in a revision, from its trailer on.
pub(super) struct Usage {
    /// How often each object is referred to.
    counts: BTreeMap<u32, usize>,
    /// The leaves of the page tree.
    pub(super) pages: BTreeSet<ObjectId>,
}

impl Usage {
    pub(super) fn of(document: &Document<'_>) -> Result<Self, Fault> {
        let mut walk = Walk::default();
        for (_, value) in document.trailer().iter() {
            walk.value(value, 0);
        }
        while let Some(id) = walk.waiting.pop() {
            if let Some(loaded) = document.object(id)? {
                walk.value(&loaded.value, 0);
            }
        }
        Ok(Self {
            counts: walk.counts,
            pages: leaves(document)?,
        })
    }

    pub(super) fn count(&self, number: u32) -> usize {
        self.counts.get(&number).copied().unwrap_or(0)
    }
}

#[derive(Default)]
struct Walk {
    counts: BTreeMap<u32, usize>,
    seen: HashSet<ObjectId>,
    waiting: Vec<ObjectId>,
}

impl Walk {
    fn value(&mut self, value: &Value<'_>, depth: usize) {
        match &value.kind {
            Kind::Reference(id) => {
                *self.counts.entry(id.number).or_default() += 1;
                if self.seen.insert(*id) {
                    self.waiting.push(*id);
                }
            }
            Kind::Array(items) if depth <= MAX_NESTING => {
                items.iter().for_each(|item| self.value(item, depth + 1));
            }
            Kind::Dictionary(dictionary) if depth <= MAX_NESTING => {
                dictionary
                    .iter()
                    .for_each(|(_, item)| self.value(item, depth + 1));
            }
            _ => {}
        }
    }
}

/// Pages by `/Kids` from the root on, whatever else is wrong with the tree.
fn leaves(document: &Document<'_>) -> Result<BTreeSet<ObjectId>, Fault> {
    let catalogue = document.catalogue()?;
    let root = catalogue.value.dictionary().and_then(|c| c.get(b"Pages"));
    let mut waiting: Vec<ObjectId> = root.and_then(Value::reference).into_iter().collect();
    let mut seen: HashSet<ObjectId> = waiting.iter().copied().collect();
    let mut pages = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        let Some(loaded) = document.object(id)? else {
            continue;
        };
        let Some(node) = super::dictionary(&loaded) else {
            continue;
        };
        if node.is_type(b"Page") && node.get(b"Kids").is_none() {
            pages.insert(id);
        }
        waiting.extend(kids(document, node)?.into_iter().filter(|kid| seen.insert(*kid)));
    }
    Ok(pages)
}

fn kids(document: &Document<'_>, node: &Dictionary<'_>) -> Result<Vec<ObjectId>, Fault> {
    let Some(kids) = node.get(b"Kids") else {
        return Ok(Vec::new());
    };
    let kids = document.resolve(kids)?;
    Ok(kids
        .array()
        .unwrap_or_default()
        .iter()
        .filter_map(Value::reference)
        .collect())
}
