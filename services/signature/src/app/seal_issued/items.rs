//! The documents that one act of an officer is about.

use std::collections::HashMap;

use uuid::Uuid;
use wathiq_chassis::Caller;

use super::SealIssued;
use super::credential::Chosen;
use crate::app::{App, AppError};
use crate::domain::issued_document::{IssuedDocument, Part, SealMode};
use crate::domain::role::OFFICER;
use crate::store::issued_documents;

/// Why one document of a batch was not sealed; the others are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedProblem {
    pub document_id: Uuid,
    /// Stable code.
    pub reason: &'static str,
    pub description: String,
}

/// One document that the officer seals in this act.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) id: Uuid,
    pub(super) digest: [u8; 32],
    /// Signed already: by an earlier try of this same act.
    pub(super) signed: bool,
}

/// What a call is about.
pub(super) struct Batch {
    pub(super) office_id: Uuid,
    /// None where no document is known.
    pub(super) mode: Option<SealMode>,
    /// What is to be sealed, or was by this act, in the order asked for.
    pub(super) items: Vec<Item>,
    /// Every document the caller may see, with its digest: what the confirmation covers.
    pub(super) digests: Vec<(Uuid, [u8; 32])>,
    /// Kinds, by document.
    pub(super) kinds: HashMap<Uuid, String>,
    pub(super) problems: Vec<IssuedProblem>,
}

impl Batch {
    /// Takes out what the chosen credential may not seal.
    pub(super) fn keep_authorised(&mut self, chosen: &Chosen) {
        let (kinds, problems) = (&self.kinds, &mut self.problems);
        self.items.retain(|item| {
            let covered = item.signed || kinds.get(&item.id).is_some_and(|kind| chosen.covers(kind));
            if !covered {
                problems.push(IssuedProblem {
                    document_id: item.id,
                    reason: "ELECTRONIC_SEAL_NOT_AUTHORISED",
                    description: "the electronic seal's decision does not cover this kind of document"
                        .to_owned(),
                });
            }
            covered
        });
    }
}

/// The documents of a call.
pub(super) async fn batch_of(app: &App, caller: &Caller, asked: &SealIssued) -> Result<Batch, AppError> {
    let mut known: HashMap<Uuid, IssuedDocument> = {
        let mut conn = app.pool.acquire().await?;
        let found = issued_documents::find_all(&mut conn, &asked.ids).await?;
        found
            .into_iter()
            .map(|document| (document.id, document))
            .collect()
    };
    known.retain(|_, document| caller.holds(document.deposit.office_id, OFFICER));
    let mut batch = Batch {
        office_id: Uuid::nil(),
        mode: None,
        items: Vec::new(),
        digests: Vec::new(),
        kinds: HashMap::new(),
        problems: Vec::new(),
    };
    for id in &asked.ids {
        match known.remove(id) {
            Some(document) => add(&mut batch, document, asked.confirmation_id, caller.person_id)?,
            None => batch.problems.push(IssuedProblem {
                document_id: *id,
                reason: "ISSUED_DOCUMENT_NOT_FOUND",
                description: "the document is not known".to_owned(),
            }),
        }
    }
    Ok(batch)
}

fn add(
    batch: &mut Batch,
    document: IssuedDocument,
    confirmation_id: Uuid,
    officer: Uuid,
) -> Result<(), AppError> {
    const FIELD: &str = "issued_document_ids";
    let (office_id, mode) = (document.deposit.office_id, document.deposit.seal_mode);
    if batch.mode.is_none() {
        batch.office_id = office_id;
    } else if batch.office_id != office_id {
        let text = "all documents of a batch must be of one office";
        return Err(AppError::invalid(FIELD, "MIXED_OFFICES", text));
    }
    if *batch.mode.get_or_insert(mode) != mode {
        let text = "all documents of a batch must be sealed with one kind of key";
        return Err(AppError::invalid(FIELD, "MIXED_SEAL_MODES", text));
    }
    let digest = document.prepared.digest;
    batch.digests.push((document.id, digest));
    match document.part_in(confirmation_id, officer) {
        Ok(part) => batch.items.push(Item {
            id: document.id,
            digest,
            signed: part == Part::SignedBefore,
        }),
        Err(error) => batch.problems.push(IssuedProblem {
            document_id: document.id,
            reason: error.reason(),
            description: error.to_string(),
        }),
    }
    batch.kinds.insert(document.id, document.deposit.kind);
    Ok(())
}
