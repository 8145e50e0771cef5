//! What happens next to an order, a line and a parcel, and when, in words.

use chrono::DateTime;
use chrono_tz::Africa::Casablanca;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::language::{Language, find, text};

/// Progress of what the post does not take for its address.
pub(crate) const ADDRESS_ASKED: &str = "WAITING_FOR_ADDRESS";

/// A civil date as people read it.
#[must_use]
pub(crate) fn civil(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day, date.month, date.year)
}

/// The day of an instant in Morocco.
#[must_use]
pub(crate) fn day(instant: Option<&prost_types::Timestamp>) -> Option<String> {
    let instant = DateTime::from_timestamp(instant?.seconds, 0)?;
    Some(instant.with_timezone(&Casablanca).format("%d/%m/%Y").to_string())
}

fn dated(language: Language, key: &str, date: &str) -> String {
    text(language, key).replace("{date}", date)
}

/// What happens next to an order.
#[must_use]
pub(crate) fn order(language: Language, order: &pb::Order) -> String {
    use pb::OrderState as S;
    let what = match order.state() {
        S::AwaitingPayment if order.progress_code == "WAITING_FOR_PAYMENT_SERVICE" => {
            "line_progress.waiting_for_payment_service"
        }
        S::AwaitingPayment => "order_text.awaiting_payment",
        S::ActionNeeded if order.progress_code == ADDRESS_ASKED => "order_text.address_needed",
        S::ActionNeeded => "order_text.action_needed",
        S::InProgress => "order_text.in_progress",
        S::Completed => "order_text.completed",
        S::Cancelled => "order_text.cancelled",
        S::Expired => "order_text.expired",
        S::Refunded => "order_text.refunded",
        S::Unspecified => "order_text.unknown",
    };
    let what = text(language, what);
    match day(order.pay_before.as_ref()).filter(|_| order.state() == S::AwaitingPayment) {
        Some(date) => format!("{what} {}", dated(language, "order_when.pay_before", &date)),
        None => what.to_owned(),
    }
}

/// Key of the name of an order's state.
#[must_use]
pub(crate) fn order_name_key(state: pb::OrderState) -> &'static str {
    use pb::OrderState as S;
    match state {
        S::AwaitingPayment => "order_name.awaiting_payment",
        S::ActionNeeded => "order_name.action_needed",
        S::InProgress => "order_name.in_progress",
        S::Completed => "order_name.completed",
        S::Cancelled => "order_name.cancelled",
        S::Expired => "order_name.expired",
        S::Refunded => "order_name.refunded",
        S::Unspecified => "order_name.unknown",
    }
}

/// What happens next to a line, with the parcel it is in.
#[must_use]
pub(crate) fn line(language: Language, line: &pb::OrderLine, parcel: Option<&pb::Parcel>) -> String {
    use pb::LineState as S;
    let posted = parcel.filter(|parcel| line.state() == S::HandedOver && !parcel.shipment_state.is_empty());
    if let Some(posted) = posted {
        let said = self::parcel(language, posted);
        // A parcel that is kept for the citizen has a date of its own.
        let kept = posted.held_until.is_some();
        return match day(line.deadline.as_ref()).filter(|_| !kept) {
            Some(date) => format!("{said} {}", dated(language, "order_when.news_by", &date)),
            None => said,
        };
    }
    let progress = format!("line_progress.{}", line.progress_code.to_lowercase());
    let what = find(language, &progress).unwrap_or_else(|| text(language, line_text_key(line.state())));
    let reason = format!("end_reason.{}", line.end_reason);
    let given_back = matches!(line.state(), S::Refunding | S::Refunded);
    let mut said = match find(language, &reason).filter(|_| given_back) {
        Some(reason) => format!("{reason} {what}"),
        None => what.to_owned(),
    };
    if let (Some(key), Some(date)) = (deadline_key(line), day(line.deadline.as_ref())) {
        said = format!("{said} {}", dated(language, key, &date));
    }
    said
}

