//! Public verification, without an account.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use secrecy::{ExposeSecret, SecretString};
use tonic::{Request, Response, Status, Streaming};
use wathiq_chassis::status;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::app::download_sealed as sealed;
use crate::app::legalisation_facts::LegalisationFacts;
use crate::app::verify_code::Subject;
use crate::app::verify_file::{Issued, VerifiedFile};
use crate::app::{App, AppError, get_link as links, verify_code as by_code, verify_file as by_file};
use crate::domain::register::EntryState;
use crate::domain::seal_facts::{SealedFileFacts, SealedFileKind};
use crate::grpc::downloads::{self, Chunks};
use crate::grpc::status::DOMAIN;
use crate::grpc::{issued_documents, seal};
use crate::pdf::{PdfError, SignatureVerdict, VerdictIndication};
use crate::wire;

/// Largest file verified, in bytes.
const MAX_FILE: usize = 25 * 1024 * 1024;

/// The verification service.
pub(super) struct Verification {
    app: Arc<App>,
}

impl Verification {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl pb::verification_service_server::VerificationService for Verification {
    type DownloadByLinkStream = Chunks<pb::DownloadByLinkResponse>;

    async fn verify_code(
        &self,
        request: Request<pb::VerifyCodeRequest>,
    ) -> Result<Response<pb::VerifyCodeResponse>, Status> {
        let found = by_code::verify_code(&self.app, &request.into_inner().code).await?;
        let (legalisation, issued_document, issued) = match &found.subject {
            Subject::Legalisation(found) => (Some(facts(found)), None, code_state(found)),
            Subject::Issued(found) => (
                None,
                Some(issued_documents::facts(found)),
                pb::IssuedState::AsIssued,
            ),
        };
        Ok(Response::new(pb::VerifyCodeResponse {
            legalisation,
            signatures: found.signatures.iter().map(verdict).collect(),
            indication: indication(found.overall.indication).into(),
            issued: issued.into(),
            issued_document,
        }))
    }

    async fn verify_file(
        &self,
        request: Request<Streaming<pb::VerifyFileRequest>>,
    ) -> Result<Response<pb::VerifyFileResponse>, Status> {
        let file = received(request.into_inner()).await?;
        let verified = by_file::verify_file(&self.app, file).await.map_err(unreadable)?;
        Ok(Response::new(verified_file(&verified)))
    }

    async fn download_by_link(
        &self,
        request: Request<pb::DownloadByLinkRequest>,
    ) -> Result<Response<Self::DownloadByLinkStream>, Status> {
        let message = request.into_inner();
        let wanted = downloads::wanted(message.kind(), message.offset, message.length)?;
        let token = SecretString::from(message.token);
        let download = sealed::by_link(&self.app, token.expose_secret(), wanted).await?;
        Ok(Response::new(downloads::chunks(download, |part| {
            let (total_bytes, sha256, file_name) = part.totals();
            pb::DownloadByLinkResponse {
                chunk: part.into_chunk(),
                total_bytes,
                sha256,
                file_name,
            }
        })))
    }

