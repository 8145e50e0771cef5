//! Signed messages (Standard Webhooks 1.0): `webhook-id`, `webhook-timestamp` and `webhook-signature`, with
//! HMAC-SHA-256 over `id.timestamp.body`.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha2::Sha256;

/// How far the sender's clock may be off.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
const LONGEST_ID: usize = 128;
/// More than a sender that rotates its secrets has.
const MOST_SIGNATURES: usize = 10;

/// A secret: `whsec_` and the base64 of 24 to 64 bytes.
#[derive(Clone)]
pub struct Secret(Arc<SecretBox<Vec<u8>>>);

/// Why a text is no secret.
#[derive(Debug, thiserror::Error)]
#[error("a webhook secret is `whsec_` and the base64 of 24 to 64 bytes")]
pub struct SecretError;

impl Secret {
    /// # Errors
    /// [`SecretError`].
    pub fn parse(text: &SecretString) -> Result<Self, SecretError> {
        let encoded = text
            .expose_secret()
            .trim()
            .strip_prefix("whsec_")
            .ok_or(SecretError)?;
        let key = BASE64.decode(encoded.as_bytes()).map_err(|_| SecretError)?;
        if !(24..=64).contains(&key.len()) {
            return Err(SecretError);
        }
        Ok(Self(Arc::new(SecretBox::new(Box::new(key)))))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }

    /// The value of `webhook-signature` for a message.
    pub fn sign(&self, id: &str, at: DateTime<Utc>, body: &[u8]) -> String {
        let signature = self
            .mac(id, &at.timestamp().to_string(), body)
            .finalize()
            .into_bytes();
        format!("v1,{}", BASE64.encode(&signature))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}

/// A message as it came: hostile until [`Signed::verify`] says otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signatures: &'a str,
    pub body: &'a [u8],
}

/// The message is not the carrier's, or not of now. What exactly was wrong is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is not signed with a secret of the carrier, or its time is more than five minutes off")]
pub struct NotSigned;

impl Signed<'_> {
    /// Checks id, time and signature; any signature of the header with any of the secrets holds.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn verify(&self, secrets: &[Secret], now: DateTime<Utc>) -> Result<(), NotSigned> {
        if !is_id(self.id) || !is_of_now(self.timestamp, now) {
            return Err(NotSigned);
        }
        let given = self
            .signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|signature| BASE64.decode(signature.as_bytes()).ok())
            .take(MOST_SIGNATURES);
        for signature in given {
            for secret in secrets {
                // Compares in constant time.
                if secret
                    .mac(self.id, self.timestamp, self.body)
                    .verify_slice(&signature)
                    .is_ok()
                {
                    return Ok(());
                }
            }
        }
        Err(NotSigned)
    }
}

fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'_' | b'-'))
}

fn is_of_now(timestamp: &str, now: DateTime<Utc>) -> bool {
    // Digits alone: `+5` and ` 5` would be other texts under the same signature.
    let plain = !timestamp.is_empty() && timestamp.bytes().all(|digit| digit.is_ascii_digit());
    plain
        && timestamp
            .parse()
            .ok()
            .and_then(DateTime::from_timestamp_secs)
            .is_some_and(|at| (now - at).abs() <= TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::parse(&SecretString::from(text)).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_secs(seconds).unwrap()
    }

    /// The example of the specification's reference libraries.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const MESSAGE: Signed<'_> = Signed {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp: "1614265330",
        signatures: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        body: br#"{"test": 2432232314}"#,
    };

    #[test]
    fn the_example_of_the_specification_holds() {
        assert_eq!(MESSAGE.verify(&[secret(KEY)], at(1_614_265_330)), Ok(()));
        let signed = secret(KEY).sign(MESSAGE.id, at(1_614_265_330), MESSAGE.body);
        assert_eq!(signed, MESSAGE.signatures);
    }

    #[test]
    fn secrets_rotate_on_both_sides() {
        let other = secret("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let both = format!(
            "v1a,x {} {}",
            other.sign(MESSAGE.id, at(1_614_265_330), MESSAGE.body),
            MESSAGE.signatures
        );
        let message = Signed {
            signatures: &both,
            ..MESSAGE
        };
        for secrets in [
            vec![secret(KEY)],
            vec![other.clone()],
            vec![other.clone(), secret(KEY)],
        ] {
            assert_eq!(message.verify(&secrets, at(1_614_265_330)), Ok(()));
        }
        assert_eq!(MESSAGE.verify(&[other], at(1_614_265_330)), Err(NotSigned));
        assert_eq!(MESSAGE.verify(&[], at(1_614_265_330)), Err(NotSigned));
    }

    #[test]
    fn what_was_altered_or_is_old_is_not_signed() {
        let refused =
            |message: Signed<'_>, now| assert_eq!(message.verify(&[secret(KEY)], at(now)), Err(NotSigned));
        let now = 1_614_265_330;
        refused(
            Signed {
                body: b"{}",
                ..MESSAGE
            },
            now,
        );
        refused(
            Signed {
                id: "msg_other",
                ..MESSAGE
            },
            now,
        );
        refused(Signed { id: "", ..MESSAGE }, now);
        refused(
            Signed {
                timestamp: "1614265331",
                ..MESSAGE
            },
            now,
        );
        refused(
            Signed {
                timestamp: "",
                ..MESSAGE
            },
            now,
        );
        refused(
            Signed {
                timestamp: "+1614265330",
                ..MESSAGE
            },
            now,
        );
        refused(
            Signed {
                timestamp: "99999999999999999999",
                ..MESSAGE
            },
            now,
        );
        refused(
            Signed {
                signatures: "",
                ..MESSAGE
            },
            now,
        );
        refused(
            Signed {
                signatures: "v1,",
                ..MESSAGE
            },
            now,
        );
        refused(
            Signed {
                signatures: &MESSAGE.signatures[3..],
                ..MESSAGE
            },
            now,
        );
        refused(MESSAGE, now + 301);
        refused(MESSAGE, now - 301);
        assert_eq!(MESSAGE.verify(&[secret(KEY)], at(now + 300)), Ok(()));
    }

    #[test]
    fn secrets_have_their_form() {
        for text in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_AAAA",
            "whsec_!",
            KEY.trim_end_matches('w'),
        ] {
            assert!(Secret::parse(&SecretString::from(text)).is_err(), "{text}");
        }
        assert_eq!(format!("{:?}", secret(KEY)), "Secret");
    }
}
