//! `OrderService`.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use tonic::{Request, Response, Status, Streaming};
use wathiq_chassis::{Caller, caller};
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::order_service_server::OrderService;

use super::stream::{Chunks, chunks};
use super::{command, convert, fields, page, parse};
use crate::app::correct_address::{CorrectAddress, correct_address};
use crate::app::correct_line::{CorrectLine, correct_line};
use crate::app::get_order::{Key, get_order};
use crate::app::{App, AppError};
use crate::app::{
    cancel_lines, download_document, get_catalogue, list_order_offices, list_orders, place_order,
    quote_order, upload_evidence,
};
use crate::domain::reason;
use crate::wire;

/// Handlers of the citizen's side.
pub(super) struct Orders {
    app: Arc<App>,
}

impl Orders {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl OrderService for Orders {
    type DownloadDocumentStream = Chunks<pb::DownloadDocumentResponse>;

    async fn get_catalogue(
        &self,
        _request: Request<pb::GetCatalogueRequest>,
    ) -> Result<Response<pb::GetCatalogueResponse>, Status> {
        let entries = get_catalogue::get_catalogue(&self.app).await?;
        let entries = entries.iter().map(|entry| {
            let kind = convert::document_kind(&entry.kind);
            pb::CatalogueEntry {
                document_kind: kind.code,
                register_kind: kind.register_kind,
                name_ar: kind.name_ar,
                name_fr: kind.name_fr,
                name_en: kind.name_en,
                languages: kind.languages,
                relations: kind.relations,
                relations_with_evidence: kind.relations_with_evidence,
                fees: entry.fees.iter().flat_map(convert::catalogue_fees).collect(),
                production_working_days: kind.production_working_days,
                issuing_administration_ar: kind.issuing_administration_ar,
                issuing_administration_fr: kind.issuing_administration_fr,
                routing: kind.routing,
            }
        });
        Ok(Response::new(pb::GetCatalogueResponse {
            entries: entries.collect(),
            refusal_reasons: reason::REFUSALS.iter().map(convert::office_reason).collect(),
            correction_reasons: reason::CORRECTIONS.iter().map(convert::office_reason).collect(),
        }))
    }

    async fn list_order_offices(
        &self,
        request: Request<pb::ListOrderOfficesRequest>,
    ) -> Result<Response<pb::ListOrderOfficesResponse>, Status> {
        let message = request.get_ref();
        let mut fields = fields::Fields::default();
        let size = page::size(&mut fields, message.page_size);
        let after = page::id_of_token(&mut fields, &message.page_token);
        let parent = fields.optional_id("parent_office_id", &message.parent_office_id);
        let (Some(size), Some(after), Some(parent)) = (size, after, parent) else {
            return Err(fields.error().into());
        };
        let (offered, next) = list_order_offices::list_order_offices(&self.app, parent, after, size).await?;
        Ok(Response::new(pb::ListOrderOfficesResponse {
            offices: offered.iter().map(convert::order_office).collect(),
            next_page_token: next.map(page::token_of_id).unwrap_or_default(),
        }))
    }

    async fn quote_order(
        &self,
        request: Request<pb::QuoteOrderRequest>,
    ) -> Result<Response<pb::QuoteOrderResponse>, Status> {
        let caller = request.extensions().get::<Caller>().cloned();
        let message = request.into_inner();
        let lines = message.lines.into_iter().map(parse::line).collect();
        let prices =
            quote_order::quote_order(&self.app, caller.as_ref(), lines, &message.country_code).await?;
        Ok(Response::new(pb::QuoteOrderResponse {
            total_centimes: prices.iter().map(|price| price.amount).sum(),
            prices: prices.into_iter().map(convert::price).collect(),
        }))
    }

    async fn upload_evidence(
        &self,
        request: Request<Streaming<pb::UploadEvidenceRequest>>,
    ) -> Result<Response<pb::UploadEvidenceResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut parts = request.into_inner();
        let Some(pb::upload_evidence_request::Part::Header(header)) =
            parts.message().await?.and_then(|first| first.part)
        else {
            return Err(AppError::invalid("header", "REQUIRED", "the first message is the header").into());
        };
        let upload = parse::upload(&header)?;
        let chunks = parts.map(|part| chunk(part?)).boxed();
        let evidence = upload_evidence::upload_evidence(&self.app, &caller, upload, chunks).await?;
        Ok(Response::new(pb::UploadEvidenceResponse {
            evidence_id: evidence.id.to_string(),
            expire_time: Some(wire::timestamp(evidence.expires_at)),
        }))
    }

