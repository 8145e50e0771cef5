//! Accounts: sign-up, proof of contacts, the person's own data, password and second factor.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api::people::{IdentityDocument, PersonName, ProofOfIdentity};
use crate::api::wire::{CivilDate, Show, Word, body, view, words};
use crate::api::{Answer, Created, IfMatch, Tagged, filled};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::json::{Body, IdempotencyKey};
use crate::session::User;

words! {
    /// A channel by which one-time codes travel.
    ContactChannel from pb::ContactChannel { Email, Phone }
    /// Where a one-time code stands on its way.
    CodeDeliveryState from pb::CodeDeliveryState { Waiting, Taken, Expired }
    /// How far the platform knows who a person is.
    AssuranceLevel from pb::AssuranceLevel { Claimed, Proved, Contact }
    /// A language a person may be addressed in.
    PersonLanguage from pb::Language { Ar, Fr, Zgh, En }
    /// How a sealed document reaches the person by e-mail.
    DeliveryPreference from pb::DeliveryPreference { Attachment, Link }
}

view! {
    /// A sign-up under way.
    SignUpOpened from pb::SignUpResponse {
        sign_up_id: String,
        /// A sign-up not finished by then is forgotten.
        expire_time: Option<DateTime<Utc>>,
        deliveries: Vec<CodeDelivery>,
        /// What deserves a second look but is no error, such as `DOCUMENT_NUMBER_UNUSUAL`.
        warnings: Vec<String>,
    }
    /// Where a one-time code stands on its way.
    CodeDelivery from pb::CodeDelivery {
        delivery_id: String,
        channel: ContactChannel,
        state: CodeDeliveryState,
        expire_time: Option<DateTime<Utc>>,
    }
    /// What is proved of a sign-up.
    SignUpProgress from pb::ProveSignUpContactResponse {
        email_proved: bool,
        phone_proved: bool,
        /// The account can be signed in to.
        account_ready: bool,
    }
    /// A person who has an account.
    Person from pb::Person {
        person_id: String,
        name_arabic: Option<PersonName>,
        name_latin: Option<PersonName>,
        birth_date: Option<CivilDate>,
        identity_document: Option<IdentityDocument>,
        assurance: AssuranceLevel,
        email: String,
        phone: String,
        language: PersonLanguage,
        delivery_preference: DeliveryPreference,
        totp_enrolled: bool,
        create_time: Option<DateTime<Utc>>,
        proof: Option<ProofOfIdentity>,
        etag: String,
    }
    /// A change of e-mail address or phone number under way.
    ContactChange from pb::ChangeContactResponse {
        contact_change_id: String,
        delivery: Option<CodeDelivery>,
    }
}

body! {
    /// A sign-up.
    SignUp {
        name_arabic: PersonName,
        name_latin: PersonName,
        birth_date: CivilDate,
        identity_document: IdentityDocument,
        email: String,
        /// `0XXXXXXXXX`, `00212…`, `+212…` or any E.164 number.
        phone: String,
        language: PersonLanguage,
        /// 12 to 256 characters.
        password: String,
    }
    /// A one-time code for one contact.
    ContactProof {
        channel: ContactChannel,
        code: String,
    }
    /// Which contact a fresh code goes to.
    CodeRequest {
        channel: ContactChannel,
    }
    /// What a person may change alone.
    PreferencesChange {
        #[serde(default)]
        language: Option<PersonLanguage>,
        #[serde(default)]
        delivery_preference: Option<DeliveryPreference>,
    }
    /// A new e-mail address or phone number.
    NewContact {
        channel: ContactChannel,
        value: String,
        password: String,
    }
    /// A code.
    Code {
        code: String,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(prove_sign_up_contact))
        .routes(routes!(resend_sign_up_code))
        .routes(routes!(get_code_delivery))
        .routes(routes!(get_me, update_me))
        .routes(routes!(change_contact))
        .routes(routes!(prove_contact))
}

fn tagged(person: Option<pb::Person>) -> Answer<Tagged<Person>> {
    let person = filled(person)?;
    Ok(Tagged {
        status: StatusCode::OK,
        etag: person.etag.clone(),
        resource: person.show(),
    })
}

/// Opens a sign-up and sends a code to each contact.
#[utoipa::path(post, path = "/v1/sign-ups", tag = "accounts", request_body = SignUp, responses((status = 201, body = SignUpOpened)))]
async fn sign_up(
    State(app): State<App>,
    ClientAddress(client_address): ClientAddress,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<SignUp>,
) -> Answer<Created<SignUpOpened>> {
    let request = pb::SignUpRequest {
        request_id,
        name_arabic: Some(body.name_arabic.message()),
        name_latin: Some(body.name_latin.message()),
        birth_date: Some(body.birth_date.message()),
        identity_document: Some(body.identity_document.message()),
        email: body.email,
        phone: body.phone,
        language: body.language.number(),
        password: body.password,
        client_address,
    };
    let answer = app.clients.accounts().sign_up(request).await?;
    Ok(Created(answer.into_inner().show()))
}

