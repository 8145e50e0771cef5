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
use crate::store::{StoreError, each};

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

/// Writes what differs between orders as they were locked and as they are now: pairs of both.
///
/// # Errors
/// [`StoreError`].
pub async fn save_all(conn: &mut PgConnection, pairs: &[(&Order, &Order)]) -> Result<(), StoreError> {
    let parcels = |new: bool| {
        pairs.iter().flat_map(move |(before, after)| {
            let parcels = after.parcels.iter().map(|parcel| (after.id, parcel));
            parcels.filter(move |(_, parcel)| match before.parcel(parcel.id) {
                None => new,
                Some(old) => !new && old != *parcel,
            })
        })
    };
    insert_parcels(conn, &parcels(true).collect::<Vec<_>>()).await?;
    update_parcels(
        conn,
        &parcels(false).map(|(_, parcel)| parcel).collect::<Vec<_>>(),
    )
    .await?;
    let lines = pairs.iter().flat_map(|(before, after)| {
        let lines = after.lines.iter();
        lines.filter(|line| before.line(line.id) != Some(*line))
    });
    update_lines(conn, &lines.collect::<Vec<_>>()).await?;
    for (_, after) in pairs
        .iter()
        .filter(|(before, after)| before.address != after.address)
    {
        sqlx::query("UPDATE customer_order SET address = $2 WHERE id = $1")
            .bind(after.id)
            .bind(Json(&after.address))
            .execute(&mut *conn)
            .await?;
    }
    let orders = pairs
        .iter()
        .filter(|(before, after)| before.version != after.version || before.payable_id != after.payable_id);
    update_orders(conn, &orders.map(|(_, after)| *after).collect::<Vec<_>>()).await
}

async fn update_orders(conn: &mut PgConnection, orders: &[&Order]) -> Result<(), StoreError> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE customer_order o SET payable_id = n.payable_id, updated_at = n.updated_at, version = n.version
         FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::bigint[]) AS n (id, payable_id, updated_at, version)
         WHERE o.id = n.id",
    )
    .bind(each(orders, |order| order.id))
    .bind(each(orders, |order| order.payable_id))
    .bind(each(orders, |order| order.updated_at))
    .bind(each(orders, |order| order.version))
    .execute(conn)
    .await?;
    Ok(())
}