    async fn place_order(
        &self,
        request: Request<pb::PlaceOrderRequest>,
    ) -> Result<Response<pb::PlaceOrderResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let command = command(
            &caller,
            "/wathiq.civil_registry_order.v1.OrderService/PlaceOrder",
            &request_id,
            &message,
        )?;
        let asked = parse::place_order(message)?;
        let view = place_order::place_order(&self.app, &caller, &command, asked).await?;
        Ok(Response::new(pb::PlaceOrderResponse {
            order: Some(convert::order(&view)),
        }))
    }

    async fn get_order(
        &self,
        request: Request<pb::GetOrderRequest>,
    ) -> Result<Response<pb::GetOrderResponse>, Status> {
        let caller = caller(&request)?;
        let key = match &request.get_ref().key {
            Some(pb::get_order_request::Key::OrderId(id)) => Key::Id(fields::id("order_id", id)?),
            Some(pb::get_order_request::Key::Reference(text)) => {
                Key::Reference(parse::reference("reference", text)?)
            }
            None => return Err(AppError::invalid("order_id", "REQUIRED", "name the order").into()),
        };
        let view = get_order(&self.app, caller, key).await?;
        Ok(Response::new(pb::GetOrderResponse {
            order: Some(convert::order(&view)),
        }))
    }

    async fn list_orders(
        &self,
        request: Request<pb::ListOrdersRequest>,
    ) -> Result<Response<pb::ListOrdersResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = fields::Fields::default();
        let size = page::size(&mut fields, message.page_size);
        let before = page::id_of_token(&mut fields, &message.page_token);
        let (Some(size), Some(before)) = (size, before) else {
            return Err(fields.error().into());
        };
        let (views, next) = list_orders::list_orders(&self.app, caller, before, size).await?;
        Ok(Response::new(pb::ListOrdersResponse {
            orders: views.iter().map(convert::order).collect(),
            next_page_token: next.map(page::token_of_id).unwrap_or_default(),
        }))
    }

    async fn cancel_lines(
        &self,
        request: Request<pb::CancelLinesRequest>,
    ) -> Result<Response<pb::CancelLinesResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let method = "/wathiq.civil_registry_order.v1.OrderService/CancelLines";
        let command = command(&caller, method, &request_id, &message)?;
        let mut fields = fields::Fields::default();
        let order_id = fields.id("order_id", &message.order_id);
        let lines = parse::ids(&mut fields, "line_ids", &message.line_ids, 0..=20);
        let (Some(order_id), Some(lines)) = (order_id, lines) else {
            return Err(fields.error().into());
        };
        let seen = parse::etag(&message.etag)?;
        let view = cancel_lines::cancel_lines(&self.app, &caller, &command, order_id, &lines, seen).await?;
        Ok(Response::new(pb::CancelLinesResponse {
            order: Some(convert::order(&view)),
        }))
    }

    async fn correct_line(
        &self,
        request: Request<pb::CorrectLineRequest>,
    ) -> Result<Response<pb::CorrectLineResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let method = "/wathiq.civil_registry_order.v1.OrderService/CorrectLine";
        let command = command(&caller, method, &request_id, &message)?;
        let mut fields = fields::Fields::default();
        let order_id = fields.id("order_id", &message.order_id);
        let line_id = fields.id("line_id", &message.line_id);
        let (Some(order_id), Some(line_id)) = (order_id, line_id) else {
            return Err(fields.error().into());
        };
        let asked = CorrectLine {
            order_id,
            line_id,
            seen: parse::etag(&message.etag)?,
            evidence_ids: parse::evidence_ids(&message.evidence_ids),
            act: parse::clue(message.act),
        };
        let view = correct_line(&self.app, &caller, &command, asked).await?;
        Ok(Response::new(pb::CorrectLineResponse {
            order: Some(convert::order(&view)),
        }))
    }

    async fn correct_address(
        &self,
        request: Request<pb::CorrectAddressRequest>,
    ) -> Result<Response<pb::CorrectAddressResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let method = "/wathiq.civil_registry_order.v1.OrderService/CorrectAddress";
        let command = command(&caller, method, &request_id, &message)?;
        let asked = CorrectAddress {
            order_id: fields::id("order_id", &message.order_id)?,
            seen: parse::etag(&message.etag)?,
            address: parse::address(message.address),
        };
        let view = correct_address(&self.app, &caller, &command, asked).await?;
        Ok(Response::new(pb::CorrectAddressResponse {
            order: Some(convert::order(&view)),
        }))
    }

    async fn download_document(
        &self,
        request: Request<pb::DownloadDocumentRequest>,
    ) -> Result<Response<Self::DownloadDocumentStream>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let order_id = fields::id("order_id", &message.order_id)?;
        let line_id = fields::id("line_id", &message.line_id)?;
        let download = download_document::download_document(&self.app, caller, order_id, line_id).await?;
        Ok(Response::new(chunks(download, |chunk, totals| {
            pb::DownloadDocumentResponse {
                chunk,
                total_bytes: totals.total_bytes,
                sha256: totals.sha256,
                file_name: totals.file_name,
            }
        })))
    }
}

fn chunk(part: pb::UploadEvidenceRequest) -> Result<Bytes, Status> {
    match part.part {
        Some(pb::upload_evidence_request::Part::Chunk(chunk)) => Ok(chunk.into()),
        _ => Err(Status::invalid_argument("after the header come chunks")),
    }
}
