use std::sync::Arc;

use secrecy::SecretString;
use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::identity::v1 as proto;
use wathiq_proto::wathiq::identity::v1::account_service_server::AccountService;

use super::account_convert::{self, CivilMessage, contact, document, email, new_password, seen_version};
use super::command::{account_holder, client_address, command};
use super::convert::{self, read_channel, read_language, read_preference, timestamp};
use super::fields::Fields;
use crate::app::prove_identity::IdentityProof;
use crate::app::reset_password::PasswordResetAttempt;
use crate::app::sign_up::{NewSignUp, SignUpOpened};
use crate::app::{self, App};
use crate::domain::delivery::Delivery;
use crate::domain::person::Preferences;
use crate::domain::sign_up::SignUp;

type Answer<T> = Result<Response<T>, Status>;

/// Accounts of people.
pub struct Accounts(pub Arc<App>);

#[tonic::async_trait]
impl AccountService for Accounts {
    async fn sign_up(&self, request: Request<proto::SignUpRequest>) -> Answer<proto::SignUpResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let account = account_convert::account(&mut fields, &self.0, message);
        let password = new_password(&mut fields, "password", &message.password);
        let client_address = fields.take(client_address(&message.client_address));
        let (command, input) = fields.finish(|| {
            let input = NewSignUp {
                account: account?,
                password: password?,
                client_address: client_address?,
            };
            Some((command?, input))
        })?;
        let reply = |opened: SignUpOpened| proto::SignUpResponse {
            sign_up_id: opened.id.to_string(),
            expire_time: Some(timestamp(opened.expires_at)),
            deliveries: opened.deliveries.iter().map(convert::waiting).collect(),
            warnings: opened
                .document_unusual
                .then(|| "DOCUMENT_NUMBER_UNUSUAL".to_owned())
                .into_iter()
                .collect(),
        };
        Ok(Response::new(
            app::sign_up::sign_up(&self.0, &command, input, reply).await?,
        ))
    }

    async fn prove_sign_up_contact(
        &self,
        request: Request<proto::ProveSignUpContactRequest>,
    ) -> Answer<proto::ProveSignUpContactResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let id = fields.id("sign_up_id", &message.sign_up_id);
        let channel = fields.word("channel", message.channel, read_channel);
        let client_address = fields.take(client_address(&message.client_address));
        let (command, what, client_address) =
            fields.finish(|| Some((command?, (id?, channel?), client_address?)))?;
        let reply = |sign_up: &SignUp| proto::ProveSignUpContactResponse {
            email_proved: sign_up.email_proved,
            phone_proved: sign_up.phone_proved,
            account_ready: sign_up.person_id.is_some(),
        };
        let tried = (message.code.as_str(), client_address.as_str());
        let answer =
            app::prove_sign_up_contact::prove_sign_up_contact(&self.0, &command, what, tried, reply).await?;
        Ok(Response::new(answer))
    }

    async fn resend_sign_up_code(
        &self,
        request: Request<proto::ResendSignUpCodeRequest>,
    ) -> Answer<proto::ResendSignUpCodeResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let id = fields.id("sign_up_id", &request.get_ref().sign_up_id);
        let channel = fields.word("channel", request.get_ref().channel, read_channel);
        let client_address = fields.take(client_address(&request.get_ref().client_address));
        let (command, id, channel, client_address) =
            fields.finish(|| Some((command?, id?, channel?, client_address?)))?;
        let reply = |delivery: Delivery| proto::ResendSignUpCodeResponse {
            delivery: Some(convert::waiting(&delivery)),
        };
        let what = (id, channel, client_address.as_str());
        let answer = app::resend_sign_up_code::resend_sign_up_code(&self.0, &command, what, reply).await?;
        Ok(Response::new(answer))
    }

    async fn get_person(
        &self,
        request: Request<proto::GetPersonRequest>,
    ) -> Answer<proto::GetPersonResponse> {
        let id = wathiq_chassis::caller(&request)?.person_id;
        let subject = app::get_person::get_person(&self.0, id).await?;
        Ok(Response::new(proto::GetPersonResponse {
            person: Some(convert::subject(&subject)),
        }))
    }

    async fn update_preferences(
        &self,
        request: Request<proto::UpdatePreferencesRequest>,
    ) -> Answer<proto::UpdatePreferencesResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let language = match message.language {
            0 => Some(None),
            value => fields.word("language", value, read_language).map(Some),
        };
        let delivery_preference = match message.delivery_preference {
            0 => Some(None),
            value => fields
                .word("delivery_preference", value, read_preference)
                .map(Some),
        };
        let version = seen_version(&mut fields, &message.etag);
        let (command, change) = fields.finish(|| {
            let preferences = Preferences {
                language: language?,
                delivery_preference: delivery_preference?,
            };
            Some((command?, (preferences, version?)))
        })?;
        let reply = |person: &_| proto::UpdatePreferencesResponse {
            person: Some(convert::person(person)),
        };
        let answer =
            app::update_preferences::update_preferences(&self.0, &command, caller, change, reply).await?;
        Ok(Response::new(answer))
    }

    async fn change_contact(
        &self,
        request: Request<proto::ChangeContactRequest>,
    ) -> Answer<proto::ChangeContactResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let contact = fields
            .word("channel", message.channel, read_channel)
            .and_then(|channel| contact(&mut fields, "value", channel, &message.value));
        let (command, contact) = fields.finish(|| Some((command?, contact?)))?;
        let change = (contact, SecretString::from(message.password.as_str()));
        let reply = |id: uuid::Uuid, delivery: Delivery| proto::ChangeContactResponse {
            contact_change_id: id.to_string(),
            delivery: Some(convert::waiting(&delivery)),
        };
        let answer = app::change_contact::change_contact(&self.0, &command, caller, change, reply).await?;
        Ok(Response::new(answer))
    }

    async fn prove_contact(
        &self,
        request: Request<proto::ProveContactRequest>,
    ) -> Answer<proto::ProveContactResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let id = fields.id("contact_change_id", &message.contact_change_id);
        let (command, id) = fields.finish(|| Some((command?, id?)))?;
        let reply = |person: &_| proto::ProveContactResponse {
            person: Some(convert::person(person)),
        };
        let proof = (id, message.code.as_str());
        let answer = app::prove_contact::prove_contact(&self.0, &command, caller, proof, reply).await?;
        Ok(Response::new(answer))
    }

    async fn begin_totp_enrolment(
        &self,
        request: Request<proto::BeginTotpEnrolmentRequest>,
    ) -> Answer<proto::BeginTotpEnrolmentResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let command = fields.finish(|| command)?;
        let message = request.get_ref();
        let shown = (
            SecretString::from(message.password.as_str()),
            message.second_factor.as_str(),
        );
        let begun = app::begin_totp_enrolment::begin_totp_enrolment(&self.0, &command, caller, shown).await?;
        Ok(Response::new(proto::BeginTotpEnrolmentResponse {
            secret: begun.secret.to_string(),
            uri: begun.uri.to_string(),
            expire_time: Some(timestamp(begun.expires_at)),
        }))
    }

    async fn complete_totp_enrolment(
        &self,
        request: Request<proto::CompleteTotpEnrolmentRequest>,
    ) -> Answer<proto::CompleteTotpEnrolmentResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let command = fields.finish(|| command)?;
        let code = &request.get_ref().code;
        let recovery_codes =
            app::complete_totp_enrolment::complete_totp_enrolment(&self.0, &command, caller, code).await?;
        Ok(Response::new(proto::CompleteTotpEnrolmentResponse {
            recovery_codes,
        }))
    }

    async fn regenerate_recovery_codes(
        &self,
        request: Request<proto::RegenerateRecoveryCodesRequest>,
    ) -> Answer<proto::RegenerateRecoveryCodesResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let command = fields.finish(|| command)?;
        let code = &request.get_ref().totp_code;
        let recovery_codes =
            app::regenerate_recovery_codes::regenerate_recovery_codes(&self.0, &command, caller, code)
                .await?;
        Ok(Response::new(proto::RegenerateRecoveryCodesResponse {
            recovery_codes,
        }))
    }

    async fn change_password(
        &self,
        request: Request<proto::ChangePasswordRequest>,
    ) -> Answer<proto::ChangePasswordResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let new = new_password(&mut fields, "new_password", &message.new_password);
        let (command, new) = fields.finish(|| Some((command?, new?)))?;
        let change = (SecretString::from(message.current_password.as_str()), new);
        let reply = proto::ChangePasswordResponse {};
        let answer = app::change_password::change_password(&self.0, &command, caller, change, reply).await?;
        Ok(Response::new(answer))
    }

    async fn request_password_reset(
        &self,
        request: Request<proto::RequestPasswordResetRequest>,
    ) -> Answer<proto::RequestPasswordResetResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let email = email(&mut fields, "email", &message.email);
        let client_address = fields.take(client_address(&message.client_address));
        let (command, who) = fields.finish(|| Some((command?, (email?, client_address?))))?;
        let reply = |id: uuid::Uuid, delivery: Delivery| proto::RequestPasswordResetResponse {
            password_reset_id: id.to_string(),
            expire_time: Some(timestamp(delivery.expires_at)),
            delivery: Some(convert::waiting(&delivery)),
        };
        let answer =
            app::request_password_reset::request_password_reset(&self.0, &command, who, reply).await?;
        Ok(Response::new(answer))
    }

    async fn reset_password(
        &self,
        request: Request<proto::ResetPasswordRequest>,
    ) -> Answer<proto::ResetPasswordResponse> {
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let id = fields.id("password_reset_id", &message.password_reset_id);
        let new_password = new_password(&mut fields, "new_password", &message.new_password);
        let client_address = fields.take(client_address(&message.client_address));
        let (command, attempt) = fields.finish(|| {
            let attempt = PasswordResetAttempt {
                id: id?,
                code: message.code.clone(),
                new_password: new_password?,
                second_factor: message.second_factor.clone(),
                client_address: client_address?,
            };
            Some((command?, attempt))
        })?;
        let reply = proto::ResetPasswordResponse {};
        Ok(Response::new(
            app::reset_password::reset_password(&self.0, &command, attempt, reply).await?,
        ))
    }

    async fn prove_identity(
        &self,
        request: Request<proto::ProveIdentityRequest>,
    ) -> Answer<proto::ProveIdentityResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let office_id = fields.id("office_id", &message.office_id);
        let person_id = fields.id("person_id", &message.person_id);
        let civil = account_convert::civil(
            &mut fields,
            &self.0,
            CivilMessage {
                name_arabic: message.name_arabic.clone(),
                name_latin: message.name_latin.clone(),
                birth_date: message.birth_date,
                identity_document: message.identity_document.clone(),
            },
        );
        let (command, input) = fields.finish(|| {
            let input = IdentityProof {
                office_id: office_id?,
                person_id: person_id?,
                civil: civil?,
            };
            Some((command?, input))
        })?;
        let reply = |proof: &_| proto::ProveIdentityResponse {
            proof: Some(convert::proof(proof)),
        };
        Ok(Response::new(
            app::prove_identity::prove_identity(&self.0, &command, caller, input, reply).await?,
        ))
    }

    async fn find_claims(
        &self,
        request: Request<proto::FindClaimsRequest>,
    ) -> Answer<proto::FindClaimsResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &request.get_ref().office_id);
        let document = document(&mut fields, request.get_ref().identity_document.clone());
        let (office_id, document) = fields.finish(|| Some((office_id?, document?)))?;
        let found = app::find_claims::find_claims(&self.0, caller, office_id, &document).await?;
        let claims = found.iter().map(|claimant| proto::Claim {
            person_id: claimant.person.id.to_string(),
            name_arabic: Some(convert::name(&claimant.person.civil.name_arabic)),
            name_latin: Some(convert::name(&claimant.person.civil.name_latin)),
            birth_date: Some(crate::events::publish::date_of(claimant.person.civil.birth_date)),
            assurance: convert::assurance(claimant.person.assurance()).into(),
            specimen_version: claimant.specimen_version,
        });
        Ok(Response::new(proto::FindClaimsResponse {
            claims: claims.collect(),
        }))
    }
}
