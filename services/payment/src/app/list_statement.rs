//! What the providers themselves say of an owner's attempts, asked now.

use futures::stream::{self, StreamExt};
use uuid::Uuid;

use crate::app::ask::{self, Told};
use crate::app::{App, AppError};
use crate::domain::attempt::Attempt;
use crate::domain::provider::Status;
use crate::store::books::{self, Span};

/// Questions to providers at the same time.
const AT_ONCE: usize = 4;

/// What a provider says of one attempt.
#[derive(Debug, Clone)]
pub struct Entry {
    pub payable_id: Uuid,
    pub owner_reference: String,
    pub attempt: Attempt,
    pub said: Said,
}

/// What a provider said.
#[derive(Debug, Clone)]
pub enum Said {
    Status(Status),
    Unreadable,
    /// Nothing, about this attempt.
    Unanswered,
}

/// A page of them, in the order of the attempts' start. One about which its provider never answers keeps no other from being listed.
///
/// # Errors
/// [`AppError::Provider`] while a provider is down.
pub async fn list_statement(app: &App, owner: &str, span: Span) -> Result<Vec<Entry>, AppError> {
    let (ids, found) = {
        let mut conn = app.pool.acquire().await?;
        let ids = books::list_attempts(&mut conn, owner, span).await?;
        let payables: Vec<Uuid> = ids.iter().map(|(_, payable_id)| *payable_id).collect();
        let found = books::find_all(&mut conn, &payables).await?;
        (ids, found)
    };
    let asked: Vec<Asked> = ids
        .into_iter()
        .filter_map(|(attempt_id, payable_id)| {
            let book = found.iter().find(|book| book.payable.id == payable_id)?;
            Some(Asked {
                payable_id,
                owner_reference: book.payable.owner_reference.clone(),
                attempt: book.attempt(attempt_id)?.clone(),
            })
        })
        .collect();
    let heard: Vec<(Asked, Told)> = stream::iter(asked.into_iter().map(|asked| hear(app, asked)))
        .buffered(AT_ONCE)
        .collect()
        .await;
    ask::check_up(heard.iter().map(|(asked, told)| (asked.attempt.provider, told)))?;
    let entries = heard.into_iter().map(|(asked, told)| Entry {
        payable_id: asked.payable_id,
        owner_reference: asked.owner_reference,
        attempt: asked.attempt,
        said: match told {
            Told::Status(status) => Said::Status(status),
            Told::Unreadable => Said::Unreadable,
            Told::Unanswered | Told::Gone => Said::Unanswered,
        },
    });
    Ok(entries.collect())
}

/// An attempt whose provider is asked.
struct Asked {
    payable_id: Uuid,
    owner_reference: String,
    attempt: Attempt,
}

async fn hear(app: &App, asked: Asked) -> (Asked, Told) {
    let told = ask::ask(app, &asked.attempt).await;
    (asked, told)
}
