//! The citizen corrects an address that the post does not take.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::{mendable, order, order_page, said, signed_in};
use crate::api::civil_status::text::ADDRESS_ASKED;
use crate::app::App;
use crate::language::{Language, text};
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;
use crate::session::{Standing, User};

/// An element of an address: its name in forms and faults, the key of its label, and where it stands.
type Element = (&'static str, &'static str, fn(&pb::DeliveryAddress) -> &str);

const ELEMENTS: [Element; 9] = [
    ("street_latin", "address.street_latin", |address| {
        &address.street_latin
    }),
    ("quarter_latin", "address.quarter_latin", |address| {
        &address.quarter_latin
    }),
    ("extra_latin", "address.extra_latin", |address| {
        &address.extra_latin
    }),
    ("postal_code", "address.postal_code", |address| {
        &address.postal_code
    }),
    ("locality_latin", "address.locality_latin", |address| {
        &address.locality_latin
    }),
    ("street_arabic", "address.street_arabic", |address| {
        &address.street_arabic
    }),
    ("quarter_arabic", "address.quarter_arabic", |address| {
        &address.quarter_arabic
    }),
    ("extra_arabic", "address.extra_arabic", |address| {
        &address.extra_arabic
    }),
    ("locality_arabic", "address.locality_arabic", |address| {
        &address.locality_arabic
    }),
];

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
    if !order.lines.iter().any(|line| line.progress_code == ADDRESS_ASKED) {
        return Ok(see_other(&order_page(&order.order_id)));
    }
    let address = order.address.clone().unwrap_or_default();
    show(&app, &frame, &order, &address, None)
}

/// What is wrong, after the label of the field that it is wrong with; `field` is a path or a JSON pointer.
fn fault(frame: &Frame, field: &str, reason: &str) -> String {
    let name = field.rsplit(['.', '/']).next().unwrap_or_default();
    let reason = said(frame, reason);
    let Some((_, label, _)) = ELEMENTS.iter().find(|(known, _, _)| *known == name) else {
        return reason;
    };
    text(frame.language, "address.fault")
        .replace("{field}", text(frame.language, label))
        .replace("{reason}", &reason)
}

/// Each text where it stands first: parcels that go to one address have the same faults.
fn each_once(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.filter(|text| seen.insert(text.clone())).collect()
}

fn fields(language: Language, address: &pb::DeliveryAddress) -> Vec<Field> {
    let field = |(name, label, value): Element| Field {
        name,
        label: text(language, label),
        value: value(address).to_owned(),
    };
    ELEMENTS.into_iter().map(field).collect()
}

fn show(
    app: &App,
    frame: &Frame,
    order: &pb::Order,
    address: &pb::DeliveryAddress,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let faults = order.parcels.iter().flat_map(|parcel| &parcel.address_faults);
    let refused = each_once(faults.map(|found| fault(frame, &found.field, &found.reason)));
    let errors = problem.as_ref().map(|problem| {
        let errors = problem.errors.iter();
        let fields = each_once(errors.map(|error| fault(frame, &error.pointer, &error.reason)));
        if fields.is_empty() {
            vec![said(frame, &problem.reason)]
        } else {
            fields
        }
    });
    let shown = AddressPage {
        reference: order.reference.clone(),
        refused,
        fields: fields(frame.language, address),
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
            show(&app, &frame, &order, &address, Some(problem))
        }
    }
}
