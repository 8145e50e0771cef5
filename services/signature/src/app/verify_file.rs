//! Verification by upload: the signatures of any PDF, and whether its bytes are those issued here.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::app::legalisation_facts::{self, LegalisationFacts};
use crate::app::{App, AppError, revocation};
use crate::domain::register::EntryState;
use crate::domain::revision::SealedRevision;
use crate::domain::verification_code::VerificationCode;
use crate::pdf::{FileVerdict, Lane, SignatureVerdict, TrustMaterial, VerdictIndication};
use crate::store::issued_documents::{self, Facts};
use crate::store::{intents, revisions};

/// The verdict on a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overall {
    /// The worst of the signatures.
    pub indication: VerdictIndication,
    pub sub_indication: Option<String>,
}

impl Overall {
    /// The worst of these verdicts; INDETERMINATE where there is none.
    pub fn of(signatures: &[SignatureVerdict]) -> Self {
        match signatures.iter().max_by_key(|signature| signature.indication) {
            Some(worst) => Self {
                indication: worst.indication,
                sub_indication: worst.sub_indication.clone(),
            },
            None => Self {
                indication: VerdictIndication::Indeterminate,
                sub_indication: Some("NO_SIGNATURE_FOUND".to_owned()),
            },
        }
    }
}

/// Whether the bytes are those issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issued {
    /// Not a document of this platform.
    Unknown,
    /// This stored revision, or one that only adds what is harmless to it.
    AsIssued(SealedRevision),
    /// A revision of ours is in it, but what follows, or what was done to it, changes it.
    Altered(Option<SealedRevision>),
    /// This stored revision of a legalisation that was annulled.
    Withdrawn(SealedRevision),
    /// Another service's sealed document, or one that only adds what is harmless to it.
    Document,
    /// Another service's sealed document is or was in it, but what follows, or what was done to it, changes it.
    DocumentAltered,
}

/// What an uploaded file is.
pub struct VerifiedFile {
    pub sha256: [u8; 32],
    pub signatures: Vec<SignatureVerdict>,
    pub overall: Overall,
    pub issued: Issued,
    /// Present where the file is a legalisation of ours.
    pub facts: Option<LegalisationFacts>,
    /// Present where the file is another service's document.
    pub document: Option<Facts>,
}

/// Verifies a file. Nothing of it is kept.
///
/// # Errors
/// [`AppError::Pdf`] when the file exceeds the limits or is no PDF.
pub async fn verify_file(app: &App, file: Bytes) -> Result<VerifiedFile, AppError> {
    let sha256: [u8; 32] = Sha256::digest(&file).into();
    let stored = {
        let mut conn = app.pool.acquire().await?;
        !revisions::by_hashes(&mut conn, &[sha256]).await?.is_empty()
            || !issued_documents::by_hashes(&mut conn, &[sha256])
                .await?
                .is_empty()
    };
    let verdict = if stored {
        verdict_on_issued(app, sha256, async { Ok(file) }).await?
    } else {
        verdict_on(app, file, Lane::Verification).await?.0
    };
    let overall = Overall::of(&verdict.signatures);
    let mut conn = app.pool.acquire().await?;
    let mut hashes = vec![sha256];
    hashes.extend(
        verdict
            .signatures
            .iter()
            .filter_map(|signature| signature.revision_sha256),
    );
    let known = revisions::by_hashes(&mut conn, &hashes).await?;
    let issued = issued(&sha256, &verdict.signatures, &known);
    let intent_id = match &issued {
        Issued::AsIssued(revision) | Issued::Altered(Some(revision)) | Issued::Withdrawn(revision) => {
            Some(revision.intent_id)
        }
        Issued::Altered(None) | Issued::Document | Issued::DocumentAltered => None,
        Issued::Unknown => intent_named_by_field(&mut conn, &verdict.signatures).await?,
    };
    let issued = if issued == Issued::Unknown && intent_id.is_some() {
        Issued::Altered(None)
    } else {
        issued
    };
    let facts = match intent_id {
        Some(id) => Some(legalisation_facts::of_intent(&mut conn, id).await?),
        None => None,
    };
    let (issued, document) = match standing(issued, facts.as_ref()) {
        Issued::Unknown => document_of(&mut conn, &sha256, &hashes, &verdict.signatures).await?,
        issued => (issued, None),
    };
    Ok(VerifiedFile {
        sha256,
        signatures: verdict.signatures,
        overall,
        issued,
        facts,
        document,
    })
}

