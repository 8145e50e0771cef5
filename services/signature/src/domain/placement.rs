//! Where the citizen's signature is.

use crate::domain::document::{Document, PageSize, SealPolicy};
use crate::domain::strokes::Strokes;

/// Smallest rectangle of a signature: 30 by 10 points, in thousandths.
const SMALLEST: (i64, i64) = (30_000, 10_000);

/// A rectangle on a page as displayed: thousandths of a point from the top left corner, y down. Whole numbers, so that what
/// is confirmed, stored and drawn is the same to the last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
}

impl Rectangle {
    /// From points; none when a number is not finite or absurdly large.
    pub fn from_points(x: f64, y: f64, width: f64, height: f64) -> Option<Self> {
        Some(Self {
            x: thousandths(x)?,
            y: thousandths(y)?,
            width: thousandths(width)?,
            height: thousandths(height)?,
        })
    }

    /// x, y, width and height in points.
    #[expect(
        clippy::cast_precision_loss,
        reason = "coordinates are below 10^9 and exact in a double"
    )]
    pub fn points(&self) -> [f64; 4] {
        [self.x, self.y, self.width, self.height].map(|value| value as f64 / 1_000.0)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is below 10^9 in magnitude"
)]
fn thousandths(points: f64) -> Option<i64> {
    let scaled = (points * 1_000.0).round();
    (scaled.abs() < 1e9).then_some(scaled as i64)
}

/// How the signature comes onto the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// Drawn for this request, to be put there.
    Drawn(Strokes),
    /// It already stands there in the file.
    Standing,
}

/// Where the citizen's signature is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// 1 is the first page.
    pub page_number: u32,
    pub rectangle: Rectangle,
    pub mark: Mark,
}

/// Why a placement does not fit the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlacementFault {
    #[error("the document has no such page")]
    PageUnknown,
    #[error("must lie within the page")]
    OutsidePage,
    #[error("must be at least 30 points wide and 10 points high")]
    TooSmall,
    #[error("must not cover more than half of the page")]
    TooLarge,
    #[error("earlier signatures allow no mark on the page: the signature must already stand in the document")]
    MustStand,
}

impl Placement {
    /// Checks the placement against an accepted document.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self, document: &Document) -> Result<(), PlacementFault> {
        let page = document
            .page(self.page_number)
            .ok_or(PlacementFault::PageUnknown)?;
        self.rectangle.check(page)?;
        // A certified document takes a seal in its own empty field or in an invisible one: neither is where the citizen
        // would have drawn.
        let must_stand = matches!(
            document.accepted().map(|accepted| &accepted.policy),
            Some(SealPolicy::InvisibleField | SealPolicy::ExistingField { .. })
        );
        match self.mark {
            Mark::Drawn(_) if must_stand => Err(PlacementFault::MustStand),
            Mark::Drawn(_) | Mark::Standing => Ok(()),
        }
    }

    /// SHA-256 of the drawn strokes; none for a standing signature.
    pub fn mark_digest(&self) -> Option<[u8; 32]> {
        match &self.mark {
            Mark::Drawn(strokes) => Some(strokes.digest()),
            Mark::Standing => None,
        }
    }
}

