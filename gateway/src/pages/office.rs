//! The pages of an office that takes orders: a browser, a printer and a barcode gun are all it needs. Every page asks for a
//! staff session; what the person may do is decided by the services.

use axum::Router;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue, header};
use uuid::Uuid;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::identity::v1::SessionSurface;

use crate::app::App;
use crate::language::{find, text};
use crate::pages::order::pick;
use crate::pages::{Frame, cookie_value, see_other, sign_in};
use crate::problem::Problem;
use crate::session::{Standing, User};

mod decision;
mod exceptions;
mod hand_over;
mod line;
mod queue;
mod scan;
mod sheet;
mod tray;

/// Remembers the office and the officer chosen at this desk, so that they are chosen once.
const DESK: &str = "__Host-wathiq-desk";
/// How long a choice is kept: a working day.
const KEPT: TimeDelta = TimeDelta::hours(12);

pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(queue::router())
        .merge(line::router())
        .merge(decision::router())
        .merge(sheet::router())
        .merge(scan::router())
        .merge(hand_over::router())
        .merge(exceptions::router())
}

/// Whoever works at an office, in a staff session; all others are led to the sign-in.
fn staff(frame: &Frame, standing: &Standing) -> Result<User, Box<Response>> {
    match standing {
        Standing::Live(user) if user.surface == SessionSurface::Staff => Ok(user.clone()),
        Standing::Unknown(problem) | Standing::Limited(problem) => {
            Err(Box::new(problem.clone().into_response()))
        }
        Standing::Live(_) | Standing::None | Standing::Ended => {
            let query = if frame.query.is_empty() { "" } else { "?" };
            let address = format!("{}{query}{}", frame.path, frame.query);
            Err(Box::new(see_other(&sign_in::address(&address))))
        }
    }
}

/// An office where the person works.
pub(super) struct Workplace {
    pub(super) office_id: String,
    pub(super) name: String,
    pub(super) officer: bool,
}

/// The offices where a person works today.
async fn workplaces(app: &App, frame: &Frame, user: &User) -> Result<Vec<Workplace>, Problem> {
    let request = identity::GetAuthorizationRequest {
        person_id: user.person_id.clone(),
        session_id: user.session_id.clone(),
    };
    let answer = app
        .clients
        .directory()
        .get_authorization(request)
        .await?
        .into_inner();
    let mut places: Vec<Workplace> = Vec::new();
    for grant in &answer.grants {
        let officer = grant.role() == identity::OfficeRole::Officer;
        if let Some(place) = places.iter_mut().find(|place| place.office_id == grant.office_id) {
            place.officer |= officer;
            continue;
        }
        places.push(Workplace {
            name: office_name(app, frame, &grant.office_id).await,
            office_id: grant.office_id.clone(),
            officer,
        });
    }
    Ok(places)
}

/// The office of a page: the one that is asked for, or the one of the desk, or the first.
fn chosen_office(asked: Option<&str>, desk: &Desk, places: &[Workplace]) -> String {
    if let Some(asked) = asked {
        return asked.to_owned();
    }
    let kept = places.iter().find(|place| place.office_id == desk.office_id);
    let place = kept.or_else(|| places.first());
    place.map(|place| place.office_id.clone()).unwrap_or_default()
}

/// The name of an office; its id where it cannot be asked.
async fn office_name(app: &App, frame: &Frame, office_id: &str) -> String {
    let request = identity::GetOfficeRequest {
        office_id: office_id.to_owned(),
    };
    let answer = app.clients.organisation().get_office(request).await;
    let office = answer.ok().and_then(|answer| answer.into_inner().office);
    office.map_or_else(
        || office_id.to_owned(),
        |office| pick(frame.language, &office.name_ar, &office.name_fr, &office.name_fr),
    )
}

/// What was chosen at a desk.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Desk {
    office_id: String,
    officer_person_id: String,
}

impl Desk {
    /// The choice that the browser remembers.
    fn kept(headers: &HeaderMap) -> Self {
        let id = |text: &str| Uuid::parse_str(text).map(|id| id.to_string()).unwrap_or_default();
        let value = cookie_value(headers, DESK).unwrap_or_default();
        let (office, officer) = value.split_once('.').unwrap_or((value, ""));
        Desk {
            office_id: id(office),
            officer_person_id: id(officer),
        }
    }

    /// The choice, for the browser to remember.
    fn cookie(&self) -> Option<HeaderValue> {
        let (office, officer) = (&self.office_id, &self.officer_person_id);
        let age = KEPT.num_seconds();
        let text =
            format!("{DESK}={office}.{officer}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={age}");
        HeaderValue::try_from(text).ok()
    }

    fn keep(&self, mut response: Response) -> Response {
        if let Some(cookie) = self.cookie() {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// What is said of a problem in the middle of work: the field's text before the whole's.
fn said(frame: &Frame, problem: &Problem) -> String {
    let field = problem.errors.first().map(|error| error.reason.as_str());
    let reasons = field.into_iter().chain([problem.reason.as_str()]);
    reason_text(frame, reasons).unwrap_or_else(|| text(frame.language, "bureau.failed").to_owned())
}

/// The text of the first reason that has one.
fn reason_text<'reason>(frame: &Frame, reasons: impl IntoIterator<Item = &'reason str>) -> Option<String> {
    reasons.into_iter().find_map(|reason| {
        ["field", "problem"]
            .into_iter()
            .find_map(|section| find(frame.language, &format!("{section}.{reason}")))
            .map(str::to_owned)
    })
}

/// What was typed or scanned, in one form: capitals, no spaces or hyphens.
fn plain(code: &str) -> String {
    code.chars()
        .filter(|character| !character.is_whitespace() && *character != '-')
        .collect::<String>()
        .to_uppercase()
}

/// Whether a code is the number of an item of the post (UPU S10: two letters, nine digits, two letters).
fn is_tracking_number(plain: &str) -> bool {
    let bytes = plain.as_bytes();
    bytes.len() == 13
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            2..=10 => byte.is_ascii_digit(),
            _ => byte.is_ascii_uppercase(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcels_number_is_told_from_a_lines() {
        for (code, expected) in [
            ("RR 123 456 785 MA", true),
            ("rr123456785ma", true),
            ("W4K7-M2PX-93-1", false),
            ("RR12345678MA", false),
            ("RR123456785M1", false),
            ("", false),
        ] {
            assert_eq!(is_tracking_number(&plain(code)), expected, "{code}");
        }
    }

    #[test]
    fn a_desk_remembers_ids_alone() {
        let desk = Desk {
            office_id: "0190c6f2-5f1e-7d3a-9c55-0d4a3f1b2c6e".to_owned(),
            officer_person_id: "0190c6f2-5f1e-7d3a-9c55-0d4a3f1b2c6f".to_owned(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, desk.cookie().unwrap());
        assert_eq!(Desk::kept(&headers), desk);
        for wrong in ["", "x.y", "../..", "<b>"] {
            let value = HeaderValue::try_from(format!("{DESK}={wrong}")).unwrap();
            headers.insert(header::COOKIE, value);
            assert_eq!(Desk::kept(&headers), Desk::default(), "{wrong}");
        }
    }
}
