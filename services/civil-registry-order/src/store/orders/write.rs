//! Writing orders: a new one whole, of an older one what has changed.

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::{AnswerJson, DocumentJson};
use crate::domain::clue::Clue;
use crate::domain::order::Order;
use crate::domain::order::line::Line;
use crate::domain::order::parcel::Parcel;
use crate::domain::state::{Alert, EndReason, Path};
use crate::store::StoreError;

/// Writes a new order with its lines; gives `false` where its reference is taken.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(conn: &mut PgConnection, order: &Order) -> Result<bool, StoreError> {
    let written = sqlx::query(
        "INSERT INTO customer_order (id, reference, person_id, applicant, addressee, address, mandataries, zone, total_centimes, pay_before,
            created_at, updated_at, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12) ON CONFLICT (reference) DO NOTHING",
    )
    .bind(order.id)
    .bind(order.reference.compact())
    .bind(order.person_id)
    .bind(Json(&order.applicant))
    .bind(Json(&order.addressee))
    .bind(Json(&order.address))
    .bind(Json(&order.mandataries))
    .bind(&order.zone)
    .bind(order.total_centimes)
    .bind(order.pay_before)
    .bind(order.created_at)
    .bind(order.version)
    .execute(&mut *conn)
    .await?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    insert_lines(conn, order).await?;
    Ok(true)
}

