//! Public tracking.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::tracking_service_server::TrackingService;

use crate::app::{App, Error, track};
use crate::domain::tracking_id::TrackingId;
use crate::wire::{date, state, timestamp, tracking_id};

pub(super) struct Tracking(pub(super) Arc<App>);

#[tonic::async_trait]
impl TrackingService for Tracking {
    async fn track(&self, request: Request<pb::TrackRequest>) -> Result<Response<pb::TrackResponse>, Status> {
        let number = TrackingId::parse(&request.get_ref().tracking_id)
            .map_err(|error| Error::field("tracking_id", error.reason(), error.to_string()))?;
        let (shipment, steps) = track::track(&self.0, number).await?;
        let steps = steps.into_iter().map(|step| pb::TrackedStep {
            state: state(step.state).into(),
            event_time: Some(timestamp(step.at)),
            place: step.place.unwrap_or_default(),
        });
        Ok(Response::new(pb::TrackResponse {
            tracking_id: Some(tracking_id(shipment.tracking_id)),
            state: state(shipment.state()).into(),
            held_until: shipment.tracking.held_until.map(date),
            attempts: i32::try_from(shipment.tracking.attempts).unwrap_or(i32::MAX),
            steps: steps.collect(),
        }))
    }
}
