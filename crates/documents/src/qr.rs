//! QR codes as vector images.

use std::fmt::Write;

use fast_qr::qr::{QRBuilder, QRCodeError};
use fast_qr::{ECL, QRCode};

/// The blank border that ISO/IEC 18004, 9.1 asks for, in modules.
const QUIET_ZONE: usize = 4;

/// The text does not fit into a QR code: at most 2,331 bytes at error correction level M.
#[derive(Debug, thiserror::Error)]
#[error("text of {length} bytes does not fit into a QR code")]
pub struct QrError {
    length: usize,
}

/// `text` as an SVG image: black modules on white, quiet zone included, error correction level M
/// (15 % of the code may be lost). The view box is in modules; the drawing has no size of its own.
pub fn qr_svg(text: &str) -> Result<String, QrError> {
    let code = match QRBuilder::new(text).ecl(ECL::M).build() {
        Ok(code) => code,
        Err(QRCodeError::EncodedData | QRCodeError::SpecifiedVersion) => {
            return Err(QrError { length: text.len() });
        }
    };
    let side = code.size + 2 * QUIET_ZONE;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}"><path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path fill="#000" d=""##
    );
    for row in 0..code.size {
        draw_row(&code, row, &mut svg);
    }
    svg.push_str(r#""/></svg>"#);
    Ok(svg)
}

/// One rectangle per run of dark modules: neighbours drawn apart would show hairlines when scaled.
fn draw_row(code: &QRCode, row: usize, svg: &mut String) {
    let mut column = 0;
    while column < code.size {
        let run = code[row][column..code.size]
            .iter()
            .take_while(|module| module.value())
            .count();
        if run > 0 {
            let (x, y) = (column + QUIET_ZONE, row + QUIET_ZONE);
            write!(svg, "M{x} {y}h{run}v1h-{run}z").expect("a string accepts every write");
        }
        column += run.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_has_the_three_finder_patterns() {
        let svg = qr_svg("https://example.ma/v/ABCD").unwrap();
        // Top-left and top-right begin in the first row, bottom-left seven rows above the last.
        assert!(svg.contains("M4 4h7v1h-7z"), "{svg}");
        assert!(svg.contains("viewBox=\"0 0 33 33\""), "{svg}");
        assert!(svg.contains("M22 4h7v1h-7z"), "{svg}");
        assert!(svg.contains("M4 22h7v1h-7z"), "{svg}");
    }

    #[test]
    fn too_much_text_is_an_error() {
        assert_eq!(
            qr_svg(&"x".repeat(3000)).unwrap_err().to_string(),
            "text of 3000 bytes does not fit into a QR code"
        );
    }
}
