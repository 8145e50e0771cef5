//! `ProviderService`: what providers and returning browsers post.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::payment::v1 as pb;
use wathiq_proto::wathiq::payment::v1::provider_service_server::ProviderService;

use crate::app::App;
use crate::app::receive_callback::receive_callback;
use crate::app::receive_return::receive_return;
use crate::grpc::parse;
use crate::providers::Posted;
use crate::wire;

/// Handlers of what comes from providers.
pub(super) struct ProviderMessages {
    app: Arc<App>,
}

impl ProviderMessages {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl ProviderService for ProviderMessages {
    async fn receive_callback(
        &self,
        request: Request<pb::ReceiveCallbackRequest>,
    ) -> Result<Response<pb::ReceiveCallbackResponse>, Status> {
        let message = request.into_inner();
        let (provider, fields) = parse::posted(&message.provider, message.fields, &message.body)?;
        let posted = Posted {
            fields: &fields,
            body: &message.body,
            signature: &message.signature,
        };
        let answer = receive_callback(&self.app, provider, &posted).await?.to_owned();
        Ok(Response::new(pb::ReceiveCallbackResponse { answer }))
    }

    async fn receive_return(
        &self,
        request: Request<pb::ReceiveReturnRequest>,
    ) -> Result<Response<pb::ReceiveReturnResponse>, Status> {
        let message = request.into_inner();
        let (provider, fields) = parse::posted(&message.provider, message.fields, &[])?;
        let posted = Posted {
            fields: &fields,
            body: &[],
            signature: "",
        };
        let payable = receive_return(&self.app, provider, &posted).await?.payable;
        Ok(Response::new(pb::ReceiveReturnResponse {
            payable_id: payable.id.to_string(),
            owner: payable.owner,
            owner_reference: payable.owner_reference,
            state: wire::payable_state(payable.state).into(),
        }))
    }
}
