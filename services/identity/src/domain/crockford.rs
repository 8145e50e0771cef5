//! Crockford's base 32, for codes that people type: no I, L, O or U, and five bits a character.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Five bits of each random byte as a character, in groups of `group` with hyphens between.
pub fn encode(random: &[u8], group: usize) -> String {
    let mut code = String::with_capacity(random.len() + random.len() / group.max(1));
    for (index, byte) in random.iter().enumerate() {
        if index > 0 && index.is_multiple_of(group.max(1)) {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte & 31)]));
    }
    code
}

/// The form that is hashed: upper case, without hyphens and spaces, look-alikes folded. `None` when it cannot be a code of
/// that many characters.
pub fn normalised(text: &str, length: usize) -> Option<String> {
    let code: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    (code.len() == length && code.bytes().all(|b| ALPHABET.contains(&b))).then_some(code)
}
