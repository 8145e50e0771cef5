use super::refusal::{Reason, Refusal};
use crate::syntax::{Dictionary, Document, Fault, Kind, ObjectId, Value};

/// Keys under which additional actions stand (ISO 32000-1, 12.6.3): of annotations, pages, fields and the document.
const TRIGGERS: [&[u8]; 22] = [
    b"E", b"X", b"D", b"U", b"Fo", b"Bl", b"PO", b"PC", b"PV", b"PI", b"O", b"C", b"K", b"F", b"V", b"WC",
    b"WS", b"DS", b"WP", b"DP", b"SC", b"DC",
];

/// Action types that are no mere jump inside the document or to a link. `GoToR`, a link to another document that a
/// person follows as they follow one to the web, stays; where it would run by itself the key that starts it is refused.
fn refused_action(name: &[u8]) -> Option<Reason> {
    match name {
        b"JavaScript" | b"ECMAScript" => Some(Reason::Script),
        b"Launch" => Some(Reason::LaunchAction),
        b"Rendition" | b"Movie" | b"Sound" | b"GoTo3DView" | b"RichMediaExecute" => Some(Reason::RichMedia),
        b"SubmitForm" | b"ImportData" | b"ResetForm" | b"GoToE" | b"GoToDp" | b"Trans" | b"Hide"
        | b"SetOCGState" | b"SetState" | b"NoOp" | b"NOP" => Some(Reason::ActiveAction),
        _ => None,
    }
}

fn refused_annotation(subtype: &[u8]) -> Option<Reason> {
    match subtype {
        b"FileAttachment" => Some(Reason::EmbeddedFile),
        b"RichMedia" | b"3D" | b"Movie" | b"Screen" | b"Sound" => Some(Reason::RichMedia),
        b"PS" => Some(Reason::Postscript),
        _ => None,
    }
}

/// Looks at one dictionary, wherever it stands and whether or not anything refers to it.
///
/// Keys are judged together with the shape of their values, because in dictionaries of fonts, destinations or
/// glyphs any name may be a key.
pub(super) fn examine(
    document: &Document<'_>,
    id: ObjectId,
    dictionary: &Dictionary<'_>,
    is_stream: bool,
) -> Result<(), Refusal> {
    let duplicates = dictionary.duplicate_keys();
    if let Some(key) = duplicates.iter().find(|key| !is_pane(dictionary, key)) {
        let key = String::from_utf8_lossy(key).into_owned();
        return Err(Refusal::new(Reason::DuplicateKey).at(id).with("key", key));
    }
    let name = |key: &[u8]| -> Result<Option<Vec<u8>>, Fault> {
        Ok(document
            .get(dictionary, key)?
            .and_then(|value| value.name().map(<[u8]>::to_vec)))
    };
    if let Some(action) = name(b"S")?
        && let Some(reason) = refused_action(&action)
    {
        return Err(Refusal::new(reason)
            .at(id)
            .with("action", String::from_utf8_lossy(&action)));
    }
    if let Some(subtype) = name(b"Subtype")?
        && let Some(reason) = refused_annotation(&subtype)
    {
        return Err(Refusal::new(reason)
            .at(id)
            .with("subtype", String::from_utf8_lossy(&subtype)));
    }
    if is_stream {
        examine_stream(document, id, dictionary)?;
    }
    embedded(document, id, dictionary)?;
    scripts(document, id, dictionary)
}

/// The key of the catalogue that says which pane a viewer opens beside the pages, and nothing of the pages. TCPDF writes it
/// twice where a document has bookmarks; a seal writes it once.
fn is_pane(dictionary: &Dictionary<'_>, key: &[u8]) -> bool {
    key == b"PageMode" && dictionary.is_type(b"Catalog")
}

/// Data that stands outside the file, and filters that hide it.
fn examine_stream(document: &Document<'_>, id: ObjectId, dictionary: &Dictionary<'_>) -> Result<(), Refusal> {
    // jsPDF writes form fields as streams, whose /F are the flags of an annotation: a number names no file.
    if document
        .get(dictionary, b"F")?
        .is_some_and(|file| file.integer().is_none())
    {
        return Err(Refusal::new(Reason::ExternalContent).at(id));
    }
    if document.get(dictionary, b"Type")?.as_ref().and_then(Value::name) == Some(b"EmbeddedFile") {
        return Err(Refusal::new(Reason::EmbeddedFile).at(id));
    }
    let form = document
        .get(dictionary, b"Subtype")?
        .as_ref()
        .and_then(Value::name)
        == Some(b"Form");
    if form && dictionary.get(b"Ref").is_some() {
        return Err(Refusal::new(Reason::ExternalContent).at(id));
    }
    let filter = document.get(dictionary, b"Filter")?;
    let filters: &[Value<'_>] = match &filter {
        Some(filter) => filter.array().unwrap_or(std::slice::from_ref(filter)),
        None => &[],
    };
    for filter in filters {
        if document.resolve(filter)?.name() == Some(b"Crypt") {
            return Err(Refusal::new(Reason::Encrypted).at(id));
        }
    }
    Ok(())
}

fn embedded(document: &Document<'_>, id: ObjectId, dictionary: &Dictionary<'_>) -> Result<(), Refusal> {
    let refusal = || Refusal::new(Reason::EmbeddedFile).at(id);
    if let Some(files) = document.get(dictionary, b"EF")?
        && files.dictionary().is_some_and(|files| {
            [b"F".as_slice(), b"UF", b"DOS", b"Mac", b"Unix"]
                .iter()
                .any(|key| files.get(key).is_some())
        })
    {
        return Err(refusal());
    }
    if document
        .get(dictionary, b"AFRelationship")?
        .is_some_and(|value| value.name().is_some())
    {
        return Err(refusal());
    }
    Ok(())
}

fn scripts(document: &Document<'_>, id: ObjectId, dictionary: &Dictionary<'_>) -> Result<(), Refusal> {
    if document
        .get(dictionary, b"JS")?
        .is_some_and(|script| matches!(script.kind, Kind::String))
    {
        return Err(Refusal::new(Reason::Script).at(id));
    }
    let Some(actions) = document.get(dictionary, b"AA")? else {
        return Ok(());
    };
    // A form XObject may be called AA; a dictionary of additional actions is no stream.
    let Some(actions) = actions
        .dictionary()
        .filter(|actions| !actions.is_type(b"XObject"))
    else {
        return Ok(());
    };
    for trigger in TRIGGERS {
        let Some(action) = document.get(actions, trigger)? else {
            continue;
        };
        let typed = action
            .dictionary()
            .map(|action| document.get(action, b"S"))
            .transpose()?
            .flatten();
        if let Some(kind) = typed.as_ref().and_then(Value::name) {
            let reason = refused_action(kind).unwrap_or(Reason::ActiveAction);
            return Err(Refusal::new(reason).at(id).with("action", "AA"));
        }
    }
    Ok(())
}
