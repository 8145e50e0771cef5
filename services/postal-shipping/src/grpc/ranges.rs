//! Number ranges, for administrators of the platform.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_chassis::caller;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;
use wathiq_proto::wathiq::postal_shipping::v1::range_service_server::RangeService;

use super::command::command;
use super::fields::Fields;
use super::page::{Page, Sizes};
use super::{convert, parse};
use crate::app::{App, allocate_range, list_ranges};
use crate::domain::number_range::Span;

const SIZES: Sizes = Sizes {
    usual: 50,
    largest: 200,
};

pub(super) struct Ranges(pub(super) Arc<App>);

#[tonic::async_trait]
impl RangeService for Ranges {
    async fn allocate_range(
        &self,
        request: Request<pb::AllocateRangeRequest>,
    ) -> Result<Response<pb::AllocateRangeResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let command = fields.take(command(&request));
        let span = Span::parse(
            &message.service_indicator,
            &message.country_code,
            message.first,
            message.last,
        );
        let span = fields.checked("", span);
        let product = parse::product(&mut fields, message.product());
        let (command, range) = fields.finish(command.zip(span.zip(product)))?;
        let caller = caller(&request)?;
        let reply = allocate_range::allocate_range(&self.0, caller, &command, range, |range, low| {
            pb::AllocateRangeResponse {
                range: Some(convert::range(range, low)),
            }
        });
        Ok(Response::new(reply.await?))
    }

    async fn list_ranges(
        &self,
        request: Request<pb::ListRangesRequest>,
    ) -> Result<Response<pb::ListRangesResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let page = Page::parse(&mut fields, SIZES, message.page_size, &message.page_token);
        let page = fields.finish(page)?;
        let found = list_ranges::list_ranges(&self.0, caller(&request)?, page.after, page.rows()).await?;
        let (found, next_page_token) = page.of(found, |(range, _)| range.id);
        Ok(Response::new(pb::ListRangesResponse {
            ranges: found
                .iter()
                .map(|(range, low)| convert::range(range, *low))
                .collect(),
            next_page_token,
        }))
    }
}
