//! What is the same for all requests of a batch, asked before any transaction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use uuid::Uuid;
use wathiq_chassis::Caller;

use crate::app::{App, AppError, revocation};
use crate::clients::identity::Office;
use crate::domain::credential::Credential;
use crate::domain::person::Signer;
use crate::domain::request::LegalisationRequest;
use crate::store::credentials;

/// Levels above an office that its page names at most.
const OFFICES_ABOVE: usize = 4;
/// Facts that are the same for the whole batch, asked before any transaction.
pub(super) struct Batch {
    pub(super) office_id: Uuid,
    pub(super) offices: Vec<Office>,
    pub(super) officer_id: Uuid,
    pub(super) officer: Signer,
    pub(super) credential: Credential,
    /// Offices where specimens were proved.
    pub(super) specimen_offices: HashMap<Uuid, Office>,
}

/// The one office of all requests; none where there is no request.
pub(super) fn one_office(requests: &[LegalisationRequest]) -> Result<Option<Uuid>, AppError> {
    let Some(first) = requests.first().map(|request| request.opening.office_id) else {
        return Ok(None);
    };
    if requests.iter().any(|request| request.opening.office_id != first) {
        let text = "all requests of a batch must be of one office";
        return Err(AppError::invalid(
            "legalisation_request_ids",
            "MIXED_OFFICES",
            text,
        ));
    }
    Ok(Some(first))
}

/// Asks identity, and looks the credential up.
pub(super) async fn gather(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    visible: &[LegalisationRequest],
    credential_id: Option<Uuid>,
) -> Result<Batch, AppError> {
    let credential = credential_of(app, caller, office_id, credential_id).await?;
    let mut offices = vec![app.identity.office(office_id).await?];
    while let Some(parent) = offices.last().and_then(|office| office.parent_id)
        && offices.len() <= OFFICES_ABOVE
    {
        offices.push(app.identity.office(parent).await?);
    }
    let mut specimen_offices = HashMap::new();
    let proofs = visible
        .iter()
        .filter_map(|request| request.comparison.as_ref()?.specimen_proof.office_id);
    for id in proofs {
        if let Entry::Vacant(vacant) = specimen_offices.entry(id) {
            vacant.insert(app.identity.office(id).await?);
        }
    }
    let officer = app.identity.person(caller.person_id).await?;
    Ok(Batch {
        office_id,
        offices,
        officer_id: caller.person_id,
        officer,
        credential,
        specimen_offices,
    })
}

/// The officer's credential, valid now and not known as revoked: a number is taken for it.
async fn credential_of(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    id: Option<Uuid>,
) -> Result<Credential, AppError> {
    let now = app.ambient.now();
    let found = {
        let mut conn = app.pool.acquire().await?;
        match id {
            Some(id) => credentials::find(&mut conn, id).await?,
            None => credentials::newest_of(&mut conn, office_id, caller.person_id, now).await?,
        }
    };
    let credential = found
        .filter(|credential| {
            credential.office_id == office_id && credential.officer_id() == Some(caller.person_id)
        })
        .ok_or_else(|| {
            AppError::refused(
                "CREDENTIAL_MISSING",
                office_id,
                "the officer has no such credential here",
            )
        })?;
    credential.usable_at(now)?;
    revocation::check_credential(app, &credential).await?;
    Ok(credential)
}
