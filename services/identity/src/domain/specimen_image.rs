//! The image of a specimen: a PNG that is really one, of a size that fits, with something drawn on it.

use image::{ColorType, DynamicImage, ImageDecoder, ImageReader, Limits};
use sha2::{Digest, Sha256};

const MAX_BYTES: usize = 512 * 1024;
const MAX_WIDTH: u32 = 2_000;
const MAX_HEIGHT: u32 = 1_000;
const MIN_SIDE: u32 = 40;
/// A decoded image of the largest size with four 16-bit channels, and the decoder's own needs.
const MAX_ALLOCATION: u64 = 32 * 1024 * 1024;
/// Fewest pixels that differ clearly from the background.
const MIN_INK: usize = 60;
const INK_CONTRAST: i32 = 48;

/// A checked image.
#[derive(Clone, PartialEq, Eq)]
pub struct SpecimenImage {
    png: Vec<u8>,
}

super::redacted!(SpecimenImage);

/// Why an image is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("the image is missing")]
    Missing,
    #[error("the image is larger than 512 KiB")]
    TooLarge,
    #[error("this is not a PNG image, or it is damaged")]
    NotPng,
    #[error("the image is not between 40 and 2,000 pixels wide and 40 and 1,000 high")]
    Dimensions,
    #[error("nothing is drawn on the image")]
    Blank,
}

impl ImageError {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "REQUIRED",
            Self::TooLarge => "IMAGE_TOO_LARGE",
            Self::NotPng => "IMAGE_NOT_PNG",
            Self::Dimensions => "IMAGE_DIMENSIONS",
            Self::Blank => "IMAGE_BLANK",
        }
    }
}

impl SpecimenImage {
    /// # Errors
    /// [`ImageError`].
    pub fn parse(png: Vec<u8>) -> Result<Self, ImageError> {
        if png.is_empty() {
            return Err(ImageError::Missing);
        }
        if png.len() > MAX_BYTES {
            return Err(ImageError::TooLarge);
        }
        let decoded = decode(&png)?;
        if ink(&decoded) < MIN_INK {
            Err(ImageError::Blank)
        } else {
            Ok(Self { png })
        }
    }

    pub fn png(&self) -> &[u8] {
        &self.png
    }

    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.png).into()
    }
}

fn decode(png: &[u8]) -> Result<DynamicImage, ImageError> {
    let reader = ImageReader::with_format(std::io::Cursor::new(png), image::ImageFormat::Png);
    let mut decoder = reader.into_decoder().map_err(|_| ImageError::NotPng)?;
    let (width, height) = decoder.dimensions();
    let fits = (MIN_SIDE..=MAX_WIDTH).contains(&width) && (MIN_SIDE..=MAX_HEIGHT).contains(&height);
    if !fits {
        return Err(ImageError::Dimensions);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_WIDTH);
    limits.max_image_height = Some(MAX_HEIGHT);
    limits.max_alloc = Some(MAX_ALLOCATION);
    decoder.set_limits(limits).map_err(|_| ImageError::Dimensions)?;
    DynamicImage::from_decoder(decoder).map_err(|_| ImageError::NotPng)
}

/// Pixels that stand out from the background, on white paper where the image is transparent. The background is the shade
/// most pixels have.
fn ink(image: &DynamicImage) -> usize {
    let shades = shades(image);
    let mut counts = [0usize; 256];
    for shade in &shades {
        counts[usize::from(*shade)] += 1;
    }
    let background = (0i32..256)
        .max_by_key(|shade| counts[usize::try_from(*shade).unwrap_or(0)])
        .unwrap_or(255);
    shades
        .iter()
        .filter(|shade| (i32::from(**shade) - background).abs() >= INK_CONTRAST)
        .count()
}

fn shades(image: &DynamicImage) -> Vec<u8> {
    if matches!(
        image.color(),
        ColorType::L8 | ColorType::Rgb8 | ColorType::L16 | ColorType::Rgb16
    ) {
        return image.to_luma8().into_raw();
    }
    let on_paper = |pixel: &image::LumaA<u8>| {
        let [shade, alpha] = pixel.0.map(u32::from);
        u8::try_from((shade * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    image.to_luma_alpha8().pixels().map(on_paper).collect()
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, ImageFormat, Luma, Rgba};

    use super::*;

    fn png(image: &DynamicImage) -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        image.write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    fn drawn(width: u32, height: u32) -> Vec<u8> {
        let stroke = |x: u32, y: u32| if x / 3 == y / 3 { Luma([10u8]) } else { Luma([250]) };
        png(&ImageBuffer::from_fn(width, height, stroke).into())
    }

    #[test]
    fn a_drawn_image_is_taken() {
        assert!(SpecimenImage::parse(drawn(400, 200)).is_ok());
        let on_glass = |x: u32, y: u32| {
            if x / 3 == y / 3 {
                Rgba([0u8, 0, 90, 255])
            } else {
                Rgba([0, 0, 0, 0])
            }
        };
        assert!(SpecimenImage::parse(png(&ImageBuffer::from_fn(400, 200, on_glass).into())).is_ok());
    }

    #[test]
    fn a_blank_one_is_not() {
        let blank = [
            Rgba([255u8, 255, 255, 255]),
            Rgba([0, 0, 0, 0]),
            Rgba([0, 0, 0, 255]),
            Rgba([250, 251, 252, 255]),
        ];
        for colour in blank {
            let image = ImageBuffer::from_fn(400, 200, |x, y| {
                if (x, y) == (5, 5) {
                    Rgba([0u8, 0, 0, 255])
                } else {
                    colour
                }
            });
            assert_eq!(SpecimenImage::parse(png(&image.into())), Err(ImageError::Blank));
        }
    }

    #[test]
    fn what_is_no_usable_png_is_refused() {
        let check = |bytes: Vec<u8>| SpecimenImage::parse(bytes).err();
        assert_eq!(check(vec![]), Some(ImageError::Missing));
        assert_eq!(check(b"GIF89a not a png".to_vec()), Some(ImageError::NotPng));
        let mut cut = drawn(400, 200);
        cut.truncate(cut.len() / 2);
        assert_eq!(check(cut), Some(ImageError::NotPng));
        assert_eq!(check(drawn(2_001, 200)), Some(ImageError::Dimensions));
        assert_eq!(check(drawn(400, 1_001)), Some(ImageError::Dimensions));
        assert_eq!(check(drawn(39, 200)), Some(ImageError::Dimensions));
        assert_eq!(check(vec![0; MAX_BYTES + 1]), Some(ImageError::TooLarge));
    }

    #[test]
    fn a_header_that_promises_too_much_costs_nothing() {
        let mut png = drawn(400, 200);
        png[16..20].copy_from_slice(&60_000u32.to_be_bytes());
        png[20..24].copy_from_slice(&60_000u32.to_be_bytes());
        assert!(SpecimenImage::parse(png).is_err());
    }
}
