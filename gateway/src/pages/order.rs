//! The page of one order: where each line stands, what happens next, payment, receipt, documents and parcels. The browser
//! comes here back from paying.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::identity::v1 as identity;

use crate::api;
use crate::api::civil_status::{order_key, text as said};
use crate::api::transfer::download::Disposition;
use crate::api::transfer::whole::whole;
use crate::app::App;
use crate::language::{Language, find, text};
use crate::pages::facts::time;
use crate::pages::{Frame, page, see_other, sign_in};
use crate::problem::Problem;
use crate::session::{Standing, User};
use paying::Paying;

mod change;
mod destination;
mod paying;

/// A line of the order.
struct LineCard {
    kind: String,
    act: String,
    reference: String,
    state: &'static str,
    class: &'static str,
    status: String,
    answer: Option<String>,
    office: String,
    price: String,
    refunded: Option<String>,
    document: Option<String>,
    correct: Option<String>,
    cancel: Option<String>,
}

/// A parcel of the order.
struct ParcelCard {
    number: String,
    tracking: String,
    status: String,
    recipient: String,
}

/// A step of the history.
struct Step {
    time: String,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage<'page> {
    frame: &'page Frame,
    reference: String,
    state: &'static str,
    class: &'static str,
    status: String,
    /// How the documents come, while some are to come.
    by_post: Option<&'page str>,
    total: String,
    created: String,
    paying: Paying,
    cancel: Option<String>,
    lines: Vec<LineCard>,
    parcels: Vec<ParcelCard>,
    steps: Vec<Step>,
    address: String,
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/orders/{order_id}", get(show))
        .route("/orders/{order_id}/lines/{line_id}/document", get(document))
        .merge(change::router())
}

/// An amount as people read it.
pub(super) fn money(language: Language, centimes: i64) -> String {
    let separator = if language == Language::English { '.' } else { ',' };
    let currency = text(language, "pay.currency");
    let sign = if centimes < 0 { "-" } else { "" };
    let centimes = centimes.unsigned_abs();
    format!(
        "{sign}{}{separator}{:02} {currency}",
        centimes / 100,
        centimes % 100
    )
}

/// Names that depend on the language, asked for once a page.
pub(super) struct Names {
    language: Language,
    kinds: BTreeMap<String, String>,
    /// What an office says when it refuses or asks, by code.
    reasons: BTreeMap<String, String>,
    offices: BTreeMap<String, String>,
}

impl Names {
    /// The kinds of the catalogue; their codes where it cannot be asked.
    pub(super) async fn read(app: &App, language: Language) -> Self {
        let answer = app
            .clients
            .orders()
            .get_catalogue(pb::GetCatalogueRequest {})
            .await;
        let catalogue = answer.map(tonic::Response::into_inner).unwrap_or_default();
        let reasons = [&catalogue.refusal_reasons, &catalogue.correction_reasons];
        let name = |entry: pb::CatalogueEntry| {
            let name = pick(language, &entry.name_ar, &entry.name_fr, &entry.name_en);
            (entry.document_kind, name)
        };
        Names {
            language,
            reasons: reasons
                .into_iter()
                .flatten()
                .map(|reason| (reason.code.clone(), reason_text(language, reason)))
                .collect(),
            kinds: catalogue.entries.into_iter().map(name).collect(),
            offices: BTreeMap::new(),
        }
    }

    pub(super) fn kind(&self, code: &str) -> String {
        self.kinds.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }

    pub(super) fn reason(&self, code: &str) -> &str {
        self.reasons.get(code).map_or("", String::as_str)
    }

    /// The name of an office; empty where it cannot be asked.
    pub(super) async fn office(&mut self, app: &App, office_id: &str) -> String {
        if let Some(name) = self.offices.get(office_id) {
            return name.clone();
        }
        let request = identity::GetOfficeRequest {
            office_id: office_id.to_owned(),
        };
        let answer = app.clients.organisation().get_office(request).await;
        let office = answer.ok().and_then(|answer| answer.into_inner().office);
        let name = office.map_or_else(String::new, |office| {
            pick(self.language, &office.name_ar, &office.name_fr, &office.name_fr)
        });
        self.offices.insert(office_id.to_owned(), name.clone());
        name
    }
}

