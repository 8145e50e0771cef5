//! The services that are asked for addresses and facts at sending time.

pub mod civil_registry_order;
pub mod identity;
pub mod signature;

use chrono::{DateTime, NaiveDate, Utc};
use tonic::{Code, Status};
use wathiq_chassis::BoxError;

/// Why a service gave no answer to go on with.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no such thing, or no longer: asking again is of no use. The reason is the service's own.
    #[error("not to be had: {reason}")]
    Gone { reason: String },
    /// Worth asking again.
    #[error("the service did not answer as it should")]
    Unavailable(#[source] BoxError),
}

impl ClientError {
    /// An answer this code cannot read.
    fn unusable(what: &'static str) -> Self {
        Self::Unavailable(what.into())
    }
}

/// Only that something does not exist is an answer; all other refusals are faults of the installation or pass by themselves.
impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        if status.code() == Code::NotFound {
            let reason = wathiq_chassis::status::reason(&status).unwrap_or_else(|| "NOT_FOUND".to_owned());
            Self::Gone { reason }
        } else {
            Self::Unavailable(Box::new(status))
        }
    }
}

fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn instant(time: Option<prost_types::Timestamp>) -> Option<DateTime<Utc>> {
    time.and_then(|time| DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?))
}

fn date(date: Option<wathiq_proto::google::r#type::Date>) -> Option<NaiveDate> {
    date.and_then(|date| {
        NaiveDate::from_ymd_opt(
            date.year,
            u32::try_from(date.month).ok()?,
            u32::try_from(date.day).ok()?,
        )
    })
}
