use super::{Fault, FaultKind};

/// Parameters of the predictor functions (ISO 32000-1, 7.4.4.4).
#[derive(Debug, Clone, Copy)]
pub(super) struct Predictor {
    pub(super) kind: i64,
    pub(super) colours: usize,
    pub(super) bits: usize,
    pub(super) columns: usize,
}

impl Predictor {
    /// Undoes the prediction.
    pub(super) fn undo(&self, data: Vec<u8>) -> Result<Vec<u8>, Fault> {
        match self.kind {
            1 => Ok(data),
            2 => self.undo_tiff(data),
            10..=15 => self.undo_png(&data),
            _ => Err(Fault::new(FaultKind::UnknownFilter, 0)),
        }
    }

    fn row_length(&self) -> Result<usize, Fault> {
        let bits = self
            .colours
            .checked_mul(self.bits)
            .and_then(|n| n.checked_mul(self.columns));
        match bits {
            Some(bits) if bits > 0 && bits < 1 << 30 => Ok(bits.div_ceil(8)),
            _ => Err(Fault::new(FaultKind::StreamData, 0)),
        }
    }

    fn undo_png(&self, data: &[u8]) -> Result<Vec<u8>, Fault> {
        let row_length = self.row_length()?;
        let step = (self.colours * self.bits).div_ceil(8);
        let mut output = Vec::with_capacity(data.len());
        let mut above = vec![0u8; row_length];
        for encoded in data.chunks(row_length + 1) {
            let mut row = encoded[1..].to_vec();
            row.resize(row_length, 0);
            undo_png_row(encoded[0], &mut row, &above, step)?;
            output.extend_from_slice(&row[..encoded.len() - 1]);
            above = row;
        }
        Ok(output)
    }

    /// Only whole bytes occur in cross-reference and object streams; other depths are refused.
    fn undo_tiff(&self, mut data: Vec<u8>) -> Result<Vec<u8>, Fault> {
        if self.bits != 8 {
            return Err(Fault::new(FaultKind::UnknownFilter, 0));
        }
        let row_length = self.row_length()?;
        for row in data.chunks_mut(row_length) {
            for index in self.colours..row.len() {
                row[index] = row[index].wrapping_add(row[index - self.colours]);
            }
        }
        Ok(data)
    }
}

fn undo_png_row(tag: u8, row: &mut [u8], above: &[u8], step: usize) -> Result<(), Fault> {
    for index in 0..row.len() {
        let left = if index >= step { row[index - step] } else { 0 };
        let up = above[index];
        let corner = if index >= step { above[index - step] } else { 0 };
        let predicted = match tag {
            0 => 0,
            1 => left,
            2 => up,
            3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
            4 => paeth(left, up, corner),
            _ => return Err(Fault::new(FaultKind::StreamData, index)),
        };
        row[index] = row[index].wrapping_add(predicted);
    }
    Ok(())
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let estimate = i16::from(left) + i16::from(up) - i16::from(corner);
    let distance = |value: u8| (estimate - i16::from(value)).abs();
    if distance(left) <= distance(up) && distance(left) <= distance(corner) {
        left
    } else if distance(up) <= distance(corner) {
        up
    } else {
        corner
    }
}
