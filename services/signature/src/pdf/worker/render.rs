//! Pictures of pages, as a person will see them.

use std::io::Cursor;
use std::ops::Range;
use std::sync::Arc;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{RenderCache, RenderSettings};
use image::imageops::{self, FilterType};
use image::{ImageFormat, RgbImage};
use wathiq_pades::place::{PageInfo, ViewerRect};

use super::prepare;
use crate::domain::document::IntakeRefusal;
use crate::pdf::job::{Answer, RenderJob};

/// Most pixels of a whole page, about 290 dots an inch on A4; a region of a page is cut out of the whole.
const MAX_PIXELS: f64 = 8_000_000.0;
/// Longest side in pixels.
const MAX_SIDE: f64 = 16_000.0;

/// A picture, or the answer that says why there is none.
type Outcome<T> = Result<T, Answer>;

pub(super) fn render(file: Vec<u8>, job: &RenderJob) -> (Answer, Option<Vec<u8>>) {
    match picture(file, job) {
        Ok(png) => (Answer::Rendered, Some(png)),
        Err(answer) => (answer, None),
    }
}

fn picture(file: Vec<u8>, job: &RenderJob) -> Outcome<Vec<u8>> {
    let info = prepare::page_info(&file, job.page_index)?;
    let region = region(&info, job)?;
    let file = match &job.overlay {
        Some(overlay) => prepare::draw(&file, job.page_index, overlay)?,
        None => file,
    };
    let pdf = Pdf::new(Arc::new(file)).map_err(|_| unreadable())?;
    let page = pdf
        .pages()
        .get(job.page_index as usize)
        .ok_or(Answer::OutOfRange)?;
    let whole = whole_page(page, job.width_pixels, region.width);
    encode(&scaled(cut(&whole, &region)?, job.width_pixels))
}

fn unreadable() -> Answer {
    Answer::Refused(IntakeRefusal {
        reason: "NOT_RENDERED".to_owned(),
        object_number: None,
        detail: "the page cannot be drawn".to_owned(),
    })
}

/// The region in fractions of the page as shown.
fn region(info: &PageInfo, job: &RenderJob) -> Outcome<ViewerRect> {
    let Some(region) = job.region else {
        return Ok(ViewerRect {
            left: 0.0,
            top: 0.0,
            width: 1.0,
            height: 1.0,
        });
    };
    let rect = info.viewer_rect(region.x, region.y, region.width, region.height);
    info.to_user_space(&rect).map_err(|_| Answer::OutOfRange)?;
    Ok(rect)
}

fn whole_page(page: &Page<'_>, width_pixels: u32, share: f64) -> Pixmap {
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let wanted = f64::from(width_pixels) / (width * share);
    let bounded = (MAX_PIXELS / (width * height))
        .sqrt()
        .min(MAX_SIDE / width)
        .min(MAX_SIDE / height);
    let scale = wanted.min(bounded);
    let pixels = |length: f64| (length * scale).round().clamp(1.0, MAX_SIDE) as u16;
    let settings = RenderSettings {
        x_scale: scale as f32,
        y_scale: scale as f32,
        width: Some(pixels(width)),
        height: Some(pixels(height)),
        bg_color: WHITE,
    };
    hayro::render(
        page,
        &RenderCache::new(),
        &InterpreterSettings::default(),
        &settings,
    )
}

/// The region's pixels; the page is white below, so that no pixel is transparent.
fn cut(whole: &Pixmap, region: &ViewerRect) -> Outcome<RgbImage> {
    let (width, height) = (usize::from(whole.width()), usize::from(whole.height()));
    let columns = span(region.left, region.width, width);
    let rows = span(region.top, region.height, height);
    let mut rgb = Vec::with_capacity(columns.len() * rows.len() * 3);
    for row in whole.data().chunks_exact(width).skip(rows.start).take(rows.len()) {
        for pixel in &row[columns.clone()] {
            rgb.extend_from_slice(&[pixel.r, pixel.g, pixel.b]);
        }
    }
    let side = |length: usize| u32::try_from(length).expect("a side has at most 16,000 pixels");
    RgbImage::from_raw(side(columns.len()), side(rows.len()), rgb).ok_or_else(unreadable)
}

/// A share of a side as pixels, at least one.
fn span(from: f64, share: f64, length: usize) -> Range<usize> {
    let pixels = length as f64;
    let start = ((from * pixels).round().max(0.0) as usize).min(length - 1);
    let extent = ((share * pixels).round() as usize).clamp(1, length - start);
    start..start + extent
}

/// Brings a region that the limits kept small to the width asked for.
fn scaled(part: RgbImage, width_pixels: u32) -> RgbImage {
    let tall = f64::from(part.height()) * f64::from(width_pixels) / f64::from(part.width());
    if part.width() >= width_pixels || tall > MAX_SIDE {
        return part;
    }
    imageops::resize(
        &part,
        width_pixels,
        (tall.round() as u32).max(1),
        FilterType::Triangle,
    )
}

fn encode(picture: &RgbImage) -> Outcome<Vec<u8>> {
    let mut png = Cursor::new(Vec::new());
    picture
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| Answer::Impossible(format!("a picture cannot be written: {error}")))?;
    Ok(png.into_inner())
}
