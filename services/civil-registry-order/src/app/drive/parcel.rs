//! What is asked of postal-shipping.

use uuid::Uuid;

use super::Hindrance;
use crate::app::{App, AppError, change};
use crate::clients::ClientError;
use crate::clients::postal_shipping::Sending;
use crate::store::outward::{self, Task};
use crate::store::{offices, orders};

/// Opens the shipment of a parcel.
pub(super) async fn create(app: &App, task: Task) -> Result<(), Hindrance> {
    let sending = {
        let mut conn = app.pool.acquire().await?;
        let order_id = orders::order_of_parcel(&mut conn, task.subject).await?;
        let order_id = order_id.ok_or_else(|| AppError::not_found("parcel", task.subject))?;
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
            address: order.address.clone(),
            phone: order.applicant.phone.clone(),
            mandataries: order.mandataries.clone(),
            sheets: sheets.min(100),
        }
    };
    let shipment = app.postal.create(sending).await?;
    let order_id = task.order_id.unwrap_or_default();
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

/// Hands parcels to the post.
pub(super) async fn hand_over(app: &App, task: Task) -> Result<(), Hindrance> {
    let mut conn = app.pool.acquire().await?;
    let hand_over = offices::hand_over(&mut conn, task.subject).await?;
    let hand_over = hand_over.ok_or_else(|| AppError::not_found("hand_over", task.subject))?;
    let parcels = offices::parcels_of(&mut conn, &hand_over.parcel_ids).await?;
    drop(conn);
    let shipments: Vec<Uuid> = parcels.iter().filter_map(|(_, _, shipment)| *shipment).collect();
    let answer = app
        .postal
        .hand_over(task.id, hand_over.office_id, &shipments, hand_over.person_id)
        .await;
    let (list, refusal) = match answer {
        Ok(list) => (Some(list), None),
        Err(error @ ClientError::Refused { .. }) => {
            (None, Some(error.reason().unwrap_or_else(|| "REFUSED".to_owned())))
        }
        Err(error) => return Err(error.into()),
    };
    let mut transaction = app.pool.begin().await?;
    for (order_id, parcel_id, _) in parcels {
        change::change(&mut transaction, app, order_id, |work| {
            if list.is_some() {
                work.handed_over(parcel_id, list)
            } else {
                work.hand_over_refused(parcel_id);
                Ok(())
            }
        })
        .await?;
    }
    if let Some(list) = list {
        offices::set_deposit_list(&mut transaction, task.subject, list).await?;
    }
    outward::end(&mut transaction, task.id, refusal.as_deref(), app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
}
