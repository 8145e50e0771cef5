//! Secrets of sessions and challenges: 256 random bits, and a tag that only this installation can make. Who presents a
//! made-up secret is refused by arithmetic alone, without a look at the database.

use data_encoding::BASE64URL_NOPAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::keyed_hash::KeyedHash;

const RANDOM_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// The secret as text, of fresh random bytes.
pub fn make(key: &KeyedHash, random: &[u8; RANDOM_BYTES]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(random.to_vec());
    bytes.extend_from_slice(&tag(key, random));
    Zeroizing::new(BASE64URL_NOPAD.encode(&bytes))
}

/// Whether this installation made it. Whether it is still good for something is another question.
pub fn is_ours(key: &KeyedHash, secret: &str) -> bool {
    if secret.len() != BASE64URL_NOPAD.encode_len(RANDOM_BYTES + TAG_BYTES) {
        return false;
    }
    let Ok(bytes) = BASE64URL_NOPAD.decode(secret.as_bytes()).map(Zeroizing::new) else {
        return false;
    };
    let (random, shown) = bytes.split_at(RANDOM_BYTES);
    tag(key, random).ct_eq(shown).into()
}

fn tag(key: &KeyedHash, random: &[u8]) -> [u8; TAG_BYTES] {
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&key.hash("secret-tag", &[random])[..TAG_BYTES]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_with_the_key_is_ours() {
        let key = KeyedHash::new(&[1; 32]);
        let secret = make(&key, &[7; 32]);
        assert!(is_ours(&key, &secret));
        assert!(!is_ours(&KeyedHash::new(&[2; 32]), &secret));
        for at in 0..secret.len() {
            let mut other = secret.as_bytes().to_vec();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(!is_ours(&key, std::str::from_utf8(&other).unwrap()), "{at}");
        }
        for text in ["", "nothing", &"A".repeat(64), &"é".repeat(32), &secret[..63]] {
            assert!(!is_ours(&key, text), "{text}");
        }
    }
}
