//! What a citizen pays: where a payment stands, a new attempt, the receipt.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::api::status_text::Texts;
use crate::api::transfer::download::Disposition;
use crate::api::transfer::whole::whole;
use crate::api::wire::{Show, body, view, words};
use crate::api::{Answer, Created, filled};
use crate::app::App;
use crate::json::{Body, IdempotencyKey};
use crate::language::{Language, find, text};
use crate::session::User;

words! {
    /// States of what is to be paid.
    PayableState from pb::PayableState { Open, Paid, Cancelled, Expired }
    /// States of an attempt to pay.
    AttemptState from pb::AttemptState { Started, Authorised, Captured, Voiding, Voided, Ended }
    /// States of a refund.
    RefundState from pb::RefundState { Requested, Completed, Failed }
}

view! {
    /// Where a payment stands, and how it can be made.
    Payment from pb::GetPaymentResponse {
        payable: Option<Payable>,
        /// Ways to pay now; none once nothing is owed.
        options: Vec<ProviderOption>,
    }
    /// A way to pay.
    ProviderOption from pb::ProviderOption {
        /// `cmi` (card) or `text-message`.
        provider: String,
    }
    /// One position.
    PayableItem from pb::PayableItem {
        reference: String,
        label_ar: String,
        label_fr: String,
        amount_centimes: i64,
    }
    /// An attempt under way, and what the payer does next: exactly one of the two is set.
    AttemptBegun from pb::StartAttemptResponse {
        attempt: Option<Attempt>,
        next: NextStep,
    }
    /// A form that the payer's browser posts to the provider.
    HostedForm from pb::HostedForm {
        action_url: String,
        fields: Vec<HostedField>,
    }
    /// A field of it.
    HostedField from pb::FormField {
        name: String,
        value: String,
    }
    /// A request sent to the payer's phone.
    TextMessagePrompt from pb::TextMessagePrompt {
        /// With all but the last two digits hidden.
        masked_phone: String,
        expire_time: Option<DateTime<Utc>>,
    }
}

/// What the payer does next.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct NextStep {
    hosted_form: Option<HostedForm>,
    text_message: Option<TextMessagePrompt>,
}

impl Show<NextStep> for Option<pb::start_attempt_response::Next> {
    fn show(self) -> NextStep {
        match self {
            Some(pb::start_attempt_response::Next::HostedForm(form)) => NextStep {
                hosted_form: Some(form.show()),
                text_message: None,
            },
            Some(pb::start_attempt_response::Next::TextMessage(prompt)) => NextStep {
                hosted_form: None,
                text_message: Some(prompt.show()),
            },
            None => NextStep::default(),
        }
    }
}

/// Something to be paid.
#[derive(Serialize, ToSchema)]
pub(crate) struct Payable {
    payable_id: String,
    /// The service it is paid for.
    owner: String,
    owner_reference: String,
    /// What people call it, as printed on the receipt; null where it has no such name.
    display_reference: Option<String>,
    state: PayableState,
    /// What the state means for the payer.
    status_text: Texts,
    /// Centimes of MAD, tax included.
    amount_centimes: i64,
    items: Vec<PayableItem>,
    create_time: Option<DateTime<Utc>>,
    expire_time: Option<DateTime<Utc>>,
    pay_time: Option<DateTime<Utc>>,
    refunded_centimes: i64,
    attempts: Vec<Attempt>,
    refunds: Vec<Refund>,
    /// Such as `2026-000001`; null until paid.
    receipt_number: Option<String>,
}

impl Show<Payable> for pb::Payable {
    fn show(self) -> Payable {
        let key = payable_text_key(self.state());
        Payable {
            status_text: Texts::each(|language| text(language, key).to_owned()),
            payable_id: self.payable_id,
            owner: self.owner,
            owner_reference: self.owner_reference,
            display_reference: self.display_reference.show(),
            state: self.state.show(),
            amount_centimes: self.amount_centimes,
            items: self.items.show(),
            create_time: self.create_time.show(),
            expire_time: self.expire_time.show(),
            pay_time: self.pay_time.show(),
            refunded_centimes: self.refunded_centimes,
            attempts: self.attempts.show(),
            refunds: self.refunds.show(),
            receipt_number: self.receipt_number.show(),
        }
    }
}

