//! What this service asks postal-shipping.

mod listing;

use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::shipment_service_client::ShipmentServiceClient;

use crate::clients::{ClientError, failure};
use crate::domain::address::Address;
use crate::domain::person::FullName;
pub use listing::ShipmentBook;

const SERVICE: &str = "postal-shipping";

/// A shipment as far as this service needs it. What the carrier recorded at delivery does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Shipment {
    pub id: Uuid,
    pub tracking_number: String,
    /// Such as `HELD_FOR_COLLECTION`.
    pub state: String,
    pub recipient_name: String,
    pub recipient_document_kind: String,
    pub recipient_document_last_four: String,
}

/// A parcel to be sent. Does not print.
pub struct Sending {
    pub request_id: Uuid,
    pub parcel_id: Uuid,
    pub office_id: Uuid,
    pub sender_latin: String,
    pub sender_arabic: String,
    pub sender_address: Address,
    pub addressee: FullName,
    pub address: Address,
    pub phone: String,
    pub mandataries: Vec<FullName>,
    /// Inside.
    pub sheets: i32,
}

/// Postal-shipping behind a channel.
#[derive(Clone)]
pub struct PostalShipping {
    shipments: ShipmentServiceClient<Channel>,
}

impl PostalShipping {
    /// Postal-shipping behind this channel.
    pub fn new(channel: Channel) -> Self {
        Self {
            shipments: ShipmentServiceClient::new(channel),
        }
    }

    /// Opens a shipment; a repeat gets the same.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create(&self, sending: Sending) -> Result<Shipment, ClientError> {
        let parcel_id = sending.parcel_id;
        let product = if sending.address.is_in_morocco() {
            pb::ShippingProduct::RegisteredDomestic
        } else {
            pb::ShippingProduct::RegisteredInternational
        };
        let sender = pb::Party {
            name: Some(pb::PartyName {
                latin: sending.sender_latin,
                arabic: sending.sender_arabic,
            }),
            address: Some(address(sending.sender_address)),
            phone: String::new(),
        };
        let addressee = pb::Party {
            name: Some(party_name(&sending.addressee)),
            address: Some(address(sending.address)),
            phone: sending.phone,
        };
        let request = pb::CreateShipmentRequest {
            request_id: sending.request_id.to_string(),
            owner_reference: parcel_id.to_string(),
            office_id: sending.office_id.to_string(),
            sender: Some(sender),
            addressee: Some(addressee),
            mandataries: sending.mandataries.iter().map(party_name).collect(),
            product: product.into(),
            sheets: sending.sheets,
        };
        let answer = self.shipments.clone().create_shipment(request).await;
        match answer {
            Ok(answer) => shipment(answer.into_inner().shipment),
            // It was opened before, and the office's own address has changed since: what stands counts.
            Err(status) if status.code() == tonic::Code::AlreadyExists => self.of_parcel(parcel_id).await,
            Err(status) => Err(failure(SERVICE, "shipment")(status)),
        }
    }

    /// The shipment of a parcel.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn of_parcel(&self, parcel_id: Uuid) -> Result<Shipment, ClientError> {
        let request = pb::GetShipmentRequest {
            key: Some(pb::get_shipment_request::Key::OwnerReference(
                parcel_id.to_string(),
            )),
        };
        let answer = self.shipments.clone().get_shipment(request).await;
        shipment(
            answer
                .map_err(failure(SERVICE, "shipment"))?
                .into_inner()
                .shipment,
        )
    }

    /// Hands shipments of one office to the post, all or none; gives the id of the deposit list.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn hand_over(
        &self,
        request_id: Uuid,
        office_id: Uuid,
        shipment_ids: &[Uuid],
        person_id: Uuid,
    ) -> Result<Uuid, ClientError> {
        let request = pb::HandOverRequest {
            request_id: request_id.to_string(),
            office_id: office_id.to_string(),
            shipment_ids: shipment_ids.iter().map(Uuid::to_string).collect(),
            person_id: person_id.to_string(),
        };
        let answer = self.shipments.clone().hand_over(request).await;
        let list = answer
            .map_err(failure(SERVICE, "shipment"))?
            .into_inner()
            .deposit_list;
        list.and_then(|list| Uuid::try_parse(&list.deposit_list_id).ok())
            .ok_or(ClientError::Unusable {
                service: SERVICE,
                what: "deposit list",
            })
    }
}

fn party_name(name: &FullName) -> pb::PartyName {
    pb::PartyName {
        latin: name.latin(),
        arabic: name.arabic(),
    }
}

fn address(address: Address) -> pb::PostalAddress {
    pb::PostalAddress {
        country_code: address.country_code,
        postal_code: address.postal_code,
        locality_latin: address.locality_latin,
        street_latin: address.street_latin,
        quarter_latin: address.quarter_latin,
        extra_latin: address.extra_latin,
        locality_arabic: address.locality_arabic,
        street_arabic: address.street_arabic,
        quarter_arabic: address.quarter_arabic,
        extra_arabic: address.extra_arabic,
    }
}

/// The name of a state, without what protobuf puts before it.
pub(crate) fn state_name(state: pb::ShipmentState) -> String {
    state
        .as_str_name()
        .trim_start_matches("SHIPMENT_STATE_")
        .to_owned()
}

fn shipment(shipment: Option<pb::Shipment>) -> Result<Shipment, ClientError> {
    let unusable = |what| ClientError::Unusable {
        service: SERVICE,
        what,
    };
    let shipment = shipment.ok_or_else(|| unusable("shipment"))?;
    let state = state_name(shipment.state());
    let proof = shipment.proof.unwrap_or_default();
    let kind = proof.document_kind().as_str_name();
    let recipient_document_kind = match kind.trim_start_matches("RECIPIENT_DOCUMENT_KIND_") {
        "UNSPECIFIED" => String::new(),
        kind => kind.to_owned(),
    };
    Ok(Shipment {
        id: Uuid::try_parse(&shipment.shipment_id).map_err(|_| unusable("shipment id"))?,
        tracking_number: shipment.tracking_id.map(|id| id.value).unwrap_or_default(),
        state,
        recipient_document_kind,
        recipient_name: proof.recipient_name,
        recipient_document_last_four: proof.document_last_four,
    })
}
