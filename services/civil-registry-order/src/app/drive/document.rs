//! Documents drawn from digitised acts: drawn, kept, and given to signature.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;
use wathiq_chassis::CallContext;

use super::{CALL, Hindrance};
use crate::app::change::{self, Changes};
use crate::app::draw_document::{self, Drawing};
use crate::app::{App, AppError};
use crate::clients::ClientError;
use crate::clients::identity::Person;
use crate::clients::signature::Deposit;
use crate::documents::{self, DrawError};
use crate::domain::kind::SealMode;
use crate::domain::order::line::Line;
use crate::domain::state::LineState;
use crate::store::orders;
use crate::store::outward::{self, Task};

/// What became of a task.
enum Outcome {
    /// The line wants no document any more.
    Moot,
    /// It cannot be drawn, or not be taken: in a word, why.
    Failed(&'static str),
    /// Key of its file, and id and digest at signature where it is to be sealed there.
    Deposited(String, Option<(Uuid, [u8; 32])>),
}

/// Draws the documents of lines of one order and, where they are to be sealed, gives them to signature. What hinders one keeps the others back no
/// longer than it takes; gives those that were hindered.
pub(super) async fn deposit(
    app: &App,
    order_id: Uuid,
    tasks: &[Task],
) -> Result<Vec<(Task, Arc<Hindrance>)>, Hindrance> {
    let mut hindered = Vec::new();
    let mut outcomes = Vec::with_capacity(tasks.len());
    for (task, drawing) in gather(app, order_id, tasks).await? {
        let outcome = match drawing {
            None => Ok(Outcome::Moot),
            Some(Err(reason)) => Ok(Outcome::Failed(reason)),
            Some(Ok(wanted)) => {
                let context = CallContext::new(CALL, task.id.to_string());
                context.scope(Box::pin(deposit_one(app, task, wanted))).await
            }
        };
        match outcome {
            Ok(outcome) => outcomes.push((task, outcome)),
            Err(hindrance) => hindered.push((task, Arc::new(hindrance))),
        }
    }
    settle(app, order_id, &outcomes).await?;
    Ok(hindered)
}

type Gathered = (Task, Option<Result<Wanted, &'static str>>);

/// A document that a line wants.
struct Wanted {
    drawing: Drawing,
    /// The line is ending: what was not drawn yet is wanted by nobody.
    ending: bool,
}

/// Nothing for a line that wants no document any more.
async fn gather(app: &App, order_id: Uuid, tasks: &[Task]) -> Result<Vec<Gathered>, Hindrance> {
    let mut conn = app.pool.acquire().await?;
    let order = orders::get(&mut conn, order_id).await?;
    let order = order.ok_or_else(|| AppError::not_found("order", order_id))?;
    let wanted = |task: &Task| {
        let line = order.line(task.subject);
        line.filter(|line| line.state == LineState::InProduction && line.document.is_some())
    };
    let lines: Vec<&Line> = tasks.iter().filter_map(wanted).collect();
    let mut drawings = draw_document::gather(&mut conn, &order, &lines)
        .await?
        .into_iter();
    let gathered = |task: &Task| {
        let drawing = wanted(task).and_then(|line| Some((line.withdrawing.is_some(), drawings.next()?)));
        let wanted = drawing.map(|(ending, drawing)| {
            Ok(Wanted {
                drawing: drawing?,
                ending,
            })
        });
        (*task, wanted)
    };
    Ok(tasks.iter().map(gathered).collect())
}

async fn deposit_one(app: &App, task: Task, wanted: Wanted) -> Result<Outcome, Hindrance> {
    let Wanted { drawing, ending } = wanted;
    let (kind, office_id, seal_mode) = (drawing.kind.clone(), drawing.office_id, drawing.seal_mode);
    let (verification_code, signing_officer) = (drawing.verification_code.clone(), drawing.prepared_by);
    let key = draw_document::key(task.id);
    // A file is kept before it is sent: without one, signature knows nothing that would have to be taken back.
    if ending && !app.objects.exists(&key).await.map_err(AppError::from)? {
        return Ok(Outcome::Moot);
    }
    let Some(pdf) = Box::pin(drawn_once(app, &key, drawing)).await? else {
        return Ok(Outcome::Failed("DOCUMENT_NOT_DRAWN"));
    };
    if seal_mode == SealMode::ByHand {
        return Ok(Outcome::Deposited(key, None));
    }
    let deposit = Deposit {
        request_id: task.id,
        office_id,
        kind: kind.code,
        line_id: task.subject,
        signing_officer,
        seal_mode,
        verification_code: verification_code.unwrap_or_default(),
        title: [kind.name_ar, kind.name_fr, kind.name_en],
        pdf,
    };
    match app.signature.deposit(deposit).await {
        Ok(deposited) => Ok(Outcome::Deposited(
            key,
            Some((deposited.issued_document_id, deposited.digest)),
        )),
        // The same code would be refused again: the officer has it drawn anew, with another.
        Err(error) if error.reason().as_deref() == Some("VERIFICATION_CODE_TAKEN") => {
            Ok(Outcome::Failed("VERIFICATION_CODE_TAKEN"))
        }
        Err(error) if error.is_final() => {
            tracing::warn!(
                event = "document.not_taken",
                error = wathiq_chassis::status::chain(&error),
                "signature does not take a document"
            );
            Ok(Outcome::Failed("DOCUMENT_NOT_TAKEN"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes down what became of tasks, all at once.
async fn settle(app: &App, order_id: Uuid, outcomes: &[(Task, Outcome)]) -> Result<(), Hindrance> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let mut transaction = app.pool.begin().await?;
    let mut changes = Changes::lock(&mut transaction, app, &[order_id]).await?;
    let mut ended = Vec::with_capacity(outcomes.len());
    for (task, outcome) in outcomes {
        let refused = match outcome {
            Outcome::Moot => None,
            Outcome::Failed(reason) => {
                changes.change(order_id, |work| work.deposit_failed(task.subject, reason))?;
                Some(*reason)
            }
            Outcome::Deposited(key, at_signature) => {
                changes.change(order_id, |work| work.deposited(task.subject, key, *at_signature))?;
                None
            }
        };
        ended.push((task.id, refused));
    }
    changes.write(&mut transaction).await?;
    outward::end_all(&mut transaction, &ended, app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
}

/// The file of a task: drawn the first time, and the same bytes at every repeat, whatever has been noted on the act since. Nothing where it
/// cannot be drawn.
async fn drawn_once(app: &App, key: &str, drawing: Drawing) -> Result<Option<Bytes>, Hindrance> {
    if app.objects.exists(key).await.map_err(AppError::from)? {
        return Ok(Some(app.objects.get(key).await.map_err(AppError::from)?));
    }
    let officer = match app.identity.officer(drawing.prepared_by).await {
        Ok(officer) => officer,
        Err(error) if error.is_final() => {
            tracing::warn!(
                event = "document.officer_unknown",
                error = wathiq_chassis::status::chain(&error),
                "identity does not tell who a document names"
            );
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    match draw(app, drawing, &officer).await {
        Ok(pdf) => {
            app.objects.put(key, pdf.clone()).await.map_err(AppError::from)?;
            Ok(Some(pdf))
        }
        Err(error) => {
            tracing::warn!(
                event = "document.not_drawn",
                error = wathiq_chassis::status::chain(&error),
                "a document cannot be drawn"
            );
            Ok(None)
        }
    }
}

/// Drawing keeps a processor busy: it is done on a thread of its own.
async fn draw(app: &App, drawing: Drawing, officer: &Person) -> Result<Bytes, DrawError> {
    let engine = Arc::clone(&app.engine);
    let officer = documents::Officer {
        latin: format!("{} {}", officer.given_latin, officer.family_latin),
        arabic: format!("{} {}", officer.given_arabic, officer.family_arabic),
    };
    let page = page_of(&drawing, &officer, &app.orders.verification_url)?;
    let (name, version) = (drawing.kind.template, drawing.version);
    if let Some(source) = &version.source {
        return Ok(app.aside.draw(source, version.drawn.form, page).await?.into());
    }
    let drawn = tokio::task::spawn_blocking(move || documents::render_brought(&engine, &name, page));
    match drawn.await {
        Ok(drawn) => drawn.map(Bytes::from),
        Err(_) => Err(DrawError::Interrupted),
    }
}

fn page_of(
    drawing: &Drawing,
    officer: &documents::Officer,
    verification_url: &str,
) -> Result<documents::Page, DrawError> {
    let code = drawing.verification_code.as_deref();
    let code = code.map(crate::domain::verification_code::shown);
    Ok(documents::Page::of(&documents::Drawing {
        act: &drawing.act,
        kind: &drawing.kind,
        language: drawing.language,
        office: &drawing.profile,
        registered_at: drawing.registered_at.as_ref(),
        version: &drawing.version,
        officer,
        seal_mode: drawing.seal_mode,
        at: drawing.at,
        reference: &drawing.reference,
        verification: code.as_deref().map(|code| (code, verification_url)),
        identifier: &drawing.identifier,
    })?)
}

/// Takes the document of a line back from signature.
pub(super) async fn withdraw(app: &App, task: Task) -> Result<(), Hindrance> {
    let order_id = task.order_id.unwrap_or_default();
    let issued = {
        let mut conn = app.pool.acquire().await?;
        let order = orders::get(&mut conn, order_id).await?;
        let order = order.ok_or_else(|| AppError::not_found("order", order_id))?;
        let document = order.line(task.subject).and_then(|line| line.document.clone());
        // Depositing comes before in the same row of tasks: what has no id was never taken by signature.
        document.and_then(|document| document.issued_document_id)
    };
    let sealed = match issued {
        None => false,
        Some(id) => match app.signature.withdraw(task.id, id).await {
            Ok(()) => false,
            Err(error) if error.reason().as_deref() == Some("DOCUMENT_SEALED") => true,
            // Its seal has failed, or it is gone: nothing is left that could be sealed.
            Err(error) if error.reason().as_deref() == Some("DOCUMENT_FAILED") => false,
            Err(ClientError::NotFound { .. }) => false,
            Err(error) => return Err(error.into()),
        },
    };
    let mut transaction = app.pool.begin().await?;
    change::change(&mut transaction, app, order_id, |work| {
        if sealed {
            work.withdrawal_refused(task.subject)
        } else {
            work.withdrawn(task.subject)
        }
    })
    .await?;
    outward::end(&mut transaction, task.id, None, app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
}
