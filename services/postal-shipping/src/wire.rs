//! The domain's words as protobuf's, for events and for answers alike.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::domain::tracking_id::TrackingId;
use crate::domain::vocabulary::State;

/// A civil date.
pub(crate) fn date(day: NaiveDate) -> Date {
    Date {
        year: day.year(),
        month: day.month().cast_signed(),
        day: day.day().cast_signed(),
    }
}

/// An instant.
pub(crate) fn timestamp(at: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: at.timestamp_subsec_nanos().cast_signed(),
    }
}

/// A number.
pub(crate) fn tracking_id(id: TrackingId) -> pb::TrackingId {
    pb::TrackingId {
        scheme: "S10".to_owned(),
        value: id.to_string(),
    }
}

/// A state.
pub(crate) fn state(state: State) -> pb::ShipmentState {
    match state {
        State::LabelPrinted => pb::ShipmentState::LabelPrinted,
        State::HandedOver => pb::ShipmentState::HandedOver,
        State::InTransit => pb::ShipmentState::InTransit,
        State::Customs => pb::ShipmentState::Customs,
        State::AtDeliveryOffice => pb::ShipmentState::AtDeliveryOffice,
        State::Attempted => pb::ShipmentState::Attempted,
        State::HeldForCollection => pb::ShipmentState::HeldForCollection,
        State::Delivered => pb::ShipmentState::Delivered,
        State::Returning => pb::ShipmentState::Returning,
        State::Returned => pb::ShipmentState::Returned,
        State::Claimed => pb::ShipmentState::Claimed,
        State::Lost => pb::ShipmentState::Lost,
        State::Cancelled => pb::ShipmentState::Cancelled,
    }
}
