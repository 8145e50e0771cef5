//! The hosted page: the payer's card, the code of the card's bank, and the way back to the store.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::cards::{self, Bank, CARDS, Card, EXPIRED_CODE};
use super::order::{Order, Outcome, Transaction, field, minor};
use super::texts::{self, Texts};
use super::{CURRENCY, Cmi, hash};
use crate::page::render;

#[derive(Template)]
#[template(path = "cmi/card.html")]
struct CardPage<'a> {
    texts: &'a Texts,
    order: &'a Order,
    cards: &'a [Card],
    fault: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "cmi/code.html")]
struct CodePage<'a> {
    texts: &'a Texts,
    order: &'a Order,
}

#[derive(Template)]
#[template(path = "cmi/return.html")]
struct ReturnPage<'a> {
    texts: &'a Texts,
    url: &'a str,
    fields: Vec<(String, String)>,
    at_once: bool,
}

#[derive(Template)]
#[template(path = "cmi/refusal.html")]
struct Refusal<'a> {
    texts: &'a Texts,
    reason: &'a str,
}

/// Which page a form comes from.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    oid: String,
    session: Uuid,
}

#[derive(Debug, Deserialize)]
pub(super) struct GivenCard {
    oid: String,
    session: Uuid,
    pan: String,
    /// `MM/YY`.
    expiry: String,
    cvc: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct GivenCode {
    oid: String,
    session: Uuid,
    code: String,
}

/// What comes next in the browser.
enum Next {
    /// The try is over.
    Told(Box<Transaction>),
    /// The card's bank is silent.
    Wait(Box<Transaction>),
    /// The card's bank asks for a code.
    Prove,
    /// The payer may try again.
    Again(&'static str),
    /// Too late.
    Late,
    /// Nothing more here.
    Refused(&'static str),
}

/// What is wrong with a request, for the one who sends it.
fn fault(cmi: &Cmi, fields: &[(String, String)]) -> Option<&'static str> {
    let store = &cmi.0.store;
    let mut names: Vec<String> = fields.iter().map(|(name, _)| name.to_lowercase()).collect();
    names.sort();
    let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
    let is = |name: &str, value: &str| field(fields, name) == value;
    let empty = |name: &&str| field(fields, name).is_empty();
    let oid = field(fields, "oid");
    if twice {
        return Some("a field comes twice");
    }
    if !is("clientid", &store.client_id) {
        return Some("unknown clientid");
    }
    if !is("hashAlgorithm", "ver3") || !is("HASH", &hash::ver3(fields, &store.store_key)) {
        return Some("HASH does not match");
    }
    if !is("storetype", "3D_PAY_HOSTING") || !is("TranType", "PreAuth") {
        return Some("storetype or TranType is not served");
    }
    if !is("currency", CURRENCY) {
        return Some("currency is not 504");
    }
    if minor(field(fields, "amount")).is_none_or(|amount| amount == 0) {
        return Some("amount is not written as 20.00");
    }
    if oid.is_empty() || oid.len() > 64 || oid.contains(' ') {
        return Some("oid is missing or malformed");
    }
    if ["okUrl", "failUrl", "callbackUrl", "BillToName", "rnd"]
        .iter()
        .any(empty)
    {
        return Some("okUrl, failUrl, callbackUrl, BillToName or rnd is missing");
    }
    None
}

/// `POST /fim/est3Dgate`: the store's form.
pub(super) async fn open(State(cmi): State<Cmi>, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let texts = texts::of(field(&fields, "lang"));
    let oid = field(&fields, "oid").to_owned();
    if cmi.mischief(&oid, |mischief| mischief.is_down()) {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, texts, "out of order");
    }
    if let Some(fault) = fault(&cmi, &fields) {
        return refuse(StatusCode::BAD_REQUEST, texts, fault);
    }
    match cmi.opened(oid, fields) {
        Some(order) => card_page(&order, None),
        None => refuse(StatusCode::BAD_REQUEST, texts, "oid was paid already"),
    }
}

/// `POST /fim/est3Dgate/card`: the payer's card.
pub(super) async fn card(State(cmi): State<Cmi>, Form(given): Form<GivenCard>) -> Response {
    let now = crate::now();
    let place = Place {
        oid: given.oid.clone(),
        session: given.session,
    };
    let decide = |order: &mut Order| {
        let Some(card) = cards::find(&given.pan) else {
            return Next::Again("unknown_card");
        };
        let Some(ends) = end_of(&given.expiry) else {
            return Next::Again("wrong_expiry");
        };
        if given.cvc.len() != 3 || !given.cvc.bytes().all(|byte| byte.is_ascii_digit()) {
            return Next::Again("wrong_cvc");
        }
        let (code, message) = EXPIRED_CODE;
        let outcome = match card.bank {
            _ if ends <= now.date_naive() => Outcome::declined(code, message),
            Bank::Approves => Outcome::approved(),
            Bank::Declines(code, message) => Outcome::declined(code, message),
            Bank::Silent => {
                return Next::Wait(Box::new(order.attempt(card, Outcome::pending(), now)));
            }
            Bank::AsksCode(code) => {
                order.proving = Some((card, code));
                return Next::Prove;
            }
        };
        Next::Told(Box::new(order.attempt(card, outcome, now)))
    };
    step(&cmi, &place, now, decide).await
}

/// `POST /fim/est3Dgate/code`: the code of the card's bank.
pub(super) async fn code(State(cmi): State<Cmi>, Form(given): Form<GivenCode>) -> Response {
    let now = crate::now();
    let place = Place {
        oid: given.oid,
        session: given.session,
    };
    let decide = |order: &mut Order| {
        let Some((card, code)) = order.proving.take() else {
            return Next::Again("no_card");
        };
        let outcome = if given.code.trim() == code {
            Outcome::approved()
        } else {
            Outcome {
                authenticated: false,
                ..Outcome::declined("99", "3-D Secure authentication failed")
            }
        };
        Next::Told(Box::new(order.attempt(card, outcome, now)))
    };
    step(&cmi, &place, now, decide).await
}

/// `POST /fim/est3Dgate/leave`: the payer gives up.
pub(super) async fn leave(State(cmi): State<Cmi>, Form(place): Form<Place>) -> Response {
    step(&cmi, &place, crate::now(), |_| Next::Late).await
}

/// Does what a form asks for, once, under the order's lock, tells the store, and shows what comes next.
async fn step(
    cmi: &Cmi,
    place: &Place,
    now: DateTime<Utc>,
    decide: impl FnOnce(&mut Order) -> Next,
) -> Response {
    if cmi.mischief(&place.oid, |mischief| mischief.is_down()) {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, texts::of(""), "out of order");
    }
    let done = cmi.with(&place.oid, |order| {
        let next = if order.session != place.session {
            Next::Refused("another page was opened for this order")
        } else if order.has_success() {
            Next::Refused("oid was paid already")
        } else if order.is_open(now) {
            decide(order)
        } else {
            Next::Late
        };
        (next, order.clone())
    });
    let Some((next, order)) = done else {
        return refuse(StatusCode::NOT_FOUND, texts::of(""), "unknown order");
    };
    let texts = texts::of(order.field("lang"));
    match next {
        Next::Told(transaction) => {
            cmi.tell(&order.oid, &transaction).await;
            ended(cmi, &order, &transaction)
        }
        // The bank answers whether or not the browser still waits for it.
        Next::Wait(transaction) => match cmi.wait(&order.oid, &transaction.id).await {
            Ok(Some(transaction)) => ended(cmi, &order, &transaction),
            _ => refuse(StatusCode::CONFLICT, texts, "the try is over"),
        },
        Next::Prove => render(StatusCode::OK, &CodePage { texts, order: &order }),
        Next::Again(fault) => card_page(&order, Some(texts.fault(fault))),
        Next::Late => {
            let newest = order.transactions.last().map(|newest| newest.answer.clone());
            back(
                cmi,
                &order,
                order.field("failUrl"),
                &newest.unwrap_or_else(|| order.left(now)),
            )
        }
        Next::Refused(reason) => refuse(StatusCode::CONFLICT, texts, reason),
    }
}

