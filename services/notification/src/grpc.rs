//! The only place that knows the service's protobuf messages.

mod convert;
mod message_service;
pub mod rules;
mod status;

use std::sync::Arc;

use wathiq_proto::wathiq::notification::v1::message_service_server::MessageServiceServer;

use crate::app::App;
pub use message_service::Messages;

/// The service of the package.
pub fn service(app: &Arc<App>) -> MessageServiceServer<Messages> {
    MessageServiceServer::new(Messages::new(app))
}
