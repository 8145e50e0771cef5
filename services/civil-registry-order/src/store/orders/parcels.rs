//! Rows of parcels.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::order::parcel::{AddressFault, Parcel};
use crate::store::StoreError;

pub(crate) const COLUMNS: &str = "p.id, p.order_id, p.office_id, p.created_at, p.address, p.shipment_id, p.tracking_number, p.hand_over_at, p.deposit_list_id,
    p.shipment_state, p.shipment_sequence, p.attempts, p.held_until, p.exception_code, p.address_faults, p.heard_at";

#[derive(FromRow)]
pub(crate) struct ParcelRow {
    id: Uuid,
    pub(crate) order_id: Uuid,
    office_id: Uuid,
    created_at: DateTime<Utc>,
    address: Json<Address>,
    shipment_id: Option<Uuid>,
    tracking_number: Option<String>,
    hand_over_at: Option<DateTime<Utc>>,
    deposit_list_id: Option<Uuid>,
    shipment_state: String,
    shipment_sequence: i64,
    attempts: i32,
    held_until: Option<NaiveDate>,
    exception_code: String,
    address_faults: Json<Vec<AddressFault>>,
    heard_at: Option<DateTime<Utc>>,
}

impl From<ParcelRow> for Parcel {
    fn from(row: ParcelRow) -> Self {
        Self {
            id: row.id,
            office_id: row.office_id,
            created_at: row.created_at,
            address: row.address.0,
            shipment_id: row.shipment_id,
            tracking_number: row.tracking_number,
            hand_over_at: row.hand_over_at,
            deposit_list_id: row.deposit_list_id,
            shipment_state: row.shipment_state,
            shipment_sequence: row.shipment_sequence,
            attempts: row.attempts,
            held_until: row.held_until,
            exception_code: row.exception_code,
            address_faults: row.address_faults.0,
            heard_at: row.heard_at,
        }
    }
}

/// The parcels of orders, by order, oldest first.
pub(super) async fn of_orders(
    conn: &mut PgConnection,
    orders: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Parcel>>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM parcel p WHERE p.order_id = ANY($1) ORDER BY p.id");
    let rows: Vec<ParcelRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(orders)
        .fetch_all(conn)
        .await?;
    let mut parcels: HashMap<Uuid, Vec<Parcel>> = HashMap::new();
    for row in rows {
        parcels.entry(row.order_id).or_default().push(row.into());
    }
    Ok(parcels)
}
