use std::collections::{BTreeMap, BTreeSet};

use super::report::{Change, LaterChanges};
use crate::fields::{self, Form, SignatureField};
use crate::pages;
use crate::syntax::{Dictionary, Document, Entry, Fault, Kind, Loaded, MAX_NESTING, ObjectId, Value};

/// Compares the file with one of its earlier revisions.
///
/// Every object of the old revision must be as it was, but for the few ways in which signatures, document
/// time-stamps, validation material and metadata are added; and no new object may fill a reference that the old
/// revision left open.
pub(super) fn classify(old: &Document<'_>, new: &Document<'_>) -> Result<LaterChanges, Fault> {
    let mut comparison = Comparison::new(old, new)?;
    comparison.roots()?;
    comparison.old_objects()?;
    comparison.new_objects();
    if !comparison.offenders.is_empty() {
        return Ok(LaterChanges::Other {
            objects: comparison.offenders.into_iter().collect(),
        });
    }
    if comparison.changes.is_empty() {
        return Ok(LaterChanges::None);
    }
    Ok(LaterChanges::Harmless {
        changes: comparison.changes.into_iter().collect(),
    })
}

struct Comparison<'o, 'n, 'a, 'b> {
    old: &'o Document<'a>,
    new: &'n Document<'b>,
    /// Fields and widgets that were added properly.
    added: BTreeSet<ObjectId>,
    /// Signature fields that were there and are signed now, with their widgets.
    filled: BTreeSet<ObjectId>,
    /// Objects of the old revision that may change as they like: metadata and the security store.
    free: BTreeMap<u32, Change>,
    /// How often each object is referred to in the old revision, the trailer left out.
    referred: BTreeMap<u32, usize>,
    changes: BTreeSet<Change>,
    offenders: BTreeSet<u32>,
}

impl<'o, 'n, 'a, 'b> Comparison<'o, 'n, 'a, 'b> {
    fn new(old: &'o Document<'a>, new: &'n Document<'b>) -> Result<Self, Fault> {
        let mut comparison = Self {
            old,
            new,
            added: BTreeSet::new(),
            filled: BTreeSet::new(),
            free: BTreeMap::new(),
            referred: BTreeMap::new(),
            changes: BTreeSet::new(),
            offenders: BTreeSet::new(),
        };
        for id in old.object_ids() {
            if let Some(loaded) = old.object(id)? {
                count_references(&loaded.value, &mut comparison.referred, 0);
            }
        }
        comparison.fields()?;
        comparison.free_objects()?;
        Ok(comparison)
    }

