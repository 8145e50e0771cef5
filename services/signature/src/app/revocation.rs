//! What is known of revocation: asked where certificates say, and never forgotten once a certificate is known as revoked.

use sha2::{Digest, Sha256};
use wathiq_pades::certificate::Certificate;
use wathiq_pades::verify;

use crate::app::{App, AppError};
use crate::domain::credential::Credential;
use crate::pdf::{Link, links_of};
use crate::store::revocations;

/// Asks anew for what is to be known of these certificates, and keeps for good which of them are revoked. Answers whether
/// more is known than before.
pub(super) async fn refresh(app: &App, links: &[Link]) -> Result<bool, AppError> {
    let fingerprints: Vec<[u8; 32]> = links
        .iter()
        .map(|link| Sha256::digest(&link.certificate).into())
        .collect();
    let known = {
        let mut conn = app.pool.acquire().await?;
        revocations::of(&mut conn, &fingerprints).await?
    };
    let learnt = app.trust.learn(known);
    let refreshed = app.trust.refresh(links).await;
    if !refreshed.revoked.is_empty() {
        let mut transaction = app.pool.begin().await?;
        for evidence in &refreshed.revoked {
            revocations::insert(&mut transaction, evidence, app.ambient.now()).await?;
        }
        transaction.commit().await?;
    }
    Ok(learnt || refreshed.changed)
}

/// Refuses a credential whose certificate leads to no trust anchor, may not be used now, or is revoked. Where nobody can tell
/// of its revocation, the credential passes: what is sealed is verified before it is issued.
pub(super) async fn check_credential(app: &App, credential: &Credential) -> Result<(), AppError> {
    let chain = chain_of(app, &credential.certificate, &credential.issuers)?;
    let ders: Vec<Vec<u8>> = chain
        .iter()
        .map(|certificate| certificate.der().to_vec())
        .collect();
    let links = links_of(&ders);
    refresh(app, &links).await?;
    if links.iter().any(|link| app.trust.says_revoked(link)) {
        return Err(AppError::refused(
            "CREDENTIAL_REVOKED",
            credential.id,
            "the certificate is revoked or suspended",
        ));
    }
    Ok(())
}

/// The chain from a certificate to a trust anchor, as it may be used now.
///
/// # Errors
/// [`AppError::Refused`] with CREDENTIAL_UNTRUSTED where there is none.
pub(super) fn chain_of(
    app: &App,
    certificate: &[u8],
    issuers: &[Vec<u8>],
) -> Result<Vec<Certificate>, AppError> {
    let untrusted = |why: &str| {
        let text = format!("no trusted authority stands behind the certificate ({why})");
        AppError::refused("CREDENTIAL_UNTRUSTED", "signing_credential", text)
    };
    let unreadable = |_| untrusted("a certificate cannot be read");
    let certificate = Certificate::from_der(certificate).map_err(unreadable)?;
    let issuers: Vec<Certificate> = issuers
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    verify::path(
        &certificate,
        &issuers,
        app.trust.parsed_anchors(),
        app.ambient.now(),
    )
    .map_err(|fault| untrusted(fault.code()))
}
