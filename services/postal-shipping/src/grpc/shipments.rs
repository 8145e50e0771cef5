//! What owning services ask. The owner is the peer of the call.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_chassis::peer;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::get_shipment_request;
use wathiq_proto::wathiq::postal_shipping::v1::shipment_service_server::ShipmentService;

use super::command::command;
use super::fields::Fields;
use super::page::{Page, Sizes};
use super::{convert, parse};
use crate::app::get_shipment::Key;
use crate::app::hand_over::Batch;
use crate::app::{App, cancel_shipment, create_shipment, get_shipment, hand_over, list_shipments};
use crate::store::shipments::OwnersPage;

const SIZES: Sizes = Sizes {
    usual: 200,
    largest: 1_000,
};
const MOST_IN_A_LIST: usize = 500;

pub(super) struct Shipments(pub(super) Arc<App>);

#[tonic::async_trait]
impl ShipmentService for Shipments {
    async fn create_shipment(
        &self,
        request: Request<pb::CreateShipmentRequest>,
    ) -> Result<Response<pb::CreateShipmentResponse>, Status> {
        let mut fields = Fields::default();
        let command = fields.take(command(&request));
        let draft = parse::draft(&mut fields, &peer(&request).0, request.get_ref());
        let (command, draft) = fields.finish(command.zip(draft))?;
        let reply = create_shipment::create_shipment(&self.0, &command, draft, |created| {
            pb::CreateShipmentResponse {
                shipment: Some(convert::shipment(created)),
            }
        });
        Ok(Response::new(reply.await?))
    }

    async fn get_shipment(
        &self,
        request: Request<pb::GetShipmentRequest>,
    ) -> Result<Response<pb::GetShipmentResponse>, Status> {
        let mut fields = Fields::default();
        let key = match &request.get_ref().key {
            Some(get_shipment_request::Key::ShipmentId(id)) => fields.id("shipment_id", id).map(Key::Id),
            Some(get_shipment_request::Key::OwnerReference(text)) => {
                parse::reference(&mut fields, "owner_reference", text).map(Key::OwnerReference)
            }
            None => fields.fault("shipment_id", "REQUIRED", "an id or a reference is required"),
        };
        let key = fields.finish(key)?;
        let (found, events) = get_shipment::get_shipment(&self.0, &peer(&request).0, &key).await?;
        Ok(Response::new(pb::GetShipmentResponse {
            shipment: Some(convert::shipment_with_events(&found, events, &self.0.codes)),
        }))
    }

    async fn cancel_shipment(
        &self,
        request: Request<pb::CancelShipmentRequest>,
    ) -> Result<Response<pb::CancelShipmentResponse>, Status> {
        let mut fields = Fields::default();
        let command = fields.take(command(&request));
        let id = fields.id("shipment_id", &request.get_ref().shipment_id);
        let (command, id) = fields.finish(command.zip(id))?;
        let owner = &peer(&request).0;
        let reply = cancel_shipment::cancel_shipment(&self.0, &command, owner, id, |cancelled| {
            pb::CancelShipmentResponse {
                shipment: Some(convert::shipment(cancelled)),
            }
        });
        Ok(Response::new(reply.await?))
    }

    async fn hand_over(
        &self,
        request: Request<pb::HandOverRequest>,
    ) -> Result<Response<pb::HandOverResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let command = fields.take(command(&request));
        let office_id = fields.id("office_id", &message.office_id);
        let ids = fields.ids("shipment_ids", &message.shipment_ids, MOST_IN_A_LIST);
        let person_id = fields.optional_id("person_id", &message.person_id);
        let batch = || {
            Some(Batch {
                owner: peer(&request).0.clone(),
                office_id: office_id?,
                shipments: ids?.into_iter().collect(),
                person_id: person_id?,
            })
        };
        let (command, batch) = fields.finish(command.zip(batch()))?;
        let reply = hand_over::hand_over(&self.0, &command, batch, |list| pb::HandOverResponse {
            deposit_list: Some(convert::deposit_list(list)),
        });
        Ok(Response::new(reply.await?))
    }

    async fn list_shipments(
        &self,
        request: Request<pb::ListShipmentsRequest>,
    ) -> Result<Response<pb::ListShipmentsResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let page = Page::parse(&mut fields, SIZES, message.page_size, &message.page_token);
        let from = fields.optional_instant("created_from", message.created_from.as_ref());
        let before = fields.optional_instant("created_before", message.created_before.as_ref());
        let (page, (from, before)) = fields.finish(page.zip(from.zip(before)))?;
        let wanted = OwnersPage {
            owner: &peer(&request).0,
            from,
            before,
            after: page.after,
            limit: page.rows(),
        };
        let found = list_shipments::list_shipments(&self.0, wanted).await?;
        let (found, next_page_token) = page.of(found, |shipment| shipment.id);
        Ok(Response::new(pb::ListShipmentsResponse {
            shipments: found.iter().map(convert::shipment).collect(),
            next_page_token,
        }))
    }
}
