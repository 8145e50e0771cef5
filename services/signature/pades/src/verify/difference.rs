mod addition;
mod fields;
mod form;
mod same;
mod shown;
mod store;
mod usage;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use addition::{Addition, Step};
use fields::Fields;
use same::{same, same_but_for, same_entry};
use usage::Usage;

use super::report::Change;
use crate::syntax::{Dictionary, Document, Entry, Fault, Kind, Loaded, ObjectId, Value};

/// Compares a revision with a later one.
///
/// Both are walked from their roots. Every object of the old revision must be as it was, but for those that a
/// rule settles: the rule has looked at all that the object says now, and nothing else in the old revision leads
/// to it. No new object may fill a reference that the old revision left open. What only the new revision
/// reaches is then reached through what a rule has settled.
pub(super) fn step(old: &Document<'_>, new: &Document<'_>) -> Result<Step, Fault> {
    let mut comparison = Comparison {
        old,
        new,
        usage: Usage::of(old)?,
        fields: Fields::default(),
        settled: BTreeMap::new(),
        additions: Vec::new(),
        offenders: BTreeSet::new(),
    };
    comparison.signature_fields()?;
    comparison.trailer()?;
    comparison.catalogue()?;
    comparison.pages()?;
    comparison.old_objects()?;
    comparison.new_objects();
    Ok(if comparison.offenders.is_empty() {
        Step::Additions(comparison.additions)
    } else {
        Step::Other(comparison.offenders)
    })
}

struct Comparison<'o, 'n, 'a, 'b> {
    old: &'o Document<'a>,
    new: &'n Document<'b>,
    /// What leads to what in the old revision.
    usage: Usage,
    fields: Fields,
    /// Objects of the old revision that a rule allows to be as they are now, and what to call a change of them.
    settled: BTreeMap<u32, Option<Change>>,
    additions: Vec<Addition>,
    offenders: BTreeSet<u32>,
}

/// Judges one entry of the catalogue; objects that may differ are added to the list.
type Rule<'o, 'n, 'a, 'b> =
    fn(&Comparison<'o, 'n, 'a, 'b>, &Dictionary<'_>, &Dictionary<'_>, &mut Vec<u32>) -> Result<bool, Fault>;

/// Entries of the catalogue that may differ; the interactive form's is judged with them.
const VARIABLE: [&[u8]; 5] = [b"AcroForm", b"DSS", b"Extensions", b"Metadata", b"Version"];

impl<'o, 'n, 'a, 'b> Comparison<'o, 'n, 'a, 'b> {
    /// A number that the old revision neither uses nor refers to.
    fn is_fresh(&self, id: ObjectId) -> bool {
        matches!(self.old.entry(id.number), None | Some(Entry::Free)) && self.usage.count(id.number) == 0
    }

    /// Where a value that may differ stands: directly, in a new object, or in its old object, which is settled if
    /// this is the only way to it.
    fn place(&self, before: Option<&Value<'_>>, after: &Value<'_>, settled: &mut Vec<u32>) -> bool {
        let Some(id) = after.reference() else { return true };
        if before.and_then(Value::reference) != Some(id) {
            return self.is_fresh(id);
        }
        if self.usage.count(id.number) == 1 {
            settled.push(id.number);
        }
        true
    }

    /// The same catalogue object, the same encryption, and `/Info` of plain texts.
    fn trailer(&mut self) -> Result<(), Fault> {
        let (before, after) = (self.old.trailer(), self.new.trailer());
        if !same_entry(before, after, b"Encrypt") {
            self.offenders.insert(self.new.catalogue()?.id.number);
        }
        let mut settled = Vec::new();
        let information = after.get(b"Info");
        let number = information.and_then(Value::reference).map_or(0, |id| id.number);
        if !self.information(before, after, &mut settled)? {
            if !same_entry(before, after, b"Info") {
                self.offenders.insert(number);
            }
            return Ok(());
        }
        if information.is_some() && !same_entry(before, after, b"Info") {
            self.additions.push(Addition::plain(Change::Metadata, number));
        }
        self.settle(settled, Some(Change::Metadata));
        Ok(())
    }

    fn settle(&mut self, numbers: Vec<u32>, change: Option<Change>) {
        self.settled
            .extend(numbers.into_iter().map(|number| (number, change)));
    }

    fn catalogue(&mut self) -> Result<(), Fault> {
        let (before, after) = (self.old.catalogue()?, self.new.catalogue()?);
        let plain = before.stream.is_none() && after.stream.is_none();
        let (Kind::Dictionary(old), Kind::Dictionary(new)) = (before.value.kind, after.value.kind) else {
            return Ok(());
        };
        if before.id != after.id || !plain {
            self.offenders.insert(after.id.number);
            return Ok(());
        }
        let rules: [(&[u8], Option<Change>, Rule<'o, 'n, 'a, 'b>); 5] = [
            (b"AcroForm", None, Self::form),
            (b"DSS", Some(Change::ValidationMaterial), Self::store),
            (b"Extensions", None, Self::extensions),
            (b"Metadata", Some(Change::Metadata), Self::metadata),
            (b"Version", None, Self::version),
        ];
        let mut well = same_but_for(&old, &new, &VARIABLE);
        for (key, change, rule) in rules {
            let mut settled = Vec::new();
            let unchanged = same_entry(&old, &new, key);
            if rule(self, &old, &new, &mut settled)? {
                self.settle(settled, change);
                let change = change.filter(|_| !unchanged);
                self.additions
                    .extend(change.map(|change| Addition::plain(change, after.id.number)));
            } else {
                well &= unchanged;
            }
        }
        if well {
            self.settle(vec![after.id.number], None);
        }
        Ok(())
    }

