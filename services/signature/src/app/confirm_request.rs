//! The citizen's confirmation is used up and kept, and the request goes to the office or waits for its fee.

use std::sync::Arc;

use chrono::Datelike;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::{Assurance, Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::idempotent::{self, Prepared};
use crate::app::view::{self, Encode, RequestView};
use crate::app::{App, AppError, authorise, confirmation_subject, create_request, fees, get_request, write};
use crate::clients::identity::{ConfirmationRecord, Office, Purpose, Redemption};
use crate::domain::confirmation_subject::ConfirmationSubject;
use crate::domain::person::Signer;
use crate::domain::receipt::{self, Receipt};
use crate::domain::request::{Confirmation, LegalisationRequest};
use crate::domain::state::State;
use crate::store::receipts;

/// Uses the confirmation. SIGNATURE_PLACED → SUBMITTED, or AWAITING_PAYMENT where a fee is due
///
/// # Errors
/// [`AppError`]: `PERSON_NOT_PROVED`, `SPECIMEN_MISSING`, `OFFICE_NOT_OPEN`, or what identity says of the confirmation.
pub async fn confirm_request(
    app: &Arc<App>,
    caller: &Caller,
    command: &Command,
    request_id: Uuid,
    confirmation_id: Uuid,
    encode: Encode<RequestView>,
) -> Result<Vec<u8>, AppError> {
    authorise::citizen(caller)?;
    let prepared = idempotent::prepare(
        app,
        command,
        Box::pin(gather(app, caller, request_id, confirmation_id)),
    )
    .await?;
    let (mut transaction, gathered) = match prepared {
        Prepared::New(transaction, gathered) => (transaction, gathered),
        Prepared::Done(response) => return Ok(response),
    };
    let request = get_request::lock_own(&mut transaction, caller, request_id).await?;
    // The confirmation covers the request as it was read: one that has changed since needs another.
    if request.version != gathered.version {
        return Err(AppError::Stale);
    }
    let office = gathered.office.clone();
    let request = confirm(&mut transaction, app, caller, request, gathered).await?;
    let request = file(&mut transaction, app, request, &office).await?;
    let waits = request.state == State::AwaitingPayment;
    let view = view::of(&mut transaction, request).await?;
    let response = idempotent::finish(transaction, command, encode(&view)).await?;
    if waits {
        fees::ask_soon(app, request_id);
    }
    Ok(response)
}

/// What other services say, before the transaction.
struct Gathered {
    version: i64,
    subject: ConfirmationSubject,
    office: Office,
    signer: Signer,
    record: ConfirmationRecord,
}

async fn gather(
    app: &App,
    caller: &Caller,
    request_id: Uuid,
    confirmation_id: Uuid,
) -> Result<Gathered, AppError> {
    check_proved(app, caller).await?;
    let (request, subject) = confirmation_subject::present(app, caller, request_id).await?;
    let office = create_request::open_office(app, request.opening.office_id).await?;
    let signer = app.identity.person(caller.person_id).await?;
    // Last, because it uses the confirmation up. The request id does not depend on the caller's: whoever repeats the call
    // after a crash, in whatever way, gets the same record again.
    let redemption = Redemption {
        request_id: authorise::derived_request_id(
            "wathiq.signature.confirm",
            &[request_id.as_bytes(), confirmation_id.as_bytes()],
        ),
        confirmation_id,
        person_id: caller.person_id,
        purpose: Purpose::Legalise,
        hashes: vec![subject.hash()],
    };
    let record = app.identity.redeem(redemption).await?;
    Ok(Gathered {
        version: request.version,
        subject,
        office,
        signer,
        record,
    })
}

/// Only proved persons confirm. A token made before the proof does not know of it yet: then identity does.
async fn check_proved(app: &App, caller: &Caller) -> Result<(), AppError> {
    if caller.assurance == Assurance::Proved {
        return Ok(());
    }
    let now = app
        .identity
        .authorization(caller.person_id, caller.session_id)
        .await?;
    if !now.session_live {
        return Err(AppError::Denied {
            reason: "SESSION_ENDED",
            description: "the session has ended",
        });
    }
    if now.proved {
        return Ok(());
    }
    Err(AppError::refused(
        "PERSON_NOT_PROVED",
        caller.person_id,
        "identity has not been proved yet",
    ))
}

async fn confirm(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    request: LegalisationRequest,
    gathered: Gathered,
) -> Result<LegalisationRequest, AppError> {
    let record = gathered.record;
    let details = json!({
        "confirmation_id": record.confirmation_id,
        "method": record.method,
        "specimen_version": gathered.subject.specimen_version,
    });
    let confirmation = Confirmation {
        confirmation_id: record.confirmation_id,
        method: record.method,
        confirmed_at: record.confirmed_at,
        jws: record.jws,
        subject_hash: gathered.subject.hash(),
        specimen_version: gathered.subject.specimen_version,
        signer: gathered.signer,
    };
    let (request, fact) = request.confirm(confirmation, app.ambient.now())?;
    write::record(conn, &app.ambient, &request, &fact).await?;
    write::audit(
        conn,
        &app.ambient,
        caller,
        "legalisation_request.confirm",
        &request,
        details,
    )
    .await?;
    Ok(request)
}

async fn file(
    conn: &mut PgConnection,
    app: &App,
    request: LegalisationRequest,
    office: &Office,
) -> Result<LegalisationRequest, AppError> {
    let now = app.ambient.now();
    let (request, fact) = if request.opening.fee_centimes > 0 {
        let (request, fact) = request.await_payment(&app.requests.lifetimes(), now)?;
        fees::await_payment(conn, &request, &office.code, now).await?;
        (request, fact)
    } else {
        let today = civil_date(now);
        let sequence = receipts::next(conn, office.id, today.year()).await?;
        let receipt = Receipt {
            number: receipt::number(&office.code, today.year(), sequence),
            submitted_at: now,
            expected_on: receipt::expected_on(
                today,
                app.requests.expected_working_days,
                &app.requests.holidays,
            ),
        };
        request.submit(receipt, now)?
    };
    write::record(conn, &app.ambient, &request, &fact).await?;
    Ok(request)
}
