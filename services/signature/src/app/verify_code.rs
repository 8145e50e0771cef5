//! Verification by the code in the QR.

use uuid::Uuid;

use crate::app::legalisation_facts::{self, LegalisationFacts};
use crate::app::verify_file::{self, Overall};
use crate::app::{App, AppError};
use crate::domain::seal_facts::SealedFileKind;
use crate::domain::verification_code::VerificationCode;
use crate::pdf::SignatureVerdict;
use crate::store::intents;
use crate::store::issued_documents::{self, Facts};

/// What stands behind a code.
pub struct VerifiedCode {
    pub subject: Subject,
    /// On the latest stored revision of the document.
    pub signatures: Vec<SignatureVerdict>,
    pub overall: Overall,
}

/// What carries a code.
pub enum Subject {
    Legalisation(Box<LegalisationFacts>),
    /// Another service's document.
    Issued(Box<Facts>),
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
    let subject = {
        let mut conn = app.pool.acquire().await?;
        match intents::issued_with_code(&mut conn, code.as_str()).await? {
            Some(intent) => {
                let facts = legalisation_facts::of_intent(&mut conn, intent.id).await?;
                Subject::Legalisation(Box::new(facts))
            }
            None => match issued_documents::issued_with_code(&mut conn, code.as_str()).await? {
                Some(facts) => Subject::Issued(Box::new(facts)),
                None => return Err(unknown),
            },
        }
    };
    let Some((sha256, object_key)) = subject.latest() else {
        return Err(unknown);
    };
    let file = async { Ok(app.objects.get(&object_key).await?) };
    let verdict = verify_file::verdict_on_issued(app, sha256, file).await?;
    let overall = Overall::of(&verdict.signatures);
    Ok(VerifiedCode {
        subject,
        signatures: verdict.signatures,
        overall,
    })
}

impl Subject {
    /// SHA-256 and place of the latest stored revision.
    fn latest(&self) -> Option<([u8; 32], String)> {
        match self {
            Self::Legalisation(facts) => {
                let latest = facts.latest(SealedFileKind::Document)?;
                Some((latest.sha256, latest.object_key.clone()))
            }
            Self::Issued(facts) => {
                let sealed = facts.document.sealed()?;
                Some((sealed.sha256, sealed.object_key.clone()))
            }
        }
    }
}
