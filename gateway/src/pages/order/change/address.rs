//! The citizen corrects an address that the post does not take.

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{mendable, order, order_page, said, signed_in};
use crate::app::App;
use crate::language::text;
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

struct Field {
    name: &'static str,
    label: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "order_address.html")]
struct AddressPage<'page> {
    frame: &'page Frame,
    reference: String,
    /// What the post does not take.
    refused: Vec<String>,
    fields: Vec<Field>,
    action: String,
    back: String,
    request_id: String,
    etag: String,
    errors: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AddressForm {
    request_id: String,
    etag: String,
    postal_code: String,
    locality_latin: String,
    street_latin: String,
    quarter_latin: String,
    extra_latin: String,
    locality_arabic: String,
    street_arabic: String,
    quarter_arabic: String,
    extra_arabic: String,
}

impl AddressForm {
    /// What was typed; the country stays, and with it the price.
    fn address(self, before: &pb::DeliveryAddress) -> pb::DeliveryAddress {
        pb::DeliveryAddress {
            country_code: before.country_code.clone(),
            postal_code: self.postal_code,
            locality_latin: self.locality_latin,
            street_latin: self.street_latin,
            quarter_latin: self.quarter_latin,
            extra_latin: self.extra_latin,
            locality_arabic: self.locality_arabic,
            street_arabic: self.street_arabic,
            quarter_arabic: self.quarter_arabic,
            extra_arabic: self.extra_arabic,
        }
    }
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/orders/{order_id}/address", get(ask).post(correct))
}

async fn ask(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path(order_id): Path<String>,
) -> Result<Response, Problem> {
    if let Err(answer) = signed_in(&frame, &standing) {
        return *answer;
    }
    let order = order(&app, order_id).await?;
    let address = order.address.clone().unwrap_or_default();
    show(&app, &frame, &order, address, None)
}

fn show(
    app: &App,
    frame: &Frame,
    order: &pb::Order,
    address: pb::DeliveryAddress,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let field = |name: &'static str, label: &'static str, value: String| Field {
        name,
        label: text(frame.language, label),
        value,
    };
    let faults = order.parcels.iter().flat_map(|parcel| &parcel.address_faults);
    let mut refused: Vec<String> = faults.map(|fault| said(frame, &fault.reason)).collect();
    refused.dedup();
    let errors = problem.as_ref().map(|problem| {
        let fields = problem.errors.iter().map(|error| said(frame, &error.reason));
        let fields: Vec<String> = fields.collect();
        if fields.is_empty() {
            vec![said(frame, &problem.reason)]
        } else {
            fields
        }
    });
    let shown = AddressPage {
        reference: order.reference.clone(),
        refused,
        fields: vec![
            field("street_latin", "address.street_latin", address.street_latin),
            field("quarter_latin", "address.quarter_latin", address.quarter_latin),
            field("extra_latin", "address.extra_latin", address.extra_latin),
            field("postal_code", "address.postal_code", address.postal_code),
            field("locality_latin", "address.locality_latin", address.locality_latin),
            field("street_arabic", "address.street_arabic", address.street_arabic),
            field("quarter_arabic", "address.quarter_arabic", address.quarter_arabic),
            field("extra_arabic", "address.extra_arabic", address.extra_arabic),
            field(
                "locality_arabic",
                "address.locality_arabic",
                address.locality_arabic,
            ),
        ],
        action: format!("/orders/{}/address", order.order_id),
        back: order_page(&order.order_id),
        request_id: app.ambient.uuid_v7().to_string(),
        etag: order.etag.clone(),
        errors: errors.unwrap_or_default(),
        frame,
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    Ok(page(frame, status, &shown))
}

async fn correct(
    State(app): State<App>,
    frame: Frame,
    _: User,
    Path(order_id): Path<String>,
    Form(mut form): Form<AddressForm>,
) -> Result<Response, Problem> {
    let order = order(&app, order_id).await?;
    let request_id = std::mem::take(&mut form.request_id);
    let etag = std::mem::take(&mut form.etag);
    let address = form.address(&order.address.clone().unwrap_or_default());
    let request = pb::CorrectAddressRequest {
        request_id,
        order_id: order.order_id.clone(),
        address: Some(address.clone()),
        etag,
    };
    match app.clients.orders().correct_address(request).await {
        Ok(_) => Ok(see_other(&order_page(&order.order_id))),
        Err(status) => {
            let problem = Problem::from(status);
            if !mendable(&problem) {
                return Err(problem);
            }
            show(&app, &frame, &order, address, Some(problem))
        }
    }
}