/// Key of what the state of a payable means for its payer.
#[must_use]
pub(crate) fn payable_text_key(state: pb::PayableState) -> &'static str {
    use pb::PayableState as S;
    match state {
        S::Open => "payable_text.open",
        S::Paid => "payable_text.paid",
        S::Cancelled => "payable_text.cancelled",
        S::Expired => "payable_text.expired",
        S::Unspecified => "payable_text.unknown",
    }
}

/// Money given back.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refund {
    refund_id: String,
    owner_reference: String,
    amount_centimes: i64,
    state: RefundState,
    /// What the state means for the payer.
    status_text: Texts,
    reason_code: String,
    create_time: Option<DateTime<Utc>>,
    complete_time: Option<DateTime<Utc>>,
}

impl Show<Refund> for pb::Refund {
    fn show(self) -> Refund {
        let key = refund_text_key(self.state());
        Refund {
            status_text: Texts::each(|language| text(language, key).to_owned()),
            refund_id: self.refund_id,
            owner_reference: self.owner_reference,
            amount_centimes: self.amount_centimes,
            state: self.state.show(),
            reason_code: self.reason_code,
            create_time: self.create_time.show(),
            complete_time: self.complete_time.show(),
        }
    }
}

/// Key of what the state of a refund means for the payer.
#[must_use]
pub(crate) fn refund_text_key(state: pb::RefundState) -> &'static str {
    use pb::RefundState as S;
    match state {
        S::Requested => "refund_text.requested",
        S::Completed => "refund_text.completed",
        S::Failed => "refund_text.failed",
        S::Unspecified => "refund_text.unknown",
    }
}

/// One way to the provider.
#[derive(Serialize, ToSchema)]
pub(crate) struct Attempt {
    attempt_id: String,
    provider: String,
    state: AttemptState,
    /// What it means for the payer.
    status_text: Texts,
    /// The provider's code of the latest decline; null without one.
    decline_code: Option<String>,
    declines: i32,
    create_time: Option<DateTime<Utc>>,
    expire_time: Option<DateTime<Utc>>,
    /// The card was issued abroad, as the provider says; null while it has not said, and without a card.
    international: Option<bool>,
    /// When the payer came back with the provider's word of success, while it is being confirmed: paying again would be paying twice. Null
    /// otherwise.
    approved_return_time: Option<DateTime<Utc>>,
}

impl Show<Attempt> for pb::Attempt {
    fn show(self) -> Attempt {
        Attempt {
            status_text: Texts::each(|language| attempt_text(language, &self)),
            attempt_id: self.attempt_id,
            state: self.state.show(),
            provider: self.provider,
            decline_code: self.decline_code.show(),
            declines: self.declines,
            create_time: self.create_time.show(),
            expire_time: self.expire_time.show(),
            international: self.international,
            approved_return_time: self.approved_return_time.show(),
        }
    }
}

/// The attempt that is being confirmed: nothing else is to be paid meanwhile.
pub(crate) fn confirming(payable: &pb::Payable) -> Option<&pb::Attempt> {
    let mut attempts = payable.attempts.iter();
    attempts.find(|attempt| attempt.approved_return_time.is_some())
}

/// What an attempt means for the payer.
#[must_use]
pub(crate) fn attempt_text(language: Language, attempt: &pb::Attempt) -> String {
    use pb::AttemptState as S;
    let declined = !attempt.decline_code.is_empty();
    let key = match attempt.state() {
        S::Started | S::Ended if attempt.approved_return_time.is_some() => {
            return text(language, "attempt_text.confirming").to_owned();
        }
        S::Started if declined => "attempt_text.declined",
        S::Started if attempt.provider == "text-message" => "attempt_text.started_by_phone",
        S::Started => "attempt_text.started",
        S::Authorised => "attempt_text.authorised",
        S::Captured => "attempt_text.captured",
        S::Voiding => "attempt_text.voiding",
        S::Voided => "attempt_text.voided",
        S::Ended if declined => "attempt_text.ended_declined",
        S::Ended => "attempt_text.ended",
        S::Unspecified => "attempt_text.unknown",
    };
    let why = find(language, &format!("decline.{}", attempt.decline_code)).filter(|_| declined);
    match why {
        Some(why) => format!("{why} {}", text(language, key)),
        None => text(language, key).to_owned(),
    }
}

