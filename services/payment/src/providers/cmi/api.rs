//! The XML API: status, capture, void and credit of an order.

use quick_xml::escape::escape;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;

use super::order::{self, Response};
use super::{CURRENCY, Cmi};
use crate::domain::attempt::Attempt;
use crate::domain::book::Book;
use crate::domain::money;
use crate::domain::provider::{Act, Outcome, Status};
use crate::providers::{ProviderError, http};

/// All transactions of the order; none where the provider has not heard of it.
pub(super) async fn status(cmi: &Cmi, attempt: &Attempt) -> Result<Status, ProviderError> {
    let query = |what: &str| format!("<Extra><{what}>QUERY</{what}></Extra>");
    let order = ask(cmi, attempt, &query("ORDERSTATUS")).await?;
    if order.unknown_order() {
        return Ok(Status::default());
    }
    if !order.approved() {
        return Err(ProviderError::Unreadable("the status was refused"));
    }
    let history = ask(cmi, attempt, &query("ORDERHISTORY")).await?;
    if !history.approved() {
        return Err(ProviderError::Unreadable("the history was refused"));
    }
    order::status(&order, &history, &cmi.config.international_mark)
}

/// Tells the provider something about the order.
pub(super) async fn act(cmi: &Cmi, book: &Book, attempt: &Attempt, act: &Act) -> Outcome {
    let of_amount = |kind: &str, amount: i64| {
        let total = money::text(amount);
        format!("<Type>{kind}</Type><Total>{total}</Total><Currency>{CURRENCY}</Currency>")
    };
    let body = match act {
        // The browser brings the payer; the provider needs no word before.
        Act::Tell => return Outcome::Done,
        Act::Capture { transaction } => format!(
            "{}<TransId>{}</TransId>",
            of_amount("PostAuth", book.payable.amount),
            escape(transaction)
        ),
        Act::Void { transaction, .. } => {
            format!("<Type>Void</Type><TransId>{}</TransId>", escape(transaction))
        }
        Act::CreditReversal { amount, .. } | Act::CreditRefund { amount, .. } => of_amount("Credit", *amount),
    };
    match ask(cmi, attempt, &body).await {
        Ok(response) if response.approved() => Outcome::Done,
        Ok(response) if response.declined() => {
            tracing::warn!(
                event = "provider.refused",
                provider = "cmi",
                attempt_id = %attempt.id,
                code = response.code(),
                "the provider refused"
            );
            Outcome::Refused
        }
        // Above all a time-out behind the provider: it may have been done.
        Ok(response) => {
            tracing::warn!(
                event = "provider.failed",
                provider = "cmi",
                attempt_id = %attempt.id,
                code = response.code(),
                "the outcome is not known"
            );
            Outcome::Unknown
        }
        Err(error) => {
            tracing::warn!(
                event = "provider.no_answer",
                provider = "cmi",
                attempt_id = %attempt.id,
                error = wathiq_chassis::status::chain(&error),
                "the outcome is not known"
            );
            Outcome::Unknown
        }
    }
}

async fn ask(cmi: &Cmi, attempt: &Attempt, what: &str) -> Result<Response, ProviderError> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CC5Request><Name>{}</Name><Password>{}</Password><ClientId>{}</ClientId>\
         <OrderId>{}</OrderId>{what}</CC5Request>",
        escape(cmi.config.api_user.as_str()),
        escape(cmi.password.expose_secret().trim()),
        escape(cmi.config.client_id.as_str()),
        escape(attempt.order_id.as_str()),
    );
    let request = cmi
        .http
        .post(cmi.api_url.clone())
        .header(CONTENT_TYPE, "application/xml; charset=utf-8")
        .body(xml);
    let (status, body) = http::send(request).await?;
    if status != StatusCode::OK {
        let error = format!("HTTP status {}", status.as_u16());
        return Err(ProviderError::Unavailable(error.into()));
    }
    Response::read(&body)
}