async fn update_lines(conn: &mut PgConnection, lines: &[&Line]) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE order_line l SET state = n.state, state_since = n.state_since, clue = n.clue, proof = n.proof, evidence_ids = n.evidence_ids,
            office_id = n.office_id, deadline = n.deadline, paid_at = n.paid_at, path = n.path, assigned_to = n.assigned_to,
            act_id = n.act_id, document = n.document, withdrawing = n.withdrawing, produced_at = n.produced_at,
            looked_by = n.looked_by, signed_by = n.signed_by, parcel_id = n.parcel_id, answer = n.answer, end_reason = n.end_reason,
            refunded_centimes = n.refunded_centimes, refund_failed = n.refund_failed, alerted = n.alerted,
            confirmed_act = n.confirmed_act
         FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[], $5::text[], $6::jsonb[], $7::uuid[], $8::timestamptz[],
            $9::timestamptz[], $10::text[], $11::uuid[], $12::uuid[], $13::jsonb[], $14::text[], $15::timestamptz[], $16::uuid[],
            $17::uuid[], $18::uuid[], $19::jsonb[], $20::text[], $21::bigint[], $22::bool[], $23::text[], $24::uuid[])
            AS n (id, state, state_since, clue, proof, evidence_ids, office_id, deadline, paid_at, path, assigned_to, act_id, document,
            withdrawing, produced_at, looked_by, signed_by, parcel_id, answer, end_reason, refunded_centimes, refund_failed, alerted,
            confirmed_act)
         WHERE l.id = n.id",
    )
    .bind(each(lines, |line| line.id))
    .bind(each(lines, |line| line.state.as_str()))
    .bind(each(lines, |line| line.state_since))
    .bind(each(lines, |line| Json(&line.clue)))
    .bind(each(lines, |line| line.proof.as_str()))
    .bind(each(lines, |line| Json(&line.evidence_ids)))
    .bind(each(lines, |line| line.office_id))
    .bind(each(lines, |line| line.deadline))
    .bind(each(lines, |line| line.paid_at))
    .bind(each(lines, |line| line.path.map(Path::as_str)))
    .bind(each(lines, |line| line.assigned_to))
    .bind(each(lines, |line| line.act_id))
    .bind(each(lines, |line| line.document.as_ref().map(|document| Json(DocumentJson::of(document)))))
    .bind(each(lines, |line| line.withdrawing.map(EndReason::as_str)))
    .bind(each(lines, |line| line.production.map(|production| production.produced_at)))
    .bind(each(lines, |line| line.production.and_then(|production| production.looked_by)))
    .bind(each(lines, |line| line.production.and_then(|production| production.signed_by)))
    .bind(each(lines, |line| line.parcel_id))
    .bind(each(lines, |line| line.answer.as_ref().map(|answer| Json(AnswerJson::of(answer)))))
    .bind(each(lines, |line| line.end_reason.map(EndReason::as_str)))
    .bind(each(lines, |line| line.refunded_centimes))
    .bind(each(lines, |line| line.refund_failed))
    .bind(each(lines, |line| line.alerted.map(Alert::as_str)))
    .bind(each(lines, |line| line.confirmed_act))
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_parcels(conn: &mut PgConnection, parcels: &[(Uuid, &Parcel)]) -> Result<(), StoreError> {
    if parcels.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO parcel (id, order_id, office_id, created_at, address, shipment_state, shipment_sequence, attempts, exception_code)
         SELECT *, '', 0, 0, '' FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::jsonb[])",
    )
    .bind(each(parcels, |(_, parcel)| parcel.id))
    .bind(each(parcels, |(order, _)| *order))
    .bind(each(parcels, |(_, parcel)| parcel.office_id))
    .bind(each(parcels, |(_, parcel)| parcel.created_at))
    .bind(each(parcels, |(_, parcel)| Json(&parcel.address)))
    .execute(conn)
    .await?;
    Ok(())
}

async fn update_parcels(conn: &mut PgConnection, parcels: &[&Parcel]) -> Result<(), StoreError> {
    if parcels.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE parcel p SET shipment_id = n.shipment_id, tracking_number = n.tracking_number, hand_over_at = n.hand_over_at,
            deposit_list_id = n.deposit_list_id, shipment_state = n.shipment_state, shipment_sequence = n.shipment_sequence,
            attempts = n.attempts, held_until = n.held_until, exception_code = n.exception_code, heard_at = n.heard_at,
            address_faults = n.address_faults, address = n.address
         FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::text[], $7::bigint[], $8::int[], $9::date[],
            $10::text[], $11::timestamptz[], $12::jsonb[], $13::jsonb[])
            AS n (id, shipment_id, tracking_number, hand_over_at, deposit_list_id, shipment_state, shipment_sequence, attempts, held_until,
            exception_code, heard_at, address_faults, address)
         WHERE p.id = n.id",
    )
    .bind(each(parcels, |parcel| parcel.id))
    .bind(each(parcels, |parcel| parcel.shipment_id))
    .bind(each(parcels, |parcel| parcel.tracking_number.as_deref()))
    .bind(each(parcels, |parcel| parcel.hand_over_at))
    .bind(each(parcels, |parcel| parcel.deposit_list_id))
    .bind(each(parcels, |parcel| parcel.shipment_state.as_str()))
    .bind(each(parcels, |parcel| parcel.shipment_sequence))
    .bind(each(parcels, |parcel| parcel.attempts))
    .bind(each(parcels, |parcel| parcel.held_until))
    .bind(each(parcels, |parcel| parcel.exception_code.as_str()))
    .bind(each(parcels, |parcel| parcel.heard_at))
    .bind(each(parcels, |parcel| Json(&parcel.address_faults)))
    .bind(each(parcels, |parcel| Json(&parcel.address)))
    .execute(conn)
    .await?;
    Ok(())
}
