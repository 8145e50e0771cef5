//! The only place that knows the service's protobuf messages: handlers, the way in (`parse`), the way out (`convert`), and the
//! one mapping of errors to statuses.

mod convert;
mod document_service;
mod downloads;
mod fields;
mod issued_documents;
mod legalisation_service;
mod message_facts_service;
mod office_service;
mod page;
mod parse;
pub mod rules;
mod seal;
mod status;
mod verification;

use std::sync::Arc;

use tonic::{Response, Status};
use uuid::Uuid;
use wathiq_chassis::{Caller, GrpcServer};
use wathiq_outbox::Command;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::app::{App, AppError, write};

/// Size of a chunk in a download.
const CHUNK_BYTES: usize = 256 * 1024;

/// Adds every service of the package to the server.
pub fn add_services(server: GrpcServer, app: &Arc<App>) -> GrpcServer {
    server
        .add_service(pb::document_service_server::DocumentServiceServer::new(
            document_service::Documents::new(app),
        ))
        .add_service(pb::legalisation_service_server::LegalisationServiceServer::new(
            legalisation_service::Legalisations::new(app),
        ))
        .add_service(pb::office_service_server::OfficeServiceServer::new(
            office_service::Offices::new(app),
        ))
        .add_service(
            pb::issued_document_service_server::IssuedDocumentServiceServer::new(
                issued_documents::IssuedDocuments::new(app),
            ),
        )
        .add_service(pb::verification_service_server::VerificationServiceServer::new(
            verification::Verification::new(app),
        ))
        .add_service(pb::message_facts_service_server::MessageFactsServiceServer::new(
            message_facts_service::MessageFacts::new(app),
        ))
}

/// A person's command as it is recognised when it is repeated. `message` has its request id cleared.
fn command(
    caller: &Caller,
    method: &'static str,
    request_id: &str,
    message: &impl prost::Message,
) -> Result<Command, AppError> {
    let request_id: Uuid =
        wathiq_chassis::request_id(request_id).map_err(|violation| AppError::Invalid(vec![violation]))?;
    Ok(Command::new(
        write::principal(caller),
        method,
        request_id,
        message,
    ))
}

/// Another service's command as it is recognised when it is repeated. `message` has its request id cleared.
fn service_command(
    peer: &str,
    method: &'static str,
    request_id: &str,
    message: &impl prost::Message,
) -> Result<Command, AppError> {
    let request_id: Uuid =
        wathiq_chassis::request_id(request_id).map_err(|violation| AppError::Invalid(vec![violation]))?;
    Ok(Command::new(write::service(peer), method, request_id, message))
}

/// An answer as it was stored with its command, or would have been.
fn decoded<M: prost::Message + Default>(answer: &[u8]) -> Result<Response<M>, Status> {
    M::decode(answer)
        .map(Response::new)
        .map_err(|error| wathiq_chassis::status::internal(status::DOMAIN, &error))
}
