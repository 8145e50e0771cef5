//! `MessageService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_chassis::{caller, status};
use wathiq_proto::wathiq::notification::v1 as pb;
use wathiq_proto::wathiq::notification::v1::message_service_server::MessageService;

use super::convert;
use super::status::DOMAIN;
use crate::app::App;
use crate::app::list_messages::list_messages;

/// Handlers.
pub struct Messages {
    app: Arc<App>,
}

impl Messages {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl MessageService for Messages {
    async fn list_messages(
        &self,
        request: Request<pb::ListMessagesRequest>,
    ) -> Result<Response<pb::ListMessagesResponse>, Status> {
        let caller = caller(&request)?;
        let page = convert::page(request.get_ref())
            .map_err(|violations| status::invalid_argument(DOMAIN, violations))?;
        let (messages, more) = list_messages(&self.app, caller, page).await?;
        let next_page_token = messages
            .last()
            .filter(|_| more)
            .map(convert::token)
            .unwrap_or_default();
        Ok(Response::new(pb::ListMessagesResponse {
            messages: messages.iter().map(convert::message).collect(),
            next_page_token,
        }))
    }
}
