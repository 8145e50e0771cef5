//! An administrator registers where a key is, and its certificate: an officer's, or an institution's electronic seal.

mod certificate;

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::{Caller, civil_date};
use wathiq_outbox::Command;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::idempotent::{self, Begun};
use crate::app::view::Encode;
use crate::app::{App, AppError, authorise, revocation, write};
use crate::clients::identity::IdentityError;
use crate::domain::credential::{Credential, Holder, KeyLocation};
use crate::domain::holder_name::is_name_of;
use crate::domain::role::{ADMINISTRATOR, OFFICER};
use crate::events::records;
use crate::keys::KeyError;
use crate::store::credentials::{self, Added};
use certificate::Checked;

/// What is registered.
pub struct NewCredential {
    pub office_id: Uuid,
    pub holder: Holder,
    pub token_label: String,
    pub key_label: String,
    /// The holder's certificate first, then its issuers without the root.
    pub chain_pem: String,
}

/// Registers a credential.
///
/// # Errors
/// [`AppError`]; a chain that cannot be read or leads to no trust anchor, a certificate that is not for signatures, has ended,
/// is revoked or names another person, a person who is no officer, a key in the token that is not the certificate's, and a key that is
/// another officer's, are refused.
pub async fn register_credential(
    app: &App,
    caller: &Caller,
    command: &Command,
    new: NewCredential,
    encode: Encode<Credential>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    let checked = match &new.holder {
        Holder::Officer(officer_id) => {
            authorise_registrar(app, caller, new.office_id).await?;
            let checked = certificate::check(app, &new.chain_pem)?;
            check_officer(app, new.office_id, *officer_id, &checked).await?;
            checked
        }
        Holder::Institution(_) => {
            authorise::platform_administrator(app, caller).await?;
            app.identity.office(new.office_id).await?;
            certificate::check(app, &new.chain_pem)?
        }
    };
    let credential = credential_of(app, caller, &new, &checked);
    revocation::check_credential(app, &credential).await?;
    compare_with_token(app, &credential, &checked).await?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    let added = credentials::insert(&mut transaction, &credential, checked.public_key_sha256()).await?;
    let taken = |reason, description| Err(AppError::Taken { reason, description });
    match added {
        Added::Yes => {}
        Added::Known => {
            return taken(
                "CREDENTIAL_EXISTS",
                "this certificate is registered for its holder already",
            );
        }
        Added::KeyOfAnother => {
            return taken(
                "KEY_OF_ANOTHER_OFFICER",
                "this key, or this place in a token, is another holder's",
            );
        }
    }
    wathiq_outbox::append(&mut transaction, &app.ambient, records::registered(&credential)).await?;
    let entry = AuditEntry {
        person_id: Some(caller.person_id),
        principal: &write::principal(caller),
        action: "credential.register",
        aggregate: "signing_credential",
        aggregate_id: credential.id,
        outcome: "done",
        reason: None,
        details: json!({
            "office_id": credential.office_id,
            "officer_id": credential.officer_id(),
            "not_after": credential.not_after,
            "kind": credential.holder.kind(),
            "decision": decision(&credential),
        }),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    idempotent::finish(transaction, command, encode(&credential)).await
}

/// An officer's credential is registered by an administrator of the office.
async fn authorise_registrar(app: &App, caller: &Caller, office_id: Uuid) -> Result<(), AppError> {
    if !caller.holds(office_id, ADMINISTRATOR) {
        return Err(AppError::NotFound {
            resource: "office",
            id: office_id,
        });
    }
    authorise::live_role(app, caller, office_id, ADMINISTRATOR).await
}

/// The number of the decision behind an electronic seal.
fn decision(credential: &Credential) -> Option<&str> {
    match &credential.holder {
        Holder::Officer(_) => None,
        Holder::Institution(authority) => Some(&authority.decision_reference),
    }
}

fn credential_of(app: &App, caller: &Caller, new: &NewCredential, checked: &Checked) -> Credential {
    Credential {
        id: app.ambient.uuid_v7(),
        office_id: new.office_id,
        holder: new.holder.clone(),
        key: KeyLocation {
            token_label: new.token_label.clone(),
            key_label: new.key_label.clone(),
            algorithm: checked.algorithm,
        },
        not_before: checked.certificate.not_before(),
        not_after: checked.certificate.not_after(),
        certificate: checked.certificate.der().to_vec(),
        issuers: checked.issuers.clone(),
        registered_by: caller.person_id,
        registered_at: app.ambient.now(),
    }
}

/// The person must be an officer of the office today, and the certificate theirs: in their name as identity has proved it.
async fn check_officer(
    app: &App,
    office_id: Uuid,
    officer_id: Uuid,
    checked: &Checked,
) -> Result<(), AppError> {
    let today = civil_date(app.ambient.now());
    let memberships = app.identity.memberships(office_id).await?;
    if !memberships
        .iter()
        .any(|membership| membership.holds(officer_id, OFFICER, today))
    {
        return Err(not_an_officer(officer_id));
    }
    let officer = match app.identity.person(officer_id).await {
        Err(IdentityError::NotFound(_)) => return Err(not_an_officer(officer_id)),
        officer => officer?,
    };
    if is_name_of(&checked.holder(), &officer) {
        return Ok(());
    }
    let text = "the certificate names somebody else than the officer; have it issued in the officer's name as proved, or have the \
                officer's name corrected by a new proof of identity";
    Err(AppError::refused("CREDENTIAL_SUBJECT_MISMATCH", officer_id, text))
}

fn not_an_officer(officer_id: Uuid) -> AppError {
    AppError::refused(
        "OFFICER_ROLE_MISSING",
        officer_id,
        "the person is no officer of this office today",
    )
}

/// Where the token can be reached now and shows public keys without a PIN, a wrong key is found at once; elsewhere the
/// first seal finds it.
async fn compare_with_token(app: &App, credential: &Credential, checked: &Checked) -> Result<(), AppError> {
    let shown = match app.keys.public_key(&credential.key).await {
        Ok(shown) => shown,
        Err(KeyError::Unavailable(error)) => {
            tracing::info!(
                event = "credential.token_unreachable",
                error,
                "a credential is registered unseen"
            );
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if shown.is_none_or(|key| checked.is_key(&key)) {
        return Ok(());
    }
    let text = "the key of this label in the token does not belong to the certificate";
    Err(AppError::refused("KEY_MISMATCH", "signing_credential", text))
}
