//! Events of what is no request: documents, officers' credentials, fees. Ids, codes and amounts only.

use uuid::Uuid;
use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::domain::credential::{Credential, End, EndReason};
use crate::domain::document::{Document, Inspection};
use crate::store::fees::NewFee;
use crate::wire;

/// Topic of uploaded documents.
pub const DOCUMENTS: &str = "wathiq.signature.document.v1";
/// Topic of what administrators of offices set.
pub const OFFICES: &str = "wathiq.signature.office.v1";

/// What happens first to something, and what happens once after.
const FIRST: i64 = 1;
const SECOND: i64 = 2;

/// A file was taken in or refused.
pub fn uploaded(document: &Document) -> NewEvent {
    let (state, refusal_reason) = match &document.verdict {
        Inspection::Accepted(_) => (pb::DocumentState::Accepted, String::new()),
        Inspection::Refused(refusal) => (pb::DocumentState::Refused, refusal.reason.clone()),
    };
    let message = pb::DocumentUploaded {
        document_id: document.id.to_string(),
        state: state.into(),
        refusal_reason,
    };
    NewEvent::of(DOCUMENTS, document.id, FIRST, &message)
}

/// A credential was registered.
pub fn registered(credential: &Credential) -> NewEvent {
    let message = pb::SigningCredentialRegistered {
        credential_id: credential.id.to_string(),
        office_id: credential.office_id.to_string(),
        expire_time: Some(wire::timestamp(credential.not_after)),
        kind: wire::credential_kind(&credential.holder).into(),
    };
    NewEvent::of(OFFICES, credential.id, FIRST, &message)
}

/// A credential cannot seal any more.
pub fn ended(end: &End) -> NewEvent {
    let credential_id = end.credential_id.to_string();
    match end.reason {
        EndReason::Expired => NewEvent::of(
            OFFICES,
            end.credential_id,
            SECOND,
            &pb::SigningCredentialExpired { credential_id },
        ),
        EndReason::Revoked => NewEvent::of(
            OFFICES,
            end.credential_id,
            SECOND,
            &pb::SigningCredentialRevoked {
                credential_id,
                revoke_time: Some(wire::timestamp(end.ended_at)),
            },
        ),
    }
}

/// A fee was set.
pub fn fee_set(fee_id: Uuid, fee: &NewFee) -> NewEvent {
    let message = pb::FeeSet {
        fee_id: fee_id.to_string(),
        office_id: fee.office_id.to_string(),
        document_kind: fee.kind.clone(),
        fee_centimes: fee.fee_centimes,
        from_time: Some(wire::timestamp(fee.valid_from)),
    };
    NewEvent::of(OFFICES, fee_id, FIRST, &message)
}
