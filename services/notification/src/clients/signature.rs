//! What a message about a legalisation request tells, and the sealed files it carries.

use chrono::{DateTime, NaiveDate, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tonic::Request;
use uuid::Uuid;
use wathiq_chassis::client::Channel as GrpcChannel;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::message_facts_service_client::MessageFactsServiceClient;

use super::{ClientError, date, instant, present};

/// The files of a sealed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Document,
    LegalisationPage,
}

/// A sealed file's latest revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedFile {
    pub kind: FileKind,
    pub size_bytes: u64,
}

/// The catalogue's text for a reason of refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReasonText {
    pub ar: String,
    pub fr: String,
    pub en: String,
}

/// Facts about a request at the time of asking. What is not there yet is absent. It does not print.
#[derive(Default)]
pub struct Facts {
    pub applicant_id: Uuid,
    pub document_name: String,
    pub office_name_ar: String,
    pub office_name_fr: String,
    pub receipt_number: Option<String>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub expected_on: Option<NaiveDate>,
    pub refusal_reason: Option<ReasonText>,
    /// What the official wrote, in the language they chose.
    pub refusal_text: Option<String>,
    /// Year and number.
    pub register: Option<(i32, i32)>,
    pub verification_code: Option<String>,
    pub fee_centimes: i64,
    /// The present state ends by itself then.
    pub expires_at: Option<DateTime<Utc>>,
    pub files: Vec<SealedFile>,
    pub link_token: Option<SecretString>,
}

/// A file to attach.
pub struct Attachment {
    pub file_name: String,
    pub bytes: Vec<u8>,
}

/// What notification asks signature.
pub trait Signature: Send + Sync {
    /// Facts about a request.
    fn facts(&self, request_id: Uuid) -> BoxFuture<'_, Result<Facts, ClientError>>;

    /// A sealed file of at most `limit` bytes, whole and with the announced digest.
    fn download(
        &self,
        request_id: Uuid,
        kind: FileKind,
        limit: u64,
    ) -> BoxFuture<'_, Result<Attachment, ClientError>>;
}

/// Signature behind a channel.
#[derive(Clone)]
pub struct GrpcSignature {
    facts: MessageFactsServiceClient<GrpcChannel>,
}

impl GrpcSignature {
    pub fn new(channel: GrpcChannel) -> Self {
        Self {
            facts: MessageFactsServiceClient::new(channel),
        }
    }
}

impl Signature for GrpcSignature {
    fn facts(&self, request_id: Uuid) -> BoxFuture<'_, Result<Facts, ClientError>> {
        let mut client = self.facts.clone();
        async move {
            let request = pb::GetMessageFactsRequest {
                legalisation_request_id: request_id.to_string(),
            };
            facts(
                client
                    .get_message_facts(Request::new(request))
                    .await?
                    .into_inner(),
            )
        }
        .boxed()
    }

    fn download(
        &self,
        request_id: Uuid,
        kind: FileKind,
        limit: u64,
    ) -> BoxFuture<'_, Result<Attachment, ClientError>> {
        let mut client = self.facts.clone();
        async move {
            let wire = match kind {
                FileKind::Document => pb::SealedFileKind::Document,
                FileKind::LegalisationPage => pb::SealedFileKind::LegalisationPage,
            };
            let request = pb::DownloadForMessageRequest {
                legalisation_request_id: request_id.to_string(),
                kind: wire.into(),
            };
            let mut stream = client
                .download_for_message(Request::new(request))
                .await?
                .into_inner();
            let mut download = Download::default();
            while let Some(part) = stream.message().await? {
                download.add(part, limit)?;
            }
            download.finish()
        }
        .boxed()
    }
}

/// A download while it comes in.
#[derive(Default)]
struct Download {
    announced: Option<(u64, Vec<u8>)>,
    file_name: String,
    bytes: Vec<u8>,
}

impl Download {
    fn add(&mut self, part: pb::DownloadForMessageResponse, limit: u64) -> Result<(), ClientError> {
        if self.announced.is_none() {
            self.announced = Some((part.total_bytes, part.sha256));
            self.file_name = part.file_name;
        }
        self.bytes.extend_from_slice(&part.chunk);
        if self.bytes.len() as u64 > limit {
            return Err(ClientError::unusable("the file is larger than it was said to be"));
        }
        Ok(())
    }

    fn finish(self) -> Result<Attachment, ClientError> {
        let whole = self.announced.is_some_and(|(total, sha256)| {
            total == self.bytes.len() as u64 && sha256 == Sha256::digest(&self.bytes).as_slice()
        });
        if whole {
            Ok(Attachment {
                file_name: self.file_name,
                bytes: self.bytes,
            })
        } else {
            Err(ClientError::unusable("the file did not come whole"))
        }
    }
}

fn facts(answer: pb::GetMessageFactsResponse) -> Result<Facts, ClientError> {
    let request = answer
        .legalisation_request
        .ok_or_else(|| ClientError::unusable("the request is missing"))?;
    let applicant_id = Uuid::parse_str(&answer.applicant_person_id)
        .map_err(|_| ClientError::unusable("the applicant's id is not a UUID"))?;
    let reason = ReasonText {
        ar: answer.refusal_text_ar,
        fr: answer.refusal_text_fr,
        en: answer.refusal_text_en,
    };
    let files = latest(&request.files);
    let receipt = request.receipt;
    Ok(Facts {
        applicant_id,
        document_name: answer.document_file_name,
        office_name_ar: answer.office_name_ar,
        office_name_fr: answer.office_name_fr,
        submitted_at: receipt.as_ref().and_then(|receipt| instant(receipt.submit_time)),
        expected_on: receipt.as_ref().and_then(|receipt| date(receipt.expected_date)),
        receipt_number: receipt.and_then(|receipt| present(receipt.number)),
        refusal_reason: Some(reason).filter(|reason| *reason != ReasonText::default()),
        refusal_text: request.refusal.and_then(|refusal| present(refusal.text)),
        register: request.register_entry.map(|entry| (entry.year, entry.number)),
        verification_code: present(request.verification_code),
        fee_centimes: request.fee_centimes,
        expires_at: instant(request.expire_time),
        files,
        link_token: present(answer.link_token).map(SecretString::from),
    })
}

/// The newest revision of each kind, the document first.
fn latest(files: &[pb::SealedFile]) -> Vec<SealedFile> {
    let kinds = [
        (FileKind::Document, pb::SealedFileKind::Document),
        (FileKind::LegalisationPage, pb::SealedFileKind::LegalisationPage),
    ];
    let newest = |wire| {
        files
            .iter()
            .filter(|file| file.kind() == wire)
            .max_by_key(|file| file.revision)
    };
    kinds
        .into_iter()
        .filter_map(|(kind, wire)| {
            Some(SealedFile {
                kind,
                size_bytes: newest(wire)?.size_bytes,
            })
        })
        .collect()
}
