//! Small PDF files written by hand, one oddity each.

/// Objects of a file with one empty page; numbers 1 to 3 are catalogue, page tree and page.
pub(crate) struct Builder {
    objects: Vec<(u32, Vec<u8>)>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            objects: vec![
                (1, b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()),
                (2, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec()),
                (
                    3,
                    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_vec(),
                ),
            ],
        }
    }

    /// Adds or replaces an object.
    pub(crate) fn object(mut self, number: u32, body: &str) -> Self {
        self.objects.retain(|(known, _)| *known != number);
        self.objects.push((number, body.as_bytes().to_vec()));
        self
    }

    pub(crate) fn stream(mut self, number: u32, entries: &str, data: &[u8]) -> Self {
        let mut body = format!("<< /Length {} {entries} >>\nstream\n", data.len()).into_bytes();
        body.extend_from_slice(data);
        body.extend_from_slice(b"\nendstream");
        self.objects.push((number, body));
        self
    }

    pub(crate) fn finish(&self) -> Vec<u8> {
        let mut bytes = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut offsets = Vec::new();
        for (number, body) in &self.objects {
            offsets.push((*number, bytes.len()));
            bytes.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(b"\nendobj\n");
        }
        finish(bytes, &mut offsets, "/Root 1 0 R")
    }
}

/// Writes a table over the offsets, and a trailer.
pub(crate) fn finish(mut bytes: Vec<u8>, offsets: &mut [(u32, usize)], trailer: &str) -> Vec<u8> {
    offsets.sort_unstable();
    let startxref = bytes.len();
    bytes.extend_from_slice(b"xref\n0 1\n0000000000 65535 f \n");
    for (number, offset) in offsets.iter() {
        bytes.extend_from_slice(format!("{number} 1\n{offset:010} 00000 n \n").as_bytes());
    }
    let size = offsets.last().map_or(1, |(number, _)| number + 1);
    bytes.extend_from_slice(
        format!("trailer\n<< /Size {size} {trailer} >>\nstartxref\n{startxref}\n%%EOF\n").as_bytes(),
    );
    bytes
}

/// Appends objects to a file as an incremental update, as anybody can.
pub(crate) fn append(original: &[u8], objects: &[(u32, &str)], size: u32) -> Vec<u8> {
    let document = wathiq_pades::syntax::Document::open(original).expect("the original can be read");
    let mut bytes = original.to_vec();
    let mut table = String::from("xref\n");
    for (number, body) in objects {
        table.push_str(&format!("{number} 1\n{:010} 00000 n \n", bytes.len()));
        bytes.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }
    let root = document.trailer().get(b"Root").expect("a root").raw;
    let trailer = format!(
        "trailer\n<< /Size {size} /Root {} /Prev {} >>\nstartxref\n{}\n%%EOF\n",
        String::from_utf8_lossy(root),
        document.startxref(),
        bytes.len()
    );
    bytes.extend_from_slice(table.as_bytes());
    bytes.extend_from_slice(trailer.as_bytes());
    bytes
}
