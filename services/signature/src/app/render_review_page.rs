//! Any page of a claimed request's document, with the signature as it will stand.

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise, render_page, review};
use crate::pdf::RenderJob;

/// Renders a page, or a region of one, for whoever holds the claim.
///
/// # Errors
/// [`AppError`].
pub async fn render_review_page(
    app: &App,
    caller: &Caller,
    request_id: Uuid,
    job: RenderJob,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    let (request, document) = review::claimed(app, caller, request_id).await?;
    render_page::check(&document, &job)?;
    let placement = request
        .placement
        .as_ref()
        .filter(|placement| placement.page_number == job.page_index + 1);
    let job = RenderJob {
        overlay: placement.and_then(review::overlay),
        ..job
    };
    render_page::render(app, &document, job).await
}
