//! The methods of the office's side that seal: intents, seals, the register, credentials.

mod authority;
mod convert;

use std::collections::HashSet;
use std::sync::Arc;

use prost::Message;
use secrecy::SecretString;
use tonic::{Request, Response, Status};
use uuid::Uuid;
use wathiq_chassis::caller;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::app::annul_intent::annul_intent as annul;
use crate::app::authorise_seals::{self as authorise, AuthoriseSeals};
use crate::app::register_credential::{self as register, NewCredential};
use crate::app::seal::{self as sealing, Seal};
use crate::app::write::{Subject, trace_denial_of};
use crate::app::{
    App, AppError, list_credentials as credentials, list_intents as intents, list_register as entries,
};
use crate::domain::credential::Credential;
use crate::domain::register::RegisterEntry;
use crate::grpc::fields::{self, Fields};
use crate::grpc::{command, page};
use authority::holder;
pub(super) use convert::{entry_state, register_entry, sealed_file};
use convert::{problem, seal_intent, signing_credential};

/// Items of a batch, and hashes of a confirmation, at most.
const LARGEST_BATCH: usize = 200;
/// Longest PIN taken, in characters.
pub(super) const LONGEST_PIN: usize = 64;
/// Longest label of a token (PKCS#11 2.40, CK_TOKEN_INFO).
const LONGEST_TOKEN_LABEL: usize = 32;
/// Longest label of a key.
const LONGEST_KEY_LABEL: usize = 64;
/// Longest certificate chain, in characters of PEM.
const LONGEST_CHAIN: usize = 64 * 1024;
/// Largest page of the register.
const LARGEST_REGISTER_PAGE: i32 = 1_000;

pub(super) async fn authorise_seals(
    app: &Arc<App>,
    request: Request<pb::AuthoriseSealsRequest>,
) -> Result<Response<pb::AuthoriseSealsResponse>, Status> {
    let caller = caller(&request)?.clone();
    let mut message = request.into_inner();
    let request_id = std::mem::take(&mut message.request_id);
    let command = command(
        &caller,
        "/wathiq.signature.v1.OfficeService/AuthoriseSeals",
        &request_id,
        &message,
    )?;
    let mut fields = Fields::default();
    let request_ids = batch(
        &mut fields,
        "legalisation_request_ids",
        &message.legalisation_request_ids,
    );
    let credential_id = fields.optional_id("credential_id", &message.credential_id);
    let (Some(request_ids), Some(credential_id)) = (request_ids, credential_id) else {
        return Err(fields.error().into());
    };
    let ids = request_ids.clone();
    let subject = Subject {
        aggregate: "legalisation_request",
        ids: &ids,
    };
    let asked = AuthoriseSeals {
        request_ids,
        credential_id,
    };
    let done = authorise::authorise_seals(app, &caller, &command, asked).await;
    let done = trace_denial_of(app, &caller, authorise::ACTION, subject, done).await?;
    Ok(Response::new(pb::AuthoriseSealsResponse {
        intents: done.intents.iter().map(seal_intent).collect(),
        problems: done.problems.into_iter().map(problem).collect(),
    }))
}

pub(super) async fn list_intents(
    app: &Arc<App>,
    request: Request<pb::ListIntentsRequest>,
) -> Result<Response<pb::ListIntentsResponse>, Status> {
    let caller = caller(&request)?.clone();
    let message = request.into_inner();
    let (office_id, after, size) =
        list_of_office(&message.office_id, &message.page_token, message.page_size)?;
    let limit = i64::from(size);
    let mut found = intents::list_intents(app, &caller, office_id, after, limit + 1).await?;
    let next_page_token = next_token(&mut found, size, |intent| intent.id);
    Ok(Response::new(pb::ListIntentsResponse {
        intents: found.iter().map(seal_intent).collect(),
        next_page_token,
    }))
}