/// The text of a language.
pub(super) fn pick(language: Language, ar: &str, fr: &str, en: &str) -> String {
    match language {
        Language::Arabic | Language::Tamazight => ar,
        Language::French => fr,
        Language::English => en,
    }
    .to_owned()
}

/// A reason of the catalogue in words.
pub(super) fn reason_text(language: Language, reason: &pb::OfficeReason) -> String {
    pick(language, &reason.text_ar, &reason.text_fr, &reason.text_en)
}

/// A name in the script of a language, or in the other where it has none.
pub(super) fn full_name(language: Language, name: Option<&pb::FullName>) -> String {
    let Some(name) = name else { return String::new() };
    let joined = |given: &str, family: &str| format!("{given} {family}").trim().to_owned();
    let latin = joined(&name.given_latin, &name.family_latin);
    let arabic = joined(&name.given_arabic, &name.family_arabic);
    let (first, other) = match language {
        Language::Arabic | Language::Tamazight => (arabic, latin),
        Language::French | Language::English => (latin, arabic),
    };
    if first.is_empty() { other } else { first }
}

/// What is known of an act: whose, its number and its year.
pub(super) fn act(language: Language, clue: Option<&pb::ActClue>) -> String {
    let Some(clue) = clue else { return String::new() };
    let name = full_name(language, clue.person.as_ref());
    let number = match (clue.number.as_str(), clue.year) {
        ("", 0) => String::new(),
        ("", year) => year.to_string(),
        (number, 0) => number.to_owned(),
        (number, year) => format!("{number}/{year}"),
    };
    // Isolated (UAX 9), so that a number such as "12 bis/1990" keeps its order within Arabic.
    let number = if number.is_empty() {
        number
    } else {
        format!("\u{2066}{number}\u{2069}")
    };
    let parts = [name, number];
    let known: Vec<_> = parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect();
    known.join(" · ")
}

/// How a state of a line looks.
pub(super) fn line_class(state: pb::LineState) -> &'static str {
    use pb::LineState as S;
    match state {
        S::Delivered => "good",
        S::ToCorrect | S::AwaitingPayment | S::Returned => "doubtful",
        S::Refunding | S::Refunded | S::Cancelled | S::Expired => "bad",
        S::Paid | S::InProduction | S::Produced | S::HandedOver | S::Unspecified => "",
    }
}

fn order_class(state: pb::OrderState) -> &'static str {
    use pb::OrderState as S;
    match state {
        S::Completed => "good",
        S::AwaitingPayment | S::ActionNeeded => "doubtful",
        S::Cancelled | S::Expired | S::Refunded => "bad",
        S::InProgress | S::Unspecified => "",
    }
}

async fn show(
    State(app): State<App>,
    frame: Frame,
    axum::Extension(standing): axum::Extension<Standing>,
    Path(order): Path<String>,
) -> Result<Response, Problem> {
    match standing {
        Standing::Live(_) => {}
        Standing::Unknown(problem) | Standing::Limited(problem) => return Err(problem),
        Standing::None | Standing::Ended => return Ok(see_other(&sign_in::address(&frame.path))),
    }
    let key = Some(order_key(order));
    let answer = app
        .clients
        .orders()
        .get_order(pb::GetOrderRequest { key })
        .await?;
    let order = api::filled(answer.into_inner().order)?;
    let mut names = Names::read(&app, frame.language).await;
    let paying = paying::ask(&app, &frame, &order).await;
    let mut lines = Vec::with_capacity(order.lines.len());
    for line in &order.lines {
        let mut card = line_card(&app, &frame, &mut names, &order, line).await;
        if let Some(word) = paying
            .word
            .as_ref()
            .filter(|_| line.state() == pb::LineState::AwaitingPayment)
        {
            (card.state, card.status) = (word.name, word.line.to_owned());
        }
        lines.push(card);
    }
    let word = paying.word.as_ref();
    let shown = OrderPage {
        state: word.map_or_else(
            || text(frame.language, said::order_name_key(order.state())),
            |word| word.name,
        ),
        class: order_class(order.state()),
        status: word.map_or_else(
            || said::order(frame.language, &order),
            |word| word.order.to_owned(),
        ),
        by_post: (is_open(order.state()) && word.is_none_or(|word| word.received))
            .then(|| frame.text("order.by_post")),
        total: money(frame.language, order.total_centimes),
        created: time(order.create_time.as_ref()).unwrap_or_default(),
        cancel: change::cancel_order_address(&order).filter(|_| word.is_none()),
        lines,
        parcels: order
            .parcels
            .iter()
            .map(|parcel| parcel_card(&frame, parcel))
            .collect(),
        paying,
        steps: steps(&frame, &order.history),
        address: destination::of(&frame, &order),
        reference: order.reference,
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown))
}

