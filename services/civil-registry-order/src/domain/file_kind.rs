//! What a file is, by its structure: what somebody calls it, and its first bytes, prove nothing. Nothing of it is decoded.

/// A kind of file that people attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Pdf,
    Jpeg,
    Png,
}

impl FileKind {
    /// The kind of a file that is whole from its first byte to its end.
    pub fn of(file: &[u8]) -> Option<Self> {
        if is_pdf(file) {
            Some(Self::Pdf)
        } else if is_jpeg(file) {
            Some(Self::Jpeg)
        } else if is_png(file) {
            Some(Self::Png)
        } else {
            None
        }
    }

    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Header, and an end that points at a table of objects, or a stream of them (ISO 32000-2, 7.5).
fn is_pdf(file: &[u8]) -> bool {
    const TAIL: usize = 1024;
    const BEFORE_END: &[u8] = b"startxref";
    if !file.starts_with(b"%PDF-1.") && !file.starts_with(b"%PDF-2.") {
        return false;
    }
    let tail = &file[file.len().saturating_sub(TAIL)..];
    let Some(at) = last(tail, BEFORE_END) else {
        return false;
    };
    let end = &tail[at + BEFORE_END.len()..];
    let digits: String = end
        .iter()
        .skip_while(|byte| byte.is_ascii_whitespace())
        .take_while(|byte| byte.is_ascii_digit())
        .map(|byte| char::from(*byte))
        .collect();
    let Some(objects) = digits.parse().ok().and_then(|at: usize| file.get(at..)) else {
        return false;
    };
    let table = objects.starts_with(b"xref");
    let stream = objects.first().is_some_and(u8::is_ascii_digit)
        && last(&objects[..objects.len().min(40)], b" obj").is_some();
    (table || stream) && last(end, b"%%EOF").is_some()
}

/// Segments up to a picture with a size, then its data to the end mark (ITU-T T.81, annex B).
fn is_jpeg(file: &[u8]) -> bool {
    let Some(mut rest) = file.strip_prefix(&[0xff, 0xd8]) else {
        return false;
    };
    let mut has_size = false;
    loop {
        let (marker, after) = match rest {
            [0xff, 0xff, ..] => {
                rest = &rest[1..];
                continue;
            }
            [0xff, marker, after @ ..] => (*marker, after),
            _ => return false,
        };
        let [high, low, ..] = after else { return false };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(segment) = after.get(2..length) else {
            return false;
        };
        match marker {
            // Start of scan.
            0xda => return has_size && last(&after[length..], &[0xff, 0xd9]).is_some(),
            // Frames; the other numbers of this row are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                has_size = matches!(segment, [_, h1, h2, w1, w2, ..] if (*h1, *h2) != (0, 0) && (*w1, *w2) != (0, 0));
            }
            _ => {}
        }
        rest = &after[length..];
    }
}

/// Chunks from a header with a size, over data, to the end (ISO/IEC 15948, 5).
fn is_png(file: &[u8]) -> bool {
    let Some(mut rest) = file.strip_prefix(b"\x89PNG\r\n\x1a\n") else {
        return false;
    };
    let (mut first, mut has_data) = (true, false);
    loop {
        let Some((length, after)) = rest.split_first_chunk::<4>() else {
            return false;
        };
        let length = u32::from_be_bytes(*length) as usize;
        // Beside its data a chunk has four bytes of name and four of checksum.
        let Some((chunk, after)) = length.checked_add(8).and_then(|all| after.split_at_checked(all)) else {
            return false;
        };
        let (name, data) = chunk.split_at(4);
        match name {
            b"IHDR" if first && length == 13 && data[..4] != [0; 4] && data[4..8] != [0; 4] => {}
            _ if first => return false,
            b"IDAT" => has_data = true,
            b"IEND" => return has_data,
            _ => {}
        }
        (first, rest) = (false, after);
    }
}

/// Where the last of these stands.
fn last(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).rposition(|found| found == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pdf() -> Vec<u8> {
        let mut file = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n".to_vec();
        let at = file.len();
        file.extend_from_slice(b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R >>\n");
        file.extend_from_slice(format!("startxref\n{at}\n%%EOF\n").as_bytes());
        file
    }

    fn png() -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        let header = [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0];
        for (name, data) in [(b"IHDR", &header[..]), (b"IDAT", &[1, 2, 3]), (b"IEND", &[])] {
            file.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
            file.extend_from_slice(name);
            file.extend_from_slice(data);
            file.extend_from_slice(&[0; 4]);
        }
        file
    }

    fn jpeg() -> Vec<u8> {
        let frame = [0xff, 0xc0, 0, 11, 8, 0, 16, 0, 16, 1, 1, 0x11, 0];
        let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x55, 0x66, 0xff, 0xd9];
        [&[0xff, 0xd8][..], &frame, &scan].concat()
    }

    #[test]
    fn a_whole_file_is_known_and_no_part_of_it() {
        for (file, kind) in [
            (pdf(), FileKind::Pdf),
            (png(), FileKind::Png),
            (jpeg(), FileKind::Jpeg),
        ] {
            assert_eq!(FileKind::of(&file), Some(kind));
            for length in 0..file.len() - 1 {
                // A line end may be missing after a PDF's mark.
                let cut = &file[..length];
                assert_eq!(FileKind::of(cut), None, "{kind:?} cut to {length}");
            }
        }
    }

    #[test]
    fn first_bytes_alone_are_no_file() {
        for bytes in [
            &b"%PDF-1.7"[..],
            b"%PDF-1.7\nstartxref\n99999\n%%EOF",
            b"%PDF-1.7\nstartxref\n0\n%%EOF",
            b"\xff\xd8\xff",
            b"\x89PNG\r\n\x1a\n",
            b"MZ..",
            b"",
        ] {
            assert_eq!(FileKind::of(bytes), None, "{bytes:?}");
        }
    }
}
