//! Who may do what here. A payable that is not the caller's is one that does not exist.

use wathiq_chassis::{Caller, Surface};

use crate::app::AppError;
use crate::domain::book::Book;

/// The book, if it was opened by this service.
///
/// # Errors
/// [`AppError::NotFound`].
pub fn owned(book: Option<Book>, owner: &str, asked: impl ToString) -> Result<Book, AppError> {
    book.filter(|book| book.payable.owner == owner)
        .ok_or_else(|| AppError::NotFound {
            id: asked.to_string(),
        })
}

/// The book, if this person is its payer.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Denied`].
pub fn payers(book: Option<Book>, caller: &Caller, asked: impl ToString) -> Result<Book, AppError> {
    if caller.surface == Surface::Staff {
        return Err(AppError::Denied {
            reason: "WRONG_SURFACE",
            description: "this call is not for sessions of this surface",
        });
    }
    book.filter(|book| book.payable.payer.person_id == caller.person_id)
        .ok_or_else(|| AppError::NotFound {
            id: asked.to_string(),
        })
}

/// The caller administers the platform, on the staff surface.
///
/// # Errors
/// [`AppError::Denied`].
pub fn administrator(caller: &Caller) -> Result<(), AppError> {
    if caller.surface != Surface::Staff {
        return Err(AppError::Denied {
            reason: "WRONG_SURFACE",
            description: "this call is not for sessions of this surface",
        });
    }
    if !caller.platform_administrator {
        return Err(AppError::Denied {
            reason: "ADMINISTRATOR_REQUIRED",
            description: "this call is for administrators of the platform",
        });
    }
    Ok(())
}