impl Rectangle {
    fn check(&self, page: PageSize) -> Result<(), PlacementFault> {
        // A page's size is rounded as the rectangle was, so that a rectangle up to the very edge is inside.
        let page = Self::from_points(0.0, 0.0, page.width, page.height).ok_or(PlacementFault::OutsidePage)?;
        if self.width < SMALLEST.0 || self.height < SMALLEST.1 {
            return Err(PlacementFault::TooSmall);
        }
        let inside = self.x >= 0
            && self.y >= 0
            && self.x + self.width <= page.width
            && self.y + self.height <= page.height;
        if !inside {
            return Err(PlacementFault::OutsidePage);
        }
        if i128::from(self.width) * i128::from(self.height) * 2
            > i128::from(page.width) * i128::from(page.height)
        {
            return Err(PlacementFault::TooLarge);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::document::{Accepted, Inspection};

    fn document(policy: SealPolicy) -> Document {
        Document {
            id: Uuid::nil(),
            owner_id: Uuid::nil(),
            file_name: "a.pdf".to_owned(),
            size_bytes: 1,
            sha256: [0; 32],
            object_key: Some("documents/a".to_owned()),
            verdict: Inspection::Accepted(Accepted {
                pages: vec![
                    PageSize {
                        width: 595.276,
                        height: 841.89,
                    },
                    PageSize {
                        width: 100.0,
                        height: 100.0,
                    },
                ],
                existing_signatures: vec![],
                policy,
            }),
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn check(
        page_number: u32,
        rectangle: [f64; 4],
        drawn: bool,
        policy: SealPolicy,
    ) -> Result<(), PlacementFault> {
        let [x, y, width, height] = rectangle;
        let strokes = Strokes::from_fractions(&[vec![(0.0, 0.0), (1.0, 1.0)]]).unwrap();
        let mark = if drawn {
            Mark::Drawn(strokes)
        } else {
            Mark::Standing
        };
        let rectangle = Rectangle::from_points(x, y, width, height).unwrap();
        Placement {
            page_number,
            rectangle,
            mark,
        }
        .check(&document(policy))
    }

    #[test]
    fn rectangles() {
        let unsigned = |page, rectangle| check(page, rectangle, true, SealPolicy::Unsigned);
        assert_eq!(unsigned(1, [100.0, 700.0, 200.0, 60.0]), Ok(()));
        assert_eq!(unsigned(1, [395.276, 781.89, 200.0, 60.0]), Ok(()));
        assert_eq!(
            unsigned(1, [395.277, 781.89, 200.0, 60.0]),
            Err(PlacementFault::OutsidePage)
        );
        assert_eq!(
            unsigned(1, [-0.001, 0.0, 200.0, 60.0]),
            Err(PlacementFault::OutsidePage)
        );
        assert_eq!(
            unsigned(1, [0.0, 0.0, 29.999, 60.0]),
            Err(PlacementFault::TooSmall)
        );
        assert_eq!(
            unsigned(1, [0.0, 0.0, 30.0, 9.999]),
            Err(PlacementFault::TooSmall)
        );
        assert_eq!(unsigned(2, [0.0, 0.0, 100.0, 50.0]), Ok(()));
        assert_eq!(
            unsigned(2, [0.0, 0.0, 100.0, 50.001]),
            Err(PlacementFault::TooLarge)
        );
        assert_eq!(
            unsigned(0, [0.0, 0.0, 100.0, 50.0]),
            Err(PlacementFault::PageUnknown)
        );
        assert_eq!(
            unsigned(3, [0.0, 0.0, 100.0, 50.0]),
            Err(PlacementFault::PageUnknown)
        );
    }

    #[test]
    fn certified_documents_take_standing_signatures_only() {
        let rectangle = [10.0, 10.0, 60.0, 30.0];
        let existing = SealPolicy::ExistingField {
            name: "Sig2".to_owned(),
        };
        for policy in [SealPolicy::InvisibleField, existing] {
            assert_eq!(
                check(1, rectangle, true, policy.clone()),
                Err(PlacementFault::MustStand)
            );
            assert_eq!(check(1, rectangle, false, policy), Ok(()));
        }
        for policy in [SealPolicy::Unsigned, SealPolicy::VisibleField] {
            assert_eq!(check(1, rectangle, true, policy.clone()), Ok(()));
            assert_eq!(check(1, rectangle, false, policy), Ok(()));
        }
    }

    #[test]
    fn numbers_that_are_none() {
        assert_eq!(Rectangle::from_points(f64::NAN, 0.0, 1.0, 1.0), None);
        assert_eq!(Rectangle::from_points(0.0, f64::INFINITY, 1.0, 1.0), None);
        assert_eq!(Rectangle::from_points(0.0, 0.0, 1e30, 1.0), None);
        assert_eq!(
            Rectangle::from_points(0.1, 0.25, 1.0004, 2.0).map(|r| r.points()),
            Some([0.1, 0.25, 1.0, 2.0])
        );
    }
}
