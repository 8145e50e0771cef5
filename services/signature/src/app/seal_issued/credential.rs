//! Whose key seals a batch, and what opens it.

use chrono::NaiveDate;
use secrecy::SecretString;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date, status};

use super::SealIssued;
use super::items::Batch;
use crate::app::{App, AppError};
use crate::domain::credential::{Credential, Holder};
use crate::domain::issued_document::SealMode;
use crate::keys::KeyError;
use crate::store::credentials;

/// Levels above an office that a decision may stand on at most.
const OFFICES_ABOVE: usize = 8;

/// A credential with what opens its key.
pub(super) struct Chosen {
    pub(super) credential: Credential,
    pub(super) pin: SecretString,
    /// The officer has given the PIN, and may hear that it is wrong.
    pub(super) officer_s_pin: bool,
}

impl Chosen {
    /// Whether the credential may seal a kind of document.
    pub(super) fn covers(&self, kind: &str) -> bool {
        match &self.credential.holder {
            Holder::Officer(_) => true,
            Holder::Institution(authority) => authority.covers_kind(kind),
        }
    }
}

/// The credential of a batch: the one that is asked for, or the one that fits.
pub(super) async fn choose(
    app: &App,
    caller: &Caller,
    batch: &Batch,
    mode: SealMode,
    asked: &SealIssued,
) -> Result<Chosen, AppError> {
    match (mode, &asked.pin) {
        (SealMode::OfficerKey, Some(pin)) => {
            let credential = officer_s(app, caller, batch.office_id, asked.credential_id).await?;
            Ok(Chosen {
                credential,
                pin: pin.clone(),
                officer_s_pin: true,
            })
        }
        (SealMode::OfficerKey, None) => {
            let text = "the PIN of the officer's token is needed: 1 to 64 characters";
            Err(AppError::invalid("pin", "LENGTH", text))
        }
        (SealMode::ElectronicSeal, Some(_)) => {
            let text = "an electronic seal takes no PIN from an officer; leave it empty";
            Err(AppError::invalid("pin", "UNEXPECTED", text))
        }
        (SealMode::ElectronicSeal, None) => {
            let credential = electronic_seal(app, batch, asked).await?;
            let pin = mounted_pin(app, &credential.key.token_label)?;
            Ok(Chosen {
                credential,
                pin,
                officer_s_pin: false,
            })
        }
    }
}

/// The PIN that the operator mounted for a token. What is wrong with it is for the operator alone.
fn mounted_pin(app: &App, token_label: &str) -> Result<SecretString, AppError> {
    app.electronic_seals.pin(token_label).map_err(|error| {
        tracing::error!(
            event = "electronic_seal.not_configured",
            token_label,
            error = status::chain(&error),
            "an electronic seal cannot be used here"
        );
        let text = "the electronic seal is not set up in this service";
        AppError::refused("ELECTRONIC_SEAL_NOT_CONFIGURED", "signing_credential", text)
    })
}

async fn officer_s(
    app: &App,
    caller: &Caller,
    office_id: Uuid,
    credential_id: Option<Uuid>,
) -> Result<Credential, AppError> {
    let mut conn = app.pool.acquire().await?;
    let found = match credential_id {
        Some(id) => credentials::find(&mut conn, id).await?,
        None => credentials::newest_of(&mut conn, office_id, caller.person_id, app.ambient.now()).await?,
    };
    found
        .filter(|credential| {
            credential.office_id == office_id && credential.officer_id() == Some(caller.person_id)
        })
        .ok_or_else(|| {
            let text = "the officer has no such credential here";
            AppError::refused("CREDENTIAL_MISSING", office_id, text)
        })
}

/// The institution's credential: by id, or the first whose decision covers the office today and any kind of the batch.
async fn electronic_seal(app: &App, batch: &Batch, asked: &SealIssued) -> Result<Credential, AppError> {
    let lineage = lineage(app, batch.office_id).await?;
    let mut conn = app.pool.acquire().await?;
    let found = match asked.credential_id {
        Some(id) => credentials::find(&mut conn, id).await?.into_iter().collect(),
        None => credentials::electronic_seals(&mut conn, app.ambient.now()).await?,
    };
    let today = civil_date(app.ambient.now());
    let mut fault = AppError::refused(
        "CREDENTIAL_MISSING",
        batch.office_id,
        "no electronic seal is registered for this office",
    );
    for credential in found {
        match stands(&credential, &lineage, today) {
            Some(Ok(())) if asked.credential_id.is_some() || covers_any(&credential, batch) => {
                return Ok(credential);
            }
            Some(Ok(())) | None => {}
            Some(Err(text)) => {
                fault = AppError::refused("ELECTRONIC_SEAL_NOT_AUTHORISED", credential.id, text);
            }
        }
    }
    Err(fault)
}

/// Whether the decision behind a credential covers an office on a day; none where there is no decision behind it.
fn stands(credential: &Credential, lineage: &[Uuid], day: NaiveDate) -> Option<Result<(), String>> {
    let Holder::Institution(authority) = &credential.holder else {
        return None;
    };
    let checked = authority.check(lineage, credential.office_id, day);
    Some(checked.map_err(|fault| fault.to_string()))
}

fn covers_any(credential: &Credential, batch: &Batch) -> bool {
    let Holder::Institution(authority) = &credential.holder else {
        return false;
    };
    batch.kinds.values().any(|kind| authority.covers_kind(kind))
}

/// The office and those it belongs to, nearest first.
async fn lineage(app: &App, office_id: Uuid) -> Result<Vec<Uuid>, AppError> {
    let mut lineage = vec![office_id];
    let mut next = app.identity.office(office_id).await?.parent_id;
    while let Some(id) = next
        && lineage.len() <= OFFICES_ABOVE
    {
        lineage.push(id);
        next = app.identity.office(id).await?.parent_id;
    }
    Ok(lineage)
}

/// What a key that the operator opens says when it does not open: nothing that an officer could mend.
pub(super) fn not_to_the_officer(error: KeyError) -> AppError {
    match error {
        KeyError::PinIncorrect | KeyError::PinLocked => {
            tracing::error!(
                event = "electronic_seal.pin_refused",
                error = error.to_string(),
                "the configured PIN of an electronic seal is refused"
            );
            AppError::KeyUnavailable(error)
        }
        other => other.into(),
    }
}
