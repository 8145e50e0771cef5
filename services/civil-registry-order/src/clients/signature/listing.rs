//! What signature has in its books, page by page, for the audit.

use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;

use super::{SERVICE, Signature};
use crate::clients::{ClientError, PAGE, Page, failure, id};

/// How far a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It waits for an officer, or for the time-stamp of what the key has signed.
    Waiting,
    Sealed,
    /// Taken back, or spoilt: nothing was issued.
    Ended,
}

/// A document and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedBook {
    pub id: Uuid,
    /// The line, as signature was told.
    pub line: String,
    pub stage: Stage,
}

impl Signature {
    /// Documents of this service by their id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_issued(&self, page_token: String) -> Result<Page<IssuedBook>, ClientError> {
        let request = pb::ListIssuedDocumentsRequest {
            page_size: PAGE,
            page_token,
        };
        let answer = self.documents.clone().list_issued_documents(request).await;
        let answer = answer.map_err(failure(SERVICE, "issued documents"))?.into_inner();
        let books = answer.issued_documents.into_iter().map(book);
        Ok((books.collect::<Result<_, _>>()?, answer.next_page_token))
    }
}

fn book(document: pb::IssuedDocument) -> Result<IssuedBook, ClientError> {
    use pb::IssuedDocumentState as State;
    let stage = match document.state() {
        State::WaitingForOfficer | State::Signed => Stage::Waiting,
        State::Sealed => Stage::Sealed,
        State::Withdrawn | State::Failed => Stage::Ended,
        State::Unspecified => {
            return Err(ClientError::Unusable {
                service: SERVICE,
                what: "state of a document",
            });
        }
    };
    Ok(IssuedBook {
        id: id(SERVICE, "issued document id", &document.issued_document_id)?,
        line: document.owner_reference,
        stage,
    })
}
