use crate::syntax::{Fault, FaultKind};

const END: u8 = 128;

/// Decodes run-length data (ISO 32000-1, 7.4.5).
pub(super) fn decode(input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let mut output = Vec::new();
    let mut at = 0;
    while let Some(&length) = input.get(at) {
        at += 1;
        if length == END {
            break;
        }
        if length < END {
            let end = at + usize::from(length) + 1;
            output.extend_from_slice(input.get(at..end).ok_or(Fault::new(FaultKind::StreamData, at))?);
            at = end;
        } else {
            let byte = *input.get(at).ok_or(Fault::new(FaultKind::StreamData, at))?;
            output.resize(output.len() + 257 - usize::from(length), byte);
            at += 1;
        }
        if output.len() > limit {
            return Err(Fault::new(FaultKind::TooLarge, at));
        }
    }
    Ok(output)
}
