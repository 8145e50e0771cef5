//! An officer authorises seals: each request gets its register number, and everything its bytes depend on is frozen.

mod batch;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt};
use serde_json::json;
use sqlx::PgConnection;
use tracing::Instrument;
use uuid::Uuid;
use wathiq_chassis::{CallContext, Caller, civil_date};
use wathiq_outbox::Command;

use crate::app::freeze::{self, Act};
use crate::app::idempotent::{self, Begun};
use crate::app::seal_problem::SealProblem;
use crate::app::write::Subject;
use crate::app::{App, AppError, authorise, finish_seal, prepare_seal, write};
use crate::domain::commitment::Salt;
use crate::domain::document::Document;
use crate::domain::fact::RegisterNumber;
use crate::domain::intent::{IntentState, Phase, SealFile, SealIntent};
use crate::domain::register::{EntryState, RegisterEntry};
use crate::domain::request::LegalisationRequest;
use crate::domain::role::OFFICER;
use crate::domain::seal_facts::SealedFileKind;
use crate::domain::verification_code::VerificationCode;
use crate::store::{StoreError, claims, documents, intents, register, requests};
use batch::Batch;

/// Files prepared at the same time; the pool of PDF workers bounds them anyway.
const PREPARED_AT_ONCE: usize = 2;
/// How long a call waits for the digests at most.
const LONGEST_PREPARATION: Duration = Duration::from_secs(45);
/// What is kept of the call's time for answering it.
const TIME_TO_ANSWER: Duration = Duration::from_secs(4);

/// The name in the audit trail.
pub const ACTION: &str = "seal.authorise";

/// Which requests, and with which credential.
pub struct AuthoriseSeals {
    /// 1 to 200, distinct.
    pub request_ids: Vec<Uuid>,
    /// None: the officer's own whose certificate ends last.
    pub credential_id: Option<Uuid>,
}

/// What was authorised and what was not.
pub struct Authorised {
    /// In the order asked for. The digest is there, unless preparing takes longer than the call may, or has to be repeated: both go
    /// on without the caller, who finds the digest in the list of intents.
    pub intents: Vec<SealIntent>,
    pub problems: Vec<SealProblem>,
}

/// Authorises seals. AGENT_ACCEPTED → AWAITING_SIGNATURE for each request on its own; a repeat finds the same intents.
///
/// # Errors
/// [`AppError`] where nothing of the batch can be done; else each request's own problem stands in the answer.
pub async fn authorise_seals(
    app: &Arc<App>,
    caller: &Caller,
    command: &Command,
    asked: AuthoriseSeals,
) -> Result<Authorised, AppError> {
    authorise::staff(caller)?;
    let (mut problems, visible) = visible_requests(app, caller, &asked.request_ids).await?;
    let Some(office_id) = batch::one_office(&visible)? else {
        return Ok(Authorised {
            intents: Vec::new(),
            problems,
        });
    };
    authorise::live_role(app, caller, office_id, OFFICER).await?;
    check_request_id(app, command).await?;
    let gathered = batch::gather(app, caller, office_id, &visible, asked.credential_id).await?;
    let (ids, own_problems) = authorise_each(app, caller, &gathered, &visible).await?;
    problems.extend(own_problems);
    let preparing = app
        .tasks
        .spawn(prepare_all(Arc::clone(app), ids.clone()).in_current_span());
    if tokio::time::timeout(time_to_prepare(), preparing).await.is_err() {
        tracing::info!(
            event = "seal.preparing_goes_on",
            "a batch is still being prepared when its call is answered"
        );
    }
    let mut conn = app.pool.acquire().await?;
    let mut authorised = Vec::with_capacity(ids.len());
    for id in ids {
        authorised.extend(intents::find(&mut conn, id).await?);
    }
    Ok(Authorised {
        intents: authorised,
        problems,
    })
}

/// The request id is bound to this batch; the work itself is safe to repeat, so no response is stored.
pub(super) async fn check_request_id(app: &App, command: &Command) -> Result<(), AppError> {
    if let Begun::New(transaction) = idempotent::begin(app, command).await? {
        transaction.commit().await?;
    }
    Ok(())
}

