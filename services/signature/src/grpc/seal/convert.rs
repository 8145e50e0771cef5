//! Intents, the register and credentials as messages.

use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::app::seal_problem::SealProblem;
use crate::domain::credential::{Credential, Holder};
use crate::domain::intent::SealIntent;
use crate::domain::register::{EntryState, RegisterEntry};
use crate::domain::seal_authority::SealAuthority;
use crate::domain::seal_facts::SealedFileFacts;
use crate::wire;

/// An entry of the register.
pub(in crate::grpc) fn register_entry(entry: &RegisterEntry) -> pb::RegisterEntry {
    pb::RegisterEntry {
        office_id: entry.office_id.to_string(),
        year: entry.number.year,
        number: entry.number.number,
        date: Some(wire::date(entry.date)),
        state: entry_state(entry.state).into(),
        annulment_reason: entry
            .annulment
            .as_ref()
            .map(|annulment| annulment.reason.clone())
            .unwrap_or_default(),
        annul_time: entry
            .annulment
            .as_ref()
            .map(|annulment| wire::timestamp(annulment.at)),
        request_id: entry.request_id.to_string(),
        intent_id: entry.intent_id.to_string(),
        annulled_by_person_id: entry
            .annulment
            .as_ref()
            .map(|annulment| annulment.officer_id.to_string())
            .unwrap_or_default(),
    }
}

pub(in crate::grpc) fn entry_state(state: EntryState) -> pb::RegisterEntryState {
    match state {
        EntryState::Pending => pb::RegisterEntryState::Pending,
        EntryState::Sealed => pb::RegisterEntryState::Sealed,
        EntryState::Annulled => pb::RegisterEntryState::Annulled,
    }
}

/// A sealed file.
pub(in crate::grpc) fn sealed_file(file: &SealedFileFacts) -> pb::SealedFile {
    pb::SealedFile {
        kind: wire::file_kind(file.kind).into(),
        revision: file.revision,
        size_bytes: file.size_bytes.unsigned_abs(),
        sha256: file.sha256.to_vec(),
    }
}

pub(super) fn seal_intent(intent: &SealIntent) -> pb::SealIntent {
    let digests = intent
        .to_confirm()
        .map(|(_, prepared)| vec![prepared.digest.to_vec()]);
    pb::SealIntent {
        intent_id: intent.id.to_string(),
        legalisation_request_id: intent.request_id.to_string(),
        register_entry: Some(register_entry(&RegisterEntry {
            office_id: intent.office_id,
            number: intent.register,
            date: intent.date,
            state: EntryState::Pending,
            annulment: None,
            request_id: intent.request_id,
            intent_id: intent.id,
        })),
        digests: digests.unwrap_or_default(),
        create_time: Some(wire::timestamp(intent.created_at)),
        progress_code: intent.progress().unwrap_or_default().to_owned(),
    }
}

pub(super) fn problem(problem: SealProblem) -> pb::SealProblem {
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    pb::SealProblem {
        legalisation_request_id: text(problem.request_id),
        intent_id: text(problem.intent_id),
        reason: problem.reason.to_owned(),
        description: problem.description,
    }
}

pub(super) fn signing_credential(credential: &Credential, expires_soon: bool) -> pb::SigningCredential {
    pb::SigningCredential {
        credential_id: credential.id.to_string(),
        office_id: credential.office_id.to_string(),
        officer_person_id: credential
            .officer_id()
            .map(|id| id.to_string())
            .unwrap_or_default(),
        backend: "pkcs11".to_owned(),
        token_label: credential.key.token_label.clone(),
        key_label: credential.key.key_label.clone(),
        certificate: credential.certificate.clone(),
        not_before: Some(wire::timestamp(credential.not_before)),
        not_after: Some(wire::timestamp(credential.not_after)),
        expires_soon,
        kind: wire::credential_kind(&credential.holder).into(),
        authority: match &credential.holder {
            Holder::Officer(_) => None,
            Holder::Institution(authority) => Some(seal_authority(authority)),
        },
    }
}

fn seal_authority(authority: &SealAuthority) -> pb::SealAuthority {
    pb::SealAuthority {
        decision_reference: authority.decision_reference.clone(),
        decision_date: Some(wire::date(authority.decision_date)),
        authority_name: authority.authority_name.clone(),
        document_kinds: authority.document_kinds.clone(),
        office_ids: authority.office_ids.iter().map(ToString::to_string).collect(),
        valid_from: Some(wire::date(authority.valid_from)),
        valid_to: Some(wire::date(authority.valid_to)),
    }
}
