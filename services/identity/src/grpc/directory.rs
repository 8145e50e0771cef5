use std::sync::Arc;

use chrono::TimeDelta;
use tonic::{Request, Response, Status};
use wathiq_chassis::{FieldViolation, peer, request_id};
use wathiq_proto::wathiq::identity::v1 as proto;
use wathiq_proto::wathiq::identity::v1::directory_service_server::DirectoryService;

use super::convert::{self, timestamp};
use super::fields::Fields;
use super::office_convert::administration;
use crate::app::list_verification_keys::PublishedKey;
use crate::app::{self, App};
use crate::domain::delivery::DeliveryKind;
use crate::events::publish::{channel_of, role_of};

type Answer<T> = Result<Response<T>, Status>;

/// What other services ask.
pub struct Directory(pub Arc<App>);

fn kind(kind: DeliveryKind) -> proto::DeliveryKind {
    match kind {
        DeliveryKind::SignUpCode => proto::DeliveryKind::SignUpCode,
        DeliveryKind::ContactChangeCode => proto::DeliveryKind::ContactChangeCode,
        DeliveryKind::PasswordResetCode => proto::DeliveryKind::PasswordResetCode,
        DeliveryKind::AccountExistsNotice => proto::DeliveryKind::AccountExistsNotice,
        DeliveryKind::CredentialChangedNotice => proto::DeliveryKind::CredentialChangedNotice,
        DeliveryKind::ContactSessionCode => proto::DeliveryKind::ContactSessionCode,
    }
}

/// Whole seconds, rounded up: who waits that long has waited long enough.
fn seconds(span: TimeDelta) -> u32 {
    let milliseconds = span.num_milliseconds().max(0);
    u32::try_from((milliseconds + 999) / 1_000).unwrap_or(u32::MAX)
}

/// What of a person a service has use for. What is not named here is told to nobody.
fn person_for(service: &str, person: proto::Person) -> proto::Person {
    let names = proto::Person {
        person_id: person.person_id,
        name_arabic: person.name_arabic,
        name_latin: person.name_latin,
        ..Default::default()
    };
    match service {
        // Draws up an act: who signs, by which document, and whether that was proved.
        "signature" => proto::Person {
            identity_document: person.identity_document,
            assurance: person.assurance,
            ..names
        },
        // Draws up orders, checks who is entitled to an act, and has it posted: who asks, born when, by which document, and
        // where they are reached.
        "civil-registry-order" => proto::Person {
            birth_date: person.birth_date,
            identity_document: person.identity_document,
            assurance: person.assurance,
            email: person.email,
            phone: person.phone,
            language: person.language,
            ..names
        },
        // Writes to the person.
        "notification" => proto::Person {
            email: person.email,
            phone: person.phone,
            language: person.language,
            delivery_preference: person.delivery_preference,
            ..names
        },
        _ => proto::Person::default(),
    }
}

#[tonic::async_trait]
impl DirectoryService for Directory {
    async fn list_verification_keys(
        &self,
        _request: Request<proto::ListVerificationKeysRequest>,
    ) -> Answer<proto::ListVerificationKeysResponse> {
        let published = app::list_verification_keys::list_verification_keys(&self.0).await?;
        let key = |published: PublishedKey| proto::VerificationKey {
            key_id: published.key.id,
            public_key: published.key.public_key.to_vec(),
            retire_time: published.retire_at.map(timestamp),
        };
        Ok(Response::new(proto::ListVerificationKeysResponse {
            keys: published.for_tokens.into_iter().map(key).collect(),
            record_keys: published.for_records.into_iter().map(key).collect(),
        }))
    }