/// Whether a file that is no legalisation is another service's document: the sealed file itself, one that continues it, or one
/// whose field names its code.
async fn document_of(
    conn: &mut sqlx::PgConnection,
    sha256: &[u8; 32],
    hashes: &[[u8; 32]],
    signatures: &[SignatureVerdict],
) -> Result<(Issued, Option<Facts>), AppError> {
    let known = issued_documents::by_hashes(conn, hashes).await?;
    if let Some(facts) = known.into_iter().next() {
        let own = facts.document.sealed().map(|file| file.sha256);
        let changed = signatures
            .iter()
            .any(|signature| signature.revision_sha256 == own && signature.changed);
        let altered = own != Some(*sha256) && changed;
        let issued = if altered {
            Issued::DocumentAltered
        } else {
            Issued::Document
        };
        return Ok((issued, Some(facts)));
    }
    for code in signatures.iter().filter_map(code_of_field) {
        if let Some(facts) = issued_documents::issued_with_code(conn, code.as_str()).await? {
            return Ok((Issued::DocumentAltered, Some(facts)));
        }
    }
    Ok((Issued::Unknown, None))
}

/// The code that a signature field of ours names.
fn code_of_field(signature: &SignatureVerdict) -> Option<VerificationCode> {
    signature
        .field_name
        .strip_prefix("Wathiq_")
        .and_then(VerificationCode::parse)
}

/// A document's identity is the SHA-256 of its first sealed revision: either the file itself is a stored revision, or one of its
/// signatures ends such a revision and what follows decides.
fn issued(sha256: &[u8; 32], signatures: &[SignatureVerdict], known: &[SealedRevision]) -> Issued {
    if let Some(exact) = known.iter().find(|revision| revision.sha256 == *sha256) {
        return Issued::AsIssued(exact.clone());
    }
    let ours = signatures.iter().filter_map(|signature| {
        let revision = known
            .iter()
            .find(|revision| Some(revision.sha256) == signature.revision_sha256)?;
        Some((signature, revision))
    });
    match ours.max_by_key(|(_, revision)| revision.revision) {
        Some((signature, revision)) if signature.changed => Issued::Altered(Some(revision.clone())),
        Some((_, revision)) => Issued::AsIssued(revision.clone()),
        None => Issued::Unknown,
    }
}

/// What was sealed for an intent that was annulled later was never issued, however sound its bytes are.
fn standing(issued: Issued, facts: Option<&LegalisationFacts>) -> Issued {
    let annulled = facts.is_some_and(|facts| facts.register_state == EntryState::Annulled);
    match issued {
        Issued::AsIssued(revision) if annulled => Issued::Withdrawn(revision),
        other => other,
    }
}

/// A file whose sealed bytes were changed has no known hash any more, but our signature field still names the code.
async fn intent_named_by_field(
    conn: &mut sqlx::PgConnection,
    signatures: &[SignatureVerdict],
) -> Result<Option<uuid::Uuid>, AppError> {
    for signature in signatures {
        if let Some(code) = code_of_field(signature)
            && let Some(intent) = intents::issued_with_code(conn, code.as_str()).await?
        {
            return Ok(Some(intent.id));
        }
    }
    Ok(None)
}

