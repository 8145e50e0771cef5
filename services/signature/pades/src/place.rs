//! From what a viewer shows to the user space of a page, and back.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::pages::{Page, TreeFault};
use crate::syntax::Document;

/// Slack in points for rectangles that touch the page's edge.
const TOLERANCE: f64 = 0.01;

/// The page boundaries and rotation that decide what a viewer shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageInfo {
    /// Left, bottom, right, top in user space.
    pub media_box: [f64; 4],
    /// What is shown: the crop box within the media box.
    pub crop_box: [f64; 4],
    /// Degrees clockwise: 0, 90, 180 or 270.
    pub rotate: u16,
    /// Size of a user space unit in 1/72 inch, usually 1.
    pub user_unit: f64,
}

/// A rectangle as the viewer sees it: fractions of the shown page, from its top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ViewerRect {
    /// Distance of the left side from the left edge, 0 to 1 of the width shown.
    pub left: f64,
    /// Distance of the upper side from the upper edge, 0 to 1 of the height shown.
    pub top: f64,
    /// 0 to 1 of the width shown.
    pub width: f64,
    /// 0 to 1 of the height shown.
    pub height: f64,
}

/// A rectangle that does not lie on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the rectangle does not lie within the page")]
pub struct OutsidePage;

impl PageInfo {
    /// Width and height as shown, in points of 1/72 inch.
    pub fn shown_size(&self) -> (f64, f64) {
        let [x0, y0, x1, y1] = self.crop_box;
        let (width, height) = ((x1 - x0) * self.user_unit, (y1 - y0) * self.user_unit);
        if self.rotate % 180 == 90 {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// The rectangle in user space (left, bottom, right, top) under a rectangle of the shown page.
    ///
    /// # Errors
    /// [`OutsidePage`] if it is empty or reaches beyond what is shown.
    pub fn to_user_space(&self, viewed: &ViewerRect) -> Result<[f64; 4], OutsidePage> {
        let frame = Frame::new(&self.crop_box, self.rotate);
        let (x0, y0) = frame.point(viewed.left, viewed.top);
        let (x1, y1) = frame.point(viewed.left + viewed.width, viewed.top + viewed.height);
        let rect = [x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)];
        let upright = viewed.width > 0.0 && viewed.height > 0.0;
        if upright && contains(&self.crop_box, &rect) {
            Ok(rect)
        } else {
            Err(OutsidePage)
        }
    }

    /// Where a rectangle of user space is shown.
    pub fn to_viewer(&self, rect: &[f64; 4]) -> ViewerRect {
        let frame = Frame::new(&self.crop_box, self.rotate);
        let (ax, ay) = frame.fraction(rect[0], rect[1]);
        let (bx, by) = frame.fraction(rect[2], rect[3]);
        ViewerRect {
            left: ax.min(bx),
            top: ay.min(by),
            width: (ax - bx).abs(),
            height: (ay - by).abs(),
        }
    }

    /// Fractions for a rectangle given in points of the shown page, from its top left corner.
    pub fn viewer_rect(&self, left: f64, top: f64, width: f64, height: f64) -> ViewerRect {
        let (shown_width, shown_height) = self.shown_size();
        ViewerRect {
            left: left / shown_width,
            top: top / shown_height,
            width: width / shown_width,
            height: height / shown_height,
        }
    }
}

/// A rectangle of user space with the directions a viewer sees.
pub(crate) struct Frame {
    /// The corner seen at the top left.
    origin: (f64, f64),
    /// From there to the top right corner.
    right: (f64, f64),
    /// From there to the bottom left corner.
    down: (f64, f64),
}

impl Frame {
    pub(crate) fn new(rect: &[f64; 4], rotate: u16) -> Self {
        let [x0, y0, x1, y1] = *rect;
        let (width, height) = (x1 - x0, y1 - y0);
        let (origin, right, down) = match rotate {
            90 => ((x0, y0), (0.0, height), (width, 0.0)),
            180 => ((x1, y0), (-width, 0.0), (0.0, height)),
            270 => ((x1, y1), (0.0, -height), (-width, 0.0)),
            _ => ((x0, y1), (width, 0.0), (0.0, -height)),
        };
        Self { origin, right, down }
    }

    /// The point at fractions of the rectangle as seen, x to the right, y down.
    pub(crate) fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.origin.0 + x * self.right.0 + y * self.down.0,
            self.origin.1 + x * self.right.1 + y * self.down.1,
        )
    }

    /// The matrix that puts a unit square, as images use it, upright into the rectangle.
    pub(crate) fn image_matrix(&self) -> [f64; 6] {
        let (x, y) = self.point(0.0, 1.0);
        [self.right.0, self.right.1, -self.down.0, -self.down.1, x, y]
    }

    fn fraction(&self, x: f64, y: f64) -> (f64, f64) {
        let (dx, dy) = (x - self.origin.0, y - self.origin.1);
        let along = |(ax, ay): (f64, f64)| (dx * ax + dy * ay) / (ax * ax + ay * ay);
        (along(self.right), along(self.down))
    }
}

/// Whether `inner` is a proper rectangle within `outer`.
pub(crate) fn contains(outer: &[f64; 4], inner: &[f64; 4]) -> bool {
    inner.iter().all(|value| value.is_finite())
        && inner[0] < inner[2]
        && inner[1] < inner[3]
        && inner[0] >= outer[0] - TOLERANCE
        && inner[1] >= outer[1] - TOLERANCE
        && inner[2] <= outer[2] + TOLERANCE
        && inner[3] <= outer[3] + TOLERANCE
}

/// The crop box within the media box (ISO 32000-1, 14.11.2).
pub(crate) fn visible_box<'d>(document: &'d Document<'_>, page: &Page<'d>) -> Result<[f64; 4], TreeFault> {
    let media = page
        .boundary(document, b"MediaBox")?
        .ok_or(TreeFault::Page(page.id))?;
    let crop = page.boundary(document, b"CropBox")?.unwrap_or(media);
    let shown = [
        media[0].max(crop[0]),
        media[1].max(crop[1]),
        media[2].min(crop[2]),
        media[3].min(crop[3]),
    ];
    // A crop box beside the media box is ignored by viewers.
    let shown = if shown[0] < shown[2] && shown[1] < shown[3] {
        shown
    } else {
        media
    };
    if shown[0] < shown[2] && shown[1] < shown[3] {
        Ok(shown)
    } else {
        Err(TreeFault::Page(page.id))
    }
}
