//! An owner's payables in the order of their opening.

use crate::app::{App, AppError};
use crate::domain::book::Book;
use crate::store::books::{self, Span};

/// A page of them.
///
/// # Errors
/// [`AppError::Store`].
pub async fn list_payables(app: &App, owner: &str, span: Span) -> Result<Vec<Book>, AppError> {
    let mut conn = app.pool.acquire().await?;
    Ok(books::list(&mut conn, owner, span).await?)
}
