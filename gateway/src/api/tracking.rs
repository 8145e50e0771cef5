//! Public tracking of an item of the post, without personal data.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::postal_shipping::v1 as pb;

use crate::api::Answer;
use crate::api::civil_status::text;
use crate::api::status_text::Texts;
use crate::api::wire::{CivilDate, Show, view, words};
use crate::app::App;

words! {
    /// States of a shipment.
    ShipmentState from pb::ShipmentState {
        LabelPrinted, HandedOver, InTransit, Customs, AtDeliveryOffice, Attempted, HeldForCollection, Delivered,
        Returning, Returned, Claimed, Lost, Cancelled,
    }
}

view! {
    /// What the carrier calls an item.
    TrackingId from pb::TrackingId {
        /// `S10`.
        scheme: String,
        /// Such as `RR123456785MA`.
        value: String,
    }
    /// A step, with no place finer than the carrier's office.
    TrackedStep from pb::TrackedStep {
        state: ShipmentState,
        event_time: Option<DateTime<Utc>>,
        place: Option<String>,
    }
}

/// Where an item is.
#[derive(Serialize, ToSchema)]
struct Tracked {
    tracking_id: Option<TrackingId>,
    state: ShipmentState,
    /// Where the item is and what happens next.
    status_text: Texts,
    held_until: Option<CivilDate>,
    /// Unsuccessful attempts so far.
    attempts: i32,
    steps: Vec<TrackedStep>,
}

/// A state as the order service writes it, under which the texts stand.
#[must_use]
pub(crate) fn state_word(state: pb::ShipmentState) -> &'static str {
    state.as_str_name().trim_start_matches("SHIPMENT_STATE_")
}

impl Show<Tracked> for pb::TrackResponse {
    fn show(self) -> Tracked {
        let word = state_word(self.state());
        Tracked {
            status_text: Texts::each(|language| text::shipment(language, word, self.held_until)),
            state: self.state.show(),
            tracking_id: self.tracking_id.show(),
            held_until: self.held_until.show(),
            attempts: self.attempts,
            steps: self.steps.show(),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(track))
}

/// Where an item of the post is, by the number on its label.
#[utoipa::path(get, path = "/v1/tracking/{tracking_id}", tag = "civil-status", responses((status = 200, body = Tracked)))]
async fn track(State(app): State<App>, Path(tracking_id): Path<String>) -> Answer<Json<Tracked>> {
    let request = pb::TrackRequest { tracking_id };
    let answer = app.clients.tracking().track(request).await?;
    Ok(Json(answer.into_inner().show()))
}
