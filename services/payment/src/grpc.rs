//! The only place that knows the service's protobuf messages: handlers, the way in (`parse`), the way out (`convert`), and the
//! one mapping of errors to statuses.

mod convert;
mod fields;
mod page;
mod parse;
mod payable_service;
mod payment_service;
mod provider_service;
mod reconciliation_service;
pub mod rules;
mod status;

use std::sync::Arc;

use tonic::{Response, Status};
use uuid::Uuid;
use wathiq_chassis::GrpcServer;
use wathiq_outbox::Command;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::app::{App, AppError};

/// Size of a chunk in a download.
const CHUNK_BYTES: usize = 256 * 1024;

/// Adds every service of the package to the server.
pub fn add_services(server: GrpcServer, app: &Arc<App>) -> GrpcServer {
    server
        .add_service(pb::payable_service_server::PayableServiceServer::new(
            payable_service::Payables::new(app),
        ))
        .add_service(pb::payment_service_server::PaymentServiceServer::new(
            payment_service::Payments::new(app),
        ))
        .add_service(pb::provider_service_server::ProviderServiceServer::new(
            provider_service::ProviderMessages::new(app),
        ))
        .add_service(
            pb::reconciliation_service_server::ReconciliationServiceServer::new(
                reconciliation_service::Reconciliation::new(app),
            ),
        )
}

/// A command as it is recognised when it is repeated. `message` has its request id cleared.
fn command(
    principal: String,
    method: &'static str,
    request_id: &str,
    message: &impl prost::Message,
) -> Result<Command, AppError> {
    let request_id: Uuid =
        wathiq_chassis::request_id(request_id).map_err(|violation| AppError::Invalid(vec![violation]))?;
    Ok(Command::new(principal, method, request_id, message))
}

/// An answer as it was stored with its command, or would have been.
fn decoded<M: prost::Message + Default>(answer: &[u8]) -> Result<Response<M>, Status> {
    M::decode(answer)
        .map(Response::new)
        .map_err(|error| wathiq_chassis::status::internal(status::DOMAIN, &error))
}
