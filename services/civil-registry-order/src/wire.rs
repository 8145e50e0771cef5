//! The domain's words as protobuf's, for events and for answers alike.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use wathiq_proto::google::r#type::Date;

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
