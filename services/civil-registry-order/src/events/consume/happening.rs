//! What a record of another service means for an order.

use chrono::NaiveDate;
use prost::{Message, Name};
use uuid::Uuid;
use wathiq_outbox::{HandleError, Record};
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;
use wathiq_proto::wathiq::signature::v1 as signature;

use super::TOPICS;
use crate::clients::postal_shipping::state_name;
use crate::domain::order::parcel::Tracking;
use crate::domain::order::work::{Work, WorkError};

/// This service, as owner of payables, shipments and documents.
const OWNER: &str = "civil-registry-order";

/// What the other service knows of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Order(Uuid),
    Line(Uuid),
    Parcel(Uuid),
}

/// What happened to it.
#[derive(Debug)]
pub(super) enum Happening {
    Paid(Uuid, Uuid),
    NotPaid(Uuid),
    /// Line and amount in centimes.
    Refunded(Uuid, i64),
    RefundFailed(Uuid),
    /// Line and document.
    Sealed(Uuid, Uuid),
    /// Line and reason.
    NotSealed(Uuid, String),
    /// Parcel, shipment and its number.
    ShipmentCreated(Uuid, Uuid, String),
    /// Parcel and deposit list.
    HandedOver(Uuid, Uuid),
    Tracked(Uuid, Tracking),
}

impl Happening {
    /// Reads a record; `None` where it means nothing to this service.
    ///
    /// # Errors
    /// [`HandleError::Unappliable`] where it is not what its type says.
    pub(super) fn read(record: &Record) -> Result<Option<Self>, HandleError> {
        if record.topic == TOPICS[0] {
            of_payment(record)
        } else if record.topic == TOPICS[1] {
            of_post(record)
        } else {
            of_signature(record)
        }
    }

    pub(super) fn subject(&self) -> Subject {
        match self {
            Self::Paid(order, _) | Self::NotPaid(order) => Subject::Order(*order),
            Self::Refunded(line, _)
            | Self::RefundFailed(line)
            | Self::Sealed(line, _)
            | Self::NotSealed(line, _) => Subject::Line(*line),
            Self::ShipmentCreated(parcel, ..) | Self::HandedOver(parcel, _) | Self::Tracked(parcel, _) => {
                Subject::Parcel(*parcel)
            }
        }
    }

    /// # Errors
    /// [`WorkError`] where the order is not in a state for it.
    pub(super) fn happen(&self, work: &mut Work<'_>) -> Result<(), WorkError> {
        match self {
            Self::Paid(_, payable) => work.paid(*payable),
            Self::NotPaid(_) => work.not_paid(),
            Self::Refunded(line, centimes) => work.refunded(*line, *centimes),
            Self::RefundFailed(line) => work.refund_failed(*line),
            Self::Sealed(line, document) => work.sealed(*line, *document),
            Self::NotSealed(line, reason) => work.deposit_failed(*line, reason),
            Self::ShipmentCreated(parcel, shipment, number) => {
                work.shipment_created(*parcel, *shipment, number);
                Ok(())
            }
            Self::HandedOver(parcel, list) => work.handed_over(*parcel, Some(*list)),
            Self::Tracked(parcel, tracking) => work.tracked(*parcel, tracking),
        }
    }
}

/// The payload, where it is of this type and has this service as owner.
fn own<M: Message + Name + Default>(
    record: &Record,
    owner: fn(&M) -> &str,
) -> Result<Option<M>, HandleError> {
    if record.event_type != M::full_name() {
        return Ok(None);
    }
    let event = M::decode(record.payload.as_slice()).map_err(HandleError::unappliable)?;
    Ok((owner(&event) == OWNER).then_some(event))
}

fn of_payment(record: &Record) -> Result<Option<Happening>, HandleError> {
    if let Some(event) = own::<payment::PayablePaid>(record, |event| &event.owner)? {
        return some(Happening::Paid(
            id(&event.owner_reference)?,
            id(&event.payable_id)?,
        ));
    }
    if let Some(event) = own::<payment::PayableExpired>(record, |event| &event.owner)? {
        return some(Happening::NotPaid(id(&event.owner_reference)?));
    }
    if let Some(event) = own::<payment::PayableCancelled>(record, |event| &event.owner)? {
        return some(Happening::NotPaid(id(&event.owner_reference)?));
    }
    if let Some(event) = own::<payment::RefundCompleted>(record, |event| &event.owner)? {
        return some(Happening::Refunded(
            id(&event.refund_reference)?,
            event.amount_centimes,
        ));
    }
    if let Some(event) = own::<payment::RefundFailed>(record, |event| &event.owner)? {
        return some(Happening::RefundFailed(id(&event.refund_reference)?));
    }
    Ok(None)
}

fn of_signature(record: &Record) -> Result<Option<Happening>, HandleError> {
    if let Some(event) = own::<signature::IssuedDocumentSealed>(record, |event| &event.owner)? {
        return some(Happening::Sealed(
            id(&event.owner_reference)?,
            id(&event.issued_document_id)?,
        ));
    }
    if let Some(event) = own::<signature::IssuedDocumentFailed>(record, |event| &event.owner)? {
        return some(Happening::NotSealed(
            id(&event.owner_reference)?,
            event.reason_code,
        ));
    }
    Ok(None)
}

fn of_post(record: &Record) -> Result<Option<Happening>, HandleError> {
    if let Some(event) = own::<postal::ShipmentCreated>(record, |event| &event.owner)? {
        let number = event.tracking_id.map(|id| id.value).unwrap_or_default();
        return some(Happening::ShipmentCreated(
            id(&event.owner_reference)?,
            id(&event.shipment_id)?,
            number,
        ));
    }
    if let Some(event) = own::<postal::ShipmentHandedOver>(record, |event| &event.owner)? {
        return some(Happening::HandedOver(
            id(&event.owner_reference)?,
            id(&event.deposit_list_id)?,
        ));
    }
    if let Some(event) = own::<postal::ShipmentTracked>(record, |event| &event.owner)? {
        let tracking = Tracking {
            sequence: record.sequence,
            state: state_name(event.state()),
            attempts: Some(event.attempts),
            held_until: date(event.held_until)?,
            exception_code: event.exception_code.clone(),
            at: record.time,
        };
        return some(Happening::Tracked(id(&event.owner_reference)?, tracking));
    }
    if let Some(event) = own::<postal::ShipmentStateChanged>(record, |event| &event.owner)? {
        let tracking = Tracking {
            sequence: record.sequence,
            state: state_name(event.state()),
            attempts: None,
            held_until: None,
            exception_code: event.exception_code.clone(),
            at: record.time,
        };
        return some(Happening::Tracked(id(&event.owner_reference)?, tracking));
    }
    Ok(None)
}

fn some(happening: Happening) -> Result<Option<Happening>, HandleError> {
    Ok(Some(happening))
}

fn id(text: &str) -> Result<Uuid, HandleError> {
    Uuid::try_parse(text).map_err(HandleError::unappliable)
}

fn date(date: Option<Date>) -> Result<Option<NaiveDate>, HandleError> {
    let Some(date) = date else { return Ok(None) };
    let read = u32::try_from(date.month)
        .ok()
        .zip(u32::try_from(date.day).ok())
        .and_then(|(month, day)| NaiveDate::from_ymd_opt(date.year, month, day));
    read.map(Some).ok_or_else(|| HandleError::unappliable("no date"))
}
