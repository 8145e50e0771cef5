use std::borrow::Cow;

use super::{Fault, FaultKind};

/// One lexical token and the bytes it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Token<'a> {
    /// The bytes as written.
    pub raw: &'a [u8],
    /// Offset of the first byte.
    pub at: usize,
    /// What it is.
    pub kind: TokenKind<'a>,
}

/// The kinds of token of ISO 32000-1, 7.2 and 7.3.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind<'a> {
    /// A number without a decimal point.
    Integer(i64),
    /// A number with a decimal point.
    Real(f64),
    /// A name, decoded.
    Name(Cow<'a, [u8]>),
    /// A literal or hexadecimal string.
    String,
    /// `[`
    ArrayOpen,
    /// `]`
    ArrayClose,
    /// `<<`
    DictionaryOpen,
    /// `>>`
    DictionaryClose,
    /// Any other run of regular characters: keywords and operators.
    Keyword,
    /// The end of the buffer.
    End,
}

/// Reads tokens from a buffer, skipping white space and comments.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    bytes: &'a [u8],
    position: usize,
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    )
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !is_delimiter(byte)
}

impl<'a> Lexer<'a> {
    /// Starts reading `bytes` at an offset, which may be its end.
    pub fn new(bytes: &'a [u8], position: usize) -> Self {
        Self {
            bytes,
            position: position.min(bytes.len()),
        }
    }

    /// Offset of the next unread byte.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Goes on reading elsewhere.
    pub fn seek(&mut self, position: usize) {
        self.position = position.min(self.bytes.len());
    }

    /// The buffer being read.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Steps over white space and comments.
    pub fn skip_space(&mut self) {
        while let Some(&byte) = self.bytes.get(self.position) {
            if is_space(byte) {
                self.position += 1;
            } else if byte == b'%' {
                let rest = &self.bytes[self.position..];
                self.position += rest
                    .iter()
                    .position(|b| matches!(b, b'\r' | b'\n'))
                    .unwrap_or(rest.len());
            } else {
                return;
            }
        }
    }

    /// Reads one token.
    ///
    /// # Errors
    /// [`FaultKind::Object`] for a byte or number that starts no token.
    pub fn next_token(&mut self) -> Result<Token<'a>, Fault> {
        self.skip_space();
        let at = self.position;
        let Some(&first) = self.bytes.get(at) else {
            return Ok(Token {
                raw: &self.bytes[at..at],
                at,
                kind: TokenKind::End,
            });
        };
        let kind = match first {
            b'[' => self.punctuation(1, TokenKind::ArrayOpen),
            b']' => self.punctuation(1, TokenKind::ArrayClose),
            b'<' if self.bytes.get(at + 1) == Some(&b'<') => self.punctuation(2, TokenKind::DictionaryOpen),
            b'>' if self.bytes.get(at + 1) == Some(&b'>') => self.punctuation(2, TokenKind::DictionaryClose),
            b'<' => self.hexadecimal()?,
            b'(' => self.literal()?,
            b'/' => self.name(),
            b'+' | b'-' | b'.' | b'0'..=b'9' => self.number()?,
            byte if is_regular(byte) => {
                self.position = self.regular_end(at);
                TokenKind::Keyword
            }
            _ => return Err(Fault::new(FaultKind::Object, at)),
        };
        Ok(Token {
            raw: &self.bytes[at..self.position],
            at,
            kind,
        })
    }

    /// Reads the next token and requires a certain keyword.
    pub(super) fn keyword(&mut self, word: &[u8]) -> Result<(), Fault> {
        let token = self.next_token()?;
        if token.kind == TokenKind::Keyword && token.raw == word {
            return Ok(());
        }
        Err(Fault::new(FaultKind::Object, token.at))
    }

    fn punctuation(&mut self, length: usize, kind: TokenKind<'a>) -> TokenKind<'a> {
        self.position += length;
        kind
    }

    fn regular_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        from + rest.iter().position(|b| !is_regular(*b)).unwrap_or(rest.len())
    }

    fn name(&mut self) -> TokenKind<'a> {
        let start = self.position + 1;
        self.position = self.regular_end(start);
        TokenKind::Name(decode_name(&self.bytes[start..self.position]))
    }

    fn number(&mut self) -> Result<TokenKind<'a>, Fault> {
        let at = self.position;
        self.position = self.regular_end(at);
        let text = std::str::from_utf8(&self.bytes[at..self.position]).unwrap_or_default();
        parse_number(text).ok_or_else(|| Fault::new(FaultKind::Object, at))
    }

    fn literal(&mut self) -> Result<TokenKind<'a>, Fault> {
        let start = self.position;
        let mut depth = 0usize;
        while let Some(&byte) = self.bytes.get(self.position) {
            self.position += 1;
            match byte {
                b'\\' => self.position += 1,
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(TokenKind::String);
            }
        }
        self.position = self.bytes.len();
        Err(Fault::new(FaultKind::Object, start))
    }

    fn hexadecimal(&mut self) -> Result<TokenKind<'a>, Fault> {
        let start = self.position;
        let body = &self.bytes[start + 1..];
        let length = body
            .iter()
            .position(|b| *b == b'>')
            .ok_or(Fault::new(FaultKind::Object, start))?;
        if body[..length]
            .iter()
            .any(|b| !is_space(*b) && !b.is_ascii_hexdigit())
        {
            return Err(Fault::new(FaultKind::Object, start));
        }
        self.position = start + 1 + length + 1;
        Ok(TokenKind::String)
    }
}