pub(super) async fn seal(
    app: &Arc<App>,
    request: Request<pb::SealRequest>,
) -> Result<Response<pb::SealResponse>, Status> {
    let caller = caller(&request)?.clone();
    let mut message = request.into_inner();
    let request_id = std::mem::take(&mut message.request_id);
    // Out of the message before anything is hashed: a corrected PIN is the same request.
    let pin = SecretString::from(std::mem::take(&mut message.pin));
    let command = command(
        &caller,
        "/wathiq.signature.v1.OfficeService/Seal",
        &request_id,
        &message,
    )?;
    let mut fields = Fields::default();
    let intent_ids = batch(&mut fields, "intent_ids", &message.intent_ids);
    let confirmation_id = fields.id("confirmation_id", &message.confirmation_id);
    let length = secrecy::ExposeSecret::expose_secret(&pin).chars().count();
    if !(1..=LONGEST_PIN).contains(&length) {
        fields.fault::<()>("pin", "LENGTH", "must have 1 to 64 characters");
    }
    let (Some(intent_ids), Some(confirmation_id)) = (intent_ids, confirmation_id) else {
        return Err(fields.error().into());
    };
    fields.check()?;
    let ids = intent_ids.clone();
    let subject = Subject {
        aggregate: "seal_intent",
        ids: &ids,
    };
    let asked = Seal {
        intent_ids,
        confirmation_id,
        pin,
    };
    let done = sealing::seal(app, &caller, &command, asked).await;
    let done = trace_denial_of(app, &caller, "seal.sign", subject, done).await?;
    Ok(Response::new(pb::SealResponse {
        legalisation_requests: done
            .requests
            .iter()
            .map(crate::grpc::convert::legalisation_request)
            .collect(),
        problems: done.problems.into_iter().map(problem).collect(),
    }))
}

pub(super) async fn annul_intent(
    app: &Arc<App>,
    request: Request<pb::AnnulIntentRequest>,
) -> Result<Response<pb::AnnulIntentResponse>, Status> {
    let caller = caller(&request)?.clone();
    let mut message = request.into_inner();
    let request_id = std::mem::take(&mut message.request_id);
    let command = command(
        &caller,
        "/wathiq.signature.v1.OfficeService/AnnulIntent",
        &request_id,
        &message,
    )?;
    let intent_id = fields::id("intent_id", &message.intent_id)?;
    let encode = |entry: &RegisterEntry| {
        pb::AnnulIntentResponse {
            register_entry: Some(register_entry(entry)),
        }
        .encode_to_vec()
    };
    let reason = message.reason.trim().to_owned();
    let subject = Subject {
        aggregate: "seal_intent",
        ids: &[intent_id],
    };
    let done = annul(app, &caller, &command, intent_id, reason, encode).await;
    respond(trace_denial_of(app, &caller, "seal.annul", subject, done).await?)
}

pub(super) async fn list_register(
    app: &Arc<App>,
    request: Request<pb::ListRegisterRequest>,
) -> Result<Response<pb::ListRegisterResponse>, Status> {
    let caller = caller(&request)?.clone();
    let message = request.into_inner();
    let mut fields = Fields::default();
    let office_id = fields.id("office_id", &message.office_id);
    let size = match message.page_size {
        0 => Some(100),
        1.. => Some(message.page_size.min(LARGEST_REGISTER_PAGE)),
        _ => fields.fault("page_size", "OUT_OF_RANGE", "must not be negative"),
    };
    let after = match message.page_token.as_str() {
        "" => Some(0),
        token => match token.parse::<i32>() {
            Ok(number @ 1..) => Some(number),
            _ => fields.fault("page_token", "MALFORMED", "must be a token of an earlier page"),
        },
    };
    if !(2020..=9999).contains(&message.year) {
        fields.fault::<()>("year", "OUT_OF_RANGE", "must be a year from 2020");
    }
    let (Some(office_id), Some(size), Some(after)) = (office_id, size, after) else {
        return Err(fields.error().into());
    };
    fields.check()?;
    let limit = i64::from(size) + 1;
    let mut found = entries::list_register(app, &caller, office_id, message.year, after, limit).await?;
    let more = found.len() > usize::try_from(size).unwrap_or_default();
    found.truncate(usize::try_from(size).unwrap_or_default());
    let last = found
        .last()
        .filter(|_| more)
        .map(|entry| entry.number.number.to_string());
    Ok(Response::new(pb::ListRegisterResponse {
        entries: found.iter().map(register_entry).collect(),
        next_page_token: last.unwrap_or_default(),
    }))
}

