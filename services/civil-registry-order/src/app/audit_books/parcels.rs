//! Parcels equal handed-over lines.

use std::collections::HashSet;

use sqlx::PgPool;
use uuid::Uuid;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use super::{PAGE, Report};
use crate::app::AppError;
use crate::clients::failure;
use crate::clients::postal_shipping::{PostalShipping, SERVICE};
use crate::store::books::{self, ParcelBook};

pub(super) async fn audit(
    pool: &PgPool,
    postal: &PostalShipping,
    report: &mut Report,
) -> Result<(), AppError> {
    let mut seen: HashSet<Uuid> = HashSet::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListShipmentsRequest {
            page_token,
            ..Default::default()
        };
        let page = postal.shipments().list_shipments(request).await;
        let page = page.map_err(failure(SERVICE, "shipments"))?.into_inner();
        let ids: Vec<Uuid> = page
            .shipments
            .iter()
            .filter_map(|shipment| Uuid::try_parse(&shipment.owner_reference).ok())
            .collect();
        let found = {
            let mut conn = pool.acquire().await?;
            books::parcels(&mut conn, &ids).await?
        };
        for shipment in &page.shipments {
            report.checked.shipments += 1;
            let book = found
                .iter()
                .find(|book| book.id.to_string() == shipment.owner_reference);
            match book {
                Some(book) => check(report, shipment, book),
                None => {
                    report.differ(
                        "SHIPMENT_OF_NO_PARCEL",
                        "shipment",
                        &shipment.shipment_id,
                        "a parcel",
                        "none",
                    );
                }
            }
        }
        seen.extend(ids);
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    known_to_post(pool, &seen, report).await
}

fn check(report: &mut Report, shipment: &pb::Shipment, book: &ParcelBook) {
    report.checked.parcels += 1;
    let ours = book.shipment_id.map(|id| id.to_string()).unwrap_or_default();
    if ours != shipment.shipment_id {
        report.differ("SHIPMENT_DIFFERS", "parcel", book.id, ours, &shipment.shipment_id);
    }
    let posted = !matches!(
        shipment.state(),
        pb::ShipmentState::LabelPrinted | pb::ShipmentState::Cancelled
    );
    let (here, there) = if posted {
        (book.waiting == 0 && book.posted > 0, "at the post")
    } else {
        (book.posted == 0 && book.waiting > 0, "at the office")
    };
    if !here {
        let found = format!("{} lines posted, {} waiting", book.posted, book.waiting);
        report.differ("PARCEL_DIFFERS", "parcel", book.id, there, found);
    }
}

async fn known_to_post(pool: &PgPool, seen: &HashSet<Uuid>, report: &mut Report) -> Result<(), AppError> {
    let mut after = Uuid::nil();
    loop {
        let page = {
            let mut conn = pool.acquire().await?;
            books::shipped(&mut conn, after, PAGE).await?
        };
        let Some(last) = page.last() else { return Ok(()) };
        after = *last;
        for parcel_id in page.iter().filter(|id| !seen.contains(id)) {
            report.differ("SHIPMENT_MISSING", "parcel", parcel_id, "a shipment", "none");
        }
    }
}
