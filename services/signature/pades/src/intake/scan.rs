use super::Limits;
use super::actions;
use super::refusal::{Reason, Refusal};
use crate::fields;
use crate::syntax::{Dictionary, Document, Kind, Loaded, MAX_NESTING, ObjectId, Value, decoded_length};

/// Reads every object in use, counts what its stream decodes to, and looks at every dictionary in it. An object that is a
/// mere reference is read differently by readers, and refused. Answers the number of objects.
pub(super) fn all_objects(document: &Document<'_>, limits: &Limits) -> Result<usize, Refusal> {
    let mut left = limits.max_decoded;
    let mut count = 0;
    for id in document.object_ids() {
        let loaded = document
            .object(id)?
            .filter(|loaded| loaded.value.reference().is_none())
            .ok_or_else(|| Refusal::new(Reason::DamagedObject).at(id))?;
        values(document, id, &loaded.value, loaded.stream.is_some())?;
        if let (Some(data), Kind::Dictionary(dictionary)) = (loaded.stream, &loaded.value.kind) {
            left -= decoded_length(document, dictionary, data, left)
                .map_err(|fault| Refusal::from(fault.in_object(id)).with("limit", limits.max_decoded))?;
        }
        count += 1;
    }
    Ok(count)
}

fn values(document: &Document<'_>, id: ObjectId, value: &Value<'_>, is_stream: bool) -> Result<(), Refusal> {
    match &value.kind {
        // A missing object below the next number stays null for ever; above, a seal's own objects would fill it.
        Kind::Reference(target) if target.number >= document.next_number() => {
            Err(Refusal::new(Reason::DamagedCrossReference)
                .at(id)
                .with("reference", target.number))
        }
        Kind::Array(items) => items
            .iter()
            .try_for_each(|item| values(document, id, item, false)),
        Kind::Dictionary(dictionary) => {
            actions::examine(document, id, dictionary, is_stream)?;
            dictionary
                .iter()
                .try_for_each(|(_, item)| values(document, id, item, false))
        }
        _ => Ok(()),
    }
}

/// Of a signed file even the harmless duplicates are refused: a later revision could not be compared with it.
pub(super) fn unambiguous(catalogue: &Loaded<'_>) -> Result<(), Refusal> {
    let duplicate = catalogue.value.dictionary().and_then(Dictionary::duplicate_key);
    match duplicate {
        Some(key) => Err(Refusal::new(Reason::DuplicateKey)
            .at(catalogue.id)
            .with("key", String::from_utf8_lossy(key))),
        None => Ok(()),
    }
}

/// What only the trailer and the catalogue can bring in.
pub(super) fn catalogue(document: &Document<'_>) -> Result<(), Refusal> {
    if document.has_additional_streams() {
        return Err(Refusal::new(Reason::EmbeddedFile).with("key", "AdditionalStreams"));
    }
    let loaded = document.catalogue()?;
    let id = loaded.id;
    let Kind::Dictionary(catalogue) = &loaded.value.kind else {
        return Ok(());
    };
    open_action(document, id, catalogue)?;
    if let Some(names) = document.get(catalogue, b"Names")?
        && let Some(names) = names.dictionary()
    {
        if holds_names(document, document.get(names, b"JavaScript")?.as_ref(), 0)? {
            return Err(Refusal::new(Reason::Script).at(id));
        }
        if holds_names(document, document.get(names, b"EmbeddedFiles")?.as_ref(), 0)? {
            return Err(Refusal::new(Reason::EmbeddedFile).at(id));
        }
    }
    if document.get(catalogue, b"Collection")?.is_some() || document.get(catalogue, b"AF")?.is_some() {
        return Err(Refusal::new(Reason::EmbeddedFile).at(id));
    }
    let form = fields::dictionary(document)?;
    if let Some(form) = form
        && document.get(&form, b"XFA")?.is_some()
    {
        return Err(Refusal::new(Reason::Xfa).at(id));
    }
    Ok(())
}

/// A destination, or a jump inside the document that nothing follows.
fn open_action(document: &Document<'_>, id: ObjectId, catalogue: &Dictionary<'_>) -> Result<(), Refusal> {
    let Some(action) = document.get(catalogue, b"OpenAction")? else {
        return Ok(());
    };
    let Some(action) = action.dictionary() else {
        return Ok(());
    };
    let kind = document.get(action, b"S")?;
    if kind.as_ref().and_then(Value::name) == Some(b"GoTo") && action.get(b"Next").is_none() {
        return Ok(());
    }
    Err(Refusal::new(Reason::ActiveAction)
        .at(id)
        .with("action", "OpenAction"))
}

/// Whether a name tree names anything; writers leave empty ones behind.
fn holds_names(document: &Document<'_>, node: Option<&Value<'_>>, depth: usize) -> Result<bool, Refusal> {
    if depth > MAX_NESTING {
        return Err(Refusal::new(Reason::NestedTooDeep));
    }
    let Some(node) = node.and_then(Value::dictionary) else {
        return Ok(false);
    };
    let names = document.get(node, b"Names")?;
    if names
        .as_ref()
        .and_then(Value::array)
        .is_some_and(|names| !names.is_empty())
    {
        return Ok(true);
    }
    let kids = document.get(node, b"Kids")?;
    for kid in kids.as_ref().and_then(Value::array).unwrap_or_default() {
        if holds_names(document, Some(&document.resolve(kid)?), depth + 1)? {
            return Ok(true);
        }
    }
    Ok(false)
}
