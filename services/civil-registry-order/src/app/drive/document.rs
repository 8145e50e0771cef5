//! Documents drawn from digitised acts: drawn, kept, and given to signature.

use std::sync::Arc;

use bytes::Bytes;

use super::Hindrance;
use crate::app::draw_document::{self, Drawing};
use crate::app::{App, AppError, change};
use crate::clients::identity::Person;
use crate::clients::signature::Deposit;
use crate::documents::{self, DrawError};
use crate::domain::kind::SealMode;
use crate::domain::state::LineState;
use crate::store::orders;
use crate::store::outward::{self, Task};

/// Draws the document of a line and, where it is to be sealed, gives it to signature.
pub(super) async fn deposit(app: &App, task: Task) -> Result<(), Hindrance> {
    let order_id = task.order_id.unwrap_or_default();
    let drawing = {
        let mut conn = app.pool.acquire().await?;
        let order = orders::get(&mut conn, order_id).await?;
        let order = order.ok_or_else(|| AppError::not_found("order", order_id))?;
        let line = order
            .line(task.subject)
            .filter(|line| line.state == LineState::InProduction);
        let Some(line) = line.filter(|line| line.document.is_some()) else {
            outward::end(&mut conn, task.id, None, app.ambient.now()).await?;
            return Ok(());
        };
        draw_document::gather(&mut conn, &order, line).await?
    };
    let drawing = match drawing {
        Ok(drawing) => drawing,
        Err(reason) => return fail(app, task, reason).await,
    };
    let (kind, office_id, seal_mode) = (drawing.kind.clone(), drawing.office_id, drawing.seal_mode);
    let (verification_code, signing_officer) = (drawing.verification_code.clone(), drawing.prepared_by);
    let key = draw_document::key(task.id);
    let Some(pdf) = drawn_once(app, &key, drawing).await? else {
        return fail(app, task, "DOCUMENT_NOT_DRAWN").await;
    };
    let at_signature = if seal_mode == SealMode::ByHand {
        None
    } else {
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
            Ok(deposited) => Some((deposited.issued_document_id, deposited.digest)),
            // The same code would be refused again: the officer has it drawn anew, with another.
            Err(error) if error.reason().as_deref() == Some("VERIFICATION_CODE_TAKEN") => {
                return fail(app, task, "VERIFICATION_CODE_TAKEN").await;
            }
            Err(error) if error.reason().as_deref() == Some("PDF_REFUSED") => {
                return fail(app, task, "DOCUMENT_NOT_TAKEN").await;
            }
            Err(error) => return Err(error.into()),
        }
    };
    let mut transaction = app.pool.begin().await?;
    change::change(&mut transaction, app, order_id, |work| {
        work.deposited(task.subject, &key, at_signature)
    })
    .await?;
    outward::end(&mut transaction, task.id, None, app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
}

/// The file of a task: drawn the first time, and the same bytes at every repeat, whatever has been noted on the act since. Nothing where it
/// cannot be drawn.
async fn drawn_once(app: &App, key: &str, drawing: Drawing) -> Result<Option<Bytes>, Hindrance> {
    if app.objects.exists(key).await.map_err(AppError::from)? {
        return Ok(Some(app.objects.get(key).await.map_err(AppError::from)?));
    }
    let officer = app.identity.officer(drawing.prepared_by).await?;
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

/// Drawing takes the better part of a second: it is done beside the others.
async fn draw(app: &App, drawing: Drawing, officer: &Person) -> Result<Bytes, DrawError> {
    let engine = Arc::clone(&app.engine);
    let address = app.orders.verification_url.clone();
    let officer = documents::Officer {
        latin: format!("{} {}", officer.given_latin, officer.family_latin),
        arabic: format!("{} {}", officer.given_arabic, officer.family_arabic),
    };
    let drawn = tokio::task::spawn_blocking(move || {
        let code = drawing
            .verification_code
            .as_deref()
            .map(crate::domain::verification_code::shown);
        let drawing = documents::Drawing {
            act: &drawing.act,
            kind: &drawing.kind,
            language: drawing.language,
            office: &drawing.profile,
            law: &drawing.law,
            officer: &officer,
            seal_mode: drawing.seal_mode,
            at: drawing.at,
            reference: &drawing.reference,
            verification: code.as_deref().map(|code| (code, address.as_str())),
            identifier: &drawing.identifier,
        };
        documents::render_document(&engine, &drawing)
    });
    match drawn.await {
        Ok(drawn) => drawn.map(Bytes::from),
        Err(_) => Err(DrawError::Interrupted),
    }
}

async fn fail(app: &App, task: Task, reason: &'static str) -> Result<(), Hindrance> {
    let mut transaction = app.pool.begin().await?;
    let order_id = task.order_id.unwrap_or_default();
    change::change(&mut transaction, app, order_id, |work| {
        work.deposit_failed(task.subject, reason)
    })
    .await?;
    outward::end(&mut transaction, task.id, Some(reason), app.ambient.now()).await?;
    transaction.commit().await?;
    Ok(())
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
