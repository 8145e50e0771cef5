//! Signature specimens: an image and the strokes it was drawn with, versioned. A version counts once it has been proved.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::person::Proof;
use super::refusal::Refusal;
use super::vocabulary::ProofMethod;

/// Most strokes of a specimen, and most points of all of them.
pub const MOST_STROKES: usize = 200;
pub const MOST_POINTS: usize = 20_000;

/// A point: fractions of the drawing area, origin top left, y down; milliseconds since the first point.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub x: f32,
    pub y: f32,
    /// 0 to 1; 0 where the device tells none.
    pub pressure: f32,
    pub milliseconds: u32,
}

/// The strokes of the pen.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Strokes(Vec<Vec<Point>>);

super::redacted!(Point, Strokes);

/// Why strokes are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StrokesError {
    #[error("at most {MOST_STROKES} strokes and {MOST_POINTS} points are taken")]
    TooMany,
    #[error("a stroke has at least one point")]
    EmptyStroke,
    #[error("a point lies outside the drawing area, or its pressure outside 0 to 1")]
    OutOfRange,
}

impl StrokesError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooMany => "STROKES_TOO_MANY",
            Self::EmptyStroke => "STROKE_EMPTY",
            Self::OutOfRange => "STROKE_OUT_OF_RANGE",
        }
    }
}

impl Strokes {
    /// None at all are taken: not every device tells them.
    ///
    /// # Errors
    /// [`StrokesError`].
    pub fn parse(strokes: Vec<Vec<Point>>) -> Result<Self, StrokesError> {
        if strokes.len() > MOST_STROKES || strokes.iter().map(Vec::len).sum::<usize>() > MOST_POINTS {
            return Err(StrokesError::TooMany);
        }
        if strokes.iter().any(Vec::is_empty) {
            return Err(StrokesError::EmptyStroke);
        }
        let unit = 0.0..=1.0;
        let inside = |point: &Point| {
            [point.x, point.y, point.pressure]
                .iter()
                .all(|value| unit.contains(value))
        };
        if strokes.iter().flatten().all(inside) {
            Ok(Self(strokes))
        } else {
            Err(StrokesError::OutOfRange)
        }
    }
}

/// One version of a person's specimen, without image and strokes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecimenVersion {
    pub version: i32,
    pub deposited_at: DateTime<Utc>,
    /// Present once it counts.
    pub proof: Option<Proof>,
    pub image_sha256: [u8; 32],
}

/// A person's specimen: the aggregate of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specimen {
    /// Its own id; events never name the person.
    pub id: Uuid,
    pub person_id: Uuid,
    /// Counts the specimen's events.
    pub sequence: i64,
    pub last_version: i32,
}

/// What happened to a specimen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecimenFact {
    Deposited {
        version: i32,
    },
    Proved {
        version: i32,
        method: ProofMethod,
        office_id: Option<Uuid>,
    },
}

impl Specimen {
    pub fn new(id: Uuid, person_id: Uuid) -> Self {
        Self {
            id,
            person_id,
            sequence: 0,
            last_version: 0,
        }
    }

    pub fn deposit(
        self,
        image_sha256: [u8; 32],
        now: DateTime<Utc>,
    ) -> (Self, SpecimenVersion, SpecimenFact) {
        let version = self.last_version + 1;
        let deposited = SpecimenVersion {
            version,
            deposited_at: now,
            proof: None,
            image_sha256,
        };
        let specimen = Self {
            last_version: version,
            sequence: self.sequence + 1,
            ..self
        };
        (specimen, deposited, SpecimenFact::Deposited { version })
    }

    /// Notes that a version was drawn by the person. The person's identity must be proved, which the caller has checked.
    ///
    /// # Errors
    /// [`Refusal::OwnIdentity`] for one's own specimen, [`Refusal::SpecimenProved`] when the version counts already.
    pub fn prove(
        self,
        version: SpecimenVersion,
        proof: Proof,
    ) -> Result<(Self, SpecimenVersion, SpecimenFact), Refusal> {
        if proof.official_id == Some(self.person_id) {
            return Err(Refusal::OwnIdentity);
        }
        if version.proof.is_some() {
            return Err(Refusal::SpecimenProved);
        }
        let fact = SpecimenFact::Proved {
            version: version.version,
            method: proof.method,
            office_id: proof.office_id,
        };
        let specimen = Self {
            sequence: self.sequence + 1,
            ..self
        };
        Ok((
            specimen,
            SpecimenVersion {
                proof: Some(proof),
                ..version
            },
            fact,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f32, pressure: f32) -> Point {
        Point {
            x,
            y: 0.5,
            pressure,
            milliseconds: 0,
        }
    }

    #[test]
    fn strokes_stay_inside_the_drawing_area() {
        assert!(Strokes::parse(vec![]).is_ok());
        assert!(Strokes::parse(vec![vec![point(0.0, 0.0), point(1.0, 1.0)]]).is_ok());
        for bad in [
            point(1.01, 0.0),
            point(-0.1, 0.0),
            point(f32::NAN, 0.0),
            point(0.5, 2.0),
        ] {
            assert_eq!(Strokes::parse(vec![vec![bad]]), Err(StrokesError::OutOfRange));
        }
        assert_eq!(Strokes::parse(vec![vec![]]), Err(StrokesError::EmptyStroke));
        assert_eq!(
            Strokes::parse(vec![vec![point(0.5, 0.5)]; MOST_STROKES + 1]),
            Err(StrokesError::TooMany)
        );
        assert_eq!(
            Strokes::parse(vec![vec![point(0.5, 0.5); MOST_POINTS + 1]]),
            Err(StrokesError::TooMany)
        );
    }

    #[test]
    fn versions_count_up_and_each_is_proved_once_by_another() {
        let proof = |official: u128| Proof {
            method: ProofMethod::InPerson,
            office_id: Some(Uuid::from_u128(5)),
            official_id: Some(Uuid::from_u128(official)),
            at: DateTime::UNIX_EPOCH,
        };
        let specimen = Specimen::new(Uuid::from_u128(1), Uuid::from_u128(2));
        let (specimen, first, _) = specimen.deposit([1; 32], DateTime::UNIX_EPOCH);
        let (specimen, second, fact) = specimen.deposit([2; 32], DateTime::UNIX_EPOCH);
        assert_eq!(
            (first.version, second.version, fact),
            (1, 2, SpecimenFact::Deposited { version: 2 })
        );
        assert_eq!(
            specimen.clone().prove(first.clone(), proof(2)).err(),
            Some(Refusal::OwnIdentity)
        );
        let (specimen, first, _) = specimen.prove(first, proof(3)).unwrap();
        assert_eq!((specimen.sequence, specimen.last_version), (3, 2));
        assert_eq!(
            specimen.prove(first, proof(3)).err(),
            Some(Refusal::SpecimenProved)
        );
    }
}
