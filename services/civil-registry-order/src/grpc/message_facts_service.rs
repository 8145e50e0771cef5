//! `MessageFactsService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::message_facts_service_server::MessageFactsService;

use super::fields::{self, Fields};
use super::{convert, parse};
use crate::app::{App, message_facts};
use crate::domain::kind::DocumentKind;
use crate::domain::order::Order;
use crate::domain::order::line::Line;
use crate::domain::order::parcel::ADDRESS_REFUSED;
use crate::wire;

/// Handlers of what notification asks.
pub(super) struct MessageFacts {
    app: Arc<App>,
}

impl MessageFacts {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

fn line_facts(order: &Order, line: &Line, kinds: &[DocumentKind]) -> pb::LineFacts {
    let kind = kinds.iter().find(|kind| kind.id == line.kind_id);
    let name = |of: fn(&DocumentKind) -> &String| kind.map(|kind| of(kind).clone()).unwrap_or_default();
    let answer = line.answer.as_ref();
    let parcel = line.parcel_id.and_then(|id| order.parcel(id));
    pb::LineFacts {
        line_reference: order.line_reference(line).to_string(),
        kind_name_ar: name(|kind| &kind.name_ar),
        kind_name_fr: name(|kind| &kind.name_fr),
        kind_name_en: name(|kind| &kind.name_en),
        reason_code: match answer {
            _ if order.waits_for_address(line) => ADDRESS_REFUSED.to_owned(),
            answer => answer
                .map(|answer| answer.reason_code.clone())
                .unwrap_or_default(),
        },
        reason_text: answer.map(|answer| answer.text.clone()).unwrap_or_default(),
        deadline: line.deadline.map(wire::timestamp),
        tracking_number: parcel
            .and_then(|parcel| parcel.tracking_number.clone())
            .unwrap_or_default(),
        held_until: parcel.and_then(|parcel| parcel.held_until).map(wire::date),
        refunded_centimes: line.refunded_centimes,
        state: convert::line_state(line.state),
    }
}

#[tonic::async_trait]
impl MessageFactsService for MessageFacts {
    async fn get_order_facts(
        &self,
        request: Request<pb::GetOrderFactsRequest>,
    ) -> Result<Response<pb::GetOrderFactsResponse>, Status> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let order_id = fields.id("order_id", &message.order_id);
        let lines = parse::ids(&mut fields, "line_ids", &message.line_ids, 0..=20);
        let (Some(order_id), Some(lines)) = (order_id, lines) else {
            return Err(fields.error().into());
        };
        let (view, kinds) = message_facts::order_facts(&self.app, order_id).await?;
        let order = &view.order;
        let about = order.lines.iter();
        let about = about.filter(|line| lines.is_empty() || lines.contains(&line.id));
        Ok(Response::new(pb::GetOrderFactsResponse {
            person_id: order.person_id.to_string(),
            reference: order.reference.to_string(),
            total_centimes: order.total_centimes,
            lines: about.map(|line| line_facts(order, line, &kinds)).collect(),
            pay_before: Some(wire::timestamp(order.pay_before)),
        }))
    }

    async fn get_office_facts(
        &self,
        request: Request<pb::GetOfficeFactsRequest>,
    ) -> Result<Response<pb::GetOfficeFactsResponse>, Status> {
        let message = request.get_ref();
        let office_id = fields::id("office_id", &message.office_id)?;
        let reminder_id = fields::id("reminder_id", &message.reminder_id)?;
        let facts = message_facts::office_facts(&self.app, office_id, reminder_id).await?;
        let profile = facts.profile;
        Ok(Response::new(pb::GetOfficeFactsResponse {
            email: profile
                .as_ref()
                .map(|profile| profile.email.clone())
                .unwrap_or_default(),
            language: profile
                .as_ref()
                .map(|profile| profile.language.clone())
                .unwrap_or_default(),
            office_name_ar: profile
                .as_ref()
                .map(|profile| profile.bureau_ar.clone())
                .unwrap_or_default(),
            office_name_fr: profile.map(|profile| profile.bureau_fr).unwrap_or_default(),
            waiting_lines: facts.waiting_lines,
            late_lines: facts.late_lines,
        }))
    }
}
