//! Documents of another service: the steps of their deposit and seal.

use futures::stream;
use tonic::Status;
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::issued_document_service_client::IssuedDocumentServiceClient;
use wathiq_signature::clients::identity::Purpose;

use crate::harness::{OFFICE, Person, World, request_id};
use crate::sample;

/// A code of nobody else.
pub(crate) fn code() -> String {
    let bytes: [u8; 8] = Uuid::new_v4().as_bytes()[..8].try_into().unwrap();
    wathiq_signature::domain::verification_code::VerificationCode::from_random(bytes)
        .as_str()
        .to_owned()
}

/// What a deposit says of an extract to be sealed with an officer's key.
pub(crate) fn header() -> pb::DepositHeader {
    pb::DepositHeader {
        request_id: request_id(),
        owner_reference: Uuid::new_v4().to_string(),
        office_id: OFFICE.to_string(),
        document_kind: "birth_extract".to_owned(),
        title_ar: "نسخة موجزة من رسم الولادة".to_owned(),
        title_fr: "Extrait d'acte de naissance".to_owned(),
        title_en: "Extract of a birth act".to_owned(),
        seal_mode: pb::SealMode::OfficerKey.into(),
        verification_code: code(),
        signing_officer_person_id: String::new(),
    }
}

/// The same with the institution's electronic seal.
pub(crate) fn electronic() -> pb::DepositHeader {
    pb::DepositHeader {
        seal_mode: pb::SealMode::ElectronicSeal.into(),
        ..header()
    }
}

impl World {
    /// The service as the owner of documents has it.
    pub(crate) fn issued(&self) -> IssuedDocumentServiceClient<Channel> {
        IssuedDocumentServiceClient::new(self.channel("civil-registry-order"))
    }

    /// The service as officers reach it.
    pub(crate) fn issued_office(&self) -> IssuedDocumentServiceClient<Channel> {
        IssuedDocumentServiceClient::new(self.channel("gateway")).max_decoding_message_size(16 * 1024 * 1024)
    }

    pub(crate) async fn try_deposit(
        &self,
        header: pb::DepositHeader,
        file: &[u8],
    ) -> Result<pb::IssuedDocument, Status> {
        use pb::deposit_issued_document_request::Part;
        let mut parts = vec![Part::Header(header)];
        parts.extend(file.chunks(64 * 1024).map(|chunk| Part::Chunk(chunk.to_vec())));
        let messages: Vec<_> = parts
            .into_iter()
            .map(|part| pb::DepositIssuedDocumentRequest { part: Some(part) })
            .collect();
        let answer = self
            .issued()
            .deposit_issued_document(stream::iter(messages))
            .await?;
        Ok(answer.into_inner().issued_document.unwrap())
    }

    /// WAITING_FOR_OFFICER
    pub(crate) async fn deposited(&self, header: pb::DepositHeader) -> pb::IssuedDocument {
        self.try_deposit(header, &sample::plain(1)).await.unwrap()
    }

    pub(crate) async fn issued_document(&self, id: &str) -> pb::IssuedDocument {
        let key = pb::get_issued_document_request::Key::IssuedDocumentId(id.to_owned());
        let message = pb::GetIssuedDocumentRequest { key: Some(key) };
        let answer = self.issued().get_issued_document(message).await.unwrap();
        answer.into_inner().issued_document.unwrap()
    }

    /// What a seal of these documents asks, confirmed.
    pub(crate) fn issuing(
        &self,
        officer: Person,
        documents: &[pb::IssuedDocument],
        pin: &str,
    ) -> pb::SealIssuedDocumentsRequest {
        let hashes = documents
            .iter()
            .map(|document| document.digest[..].try_into().unwrap())
            .collect();
        pb::SealIssuedDocumentsRequest {
            request_id: request_id(),
            issued_document_ids: documents
                .iter()
                .map(|document| document.issued_document_id.clone())
                .collect(),
            confirmation_id: self
                .identity
                .confirm(officer.0, Purpose::Seal, hashes)
                .to_string(),
            pin: pin.to_owned(),
            credential_id: String::new(),
        }
    }

    pub(crate) async fn try_seal_issued(
        &self,
        officer: Person,
        message: pb::SealIssuedDocumentsRequest,
    ) -> Result<pb::SealIssuedDocumentsResponse, Status> {
        Ok(self
            .issued_office()
            .seal_issued_documents(self.as_staff(officer, message))
            .await?
            .into_inner())
    }

    /// A document's file as its owner downloads it, and whether it is sealed.
    pub(crate) async fn try_download_issued(
        &self,
        id: &str,
        allow_prepared: bool,
    ) -> Result<(Vec<u8>, bool), Status> {
        let message = pb::DownloadIssuedDocumentRequest {
            issued_document_id: id.to_owned(),
            allow_prepared,
        };
        let mut parts = self
            .issued()
            .download_issued_document(message)
            .await?
            .into_inner();
        let first = parts.message().await?.unwrap();
        let mut file = Vec::new();
        while let Some(part) = parts.message().await? {
            file.extend(part.chunk);
        }
        assert_eq!(file.len() as u64, first.total_bytes);
        Ok((file, first.sealed))
    }

    pub(crate) async fn try_withdraw(&self, id: &str) -> Result<pb::IssuedDocument, Status> {
        let message = pb::WithdrawIssuedDocumentRequest {
            request_id: request_id(),
            issued_document_id: id.to_owned(),
        };
        let answer = self.issued().withdraw_issued_document(message).await?;
        Ok(answer.into_inner().issued_document.unwrap())
    }

    /// What waits for an officer at the office.
    pub(crate) async fn to_seal(&self, officer: Person) -> Vec<pb::IssuedDocument> {
        self.listed_to_seal(officer, false).await
    }

    /// What waits there for this officer.
    pub(crate) async fn mine_to_seal(&self, officer: Person) -> Vec<pb::IssuedDocument> {
        self.listed_to_seal(officer, true).await
    }

    async fn listed_to_seal(&self, officer: Person, mine_only: bool) -> Vec<pb::IssuedDocument> {
        let message = pb::ListIssuedDocumentsToSealRequest {
            office_id: OFFICE.to_string(),
            mine_only,
            ..Default::default()
        };
        self.issued_office()
            .list_issued_documents_to_seal(self.as_staff(officer, message))
            .await
            .unwrap()
            .into_inner()
            .issued_documents
    }
}
