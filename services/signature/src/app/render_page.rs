//! A page of the caller's document as a picture.

use uuid::Uuid;
use wathiq_chassis::{Caller, FieldViolation};

use crate::app::{App, AppError, authorise, get_document};
use crate::domain::document::{Document, PageSize};
use crate::pdf::{PdfError, RenderJob, ViewRectangle};

/// Tallest picture in pixels.
const TALLEST: f64 = 4_000.0;

/// Renders a page, or a region of one, as PNG.
///
/// # Errors
/// [`AppError`]: a page or region that is not there, a picture that would be too tall.
pub async fn render_page(
    app: &App,
    caller: &Caller,
    document_id: Uuid,
    job: RenderJob,
) -> Result<Vec<u8>, AppError> {
    authorise::citizen(caller)?;
    let document = get_document::own(app, caller, document_id).await?;
    check(&document, &job)?;
    render(app, &document, job).await
}

/// The page and the region are in the document, and the picture is not too tall.
pub(super) fn check(document: &Document, job: &RenderJob) -> Result<(), AppError> {
    let page = document
        .page(job.page_index + 1)
        .ok_or_else(|| AppError::invalid("page_number", "PAGE_UNKNOWN", "the document has no such page"))?;
    let mut violations = Vec::new();
    if job.region.is_some_and(|region| !lies_within(region, page)) {
        violations.push(FieldViolation::new(
            "region",
            "REGION_OUTSIDE_PAGE",
            "must lie within the page",
        ));
    }
    let (width, height) = job
        .region
        .map_or((page.width, page.height), |region| (region.width, region.height));
    if height * f64::from(job.width_pixels) > width * TALLEST {
        violations.push(FieldViolation::new(
            "width_pixels",
            "PICTURE_TOO_TALL",
            "the picture would be too tall",
        ));
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(AppError::Invalid(violations))
    }
}

fn lies_within(region: ViewRectangle, page: PageSize) -> bool {
    // Pages are measured in thousandths of a point elsewhere: a region up to the very edge is inside.
    const ROUNDING: f64 = 0.001;
    region.x >= 0.0
        && region.y >= 0.0
        && region.width > 0.0
        && region.height > 0.0
        && region.x + region.width <= page.width + ROUNDING
        && region.y + region.height <= page.height + ROUNDING
}

/// Has the picture made.
pub(super) async fn render(app: &App, document: &Document, job: RenderJob) -> Result<Vec<u8>, AppError> {
    let key = get_document::object_key(document)?;
    let file = app.objects.get(key).await?;
    match app.pdf.render(file, job).await {
        Err(PdfError::PageOutOfRange) => Err(AppError::invalid(
            "page_number",
            "PAGE_UNKNOWN",
            "the document has no such page or region",
        )),
        rendered => Ok(rendered?),
    }
}
