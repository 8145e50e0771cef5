use std::collections::{BTreeMap, BTreeSet};

use super::difference::{self, Step};
use super::permissions::Permissions;
use super::report::{Change, Coverage, LaterChanges};
use super::structure::Structure;
use crate::syntax::Document;

/// The revisions that signatures close, in their order, and what came between them.
pub(super) struct History {
    /// By the length of the revision: what the next one, or the file, adds.
    steps: BTreeMap<usize, Step>,
    /// What each signature forbids, by its place among the structures.
    permissions: BTreeMap<usize, Permissions>,
    length: usize,
}

impl History {
    /// Compares each signed revision with the next one and the last with the file: what is harmless in every step
    /// is harmless in all. Nothing that came in between is forgotten because a later revision took it back.
    pub(super) fn of(document: &Document<'_>, structures: &[Structure<'_>]) -> Self {
        let mut history = Self {
            steps: BTreeMap::new(),
            permissions: BTreeMap::new(),
            length: document.bytes().len(),
        };
        let ends: BTreeSet<usize> = structures.iter().map(Structure::signed_end).collect();
        let mut previous: Option<(usize, Document<'_>)> = None;
        for end in ends {
            let Some(revision) = open(document, end) else {
                continue;
            };
            for (index, structure) in structures.iter().enumerate() {
                if structure.signed_end() == end
                    && let Some(id) = structure.id
                {
                    history.permissions.insert(index, Permissions::of(&revision, id));
                }
            }
            if let Some((earlier, old)) = &previous {
                history.compare(*earlier, old, &revision);
            }
            previous = Some((end, revision));
        }
        if let Some((end, old)) = &previous
            && *end < history.length
        {
            history.compare(*end, old, document);
        }
        history
    }

    fn compare(&mut self, end: usize, old: &Document<'_>, new: &Document<'_>) {
        let unreadable = Step::Other(BTreeSet::new());
        let step = difference::step(old, new).unwrap_or(unreadable);
        self.steps.insert(end, step);
    }

    /// How much of the file a signature covers, and what came behind it.
    pub(super) fn surroundings(&self, index: usize, structure: &Structure<'_>) -> (Coverage, LaterChanges) {
        let end = structure.signed_end();
        let Some(permissions) = self.permissions.get(&index) else {
            let objects = Vec::new();
            return (Coverage::Partial, LaterChanges::Other { objects });
        };
        if end == self.length {
            return (Coverage::WholeFile, LaterChanges::None);
        }
        (Coverage::WholeRevision, self.later(end, permissions))
    }

    fn later(&self, end: usize, permissions: &Permissions) -> LaterChanges {
        let mut objects = BTreeSet::new();
        let mut changes: BTreeSet<Change> = BTreeSet::new();
        let (mut other, mut visible) = (false, false);
        for step in self.steps.range(end..).map(|(_, step)| step) {
            match step {
                Step::Other(offenders) => {
                    other = true;
                    objects.extend(offenders);
                }
                Step::Additions(additions) => {
                    visible |= additions.iter().any(difference::Addition::is_visible);
                    changes.extend(additions.iter().map(|addition| addition.change));
                    let forbidden = additions.iter().filter(|addition| permissions.forbid(addition));
                    objects.extend(forbidden.map(|addition| addition.object));
                }
            }
        }
        let changes: Vec<Change> = changes.into_iter().collect();
        match (other || !objects.is_empty(), visible) {
            (true, _) => LaterChanges::Other {
                objects: objects.into_iter().collect(),
            },
            (false, true) => LaterChanges::Visible { changes },
            (false, false) if changes.is_empty() => LaterChanges::None,
            (false, false) => LaterChanges::Harmless { changes },
        }
    }
}

/// The revision of this length, if it is a file of its own.
fn open<'b>(document: &Document<'b>, end: usize) -> Option<Document<'b>> {
    let bytes = document.bytes().get(..end)?;
    let ends_well = bytes.trim_ascii_end().ends_with(b"%%EOF");
    ends_well.then(|| Document::open(bytes).ok()).flatten()
}
