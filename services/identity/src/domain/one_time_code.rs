//! One-time codes: ten minutes, five attempts, single use. Only a keyed hash is stored. The code that proves a contact has
//! six digits; the one that opens an account to a new password has sixty random bits, so that no number of guesses finds it.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::crockford;
use super::refusal::Refusal;
use super::vocabulary::words;

/// Life of a code.
pub const LIFE: TimeDelta = TimeDelta::minutes(10);
/// Wrong codes that bar it.
pub const ATTEMPTS: i16 = 5;

words! {
    /// What a code proves.
    CodePurpose {
        SignUpEmail = "sign_up_email",
        SignUpPhone = "sign_up_phone",
        ContactChange = "contact_change",
        PasswordReset = "password_reset",
        ContactSessionEmail = "contact_session_email",
        ContactSessionPhone = "contact_session_phone",
    }
}

/// A code that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeCode {
    pub id: Uuid,
    pub purpose: CodePurpose,
    /// The sign-up, change of contact, password reset or contact session it belongs to.
    pub subject_id: Uuid,
    pub hash: [u8; 32],
    pub attempts_left: i16,
    pub expires_at: DateTime<Utc>,
    pub used: bool,
}

/// What an attempt did to a code. Both are saved; the second also refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    Right(OneTimeCode),
    Wrong(OneTimeCode, Refusal),
}

impl OneTimeCode {
    /// Tries a code of which only the comparison's outcome is known here.
    ///
    /// # Errors
    /// When the code can no longer be tried: expired, barred or used.
    pub fn attempt(mut self, equal: bool, now: DateTime<Utc>) -> Result<Attempt, Refusal> {
        if self.used || now >= self.expires_at {
            return Err(Refusal::CodeExpired);
        }
        if self.attempts_left <= 0 {
            return Err(Refusal::CodeBarred);
        }
        if equal {
            self.used = true;
            return Ok(Attempt::Right(self));
        }
        self.attempts_left -= 1;
        let refusal = if self.attempts_left == 0 {
            Refusal::CodeBarred
        } else {
            Refusal::CodeWrong
        };
        Ok(Attempt::Wrong(self, refusal))
    }
}

/// Random bytes of a code that sets a new password, of which five bits each count.
pub const RESET_BYTES: usize = 12;

/// `XXXX-XXXX-XXXX`: sixty random bits.
pub fn reset_code(random: [u8; RESET_BYTES]) -> String {
    crockford::encode(&random, RESET_BYTES / 3)
}

impl CodePurpose {
    /// The form of a code in which it is hashed, of one that was typed.
    pub fn normalised(self, typed: &str) -> String {
        match self {
            Self::PasswordReset => crockford::normalised(typed, RESET_BYTES).unwrap_or_default(),
            _ => typed
                .chars()
                .filter(|c| !c.is_whitespace() && *c != '-')
                .collect(),
        }
    }
}

/// Six digits, each of the million equally likely; `None` for the few draws that would favour low numbers.
pub fn digits(random: [u8; 4]) -> Option<String> {
    const CODES: u32 = 1_000_000;
    let drawn = u32::from_be_bytes(random);
    (drawn < u32::MAX - u32::MAX % CODES).then(|| format!("{:06}", drawn % CODES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> OneTimeCode {
        OneTimeCode {
            id: Uuid::nil(),
            purpose: CodePurpose::SignUpEmail,
            subject_id: Uuid::nil(),
            hash: [0; 32],
            attempts_left: ATTEMPTS,
            expires_at: DateTime::UNIX_EPOCH + LIFE,
            used: false,
        }
    }

    #[test]
    fn the_fifth_wrong_code_bars_it() {
        let mut code = code();
        for left in (0..ATTEMPTS).rev() {
            let Ok(Attempt::Wrong(next, refusal)) = code.attempt(false, DateTime::UNIX_EPOCH) else {
                panic!("{left}")
            };
            assert_eq!(
                refusal,
                if left == 0 {
                    Refusal::CodeBarred
                } else {
                    Refusal::CodeWrong
                }
            );
            assert_eq!(next.attempts_left, left);
            code = next;
        }
        assert_eq!(code.attempt(true, DateTime::UNIX_EPOCH), Err(Refusal::CodeBarred));
    }

    #[test]
    fn it_works_once_and_in_time() {
        let Ok(Attempt::Right(used)) = code().attempt(true, DateTime::UNIX_EPOCH) else {
            panic!()
        };
        assert_eq!(
            used.attempt(true, DateTime::UNIX_EPOCH),
            Err(Refusal::CodeExpired)
        );
        assert!(
            code()
                .attempt(true, DateTime::UNIX_EPOCH + LIFE - TimeDelta::microseconds(1))
                .is_ok()
        );
        assert_eq!(
            code().attempt(true, DateTime::UNIX_EPOCH + LIFE),
            Err(Refusal::CodeExpired)
        );
    }

    #[test]
    fn a_reset_code_has_sixty_bits_and_is_recognised_however_it_is_typed() {
        let code = reset_code([0, 1, 2, 3, 31, 32, 33, 24, 17, 255, 10, 9]);
        assert_eq!(code, "0123-Z01R-HZA9");
        assert_eq!(
            CodePurpose::PasswordReset.normalised(" oi23z01r hza9"),
            "0123Z01RHZA9"
        );
        assert_eq!(CodePurpose::PasswordReset.normalised("123456"), "");
        assert_eq!(CodePurpose::SignUpPhone.normalised("123 4-56"), "123456");
    }

    #[test]
    fn digits_are_six_and_unbiased() {
        assert_eq!(digits([0, 0, 0, 7]).as_deref(), Some("000007"));
        assert_eq!(digits(1_999_999u32.to_be_bytes()).as_deref(), Some("999999"));
        assert_eq!(digits([0xff; 4]), None);
    }
}