/// Whether documents of an order are still to come.
fn is_open(state: pb::OrderState) -> bool {
    use pb::OrderState as S;
    matches!(state, S::AwaitingPayment | S::ActionNeeded | S::InProgress)
}

async fn line_card(
    app: &App,
    frame: &Frame,
    names: &mut Names,
    order: &pb::Order,
    line: &pb::OrderLine,
) -> LineCard {
    let language = frame.language;
    let parcel = order
        .parcels
        .iter()
        .find(|parcel| parcel.parcel_id == line.parcel_id);
    let price = line.price.map_or(0, |price| price.amount_centimes);
    let stopped = line.answer.as_ref().filter(|_| {
        use pb::LineState as S;
        matches!(line.state(), S::ToCorrect | S::Refunding | S::Refunded)
    });
    let answer = stopped.map(|answer| {
        format!("{} {}", names.reason(&answer.reason_code), answer.text)
            .trim()
            .to_owned()
    });
    LineCard {
        kind: names.kind(&line.document_kind),
        act: act(language, line.act.as_ref()),
        reference: line.line_reference.clone(),
        state: text(language, said::line_name_key(line.state())),
        class: line_class(line.state()),
        status: said::line(language, line, parcel),
        answer: answer.filter(|answer| !answer.is_empty()),
        office: names.office(app, &line.office_id).await,
        price: money(language, price),
        refunded: (line.refunded_centimes > 0).then(|| money(language, line.refunded_centimes)),
        document: line
            .document_available
            .then(|| format!("/orders/{}/lines/{}/document", order.order_id, line.line_id)),
        correct: change::correct_address(order, line),
        cancel: change::cancel_line_address(order, line),
    }
}

fn parcel_card(frame: &Frame, parcel: &pb::Parcel) -> ParcelCard {
    let four = &parcel.recipient_document_last_four;
    let document = if four.is_empty() {
        String::new()
    } else {
        format!(" (…{four})")
    };
    ParcelCard {
        tracking: format!("/t/{}", api::percent_encode(&parcel.tracking_number)),
        number: parcel.tracking_number.clone(),
        status: said::parcel(frame.language, parcel),
        recipient: match parcel.recipient_name.as_str() {
            "" => String::new(),
            name => format!("{name}{document}"),
        },
    }
}

fn steps(frame: &Frame, history: &[pb::HistoryEntry]) -> Vec<Step> {
    let known = history.iter().filter_map(|entry| {
        Some(Step {
            time: time(entry.time.as_ref())?,
            text: find(frame.language, &format!("history.{}", entry.event))?,
        })
    });
    known.collect()
}

async fn document(
    State(app): State<App>,
    _: User,
    Path((order_id, line_id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let request = pb::DownloadDocumentRequest { order_id, line_id };
    let mut orders = app.clients.orders();
    whole!(orders.download_document(request), Disposition::Attachment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_the_language_writes_them() {
        assert_eq!(money(Language::English, 2005), "20.05 MAD");
        assert_eq!(money(Language::French, 2000), "20,00 DH");
        assert_eq!(money(Language::French, -50), "-0,50 DH");
        assert!(money(Language::Arabic, 123_456).starts_with("1234,56 "));
    }

    #[test]
    fn an_act_is_named_by_what_is_known_of_it() {
        let name = |given: &str| pb::FullName {
            given_latin: given.to_owned(),
            family_latin: "Alaoui".to_owned(),
            ..Default::default()
        };
        let clue = |person, number: &str, year| pb::ActClue {
            person,
            number: number.to_owned(),
            year,
            ..Default::default()
        };
        let of = |clue: pb::ActClue| act(Language::Arabic, Some(&clue));
        assert_eq!(
            of(clue(Some(name("Sara")), "12 bis", 1990)),
            "Sara Alaoui · \u{2066}12 bis/1990\u{2069}"
        );
        assert_eq!(of(clue(None, "", 1990)), "\u{2066}1990\u{2069}");
        assert_eq!(act(Language::French, None), "");
    }
}
