//! What the providers themselves say of an owner's attempts, asked now.

use futures::stream::{self, StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::app::{App, AppError};
use crate::domain::attempt::Attempt;
use crate::domain::provider::Status;
use crate::providers::ProviderError;
use crate::store::books::{self, Span};

/// Questions to providers at the same time.
const AT_ONCE: usize = 4;

/// What a provider says of one attempt.
#[derive(Debug, Clone)]
pub struct Entry {
    pub payable_id: Uuid,
    pub owner_reference: String,
    pub attempt: Attempt,
    /// None where what the provider says cannot be read.
    pub status: Option<Status>,
}

/// A page of them, in the order of the attempts' start.
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
    stream::iter(asked.into_iter().map(|asked| entry(app, asked)))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// An attempt whose provider is asked.
struct Asked {
    payable_id: Uuid,
    owner_reference: String,
    attempt: Attempt,
}

async fn entry(app: &App, asked: Asked) -> Result<Entry, AppError> {
    let provider = asked.attempt.provider;
    let down = |source| AppError::Provider { provider, source };
    let driver = app.providers.get(provider).ok_or_else(|| down(None))?;
    let status = match driver.status(&asked.attempt).await {
        Ok(status) => Some(status),
        Err(ProviderError::Unreadable(_)) => None,
        Err(error) => return Err(down(Some(error))),
    };
    Ok(Entry {
        payable_id: asked.payable_id,
        owner_reference: asked.owner_reference,
        attempt: asked.attempt,
        status,
    })
}
