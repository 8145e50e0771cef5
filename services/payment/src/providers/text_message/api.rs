//! The provider's interface: JSON over HTTPS, every request recognised when it is repeated.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CURRENCY, TextMessage};
use crate::domain::attempt::Attempt;
use crate::domain::book::Book;
use crate::domain::money;
use crate::domain::provider::{Act, Credit, Outcome, Sale, SaleState, Status};
use crate::providers::{ProviderError, http};

/// How long after its time an answer may still be on its way to the provider: the attempt does not end before.
const PENDING: TimeDelta = TimeDelta::minutes(15);

#[derive(Serialize)]
struct Payment<'a> {
    id: &'a str,
    phone: &'a str,
    amount: i64,
    currency: &'static str,
    language: &'a str,
    text: String,
    expires_at: DateTime<Utc>,
    callback_url: &'a str,
}

#[derive(Serialize)]
struct Reversal<'a> {
    id: Uuid,
    amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<&'a str>,
}

#[derive(Deserialize)]
struct Found {
    status: String,
    currency: String,
    transactions: Vec<FoundTransaction>,
    reversals: Vec<FoundReversal>,
}

#[derive(Deserialize)]
struct FoundTransaction {
    transaction: String,
    amount: i64,
    status: String,
}

#[derive(Deserialize)]
struct FoundReversal {
    id: String,
    amount: i64,
    #[serde(default)]
    transaction: String,
}

/// All transactions of the order; none where the provider has not heard of it.
pub(super) async fn status(provider: &TextMessage, attempt: &Attempt) -> Result<Status, ProviderError> {
    let request = provider.request(reqwest::Method::GET, &format!("payments/{}", attempt.order_id));
    let (code, body) = http::send(request).await?;
    match code {
        StatusCode::OK => picture(
            &read(&body)?,
            attempt.expires_at + PENDING,
            provider.ambient.now(),
        ),
        StatusCode::NOT_FOUND => Ok(Status::default()),
        other => Err(ProviderError::Unavailable(
            format!("HTTP status {}", other.as_u16()).into(),
        )),
    }
}

/// Tells the provider something about the order.
pub(super) async fn act(provider: &TextMessage, book: &Book, attempt: &Attempt, act: &Act) -> Outcome {
    let reversals = format!("payments/{}/reversals", attempt.order_id);
    let reverse = |id: Uuid, amount: i64, transaction: Option<&str>| {
        let reversal = Reversal {
            id,
            amount,
            transaction,
        };
        provider
            .request(reqwest::Method::POST, &reversals)
            .json(&reversal)
    };
    let request = match act {
        // A confirmation takes the money: there is nothing between.
        Act::Capture { .. } => return Outcome::Done,
        Act::Tell => payment(provider, book, attempt),
        Act::Void {
            reversal_id,
            transaction,
            amount,
        } => reverse(*reversal_id, *amount, Some(transaction)),
        Act::CreditReversal {
            reversal_id, amount, ..
        } => reverse(*reversal_id, *amount, None),
        Act::CreditRefund { refund_id, amount } => reverse(*refund_id, *amount, None),
    };
    match http::send(request).await {
        Ok((code, _)) if code.is_success() => Outcome::Done,
        Ok((code @ (StatusCode::CONFLICT | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY), _)) => {
            let code = code.as_u16();
            tracing::warn!(
                event = "provider.refused",
                provider = "text-message",
                attempt_id = %attempt.id,
                code,
                "the provider refused"
            );
            Outcome::Refused
        }
        Ok((code, _)) => unknown(attempt, &format!("HTTP status {}", code.as_u16())),
        Err(error) => unknown(attempt, &wathiq_chassis::status::chain(&error)),
    }
}

fn unknown(attempt: &Attempt, error: &str) -> Outcome {
    tracing::warn!(
        event = "provider.no_answer",
        provider = "text-message",
        attempt_id = %attempt.id,
        error,
        "the outcome is not known"
    );
    Outcome::Unknown
}

