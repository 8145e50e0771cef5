//! An administrator sets the fee for a kind of document from an instant on.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::idempotent::{self, Prepared};
use crate::app::{App, AppError, authorise, fees as payments, write};
use crate::domain::role;
use crate::events::records;
use crate::store::fees::{self, NewFee};

/// A fee to be set.
#[derive(Debug, Clone)]
pub struct SetFee {
    pub office_id: Uuid,
    pub kind: String,
    pub fee_centimes: i64,
    /// At once without it.
    pub from: Option<DateTime<Utc>>,
}

/// Sets the fee.
///
/// # Errors
/// [`AppError`]: `DOCUMENT_KIND_UNKNOWN`, `FROM_TIME_PAST`, `ROLE_MISSING`; an office the caller does not administer is not found.
pub async fn set_fee(
    app: &App,
    caller: &Caller,
    command: &Command,
    asked: SetFee,
    response: Vec<u8>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    if !caller.holds(asked.office_id, role::ADMINISTRATOR) {
        return Err(AppError::NotFound {
            resource: "office",
            id: asked.office_id,
        });
    }
    if app.catalogue.kind(&asked.kind).is_none() {
        let text = "must be a code of the catalogue";
        return Err(AppError::invalid("document_kind", "DOCUMENT_KIND_UNKNOWN", text));
    }
    if asked.fee_centimes > 0 && app.payment.is_none() {
        return Err(payments::not_configured());
    }
    let prepared = idempotent::prepare(
        app,
        command,
        authorise::live_role(app, caller, asked.office_id, role::ADMINISTRATOR),
    )
    .await?;
    let mut transaction = match prepared {
        Prepared::New(transaction, ()) => transaction,
        Prepared::Done(response) => return Ok(response),
    };
    let now = app.ambient.now();
    let valid_from = asked.from.unwrap_or(now);
    if valid_from < now {
        return Err(AppError::invalid(
            "from_time",
            "FROM_TIME_PAST",
            "a fee cannot begin in the past",
        ));
    }
    let fee = NewFee {
        office_id: asked.office_id,
        kind: asked.kind,
        fee_centimes: asked.fee_centimes,
        valid_from,
        set_by: caller.person_id,
    };
    let fee_id = app.ambient.uuid_v7();
    fees::add(&mut transaction, fee_id, &fee, now).await?;
    wathiq_outbox::append(&mut transaction, &app.ambient, records::fee_set(fee_id, &fee)).await?;
    let entry = AuditEntry {
        person_id: Some(caller.person_id),
        principal: &write::principal(caller),
        action: "fee.set",
        aggregate: "office",
        aggregate_id: fee.office_id,
        outcome: "done",
        reason: None,
        details: json!({ "kind": fee.kind, "fee_centimes": fee.fee_centimes, "valid_from": fee.valid_from }),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    idempotent::finish(transaction, command, response).await
}