async fn visible_requests(
    app: &App,
    caller: &Caller,
    ids: &[Uuid],
) -> Result<(Vec<SealProblem>, Vec<LegalisationRequest>), AppError> {
    let mut conn = app.pool.acquire().await?;
    let (mut problems, mut visible) = (Vec::new(), Vec::new());
    for id in ids {
        match requests::find(&mut conn, *id).await? {
            Some(request) if caller.holds(request.opening.office_id, OFFICER) => visible.push(request),
            _ => problems.push(SealProblem::of_request(
                *id,
                "LEGALISATION_REQUEST_NOT_FOUND",
                "the request is not known",
            )),
        }
    }
    Ok((problems, visible))
}

/// One request after the other. A number that is taken stands: what breaks the batch after the first is told of the requests that
/// were not done, and is the call's own error only where none was.
async fn authorise_each(
    app: &App,
    caller: &Caller,
    batch: &Batch,
    visible: &[LegalisationRequest],
) -> Result<(Vec<Uuid>, Vec<SealProblem>), AppError> {
    let (mut ids, mut problems) = (Vec::new(), Vec::new());
    for (done, request) in visible.iter().enumerate() {
        match authorise_or_trace(app, caller, batch, request.id).await {
            Ok(Ok(intent_id)) => ids.push(intent_id),
            Ok(Err(problem)) => problems.push(problem),
            Err(error) if ids.is_empty() => return Err(error),
            Err(error) => {
                let cause = wathiq_chassis::status::chain(&error);
                tracing::warn!(
                    event = "seal.batch_stopped",
                    error = cause,
                    "a batch is authorised in part"
                );
                let text = "the batch was interrupted before this request was authorised";
                let left = visible[done..].iter();
                problems.extend(
                    left.map(|request| SealProblem::of_request(request.id, "WORK_INTERRUPTED", text)),
                );
                break;
            }
        }
    }
    Ok((ids, problems))
}

/// Authorises a request; where four eyes stand against it, that leaves its trace.
async fn authorise_or_trace(
    app: &App,
    caller: &Caller,
    batch: &Batch,
    request_id: Uuid,
) -> Result<Result<Uuid, SealProblem>, AppError> {
    let authorised = authorise_one(app, caller, batch, request_id).await?;
    if let Err(problem) = &authorised
        && problem.reason == write::FOUR_EYES
    {
        let subject = Subject {
            aggregate: "legalisation_request",
            ids: &[request_id],
        };
        write::record_denial(app, caller, ACTION, subject, problem.reason).await?;
    }
    Ok(authorised)
}

/// One request, one transaction. The inner result is the request's own problem.
async fn authorise_one(
    app: &App,
    caller: &Caller,
    batch: &Batch,
    request_id: Uuid,
) -> Result<Result<Uuid, SealProblem>, AppError> {
    let asked_at = app.ambient.now();
    let mut transaction = app.pool.begin().await?;
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = request.ok_or(AppError::request_not_found(request_id))?;
    if let Some(standing) = request
        .seal
        .as_ref()
        .filter(|seal| seal.officer_id == caller.person_id)
    {
        return Ok(Ok(standing.intent_id));
    }
    if claims::held_by_other(&mut transaction, request_id, caller.person_id, asked_at).await? {
        let problem = SealProblem::of_request(
            request_id,
            "CLAIMED_BY_OTHER",
            "another officer works on the request",
        );
        return Ok(Err(problem));
    }
    let intent_id = app.ambient.uuid_v7();
    // The transition is tried before a number is taken: a refusal must not touch the register's lock.
    let probe = RegisterNumber { year: 0, number: 0 };
    if let Err(error) = request
        .clone()
        .authorise_seal(caller.person_id, intent_id, probe, asked_at)
    {
        return Ok(Err(SealProblem::of_transition(request_id, &error)));
    }
    let document = document_of(&mut transaction, &request).await?;
    register::lock(&mut transaction, batch.office_id).await?;
    // Read once, and only now: waiting for the lock may last beyond midnight, and year, number and printed date are one.
    let now = app.ambient.now();
    let year = chrono::Datelike::year(&civil_date(now));
    let number = register::take_number(&mut transaction, batch.office_id, year).await?;
    let number = RegisterNumber { year, number };
    let intent = frozen(app, batch, &request, &document, intent_id, number, now)?;
    let (request, fact) = request.authorise_seal(caller.person_id, intent_id, number, now)?;
    register::insert(&mut transaction, &entry_of(&intent)).await?;
    intents::insert(&mut transaction, &intent, now + finish_seal::FIRST_RETRY).await?;
    write::record(&mut transaction, &app.ambient, &request, &fact).await?;
    claims::remove(&mut transaction, request_id).await?;
    let details = json!({ "intent_id": intent_id, "register": [number.year, number.number] });
    write::audit(&mut transaction, &app.ambient, caller, ACTION, &request, details).await?;
    transaction.commit().await?;
    Ok(Ok(intent_id))
}

