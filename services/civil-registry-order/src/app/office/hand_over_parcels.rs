//! Parcels are scanned for the post.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;

use super::list_parcels::{WithLines, with_lines};
use crate::app::change::Changes;
use crate::app::idempotent::{self, Begun};
use crate::app::{App, AppError, authorise, drive, write};
use crate::domain::order::fact::OutwardKind;
use crate::domain::order::parcel::Parcel;
use crate::store::offices::{self, HandOver};
use crate::store::outward::{self, Task};
use crate::store::{orders, queue};

/// How long the process that writes a hand-over keeps asking for itself.
const LEASE: TimeDelta = TimeDelta::seconds(15);

/// Why a parcel was not handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub tracking_number: String,
    pub reason: String,
    pub description: String,
}

/// What was handed over.
#[derive(Debug)]
pub struct HandedOver {
    pub parcels: Vec<WithLines>,
    pub problems: Vec<Problem>,
    /// Once postal-shipping has confirmed.
    pub deposit_list_id: Option<Uuid>,
}

/// The stored answer.
#[derive(Serialize, Deserialize)]
struct Stored {
    hand_over: Option<Uuid>,
    parcels: Vec<Uuid>,
    problems: Vec<Problem>,
}

/// Hands parcels of an office to the post: those that can be. The others are named with why not.
///
/// # Errors
/// [`AppError`].
pub async fn hand_over_parcels(
    app: &App,
    caller: &Caller,
    command: &Command,
    office_id: Uuid,
    numbers: &[String],
) -> Result<HandedOver, AppError> {
    authorise::works_at(caller, office_id)?;
    let stored = match idempotent::begin(app, command).await? {
        Begun::Done(answer) => serde_json::from_slice(&answer).map_err(|_| AppError::Stale)?,
        Begun::New(mut transaction) => {
            let (ready, problems) = sort_out(&mut transaction, office_id, numbers).await?;
            let task = if ready.is_empty() {
                None
            } else {
                Some(write_down(&mut transaction, app, caller, office_id, &ready).await?)
            };
            let stored = Stored {
                hand_over: task.map(|task| task.subject),
                parcels: ready.iter().map(|(_, parcel)| *parcel).collect(),
                problems,
            };
            let answer = serde_json::to_vec(&stored).map_err(|_| AppError::Stale)?;
            idempotent::finish(transaction, command, answer).await?;
            if let Some(task) = task {
                drive::attempt_now(app, task).await;
            }
            stored
        }
    };
    let mut conn = app.pool.acquire().await?;
    let hand_over = match stored.hand_over {
        Some(id) => offices::hand_over(&mut conn, id).await?,
        None => None,
    };
    let mut found = parcels(&mut conn, &stored.parcels).await?;
    let mut problems = stored.problems;
    let mut deposit_list_id = None;
    if let Some(hand_over) = hand_over {
        deposit_list_id = hand_over.deposit_list_id;
        found.retain(|(_, parcel)| {
            let reason = hand_over.refused.get(&parcel.id);
            problems.extend(reason.map(|reason| Problem {
                tracking_number: parcel.tracking_number.clone().unwrap_or_default(),
                reason: reason.clone(),
                description:
                    "the post does not take the parcel; the others of the scan are handed over".to_owned(),
            }));
            reason.is_none()
        });
    }
    Ok(HandedOver {
        parcels: with_lines(&mut conn, found).await?,
        problems,
        deposit_list_id,
    })
}

/// Order and parcel of each number that is ready, and what is wrong with the others.
async fn sort_out(
    conn: &mut PgConnection,
    office_id: Uuid,
    numbers: &[String],
) -> Result<(Vec<(Uuid, Uuid)>, Vec<Problem>), AppError> {
    let found = queue::parcels_by_number(conn, numbers).await?;
    let (mut ready, mut problems) = (Vec::new(), Vec::new());
    for number in numbers {
        let mut problem = |reason: &str, description: &str| {
            problems.push(Problem {
                tracking_number: number.clone(),
                reason: reason.to_owned(),
                description: description.to_owned(),
            });
        };
        let Some((_, parcel_id, office, order_id)) = found.iter().find(|(known, ..)| known == number) else {
            problem(
                "BARCODE_UNKNOWN",
                "no parcel has this number: scan its label again",
            );
            continue;
        };
        if *office != office_id {
            problem("PARCEL_OF_OTHER_OFFICE", "the parcel belongs to another office");
            continue;
        }
        ready.push((*order_id, *parcel_id));
    }
    ready.sort_unstable();
    ready.dedup();
    let mut unscanned = Vec::with_capacity(ready.len());
    let ids: Vec<Uuid> = ready.iter().map(|(order, _)| *order).collect();
    let locked = orders::lock_all(conn, &ids).await?;
    for (order_id, parcel_id) in ready {
        let parcel = locked.iter().find_map(|order| order.parcel(parcel_id));
        match parcel {
            Some(parcel) if parcel.hand_over_at.is_none() => unscanned.push((order_id, parcel_id)),
            Some(parcel) => problems.push(Problem {
                tracking_number: parcel.tracking_number.clone().unwrap_or_default(),
                reason: "ALREADY_HANDED_OVER".to_owned(),
                description: "the parcel was scanned for the post before".to_owned(),
            }),
            None => {}
        }
    }
    Ok((unscanned, problems))
}

async fn write_down(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    ready: &[(Uuid, Uuid)],
) -> Result<Task, AppError> {
    let now = app.ambient.now();
    let ids: Vec<Uuid> = ready.iter().map(|(order, _)| *order).collect();
    let mut changes = Changes::lock(conn, app, &ids).await?;
    for (order_id, parcel_id) in ready {
        changes.change(*order_id, |work| {
            work.hand_over_asked(*parcel_id);
            Ok(())
        })?;
    }
    changes.write(conn).await?;
    let hand_over = HandOver {
        id: app.ambient.uuid_v7(),
        office_id,
        person_id: caller.person_id,
        parcel_ids: ready.iter().map(|(_, parcel)| *parcel).collect(),
        refused: BTreeMap::new(),
        deposit_list_id: None,
    };
    offices::insert_hand_over(conn, &hand_over, now).await?;
    let subject = write::Subject {
        aggregate: "hand_over",
        id: hand_over.id,
    };
    let details = json!({ "parcels": hand_over.parcel_ids.len() });
    write::audit(conn, &app.ambient, caller, "parcels.hand_over", subject, details).await?;
    let task = Task {
        id: app.ambient.uuid_v7(),
        kind: OutwardKind::HandOver,
        subject: hand_over.id,
        order_id: None,
        attempts: 0,
        created_at: now,
    };
    outward::add(conn, &task, Some(now + LEASE)).await?;
    Ok(task)
}

async fn parcels(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, Parcel)>, AppError> {
    let rows = offices::parcels_of(conn, ids).await?;
    let mut order_ids: Vec<Uuid> = rows.iter().map(|(order, ..)| *order).collect();
    order_ids.dedup();
    let orders = orders::get_all(conn, &order_ids).await?;
    Ok(orders
        .iter()
        .flat_map(|order| order.parcels.iter().map(|parcel| (order.id, parcel.clone())))
        .filter(|(_, parcel)| ids.contains(&parcel.id))
        .collect())
}
