//! The provider's signed messages.

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use super::CURRENCY;
use crate::domain::provider::Success;
use crate::providers::{Message, Posted, Told, Unproven};

/// How far the time in a message may be from ours.
const WINDOW: TimeDelta = TimeDelta::minutes(5);
/// Longest transaction or code that is kept.
const LONGEST: usize = 100;

#[derive(Deserialize)]
struct Body {
    id: String,
    status: String,
    transaction: String,
    #[serde(default)]
    code: String,
    amount: i64,
    currency: String,
    time: DateTime<Utc>,
}

/// Nothing of the body is read before its signature holds.
pub(super) fn verify(
    secret: &SecretString,
    posted: &Posted<'_>,
    now: DateTime<Utc>,
) -> Result<Message, Unproven> {
    let given = posted.signature.strip_prefix("sha256=").ok_or(Unproven::Forged)?;
    let given = HEXLOWER.decode(given.as_bytes()).map_err(|_| Unproven::Forged)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().trim().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(posted.body);
    // In constant time.
    mac.verify_slice(&given).map_err(|_| Unproven::Forged)?;
    let body: Body = serde_json::from_slice(posted.body).map_err(|_| Unproven::Malformed)?;
    if (body.time - now).abs() > WINDOW {
        return Err(Unproven::Stale);
    }
    if body.currency != CURRENCY {
        return Err(Unproven::Foreign);
    }
    if body.transaction.is_empty() || body.transaction.len() > LONGEST || body.code.len() > LONGEST {
        return Err(Unproven::Malformed);
    }
    let outcome = match body.status.as_str() {
        "confirmed" => Told::Success(Success {
            transaction: body.transaction.clone(),
            amount: body.amount,
            international: None,
            authentic: true,
        }),
        "declined" => Told::Declined { code: body.code },
        "expired" => Told::Over,
        _ => return Err(Unproven::Malformed),
    };
    Ok(Message {
        order_id: body.id,
        key: body.transaction,
        amount: Some(body.amount),
        outcome,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T10:00:00Z";

    fn signature(secret: &str, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        format!("sha256={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
    }

    fn body(status: &str, time: &str) -> String {
        format!(
            r#"{{"id":"O1","status":"{status}","transaction":"T1","code":"","amount":2000,"currency":"MAD","time":"{time}"}}"#
        )
    }

    fn read(body: &str, signature: &str) -> Result<Message, Unproven> {
        let posted = Posted {
            fields: &[],
            body: body.as_bytes(),
            signature,
        };
        verify(&SecretString::from("secret\n"), &posted, NOW.parse().unwrap())
    }

    #[test]
    fn a_signed_message_is_read() {
        let body = body("confirmed", "2026-11-22T09:55:00Z");
        let message = read(&body, &signature("secret", &body)).unwrap();
        assert_eq!((message.order_id.as_str(), message.amount), ("O1", Some(2_000)));
        assert!(matches!(message.outcome, Told::Success(success) if success.transaction == "T1"));
    }

    #[test]
    fn what_is_not_proven_is_not_read() {
        let good = body("confirmed", NOW);
        let sign = |body: &str| signature("secret", body);
        assert_eq!(read(&good, &signature("other", &good)), Err(Unproven::Forged));
        assert_eq!(read(&good, ""), Err(Unproven::Forged));
        assert_eq!(read(&good, &sign(&good)[7..]), Err(Unproven::Forged));
        assert_eq!(
            read(&good.replace("2000", "2001"), &sign(&good)),
            Err(Unproven::Forged)
        );
        for time in ["2026-11-22T09:54:59Z", "2026-11-22T10:05:01Z"] {
            let stale = body("confirmed", time);
            assert_eq!(read(&stale, &sign(&stale)), Err(Unproven::Stale));
        }
        let euros = good.replace("MAD", "EUR");
        assert_eq!(read(&euros, &sign(&euros)), Err(Unproven::Foreign));
        for strange in [body("done", NOW), good.replace("T1", ""), "{}".to_owned()] {
            assert_eq!(
                read(&strange, &sign(&strange)),
                Err(Unproven::Malformed),
                "{strange}"
            );
        }
    }
}