async fn document_of(conn: &mut PgConnection, request: &LegalisationRequest) -> Result<Document, AppError> {
    let id = request.opening.document_id;
    let found = documents::find(conn, id).await?;
    Ok(found.ok_or(StoreError::Inconsistent {
        table: "legalisation_request",
        column: "document_id",
        id: request.id,
    })?)
}

fn frozen(
    app: &App,
    batch: &Batch,
    request: &LegalisationRequest,
    document: &Document,
    intent_id: Uuid,
    register: RegisterNumber,
    now: DateTime<Utc>,
) -> Result<SealIntent, AppError> {
    let incomplete = |fact| {
        AppError::Store(StoreError::Inconsistent {
            table: "legalisation_request",
            column: fact,
            id: request.id,
        })
    };
    let code = VerificationCode::from_random(app.ambient.bytes());
    let kind = app.catalogue.kind(&request.opening.kind).ok_or_else(|| {
        AppError::refused(
            "KIND_UNKNOWN",
            &request.opening.kind,
            "the kind of document is no longer in the catalogue",
        )
    })?;
    let comparison = request.comparison.as_ref().ok_or(incomplete("agent_id"))?;
    let specimen_office = comparison.specimen_proof.office_id;
    let act = Act {
        settings: &app.seal,
        offices: &batch.offices,
        officer: &batch.officer,
        kind,
        specimen_office: specimen_office.and_then(|id| batch.specimen_offices.get(&id)),
        intent_id,
        register,
        code: &code,
        id_seeds: [app.ambient.bytes(), app.ambient.bytes()],
        now,
    };
    let (recipe, page_recipe) =
        freeze::recipes(&act, request, document).map_err(|missing| incomplete(missing.0))?;
    Ok(SealIntent {
        id: intent_id,
        request_id: request.id,
        office_id: batch.office_id,
        officer_id: batch.officer_id,
        agent_id: comparison.agent_id,
        applicant_id: request.opening.applicant_id,
        credential_id: batch.credential.id,
        state: IntentState::Open,
        register,
        date: civil_date(now),
        code,
        salt: Salt(app.ambient.bytes()),
        recipe,
        page_recipe,
        created_at: now,
        files: vec![SealFile {
            kind: SealedFileKind::Document,
            phase: Phase::Frozen,
            hindrance: None,
            attempts: 0,
        }],
    })
}

fn entry_of(intent: &SealIntent) -> RegisterEntry {
    RegisterEntry {
        office_id: intent.office_id,
        number: intent.register,
        date: intent.date,
        state: EntryState::Pending,
        annulment: None,
        request_id: intent.request_id,
        intent_id: intent.id,
    }
}

/// How long the caller can be kept waiting for the digests.
fn time_to_prepare() -> Duration {
    let left = CallContext::current().map_or(LONGEST_PREPARATION, |call| call.remaining());
    left.saturating_sub(TIME_TO_ANSWER).min(LONGEST_PREPARATION)
}

/// Prepares what is still frozen. What fails here keeps its number and is prepared by the job; the officer sees it without a
/// digest until then.
async fn prepare_all(app: Arc<App>, ids: Vec<Uuid>) {
    let app = &app;
    stream::iter(ids)
        .for_each_concurrent(PREPARED_AT_ONCE, |id| async move {
            if let Err(error) = prepare_seal::prepare(app, id).await {
                let error = wathiq_chassis::status::chain(&error);
                tracing::warn!(event = "seal.prepare_failed", intent_id = %id, error, "a seal is not prepared yet");
            }
        })
        .await;
}
