use crate::syntax::lexer::is_space;
use crate::syntax::{Fault, FaultKind};

/// Decodes hexadecimal digits up to `>`.
pub(super) fn decode_hex(input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let mut digits = Vec::new();
    for (at, byte) in input.iter().enumerate() {
        match (*byte as char).to_digit(16) {
            Some(digit) => digits.push(digit as u8),
            None if *byte == b'>' => break,
            None if is_space(*byte) => {}
            None => return Err(Fault::new(FaultKind::StreamData, at)),
        }
    }
    if digits.len() / 2 > limit {
        return Err(Fault::new(FaultKind::TooLarge, 0));
    }
    Ok(digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0))
        .collect())
}

/// Decodes base 85 up to `~>`.
pub(super) fn decode_85(input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let mut output = Vec::new();
    let mut group: Vec<u8> = Vec::with_capacity(5);
    for (at, byte) in input.iter().enumerate() {
        match byte {
            b'~' => break,
            b'z' if group.is_empty() => output.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => group.push(byte - b'!'),
            space if is_space(*space) => {}
            _ => return Err(Fault::new(FaultKind::StreamData, at)),
        }
        if group.len() == 5 {
            push_group(&group, 4, &mut output).ok_or(Fault::new(FaultKind::StreamData, at))?;
            group.clear();
        }
        if output.len() > limit {
            return Err(Fault::new(FaultKind::TooLarge, at));
        }
    }
    if group.is_empty() {
        return Ok(output);
    }
    let bytes = group.len() - 1;
    group.resize(5, 84);
    if bytes == 0 || push_group(&group, bytes, &mut output).is_none() {
        return Err(Fault::new(FaultKind::StreamData, input.len()));
    }
    Ok(output)
}

fn push_group(group: &[u8], bytes: usize, output: &mut Vec<u8>) -> Option<()> {
    let value = group.iter().fold(0u64, |sum, digit| sum * 85 + u64::from(*digit));
    let value = u32::try_from(value).ok()?;
    output.extend_from_slice(&value.to_be_bytes()[..bytes]);
    Some(())
}
