use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::PrepareError;
use super::update::Update;
use crate::emit;
use crate::place::Frame;
use crate::plan::{Colour, MarkAppearance, Raster};
use crate::syntax::ObjectId;

/// Most points that all strokes of one drawing may have.
const MAX_POINTS: usize = 20_000;

/// Most pixels of a picture.
const MAX_PIXELS: u64 = 16 * 1024 * 1024;

/// Writes a form XObject of the rectangle's size whose content stands upright on a page so rotated.
pub(super) fn form(
    update: &mut Update<'_, '_>,
    rect: &[f64; 4],
    rotation: u16,
    appearance: &MarkAppearance,
) -> Result<ObjectId, PrepareError> {
    let (width, height) = (rect[2] - rect[0], rect[3] - rect[1]);
    let bounds = [0.0, 0.0, width, height];
    let frame = Frame::new(&bounds, rotation);
    let (content, resources) = match appearance {
        MarkAppearance::Strokes(strokes) => (pen(strokes, &frame, width.min(height))?, b"<< >>".to_vec()),
        MarkAppearance::Image(raster) => {
            let image = image(update, raster)?;
            let matrix: Vec<String> = frame
                .image_matrix()
                .iter()
                .map(|value| emit::number(*value))
                .collect();
            let content = format!("q\n{} cm\n/Image Do\nQ", matrix.join(" "));
            let resources = format!(
                "<< /XObject << /Image {} {} R >> >>",
                image.number, image.generation
            );
            (content.into_bytes(), resources.into_bytes())
        }
    };
    let entries: [(&[u8], &[u8]); 4] = [
        (b"Type", b"/XObject"),
        (b"Subtype", b"/Form"),
        (b"BBox", &emit::numbers(&bounds)),
        (b"Resources", &resources),
    ];
    Ok(update.add_stream(&entries, &content))
}

/// An appearance that shows nothing, for fields without extent (PDF/A-1 wants one for each widget).
pub(super) fn empty(update: &mut Update<'_, '_>) -> ObjectId {
    let entries: [(&[u8], &[u8]); 4] = [
        (b"Type", b"/XObject"),
        (b"Subtype", b"/Form"),
        (b"BBox", b"[0 0 0 0]"),
        (b"Resources", b"<< >>"),
    ];
    update.add_stream(&entries, b"")
}

/// Black, round ends: gray is safe under any output intent.
fn pen(strokes: &[Vec<(f64, f64)>], frame: &Frame, extent: f64) -> Result<Vec<u8>, PrepareError> {
    let points = strokes.iter().map(Vec::len).sum::<usize>();
    let within = |value: f64| (0.0..=1.0).contains(&value);
    if points == 0 || points > MAX_POINTS || !strokes.iter().flatten().all(|(x, y)| within(*x) && within(*y))
    {
        return Err(PrepareError::BadAppearance);
    }
    let width = (extent * 0.025).clamp(0.5, 2.0);
    let mut content = format!("q\n0 G\n{} w\n1 J\n1 j\n", emit::number(width));
    for stroke in strokes.iter().filter(|stroke| !stroke.is_empty()) {
        // A single point becomes a dot: a line of no length with round ends.
        let line = stroke
            .iter()
            .skip(1)
            .chain(stroke.first().filter(|_| stroke.len() == 1));
        let (x, y) = frame.point(stroke[0].0, stroke[0].1);
        content.push_str(&format!("{} {} m\n", emit::number(x), emit::number(y)));
        for (x, y) in line {
            let (x, y) = frame.point(*x, *y);
            content.push_str(&format!("{} {} l\n", emit::number(x), emit::number(y)));
        }
        content.push_str("S\n");
    }
    content.push('Q');
    Ok(content.into_bytes())
}

fn image(update: &mut Update<'_, '_>, raster: &Raster) -> Result<ObjectId, PrepareError> {
    let pixels = u64::from(raster.width) * u64::from(raster.height);
    let (samples, space) = match raster.colour {
        Colour::Gray => (1, b"/DeviceGray".as_slice()),
        Colour::Rgb => (3, b"/DeviceRGB".as_slice()),
    };
    let fits = |data: &[u8], samples: u64| data.len() as u64 == pixels * samples;
    let alpha_fits = raster.alpha.as_deref().is_none_or(|alpha| fits(alpha, 1));
    if pixels == 0 || pixels > MAX_PIXELS || !fits(&raster.pixels, samples) || !alpha_fits {
        return Err(PrepareError::BadAppearance);
    }
    let mask = raster
        .alpha
        .as_deref()
        .map(|alpha| samples_stream(update, raster, b"/DeviceGray", alpha, None));
    Ok(samples_stream(update, raster, space, &raster.pixels, mask))
}

fn samples_stream(
    update: &mut Update<'_, '_>,
    raster: &Raster,
    space: &[u8],
    data: &[u8],
    mask: Option<ObjectId>,
) -> ObjectId {
    let (width, height) = (raster.width.to_string(), raster.height.to_string());
    let mask = mask.map(emit::reference);
    let mut entries: Vec<(&[u8], &[u8])> = vec![
        (b"Type", b"/XObject"),
        (b"Subtype", b"/Image"),
        (b"Width", width.as_bytes()),
        (b"Height", height.as_bytes()),
        (b"ColorSpace", space),
        (b"BitsPerComponent", b"8"),
        (b"Filter", b"/FlateDecode"),
    ];
    if let Some(mask) = &mask {
        entries.push((b"SMask", mask));
    }
    update.add_stream(&entries, &deflate(data))
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(data)
        .and_then(|()| encoder.finish())
        .expect("writing to memory cannot fail")
}
