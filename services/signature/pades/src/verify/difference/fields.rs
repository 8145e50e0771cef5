use std::collections::{BTreeMap, BTreeSet};

use super::addition::AddedField;
use super::shown::is_shown;
use super::{Addition, Comparison, plain, same_but_for, same_entry};
use crate::fields::{Form, SignatureField};
use crate::syntax::{Dictionary, Fault, Kind, ObjectId, Value};
use crate::verify::report::Change;
use crate::verify::structure;

/// What a signature field and its widgets may say: neither actions nor optional content.
const FIELD_KEYS: [&[u8]; 27] = [
    b"Type",
    b"Subtype",
    b"FT",
    b"T",
    b"TU",
    b"TM",
    b"Ff",
    b"V",
    b"F",
    b"Rect",
    b"P",
    b"AP",
    b"AS",
    b"Lock",
    b"SV",
    b"DA",
    b"DR",
    b"Q",
    b"MK",
    b"BS",
    b"Border",
    b"H",
    b"M",
    b"NM",
    b"Lang",
    b"StructParent",
    b"Kids",
];

/// Entries of an empty field that signing it may change. Those behind `/Ff` change what is seen.
const FILLED_KEYS: [&[u8]; 9] = [b"V", b"M", b"Type", b"Ff", b"AP", b"AS", b"F", b"MK", b"DA"];
const SILENT_KEYS: [&[u8]; 4] = [b"V", b"M", b"Type", b"Ff"];

/// The signature fields that differ between two revisions.
#[derive(Default)]
pub(super) struct Fields {
    /// Fields that were added properly.
    pub(super) added: BTreeSet<ObjectId>,
    /// Their widgets.
    pub(super) widgets: BTreeSet<ObjectId>,
    /// Whether the old form holds signature fields alone.
    pub(super) only_signatures: bool,
}

