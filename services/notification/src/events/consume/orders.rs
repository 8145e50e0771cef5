//! Which steps of an order the citizen is written to about, and the office's daily mail.

use prost::{Message, Name};
use uuid::Uuid;
use wathiq_outbox::HandleError;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{MAIL, Wanted};
use crate::domain::message::Channel;
use crate::domain::template::Template;

/// Package of the events.
pub(super) const PACKAGE: &str = pb::OrderPlaced::PACKAGE;

/// By mail, and by text message where the person has a phone.
const MAIL_AND_TEXT: &[Channel] = &[Channel::Email, Channel::Text];

/// A message, and the ids of what it is about as they came.
type Told = (Template, Vec<String>);

/// What is to be sent about an event of this name. What is no step for the citizen (who works on a line, which act it is, what they did
/// themselves, what the staff is alerted to) is left to the page of the order; a line that is produced is told with its parcel.
pub(super) fn wanted(name: &str, payload: &[u8]) -> Result<Option<Wanted>, HandleError> {
    if name == pb::ParcelTracked::NAME {
        return tracked(read(payload)?);
    }
    let told = match name {
        pb::OfficeReminded::NAME => {
            let event: pb::OfficeReminded = read(payload)?;
            Some((Template::OfficeReminder, vec![event.office_id]))
        }
        _ => of_payment(name, payload)?
            .or(of_office(name, payload)?)
            .or(of_post(name, payload)?),
    };
    let Some((template, lines)) = told else {
        return Ok(None);
    };
    Ok(Some(Wanted {
        warning: None,
        template: Some(template),
        channels: channels(template),
        about: ids(&lines)?,
    }))
}

fn of_payment(name: &str, payload: &[u8]) -> Result<Option<Told>, HandleError> {
    Ok(Some(match name {
        pb::OrderPlaced::NAME => {
            let event: pb::OrderPlaced = read(payload)?;
            (Template::OrderPlaced, event.line_ids)
        }
        pb::OrderPaid::NAME => {
            let event: pb::OrderPaid = read(payload)?;
            (Template::OrderPaid, event.line_ids)
        }
        pb::OrderExpired::NAME => {
            let event: pb::OrderExpired = read(payload)?;
            (Template::OrderExpired, event.line_ids)
        }
        pb::LinesCancelled::NAME => cancelled(read(payload)?),
        pb::LinesRefunding::NAME => return refunding(read(payload)?),
        pb::LineRefunded::NAME => {
            let event: pb::LineRefunded = read(payload)?;
            (Template::OrderRefunded, vec![event.line_id])
        }
        pb::LineRefundFailed::NAME => {
            let event: pb::LineRefundFailed = read(payload)?;
            (Template::OrderRefundFailed, vec![event.line_id])
        }
        _ => return Ok(None),
    }))
}

fn of_office(name: &str, payload: &[u8]) -> Result<Option<Told>, HandleError> {
    Ok(Some(match name {
        pb::LineCorrectionRequested::NAME => {
            let event: pb::LineCorrectionRequested = read(payload)?;
            let template = match event.reason_code.as_str() {
                "ADDRESS_REFUSED" => Template::OrderAddressRefused,
                _ => Template::OrderCorrectionRequested,
            };
            (template, vec![event.line_id])
        }
        pb::LineRefused::NAME => {
            let event: pb::LineRefused = read(payload)?;
            (Template::OrderRefused, vec![event.line_id])
        }
        pb::LinesTaken::NAME => {
            let event: pb::LinesTaken = read(payload)?;
            (Template::OrderInProduction, event.line_ids)
        }
        pb::ParcelReady::NAME => {
            let event: pb::ParcelReady = read(payload)?;
            (Template::OrderProduced, event.line_ids)
        }
        _ => return Ok(None),
    }))
}

fn of_post(name: &str, payload: &[u8]) -> Result<Option<Told>, HandleError> {
    Ok(Some(match name {
        pb::LinesHandedOver::NAME => {
            let event: pb::LinesHandedOver = read(payload)?;
            (Template::OrderHandedOver, event.line_ids)
        }
        pb::LinesDelivered::NAME => {
            let event: pb::LinesDelivered = read(payload)?;
            // A delivery of which there is a warning is told by that.
            if warning(&event.exception_code).is_some() {
                return Ok(None);
            }
            (Template::OrderDelivered, event.line_ids)
        }
        pb::LinesReturned::NAME => {
            let event: pb::LinesReturned = read(payload)?;
            (Template::OrderReturned, event.line_ids)
        }
        _ => return Ok(None),
    }))
}

fn cancelled(event: pb::LinesCancelled) -> Told {
    let template = match event.refunding {
        true => Template::OrderCancelledAfterPayment,
        false => Template::OrderCancelled,
    };
    (template, event.line_ids)
}

/// Why money goes back, where no other event tells.
fn refunding(event: pb::LinesRefunding) -> Result<Option<Told>, HandleError> {
    let template = match event.end_reason.as_str() {
        "OVERDUE" => Template::OrderOverdue,
        "ADDRESS_REFUSED" => Template::OrderAddressLapsed,
        "LOST" => Template::OrderLost,
        "EXPIRED" => Template::OrderPaidTooLate,
        "REFUSED" | "CANCELLED" | "RETURNED" => return Ok(None),
        _ => return Err(HandleError::unappliable("the reason of a refund is not known")),
    };
    Ok(Some((template, event.line_ids)))
}

/// What the post said, where no other event tells. A delivery that went wrong is told once, though the events after it name it too.
fn tracked(event: pb::ParcelTracked) -> Result<Option<Wanted>, HandleError> {
    let warning = warning(&event.exception_code);
    let template = match event.shipment_state.as_str() {
        "ATTEMPTED" => Some(Template::OrderDeliveryAttempted),
        "HELD_FOR_COLLECTION" => Some(Template::OrderHeldForCollection),
        "RETURNING" => Some(Template::OrderReturning),
        "CLAIMED" => Some(Template::OrderClaimed),
        _ => None,
    };
    if warning.is_none() && template.is_none() {
        return Ok(None);
    }
    Ok(Some(Wanted {
        warning,
        template,
        channels: template.map_or(MAIL, channels),
        about: ids(&event.line_ids)?,
    }))
}

/// What the citizen is warned of.
fn warning(exception_code: &str) -> Option<Template> {
    match exception_code {
        "DELIVERED_TO_OTHER" => Some(Template::OrderDeliveredToOther),
        "DELIVERED_WITHOUT_DOCUMENT" => Some(Template::OrderDeliveredWithoutDocument),
        _ => None,
    }
}

fn channels(template: Template) -> &'static [Channel] {
    match template {
        Template::OrderPaid | Template::OrderHeldForCollection | Template::OrderDelivered => MAIL_AND_TEXT,
        _ => MAIL,
    }
}

fn read<M: Message + Default>(payload: &[u8]) -> Result<M, HandleError> {
    M::decode(payload).map_err(HandleError::unappliable)
}

fn ids(texts: &[String]) -> Result<Vec<Uuid>, HandleError> {
    if texts.is_empty() {
        return Err(HandleError::unappliable(
            "the event names nothing that it is about",
        ));
    }
    texts
        .iter()
        .map(|text| Uuid::parse_str(text).map_err(HandleError::unappliable))
        .collect()
}
