//! Small PDF files made on the spot.

use std::fmt::Write;
use std::io::Read;

/// A plain A4 file with this many pages, each with a line of text and a frame where a signature may go.
pub(crate) fn plain(pages: usize) -> Vec<u8> {
    with_content(
        pages,
        "BT /F1 20 Tf 72 760 Td (Contrat) Tj ET 100 100 200 60 re S",
    )
}

/// An A4 file whose pages all have this content stream.
pub(crate) fn with_content(pages: usize, content: &str) -> Vec<u8> {
    let kids: String = (0..pages).map(|page| format!("{} 0 R ", 5 + page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {pages} /Kids [{kids}] >>"),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ];
    objects.extend((0..pages).map(|_| {
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> >>"
            .to_owned()
    }));
    file(&objects)
}

/// One page with a grey picture of this many pixels.
pub(crate) fn with_image(width: usize, height: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(
        &mut std::io::repeat(0x80).take((width * height) as u64),
        &mut encoder,
    )
    .unwrap();
    let data = data_encoding::HEXUPPER.encode(&encoder.finish().unwrap());
    let content = "q 500 0 0 500 50 200 cm /Im1 Do Q";
    file(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 1 /Kids [5 0 R] >>".to_owned(),
        format!(
            "<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray /BitsPerComponent 8 \
             /Filter [/ASCIIHexDecode /FlateDecode] /Length {} >>\nstream\n{data}>\nendstream",
            data.len() + 1
        ),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /Im1 3 0 R >> >> >>"
            .to_owned(),
    ])
}

/// One page with a form that draws itself twice: well made to the letter, and never drawn to the end.
pub(crate) fn with_looping_form() -> Vec<u8> {
    let form = |content: &str| format!("/Length {} >>\nstream\n{content}\nendstream", content.len());
    file(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 1 /Kids [5 0 R] >>".to_owned(),
        format!(
            "<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /XObject << /Fm1 3 0 R >> >> {}",
            form("/Fm1 Do /Fm1 Do")
        ),
        format!("<< {}", form("/Fm1 Do")),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /Fm1 3 0 R >> >> >>"
            .to_owned(),
    ])
}

/// A file of these objects, numbered from 1, the first of them the catalogue.
pub(crate) fn file(objects: &[String]) -> Vec<u8> {
    let mut text = "%PDF-1.7\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (index, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", text.len()).unwrap();
        write!(text, "{} 0 obj\n{object}\nendobj\n", index + 1).unwrap();
    }
    let start = text.len();
    let size = objects.len() + 1;
    let id = "<00112233445566778899aabbccddeeff>";
    write!(text, "xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R /ID [{id} {id}] >>\nstartxref\n{start}\n%%EOF\n")
        .unwrap();
    text.into_bytes()
}
