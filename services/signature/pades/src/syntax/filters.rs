mod ascii;
mod flate;
mod lzw;
mod run_length;

use super::predictor::Predictor;
use super::{Dictionary, Document, Fault, FaultKind, Value};

/// One filter of a stream with its parameters.
struct Filter {
    name: Vec<u8>,
    predictor: Option<Predictor>,
    early_change: bool,
}

/// Decodes a stream through all its filters.
///
/// `limit` bounds every intermediate result in bytes.
///
/// # Errors
/// [`FaultKind::TooLarge`] as soon as the limit is passed, [`FaultKind::StreamData`] for data that does not
/// decode, [`FaultKind::UnknownFilter`] for image filters and unknown ones.
pub fn decode_stream(
    document: Option<&Document<'_>>,
    dictionary: &Dictionary<'_>,
    data: &[u8],
    limit: usize,
) -> Result<Vec<u8>, Fault> {
    let mut current: Option<Vec<u8>> = None;
    for filter in filters(document, dictionary)? {
        let input = current.as_deref().unwrap_or(data);
        let mut output = apply(&filter, input, limit)?;
        if let Some(predictor) = filter.predictor {
            output = predictor.undo(output)?;
        }
        current = Some(output);
    }
    Ok(current.unwrap_or_else(|| data.to_vec()))
}

/// Number of bytes a stream decodes to, without keeping them.
///
/// Image filters end the count: what goes into them is counted as it is.
///
/// # Errors
/// As [`decode_stream`], but image filters are no error.
pub fn decoded_length(
    document: &Document<'_>,
    dictionary: &Dictionary<'_>,
    data: &[u8],
    limit: usize,
) -> Result<usize, Fault> {
    let mut current: Option<Vec<u8>> = None;
    let filters = filters(Some(document), dictionary)?;
    for (index, filter) in filters.iter().enumerate() {
        let input = current.as_deref().unwrap_or(data);
        if is_image_filter(&filter.name) {
            return within(input.len(), limit);
        }
        if index + 1 == filters.len() && is_flate(&filter.name) {
            return flate::count(input, limit);
        }
        let mut output = apply(filter, input, limit)?;
        if let (Some(predictor), true) = (filter.predictor, index + 1 < filters.len()) {
            output = predictor.undo(output)?;
        }
        current = Some(output);
    }
    within(current.map_or(data.len(), |output| output.len()), limit)
}

fn within(length: usize, limit: usize) -> Result<usize, Fault> {
    if length > limit {
        Err(Fault::new(FaultKind::TooLarge, 0))
    } else {
        Ok(length)
    }
}

fn is_image_filter(name: &[u8]) -> bool {
    matches!(
        name,
        b"DCTDecode" | b"DCT" | b"JPXDecode" | b"CCITTFaxDecode" | b"CCF" | b"JBIG2Decode"
    )
}

fn is_flate(name: &[u8]) -> bool {
    matches!(name, b"FlateDecode" | b"Fl")
}

fn apply(filter: &Filter, input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    match filter.name.as_slice() {
        b"FlateDecode" | b"Fl" => flate::decode(input, limit),
        b"LZWDecode" | b"LZW" => lzw::decode(input, filter.early_change, limit),
        b"ASCII85Decode" | b"A85" => ascii::decode_85(input, limit),
        b"ASCIIHexDecode" | b"AHx" => ascii::decode_hex(input, limit),
        b"RunLengthDecode" | b"RL" => run_length::decode(input, limit),
        _ => Err(Fault::new(FaultKind::UnknownFilter, 0)),
    }
}

/// The filters named by `/Filter` (or `/F` of inline images, never here), with `/DecodeParms`.
fn filters(document: Option<&Document<'_>>, dictionary: &Dictionary<'_>) -> Result<Vec<Filter>, Fault> {
    let names = list(document, dictionary.get(b"Filter"))?;
    let parameters = list(
        document,
        dictionary.get(b"DecodeParms").or_else(|| dictionary.get(b"DP")),
    )?;
    if names.len() > 8 {
        return Err(Fault::new(FaultKind::UnknownFilter, 0));
    }
    let mut filters = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let name = name
            .name()
            .ok_or(Fault::new(FaultKind::UnknownFilter, name.at))?
            .to_vec();
        let settings = parameters.get(index).and_then(Value::dictionary);
        filters.push(Filter {
            predictor: settings.and_then(|settings| predictor(document, settings)),
            early_change: settings.and_then(|s| integer(document, s, b"EarlyChange")) != Some(0),
            name,
        });
    }
    Ok(filters)
}

/// One value or an array of values, references followed.
fn list<'v>(document: Option<&'v Document<'_>>, value: Option<&Value<'v>>) -> Result<Vec<Value<'v>>, Fault> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let value = follow(document, value)?;
    match value.array() {
        Some(items) => items.iter().map(|item| follow(document, item)).collect(),
        None => Ok(vec![value]),
    }
}

fn follow<'v>(document: Option<&'v Document<'_>>, value: &Value<'v>) -> Result<Value<'v>, Fault> {
    match document {
        Some(document) => document.resolve(value),
        None => Ok(value.clone()),
    }
}

fn integer(document: Option<&Document<'_>>, dictionary: &Dictionary<'_>, key: &[u8]) -> Option<i64> {
    let value = dictionary.get(key)?;
    match document {
        Some(document) => document.resolve(value).ok()?.integer(),
        None => value.integer(),
    }
}

fn predictor(document: Option<&Document<'_>>, settings: &Dictionary<'_>) -> Option<Predictor> {
    let size = |key: &[u8], default: usize| {
        integer(document, settings, key).map_or(default, |value| usize::try_from(value).unwrap_or(0))
    };
    let kind = integer(document, settings, b"Predictor")?;
    Some(Predictor {
        kind,
        colours: size(b"Colors", 1),
        bits: size(b"BitsPerComponent", 8),
        columns: size(b"Columns", 1),
    })
}
