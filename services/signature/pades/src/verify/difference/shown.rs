use crate::pages;
use crate::syntax::{Dictionary, Document, Fault, Loaded, Value, decode_stream};

/// Longest appearance that is looked at; a longer one shows something.
const LIMIT: usize = 64 * 1024;

/// Whether a widget can be seen: it has an extent, or an appearance with content that has one. What cannot be
/// read counts as seen.
pub(super) fn is_shown(document: &Document<'_>, widget: &Dictionary<'_>) -> Result<bool, Fault> {
    Ok(has_extent(document, widget, b"Rect")? || draws(document, widget)?)
}

fn has_extent(document: &Document<'_>, dictionary: &Dictionary<'_>, key: &[u8]) -> Result<bool, Fault> {
    let Some(rect) = document.get(dictionary, key)? else {
        return Ok(false);
    };
    let rect = pages::rectangle(document, &rect)?;
    Ok(rect.is_none_or(|rect| rect[0] < rect[2] && rect[1] < rect[3]))
}

/// Whether any appearance of a widget has content.
fn draws(document: &Document<'_>, widget: &Dictionary<'_>) -> Result<bool, Fault> {
    let Some(appearances) = document.get(widget, b"AP")? else {
        return Ok(false);
    };
    let Some(appearances) = appearances.dictionary() else {
        return Ok(true);
    };
    for (_, value) in appearances.iter() {
        if draws_one(document, value, true)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An appearance is a stream, or a dictionary of streams by state (ISO 32000-1, 12.5.5).
fn draws_one(document: &Document<'_>, value: &Value<'_>, states: bool) -> Result<bool, Fault> {
    if let Some(loaded) = document.load(value)?
        && loaded.stream.is_some()
    {
        return has_content(document, &loaded);
    }
    let resolved = document.resolve(value)?;
    match resolved.dictionary() {
        Some(by_state) if states => {
            for (_, value) in by_state.iter() {
                if draws_one(document, value, false)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Ok(!resolved.is_null()),
    }
}

fn has_content(document: &Document<'_>, form: &Loaded<'_>) -> Result<bool, Fault> {
    let (Some(dictionary), Some(data)) = (form.value.dictionary(), form.stream) else {
        return Ok(true);
    };
    let decoded = decode_stream(Some(document), dictionary, data, LIMIT);
    let empty = decoded.is_ok_and(|content| content.trim_ascii().is_empty());
    let without_box = document.get(dictionary, b"BBox")?.is_none();
    Ok(!empty && (without_box || has_extent(document, dictionary, b"BBox")?))
}
