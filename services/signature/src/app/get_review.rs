//! What an agent compares: the signature as it will stand, beside the specimen.

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::view::{self, RequestView};
use crate::app::{App, AppError, authorise, render_page, review, sweep_reviews, write};
use crate::clients::identity::{IdentityError, Specimen};
use crate::domain::comparison::Shown;
use crate::domain::request::LegalisationRequest;
use crate::domain::role;
use crate::domain::state::{Command, State};
use crate::domain::transition::TransitionError;
use crate::store::{StoreError, requests, reviews};

/// The two pictures.
pub struct Review {
    pub view: RequestView,
    pub region_png: Vec<u8>,
    pub specimen_png: Vec<u8>,
    pub shown: Shown,
}

/// Lays the two pictures side by side and notes what was shown.
///
/// # Errors
/// [`AppError`]: `CLAIM_MISSING`, `SPECIMEN_VERSION_GONE`.
pub async fn get_review(app: &App, caller: &Caller, request_id: Uuid) -> Result<Review, AppError> {
    authorise::staff(caller)?;
    let (request, document) = review::claimed(app, caller, request_id).await?;
    review::with_role(caller, &request, role::AGENT)?;
    let placement = match (request.state, request.placement.as_ref()) {
        (State::Submitted, Some(placement)) => placement,
        (state, _) => {
            return Err(TransitionError::State {
                state,
                command: Command::Accept,
            }
            .into());
        }
    };
    let specimen = specimen(app, &request).await?;
    let region_png = render_page::render(app, &document, review::picture(placement)).await?;
    let shown = Shown {
        region_sha256: Sha256::digest(&region_png).into(),
        specimen_sha256: Sha256::digest(&specimen.image_png).into(),
        specimen_version: specimen.version,
        specimen_proof: specimen.proof,
        shown_at: app.ambient.now(),
    };
    // The record of the comparison names the picture by its hash: it is kept, whatever a later renderer makes of the file.
    // What no decision rests on is swept.
    let key = sweep_reviews::key(request_id, &shown.region_sha256);
    app.objects.put(&key, Bytes::from(region_png.clone())).await?;
    let view = note(app, caller, request_id, &shown).await?;
    Ok(Review {
        view,
        region_png,
        specimen_png: specimen.image_png,
        shown,
    })
}

/// The specimen that the applicant's confirmation names; a newer one is none of this request's.
async fn specimen(app: &App, request: &LegalisationRequest) -> Result<Specimen, AppError> {
    let gone = || {
        AppError::refused(
            "SPECIMEN_VERSION_GONE",
            request.id,
            "the specimen that the applicant confirmed is not shown any more",
        )
    };
    let confirmation = request.confirmation.as_ref().ok_or(StoreError::Inconsistent {
        table: "legalisation_request",
        column: "confirmed_specimen",
        id: request.id,
    })?;
    let wanted = confirmation.specimen_version;
    let applicant_id = request.opening.applicant_id;
    match app.identity.specimen_for_review(applicant_id, Some(wanted)).await {
        Ok(specimen) if specimen.version == wanted => Ok(specimen),
        Ok(_) => Err(IdentityError::Unusable("version of the specimen").into()),
        Err(IdentityError::NotFound(_)) => Err(gone()),
        Err(IdentityError::Refused(refusal)) if refusal.code() == tonic::Code::NotFound => Err(gone()),
        Err(error) => Err(error.into()),
    }
}

async fn note(app: &App, caller: &Caller, request_id: Uuid, shown: &Shown) -> Result<RequestView, AppError> {
    let mut transaction = app.pool.begin().await?;
    let request = requests::lock(&mut transaction, request_id).await?;
    let request = review::visible(request, caller, request_id)?;
    review::holding_claim(&mut transaction, app, caller, request_id).await?;
    reviews::record_shown(&mut transaction, request_id, caller.person_id, shown).await?;
    let details = json!({ "specimen_version": shown.specimen_version });
    write::audit(
        &mut transaction,
        &app.ambient,
        caller,
        "legalisation_request.review",
        &request,
        details,
    )
    .await?;
    let view = view::of(&mut transaction, request).await?;
    transaction.commit().await?;
    Ok(view)
}
