//! Where drawings end up, as poppler shows them.

use wathiq_pades::intake::{Limits, inspect};
use wathiq_pades::place::ViewerRect;
use wathiq_pades::plan::{Colour, FieldPlacement, Mark, MarkAppearance, Raster};
use wathiq_pades::prepare;

use crate::build::Builder;
use crate::support::{Desk, assert_qpdf_clean, plan, run, text};

/// The left and the lower side of the rectangle as viewed.
fn corner() -> MarkAppearance {
    MarkAppearance::Strokes(vec![vec![(0.02, 0.0), (0.02, 0.98), (1.0, 0.98)]])
}

const AREA: ViewerRect = ViewerRect {
    left: 0.2,
    top: 0.1,
    width: 0.4,
    height: 0.2,
};

/// A page as it is shown, in gray.
struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn of(desk: &Desk, bytes: &[u8]) -> Self {
        let file = desk.write("drawn.pdf", bytes);
        assert_qpdf_clean(&file);
        let root = desk.path("drawn");
        let output = run(
            "pdftoppm",
            &[
                "-r",
                "72",
                "-cropbox",
                "-gray",
                "-singlefile",
                text(&file),
                text(&root),
            ],
        );
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let data = std::fs::read(desk.path("drawn.pgm")).expect("pdftoppm wrote it");
        let header: Vec<usize> = String::from_utf8_lossy(&data[2..20])
            .split_ascii_whitespace()
            .take(2)
            .map(|number| number.parse().expect("a number"))
            .collect();
        let (width, height) = (header[0], header[1]);
        let pixels = data[data.len() - width * height..].to_vec();
        Self {
            width,
            height,
            pixels,
        }
    }

    /// The darkest pixel around a point given in fractions of a rectangle of the shown page.
    fn darkest(&self, area: &ViewerRect, x: f64, y: f64) -> u8 {
        let column = ((area.left + x * area.width) * self.width as f64) as usize;
        let row = ((area.top + y * area.height) * self.height as f64) as usize;
        let near = |center: usize, end: usize| center.saturating_sub(2)..(center + 3).min(end);
        let rows =
            near(row, self.height).flat_map(|row| near(column, self.width).map(move |column| (row, column)));
        rows.map(|(row, column)| self.pixels[row * self.width + column])
            .min()
            .unwrap_or(255)
    }
}

fn rotated(rotation: u16, content: &str) -> Vec<u8> {
    Builder::new()
        .object(
            3,
            &format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [-50 20 595 842] /CropBox [10 60 510 760] \
                 /Rotate {rotation} /Contents 4 0 R >>"
            ),
        )
        .stream(4, "", content.as_bytes())
        .finish()
}

#[track_caller]
fn assert_corner(picture: &Picture, what: &str) {
    assert!(picture.darkest(&AREA, 0.02, 0.5) < 120, "{what}: the left side");
    assert!(picture.darkest(&AREA, 0.5, 0.98) < 120, "{what}: the lower side");
    assert!(picture.darkest(&AREA, 0.98, 0.5) > 200, "{what}: the right side");
    assert!(picture.darkest(&AREA, 0.5, 0.04) > 200, "{what}: the upper side");
}

/// Content that leaves the graphics state turned upside down, that restores too much, and that ends within a value.
const UNTIDY: [&str; 9] = [
    "",
    "q 0.2 0 0 -0.2 400 300 cm",
    "Q Q 0.5 0 0 0.5 9 9 cm",
    "1 g BI /W 1 /H 1 /BPC 8 /CS /G ID q EI q",
    "q BI /W 1 /H 1 /BPC 8 /CS /G ID q",
    "q (never (closed",
    "q <41",
    "q [ 1 0 << /A [",
    "q /P << /A 1",
];

#[test]
fn marks_stand_upright_where_the_viewer_put_them() {
    let desk = Desk::new();
    for rotation in [0, 90, 180, 270] {
        for content in UNTIDY {
            let original = rotated(rotation, content);
            let intake = inspect(&original, &Limits::default()).expect("it is plain");
            let rect = intake.pages[0].to_user_space(&AREA).expect("it lies on the page");
            let back = intake.pages[0].to_viewer(&rect);
            assert!((back.left - AREA.left).abs() < 1e-9 && (back.top - AREA.top).abs() < 1e-9);
            let mut plan = plan();
            plan.mark = Some(Mark {
                page_index: 0,
                rect,
                appearance: corner(),
            });
            let prepared = prepare(&original, &plan).expect("it can be prepared");
            assert_corner(
                &Picture::of(&desk, &prepared.bytes),
                &format!("{rotation}, {content:?}"),
            );
        }
    }
}

#[test]
fn widgets_stand_upright_where_the_viewer_put_them() {
    let desk = Desk::new();
    for rotation in [0, 90, 180, 270] {
        let original = rotated(rotation, "");
        let intake = inspect(&original, &Limits::default()).expect("it is plain");
        let rect = intake.pages[0].to_user_space(&AREA).expect("it lies on the page");
        let name = "Sceau".to_owned();
        let mut plan = plan();
        plan.field = FieldPlacement::Visible {
            name,
            page_index: 0,
            rect,
            appearance: corner(),
        };
        let prepared = prepare(&original, &plan).expect("it can be prepared");
        assert_corner(&Picture::of(&desk, &prepared.bytes), &rotation.to_string());
    }
}

#[test]
fn pictures_stand_upright_and_let_the_page_through() {
    let desk = Desk::new();
    // Left column and lower row black, the rest transparent.
    let ink = |index: usize| index.is_multiple_of(10) || index >= 90;
    let alpha = (0..100).map(|index| if ink(index) { 255 } else { 0 }).collect();
    let raster = Raster {
        width: 10,
        height: 10,
        colour: Colour::Rgb,
        pixels: vec![0; 300],
        alpha: Some(alpha),
    };
    for rotation in [0, 90, 180, 270] {
        let original = rotated(rotation, "");
        let intake = inspect(&original, &Limits::default()).expect("it is plain");
        let rect = intake.pages[0].to_user_space(&AREA).expect("it lies on the page");
        let mut plan = plan();
        plan.mark = Some(Mark {
            page_index: 0,
            rect,
            appearance: MarkAppearance::Image(raster.clone()),
        });
        let prepared = prepare(&original, &plan).expect("it can be prepared");
        assert_corner(&Picture::of(&desk, &prepared.bytes), &rotation.to_string());
    }
}

#[test]
fn a_rectangle_outside_the_page_is_refused() {
    let intake = inspect(&rotated(90, ""), &Limits::default()).expect("it is plain");
    for area in [
        ViewerRect { left: 0.9, ..AREA },
        ViewerRect { top: -0.1, ..AREA },
        ViewerRect { width: 0.0, ..AREA },
        ViewerRect {
            height: f64::NAN,
            ..AREA
        },
    ] {
        assert!(intake.pages[0].to_user_space(&area).is_err(), "{area:?}");
    }
    let points = intake.pages[0].viewer_rect(70.0, 50.0, 140.0, 100.0);
    assert!(
        (points.left - 0.1).abs() < 1e-9 && (points.height - 0.2).abs() < 1e-9,
        "{points:?}"
    );
}