    async fn get_link(
        &self,
        request: Request<pb::GetLinkRequest>,
    ) -> Result<Response<pb::GetLinkResponse>, Status> {
        let token = SecretString::from(request.into_inner().token);
        let view = links::get_link(&self.app, token.expose_secret()).await?;
        Ok(Response::new(pb::GetLinkResponse {
            legalisation: Some(facts(&view.facts)),
            files: files(&view.facts),
            expire_time: Some(wire::timestamp(view.expires_at)),
        }))
    }
}

async fn received(mut stream: Streaming<pb::VerifyFileRequest>) -> Result<Bytes, Status> {
    let mut file = BytesMut::new();
    while let Some(part) = stream.message().await? {
        if file.len() + part.chunk.len() > MAX_FILE {
            let error = AppError::invalid("chunk", "FILE_TOO_LARGE", "the file must have at most 25 MiB");
            return Err(error.into());
        }
        file.extend_from_slice(&part.chunk);
    }
    Ok(file.freeze())
}

/// No rule of intake applies here; what cannot be read at all is told with its reason.
fn unreadable(error: AppError) -> Status {
    match error {
        AppError::Pdf(PdfError::Refused(refusal)) => {
            let text = format!("the file cannot be read: {}", refusal.reason);
            let status = status::failed_precondition(DOMAIN, "PDF_UNREADABLE", "file", text);
            status::with_metadata(status, &[("intake_reason", refusal.reason)])
        }
        other => other.into(),
    }
}

fn verified_file(verified: &VerifiedFile) -> pb::VerifyFileResponse {
    let (issued, revision) = match &verified.issued {
        Issued::Unknown => (pb::IssuedState::Unknown, None),
        Issued::AsIssued(revision) => (pb::IssuedState::AsIssued, Some(revision)),
        Issued::Altered(revision) => (pb::IssuedState::Altered, revision.as_ref()),
        Issued::Withdrawn(revision) => (pb::IssuedState::Withdrawn, Some(revision)),
        Issued::Document => (pb::IssuedState::AsIssued, None),
        Issued::DocumentAltered => (pb::IssuedState::Altered, None),
    };
    pb::VerifyFileResponse {
        indication: indication(verified.overall.indication).into(),
        sub_indication: verified.overall.sub_indication.clone().unwrap_or_default(),
        signatures: verified.signatures.iter().map(verdict).collect(),
        issued: issued.into(),
        // Another service's document has one revision.
        revision: match verified.issued {
            Issued::Document => 1,
            _ => revision.map(|revision| revision.revision).unwrap_or_default(),
        },
        legalisation: verified.facts.as_ref().map(facts),
        sha256: verified.sha256.to_vec(),
        kind: revision
            .map_or(pb::SealedFileKind::Unspecified, |revision| {
                wire::file_kind(revision.kind)
            })
            .into(),
        issued_document: verified.document.as_ref().map(issued_documents::facts),
    }
}

fn code_state(facts: &LegalisationFacts) -> pb::IssuedState {
    match facts.register_state {
        EntryState::Annulled => pb::IssuedState::Withdrawn,
        EntryState::Pending | EntryState::Sealed => pb::IssuedState::AsIssued,
    }
}

fn indication(indication: VerdictIndication) -> pb::Indication {
    match indication {
        VerdictIndication::TotalPassed => pb::Indication::TotalPassed,
        VerdictIndication::Indeterminate => pb::Indication::Indeterminate,
        VerdictIndication::TotalFailed => pb::Indication::TotalFailed,
    }
}

fn verdict(signature: &SignatureVerdict) -> pb::SignatureVerdict {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    pb::SignatureVerdict {
        field_name: signature.field_name.clone(),
        indication: indication(signature.indication).into(),
        sub_indication: text(&signature.sub_indication),
        signer: text(&signature.signer),
        issuer: text(&signature.issuer),
        level: text(&signature.level),
        claimed_time: signature.claimed_time.map(wire::timestamp),
        best_time: signature.best_time.map(wire::timestamp),
        covers_whole_revision: signature.covers_whole_revision,
        extended: signature.extended,
        changed: signature.changed,
    }
}

fn facts(facts: &LegalisationFacts) -> pb::LegalisationFacts {
    let identity = facts.of_kind(SealedFileKind::Document).next();
    let latest = facts.latest(SealedFileKind::Document);
    pb::LegalisationFacts {
        verification_code: facts.verification_code.clone(),
        state: wire::state(facts.state).into(),
        office_name_ar: facts.office_name_ar.clone(),
        office_name_fr: facts.office_name_fr.clone(),
        register_year: facts.register.year,
        register_number: facts.register.number,
        seal_time: facts.sealed_at.map(wire::timestamp),
        officer_name: facts.officer_name.clone(),
        signer_name_latin: facts.signer_name_latin.clone(),
        signer_name_arabic: facts.signer_name_arabic.clone(),
        document_kind: facts.document_kind.clone(),
        confirmation_method: facts.confirmation_method.clone(),
        confirm_time: facts.confirmed_at.map(wire::timestamp),
        document_sha256: identity
            .map(|revision| revision.sha256.to_vec())
            .unwrap_or_default(),
        latest_revision: latest.map(|revision| revision.revision).unwrap_or_default(),
        register_state: seal::entry_state(facts.register_state).into(),
        specimen_version: facts.specimen_version.unwrap_or_default(),
    }
}

fn files(facts: &LegalisationFacts) -> Vec<pb::SealedFile> {
    let file = |revision: &crate::domain::revision::SealedRevision| {
        seal::sealed_file(&SealedFileFacts {
            kind: revision.kind,
            revision: revision.revision,
            size_bytes: revision.size_bytes,
            sha256: revision.sha256,
        })
    };
    facts.revisions.iter().map(file).collect()
}
