//! An administrator registers where an officer's key is, and its certificate.

use serde_json::json;
use uuid::Uuid;
use wathiq_chassis::Caller;
use wathiq_outbox::Command;
use wathiq_outbox::audit::{self, AuditEntry};
use wathiq_pades::certificate::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::{KeyUsage, KeyUsages};

use crate::app::idempotent::{self, Begun};
use crate::app::view::Encode;
use crate::app::{App, AppError, authorise, seal_crypto, write};
use crate::domain::credential::{Credential, KeyLocation};
use crate::domain::role::{ADMINISTRATOR, OFFICER};
use crate::keys::KeyError;
use crate::store::credentials;
use crate::trust;

/// Certificates in a chain at most.
const MAX_CHAIN: usize = 5;

/// What is registered.
pub struct NewCredential {
    pub office_id: Uuid,
    pub officer_id: Uuid,
    pub token_label: String,
    pub key_label: String,
    /// The officer's certificate first, then its issuers without the root.
    pub chain_pem: String,
}

/// Registers a credential.
///
/// # Errors
/// [`AppError`]; a chain that cannot be read, a certificate that is not for signatures or has ended, and a key in the token
/// that is not the certificate's, are refused.
pub async fn register_credential(
    app: &App,
    caller: &Caller,
    command: &Command,
    new: NewCredential,
    encode: Encode<Credential>,
) -> Result<Vec<u8>, AppError> {
    authorise::staff(caller)?;
    if !caller.holds(new.office_id, ADMINISTRATOR) {
        return Err(AppError::NotFound {
            resource: "office",
            id: new.office_id,
        });
    }
    authorise::live_role(app, caller, new.office_id, ADMINISTRATOR).await?;
    let credential = checked(app, caller, new)?;
    compare_with_token(app, &credential).await?;
    let mut transaction = match idempotent::begin(app, command).await? {
        Begun::New(transaction) => transaction,
        Begun::Done(response) => return Ok(response),
    };
    if !credentials::insert(&mut transaction, &credential).await? {
        let text = "this certificate is registered for the officer already";
        return Err(AppError::Taken {
            reason: "CREDENTIAL_EXISTS",
            description: text,
        });
    }
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
            "officer_id": credential.officer_id,
            "not_after": credential.not_after,
            "role": OFFICER,
        }),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    idempotent::finish(transaction, command, encode(&credential)).await
}

fn checked(app: &App, caller: &Caller, new: NewCredential) -> Result<Credential, AppError> {
    const FIELD: &str = "certificate_chain_pem";
    let unreadable = || {
        AppError::invalid(
            FIELD,
            "CHAIN_UNREADABLE",
            "must be PEM certificates, the officer's first",
        )
    };
    let mut chain = trust::certificates_of_pem(&new.chain_pem).ok_or_else(unreadable)?;
    if chain.len() > MAX_CHAIN {
        return Err(AppError::invalid(
            FIELD,
            "CHAIN_TOO_LONG",
            "must have at most 5 certificates",
        ));
    }
    let issuers = chain.split_off(1);
    let der = chain.pop().ok_or_else(unreadable)?;
    let certificate = Certificate::from_der(&der).map_err(|_| unreadable())?;
    let mut below = certificate.clone();
    for issuer in &issuers {
        let issuer = Certificate::from_der(issuer).map_err(|_| unreadable())?;
        if below.issuer() != issuer.subject() {
            return Err(AppError::invalid(
                FIELD,
                "CHAIN_BROKEN",
                "each certificate must be issued by the next",
            ));
        }
        below = issuer;
    }
    if !is_for_signatures(&der) {
        let text = "the certificate must be for digital signatures or content commitment";
        return Err(AppError::invalid(FIELD, "CERTIFICATE_USAGE", text));
    }
    let algorithm = seal_crypto::key_algorithm(&certificate)
        .ok_or_else(|| AppError::invalid(FIELD, "KEY_UNSUPPORTED", "the key must be RSA, P-256 or P-384"))?;
    if certificate.not_after() <= app.ambient.now() {
        return Err(AppError::refused(
            "CREDENTIAL_EXPIRED",
            "signing_credential",
            "the certificate has expired",
        ));
    }
    Ok(Credential {
        id: app.ambient.uuid_v7(),
        office_id: new.office_id,
        officer_id: new.officer_id,
        key: KeyLocation {
            token_label: new.token_label,
            key_label: new.key_label,
            algorithm,
        },
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        certificate: der,
        issuers,
        registered_by: caller.person_id,
        registered_at: app.ambient.now(),
    })
}

/// RFC 5280, 4.2.1.3: a certificate without the extension is not restricted.
fn is_for_signatures(der: &[u8]) -> bool {
    let Ok(certificate) = x509_cert::Certificate::from_der(der) else {
        return false;
    };
    match certificate.tbs_certificate().get_extension::<KeyUsage>() {
        Ok(Some((_, usage))) => {
            usage.0.contains(KeyUsages::DigitalSignature) || usage.0.contains(KeyUsages::NonRepudiation)
        }
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Where the token can be reached now and shows public keys without a PIN, a wrong key is found at once; elsewhere the
/// first seal finds it.
async fn compare_with_token(app: &App, credential: &Credential) -> Result<(), AppError> {
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
    let Some(key) = shown else {
        return Ok(());
    };
    let certificate = x509_cert::Certificate::from_der(&credential.certificate).ok();
    let held = certificate.is_some_and(|certificate| {
        let info = certificate.tbs_certificate().subject_public_key_info();
        info.subject_public_key
            .as_bytes()
            .is_some_and(|bits| bits.windows(key.len()).any(|part| part == key))
    });
    if held {
        return Ok(());
    }
    let text = "the key of this label in the token does not belong to the certificate";
    Err(AppError::refused("KEY_MISMATCH", "signing_credential", text))
}
