//! What a citizen can still change in an order: cancel it or an act of it, and correct what the office could not find, or an address
//! that the post does not take.

use axum::Router;
use axum::response::Response;
use http::StatusCode;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::api::civil_status::order_key;
use crate::api::civil_status::text::ADDRESS_ASKED;
use crate::api::{self, percent_encode};
use crate::app::App;
use crate::language::{find, text};
use crate::pages::{Frame, see_other, sign_in};
use crate::problem::Problem;
use crate::session::Standing;

mod address;
mod cancel;
mod correct;

pub(super) fn router() -> Router<App> {
    cancel::router().merge(correct::router()).merge(address::router())
}

/// Where an order may be cancelled as a whole: before it is paid.
pub(super) fn cancel_order_address(order: &pb::Order) -> Option<String> {
    let unpaid = order.state() == pb::OrderState::AwaitingPayment;
    unpaid.then(|| format!("/orders/{}/cancellation", order.order_id))
}

/// Where a paid line may be cancelled: before the office has begun.
pub(super) fn cancel_line_address(order: &pb::Order, line: &pb::OrderLine) -> Option<String> {
    let open = matches!(line.state(), pb::LineState::Paid | pb::LineState::ToCorrect);
    open.then(|| format!("/orders/{}/lines/{}/cancellation", order.order_id, line.line_id))
}

/// Where a line that the office asks about is corrected, or the address that the post does not take.
pub(super) fn correct_address(order: &pb::Order, line: &pb::OrderLine) -> Option<String> {
    if line.progress_code == ADDRESS_ASKED {
        return Some(format!("/orders/{}/address", order.order_id));
    }
    let asked = line.state() == pb::LineState::ToCorrect;
    asked.then(|| format!("/orders/{}/lines/{}/correction", order.order_id, line.line_id))
}

fn order_page(order_id: &str) -> String {
    format!("/orders/{}", percent_encode(order_id))
}

fn signed_in(frame: &Frame, standing: &Standing) -> Result<(), Box<Result<Response, Problem>>> {
    match standing {
        Standing::Live(_) => Ok(()),
        Standing::Unknown(problem) | Standing::Limited(problem) => Err(Box::new(Err(problem.clone()))),
        Standing::None | Standing::Ended => Err(Box::new(Ok(see_other(&sign_in::address(&frame.path))))),
    }
}

async fn order(app: &App, order_id: String) -> Result<pb::Order, Problem> {
    let key = Some(order_key(order_id));
    let answer = app
        .clients
        .orders()
        .get_order(pb::GetOrderRequest { key })
        .await?;
    api::filled(answer.into_inner().order)
}

fn line_of<'order>(order: &'order pb::Order, line_id: &str) -> Result<&'order pb::OrderLine, Problem> {
    let line = order.lines.iter().find(|line| line.line_id == line_id);
    line.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "ORDER_LINE_NOT_FOUND",
            "there is no such line",
        )
    })
}

/// Whether the page can be shown again with what was wrong.
fn mendable(problem: &Problem) -> bool {
    !problem.status.is_server_error()
        && !matches!(problem.status, StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED)
}

fn said(frame: &Frame, reason: &str) -> String {
    ["field", "problem"]
        .into_iter()
        .find_map(|section| find(frame.language, &format!("{section}.{reason}")))
        .unwrap_or_else(|| text(frame.language, "change.failed"))
        .to_owned()
}