fn payment(provider: &TextMessage, book: &Book, attempt: &Attempt) -> RequestBuilder {
    let payment = Payment {
        id: &attempt.order_id,
        phone: &attempt.phone,
        amount: book.payable.amount,
        currency: CURRENCY,
        language: &attempt.language,
        text: text(&attempt.language, book.payable.amount),
        expires_at: attempt.expires_at,
        callback_url: &provider.callback_url,
    };
    provider.request(reqwest::Method::POST, "payments").json(&payment)
}

/// What the payer reads on the phone: no name, no matter.
fn text(language: &str, amount: i64) -> String {
    let amount = money::text(amount);
    match language {
        "ar" => format!("وثيق: هل تؤكدون أداء {amount} درهم؟"),
        "en" => format!("Wathiq: do you confirm the payment of MAD {amount}?"),
        _ => format!("Wathiq : confirmez-vous le paiement de {amount} DH ?"),
    }
}

/// `until`: when a payer who has not been heard of is no longer waited for.
fn picture(found: &Found, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<Status, ProviderError> {
    if found.currency != CURRENCY {
        return Err(ProviderError::Unreadable("the currency is another"));
    }
    let mut status = Status::default();
    for transaction in &found.transactions {
        let state = match transaction.status.as_str() {
            "confirmed" => SaleState::Captured,
            "reversed" => SaleState::Voided,
            "declined" => SaleState::Declined,
            _ => return Err(ProviderError::Unreadable("a state is not known")),
        };
        status.sales.push(Sale {
            transaction: transaction.transaction.clone(),
            state,
            amount: transaction.amount,
            captured: transaction.amount,
            // Whoever confirms holds the phone.
            authentic: Some(true),
            international: None,
        });
    }
    // A reversal that names a transaction has given that one back whole: it is not a credit besides.
    let credits = found
        .reversals
        .iter()
        .filter(|reversal| reversal.transaction.is_empty());
    for reversal in credits {
        status.credits.push(Credit {
            id: Uuid::try_parse(&reversal.id).ok(),
            amount: reversal.amount,
        });
    }
    match found.status.as_str() {
        "pending" if now < until => status.sales.push(Sale {
            transaction: String::new(),
            state: SaleState::Pending,
            amount: 0,
            captured: 0,
            authentic: None,
            international: None,
        }),
        "pending" | "confirmed" | "declined" | "expired" => {}
        _ => return Err(ProviderError::Unreadable("a state is not known")),
    }
    Ok(status)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|_| ProviderError::Unreadable("it is not the JSON expected"))
}

impl TextMessage {
    fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", url.path()));
        self.http
            .request(method, url)
            .bearer_auth(self.key.expose_secret().trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn a_reversal_of_a_whole_transaction_is_no_credit_besides() {
        let body = br#"{"id":"O1","status":"confirmed","amount":2000,"currency":"MAD",
            "transactions":[{"transaction":"T1","amount":2000,"status":"confirmed"},{"transaction":"T2","amount":2000,"status":"reversed"}],
            "reversals":[{"id":"00000000-0000-0000-0000-000000000001","amount":500},{"id":"x","amount":2000,"transaction":"T2"}]}"#;
        let status = picture(&read(body).unwrap(), END, END).unwrap();
        assert_eq!((status.held(), status.credited()), (1_500, 500));
        assert_eq!(status.credits[0].id, Some(Uuid::from_u128(1)));
        let euros = String::from_utf8_lossy(body).replace("MAD", "EUR");
        assert!(picture(&read(euros.as_bytes()).unwrap(), END, END).is_err());
    }

    #[test]
    fn what_is_pending_is_waited_for_until_its_time_is_over() {
        let body = br#"{"id":"O1","status":"pending","amount":2000,"currency":"MAD","transactions":[],"reversals":[]}"#;
        let pending = |now: DateTime<Utc>| picture(&read(body).unwrap(), END, now).unwrap().pending();
        assert!(pending(END - TimeDelta::seconds(1)));
        assert!(!pending(END));
    }

    #[test]
    fn the_text_fits_one_message_in_each_language() {
        for language in ["ar", "fr", "en"] {
            assert!(text(language, money::LARGEST).chars().count() <= 70, "{language}");
        }
    }
}