    /// Finds the signature fields that are new, and those that are newly signed.
    fn fields(&mut self) -> Result<(), Fault> {
        let before = Form::read(self.old)?;
        let after = Form::read(self.new)?;
        let known: BTreeMap<Option<ObjectId>, &SignatureField<'_>> = before
            .signature_fields
            .iter()
            .map(|field| (field.id, field))
            .collect();
        for field in &after.signature_fields {
            let ids = field
                .id
                .into_iter()
                .chain(field.widgets.iter().filter_map(|(id, _)| *id));
            match known.get(&field.id) {
                None => {
                    let change = self.kind_of(field)?;
                    self.changes.extend(change);
                    match (change, field.id) {
                        (Some(_), _) => self.added.extend(ids),
                        (None, id) => self.offenders.extend(id.map(|id| id.number)),
                    }
                }
                Some(earlier) if earlier.signature.is_none() && field.signature.is_some() => {
                    self.changes.extend(self.kind_of(field)?);
                    self.filled.extend(ids);
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// What a new field is; `None` for an empty one that is seen.
    fn kind_of(&self, field: &SignatureField<'_>) -> Result<Option<Change>, Fault> {
        if let Some(signature) = &field.signature {
            let sub_filter = self.new.get(&signature.dictionary, b"SubFilter")?;
            let stamp = sub_filter.as_ref().and_then(Value::name) == Some(b"ETSI.RFC3161");
            return Ok(Some(if stamp {
                Change::DocumentTimestamp
            } else {
                Change::Signature
            }));
        }
        for (_, widget) in &field.widgets {
            let Some(rect) = self.new.get(widget, b"Rect")? else {
                continue;
            };
            let rect = pages::rectangle(self.new, &rect)?;
            if rect.is_some_and(|rect| rect[0] < rect[2] && rect[1] < rect[3]) {
                return Ok(None);
            }
        }
        Ok(Some(Change::SignatureField))
    }

    /// An object counts as metadata or store only if nothing else refers to it: else a page prepared for it
    /// could be exchanged under that name.
    fn free_objects(&mut self) -> Result<(), Fault> {
        let referred = std::mem::take(&mut self.referred);
        let mut free = |value: Option<&Value<'_>>, times: usize, change| {
            let id = value
                .and_then(Value::reference)
                .filter(|id| referred.get(&id.number).unwrap_or(&0) <= &times);
            self.free.extend(id.map(|id| (id.number, change)));
        };
        free(self.old.trailer().get(b"Info"), 0, Change::Metadata);
        let catalogue = self.old.catalogue()?;
        let empty = Dictionary::default();
        let catalogue = catalogue.value.dictionary().unwrap_or(&empty);
        free(catalogue.get(b"Metadata"), 1, Change::Metadata);
        free(catalogue.get(b"DSS"), 1, Change::ValidationMaterial);
        if let Some(store) = self.old.get(catalogue, b"DSS")? {
            for key in [b"Certs".as_slice(), b"CRLs", b"OCSPs", b"VRI"] {
                free(
                    store.dictionary().and_then(|store| store.get(key)),
                    1,
                    Change::ValidationMaterial,
                );
            }
        }
        self.referred = referred;
        Ok(())
    }

    /// Both revisions have the same catalogue object.
    fn roots(&mut self) -> Result<(), Fault> {
        let (before, after) = (self.old.catalogue()?.id, self.new.catalogue()?.id);
        if before != after {
            self.offenders.insert(after.number);
        }
        Ok(())
    }

    fn old_objects(&mut self) -> Result<(), Fault> {
        for id in self.old.object_ids() {
            if self.is_untouched(id) {
                continue;
            }
            let before = self.old.object(id)?;
            let after = self.new.object(id)?;
            let (Some(before), Some(after)) = (before, after) else {
                self.offenders.insert(id.number);
                continue;
            };
            if same(&before.value, &after.value) && before.stream == after.stream {
                continue;
            }
            if !self.permitted(&before, &after)? {
                self.offenders.insert(id.number);
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

    fn permitted(&mut self, before: &Loaded<'_>, after: &Loaded<'_>) -> Result<bool, Fault> {
        if let Some(change) = self.free.get(&before.id.number) {
            self.changes.insert(*change);
            return Ok(true);
        }
        if let (Some(old), Some(new)) = (before.value.array(), after.value.array()) {
            return Ok(self.is_extended(old, new));
        }
        let (Kind::Dictionary(old), Kind::Dictionary(new)) = (&before.value.kind, &after.value.kind) else {
            return Ok(false);
        };
        let structural =
            |dictionary: &Dictionary<'_>| dictionary.is_type(b"XRef") || dictionary.is_type(b"ObjStm");
        if before.stream.is_some() || after.stream.is_some() {
            return Ok(structural(old) && structural(new));
        }
        if before.id == self.old.catalogue()?.id {
            return self.catalogue(old, new);
        }
        if self.filled.contains(&before.id) {
            return Ok(same_but_for(
                old,
                new,
                &[b"V", b"AP", b"AS", b"F", b"M", b"MK", b"DA"],
            ));
        }
        let form = self
            .old
            .catalogue()?
            .value
            .dictionary()
            .and_then(|c| c.get(b"AcroForm")?.reference());
        if form == Some(before.id) {
            return self.form(old, new);
        }
        // A page, which only gets more widgets.
        Ok(same_but_for(old, new, &[b"Annots"]) && self.list(old, new, b"Annots")?)
    }

    fn catalogue(&mut self, old: &Dictionary<'_>, new: &Dictionary<'_>) -> Result<bool, Fault> {
        if !same_but_for(
            old,
            new,
            &[b"AcroForm", b"DSS", b"Extensions", b"Metadata", b"Version"],
        ) {
            return Ok(false);
        }
        for (key, change) in [
            (b"DSS".as_slice(), Change::ValidationMaterial),
            (b"Metadata", Change::Metadata),
        ] {
            if !same_entry(old, new, key) {
                self.changes.insert(change);
            }
        }
        if same_entry(old, new, b"AcroForm") {
            return Ok(true);
        }
        let empty = Dictionary::default();
        let before = fields::dictionary(self.old)?.unwrap_or_else(|| empty.clone());
        let after = fields::dictionary(self.new)?.unwrap_or(empty);
        self.form(&before, &after)
    }

    fn form(&self, old: &Dictionary<'_>, new: &Dictionary<'_>) -> Result<bool, Fault> {
        // Default resources and appearance are added by some writers together with a first signature.
        let added = [b"DR".as_slice(), b"DA"]
            .into_iter()
            .filter(|key| old.get(key).is_none());
        let variable: Vec<&[u8]> = [b"Fields".as_slice(), b"SigFlags"]
            .into_iter()
            .chain(added)
            .collect();
        Ok(same_but_for(old, new, &variable) && self.list(old, new, b"Fields")?)
    }

    /// An array under a key, written directly or as an object, that only grew by what may be added.
    fn list(&self, old: &Dictionary<'_>, new: &Dictionary<'_>, key: &[u8]) -> Result<bool, Fault> {
        let before = old.get(key).map(|value| self.old.resolve(value)).transpose()?;
        let after = new.get(key).map(|value| self.new.resolve(value)).transpose()?;
        let before = before.as_ref().and_then(Value::array).unwrap_or_default();
        Ok(self.is_extended(before, after.as_ref().and_then(Value::array).unwrap_or_default()))
    }

    fn is_extended(&self, old: &[Value<'_>], new: &[Value<'_>]) -> bool {
        let Some(added) = new.get(old.len()..) else {
            return false;
        };
        old.iter().zip(new).all(|(before, after)| same(before, after))
            && added
                .iter()
                .all(|value| value.reference().is_some_and(|id| self.added.contains(&id)))
    }

    /// New numbers, unless the old revision already referred to them.
    fn new_objects(&mut self) {
        let in_use = |number: u32| !matches!(self.old.entry(number), None | Some(Entry::Free));
        let fills = |id: &ObjectId| !in_use(id.number) && self.referred.contains_key(&id.number);
        let filled: Vec<u32> = self.new.object_ids().filter(fills).map(|id| id.number).collect();
        self.offenders.extend(filled);
    }
}

fn count_references(value: &Value<'_>, found: &mut BTreeMap<u32, usize>, depth: usize) {
    match &value.kind {
        Kind::Reference(id) => *found.entry(id.number).or_default() += 1,
        Kind::Array(items) if depth <= MAX_NESTING => {
            items
                .iter()
                .for_each(|item| count_references(item, found, depth + 1));
        }
        Kind::Dictionary(dictionary) if depth <= MAX_NESTING => {
            dictionary
                .iter()
                .for_each(|(_, item)| count_references(item, found, depth + 1));
        }
        _ => {}
    }
}

/// Whether two values mean the same, however they are written; references are not followed.
fn same(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (&left.kind, &right.kind) {
        (Kind::String, Kind::String) => left.string() == right.string(),
        (Kind::Array(left), Kind::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Kind::Dictionary(left), Kind::Dictionary(right)) => same_but_for(left, right, &[]),
        (left, right) => left == right,
    }
}

fn same_but_for(left: &Dictionary<'_>, right: &Dictionary<'_>, variable: &[&[u8]]) -> bool {
    let keys = left.iter().chain(right.iter()).map(|(key, _)| key);
    keys.filter(|key| !variable.contains(key))
        .all(|key| same_entry(left, right, key))
}

fn same_entry(left: &Dictionary<'_>, right: &Dictionary<'_>, key: &[u8]) -> bool {
    match (left.get(key), right.get(key)) {
        (None, None) => true,
        (Some(left), Some(right)) => same(left, right),
        _ => false,
    }
}
