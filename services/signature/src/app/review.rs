//! What the office's use cases share: whose turn a request is, and who may see and work on it.

use sqlx::PgConnection;
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, authorise};
use crate::domain::document::Document;
use crate::domain::placement::{Mark, Placement, Rectangle};
use crate::domain::request::LegalisationRequest;
use crate::domain::role;
use crate::domain::state::State;
use crate::domain::transition::TransitionError;
use crate::pdf::{Overlay, RenderJob, ViewRectangle};
use crate::store::{claims, documents, requests};

/// Longest side of the picture of a region, and its resolution where that is larger than needed.
const LONGEST_SIDE: f64 = 1_600.0;
const PIXELS_A_POINT: f64 = 4.0;

/// The role whose turn it is, in states that an official works on with a claim.
pub(super) fn role_in_turn(state: State) -> Option<&'static str> {
    match state {
        State::Submitted => Some(role::AGENT),
        State::AgentAccepted => Some(role::OFFICER),
        _ => None,
    }
}

/// The request, if the caller works at its office.
pub(super) fn visible(
    request: Option<LegalisationRequest>,
    caller: &Caller,
    request_id: Uuid,
) -> Result<LegalisationRequest, AppError> {
    let works_there =
        |office_id| caller.holds(office_id, role::AGENT) || caller.holds(office_id, role::OFFICER);
    request
        .filter(|request| request.receipt.is_some() && works_there(request.opening.office_id))
        .ok_or_else(|| AppError::request_not_found(request_id))
}

/// A visible request, read without a lock.
pub(super) async fn find_visible(
    app: &App,
    caller: &Caller,
    request_id: Uuid,
) -> Result<LegalisationRequest, AppError> {
    let mut conn = app.pool.acquire().await?;
    visible(requests::find(&mut conn, request_id).await?, caller, request_id)
}

/// The caller holds this role at the request's office.
pub(super) fn with_role(caller: &Caller, request: &LegalisationRequest, role: &str) -> Result<(), AppError> {
    if caller.holds(request.opening.office_id, role) {
        return Ok(());
    }
    Err(AppError::Denied {
        reason: "ROLE_MISSING",
        description: "another role has to do this",
    })
}

/// The caller holds this role at the request's office at this moment, as identity says.
pub(super) async fn live(
    app: &App,
    caller: &Caller,
    request_id: Uuid,
    role: &'static str,
) -> Result<(), AppError> {
    let seen = find_visible(app, caller, request_id).await?;
    with_role(caller, &seen, role)?;
    authorise::live_role(app, caller, seen.opening.office_id, role).await
}

/// The caller is none of the persons that four eyes keep apart from this step.
pub(super) fn four_eyes(caller: &Caller, request: &LegalisationRequest) -> Result<(), AppError> {
    let agent = request.comparison.as_ref().map(|comparison| comparison.agent_id);
    if caller.person_id == request.opening.applicant_id || Some(caller.person_id) == agent {
        return Err(TransitionError::FourEyes.into());
    }
    Ok(())
}

/// The caller's claim on the request stands.
pub(super) async fn holding_claim(
    conn: &mut PgConnection,
    app: &App,
    caller: &Caller,
    request_id: Uuid,
) -> Result<(), AppError> {
    match claims::standing(conn, request_id, app.ambient.now()).await? {
        Some(claim) if claim.person_id == caller.person_id => Ok(()),
        Some(_) => Err(AppError::refused(
            "CLAIMED_BY_OTHER",
            request_id,
            "somebody else works on the request",
        )),
        None => Err(AppError::refused(
            "CLAIM_MISSING",
            request_id,
            "the request has to be claimed first",
        )),
    }
}

/// A claimed request that the caller may work on, with its document.
pub(super) async fn claimed(
    app: &App,
    caller: &Caller,
    request_id: Uuid,
) -> Result<(LegalisationRequest, Document), AppError> {
    let mut conn = app.pool.acquire().await?;
    let request = visible(requests::find(&mut conn, request_id).await?, caller, request_id)?;
    holding_claim(&mut conn, app, caller, request_id).await?;
    let document_id = request.opening.document_id;
    let document = documents::find(&mut conn, document_id)
        .await?
        .ok_or(AppError::NotFound {
            resource: "document",
            id: document_id,
        })?;
    Ok((request, document))
}

/// The picture of the signature that an agent compares.
pub(super) fn picture(placement: &Placement) -> RenderJob {
    RenderJob {
        page_index: placement.page_number - 1,
        region: Some(view_rectangle(placement.rectangle)),
        width_pixels: width_pixels(placement.rectangle),
        overlay: overlay(placement),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value lies between 1 and 1,600"
)]
fn width_pixels(rectangle: Rectangle) -> u32 {
    let [_, _, width, height] = rectangle.points();
    let scale = (LONGEST_SIDE / width.max(height)).min(PIXELS_A_POINT);
    (width * scale).round().clamp(1.0, LONGEST_SIDE) as u32
}

/// The drawn signature as it will stand on the page; none for a standing one.
pub(super) fn overlay(placement: &Placement) -> Option<Overlay> {
    match &placement.mark {
        Mark::Drawn(strokes) => Some(Overlay {
            rectangle: view_rectangle(placement.rectangle),
            strokes: strokes.fractions(),
        }),
        Mark::Standing => None,
    }
}

/// A rectangle as the renderer takes it.
pub(super) fn view_rectangle(rectangle: Rectangle) -> ViewRectangle {
    let [x, y, width, height] = rectangle.points();
    ViewRectangle { x, y, width, height }
}
