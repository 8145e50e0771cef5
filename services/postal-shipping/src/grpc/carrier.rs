//! What the carrier sends, handed on by the gateway as it came.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::carrier_service_server::CarrierService;

use crate::app::{App, import_batch, receive_webhook};
use crate::domain::webhook::Signed;

pub(super) struct Carriers(pub(super) Arc<App>);

#[tonic::async_trait]
impl CarrierService for Carriers {
    async fn receive_webhook(
        &self,
        request: Request<pb::ReceiveWebhookRequest>,
    ) -> Result<Response<pb::ReceiveWebhookResponse>, Status> {
        let message = request.get_ref();
        let signed = Signed {
            id: &message.webhook_id,
            timestamp: &message.webhook_timestamp,
            signatures: &message.webhook_signature,
            body: &message.body,
        };
        let answer = receive_webhook::receive_webhook(&self.0, signed).await?;
        let refused = answer.refused.into_iter().map(|event| pb::RefusedEvent {
            index: count(event.index),
            field: event.field,
            reason: event.reason,
            description: event.description,
        });
        Ok(Response::new(pb::ReceiveWebhookResponse {
            taken: count(answer.taken),
            known_before: count(answer.known_before),
            unknown_tracking_ids: answer.unknown_tracking_ids,
            refused: refused.collect(),
            faults: count(answer.faults),
        }))
    }

    async fn import_batch(
        &self,
        request: Request<pb::ImportBatchRequest>,
    ) -> Result<Response<pb::ImportBatchResponse>, Status> {
        let message = request.get_ref();
        let signed = Signed {
            id: &message.webhook_id,
            timestamp: &message.webhook_timestamp,
            signatures: &message.webhook_signature,
            body: &message.csv,
        };
        let answer = import_batch::import_batch(&self.0, signed).await?;
        let refused = answer.refused.into_iter().map(|row| pb::RefusedRow {
            line: i32::try_from(row.line).unwrap_or(i32::MAX),
            field: row.field,
            reason: row.reason,
            description: row.description,
        });
        Ok(Response::new(pb::ImportBatchResponse {
            taken: count(answer.taken),
            known_before: count(answer.known_before),
            refused: refused.collect(),
            faults: count(answer.faults),
            ignored_columns: answer.ignored_columns,
        }))
    }
}

fn count(events: u32) -> i32 {
    i32::try_from(events).unwrap_or(i32::MAX)
}
