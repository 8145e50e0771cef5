//! Time-based one-time passwords: RFC 6238 with SHA-1, six digits and steps of 30 seconds, as every authenticator speaks it.

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Length of a secret in bytes (RFC 4226 section 4 recommends 160 bits).
pub const SECRET_BYTES: usize = 20;
const STEP_SECONDS: i64 = 30;
const DRIFT_STEPS: i64 = 1;

/// The shared secret of one authenticator.
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TotpSecret(…)")
    }
}

/// What a code was worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// Right, in this step; the step must be stored, since a code works once.
    Right {
        step: i64,
    },
    /// Right, but in a step that was used before.
    Used,
    Wrong,
}

impl TotpSecret {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Base32 without padding, as authenticators take it.
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::BASE32_NOPAD.encode(&self.0))
    }

    /// `otpauth://` URI for a QR code.
    pub fn uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let (issuer, account) = (percent_encoded(issuer), percent_encoded(account));
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            *self.base32()
        ))
    }

    /// The code of the step that holds `at`.
    pub fn code_at(&self, at: DateTime<Utc>) -> String {
        self.code(step_of(at))
    }

    /// Compares with the step of `now` and one on either side, always all three. `last_used` is the highest step used
    /// before.
    pub fn check(&self, code: &str, now: DateTime<Utc>, last_used: Option<i64>) -> Match {
        let current = step_of(now);
        let mut found = None;
        for step in current - DRIFT_STEPS..=current + DRIFT_STEPS {
            if bool::from(self.code(step).as_bytes().ct_eq(code.as_bytes())) {
                found = Some(step);
            }
        }
        match found {
            None => Match::Wrong,
            Some(step) if last_used.is_some_and(|used| step <= used) => Match::Used,
            Some(step) => Match::Right { step },
        }
    }

    fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let digest = tag.as_ref();
        // RFC 4226 section 5.3, dynamic truncation.
        let offset = usize::from(digest[digest.len() - 1] & 0x0f);
        let word = digest[offset..offset + 4]
            .iter()
            .fold(0u32, |word, byte| word << 8 | u32::from(*byte));
        format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
    }
}

fn step_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(STEP_SECONDS)
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Whether the text has the form of a TOTP code, rather than of a recovery code.
pub fn has_form(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret::new(*b"12345678901234567890")
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn rfc_6238_appendix_b() {
        let vectors = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, code) in vectors {
            assert_eq!(secret().code_at(at(seconds)), code);
        }
    }

    #[test]
    fn one_step_either_side_and_no_further() {
        let now = at(1_234_567_890);
        for (seconds, right) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let code = secret().code_at(now + TimeDelta::seconds(seconds));
            assert_eq!(
                secret().check(&code, now, None) != Match::Wrong,
                right,
                "{seconds}"
            );
        }
        assert_eq!(secret().check("12345", now, None), Match::Wrong);
    }

    #[test]
    fn a_step_works_once() {
        let now = at(1_234_567_890);
        let code = secret().code_at(now);
        let Match::Right { step } = secret().check(&code, now, None) else {
            panic!()
        };
        assert_eq!(secret().check(&code, now, Some(step)), Match::Used);
        assert_eq!(
            secret().check(&code, now + TimeDelta::seconds(30), Some(step)),
            Match::Used
        );
        let next = secret().code_at(now + TimeDelta::seconds(30));
        assert_eq!(
            secret().check(&next, now, Some(step)),
            Match::Right { step: step + 1 }
        );
    }

    #[test]
    fn the_uri_is_encoded() {
        assert_eq!(
            *secret().uri("Wathiq وثيق", "a b@c.ma"),
            "otpauth://totp/Wathiq%20%D9%88%D8%AB%D9%8A%D9%82:a%20b@c.ma?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Wathiq%20%D9%88%D8%AB%D9%8A%D9%82&algorithm=SHA1&digits=6&period=30"
        );
    }
}
