//! What notification needs to write to a person about a request.

use secrecy::SecretString;
use uuid::Uuid;

use crate::app::view::{self, RequestView};
use crate::app::{App, AppError, link};
use crate::clients::identity::Office;
use crate::domain::kind::RefusalReason;
use crate::domain::state::State;
use crate::store::{documents, requests};

/// Facts about a request at the time of asking.
pub struct MessageFacts {
    pub view: RequestView,
    pub office: Office,
    pub document_file_name: String,
    /// The catalogue's text for the reason of a refusal.
    pub refusal_reason: Option<RefusalReason>,
    /// Made for this message; only for a sealed request.
    pub link_token: Option<SecretString>,
}

/// Gathers the facts.
///
/// # Errors
/// [`AppError`].
pub async fn message_facts(app: &App, request_id: Uuid) -> Result<MessageFacts, AppError> {
    let (view, document_file_name) = {
        let mut conn = app.pool.acquire().await?;
        let request = requests::find(&mut conn, request_id)
            .await?
            .ok_or_else(|| AppError::request_not_found(request_id))?;
        let document_id = request.opening.document_id;
        let document = documents::find(&mut conn, document_id)
            .await?
            .ok_or(AppError::NotFound {
                resource: "document",
                id: document_id,
            })?;
        (view::of(&mut conn, request).await?, document.file_name)
    };
    let office = app.identity.office(view.request.opening.office_id).await?;
    let sealed = matches!(view.request.state, State::Sealed | State::Delivered);
    let link_token = if sealed {
        let mut transaction = app.pool.begin().await?;
        let token = link::create(&mut transaction, &app.ambient, request_id).await?;
        transaction.commit().await?;
        Some(token)
    } else {
        None
    };
    let code = view
        .request
        .refusal
        .as_ref()
        .map(|refusal| refusal.reason_code.as_str());
    let refusal_reason = code.and_then(|code| app.catalogue.refusal_reason(code)).cloned();
    Ok(MessageFacts {
        view,
        office,
        document_file_name,
        refusal_reason,
        link_token,
    })
}