/// After a try of which the store was told.
fn ended(cmi: &Cmi, order: &Order, transaction: &Transaction) -> Response {
    if transaction.outcome.is_approved() {
        return back(cmi, order, order.field("okUrl"), &transaction.answer);
    }
    card_page(order, Some(texts::of(order.field("lang")).declined))
}

fn card_page(order: &Order, fault: Option<&str>) -> Response {
    let page = CardPage {
        texts: texts::of(order.field("lang")),
        order,
        cards: &CARDS,
        fault,
    };
    render(StatusCode::OK, &page)
}

/// Sends the browser back to the store.
fn back(cmi: &Cmi, order: &Order, url: &str, answer: &[(String, String)]) -> Response {
    let page = ReturnPage {
        texts: texts::of(order.field("lang")),
        url,
        fields: cmi.signed(answer),
        at_once: order.field("AutoRedirect") == "true",
    };
    render(StatusCode::OK, &page)
}

fn refuse(status: StatusCode, texts: &Texts, reason: &str) -> Response {
    render(status, &Refusal { texts, reason })
}

/// The first day on which a card is no longer good, from `MM/YY`.
fn end_of(expiry: &str) -> Option<NaiveDate> {
    let (month, year) = expiry.trim().split_once('/')?;
    let (month, year): (u32, i32) = (month.trim().parse().ok()?, year.trim().parse().ok()?);
    let first = NaiveDate::from_ymd_opt(2000 + year, month, 1)?;
    first.checked_add_months(chrono::Months::new(1))
}
