//! Events of issued documents. Ids, codes and commitments only.

use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::domain::intent::Hindrance;
use crate::domain::issued_document::{IssuedDocument, SealedFile};
use crate::wire;

/// Topic of issued documents.
pub const TOPIC: &str = "wathiq.signature.issued-document.v1";

/// A document is deposited, and ends once.
const DEPOSITED: i64 = 1;
const ENDED: i64 = 2;

/// A document was taken in.
pub fn deposited(document: &IssuedDocument) -> NewEvent {
    let deposit = &document.deposit;
    let message = pb::IssuedDocumentDeposited {
        issued_document_id: document.id.to_string(),
        owner: deposit.owner.clone(),
        owner_reference: deposit.owner_reference.clone(),
        office_id: deposit.office_id.to_string(),
        document_kind: deposit.kind.clone(),
        seal_mode: wire::seal_mode(deposit.seal_mode).into(),
    };
    NewEvent::of(TOPIC, document.id, DEPOSITED, &message)
}

/// A document is sealed.
pub fn sealed(document: &IssuedDocument, file: &SealedFile) -> NewEvent {
    let deposit = &document.deposit;
    let commitment = pb::EventCommitment {
        kind: pb::SealedFileKind::Document.into(),
        revision: 1,
        commitment: file.commitment.to_vec(),
    };
    let message = pb::IssuedDocumentSealed {
        issued_document_id: document.id.to_string(),
        owner: deposit.owner.clone(),
        owner_reference: deposit.owner_reference.clone(),
        office_id: deposit.office_id.to_string(),
        level: file.level.clone(),
        commitments: vec![commitment],
    };
    NewEvent::of(TOPIC, document.id, ENDED, &message)
}

/// A document was taken back.
pub fn withdrawn(document: &IssuedDocument) -> NewEvent {
    let message = pb::IssuedDocumentWithdrawn {
        issued_document_id: document.id.to_string(),
        owner: document.deposit.owner.clone(),
        owner_reference: document.deposit.owner_reference.clone(),
    };
    NewEvent::of(TOPIC, document.id, ENDED, &message)
}

/// The seal of a document has failed.
pub fn failed(document: &IssuedDocument) -> NewEvent {
    let message = pb::IssuedDocumentFailed {
        issued_document_id: document.id.to_string(),
        owner: document.deposit.owner.clone(),
        owner_reference: document.deposit.owner_reference.clone(),
        reason_code: Hindrance::Unfinishable.progress().to_owned(),
    };
    NewEvent::of(TOPIC, document.id, ENDED, &message)
}
