//! Recovery codes: ten, each of 50 random bits, each works once in the place of a TOTP code.

use super::crockford;

/// How many are handed out.
pub const COUNT: usize = 10;
/// Random bytes of one.
pub const RANDOM_BYTES: usize = 10;

/// Five bits of each byte as a character: `XXXXX-XXXXX`.
pub fn from_random(random: [u8; RANDOM_BYTES]) -> String {
    crockford::encode(&random, RANDOM_BYTES / 2)
}

/// The form that is hashed; `None` when it cannot be a code.
pub fn normalised(text: &str) -> Option<String> {
    crockford::normalised(text, RANDOM_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out_is_recognised_however_it_is_typed() {
        let code = from_random([0, 1, 2, 3, 31, 32, 33, 24, 17, 255]);
        assert_eq!(code, "0123Z-01RHZ");
        let expected = Some("0123Z01RHZ".to_owned());
        for typed in [code.as_str(), "0123z01rhz", " oI23Z 0lrhz "] {
            assert_eq!(normalised(typed), expected, "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_not_one() {
        for typed in ["", "123456", "0123Z-01RHZ0", "0123U-01RHZ", "0123É-01RHZ"] {
            assert_eq!(normalised(typed), None, "{typed}");
        }
    }
}
