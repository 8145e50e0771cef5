use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_chassis::{FieldViolation, peer};
use wathiq_proto::wathiq::identity::v1 as proto;
use wathiq_proto::wathiq::identity::v1::confirmation_service_server::ConfirmationService;

use super::command::{account_holder, command};
use super::convert::timestamp;
use super::fields::Fields;
use crate::app::{self, App};
use crate::domain::confirmation::{Confirmation, HashSet, Purpose, Redemption, State};
use crate::domain::vocabulary::Word;
use crate::events::publish::purpose_of;

type Answer<T> = Result<Response<T>, Status>;

/// Step-up confirmations.
pub struct Confirmations(pub Arc<App>);

fn read_purpose(purpose: proto::ConfirmationPurpose) -> Option<Purpose> {
    match purpose {
        proto::ConfirmationPurpose::Unspecified => None,
        proto::ConfirmationPurpose::Legalise => Some(Purpose::Legalise),
        proto::ConfirmationPurpose::Seal => Some(Purpose::Seal),
    }
}

fn hashes<B: AsRef<[u8]>>(fields: &mut Fields, hashes: &[B]) -> Option<HashSet> {
    let violation = |error: crate::domain::confirmation::HashError| {
        FieldViolation::new("hashes", error.reason(), error.to_string())
    };
    fields.take(HashSet::parse(hashes).map_err(violation))
}

fn confirmation(confirmation: &Confirmation) -> proto::Confirmation {
    let state = match confirmation.state {
        State::Open => proto::ConfirmationState::Open,
        State::Confirmed(_) => proto::ConfirmationState::Confirmed,
        State::Redeemed { .. } => proto::ConfirmationState::Redeemed,
        State::Barred => proto::ConfirmationState::Barred,
        State::Expired => proto::ConfirmationState::Expired,
    };
    proto::Confirmation {
        confirmation_id: confirmation.id.to_string(),
        purpose: purpose_of(confirmation.purpose).into(),
        state: state.into(),
        hashes: confirmation
            .hashes
            .as_slice()
            .iter()
            .map(|hash| hash.to_vec())
            .collect(),
        expire_time: Some(timestamp(confirmation.expires_at)),
        attempts_left: i32::from(confirmation.attempts_left),
    }
}

fn record(confirmation: &Confirmation) -> Option<proto::ConfirmationRecord> {
    let State::Redeemed { given, .. } = &confirmation.state else {
        return None;
    };
    Some(proto::ConfirmationRecord {
        confirmation_id: confirmation.id.to_string(),
        person_id: confirmation.person_id.to_string(),
        method: given.method.as_str().to_owned(),
        confirm_time: Some(timestamp(given.at)),
        jws: given.record.clone(),
    })
}

#[tonic::async_trait]
impl ConfirmationService for Confirmations {
    async fn create_confirmation(
        &self,
        request: Request<proto::CreateConfirmationRequest>,
    ) -> Answer<proto::CreateConfirmationResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let purpose = fields.word("purpose", request.get_ref().purpose, read_purpose);
        let hashes = hashes(&mut fields, &request.get_ref().hashes);
        let (command, what) = fields.finish(|| Some((command?, (purpose?, hashes?))))?;
        let reply = |opened: &Confirmation| proto::CreateConfirmationResponse {
            confirmation: Some(confirmation(opened)),
        };
        let answer =
            app::create_confirmation::create_confirmation(&self.0, &command, caller, what, reply).await?;
        Ok(Response::new(answer))
    }

    async fn confirm_with_totp(
        &self,
        request: Request<proto::ConfirmWithTotpRequest>,
    ) -> Answer<proto::ConfirmWithTotpResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let id = fields.id("confirmation_id", &request.get_ref().confirmation_id);
        let (command, id) = fields.finish(|| Some((command?, id?)))?;
        let shown = (id, request.get_ref().code.as_str());
        let reply = |given: &Confirmation| proto::ConfirmWithTotpResponse {
            confirmation: Some(confirmation(given)),
        };
        let answer =
            app::confirm_with_totp::confirm_with_totp(&self.0, &command, caller, shown, reply).await?;
        Ok(Response::new(answer))
    }

    async fn redeem_confirmation(
        &self,
        request: Request<proto::RedeemConfirmationRequest>,
    ) -> Answer<proto::RedeemConfirmationResponse> {
        let service = peer(&request).0.clone();
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let id = fields.id("confirmation_id", &message.confirmation_id);
        let person_id = fields.id("person_id", &message.person_id);
        let purpose = fields.word("purpose", message.purpose, read_purpose);
        let hashes = hashes(&mut fields, &message.hashes);
        let (command, id, redemption) = fields.finish(|| {
            let redemption = Redemption {
                service,
                person_id: person_id?,
                purpose: purpose?,
                hashes: hashes?,
            };
            Some((command?, id?, redemption))
        })?;
        let reply = |redeemed: &Confirmation| proto::RedeemConfirmationResponse {
            record: record(redeemed),
        };
        let answer =
            app::redeem_confirmation::redeem_confirmation(&self.0, &command, id, redemption, reply).await?;
        Ok(Response::new(answer))
    }
}
