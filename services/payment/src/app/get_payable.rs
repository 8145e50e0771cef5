//! One payable, for its owner or its payer.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::book::Book;
use crate::store::books;

/// How an owner names a payable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    Id(Uuid),
    Reference(String),
}

/// An owner's payable.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn of_owner(app: &App, owner: &str, name: &Name) -> Result<Book, AppError> {
    let mut conn = app.pool.acquire().await?;
    let (id, asked) = match name {
        Name::Id(id) => (Some(*id), id.to_string()),
        Name::Reference(reference) => {
            let id = books::id_of_reference(&mut conn, owner, reference).await?;
            (id, reference.clone())
        }
    };
    let book = match id {
        Some(id) => books::find(&mut conn, id).await?,
        None => None,
    };
    authorise::owned(book, owner, asked)
}

/// A payer's payable.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Denied`].
pub async fn of_payer(app: &App, caller: &Caller, id: Uuid) -> Result<Book, AppError> {
    let mut conn = app.pool.acquire().await?;
    let book = books::find(&mut conn, id).await?;
    authorise::payers(book, caller, id)
}