/// What the work on a line waits for, said to the office; nothing where only the citizen has to know more than the state.
#[must_use]
pub(crate) fn at_office(language: Language, line: &pb::OrderLine) -> Option<&'static str> {
    use pb::LineState as S;
    if let Some(key) = office_key(line) {
        return Some(text(language, key));
    }
    let progress = format!("line_progress.{}", line.progress_code.to_lowercase());
    match line.state() {
        S::Paid | S::ToCorrect | S::InProduction | S::Produced | S::HandedOver | S::Delivered => {
            Some(find(language, &progress).unwrap_or_else(|| text(language, line_text_key(line.state()))))
        }
        S::AwaitingPayment
        | S::Returned
        | S::Refunding
        | S::Refunded
        | S::Cancelled
        | S::Expired
        | S::Unspecified => None,
    }
}

/// Key of what an office reads where the citizen is asked, or told of their own.
fn office_key(line: &pb::OrderLine) -> Option<&'static str> {
    use pb::LineState as S;
    match line.state() {
        S::Produced if line.progress_code == ADDRESS_ASKED => Some("bureau.waits_for_address"),
        S::ToCorrect => Some("bureau.waits_for_correction"),
        S::HandedOver => Some("bureau.on_the_way"),
        _ => None,
    }
}

fn deadline_key(line: &pb::OrderLine) -> Option<&'static str> {
    use pb::LineState as S;
    match line.state() {
        S::Produced if line.progress_code == ADDRESS_ASKED => Some("order_when.correct_by"),
        S::Produced if line.progress_code == "WAITING_FOR_OTHER_LINES" => Some("order_when.waits_until"),
        S::Paid | S::InProduction => Some("order_when.produced_by"),
        S::ToCorrect => Some("order_when.correct_by"),
        S::Produced => Some("order_when.posted_by"),
        S::HandedOver => Some("order_when.news_by"),
        S::Returned => Some("order_when.held_until"),
        S::AwaitingPayment
        | S::Delivered
        | S::Refunding
        | S::Refunded
        | S::Cancelled
        | S::Expired
        | S::Unspecified => None,
    }
}

/// Key of what is said of a line in a state.
#[must_use]
pub(crate) fn line_text_key(state: pb::LineState) -> &'static str {
    use pb::LineState as S;
    match state {
        S::AwaitingPayment => "line_text.awaiting_payment",
        S::Paid => "line_text.paid",
        S::ToCorrect => "line_text.to_correct",
        S::InProduction => "line_text.in_production",
        S::Produced => "line_text.produced",
        S::HandedOver => "line_text.handed_over",
        S::Delivered => "line_text.delivered",
        S::Returned => "line_text.returned",
        S::Refunding => "line_text.refunding",
        S::Refunded => "line_text.refunded",
        S::Cancelled => "line_text.cancelled",
        S::Expired => "line_text.expired",
        S::Unspecified => "line_text.unknown",
    }
}

/// Key of the name of a line's state.
#[must_use]
pub(crate) fn line_name_key(state: pb::LineState) -> &'static str {
    use pb::LineState as S;
    match state {
        S::AwaitingPayment => "line_name.awaiting_payment",
        S::Paid => "line_name.paid",
        S::ToCorrect => "line_name.to_correct",
        S::InProduction => "line_name.in_production",
        S::Produced => "line_name.produced",
        S::HandedOver => "line_name.handed_over",
        S::Delivered => "line_name.delivered",
        S::Returned => "line_name.returned",
        S::Refunding => "line_name.refunding",
        S::Refunded => "line_name.refunded",
        S::Cancelled => "line_name.cancelled",
        S::Expired => "line_name.expired",
        S::Unspecified => "line_name.unknown",
    }
}

/// Where a parcel is and what happens next to it.
#[must_use]
pub(crate) fn parcel(language: Language, parcel: &pb::Parcel) -> String {
    let exception = format!("parcel_exception.{}", parcel.exception_code);
    let said = shipment(language, &parcel.shipment_state, parcel.held_until);
    match find(language, &exception) {
        Some(exception) => format!("{said} {exception}"),
        None => said,
    }
}

/// Where an item of the post is, by the state that postal-shipping names; what is unknown here waits for its label.
#[must_use]
pub(crate) fn shipment(language: Language, state: &str, held_until: Option<Date>) -> String {
    let state = if state.is_empty() { "waiting" } else { state };
    let key = format!("parcel_state.{}", state.to_lowercase());
    let what = find(language, &key).unwrap_or_else(|| text(language, "parcel_state.waiting"));
    let held = held_until.filter(|_| state == "HELD_FOR_COLLECTION");
    match held {
        Some(date) => format!(
            "{what} {}",
            dated(language, "order_when.held_until", &civil(date))
        ),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests;
