//! A signature drawn for one request.

use sha2::{Digest, Sha256};

/// Most strokes of one signature.
pub const MAX_STROKES: usize = 100;
/// Most points of all strokes together.
pub const MAX_POINTS: usize = 5_000;

/// Points per side of the raster on which strokes are kept: fine enough for any printer, and exact in every encoding.
const RASTER: f32 = 65_535.0;

/// A drawn signature: 1 to 100 strokes with at most 5,000 points, of which two differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strokes(Vec<Vec<(u16, u16)>>);

/// Why strokes are not a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrokesFault {
    #[error("must have 1 to 100 strokes, each with a point")]
    Count,
    #[error("must have at most 5,000 points")]
    TooManyPoints,
    #[error("points must be fractions of the rectangle, from 0 to 1")]
    OutOfRange,
    #[error("must not be a single dot")]
    Blank,
    #[error("the stored encoding is damaged")]
    Encoding,
}

impl Strokes {
    /// Strokes given as fractions of the rectangle, origin top left, y down.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn from_fractions(strokes: &[Vec<(f32, f32)>]) -> Result<Self, StrokesFault> {
        if strokes
            .iter()
            .flatten()
            .any(|(x, y)| !is_fraction(*x) || !is_fraction(*y))
        {
            return Err(StrokesFault::OutOfRange);
        }
        let raster = |points: &Vec<(f32, f32)>| {
            points
                .iter()
                .map(|(x, y)| (on_raster(*x), on_raster(*y)))
                .collect()
        };
        Self::checked(strokes.iter().map(raster).collect())
    }

    /// The strokes as fractions of the rectangle, `[x, y]`, origin top left, y down.
    pub fn fractions(&self) -> Vec<Vec<[f32; 2]>> {
        let fraction = |value: u16| f32::from(value) / RASTER;
        self.0
            .iter()
            .map(|points| points.iter().map(|(x, y)| [fraction(*x), fraction(*y)]).collect())
            .collect()
    }

    /// The one encoding that is stored and hashed: for each stroke the number of points as 32 bits, then x and y as 16 bits
    /// each (65,535 is the far edge); all big-endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for points in &self.0 {
            let count = u32::try_from(points.len()).expect("a signature has at most 5,000 points");
            bytes.extend(count.to_be_bytes());
            for (x, y) in points {
                bytes.extend(x.to_be_bytes());
                bytes.extend(y.to_be_bytes());
            }
        }
        bytes
    }

    /// Reads [`Strokes::encode`]'s bytes.
    ///
    /// # Errors
    /// [`StrokesFault::Encoding`], or the rule that the content breaks.
    pub fn decode(bytes: &[u8]) -> Result<Self, StrokesFault> {
        let mut strokes = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (count, tail) = rest.split_first_chunk::<4>().ok_or(StrokesFault::Encoding)?;
            let count = usize::try_from(u32::from_be_bytes(*count)).map_err(|_| StrokesFault::Encoding)?;
            let length = count.checked_mul(4).ok_or(StrokesFault::Encoding)?;
            let (points, tail) = tail.split_at_checked(length).ok_or(StrokesFault::Encoding)?;
            strokes.push(
                points
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|[a, b, c, d]| (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
                    .collect(),
            );
            rest = tail;
        }
        Self::checked(strokes)
    }

    /// SHA-256 of [`Strokes::encode`]: what the citizen's confirmation covers.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.encode()).into()
    }

    fn checked(strokes: Vec<Vec<(u16, u16)>>) -> Result<Self, StrokesFault> {
        if strokes.is_empty() || strokes.len() > MAX_STROKES || strokes.iter().any(Vec::is_empty) {
            return Err(StrokesFault::Count);
        }
        if strokes.iter().map(Vec::len).sum::<usize>() > MAX_POINTS {
            return Err(StrokesFault::TooManyPoints);
        }
        let mut points = strokes.iter().flatten();
        let first = points.next();
        if points.all(|point| Some(point) == first) {
            return Err(StrokesFault::Blank);
        }
        Ok(Self(strokes))
    }
}

fn is_fraction(value: f32) -> bool {
    (0.0..=1.0).contains(&value)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is between 0 and 65,535: `from_fractions` has checked it"
)]
fn on_raster(fraction: f32) -> u16 {
    (fraction * RASTER).round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits() {
        let line = vec![(0.0, 0.0), (1.0, 1.0)];
        assert_eq!(Strokes::from_fractions(&[]), Err(StrokesFault::Count));
        assert_eq!(
            Strokes::from_fractions(&[line.clone(), vec![]]),
            Err(StrokesFault::Count)
        );
        assert!(Strokes::from_fractions(&vec![line.clone(); 100]).is_ok());
        assert_eq!(
            Strokes::from_fractions(&vec![line.clone(); 101]),
            Err(StrokesFault::Count)
        );
        let long = |points: usize| {
            (0..points)
                .map(|i| (f32::from(u8::try_from(i % 200).unwrap()) / 200.0, 0.5))
                .collect()
        };
        assert!(Strokes::from_fractions(&[long(5_000)]).is_ok());
        assert_eq!(
            Strokes::from_fractions(&[long(5_001)]),
            Err(StrokesFault::TooManyPoints)
        );
        assert_eq!(
            Strokes::from_fractions(&[vec![(0.5, 0.5); 9]]),
            Err(StrokesFault::Blank)
        );
        for bad in [f32::NAN, f32::INFINITY, -0.001, 1.001] {
            assert_eq!(
                Strokes::from_fractions(&[vec![(0.0, 0.0), (bad, 0.5)]]),
                Err(StrokesFault::OutOfRange)
            );
        }
    }

    proptest! {
        #[test]
        fn the_encoding_is_exact(points in proptest::collection::vec(proptest::collection::vec((0f32..=1.0, 0f32..=1.0), 1..20), 1..10)) {
            if let Ok(strokes) = Strokes::from_fractions(&points) {
                let again = Strokes::decode(&strokes.encode()).unwrap();
                prop_assert_eq!(&again, &strokes);
                let fractions: Vec<Vec<(f32, f32)>> =
                    strokes.fractions().into_iter().map(|s| s.into_iter().map(|[x, y]| (x, y)).collect()).collect();
                prop_assert_eq!(Strokes::from_fractions(&fractions).unwrap(), strokes);
            }
        }

        #[test]
        fn damaged_encodings_are_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(strokes) = Strokes::decode(&bytes) {
                prop_assert_eq!(strokes.encode(), bytes);
            }
        }
    }
}