    fn version(&self, old: &Dictionary<'_>, new: &Dictionary<'_>, _: &mut Vec<u32>) -> Result<bool, Fault> {
        Ok(match new.get(b"Version") {
            Some(version) => version.name().is_some(),
            None => old.get(b"Version").is_none(),
        })
    }

    /// Pages only get the widgets of the fields that were added.
    fn pages(&mut self) -> Result<(), Fault> {
        for id in self.usage.pages.clone() {
            let (Some(before), Some(after)) = (self.old.object(id)?, self.new.object(id)?) else {
                continue;
            };
            let (Some(old), Some(new)) = (dictionary(&before), dictionary(&after)) else {
                continue;
            };
            let mut settled = Vec::new();
            if same_but_for(old, new, &[b"Annots"])
                && self.extended(old, new, b"Annots", &self.fields.widgets, &mut settled)?
            {
                settled.push(id.number);
                self.settle(settled, None);
            }
        }
        Ok(())
    }

    /// An array under a key that is as it was but for references to what was added, at its end.
    fn extended(
        &self,
        old: &Dictionary<'_>,
        new: &Dictionary<'_>,
        key: &[u8],
        added: &BTreeSet<ObjectId>,
        settled: &mut Vec<u32>,
    ) -> Result<bool, Fault> {
        let (before, after) = (old.get(key), new.get(key));
        let Some(after) = after else {
            return Ok(before.is_none());
        };
        if !self.place(before, after, settled) {
            return Ok(false);
        }
        let resolved = before.map(|value| self.old.resolve(value)).transpose()?;
        let now = self.new.resolve(after)?;
        let items = match &resolved {
            Some(value) => value.array(),
            None => Some(Default::default()),
        };
        let (Some(items), Some(now)) = (items, now.array()) else {
            return Ok(false);
        };
        let Some(further) = now.get(items.len()..) else {
            return Ok(false);
        };
        Ok(items.iter().zip(now).all(|(before, after)| same(before, after))
            && further
                .iter()
                .all(|value| value.reference().is_some_and(|id| added.contains(&id))))
    }

    fn old_objects(&mut self) -> Result<(), Fault> {
        for id in self.old.object_ids() {
            if self.is_untouched(id) || self.is_section(id) {
                continue;
            }
            let (Some(before), Some(after)) = (self.old.object(id)?, self.new.object(id)?) else {
                self.offenders.insert(id.number);
                continue;
            };
            if same(&before.value, &after.value) && before.stream == after.stream {
                continue;
            }
            match self.settled.get(&id.number) {
                Some(change) => self
                    .additions
                    .extend(change.map(|change| Addition::plain(change, id.number))),
                None => {
                    self.offenders.insert(id.number);
                }
            }
        }
        Ok(())
    }

    /// The same place in the file, and the same object stream where it stands in one.
    fn is_untouched(&self, id: ObjectId) -> bool {
        let place = |document: &Document<'_>| match document.entry(id.number)? {
            Entry::InStream { stream, index } => Some((document.entry(stream)?, index)),
            entry => Some((entry, 0)),
        };
        place(self.old).is_some_and(|before| Some(before) == place(self.new))
    }

    /// Cross-reference streams that share a number, each where its revision begins to be read, and used for nothing else.
    fn is_section(&self, id: ObjectId) -> bool {
        let begins = |document: &Document<'_>| {
            matches!(document.entry(id.number), Some(Entry::InFile { offset, .. })
                if offset == document.startxref())
        };
        self.usage.count(id.number) == 0 && begins(self.old) && begins(self.new)
    }

    /// New numbers, unless the old revision already referred to them.
    fn new_objects(&mut self) {
        let in_use = |number: u32| !matches!(self.old.entry(number), None | Some(Entry::Free));
        let fills = |id: &ObjectId| !in_use(id.number) && self.usage.count(id.number) > 0;
        let filled: Vec<u32> = self.new.object_ids().filter(fills).map(|id| id.number).collect();
        self.offenders.extend(filled);
    }
}

/// The dictionary of an object that is no stream and writes no key twice.
fn dictionary<'l, 'd>(loaded: &'l Loaded<'d>) -> Option<&'l Dictionary<'d>> {
    let dictionary = loaded.value.dictionary()?;
    (loaded.stream.is_none() && dictionary.duplicate_key().is_none()).then_some(dictionary)
}

/// The dictionary a value is or refers to, if it is no stream and writes no key twice.
fn plain<'d>(document: &'d Document<'_>, value: &Value<'d>) -> Result<Option<Dictionary<'d>>, Fault> {
    if value.reference().is_some() {
        return Ok(document
            .load(value)?
            .and_then(|loaded| dictionary(&loaded).cloned()));
    }
    Ok(value
        .dictionary()
        .filter(|dictionary| dictionary.duplicate_key().is_none())
        .cloned())
}

/// A value without references and without parts.
fn is_scalar(value: &Value<'_>) -> bool {
    !matches!(
        value.kind,
        Kind::Reference(_) | Kind::Array(_) | Kind::Dictionary(_)
    )
}