pub(super) async fn register_credential(
    app: &Arc<App>,
    request: Request<pb::RegisterCredentialRequest>,
) -> Result<Response<pb::RegisterCredentialResponse>, Status> {
    let caller = caller(&request)?.clone();
    let mut message = request.into_inner();
    let request_id = std::mem::take(&mut message.request_id);
    let command = command(
        &caller,
        "/wathiq.signature.v1.OfficeService/RegisterCredential",
        &request_id,
        &message,
    )?;
    let mut fields = Fields::default();
    let office_id = fields.id("office_id", &message.office_id);
    let holder = holder(&mut fields, &message);
    let token_label = fields.text("token_label", &message.token_label, 1..=LONGEST_TOKEN_LABEL);
    let key_label = fields.text("key_label", &message.key_label, 1..=LONGEST_KEY_LABEL);
    if message.certificate_chain_pem.len() > LONGEST_CHAIN {
        fields.fault::<()>("certificate_chain_pem", "LENGTH", "must have at most 64 KiB");
    }
    let (Some(office_id), Some(holder), Some(token_label), Some(key_label)) =
        (office_id, holder, token_label, key_label)
    else {
        return Err(fields.error().into());
    };
    fields.check()?;
    let chain_pem = message.certificate_chain_pem;
    let new = NewCredential {
        office_id,
        holder,
        token_label,
        key_label,
        chain_pem,
    };
    let encode = |credential: &Credential| {
        let credential = signing_credential(credential, credential.expires_soon(credential.registered_at));
        pb::RegisterCredentialResponse {
            credential: Some(credential),
        }
        .encode_to_vec()
    };
    let subject = Subject {
        aggregate: "office",
        ids: &[office_id],
    };
    let done = register::register_credential(app, &caller, &command, new, encode).await;
    respond(trace_denial_of(app, &caller, "credential.register", subject, done).await?)
}

pub(super) async fn list_credentials(
    app: &Arc<App>,
    request: Request<pb::ListCredentialsRequest>,
) -> Result<Response<pb::ListCredentialsResponse>, Status> {
    let caller = caller(&request)?.clone();
    let message = request.into_inner();
    let (office_id, after, size) =
        list_of_office(&message.office_id, &message.page_token, message.page_size)?;
    let limit = i64::from(size);
    let mut found = credentials::list_credentials(app, &caller, office_id, after, limit + 1).await?;
    let next_page_token = next_token(&mut found, size, |credential| credential.id);
    let now = app.ambient.now();
    let listed = found
        .iter()
        .map(|credential| signing_credential(credential, credential.expires_soon(now)));
    Ok(Response::new(pb::ListCredentialsResponse {
        credentials: listed.collect(),
        next_page_token,
    }))
}

fn respond<M: Message + Default>(response: Vec<u8>) -> Result<Response<M>, Status> {
    let message = M::decode(response.as_slice())
        .map_err(|error| wathiq_chassis::status::internal(crate::grpc::status::DOMAIN, &error))?;
    Ok(Response::new(message))
}

/// 1 to 200 ids, each once.
pub(super) fn batch(fields: &mut Fields, field: &'static str, ids: &[String]) -> Option<Vec<Uuid>> {
    if ids.is_empty() || ids.len() > LARGEST_BATCH {
        return fields.fault(field, "COUNT", "must have 1 to 200 items");
    }
    let mut seen = HashSet::new();
    let mut parsed = Vec::with_capacity(ids.len());
    for (index, text) in ids.iter().enumerate() {
        let id = fields.id(&format!("{field}[{index}]"), text);
        if let Some(id) = id
            && !seen.insert(id)
        {
            fields.fault::<()>(&format!("{field}[{index}]"), "DUPLICATE", "must stand once");
        }
        parsed.extend(id);
    }
    (parsed.len() == ids.len() && seen.len() == ids.len()).then_some(parsed)
}

fn list_of_office(office: &str, token: &str, size: i32) -> Result<(Uuid, Option<Uuid>, u16), AppError> {
    let mut fields = Fields::default();
    let office_id = fields.id("office_id", office);
    let after = page::id_of_token(&mut fields, token);
    let size = page::size(&mut fields, size);
    match (office_id, after, size) {
        (Some(office_id), Some(after), Some(size)) => Ok((office_id, after, size)),
        _ => Err(fields.error()),
    }
}

/// Cuts a list that was read one longer than the page, and tells how to go on.
pub(super) fn next_token<T>(found: &mut Vec<T>, size: u16, id: impl Fn(&T) -> Uuid) -> String {
    let size = usize::from(size);
    let more = found.len() > size;
    found.truncate(size);
    found
        .last()
        .filter(|_| more)
        .map(|last| page::token_of_id(id(last)))
        .unwrap_or_default()
}
