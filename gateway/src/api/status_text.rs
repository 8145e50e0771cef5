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

impl Texts {
    /// What is said in each language.
    pub(crate) fn each(say: impl Fn(Language) -> String) -> Self {
        Texts {
            ar: say(Language::Arabic),
            fr: say(Language::French),
            en: say(Language::English),
        }
    }
}

/// What happens next, and when, in all languages.
#[must_use]
pub(crate) fn status_text(request: &pb::LegalisationRequest) -> Texts {
    Texts::each(|language| status_line(language, request))
}

/// The same in one language.
#[must_use]
pub(crate) fn status_line(language: Language, request: &pb::LegalisationRequest) -> String {
    let what =
        find(language, &progress_key(request)).unwrap_or_else(|| text(language, state_key(request.state())));
    match deadline(request) {
        Some((key, date)) => format!("{what} {}", text(language, key).replace("{date}", &date)),
        None => what.to_owned(),
    }
}

fn progress_key(request: &pb::LegalisationRequest) -> String {
    // An officer is waited for twice: to examine the request, and to seal what they have authorised.
    let sealing = request.state() == pb::LegalisationState::AwaitingSignature;
    if sealing && request.progress_code == "WAITING_FOR_OFFICER" {
        return "progress.waiting_for_signature".to_owned();
    }
    format!("progress.{}", request.progress_code.to_lowercase())
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

#[cfg(test)]
mod tests {
    use wathiq_proto::google::r#type::Date;

    use super::*;

    fn request(state: pb::LegalisationState, progress_code: &str) -> pb::LegalisationRequest {
        let receipt = pb::Receipt {
            number: "1".to_owned(),
            submit_time: None,
            expected_date: Some(Date {
                year: 2026,
                month: 11,
                day: 5,
            }),
        };
        pb::LegalisationRequest {
            state: state as i32,
            progress_code: progress_code.to_owned(),
            receipt: Some(receipt),
            // 23:30 in Morocco, which is an hour ahead.
            expire_time: Some(prost_types::Timestamp {
                seconds: 1_795_386_600,
                nanos: 0,
            }),
            ..Default::default()
        }
    }

    #[test]
    fn what_happens_next_says_when() {
        let says = |state, code: &str| status_line(Language::English, &request(state, code));
        use pb::LegalisationState as S;
        assert!(says(S::Submitted, "WAITING_FOR_AGENT").ends_with("Expect the answer by 05/11/2026."));
        assert!(says(S::Draft, "WAITING_FOR_PLACEMENT").ends_with("This request expires on 22/11/2026."));
        assert!(!says(S::Delivered, "").contains("2026"));
        assert!(says(S::AwaitingSignature, "WAITING_FOR_TIME_STAMP").contains("time-stamp"));
        assert!(says(S::AwaitingSignature, "SOMETHING_NEW").contains("being sealed"));
    }

    #[test]
    fn an_officer_is_waited_for_twice() {
        let says = |state| status_line(Language::English, &request(state, "WAITING_FOR_OFFICER"));
        assert!(says(pb::LegalisationState::AgentAccepted).contains("will examine"));
        assert!(says(pb::LegalisationState::AwaitingSignature).contains("with their key"));
    }
}
