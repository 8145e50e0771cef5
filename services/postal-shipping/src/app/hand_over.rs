use std::collections::{BTreeMap, BTreeSet};

use chrono::Datelike;
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::civil_date;

use super::work::{Work, begin};
use super::{App, Command, Error, Reply, change};
use crate::domain::deposit_list::DepositList;
use crate::domain::shipment::{Handover, Shipment};
use crate::domain::tracking::RecordedEvent;
use crate::events::publish;
use crate::store::{deposit_lists, events, shipments};

/// What an office gives to the post in one go.
#[derive(Debug, Clone)]
pub struct Batch {
    pub owner: String,
    pub office_id: Uuid,
    pub shipments: BTreeSet<Uuid>,
    /// Who handed them over.
    pub person_id: Option<Uuid>,
}

/// Hands shipments of one office to the post, all or none, and draws up their deposit list.
///
/// # Errors
/// [`Error::NotFound`] names a shipment that is unknown, another owner's or another office's; [`Error::Refused`] one that was
/// handed over or withdrawn before.
pub async fn hand_over<R: Reply>(
    app: &App,
    command: &Command,
    batch: Batch,
    reply: impl FnOnce(&DepositList) -> R,
) -> Result<R, Error> {
    let mut work = begin!(app, command);
    let ids: Vec<Uuid> = batch.shipments.iter().copied().collect();
    let found = shipments::lock(work.conn(), &ids).await?;
    check(&batch, &found)?;
    let list = new_list(app, &mut work, &batch).await?;
    let mut by_shipment: BTreeMap<Uuid, Vec<RecordedEvent>> = BTreeMap::new();
    for (shipment, event) in events::of_shipments(work.conn(), &ids).await? {
        by_shipment.entry(shipment).or_default().push(event);
    }
    let mut numbered = Vec::with_capacity(found.len());
    for shipment in found {
        let (id, before) = (shipment.id, shipment.tracking.exception);
        let handover = Handover {
            deposit_list_id: list.id,
            at: list.created_at,
        };
        let heard = by_shipment.remove(&id).unwrap_or_default();
        let after = shipment.hand_over(handover, &heard, &app.codes)?;
        let event = publish::handed_over(&after, list.id);
        change::save(work.conn(), app, &after, before, event).await?;
        numbered.push((after.tracking_id, id));
    }
    numbered.sort_unstable();
    let list = DepositList {
        shipments: numbered.into_iter().map(|(_, id)| id).collect(),
        ..list
    };
    let details = json!({ "number": list.written_number(), "shipments": ids });
    work.audit("hand_over", ("deposit_list", list.id), details)
        .await?;
    work.finish(reply(&list)).await
}

fn check(batch: &Batch, found: &[Shipment]) -> Result<(), Error> {
    let ours: BTreeSet<Uuid> = found
        .iter()
        .filter(|shipment| shipment.owner == batch.owner && shipment.office_id == batch.office_id)
        .map(|shipment| shipment.id)
        .collect();
    match batch.shipments.difference(&ours).next() {
        Some(missing) => Err(Error::no_shipment(missing)),
        None => Ok(()),
    }
}

async fn new_list(app: &App, work: &mut Work<'_>, batch: &Batch) -> Result<DepositList, Error> {
    let now = app.ambient.now();
    let year = civil_date(now).year();
    let number = deposit_lists::next_number(work.conn(), batch.office_id, year).await?;
    let list = DepositList {
        id: app.ambient.uuid_v7(),
        office_id: batch.office_id,
        year,
        number,
        handed_over_by: batch.person_id,
        created_at: now,
        announced: false,
        hindrance: None,
        shipments: Vec::new(),
    };
    deposit_lists::insert(work.conn(), &list).await?;
    Ok(list)
}
