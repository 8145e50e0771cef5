//! Signatures of Standard Webhooks 1.0: HMAC-SHA-256 over id, time and body.

use anyhow::{Context, Result, ensure};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64;

/// How far the time of a message may be from ours, either way.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// A shared secret, written `whsec_<Base64 of 24 to 64 bytes>`.
#[derive(Clone)]
pub struct Secret(Key);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Secret {
    /// # Errors
    /// When it is not written like that.
    pub fn read(text: &str) -> Result<Self> {
        let encoded = text
            .trim()
            .strip_prefix("whsec_")
            .context("the secret does not begin with whsec_")?;
        let bytes = BASE64
            .decode(encoded.as_bytes())
            .context("the secret is not Base64")?;
        ensure!(
            (24..=64).contains(&bytes.len()),
            "the secret has not 24 to 64 bytes"
        );
        Ok(Self(Key::new(HMAC_SHA256, &bytes)))
    }

    /// The value of `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let tag = sign(&self.0, &signed(id, &timestamp.to_string(), body));
        format!("v1,{}", BASE64.encode(tag.as_ref()))
    }
}

fn signed(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), timestamp.as_bytes(), body].join(&b'.')
}

/// The id of a message that one of the secrets has signed, in time; nothing otherwise.
pub(super) fn verified(
    secrets: &[Secret],
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Option<String> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let time = DateTime::from_timestamp(timestamp.parse().ok()?, 0)?;
    if (time - now).abs() > TOLERANCE {
        return None;
    }
    let signed = signed(id, timestamp, body);
    let signatures = header("webhook-signature")?
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"));
    let tags: Vec<Vec<u8>> = signatures
        .filter_map(|one| BASE64.decode(one.as_bytes()).ok())
        .collect();
    let fits = |tag: &Vec<u8>| {
        secrets
            .iter()
            .any(|secret| verify(&secret.0, &signed, tag).is_ok())
    };
    tags.iter().any(fits).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{Secret, verified};

    // The example of the Standard Webhooks specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_614_265_330, 0).unwrap()
    }

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", "1614265330".parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    #[test]
    fn the_published_example_is_signed_and_verified() {
        let secret = Secret::read(SECRET).unwrap();
        assert_eq!(secret.sign(ID, 1_614_265_330, BODY), SIGNATURE);
        let other = Secret::read("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        let both = [other.clone(), secret];
        let twice = format!("v1a,AA v1,AA {SIGNATURE}");
        assert_eq!(verified(&both, &headers(&twice), BODY, at()).as_deref(), Some(ID));
        assert_eq!(verified(&[other], &headers(SIGNATURE), BODY, at()), None);
        assert_eq!(verified(&both, &headers(SIGNATURE), b"{}", at()), None);
        assert_eq!(
            verified(&both, &headers(SIGNATURE), BODY, at() + TimeDelta::minutes(6)),
            None
        );
    }

    #[test]
    fn a_secret_of_another_form_is_refused() {
        for wrong in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_short",
            "whsec_AAAA",
        ] {
            assert!(Secret::read(wrong).is_err(), "{wrong}");
        }
    }
}
