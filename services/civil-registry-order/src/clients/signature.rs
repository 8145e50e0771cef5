//! What this service asks signature: documents that it has drawn are deposited there, sealed by an officer, and read again.

mod listing;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::issued_document_service_client::IssuedDocumentServiceClient;

use crate::clients::{ClientError, failure};
use crate::domain::kind::SealMode;
pub use listing::{IssuedBook, Stage};

const SERVICE: &str = "signature";
/// Largest chunk that signature takes.
const CHUNK: usize = 256 * 1024;
const RESOURCE: &str = "issued document";

/// A document to be sealed. Does not print.
pub struct Deposit {
    /// The same for every repeat.
    pub request_id: Uuid,
    pub office_id: Uuid,
    /// Code of the kind of document.
    pub kind: String,
    pub line_id: Uuid,
    /// Named in the document: nobody else seals it.
    pub signing_officer: Uuid,
    pub seal_mode: SealMode,
    /// 12 Crockford characters, unique at signature.
    pub verification_code: String,
    /// What the document is, in Arabic, French and English.
    pub title: [String; 3],
    pub pdf: Bytes,
}

/// A document that waits for its seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deposited {
    pub issued_document_id: Uuid,
    /// What the officer confirms.
    pub digest: [u8; 32],
}

/// A sealed file on its way.
pub struct SealedFile {
    pub total_bytes: u64,
    pub sha256: Vec<u8>,
    pub chunks: BoxStream<'static, Result<Bytes, ClientError>>,
}

/// Signature behind a channel.
#[derive(Clone)]
pub struct Signature {
    documents: IssuedDocumentServiceClient<Channel>,
}

impl Signature {
    /// Signature behind this channel.
    pub fn new(channel: Channel) -> Self {
        Self {
            documents: IssuedDocumentServiceClient::new(channel),
        }
    }

    /// Gives a document to be sealed; a repeat gets the same.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn deposit(&self, deposit: Deposit) -> Result<Deposited, ClientError> {
        use pb::deposit_issued_document_request::Part;
        let seal_mode = match deposit.seal_mode {
            SealMode::ElectronicSeal => pb::SealMode::ElectronicSeal,
            SealMode::OfficerKey | SealMode::ByHand => pb::SealMode::OfficerKey,
        };
        let [title_ar, title_fr, title_en] = deposit.title;
        let header = pb::DepositHeader {
            request_id: deposit.request_id.to_string(),
            owner_reference: deposit.line_id.to_string(),
            office_id: deposit.office_id.to_string(),
            document_kind: deposit.kind,
            title_ar,
            title_fr,
            title_en,
            seal_mode: seal_mode.into(),
            verification_code: deposit.verification_code,
            signing_officer_person_id: deposit.signing_officer.to_string(),
        };
        let mut parts = vec![Part::Header(header)];
        parts.extend(deposit.pdf.chunks(CHUNK).map(|chunk| Part::Chunk(chunk.to_vec())));
        let messages = parts
            .into_iter()
            .map(|part| pb::DepositIssuedDocumentRequest { part: Some(part) });
        let answer = self
            .documents
            .clone()
            .deposit_issued_document(stream::iter(messages))
            .await
            .map_err(failure(SERVICE, RESOURCE))?;
        deposited(answer.into_inner().issued_document)
    }

    /// Takes a document back that is not sealed.
    ///
    /// # Errors
    /// [`ClientError`]; refused with `DOCUMENT_SEALED` where it is.
    pub async fn withdraw(&self, request_id: Uuid, issued_document_id: Uuid) -> Result<(), ClientError> {
        let request = pb::WithdrawIssuedDocumentRequest {
            request_id: request_id.to_string(),
            issued_document_id: issued_document_id.to_string(),
        };
        let answer = self.documents.clone().withdraw_issued_document(request).await;
        answer.map_err(failure(SERVICE, RESOURCE))?;
        Ok(())
    }

    /// The sealed file.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn download(&self, issued_document_id: Uuid) -> Result<SealedFile, ClientError> {
        let request = pb::DownloadIssuedDocumentRequest {
            issued_document_id: issued_document_id.to_string(),
            allow_prepared: false,
        };
        let answer = self.documents.clone().download_issued_document(request).await;
        let mut messages = answer.map_err(failure(SERVICE, RESOURCE))?.into_inner();
        let first = messages.message().await.map_err(failure(SERVICE, RESOURCE))?;
        let first = first.ok_or(ClientError::Unusable {
            service: SERVICE,
            what: "file",
        })?;
        let rest = messages.map(|message| {
            message
                .map(|message| Bytes::from(message.chunk))
                .map_err(failure(SERVICE, RESOURCE))
        });
        Ok(SealedFile {
            total_bytes: first.total_bytes,
            sha256: first.sha256.to_vec(),
            chunks: stream::iter([Ok(Bytes::from(first.chunk))]).chain(rest).boxed(),
        })
    }
}

fn deposited(document: Option<pb::IssuedDocument>) -> Result<Deposited, ClientError> {
    let unusable = |what| ClientError::Unusable {
        service: SERVICE,
        what,
    };
    let document = document.ok_or_else(|| unusable("issued document"))?;
    Ok(Deposited {
        issued_document_id: Uuid::try_parse(&document.issued_document_id)
            .map_err(|_| unusable("issued document id"))?,
        digest: <[u8; 32]>::try_from(document.digest.as_slice()).map_err(|_| unusable("digest"))?,
    })
}
