//! A portion of a batch, step by step.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use wathiq_pades::cms::TimestampToken;

use super::Unfinished;
use crate::app::judge_seal::{Rejection, level_of};
use crate::app::seal_crypto::{self, Chain};
use crate::app::{App, AppError, revocation};
use crate::domain::intent::Hindrance;
use crate::domain::issued_document::{IssuedDocument, SealedFile, Signed};
use crate::events::issued;
use crate::pdf::{FileVerdict, Link, OwnVerifier, PdfError};
use crate::storage::StorageError;
use crate::store::{StoreError, credentials, issued_documents};

/// Time-stamps asked for, and files read or written, at the same time.
const AT_ONCE: usize = 8;

/// A document with what this portion has made of it.
struct Work {
    document: IssuedDocument,
    signed: Signed,
    chain: Arc<Chain>,
    file: Bytes,
    token: TimestampToken,
}

/// A finished file that is not judged yet.
struct Finished {
    document: IssuedDocument,
    signed: Signed,
    bytes: Bytes,
    sha256: [u8; 32],
    verdict: FileVerdict,
}

type Left = Vec<(IssuedDocument, Unfinished)>;

/// Finishes documents that are signed and answers with those that are not finished.
pub(super) async fn finish(app: &Arc<App>, documents: Vec<IssuedDocument>) -> Result<Left, AppError> {
    let chains = chains_of(app, &documents).await?;
    let (mut ready, mut left) = (Vec::new(), Vec::new());
    let begun: Vec<_> = documents
        .into_iter()
        .map(|document| begin(app, &chains, document))
        .collect();
    let mut works = stream::iter(begun).buffered(AT_ONCE);
    while let Some(work) = works.next().await {
        match work {
            Ok(work) => ready.push(work),
            Err(missing) => left.push(missing),
        }
    }
    drop(works);
    if ready.is_empty() {
        return Ok(left);
    }
    let (finished, unmade) = made(app, ready).await?;
    left.extend(unmade);
    let (sealed, rejected) = judged(app, finished).await?;
    left.extend(rejected);
    store(app, sealed).await?;
    Ok(left)
}

async fn chains_of(app: &App, documents: &[IssuedDocument]) -> Result<HashMap<Uuid, Arc<Chain>>, AppError> {
    let mut chains = HashMap::new();
    let mut conn = app.pool.acquire().await?;
    for document in documents {
        let Some(signed) = document.signed() else { continue };
        if chains.contains_key(&signed.credential_id) {
            continue;
        }
        let credential = credentials::find(&mut conn, signed.credential_id).await?;
        let credential = credential.ok_or(StoreError::Inconsistent {
            table: "issued_document",
            column: "credential_id",
            id: document.id,
        })?;
        let chain = Chain::of(&credential).map_err(AppError::SealCrypto)?;
        chains.insert(credential.id, Arc::new(chain));
    }
    Ok(chains)
}

/// Reads the prepared file and gets the time-stamp.
async fn begin(
    app: &App,
    chains: &HashMap<Uuid, Arc<Chain>>,
    document: IssuedDocument,
) -> Result<Work, (IssuedDocument, Unfinished)> {
    let unfinished = |hindrance, finding: String| Unfinished { hindrance, finding };
    let lost = || {
        let finding = "the prepared file is lost or damaged".to_owned();
        unfinished(Some(Hindrance::Unfinishable), finding)
    };
    let Some((signed, chain)) = document
        .signed()
        .and_then(|signed| Some((signed.clone(), Arc::clone(chains.get(&signed.credential_id)?))))
    else {
        return Err((
            document,
            unfinished(None, "the document is not signed".to_owned()),
        ));
    };
    let file = match app.objects.get(&document.prepared.object_key).await {
        Ok(file) if seal_crypto::has_digest(&file, &document.prepared) => file,
        Ok(_) | Err(StorageError::NotFound { .. }) => return Err((document, lost())),
        Err(error) => {
            let finding = wathiq_chassis::status::chain(&error);
            return Err((document, unfinished(None, finding)));
        }
    };
    match app.timestamp.stamp(&signed.signature_value).await {
        Ok(token) => Ok(Work {
            document,
            signed,
            chain,
            file,
            token,
        }),
        Err(error) => {
            let finding = wathiq_chassis::status::chain(&error);
            Err((document, unfinished(Some(Hindrance::TimeStampMissing), finding)))
        }
    }
}

/// Puts signatures and time-stamps into the files and looks at the result as anybody would; beside the runtime, because that is
/// computing.
async fn made(app: &App, works: Vec<Work>) -> Result<(Vec<Finished>, Left), AppError> {
    let verifier = OwnVerifier::new(&app.trust.material())?;
    let computed = tokio::task::spawn_blocking(move || {
        let (mut finished, mut left) = (Vec::new(), Vec::new());
        for work in works {
            match make(&verifier, work) {
                Ok(made) => finished.push(made),
                Err(unmade) => left.push(*unmade),
            }
        }
        (finished, left)
    });
    computed.await.map_err(|_| AppError::WorkLost)
}

