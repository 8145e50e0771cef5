//! Parcels are where their lines are.

use std::collections::HashSet;

use sqlx::PgPool;
use uuid::Uuid;

use super::Report;
use super::missing::Missing;
use crate::app::AppError;
use crate::clients::postal_shipping::{PostalShipping, ShipmentBook};
use crate::store::books::{self, Named, ParcelBook};

pub(super) async fn audit(
    pool: &PgPool,
    postal: &PostalShipping,
    report: &mut Report,
) -> Result<(), AppError> {
    let mut missing = Missing::new(pool, Named::Shipments, "SHIPMENT_MISSING", "parcel");
    let mut page_token = String::new();
    loop {
        let (shipments, next) = postal.list_shipments(page_token).await?;
        compare(pool, report, &shipments).await?;
        let listed: HashSet<Uuid> = shipments.iter().map(|shipment| shipment.id).collect();
        missing.follow(report, &listed, next.is_empty()).await?;
        if next.is_empty() {
            return Ok(());
        }
        page_token = next;
    }
}

async fn compare(pool: &PgPool, report: &mut Report, shipments: &[ShipmentBook]) -> Result<(), AppError> {
    let ids: Vec<Uuid> = shipments
        .iter()
        .filter_map(|shipment| Uuid::try_parse(&shipment.parcel).ok())
        .collect();
    let parcels = {
        let mut conn = pool.acquire().await?;
        books::parcels(&mut conn, &ids).await?
    };
    for shipment in shipments {
        report.checked.shipments += 1;
        let parcel = parcels
            .iter()
            .find(|parcel| parcel.id.to_string() == shipment.parcel);
        match parcel {
            Some(parcel) => check(report, shipment, parcel),
            None => report.differ(
                "SHIPMENT_OF_NO_PARCEL",
                "shipment",
                shipment.id,
                "a parcel",
                "none",
            ),
        }
    }
    Ok(())
}

fn check(report: &mut Report, shipment: &ShipmentBook, parcel: &ParcelBook) {
    if parcel.shipment_id != Some(shipment.id) {
        let ours = parcel.shipment_id.map_or("none".to_owned(), |id| id.to_string());
        report.differ("SHIPMENT_DIFFERS", "parcel", parcel.id, ours, shipment.id);
    }
    let contradicted = parcel.contradictory && parcel.shipment_state == shipment.state;
    let fits = |state: &String| {
        // What the post gave up as lost may turn up again; its money has gone back.
        matches!(state.as_str(), "REFUNDING" | "REFUNDED") && parcel.lost
            // What was delivered is said to be back, or the other way round: the parcel says so, and the office looks into it.
            || matches!(state.as_str(), "DELIVERED" | "RETURNED") && contradicted
            || state == expected(&shipment.state)
    };
    if parcel.states.is_empty() || !parcel.states.iter().all(fits) {
        let found = format!("{} with lines {}", shipment.state, parcel.states.join(", "));
        report.differ(
            "PARCEL_DIFFERS",
            "parcel",
            parcel.id,
            expected(&shipment.state),
            found,
        );
    }
}

/// The state of the lines in a shipment of this state.
fn expected(shipment: &str) -> &'static str {
    match shipment {
        "LABEL_PRINTED" | "CANCELLED" => "PRODUCED",
        "DELIVERED" => "DELIVERED",
        "RETURNED" => "RETURNED",
        "LOST" => "REFUNDED",
        _ => "HANDED_OVER",
    }
}
