//! A signature drawn by hand, and its picture.

use anyhow::Result;
use image::{GrayImage, ImageFormat, Luma};
use serde_json::{Value, json};

/// Points of one stroke, as fractions of the drawing area.
type Stroke = Vec<(f32, f32)>;

/// A signature: a looped line and a flourish below it. `shift` makes two drawings of one hand differ a little.
#[must_use]
pub fn signature(shift: f32) -> Vec<Stroke> {
    let line = |count: u16, point: &dyn Fn(f32) -> (f32, f32)| -> Stroke {
        (0..=count)
            .map(|index| point(f32::from(index) / f32::from(count)))
            .collect()
    };
    let loops = line(90, &|t| {
        let x = 0.06 + 0.7 * t + 0.06 * (t * 19.0 + shift).sin();
        let y = 0.42 + (0.26 - 0.12 * t) * (t * 19.0 + shift).cos();
        (x, y)
    });
    let flourish = line(30, &|t| {
        (0.1 + 0.82 * t, 0.86 - 0.16 * t - 0.05 * (t * 6.0 + shift).sin())
    });
    vec![loops, flourish]
}

/// The strokes as the API takes a drawn signature.
#[must_use]
pub fn drawn(strokes: &[Stroke]) -> Value {
    let strokes: Vec<Value> = strokes
        .iter()
        .map(|stroke| {
            let points: Vec<Value> = stroke.iter().map(|(x, y)| json!({"x": x, "y": y})).collect();
            json!({ "points": points })
        })
        .collect();
    json!({ "strokes": strokes })
}

/// The strokes as a specimen's, with times.
#[must_use]
pub fn specimen_strokes(strokes: &[Stroke]) -> Value {
    strokes
        .iter()
        .map(|stroke| {
            let points: Vec<Value> = stroke
                .iter()
                .enumerate()
                .map(|(index, (x, y))| json!({"x": x, "y": y, "pressure": 0.5, "time_milliseconds": index * 12}))
                .collect();
            json!({ "points": points })
        })
        .collect()
}

/// The strokes drawn in black on white, 600 by 200 pixels, PNG.
///
/// # Errors
/// When the picture cannot be encoded.
pub fn picture(strokes: &[Stroke]) -> Result<Vec<u8>> {
    let (width, height) = (600_u16, 200_u16);
    let mut image = GrayImage::from_pixel(width.into(), height.into(), Luma([255]));
    for stroke in strokes {
        for pair in stroke.windows(2) {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
            for step in 0_u8..40 {
                let t = f32::from(step) / 40.0;
                let x = (x0 + (x1 - x0) * t) * f32::from(width);
                let y = (y0 + (y1 - y0) * t) * f32::from(height);
                dot(&mut image, x, y);
            }
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn dot(image: &mut GrayImage, x: f32, y: f32) {
    for dx in -1..=1 {
        for dy in -1..=1 {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a pixel's place in a small picture"
            )]
            let (x, y) = (x as i64 + dx, y as i64 + dy);
            if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
                && x < image.width()
                && y < image.height()
            {
                image.put_pixel(x, y, Luma([0]));
            }
        }
    }
}
