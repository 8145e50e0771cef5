use super::{Entry, Section, SectionStyle};
use crate::syntax::document::read_object;
use crate::syntax::{Dictionary, Fault, FaultKind, Kind, MAX_OBJECTS, Value, decode_stream};

/// Reads the cross-reference stream whose object begins at `offset`.
pub(super) fn read(bytes: &[u8], offset: usize, limit: usize) -> Result<Section<'_>, Fault> {
    let damaged = || Fault::new(FaultKind::CrossReference, offset);
    let object = read_object(bytes, offset, None).map_err(|_| damaged())?;
    let Kind::Dictionary(trailer) = object.value.kind else {
        return Err(damaged());
    };
    let data = object.stream.ok_or_else(damaged)?;
    if !trailer.is_type(b"XRef") {
        return Err(damaged());
    }
    let decoded = decode_stream(None, &trailer, data, limit).map_err(|fault| match fault.kind {
        FaultKind::TooLarge => fault,
        _ => damaged(),
    })?;
    let entries = entries(&trailer, &decoded, offset)?;
    Ok(Section {
        entries,
        trailer,
        style: SectionStyle::Stream,
    })
}

fn entries(trailer: &Dictionary<'_>, decoded: &[u8], at: usize) -> Result<Vec<(u32, Entry)>, Fault> {
    let damaged = || Fault::new(FaultKind::CrossReference, at);
    let widths = unsigned_array(trailer.get(b"W")).ok_or_else(damaged)?;
    let [type_width, second_width, third_width] = widths[..] else {
        return Err(damaged());
    };
    if widths.iter().any(|width| *width > 8) {
        return Err(damaged());
    }
    let row_length = type_width + second_width + third_width;
    if row_length == 0 {
        return Err(damaged());
    }
    let mut rows = decoded.chunks_exact(row_length);
    let mut entries = Vec::new();
    for pair in index(trailer).ok_or_else(damaged)?.chunks(2) {
        let [first, count] = *pair else {
            return Err(damaged());
        };
        for number in first..first.checked_add(count).ok_or_else(damaged)? {
            let row = rows.next().ok_or_else(damaged)?;
            let (kind, rest) = row.split_at(type_width);
            let (second, third) = rest.split_at(second_width);
            let kind = if type_width == 0 { 1 } else { big_endian(kind) };
            let number = u32::try_from(number).map_err(|_| damaged())?;
            entries.push((
                number,
                entry(kind, big_endian(second), big_endian(third)).ok_or_else(damaged)?,
            ));
        }
        if entries.len() > MAX_OBJECTS {
            return Err(Fault::new(FaultKind::TooManyObjects, at));
        }
    }
    Ok(entries)
}

/// Entry types of ISO 32000-1, table 18; an unknown type is a reference to the null object.
fn entry(kind: u64, second: u64, third: u64) -> Option<Entry> {
    match kind {
        1 => Some(Entry::InFile {
            offset: usize::try_from(second).ok()?,
            generation: u16::try_from(third).ok()?,
        }),
        2 => Some(Entry::InStream {
            stream: u32::try_from(second).ok()?,
            index: usize::try_from(third).ok()?,
        }),
        _ => Some(Entry::Free),
    }
}

fn index(trailer: &Dictionary<'_>) -> Option<Vec<usize>> {
    match trailer.get(b"Index") {
        Some(index) => unsigned_array(Some(index)),
        None => Some(vec![0, usize::try_from(trailer.get(b"Size")?.integer()?).ok()?]),
    }
}

fn unsigned_array(value: Option<&Value<'_>>) -> Option<Vec<usize>> {
    value?
        .array()?
        .iter()
        .map(|item| usize::try_from(item.integer()?).ok())
        .collect()
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