    async fn get_authorization(
        &self,
        request: Request<proto::GetAuthorizationRequest>,
    ) -> Answer<proto::GetAuthorizationResponse> {
        let mut fields = Fields::default();
        let person_id = fields.id("person_id", &request.get_ref().person_id);
        let session_id = fields.id("session_id", &request.get_ref().session_id);
        let (person_id, session_id) = fields.finish(|| Some((person_id?, session_id?)))?;
        let found = app::get_authorization::get_authorization(&self.0, person_id, session_id).await?;
        let grants = found.grants.iter().map(|grant| proto::OfficeGrant {
            office_id: grant.office_id.to_string(),
            role: role_of(grant.role).into(),
            membership_id: grant.membership_id.to_string(),
            deputy: grant.deputy,
        });
        Ok(Response::new(proto::GetAuthorizationResponse {
            session_live: found.session_live,
            assurance: convert::assurance(found.assurance).into(),
            grants: grants.collect(),
            platform_administrator: found.platform_administrator,
        }))
    }

    async fn get_person_for_service(
        &self,
        request: Request<proto::GetPersonForServiceRequest>,
    ) -> Answer<proto::GetPersonForServiceResponse> {
        let mut fields = Fields::default();
        let id = fields.id("person_id", &request.get_ref().person_id);
        let id = fields.finish(|| id)?;
        let person = app::get_person::get_person(&self.0, id).await?;
        let told = person_for(&peer(&request).0, convert::subject(&person));
        Ok(Response::new(proto::GetPersonForServiceResponse {
            person: Some(told),
        }))
    }

    async fn take_delivery(
        &self,
        request: Request<proto::TakeDeliveryRequest>,
    ) -> Answer<proto::TakeDeliveryResponse> {
        let mut fields = Fields::default();
        let request_id = fields.take(request_id(&request.get_ref().request_id));
        let id = fields.id("delivery_id", &request.get_ref().delivery_id);
        let (request_id, id) = fields.finish(|| Some((request_id?, id?)))?;
        let taken = app::take_delivery::take_delivery(&self.0, id, request_id).await?;
        Ok(Response::new(proto::TakeDeliveryResponse {
            kind: kind(taken.delivery.kind).into(),
            channel: channel_of(taken.delivery.channel).into(),
            address: taken.address.to_string(),
            language: convert::language(taken.delivery.language).into(),
            code: taken.code.to_string(),
            expire_time: Some(timestamp(taken.delivery.expires_at)),
        }))
    }

    async fn get_delivery(
        &self,
        request: Request<proto::GetDeliveryRequest>,
    ) -> Answer<proto::GetDeliveryResponse> {
        let mut fields = Fields::default();
        let id = fields.id("delivery_id", &request.get_ref().delivery_id);
        let id = fields.finish(|| id)?;
        let (delivery, state) = app::get_delivery::get_delivery(&self.0, id).await?;
        Ok(Response::new(proto::GetDeliveryResponse {
            delivery: Some(convert::delivery(&delivery, state)),
        }))
    }

    async fn take_quota(
        &self,
        request: Request<proto::TakeQuotaRequest>,
    ) -> Answer<proto::TakeQuotaResponse> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let key = fields.take(
            <[u8; 32]>::try_from(&message.key[..])
                .map_err(|_| FieldViolation::new("key", "HASH_LENGTH", "a key has 32 bytes")),
        );
        let key = fields.finish(|| key)?;
        let answer = app::take_quota::take_quota(&self.0, &message.bucket, &key, message.cost).await?;
        Ok(Response::new(proto::TakeQuotaResponse {
            allowed: answer.allowed,
            limit: answer.limit,
            remaining: answer.remaining,
            retry_after_seconds: seconds(answer.retry_after),
            reset_seconds: seconds(answer.reset),
        }))
    }

    async fn get_administration(
        &self,
        request: Request<proto::GetAdministrationRequest>,
    ) -> Answer<proto::GetAdministrationResponse> {
        let mut fields = Fields::default();
        let id = fields.id("administration_id", &request.get_ref().administration_id);
        let id = fields.finish(|| id)?;
        let (found, enrolled_today) = app::get_administration::get_administration(&self.0, id).await?;
        Ok(Response::new(proto::GetAdministrationResponse {
            administration: Some(administration(&found)),
            enrolled_today,
        }))
    }
}
