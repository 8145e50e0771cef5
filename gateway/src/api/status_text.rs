//! What happens next to a request, and when, in words.

use chrono::{DateTime, Utc};
use chrono_tz::Africa::Casablanca;
use serde::Serialize;
use utoipa::ToSchema;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::language::{Language, find, text};

/// A text in the three languages of the platform.
#[derive(Serialize, ToSchema)]
pub(crate) struct Texts {
    pub(crate) ar: String,
    pub(crate) fr: String,
    pub(crate) en: String,
}

/// What happens next, and when, in all languages.
#[must_use]
pub(crate) fn status_text(request: &pb::LegalisationRequest) -> Texts {
    let of = |language| status_line(language, request);
    Texts {
        ar: of(Language::Arabic),
        fr: of(Language::French),
        en: of(Language::English),
    }
}

/// The same in one language.
#[must_use]
pub(crate) fn status_line(language: Language, request: &pb::LegalisationRequest) -> String {
    let progress = format!("progress.{}", request.progress_code.to_lowercase());
    let state = state_key(request.state());
    let what = find(language, &progress).unwrap_or_else(|| text(language, state));
    match deadline(request) {
        Some((key, date)) => format!("{what} {}", text(language, key).replace("{date}", &date)),
        None => what.to_owned(),
    }
}

/// Key of the text of a state.
#[must_use]
pub(crate) fn state_key(state: pb::LegalisationState) -> &'static str {
    use pb::LegalisationState as S;
    match state {
        S::Unspecified => "state.unknown",
        S::Draft => "state.draft",
        S::SignaturePlaced => "state.signature_placed",
        S::Confirmed => "state.confirmed",
        S::AwaitingPayment => "state.awaiting_payment",
        S::Submitted => "state.submitted",
        S::AgentAccepted => "state.agent_accepted",
        S::AwaitingSignature => "state.awaiting_signature",
        S::Sealed => "state.sealed",
        S::Delivered => "state.delivered",
        S::Refused => "state.refused",
        S::Cancelled => "state.cancelled",
        S::Expired => "state.expired",
    }
}

/// Key of the name of a state.
#[must_use]
pub(crate) fn state_name_key(state: pb::LegalisationState) -> &'static str {
    use pb::LegalisationState as S;
    match state {
        S::Unspecified => "name.unknown",
        S::Draft => "name.draft",
        S::SignaturePlaced => "name.signature_placed",
        S::Confirmed => "name.confirmed",
        S::AwaitingPayment => "name.awaiting_payment",
        S::Submitted => "name.submitted",
        S::AgentAccepted => "name.agent_accepted",
        S::AwaitingSignature => "name.awaiting_signature",
        S::Sealed => "name.sealed",
        S::Delivered => "name.delivered",
        S::Refused => "name.refused",
        S::Cancelled => "name.cancelled",
        S::Expired => "name.expired",
    }
}

fn deadline(request: &pb::LegalisationRequest) -> Option<(&'static str, String)> {
    use pb::LegalisationState as S;
    match request.state() {
        S::Submitted | S::AgentAccepted | S::AwaitingSignature => {
            let date = request.receipt.as_ref()?.expected_date?;
            Some((
                "when.expected",
                format!("{:02}/{:02}/{:04}", date.day, date.month, date.year),
            ))
        }
        S::Draft | S::SignaturePlaced | S::AwaitingPayment => {
            let expiry = request.expire_time?;
            let instant: DateTime<Utc> = DateTime::from_timestamp(expiry.seconds, 0)?;
            Some((
                "when.expires",
                instant.with_timezone(&Casablanca).format("%d/%m/%Y").to_string(),
            ))
        }
        _ => None,
    }
}
