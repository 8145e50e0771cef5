//! What is asked of postal-shipping.

use std::collections::BTreeMap;

use uuid::Uuid;
use wathiq_chassis::status::Violation;

use super::{Hindrance, LEASE};
use crate::app::change::{self, Changes};
use crate::app::{App, AppError};
use crate::clients::ClientError;
use crate::clients::postal_shipping::Sending;
use crate::domain::order::parcel::{ADDRESS_REFUSED, AddressFault};
use crate::store::offices::{self, HandOver};
use crate::store::orders;
use crate::store::outward::{self, Task};

/// Opens the shipment of a parcel.
pub(super) async fn create(app: &App, task: Task) -> Result<(), Hindrance> {
    let sending = {
        let mut conn = app.pool.acquire().await?;
        let found = orders::orders_of_parcels(&mut conn, &[task.subject]).await?;
        let (_, order_id) = *found
            .first()
            .ok_or_else(|| AppError::not_found("parcel", task.subject))?;
        let order = orders::get(&mut conn, order_id).await?;
        let order = order.ok_or_else(|| AppError::not_found("order", order_id))?;
        let parcel = order
            .parcel(task.subject)
            .ok_or_else(|| AppError::not_found("parcel", task.subject))?;
        let profile = offices::profile(&mut conn, parcel.office_id).await?;
        let profile = profile.ok_or(Hindrance::Missing("OFFICE_PROFILE_MISSING"))?;
        let sheets: i32 = order.lines_of(parcel.id).map(|line| i32::from(line.copies)).sum();
        Sending {
            request_id: task.id,
            parcel_id: parcel.id,
            office_id: parcel.office_id,
            sender_latin: profile.bureau_fr,
            sender_arabic: profile.bureau_ar,
            sender_address: profile.address,
            addressee: order.addressee.clone(),
            address: parcel.address.clone(),
            phone: order.applicant.phone.clone(),
            mandataries: order.mandataries.clone(),
            sheets: sheets.min(100),
        }
    };
    let order_id = task.order_id.unwrap_or_default();
    let shipment = match app.postal.create(sending).await {
        Ok(shipment) => shipment,
        Err(error) => return address_refused(app, task, order_id, error).await,
    };
    let mut transaction = app.pool.begin().await?;
    change::change(&mut transaction, app, order_id, |work| {
        work.shipment_created(task.subject, shipment.id, &shipment.tracking_number);
        Ok(())
    })
    .await?;
    outward::end(&mut transaction, task.id, None, app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
}

/// The field of a shipment that the citizen can correct.
const ADDRESS: &str = "addressee.address";

/// The citizen is asked for another address where it alone is refused; what is wrong with anything else is for others to mend, and asked again.
async fn address_refused(app: &App, task: Task, order_id: Uuid, error: ClientError) -> Result<(), Hindrance> {
    let violations = error.violations();
    if violations.is_empty() || !violations.iter().all(|wrong| wrong.field.starts_with(ADDRESS)) {
        return Err(error.into());
    }
    let fault = |wrong: Violation| AddressFault {
        field: wrong
            .field
            .trim_start_matches(ADDRESS)
            .trim_start_matches('.')
            .to_owned(),
        reason: wrong.reason,
    };
    let faults = violations.into_iter().map(fault).collect();
    let mut transaction = app.pool.begin().await?;
    change::change(&mut transaction, app, order_id, |work| {
        work.address_refused(task.subject, faults)
    })
    .await?;
    // What ended meanwhile asked with an address that may have been corrected since.
    let now = app.ambient.now();
    if outward::end(&mut transaction, task.id, Some(ADDRESS_REFUSED), now).await? {
        transaction.commit().await?;
    }
    Ok(())
}

/// Hands parcels to the post. Postal-shipping takes all or none: what it does not take is left out, and the rest handed over by a task of its own.
pub(super) async fn hand_over(app: &App, task: Task) -> Result<(), Hindrance> {
    let mut conn = app.pool.acquire().await?;
    let hand_over = offices::hand_over(&mut conn, task.subject).await?;
    let hand_over = hand_over.ok_or_else(|| AppError::not_found("hand_over", task.subject))?;
    let mut parcels = offices::parcels_of(&mut conn, &hand_over.parcel_ids).await?;
    drop(conn);
    parcels.retain(|(_, parcel, _)| !hand_over.refused.contains_key(parcel));
    let shipments: Vec<Uuid> = parcels.iter().filter_map(|(_, _, shipment)| *shipment).collect();
    let answer = app
        .postal
        .hand_over(task.id, hand_over.office_id, &shipments, hand_over.person_id)
        .await;
    match answer {
        Ok(list) => taken(app, task, &parcels, list).await,
        Err(error @ (ClientError::Refused { .. } | ClientError::NotFound { .. })) => {
            let reason = error.reason().unwrap_or_else(|| "REFUSED".to_owned());
            let refused = refused(app, &parcels, &reason).await?;
            match leave_out(app, task, hand_over, &parcels, &refused, &reason).await? {
                Some(next) => Box::pin(self::hand_over(app, next)).await,
                None => Ok(()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

type Scanned = (Uuid, Uuid, Option<Uuid>);

async fn taken(app: &App, task: Task, parcels: &[Scanned], list: Uuid) -> Result<(), Hindrance> {
    let mut transaction = app.pool.begin().await?;
    let ids: Vec<Uuid> = parcels.iter().map(|(order, ..)| *order).collect();
    let mut changes = Changes::lock(&mut transaction, app, &ids).await?;
    for (order_id, parcel_id, _) in parcels {
        changes.change(*order_id, |work| work.handed_over(*parcel_id, Some(list)))?;
    }
    changes.write(&mut transaction).await?;
    offices::set_deposit_list(&mut transaction, task.subject, list).await?;
    outward::end(&mut transaction, task.id, None, app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
}

/// Which parcels postal-shipping cannot take, and why: it names the first alone. All of them where none explains the refusal.
async fn refused(app: &App, parcels: &[Scanned], reason: &str) -> Result<BTreeMap<Uuid, String>, Hindrance> {
    let mut refused = BTreeMap::new();
    for (_, parcel_id, _) in parcels {
        let why = match app.postal.of_parcel(*parcel_id).await {
            Ok(shipment) if shipment.state == "LABEL_PRINTED" => continue,
            Ok(shipment) if shipment.state == "CANCELLED" => "PARCEL_WITHDRAWN",
            Ok(_) => "ALREADY_HANDED_OVER",
            Err(ClientError::NotFound { .. }) => "BARCODE_UNKNOWN",
            Err(error) => return Err(error.into()),
        };
        refused.insert(*parcel_id, why.to_owned());
    }
    if refused.is_empty() {
        refused.extend(parcels.iter().map(|(_, parcel, _)| (*parcel, reason.to_owned())));
    }
    Ok(refused)
}

/// Takes the refused parcels out of a hand-over; gives the task for the rest, where there is a rest.
async fn leave_out(
    app: &App,
    task: Task,
    hand_over: HandOver,
    parcels: &[Scanned],
    refused: &BTreeMap<Uuid, String>,
    reason: &str,
) -> Result<Option<Task>, Hindrance> {
    let now = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    for (order_id, parcel_id, _) in parcels.iter().filter(|(_, id, _)| refused.contains_key(id)) {
        change::change(&mut transaction, app, *order_id, |work| {
            work.hand_over_refused(*parcel_id);
            Ok(())
        })
        .await?;
    }
    let mut all = hand_over.refused;
    all.extend(refused.clone());
    offices::set_refused(&mut transaction, hand_over.id, &all).await?;
    outward::end(&mut transaction, task.id, Some(reason), now).await?;
    let next = (refused.len() < parcels.len()).then(|| Task {
        id: app.ambient.uuid_v7(),
        attempts: 0,
        created_at: now,
        ..task
    });
    if let Some(next) = &next {
        outward::add(&mut transaction, next, Some(now + LEASE)).await?;
    }
    transaction.commit().await?;
    Ok(next)
}
