//! An item on its way, and what happens to it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// In the journal.
pub(super) const KIND: &str = "carrier_item";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) tracking_id: String,
    /// `REGISTERED_DOMESTIC` or `REGISTERED_INTERNATIONAL`.
    pub(super) product: String,
    pub(super) office: String,
    pub(super) addressee_latin: String,
    pub(super) addressee_arabic: String,
    /// What was played, in the order of event times.
    pub(super) events: Vec<Event>,
}

/// As the carrier's files and messages have it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) tracking_id: String,
    pub(super) code: String,
    pub(super) event_time: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) held_until: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient_name: Option<String>,
    /// `CIN`, `PASSPORT` or `RESIDENCE_CARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document_kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document_last_four: Option<String>,
}

/// Columns of the CSV file.
const COLUMNS: [&str; 10] = [
    "tracking_id",
    "code",
    "event_time",
    "place",
    "reason_code",
    "action_code",
    "held_until",
    "recipient_name",
    "document_kind",
    "document_last_four",
];

impl Event {
    fn row(&self) -> [String; 10] {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        [
            self.tracking_id.clone(),
            self.code.clone(),
            self.event_time.to_rfc3339(),
            text(&self.place),
            text(&self.reason_code),
            text(&self.action_code),
            self.held_until.map(|day| day.to_string()).unwrap_or_default(),
            text(&self.recipient_name),
            text(&self.document_kind),
            text(&self.document_last_four),
        ]
    }
}

/// The events as an RFC 4180 file with its header line.
pub(super) fn csv<'a>(events: impl Iterator<Item = &'a Event>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for event in events {
        writer.write_record(event.row())?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}
