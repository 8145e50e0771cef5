//! The transport: the only place that knows the messages of the services. Thin handlers, one file that reads and one that writes
//! messages, one that turns errors into statuses, one that says who may call what.

mod carrier;
mod command;
mod convert;
mod download;
mod fields;
mod office;
mod page;
mod parse;
mod ranges;
pub mod rules;
mod shipments;
mod status;
mod tracking;

use std::sync::Arc;

use wathiq_chassis::GrpcServer;
use wathiq_proto::wathiq::postal_shipping::v1::carrier_service_server::CarrierServiceServer;
use wathiq_proto::wathiq::postal_shipping::v1::office_service_server::OfficeServiceServer;
use wathiq_proto::wathiq::postal_shipping::v1::range_service_server::RangeServiceServer;
use wathiq_proto::wathiq::postal_shipping::v1::shipment_service_server::ShipmentServiceServer;
use wathiq_proto::wathiq::postal_shipping::v1::tracking_service_server::TrackingServiceServer;

use crate::app::App;

/// A file of 8 MiB and what goes with it.
const LARGEST_MESSAGE: usize = 9 * 1024 * 1024;

/// Adds the services of the package.
pub fn add_services(server: GrpcServer, app: &Arc<App>) -> GrpcServer {
    let app = || Arc::clone(app);
    server
        .add_service(ShipmentServiceServer::new(shipments::Shipments(app())))
        .add_service(OfficeServiceServer::new(office::Offices(app())))
        .add_service(
            CarrierServiceServer::new(carrier::Carriers(app())).max_decoding_message_size(LARGEST_MESSAGE),
        )
        .add_service(TrackingServiceServer::new(tracking::Tracking(app())))
        .add_service(RangeServiceServer::new(ranges::Ranges(app())))
}
