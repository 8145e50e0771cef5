use crate::syntax::{Fault, FaultKind};

const CLEAR: usize = 256;
const END: usize = 257;
const MAX_CODES: usize = 4096;

/// Decodes the LZW of ISO 32000-1, 7.4.4: codes of 9 to 12 bits, high bit first.
pub(super) fn decode(input: &[u8], early_change: bool, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut output: Vec<u8> = Vec::new();
    // Each entry is a range of `output`: a sequence is always the previous one plus one byte.
    let mut table: Vec<(usize, usize)> = Vec::new();
    let mut previous: Option<(usize, usize)> = None;
    let mut bits = BitReader { input, position: 0 };
    let early = usize::from(early_change);
    loop {
        let width = code_width(258 + table.len() + early);
        let Some(code) = bits.read(width) else {
            return Ok(output);
        };
        match code {
            END => return Ok(output),
            CLEAR => {
                table.clear();
                previous = None;
                continue;
            }
            _ => {}
        }
        let start = output.len();
        match (code, previous) {
            (0..256, _) => output.push(code as u8),
            (_, Some((from, length))) if code - 258 == table.len() => {
                output.extend_from_within(from..from + length);
                output.push(output[from]);
            }
            _ => {
                let (from, length) = *table
                    .get(code - 258)
                    .ok_or(Fault::new(FaultKind::StreamData, bits.position / 8))?;
                output.extend_from_within(from..from + length);
            }
        }
        if output.len() > limit {
            return Err(Fault::new(FaultKind::TooLarge, bits.position / 8));
        }
        if let Some((from, length)) = previous
            && table.len() + 258 < MAX_CODES
        {
            table.push((from, length + 1));
        }
        previous = Some((start, output.len() - start));
    }
}

fn code_width(next_code: usize) -> usize {
    match next_code {
        0..512 => 9,
        512..1024 => 10,
        1024..2048 => 11,
        _ => 12,
    }
}

struct BitReader<'a> {
    input: &'a [u8],
    position: usize,
}

impl BitReader<'_> {
    fn read(&mut self, width: usize) -> Option<usize> {
        if self.position + width > self.input.len() * 8 {
            return None;
        }
        let mut code = 0;
        for bit in self.position..self.position + width {
            code = code << 1 | usize::from(self.input[bit / 8] >> (7 - bit % 8) & 1);
        }
        self.position += width;
        Some(code)
    }
}