/// Proves one contact of a sign-up by its code.
#[utoipa::path(post, path = "/v1/sign-ups/{sign_up_id}/contact-proofs", tag = "accounts", request_body = ContactProof, responses((status = 200, body = SignUpProgress)))]
async fn prove_sign_up_contact(
    State(app): State<App>,
    Path(sign_up_id): Path<String>,
    ClientAddress(client_address): ClientAddress,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<ContactProof>,
) -> Answer<Json<SignUpProgress>> {
    let channel = body.channel.number();
    let request = pb::ProveSignUpContactRequest {
        request_id,
        sign_up_id,
        channel,
        code: body.code,
        client_address,
    };
    let answer = app.clients.accounts().prove_sign_up_contact(request).await?;
    Ok(Json(answer.into_inner().show()))
}

/// Sends a fresh code; the one before stops working.
#[utoipa::path(post, path = "/v1/sign-ups/{sign_up_id}/codes", tag = "accounts", request_body = CodeRequest, responses((status = 201, body = CodeDelivery)))]
async fn resend_sign_up_code(
    State(app): State<App>,
    Path(sign_up_id): Path<String>,
    ClientAddress(client_address): ClientAddress,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<CodeRequest>,
) -> Answer<Created<CodeDelivery>> {
    let channel = body.channel.number();
    let request = pb::ResendSignUpCodeRequest {
        request_id,
        sign_up_id,
        channel,
        client_address,
    };
    let answer = app.clients.accounts().resend_sign_up_code(request).await?;
    Ok(Created(filled(answer.into_inner().delivery)?.show()))
}

/// Tells where a one-time code stands on its way.
#[utoipa::path(get, path = "/v1/code-deliveries/{delivery_id}", tag = "accounts", responses((status = 200, body = CodeDelivery)))]
async fn get_code_delivery(
    State(app): State<App>,
    Path(delivery_id): Path<String>,
) -> Answer<Json<CodeDelivery>> {
    let answer = app
        .clients
        .directory()
        .get_delivery(pb::GetDeliveryRequest { delivery_id })
        .await?;
    Ok(Json(filled(answer.into_inner().delivery)?.show()))
}

/// The signed-in person.
#[utoipa::path(get, path = "/v1/me", tag = "accounts", responses((status = 200, body = Person)))]
async fn get_me(State(app): State<App>, _: User) -> Answer<Tagged<Person>> {
    let answer = app.clients.accounts().get_person(pb::GetPersonRequest {}).await?;
    tagged(answer.into_inner().person)
}

/// Changes language or delivery preference.
#[utoipa::path(patch, path = "/v1/me", tag = "accounts", request_body = PreferencesChange, responses((status = 200, body = Person)))]
async fn update_me(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    IfMatch(etag): IfMatch,
    Body(body): Body<PreferencesChange>,
) -> Answer<Tagged<Person>> {
    let request = pb::UpdatePreferencesRequest {
        request_id,
        language: body.language.map_or(0, PersonLanguage::number),
        delivery_preference: body.delivery_preference.map_or(0, DeliveryPreference::number),
        etag,
    };
    let answer = app.clients.accounts().update_preferences(request).await?;
    tagged(answer.into_inner().person)
}

/// Sends a code to a new e-mail address or phone number.
#[utoipa::path(post, path = "/v1/me/contact-changes", tag = "accounts", request_body = NewContact, responses((status = 201, body = ContactChange)))]
async fn change_contact(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<NewContact>,
) -> Answer<Created<ContactChange>> {
    let channel = body.channel.number();
    let request = pb::ChangeContactRequest {
        request_id,
        channel,
        value: body.value,
        password: body.password,
    };
    let answer = app.clients.accounts().change_contact(request).await?;
    Ok(Created(answer.into_inner().show()))
}

/// Ends a change of contact with the code.
#[utoipa::path(post, path = "/v1/me/contact-changes/{contact_change_id}/proof", tag = "accounts", request_body = Code, responses((status = 200, body = Person)))]
async fn prove_contact(
    State(app): State<App>,
    _: User,
    Path(contact_change_id): Path<String>,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<Code>,
) -> Answer<Tagged<Person>> {
    let request = pb::ProveContactRequest {
        request_id,
        contact_change_id,
        code: body.code,
    };
    let answer = app.clients.accounts().prove_contact(request).await?;
    tagged(answer.into_inner().person)
}
