//! The browser comes back from a provider. It proves nothing: the provider is asked soon, and the payer is shown what stands.

use crate::app::{App, AppError, receive_callback, refused, write};
use crate::domain::book::Book;
use crate::domain::provider::Provider;
use crate::providers::{Posted, Told};

/// Verifies a return like a message, and changes no money.
///
/// # Errors
/// [`AppError::Invalid`] when it is not the provider's.
pub async fn receive_return(app: &App, provider: Provider, posted: &Posted<'_>) -> Result<Book, AppError> {
    let driver = receive_callback::driver(app, provider)?;
    let not_verified = || {
        AppError::invalid(
            "fields",
            "RETURN_NOT_VERIFIED",
            "what came back is not the provider's: look at the payment itself",
        )
    };
    let message = match driver.verify(posted) {
        Ok(message) => message,
        Err(unproven) => {
            refused::trace(app, provider, None, unproven.reason()).await?;
            return Err(not_verified());
        }
    };
    let mut transaction = app.pool.begin().await?;
    match receive_callback::lock(&mut transaction, provider, &message).await? {
        Ok((before, attempt_id)) => {
            let mut book = before.clone();
            let now = app.ambient.now();
            if matches!(message.outcome, Told::Success(_)) {
                book.returned(attempt_id, now);
            }
            book.look_soon(attempt_id, now, &app.policy);
            let book = write::record(&mut transaction, &app.ambient, &before, book, &[]).await?;
            transaction.commit().await?;
            Ok(book)
        }
        Err(refused) => {
            receive_callback::refuse(app, transaction, provider, refused).await?;
            Err(not_verified())
        }
    }
}