/// The verdict on a stored revision; it is read and opened only where that was not done a moment ago.
pub(super) async fn verdict_on_issued(
    app: &App,
    sha256: [u8; 32],
    file: impl Future<Output = Result<Bytes, AppError>>,
) -> Result<FileVerdict, AppError> {
    if let Some(verdict) = app.pdf.remembered(sha256, &app.trust.material()) {
        return Ok(verdict);
    }
    let (verdict, trust) = verdict_on(app, file.await?, Lane::Issued).await?;
    app.pdf.remember(sha256, &trust, &verdict);
    Ok(verdict)
}

/// Verifies with the revocation lists at hand; where the file's certificates name further ones at configured hosts, fetches
/// those and verifies again. Answers also what the verdict stands on.
async fn verdict_on(app: &App, file: Bytes, lane: Lane) -> Result<(FileVerdict, TrustMaterial), AppError> {
    let trust = app.trust.material();
    let first = app.pdf.verify(lane, file.clone(), &trust).await?;
    if !revocation::refresh(app, &first.links).await? {
        return Ok((first, trust));
    }
    let trust = app.trust.material();
    Ok((app.pdf.verify(lane, file, &trust).await?, trust))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::seal_facts::SealedFileKind;

    fn revision(number: i32, sha256: [u8; 32]) -> SealedRevision {
        SealedRevision {
            intent_id: Uuid::nil(),
            kind: SealedFileKind::Document,
            revision: number,
            request_id: Uuid::nil(),
            object_key: String::new(),
            size_bytes: 1,
            sha256,
            commitment: [0; 32],
            level: "B-T".to_owned(),
            sealed_at: DateTime::UNIX_EPOCH,
        }
    }

    fn signature(
        indication: VerdictIndication,
        revision_sha256: [u8; 32],
        changed: bool,
    ) -> SignatureVerdict {
        SignatureVerdict {
            field_name: "Wathiq_000000000000".to_owned(),
            indication,
            sub_indication: (indication != VerdictIndication::TotalPassed).then(|| "HASH_FAILURE".to_owned()),
            signer: None,
            issuer: None,
            level: None,
            claimed_time: None,
            best_time: None,
            covers_whole_revision: true,
            revision_sha256: Some(revision_sha256),
            extended: false,
            changed,
            timestamp: None,
        }
    }

    #[test]
    fn the_worst_signature_decides() {
        use VerdictIndication::{Indeterminate, TotalFailed, TotalPassed};
        let overall = |indications: &[VerdictIndication]| {
            let signatures: Vec<_> = indications
                .iter()
                .map(|one| signature(*one, [0; 32], false))
                .collect();
            Overall::of(&signatures).indication
        };
        assert_eq!(overall(&[TotalPassed, TotalPassed]), TotalPassed);
        assert_eq!(overall(&[TotalPassed, Indeterminate]), Indeterminate);
        assert_eq!(overall(&[TotalFailed, Indeterminate, TotalPassed]), TotalFailed);
        assert_eq!(overall(&[]), Indeterminate);
    }

    #[test]
    fn what_was_issued() {
        let passed = VerdictIndication::TotalPassed;
        let known = [revision(1, [1; 32]), revision(2, [2; 32])];
        let of = |sha256, signatures: &[SignatureVerdict]| issued(&sha256, signatures, &known);
        assert_eq!(of([2; 32], &[]), Issued::AsIssued(known[1].clone()));
        let harmless = [signature(passed, [1; 32], false)];
        assert_eq!(of([9; 32], &harmless), Issued::AsIssued(known[0].clone()));
        let both = [
            signature(passed, [1; 32], false),
            signature(passed, [2; 32], false),
        ];
        assert_eq!(of([9; 32], &both), Issued::AsIssued(known[1].clone()));
        let shadowed = [signature(passed, [1; 32], true)];
        assert_eq!(of([9; 32], &shadowed), Issued::Altered(Some(known[0].clone())));
        assert_eq!(of([9; 32], &[signature(passed, [8; 32], false)]), Issued::Unknown);
    }
}