impl Comparison<'_, '_, '_, '_> {
    /// Finds the signature fields that are new, and those that are newly signed.
    pub(super) fn signature_fields(&mut self) -> Result<(), Fault> {
        let (before, after) = (Form::read(self.old)?, Form::read(self.new)?);
        self.fields.only_signatures = before.names.len() == before.signature_fields.len();
        let known: BTreeMap<ObjectId, &SignatureField<'_>> = before
            .signature_fields
            .iter()
            .filter_map(|field| Some((field.id?, field)))
            .collect();
        for field in &after.signature_fields {
            let Some(id) = field.id else { continue };
            match known.get(&id) {
                None => match self.added(id, field, &before)? {
                    Some(addition) => self.additions.push(addition),
                    None => {
                        self.offenders.insert(id.number);
                    }
                },
                Some(earlier) if earlier.signature.is_none() && field.signature.is_some() => {
                    self.filled(id, earlier, field)?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// A new field: in new objects, of an unused name, and empty only where it is not seen.
    fn added(
        &mut self,
        id: ObjectId,
        field: &SignatureField<'_>,
        before: &Form<'_>,
    ) -> Result<Option<Addition>, Fault> {
        let widgets: Option<Vec<ObjectId>> = field.widgets.iter().map(|(id, _)| *id).collect();
        let Some(widgets) = widgets else { return Ok(None) };
        let well = self.is_fresh(id)
            && self.new.object(id)?.is_some_and(|loaded| loaded.stream.is_none())
            && field.dictionary.get(b"Parent").is_none()
            && is_widget(&field.dictionary, false)
            && is_free(&field.name, &before.names)
            && self.value(field)?;
        if !well {
            return Ok(None);
        }
        let mut visible = false;
        for (widget, (_, dictionary)) in widgets.iter().zip(&field.widgets) {
            if *widget != id && !self.is_kid(*widget, dictionary, id)? {
                return Ok(None);
            }
            visible |= is_shown(self.new, dictionary)?;
        }
        let signed = field
            .signature
            .as_ref()
            .is_some_and(|signature| structure::signed(self.new, signature).is_some());
        if visible && !signed {
            return Ok(None);
        }
        self.fields.added.insert(id);
        let drawn = |dictionary: &Dictionary<'_>| dictionary.name(b"Subtype") == Some(b"Widget");
        let drawn = field.widgets.iter().filter(|(_, dictionary)| drawn(dictionary));
        self.fields.widgets.extend(drawn.filter_map(|(id, _)| *id));
        self.addition(id, field, false, visible).map(Some)
    }

    fn addition(
        &self,
        id: ObjectId,
        field: &SignatureField<'_>,
        existed: bool,
        visible: bool,
    ) -> Result<Addition, Fault> {
        Ok(Addition {
            change: self.kind_of(field)?,
            object: id.number,
            field: Some(AddedField {
                name: field.name.clone(),
                existed,
                visible,
            }),
        })
    }

    /// A new widget of a new field.
    fn is_kid(&self, widget: ObjectId, dictionary: &Dictionary<'_>, field: ObjectId) -> Result<bool, Fault> {
        let loaded = self.new.object(widget)?;
        Ok(self.is_fresh(widget)
            && loaded.is_some_and(|loaded| loaded.stream.is_none())
            && dictionary.get(b"Parent").and_then(Value::reference) == Some(field)
            && is_widget(dictionary, true))
    }

    /// No value, or a signature dictionary in a new object.
    fn value(&self, field: &SignatureField<'_>) -> Result<bool, Fault> {
        let Some(value) = field.dictionary.get(b"V") else {
            return Ok(field.signature.is_none());
        };
        let fresh = value.reference().is_some_and(|id| self.is_fresh(id));
        Ok(fresh && plain(self.new, value)?.is_some())
    }

    fn kind_of(&self, field: &SignatureField<'_>) -> Result<Change, Fault> {
        let Some(signature) = &field.signature else {
            return Ok(Change::SignatureField);
        };
        let name = |key: &[u8], expected: &[u8]| -> Result<bool, Fault> {
            let value = self.new.get(&signature.dictionary, key)?;
            Ok(value.as_ref().and_then(Value::name) == Some(expected))
        };
        Ok(
            if name(b"SubFilter", b"ETSI.RFC3161")? && name(b"Type", b"DocTimeStamp")? {
                Change::DocumentTimestamp
            } else {
                Change::Signature
            },
        )
    }

    /// A field that stood there empty and is signed now.
    fn filled(
        &mut self,
        id: ObjectId,
        earlier: &SignatureField<'_>,
        field: &SignatureField<'_>,
    ) -> Result<(), Fault> {
        let ids = |field: &SignatureField<'_>| field.widgets.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        let (widgets, mut visible) = (ids(field), false);
        let mut well = widgets == ids(earlier)
            && self.value(field)?
            && is_filled(&earlier.dictionary, &field.dictionary);
        for ((_, old), (_, new)) in earlier.widgets.iter().zip(&field.widgets) {
            well &= is_filled(old, new);
            visible |= !same_but_for(old, new, &SILENT_KEYS) && is_shown(self.new, new)?;
        }
        for number in widgets.iter().flatten().chain([&id]) {
            let object = self.new.object(*number)?;
            well &= object.is_some_and(|loaded| loaded.stream.is_none());
        }
        if !well {
            return Ok(());
        }
        let objects = widgets.into_iter().flatten().chain([id]);
        self.settle(objects.map(|id| id.number).collect(), None);
        let addition = self.addition(id, field, true, visible)?;
        self.additions.push(addition);
        Ok(())
    }
}

fn is_widget(dictionary: &Dictionary<'_>, has_parent: bool) -> bool {
    let known = |key: &[u8]| FIELD_KEYS.contains(&key) || (has_parent && key == b"Parent");
    let subtype = dictionary.get(b"Subtype");
    dictionary.duplicate_key().is_none()
        && dictionary.iter().all(|(key, _)| known(key))
        && subtype.is_none_or(|subtype| subtype.name() == Some(b"Widget"))
}

/// A name at the top of the tree that neither is taken nor stands above or below one that is.
fn is_free(name: &str, taken: &[String]) -> bool {
    let below = |name: &str, other: &str| {
        name.strip_prefix(other)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    !name.is_empty() && !taken.iter().any(|other| below(name, other) || below(other, name))
}

/// Only what signing sets, each of its kind: readers might come to the same object by another way.
fn is_filled(old: &Dictionary<'_>, new: &Dictionary<'_>) -> bool {
    let shape = |key: &[u8], value: &Value<'_>| match key {
        b"V" => value.reference().is_some(),
        b"AP" => value.dictionary().is_some(),
        b"AS" => value.name().is_some(),
        b"Type" => value.name() == Some(b"Annot"),
        b"F" | b"Ff" => value.integer().is_some(),
        b"M" | b"DA" => value.string().is_some(),
        b"MK" => is_direct(value),
        _ => true,
    };
    same_but_for(old, new, &FILLED_KEYS)
        && new
            .iter()
            .all(|(key, value)| same_entry(old, new, key) || shape(key, value))
}

fn is_direct(value: &Value<'_>) -> bool {
    match &value.kind {
        Kind::Reference(_) => false,
        Kind::Array(items) => items.iter().all(is_direct),
        Kind::Dictionary(dictionary) => dictionary.iter().all(|(_, value)| is_direct(value)),
        _ => true,
    }
}
