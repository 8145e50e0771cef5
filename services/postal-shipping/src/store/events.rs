//! What the carrier said.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{Broken, StoreError};
use crate::domain::carrier_event::CarrierEvent;
use crate::domain::tracking::RecordedEvent;
use crate::domain::tracking_id::TrackingId;
use crate::domain::vocabulary::{DocumentKind, Source};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    shipment_id: Uuid,
    tracking_id: String,
    code: String,
    event_time: DateTime<Utc>,
    place: Option<String>,
    reason_code: Option<String>,
    action_code: Option<String>,
    held_until: Option<NaiveDate>,
    recipient_name: Option<String>,
    document_kind: Option<String>,
    document_kind_unknown: Option<String>,
    document_last_four: Option<String>,
    source: String,
    received_at: DateTime<Utc>,
}

impl TryFrom<Row> for RecordedEvent {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let broken = Broken {
            table: "carrier_event",
            id: row.id,
        };
        let kind = |word: &String| DocumentKind::parse(word).ok_or_else(|| broken.column("document_kind"));
        let event = CarrierEvent {
            tracking_id: TrackingId::parse(&row.tracking_id).map_err(|_| broken.column("shipment_id"))?,
            code: row.code,
            event_time: row.event_time,
            place: row.place,
            reason_code: row.reason_code,
            action_code: row.action_code,
            held_until: row.held_until,
            recipient_name: row.recipient_name,
            document_kind: row.document_kind.as_ref().map(kind).transpose()?,
            document_kind_unknown: row.document_kind_unknown,
            document_last_four: row.document_last_four,
        };
        let source = Source::parse(&row.source).ok_or_else(|| broken.column("source"))?;
        Ok(Self::new(row.id, event, source, row.received_at))
    }
}

/// The events of shipments, each with its shipment's id, in the order they came.
///
/// # Errors
/// [`StoreError`].
pub async fn of_shipments(
    conn: &mut PgConnection,
    shipments: &[Uuid],
) -> Result<Vec<(Uuid, RecordedEvent)>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT e.id, e.shipment_id, s.tracking_id, e.code, e.event_time, e.place, e.reason_code, e.action_code, e.held_until,
            e.recipient_name, e.document_kind, e.document_kind_unknown, e.document_last_four, e.source, e.received_at
         FROM carrier_event e JOIN shipment s ON s.id = e.shipment_id WHERE e.shipment_id = ANY($1) ORDER BY e.received_at, e.id",
    )
    .bind(shipments)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok((row.shipment_id, RecordedEvent::try_from(row)?)))
        .collect()
}

/// The events of one shipment.
///
/// # Errors
/// [`StoreError`].
pub async fn of_shipment(conn: &mut PgConnection, shipment: Uuid) -> Result<Vec<RecordedEvent>, StoreError> {
    let events = of_shipments(conn, &[shipment]).await?;
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

/// Records an event of a shipment that the caller holds locked.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    shipment: Uuid,
    recorded: &RecordedEvent,
) -> Result<(), StoreError> {
    let event = &recorded.event;
    sqlx::query(
        "INSERT INTO carrier_event (id, shipment_id, digest, code, event_time, place, reason_code, action_code, held_until, recipient_name,
            document_kind, document_last_four, source, received_at, document_kind_unknown)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(recorded.id)
    .bind(shipment)
    .bind(recorded.digest().as_slice())
    .bind(&event.code)
    .bind(event.event_time)
    .bind(&event.place)
    .bind(&event.reason_code)
    .bind(&event.action_code)
    .bind(event.held_until)
    .bind(&event.recipient_name)
    .bind(event.document_kind.map(DocumentKind::as_str))
    .bind(&event.document_last_four)
    .bind(recorded.source.as_str())
    .bind(recorded.received_at)
    .bind(&event.document_kind_unknown)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps an event for a number that is not ours.
///
/// # Errors
/// [`StoreError`].
pub async fn keep_unknown(
    conn: &mut PgConnection,
    event: &CarrierEvent,
    source: Source,
    received_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO unknown_item_event (digest, tracking_id, code, event_time, source, received_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest) DO NOTHING",
    )
    .bind(event.digest().as_slice())
    .bind(event.tracking_id.to_string())
    .bind(&event.code)
    .bind(event.event_time)
    .bind(source.as_str())
    .bind(received_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets events for numbers that are not ours that came before `before`; at most `limit`, and says how many.
///
/// # Errors
/// [`StoreError`].
pub async fn forget_unknown(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "DELETE FROM unknown_item_event WHERE ctid = ANY (ARRAY (SELECT ctid FROM unknown_item_event WHERE received_at < $1 LIMIT $2))",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
