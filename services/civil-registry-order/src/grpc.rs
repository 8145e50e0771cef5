//! The only place that knows the service's protobuf messages: handlers, the way in, the way out, and the one mapping of errors to
//! statuses.

mod act_service;
mod administration_service;
mod convert;
mod fields;
mod message_facts_service;
mod office_service;
mod order_service;
mod page;
mod parse;
pub mod rules;
mod status;
mod stream;

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use wathiq_chassis::{Caller, GrpcServer};
use wathiq_outbox::Command;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::app::{App, AppError, write};

/// Adds every service of the package to the server.
pub fn add_services(server: GrpcServer, app: &Arc<App>) -> GrpcServer {
    server
        .add_service(pb::act_service_server::ActServiceServer::new(
            act_service::Acts::new(app),
        ))
        .add_service(pb::order_service_server::OrderServiceServer::new(
            order_service::Orders::new(app),
        ))
        .add_service(pb::office_service_server::OfficeServiceServer::new(
            office_service::Offices::new(app),
        ))
        .add_service(
            pb::administration_service_server::AdministrationServiceServer::new(
                administration_service::Administration::new(app),
            ),
        )
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

/// The caller, the command and the message of a request by which somebody changes something.
fn taken<M: prost::Message>(
    request: Request<M>,
    method: &'static str,
    request_id: fn(&mut M) -> &mut String,
) -> Result<(Caller, Command, M), Status> {
    let caller = wathiq_chassis::caller(&request)?.clone();
    let mut message = request.into_inner();
    let id = std::mem::take(request_id(&mut message));
    let command = command(&caller, method, &id, &message)?;
    Ok((caller, command, message))
}

/// An answer as it was stored with its command, or would have been.
fn decoded<M: prost::Message + Default>(answer: &[u8]) -> Result<Response<M>, Status> {
    M::decode(answer)
        .map(Response::new)
        .map_err(|error| wathiq_chassis::status::internal(status::DOMAIN, &error))
}