/// All lines in one statement.
async fn insert_lines(conn: &mut PgConnection, order: &Order) -> Result<(), StoreError> {
    let lines = &order.lines;
    let uuids = |get: fn(&Line) -> Uuid| lines.iter().map(get).collect::<Vec<_>>();
    let words = |get: fn(&Line) -> &str| lines.iter().map(get).collect::<Vec<_>>();
    let amounts = |get: fn(&Line) -> i64| lines.iter().map(get).collect::<Vec<_>>();
    let smalls = |get: fn(&Line) -> i16| lines.iter().map(get).collect::<Vec<_>>();
    let clues: Vec<Json<&Clue>> = lines.iter().map(|line| Json(&line.clue)).collect();
    let evidence: Vec<Json<&Vec<Uuid>>> = lines.iter().map(|line| Json(&line.evidence_ids)).collect();
    sqlx::query(
        "INSERT INTO order_line (order_id, state_since, deadline, refunded_centimes, refund_failed, id, ordinal, state, document_kind, kind_id,
            language, copies, clue, relation, proof, evidence_ids, office_id, amount, office_amount, post_amount, tax_amount, production_days,
            act_id)
         SELECT $1, $2, $3, 0, false, *
           FROM unnest($4::uuid[], $5::smallint[], $6::text[], $7::text[], $8::uuid[], $9::text[], $10::smallint[], $11::jsonb[],
            $12::text[], $13::text[], $14::jsonb[], $15::uuid[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[],
            $20::smallint[], $21::uuid[])",
    )
    .bind(order.id)
    .bind(order.created_at)
    .bind(order.pay_before)
    .bind(uuids(|line| line.id))
    .bind(smalls(|line| line.ordinal.into()))
    .bind(words(|line| line.state.as_str()))
    .bind(words(|line| &line.document_kind))
    .bind(uuids(|line| line.kind_id))
    .bind(words(|line| line.language.as_str()))
    .bind(smalls(|line| line.copies))
    .bind(clues)
    .bind(words(|line| line.relation.as_str()))
    .bind(words(|line| line.proof.as_str()))
    .bind(evidence)
    .bind(uuids(|line| line.office_id))
    .bind(amounts(|line| line.price.amount))
    .bind(amounts(|line| line.price.office))
    .bind(amounts(|line| line.price.post))
    .bind(amounts(|line| line.price.tax))
    .bind(smalls(|line| i16::try_from(line.production_days).unwrap_or(i16::MAX)))
    .bind(lines.iter().map(|line| line.act_id).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what differs between an order as it was locked and as it is now.
///
/// # Errors
/// [`StoreError`].
pub async fn save(conn: &mut PgConnection, before: &Order, after: &Order) -> Result<(), StoreError> {
    for parcel in &after.parcels {
        match before.parcel(parcel.id) {
            None => insert_parcel(conn, after.id, parcel).await?,
            Some(old) if old != parcel => update_parcel(conn, parcel).await?,
            Some(_) => {}
        }
    }
    for line in &after.lines {
        if before.line(line.id) != Some(line) {
            update_line(conn, line).await?;
        }
    }
    if before.address != after.address {
        sqlx::query("UPDATE customer_order SET address = $2 WHERE id = $1")
            .bind(after.id)
            .bind(Json(&after.address))
            .execute(&mut *conn)
            .await?;
    }
    if before.version != after.version || before.payable_id != after.payable_id {
        let sql = "UPDATE customer_order SET payable_id = $2, updated_at = $3, version = $4 WHERE id = $1";
        sqlx::query(sql)
            .bind(after.id)
            .bind(after.payable_id)
            .bind(after.updated_at)
            .bind(after.version)
            .execute(conn)
            .await?;
    }
    Ok(())
}

async fn update_line(conn: &mut PgConnection, line: &Line) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE order_line SET state = $2, state_since = $3, clue = $4, proof = $5, evidence_ids = $6, office_id = $7, deadline = $8,
            paid_at = $9, path = $10, assigned_to = $11, act_id = $12, document = $13, withdrawing = $14, produced_at = $15,
            looked_by = $16, signed_by = $17, parcel_id = $18, answer = $19, end_reason = $20, refunded_centimes = $21,
            refund_failed = $22, alerted = $23, confirmed_act = $24
         WHERE id = $1",
    )
    .bind(line.id)
    .bind(line.state.as_str())
    .bind(line.state_since)
    .bind(Json(&line.clue))
    .bind(line.proof.as_str())
    .bind(Json(&line.evidence_ids))
    .bind(line.office_id)
    .bind(line.deadline)
    .bind(line.paid_at)
    .bind(line.path.map(Path::as_str))
    .bind(line.assigned_to)
    .bind(line.act_id)
    .bind(line.document.as_ref().map(|document| Json(DocumentJson::of(document))))
    .bind(line.withdrawing.map(EndReason::as_str))
    .bind(line.production.map(|production| production.produced_at))
    .bind(line.production.and_then(|production| production.looked_by))
    .bind(line.production.and_then(|production| production.signed_by))
    .bind(line.parcel_id)
    .bind(line.answer.as_ref().map(|answer| Json(AnswerJson::of(answer))))
    .bind(line.end_reason.map(EndReason::as_str))
    .bind(line.refunded_centimes)
    .bind(line.refund_failed)
    .bind(line.alerted.map(Alert::as_str))
    .bind(line.confirmed_act)
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_parcel(conn: &mut PgConnection, order_id: Uuid, parcel: &Parcel) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO parcel (id, order_id, office_id, created_at, address, shipment_state, shipment_sequence, attempts, exception_code)
         VALUES ($1, $2, $3, $4, $5, '', 0, 0, '')",
    )
    .bind(parcel.id)
    .bind(order_id)
    .bind(parcel.office_id)
    .bind(parcel.created_at)
    .bind(Json(&parcel.address))
    .execute(conn)
    .await?;
    Ok(())
}

async fn update_parcel(conn: &mut PgConnection, parcel: &Parcel) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE parcel SET shipment_id = $2, tracking_number = $3, hand_over_at = $4, deposit_list_id = $5, shipment_state = $6,
            shipment_sequence = $7, attempts = $8, held_until = $9, exception_code = $10, heard_at = $11, address_faults = $12, address = $13
         WHERE id = $1",
    )
    .bind(parcel.id)
    .bind(parcel.shipment_id)
    .bind(&parcel.tracking_number)
    .bind(parcel.hand_over_at)
    .bind(parcel.deposit_list_id)
    .bind(&parcel.shipment_state)
    .bind(parcel.shipment_sequence)
    .bind(parcel.attempts)
    .bind(parcel.held_until)
    .bind(&parcel.exception_code)
    .bind(parcel.heard_at)
    .bind(Json(&parcel.address_faults))
    .bind(Json(&parcel.address))
    .execute(conn)
    .await?;
    Ok(())
}
