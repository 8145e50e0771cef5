//! Taking in what the carrier said, whichever way it came.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{App, Error, change};
use crate::domain::carrier_event::CarrierEvent;
use crate::domain::shipment::Shipment;
use crate::domain::tracking::RecordedEvent;
use crate::domain::tracking_id::TrackingId;
use crate::domain::vocabulary::Source;
use crate::events::publish;
use crate::store::{events, shipments};

/// What became of a batch of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub taken: u32,
    pub known_before: u32,
    /// Numbers that are not ours.
    pub unknown: BTreeSet<TrackingId>,
}

/// Takes in events in the caller's transaction: each once, one [`publish::tracked`] for each that is new and means something for its
/// shipment.
///
/// # Errors
/// [`Error`]; nothing of the batch may then be committed.
pub async fn take_events(
    conn: &mut PgConnection,
    app: &App,
    source: Source,
    batch: Vec<CarrierEvent>,
) -> Result<Taken, Error> {
    let mut by_number: BTreeMap<TrackingId, Vec<CarrierEvent>> = BTreeMap::new();
    for event in batch {
        by_number.entry(event.tracking_id).or_default().push(event);
    }
    let numbers: Vec<TrackingId> = by_number.keys().copied().collect();
    let found = shipments::lock_by_number(conn, &numbers).await?;
    let ids: Vec<Uuid> = found.iter().map(|shipment| shipment.id).collect();
    let mut heard: BTreeMap<Uuid, Vec<RecordedEvent>> = BTreeMap::new();
    for (shipment, event) in events::of_shipments(conn, &ids).await? {
        heard.entry(shipment).or_default().push(event);
    }
    let mut outcome = Taken::default();
    for shipment in found {
        let new = by_number.remove(&shipment.tracking_id).unwrap_or_default();
        let before = heard.remove(&shipment.id).unwrap_or_default();
        take_of_one(
            conn,
            app,
            source,
            Told {
                shipment,
                before,
                new,
            },
            &mut outcome,
        )
        .await?;
    }
    outcome.unknown = by_number.keys().copied().collect();
    keep_apart(conn, app, source, by_number.into_values().flatten().collect()).await?;
    count(source, "taken", outcome.taken);
    count(source, "known", outcome.known_before);
    count(
        source,
        "not_ours",
        u32::try_from(outcome.unknown.len()).unwrap_or(u32::MAX),
    );
    Ok(outcome)
}

/// A shipment, what was said of it before, and what is said now.
struct Told {
    shipment: Shipment,
    before: Vec<RecordedEvent>,
    new: Vec<CarrierEvent>,
}

async fn take_of_one(
    conn: &mut PgConnection,
    app: &App,
    source: Source,
    told: Told,
    outcome: &mut Taken,
) -> Result<(), Error> {
    let Told {
        mut shipment,
        before: mut heard,
        new,
    } = told;
    let mut known: HashSet<[u8; 32]> = heard.iter().map(|recorded| *recorded.digest()).collect();
    for event in new {
        if !known.insert(event.digest()) {
            outcome.known_before += 1;
            continue;
        }
        let now = app.ambient.now();
        let recorded = RecordedEvent::new(app.ambient.uuid_v7(), event, source, now);
        events::insert(conn, shipment.id, &recorded).await?;
        outcome.taken += 1;
        let event_time = recorded.event.event_time;
        let means_something = shipment.basis().meaning(&recorded.event, &app.codes).is_some();
        heard.push(recorded);
        if !means_something {
            continue;
        }
        let before = shipment.tracking.exception;
        shipment = shipment.track(&heard, &app.codes, &app.silence, now);
        change::save(
            conn,
            app,
            &shipment,
            before,
            publish::tracked(&shipment, event_time),
        )
        .await?;
    }
    Ok(())
}

async fn keep_apart(
    conn: &mut PgConnection,
    app: &App,
    source: Source,
    mut unknown: Vec<CarrierEvent>,
) -> Result<(), Error> {
    // Two messages with the same events wait for each other's rows: in one order, so that neither has what the other waits for.
    unknown.sort_by_cached_key(CarrierEvent::digest);
    for event in &unknown {
        events::keep_unknown(conn, event, source, app.ambient.now()).await?;
    }
    Ok(())
}

fn count(source: Source, outcome: &'static str, events: u32) {
    if events > 0 {
        metrics::counter!("carrier_events_total", "source" => source.as_str(), "outcome" => outcome)
            .increment(events.into());
    }
}
