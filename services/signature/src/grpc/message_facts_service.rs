//! `MessageFactsService`.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::message_facts_service_server::MessageFactsService;

use crate::app::App;
use crate::app::message_facts::message_facts;
use crate::grpc::{convert, downloads, fields};

/// Handlers of notification's questions.
pub(super) struct MessageFacts {
    app: Arc<App>,
}

impl MessageFacts {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl MessageFactsService for MessageFacts {
    type DownloadForMessageStream = downloads::DownloadForMessageStream;

    async fn get_message_facts(
        &self,
        request: Request<pb::GetMessageFactsRequest>,
    ) -> Result<Response<pb::GetMessageFactsResponse>, Status> {
        let id = fields::id(
            "legalisation_request_id",
            &request.get_ref().legalisation_request_id,
        )?;
        let facts = message_facts(&self.app, id).await?;
        let reason = facts.refusal_reason;
        let text = |pick: fn(&crate::domain::kind::RefusalReason) -> &String| {
            reason
                .as_ref()
                .map(|reason| pick(reason).clone())
                .unwrap_or_default()
        };
        let link_token = facts
            .link_token
            .map(|token| token.expose_secret().to_owned())
            .unwrap_or_default();
        Ok(Response::new(pb::GetMessageFactsResponse {
            applicant_person_id: facts.view.request.opening.applicant_id.to_string(),
            legalisation_request: Some(convert::legalisation_request(&facts.view)),
            office_name_ar: facts.office.name_ar,
            office_name_fr: facts.office.name_fr,
            link_token,
            refusal_text_ar: text(|reason| &reason.text_ar),
            refusal_text_fr: text(|reason| &reason.text_fr),
            refusal_text_en: text(|reason| &reason.text_en),
            document_file_name: facts.document_file_name,
        }))
    }

    async fn download_for_message(
        &self,
        request: Request<pb::DownloadForMessageRequest>,
    ) -> Result<Response<Self::DownloadForMessageStream>, Status> {
        downloads::download_for_message(&self.app, request).await
    }
}
