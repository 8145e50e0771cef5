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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Kind, Lexer, parse_value};

    /// Decodes without a document.
    fn decode(dictionary: &str, data: &[u8], limit: usize) -> Result<Vec<u8>, FaultKind> {
        let value =
            parse_value(&mut Lexer::new(dictionary.as_bytes(), 0)).expect("the test writes a dictionary");
        let Kind::Dictionary(dictionary) = value.kind else {
            panic!("the test writes a dictionary")
        };
        decode_stream(None, &dictionary, data, limit).map_err(|fault| fault.kind)
    }

    /// Codes of growing width, as ISO 32000-1, 7.4.4.2 describes the encoder.
    fn lzw(data: &[u8], early: usize) -> Vec<u8> {
        let mut bits: Vec<bool> = Vec::new();
        let mut table: Vec<Vec<u8>> = Vec::new();
        let width = |entries: usize| {
            (9..12)
                .find(|bits| 258 + entries + early < 1 << bits)
                .unwrap_or(12)
        };
        let mut emit =
            |code: usize, width: usize| bits.extend((0..width).rev().map(|bit| code >> bit & 1 == 1));
        let code = |table: &[Vec<u8>], run: &[u8]| match run {
            [byte] => Some(usize::from(*byte)),
            _ => table
                .iter()
                .position(|entry| entry == run)
                .map(|index| 258 + index),
        };
        emit(256, 9);
        let mut run: Vec<u8> = Vec::new();
        for byte in data {
            run.push(*byte);
            if code(&table, &run).is_some() {
                continue;
            }
            let known = code(&table, &run[..run.len() - 1]).expect("a prefix is known");
            // The decoder is one entry behind.
            emit(known, width(table.len().saturating_sub(1)));
            table.push(std::mem::replace(&mut run, vec![*byte]));
            if table.len() == 3000 {
                emit(256, width(table.len() - 1));
                table.clear();
            }
        }
        emit(
            code(&table, &run).expect("the rest is known"),
            width(table.len().saturating_sub(1)),
        );
        emit(257, width(table.len()));
        bits.chunks(8)
            .map(|byte| {
                byte.iter()
                    .enumerate()
                    .fold(0, |sum, (at, bit)| sum | u8::from(*bit) << (7 - at))
            })
            .collect()
    }

    #[test]
    fn the_example_of_the_standard_is_decoded() {
        let encoded = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        let expected = [45, 45, 45, 45, 45, 65, 45, 45, 45, 66];
        assert_eq!(
            decode("<< /Filter /LZWDecode >>", &encoded, 100),
            Ok(expected.to_vec())
        );
    }

    #[test]
    fn long_lzw_data_are_decoded_with_and_without_early_change() {
        let data: Vec<u8> = (0u32..60_000)
            .map(|index| (index.wrapping_mul(index) >> 5) as u8 & 0x3f)
            .collect();
        assert_eq!(
            decode("<< /Filter /LZWDecode >>", &lzw(&data, 1), 60_000),
            Ok(data.clone())
        );
        let late = "<< /Filter [/LZWDecode] /DecodeParms [<< /EarlyChange 0 >>] >>";
        assert_eq!(decode(late, &lzw(&data, 0), 60_000), Ok(data.clone()));
        assert_eq!(
            decode("<< /Filter /LZWDecode >>", &lzw(&data, 1), 59_999),
            Err(FaultKind::TooLarge)
        );
    }

    #[test]
    fn text_filters_and_runs() {
        assert_eq!(
            decode("<< /Filter /ASCIIHexDecode >>", b"48 65 6C6c 6F7>", 100),
            Ok(b"Hellop".to_vec())
        );
        assert_eq!(
            decode("<< /Filter /ASCII85Decode >>", b"87cURD]i,\"Ebo80~>", 100),
            Ok(b"Hello World!".to_vec())
        );
        assert_eq!(decode("<< /Filter /A85 >>", b"z!!~>", 100), Ok(vec![0; 5]));
        assert_eq!(
            decode("<< /Filter /A85 >>", b"v~>", 100),
            Err(FaultKind::StreamData)
        );
        let runs = [2, b'a', b'b', b'c', 254, b'x', 128, 9];
        assert_eq!(
            decode("<< /Filter /RunLengthDecode >>", &runs, 100),
            Ok(b"abcxxx".to_vec())
        );
        assert_eq!(
            decode("<< /Filter [/AHx /RL] >>", b"FF 41 80>", 100),
            Ok(b"AA".to_vec())
        );
        assert_eq!(
            decode("<< /Filter /DCTDecode >>", b"", 100),
            Err(FaultKind::UnknownFilter)
        );
    }

    #[test]
    fn predictors_are_undone() {
        // One row a filter type: none, sub, up, average, Paeth; two samples of one byte, three columns.
        let encoded = [0, 10, 20, 30, 1, 1, 1, 1, 2, 9, 18, 27, 3, 5, 0, 0, 4, 1, 1, 1];
        let expected = [10, 20, 30, 1, 2, 3, 10, 20, 30, 10, 15, 22, 11, 16, 23];
        let png = "<< /Filter /AHx /DecodeParms << /Predictor 15 /Columns 3 >> >>";
        let hex: String = encoded.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(decode(png, hex.as_bytes(), 100), Ok(expected.to_vec()));
        let tiff = "<< /Filter /AHx /DecodeParms << /Predictor 2 /Columns 2 /Colors 2 >> >>";
        assert_eq!(
            decode(tiff, b"0102 0304 0A0B 0101>", 100),
            Ok(vec![1, 2, 4, 6, 10, 11, 11, 12])
        );
        assert_eq!(
            decode(
                "<< /Filter /AHx /DecodeParms << /Predictor 15 /Columns 0 >> >>",
                b"00",
                9
            ),
            Err(FaultKind::StreamData)
        );
    }
}
