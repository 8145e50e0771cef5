//! What postal-shipping has in its books, page by page, for the audit.

use uuid::Uuid;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use super::{PostalShipping, SERVICE, state_name};
use crate::clients::{ClientError, PAGE, Page, failure, id};

/// A shipment and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipmentBook {
    pub id: Uuid,
    /// The parcel, as postal-shipping was told.
    pub parcel: String,
    /// Such as `HELD_FOR_COLLECTION`.
    pub state: String,
}

impl PostalShipping {
    /// Shipments of this service by their id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_shipments(&self, page_token: String) -> Result<Page<ShipmentBook>, ClientError> {
        let request = pb::ListShipmentsRequest {
            page_size: PAGE,
            page_token,
            ..Default::default()
        };
        let answer = self.shipments.clone().list_shipments(request).await;
        let answer = answer.map_err(failure(SERVICE, "shipments"))?.into_inner();
        let books = answer.shipments.into_iter().map(|shipment| {
            Ok(ShipmentBook {
                id: id(SERVICE, "shipment id", &shipment.shipment_id)?,
                state: state_name(shipment.state()),
                parcel: shipment.owner_reference,
            })
        });
        Ok((books.collect::<Result<_, ClientError>>()?, answer.next_page_token))
    }
}