body! {
    /// How it is to be paid.
    NewAttempt {
        /// `cmi` (card) or `text-message`.
        provider: String,
        /// For payment by text message.
        #[serde(default)]
        phone: Option<String>,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_payment))
        .routes(routes!(start_attempt))
        .routes(routes!(download_receipt))
}

/// The language of a provider's page: Arabic where it has none of the person's.
pub(crate) fn provider_language(language: Language) -> String {
    match language {
        Language::French | Language::English => language.tag(),
        Language::Arabic | Language::Tamazight => Language::Arabic.tag(),
    }
    .to_owned()
}

/// Where a payment stands.
#[utoipa::path(get, path = "/v1/payments/{payable_id}", tag = "payments", responses((status = 200, body = Payment)))]
async fn get_payment(
    State(app): State<App>,
    _: User,
    Path(payable_id): Path<String>,
) -> Answer<Json<Payment>> {
    let request = pb::GetPaymentRequest { payable_id };
    let answer = app.clients.payments().get_payment(request).await?.into_inner();
    filled(answer.payable.as_ref())?;
    Ok(Json(answer.show()))
}

/// Starts an attempt to pay; the provider's page speaks the language of the call.
#[utoipa::path(post, path = "/v1/payments/{payable_id}/attempts", tag = "payments", request_body = NewAttempt, responses((status = 201, body = AttemptBegun)))]
async fn start_attempt(
    State(app): State<App>,
    _: User,
    Path(payable_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    axum::Extension(language): axum::Extension<Language>,
    Body(body): Body<NewAttempt>,
) -> Answer<Created<AttemptBegun>> {
    let request = pb::StartAttemptRequest {
        request_id,
        payable_id,
        provider: body.provider,
        language: provider_language(language),
        phone: body.phone.unwrap_or_default(),
    };
    let answer = app.clients.payments().start_attempt(request).await?;
    Ok(Created(answer.into_inner().show()))
}

/// The receipt.
#[utoipa::path(get, path = "/v1/payments/{payable_id}/receipt", tag = "payments", responses((status = 200, content_type = "application/pdf")))]
async fn download_receipt(
    State(app): State<App>,
    _: User,
    Path(payable_id): Path<String>,
) -> Answer<Response> {
    receipt(&app, payable_id).await
}

/// The receipt of what was paid, as a file.
///
/// # Errors
/// The service's refusal.
pub(crate) async fn receipt(app: &App, payable_id: String) -> Answer<Response> {
    let mut payments = app.clients.payments();
    let request = pb::DownloadReceiptRequest { payable_id };
    whole!(payments.download_receipt(request), Disposition::Attachment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decline_says_why_where_the_code_is_known() {
        let attempt = |state: pb::AttemptState, code: &str| pb::Attempt {
            state: state as i32,
            provider: "cmi".to_owned(),
            decline_code: code.to_owned(),
            ..Default::default()
        };
        let says = |state, code: &str| attempt_text(Language::English, &attempt(state, code));
        let known = says(pb::AttemptState::Started, "51");
        assert!(
            known.contains("balance") && known.ends_with(text(Language::English, "attempt_text.declined"))
        );
        let unknown = says(pb::AttemptState::Started, "77");
        assert_eq!(unknown, text(Language::English, "attempt_text.declined"));
        let returned = pb::Attempt {
            approved_return_time: Some(prost_types::Timestamp::default()),
            ..attempt(pb::AttemptState::Started, "51")
        };
        let confirming = attempt_text(Language::English, &returned);
        assert_eq!(confirming, text(Language::English, "attempt_text.confirming"));
        let ended = says(pb::AttemptState::Ended, "");
        assert_eq!(ended, text(Language::English, "attempt_text.ended"));
    }
}