fn parse_number<'a>(text: &str) -> Option<TokenKind<'a>> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    match digits.bytes().filter(|b| *b == b'.').count() {
        0 => text.parse().ok().map(TokenKind::Integer),
        1 if digits.len() > 1 => text.parse().ok().map(TokenKind::Real),
        _ => None,
    }
}

fn decode_name(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'#') {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut index = 0;
    while index < raw.len() {
        let pair = raw
            .get(index + 1)
            .copied()
            .and_then(hex_digit)
            .zip(raw.get(index + 2).copied().and_then(hex_digit));
        match pair {
            Some((high, low)) if raw[index] == b'#' => {
                decoded.push(high << 4 | low);
                index += 3;
            }
            _ => {
                decoded.push(raw[index]);
                index += 1;
            }
        }
    }
    Cow::Owned(decoded)
}

fn hex_digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

/// Decodes a string token, brackets included.
pub(super) fn decode_string(raw: &[u8]) -> Vec<u8> {
    let body = &raw[1..raw.len() - 1];
    if raw[0] == b'(' {
        decode_literal(body)
    } else {
        decode_hexadecimal(body)
    }
}

fn decode_hexadecimal(body: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = body.iter().copied().filter_map(hex_digit).collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0))
        .collect()
}

fn decode_literal(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut index = 0;
    while index < body.len() {
        let byte = body[index];
        index += 1;
        match byte {
            b'\\' => index += decode_escape(&body[index..], &mut decoded),
            // An end of line inside a string is one line feed, however it is written (7.3.4.2).
            b'\r' => {
                decoded.push(b'\n');
                index += usize::from(body.get(index) == Some(&b'\n'));
            }
            other => decoded.push(other),
        }
    }
    decoded
}

/// Decodes what follows a reverse solidus; answers how many bytes it took.
fn decode_escape(rest: &[u8], decoded: &mut Vec<u8>) -> usize {
    let Some(&first) = rest.first() else { return 0 };
    let plain = match first {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'\r' => return 1 + usize::from(rest.get(1) == Some(&b'\n')),
        b'\n' => return 1,
        b'0'..=b'7' => {
            let digits = rest
                .iter()
                .take(3)
                .take_while(|b| matches!(b, b'0'..=b'7'))
                .count();
            let value = rest[..digits]
                .iter()
                .fold(0u32, |sum, b| sum * 8 + u32::from(b - b'0'));
            decoded.push((value & 0xff) as u8);
            return digits;
        }
        other => other,
    };
    decoded.push(plain);
    1
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, ObjectId, parse_value};
    use super::*;

    fn kind(text: &[u8]) -> Option<Kind<'_>> {
        parse_value(&mut Lexer::new(text, 0)).ok().map(|value| value.kind)
    }

    fn string(text: &[u8]) -> Vec<u8> {
        parse_value(&mut Lexer::new(text, 0))
            .expect("a string")
            .string()
            .expect("a string")
    }

    #[test]
    fn numbers_as_the_standard_writes_them() {
        assert_eq!(kind(b"+17"), Some(Kind::Integer(17)));
        assert_eq!(kind(b"-.002"), Some(Kind::Real(-0.002)));
        assert_eq!(kind(b"4."), Some(Kind::Real(4.0)));
        for odd in [
            "--1",
            "1.2.3",
            "-",
            ".",
            "+",
            "1e5",
            "0x1",
            "16#FF",
            "9999999999999999999999",
        ] {
            assert_eq!(kind(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn strings_are_decoded() {
        assert_eq!(
            string(b"(a\\(b\\)(c) \\101\\1012\\n\\\r\nd\r\ne)"),
            b"a(b)(c) AA2\nd\ne"
        );
        assert_eq!(string(b"<48 656C6c6F 7>"), b"Hellop");
        assert_eq!(kind(b"(open"), None);
        assert_eq!(kind(b"(open\\)"), None);
        assert_eq!(kind(b"<48 6G>"), None);
    }

    #[test]
    fn names_and_references() {
        assert_eq!(
            kind(b"/A#20B#zz"),
            Some(Kind::Name(Cow::Owned(b"A B#zz".to_vec())))
        );
        assert_eq!(kind(b"/ "), Some(Kind::Name(Cow::Borrowed(b""))));
        assert_eq!(
            kind(b"12 0 R"),
            Some(Kind::Reference(ObjectId {
                number: 12,
                generation: 0
            }))
        );
        assert_eq!(kind(b"12 0 RG"), Some(Kind::Integer(12)));
        assert_eq!(kind(b"12 99999 R"), Some(Kind::Integer(12)));
    }

    #[test]
    fn values_keep_the_bytes_they_were_read_from() {
        let text = b"  << /A [1.50 (x) % note\n 3 0 R] /B<</C/D>> >> rest";
        let value = parse_value(&mut Lexer::new(text, 0)).expect("a dictionary");
        assert_eq!(value.raw, &text[2..text.len() - 5]);
        let dictionary = value.dictionary().expect("a dictionary");
        let items = dictionary
            .get(b"A")
            .and_then(super::super::Value::array)
            .expect("an array");
        assert_eq!((items[0].raw, items[0].at), (&b"1.50"[..], 9));
        assert_eq!(items[2].raw, b"3 0 R");
        assert_eq!(dictionary.get(b"B").expect("a dictionary").raw, b"<</C/D>>");
    }
}
