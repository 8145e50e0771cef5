//! Verification by the code in the QR.

use uuid::Uuid;

use crate::app::legalisation_facts::{self, LegalisationFacts};
use crate::app::verify_file::{self, Overall};
use crate::app::{App, AppError};
use crate::domain::seal_facts::SealedFileKind;
use crate::domain::verification_code::VerificationCode;
use crate::pdf::SignatureVerdict;
use crate::store::intents;

/// What stands behind a code.
pub struct VerifiedCode {
    pub facts: LegalisationFacts,
    /// On the latest stored revision of the document.
    pub signatures: Vec<SignatureVerdict>,
    pub overall: Overall,
}

/// Looks a code up and verifies what is stored behind it.
///
/// # Errors
/// [`AppError::NotFound`] for a code that no sealed document carries, however it is written. The facts tell of one that was
/// annulled.
pub async fn verify_code(app: &App, code: &str) -> Result<VerifiedCode, AppError> {
    let unknown = AppError::NotFound {
        resource: "verification_code",
        id: Uuid::nil(),
    };
    let Some(code) = VerificationCode::parse(code) else {
        return Err(unknown);
    };
    let facts = {
        let mut conn = app.pool.acquire().await?;
        let Some(intent) = intents::issued_with_code(&mut conn, code.as_str()).await? else {
            return Err(unknown);
        };
        legalisation_facts::of_intent(&mut conn, intent.id).await?
    };
    let Some(latest) = facts.latest(SealedFileKind::Document) else {
        return Err(unknown);
    };
    let file = async { Ok(app.objects.get(&latest.object_key).await?) };
    let verdict = verify_file::verdict_on_issued(app, latest.sha256, file).await?;
    let overall = Overall::of(&verdict.signatures);
    Ok(VerifiedCode {
        facts,
        signatures: verdict.signatures,
        overall,
    })
}