fn make(verifier: &OwnVerifier, work: Work) -> Result<Finished, Box<(IssuedDocument, Unfinished)>> {
    let unfinishable = |finding: String| Unfinished {
        hindrance: Some(Hindrance::Unfinishable),
        finding,
    };
    let prepared = &work.document.prepared;
    let made = work
        .chain
        .finish(prepared, &work.file, &work.signed.signature_value, &work.token);
    let bytes = match made {
        Ok(bytes) => Bytes::from(bytes),
        Err(error) => {
            let finding = wathiq_chassis::status::chain(&error);
            return Err(Box::new((work.document, unfinishable(finding))));
        }
    };
    match verifier.verdict(&bytes) {
        Ok(verdict) => Ok(Finished {
            sha256: Sha256::digest(&bytes).into(),
            document: work.document,
            signed: work.signed,
            bytes,
            verdict,
        }),
        Err(refusal) => Err(Box::new((work.document, unfinishable(refusal.reason)))),
    }
}

/// Asks once for the revocation of all certificates met, judges anew where that has brought something, and sorts.
async fn judged(
    app: &App,
    mut finished: Vec<Finished>,
) -> Result<(Vec<(Finished, &'static str)>, Left), AppError> {
    let mut links: Vec<Link> = Vec::new();
    for link in finished.iter().flat_map(|made| &made.verdict.links) {
        if !links.contains(link) {
            links.push(link.clone());
        }
    }
    if revocation::refresh(app, &links).await? {
        finished = again(app, finished).await?;
    }
    let (mut sealed, mut left) = (Vec::new(), Vec::new());
    for made in finished {
        match level_of(app, &made.verdict, made.sha256, made.signed.signed_at) {
            Ok(level) => sealed.push((made, level)),
            Err(Rejection { hindrance, finding }) => left.push((
                made.document,
                Unfinished {
                    hindrance: Some(hindrance),
                    finding,
                },
            )),
        }
    }
    Ok((sealed, left))
}

async fn again(app: &App, finished: Vec<Finished>) -> Result<Vec<Finished>, AppError> {
    let verifier = OwnVerifier::new(&app.trust.material())?;
    let computed = tokio::task::spawn_blocking(move || {
        let verified = finished.into_iter().map(|made| {
            let verdict = verifier.verdict(&made.bytes)?;
            Ok(Finished { verdict, ..made })
        });
        verified.collect::<Result<Vec<_>, _>>()
    });
    let verified = computed.await.map_err(|_| AppError::WorkLost)?;
    Ok(verified.map_err(PdfError::Refused)?)
}

/// The files are durable before rows name them.
async fn store(app: &App, sealed: Vec<(Finished, &'static str)>) -> Result<(), AppError> {
    let mut stored: Vec<(IssuedDocument, SealedFile)> = Vec::with_capacity(sealed.len());
    let putting: Vec<_> = sealed
        .into_iter()
        .map(|(made, level)| put(app, made, level))
        .collect();
    let mut puts = stream::iter(putting).buffered(AT_ONCE);
    while let Some(put) = puts.next().await {
        stored.push(put?);
    }
    // One order everywhere: two processes that finish the same documents wait for each other, and not in a circle.
    stored.sort_by_key(|(document, _)| document.id);
    let mut transaction = app.pool.begin().await?;
    let mut events = Vec::with_capacity(stored.len());
    for (document, file) in &stored {
        if issued_documents::save_sealed(&mut transaction, document.id, file).await? {
            events.push(issued::sealed(document, file));
        }
    }
    wathiq_outbox::append_all(&mut transaction, &app.ambient, &events).await?;
    transaction.commit().await?;
    metrics::counter!("issued_documents_sealed_total").increment(events.len() as u64);
    Ok(())
}

async fn put(
    app: &App,
    made: Finished,
    level: &'static str,
) -> Result<(IssuedDocument, SealedFile), AppError> {
    let hash = data_encoding::HEXLOWER.encode(&made.sha256);
    let object_key = format!("{}/{}-{hash}.pdf", super::FOLDER, made.document.id);
    let size = made.bytes.len();
    app.objects.put(&object_key, made.bytes).await?;
    let file = SealedFile {
        object_key,
        size_bytes: i64::try_from(size).expect("a file in memory has fewer than 2^63 bytes"),
        sha256: made.sha256,
        commitment: made.document.salt.commit(&made.sha256),
        level: level.to_owned(),
        sealed_at: app.ambient.now(),
    };
    Ok((made.document, file))
}
