//! Small PDF files written by hand, one oddity each.

use std::io::Write;

/// The objects of a file. Numbers 1 to 3 are catalogue, page tree and page.
pub(crate) struct File {
    objects: Vec<(usize, Vec<u8>)>,
    trailer: String,
}

impl File {
    /// A file with one empty page.
    pub(crate) fn plain() -> Self {
        let file = Self {
            objects: Vec::new(),
            trailer: String::new(),
        };
        file.object(1, "<< /Type /Catalog /Pages 2 0 R >>")
            .object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
            .object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>")
    }

    /// Adds or replaces an object.
    pub(crate) fn object(mut self, number: usize, body: &str) -> Self {
        self.objects.retain(|(known, _)| *known != number);
        self.objects.push((number, body.as_bytes().to_vec()));
        self
    }

    /// Adds entries to the trailer.
    pub(crate) fn trailer(mut self, entries: &str) -> Self {
        entries.clone_into(&mut self.trailer);
        self
    }

    /// Adds a deflated stream of zeros.
    pub(crate) fn zeros(mut self, number: usize, length: usize) -> Self {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        let block = vec![0; 1 << 20];
        for _ in 0..length >> 20 {
            encoder.write_all(&block).unwrap();
        }
        let data = encoder.finish().unwrap();
        let mut body = format!("<< /Length {} /Filter /FlateDecode >>\nstream\n", data.len()).into_bytes();
        body.extend_from_slice(&data);
        body.extend_from_slice(b"\nendstream");
        self.objects.push((number, body));
        self
    }

    /// The bytes, with a cross-reference table.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"%PDF-1.7\n".to_vec();
        let mut table = String::from("xref\n0 1\n0000000000 65535 f \n");
        let mut size = 1;
        for (number, body) in &self.objects {
            table.push_str(&format!("{number} 1\n{:010} 00000 n \n", bytes.len()));
            bytes.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(b"\nendobj\n");
            size = size.max(number + 1);
        }
        let (start, entries) = (bytes.len(), &self.trailer);
        let trailer =
            format!("trailer\n<< /Size {size} /Root 1 0 R {entries} >>\nstartxref\n{start}\n%%EOF\n");
        bytes.extend_from_slice(table.as_bytes());
        bytes.extend_from_slice(trailer.as_bytes());
        bytes
    }
}
