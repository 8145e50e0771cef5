use flate2::{Decompress, FlushDecompress, Status};

use crate::syntax::{Fault, FaultKind};

const BLOCK: usize = 64 * 1024;

/// Inflates zlib data.
pub(super) fn decode(input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let mut output = Vec::with_capacity(input.len().saturating_mul(3).min(limit).min(1 << 20));
    inflate(input, limit, |block| output.extend_from_slice(block))?;
    Ok(output)
}

/// Length of the inflated data.
pub(super) fn count(input: &[u8], limit: usize) -> Result<usize, Fault> {
    inflate(input, limit, |_| {})
}

fn inflate(input: &[u8], limit: usize, mut sink: impl FnMut(&[u8])) -> Result<usize, Fault> {
    // Writers leave `/Length 0` behind when a page has no content; no reader minds.
    if input.is_empty() {
        return Ok(0);
    }
    let mut inflater = Decompress::new(true);
    let mut block = vec![0u8; BLOCK];
    loop {
        let consumed = inflater.total_in() as usize;
        let before = inflater.total_out() as usize;
        let status = inflater
            .decompress(&input[consumed..], &mut block, FlushDecompress::None)
            .map_err(|_| Fault::new(FaultKind::StreamData, consumed))?;
        let total = inflater.total_out() as usize;
        sink(&block[..total - before]);
        if total > limit {
            return Err(Fault::new(FaultKind::TooLarge, consumed));
        }
        let stuck = total == before && inflater.total_in() as usize == consumed;
        match status {
            Status::StreamEnd => return Ok(total),
            Status::Ok if !stuck => {}
            // The data ends before the final block does.
            Status::Ok | Status::BufError => return Err(Fault::new(FaultKind::StreamData, consumed)),
        }
    }
}
