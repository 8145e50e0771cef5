//! `POST /fim/api`: what became of an order, and what is to be done with its money.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::Event;

use super::order::{Order, Status, Transaction, minor};
use super::{CURRENCY, Cmi};
use crate::faults::strikes;

/// `CC5Request`.
#[derive(Debug, Default)]
struct Request {
    name: String,
    password: String,
    client_id: String,
    oid: String,
    kind: String,
    total: String,
    currency: String,
    transaction: String,
    query: Option<Query>,
}

#[derive(Debug, Clone, Copy)]
enum Query {
    Status,
    History,
}

/// `CC5Response` but for what it repeats.
struct Answer {
    response: &'static str,
    code: &'static str,
    message: String,
    transaction: Option<Transaction>,
    /// XML within `Extra`.
    extra: String,
}

impl Answer {
    fn done(transaction: &Transaction) -> Self {
        Self {
            response: "Approved",
            code: "00",
            message: String::new(),
            transaction: Some(transaction.clone()),
            extra: String::new(),
        }
    }

    fn refused(message: impl Into<String>) -> Self {
        Self {
            response: "Declined",
            code: "99",
            message: message.into(),
            transaction: None,
            extra: String::new(),
        }
    }

    fn error(message: &str) -> Self {
        Self {
            response: "Error",
            ..Self::refused(message)
        }
    }

    fn xml(&self, oid: &str) -> String {
        let own = |text: fn(&Transaction) -> &String| self.transaction.as_ref().map_or("", |one| text(one));
        let (oid, message) = (escape(oid), escape(&self.message));
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CC5Response><OrderId>{oid}</OrderId><GroupId>{oid}</GroupId>\
             <Response>{}</Response><AuthCode>{}</AuthCode><HostRefNum>{}</HostRefNum><ProcReturnCode>{}</ProcReturnCode>\
             <TransId>{}</TransId><ErrMsg>{message}</ErrMsg><Extra>{}<NUMCODE>0</NUMCODE></Extra></CC5Response>",
            self.response,
            own(|one| &one.authorisation_code),
            own(|one| &one.host_reference),
            self.code,
            own(|one| &one.id),
            self.extra,
        )
    }
}

pub(super) async fn answer(State(cmi): State<Cmi>, body: Bytes) -> Response {
    let Some(request) = std::str::from_utf8(&body).ok().and_then(parse) else {
        return xml(&Answer::error("the request is not CC5Request").xml(""));
    };
    let oid = request.oid.as_str();
    let (down, broken, silent, acts) = cmi.mischief(oid, |mischief| {
        let broken = strikes(&mut mischief.api_errors);
        let silent = !broken && strikes(&mut mischief.api_silences);
        (mischief.is_down(), broken, silent, mischief.silent_acts_done)
    });
    if down {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if broken {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if silent && !acts {
        tokio::time::sleep(cmi.0.courier.patience.silence).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    let answer = decide(&cmi, &request);
    if silent {
        tokio::time::sleep(cmi.0.courier.patience.silence).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    xml(&answer.xml(oid))
}

fn xml(text: &str) -> Response {
    (
        [(CONTENT_TYPE, "application/xml; charset=utf-8")],
        text.to_owned(),
    )
        .into_response()
}

fn decide(cmi: &Cmi, request: &Request) -> Answer {
    let store = &cmi.0.store;
    let account = (
        request.name.as_str(),
        request.password.as_str(),
        request.client_id.as_str(),
    );
    if account != (&store.api_name, &store.api_password, &store.client_id) {
        return Answer::error("Name, Password or ClientId is wrong");
    }
    let oid = request.oid.as_str();
    let now = crate::now();
    let answer = match request.query {
        Some(Query::Status) => cmi.orders().get(oid).map(status),
        Some(Query::History) => cmi.orders().get(oid).map(history),
        None => {
            let kind = request.kind.as_str();
            let refused = cmi.mischief(oid, |one| one.refuses(kind));
            cmi.with(oid, |order| match kind {
                "PostAuth" | "Void" | "Credit" if refused => Answer::refused("The bank refuses"),
                "PostAuth" => capture(order, request, now),
                "Void" => void(order, request, now),
                "Credit" => credit(order, request, now),
                _ => Answer::error("Type is not served"),
            })
        }
    };
    answer.unwrap_or_else(|| Answer::refused(format!("No record found for {oid}")))
}

/// `Total` in minor units, in the store's currency.
fn total(request: &Request) -> Option<i64> {
    let total = minor(&request.total).filter(|total| *total > 0);
    total.filter(|_| request.currency == CURRENCY)
}

fn capture(order: &mut Order, request: &Request, now: DateTime<Utc>) -> Answer {
    let Some(total) = total(request) else {
        return Answer::refused("Total or Currency is wrong");
    };
    let mut authorised = order.transactions.iter_mut();
    let wanted = |one: &&mut Transaction| request.transaction.is_empty() || one.id == request.transaction;
    let Some(transaction) = authorised.find(|one| one.status == Status::Authorised && wanted(one)) else {
        return Answer::refused("Nothing is authorised");
    };
    if total > transaction.amount {
        return Answer::refused("Total is above what is authorised");
    }
    transaction.status = Status::Captured;
    transaction.captured = Some(total);
    transaction.captured_at = Some(now);
    Answer::done(transaction)
}

fn void(order: &mut Order, request: &Request, now: DateTime<Utc>) -> Answer {
    let credited = order.transactions.iter().any(|one| one.charge == 'C');
    let open = |one: &&mut Transaction| {
        let wanted = request.transaction.is_empty() || one.id == request.transaction;
        wanted && one.charge == 'S' && matches!(one.status, Status::Authorised | Status::Captured)
    };
    let Some(transaction) = order.transactions.iter_mut().rev().find(open) else {
        return Answer::refused("Nothing can be voided");
    };
    if credited && transaction.status == Status::Captured {
        return Answer::refused("A part was credited already");
    }
    transaction.status = Status::Voided;
    transaction.voided_at = Some(now);
    Answer::done(transaction)
}

fn credit(order: &mut Order, request: &Request, now: DateTime<Utc>) -> Answer {
    match total(request) {
        None => Answer::refused("Total or Currency is wrong"),
        Some(total) if total > order.held() => Answer::refused("Total is above what is left"),
        Some(total) => Answer::done(&order.credit(total, now)),
    }
}

fn status(order: &Order) -> Answer {
    let newest = order.transactions.iter().rev();
    let found = newest
        .clone()
        .find(|one| one.is_success())
        .or_else(|| newest.clone().next());
    let Some(transaction) = found else {
        return Answer::refused(format!("No record found for {}", order.oid));
    };
    let captured = transaction
        .captured
        .map(|amount| amount.to_string())
        .unwrap_or_default();
    let fields = [
        ("ORD_ID", order.oid.clone()),
        ("CHARGE_TYPE_CD", transaction.charge.to_string()),
        ("ORIG_TRANS_AMT", transaction.amount.to_string()),
        ("CAPTURE_AMT", captured),
        ("TRANS_STAT", transaction.status.code().to_owned()),
        ("TRANS_ID", transaction.id.clone()),
        ("AUTH_CODE", transaction.authorisation_code.clone()),
        ("PROC_RET_CD", transaction.outcome.code.clone()),
        (
            "MDSTATUS",
            u8::from(transaction.outcome.authenticated).to_string(),
        ),
    ];
    let line = fields
        .each_ref()
        .map(|(name, value)| format!("{name}:{value}"))
        .join("\t");
    let elements: String = fields
        .iter()
        .map(|(name, value)| format!("<{name}>{}</{name}>", escape(value)))
        .collect();
    found_records(
        order,
        format!("<ORDERSTATUS>{}</ORDERSTATUS>{elements}", escape(&line)),
    )
}

fn history(order: &Order) -> Answer {
    if order.transactions.is_empty() {
        return Answer::refused(format!("No record found for {}", order.oid));
    }
    let time = |at: Option<DateTime<Utc>>| at.map(|at| at.format("%Y-%m-%d %H:%M:%S%.3f").to_string());
    let lines: String = order
        .transactions
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let line = [
                one.charge.to_string(),
                one.status.code().to_owned(),
                one.amount.to_string(),
                one.captured.map(|amount| amount.to_string()).unwrap_or_default(),
                time(Some(one.authorised_at)).unwrap_or_default(),
                time(one.captured_at).unwrap_or_default(),
                time(one.voided_at).unwrap_or_default(),
                one.host_reference.clone(),
                one.authorisation_code.clone(),
                one.outcome.code.clone(),
                one.id.clone(),
                String::new(),
            ];
            let number = index + 1;
            format!("<TRX{number}>{}</TRX{number}>", escape(line.join("\t")))
        })
        .collect();
    found_records(
        order,
        format!("<TRXCOUNT>{}</TRXCOUNT>{lines}", order.transactions.len()),
    )
}

fn found_records(order: &Order, extra: String) -> Answer {
    Answer {
        response: "Approved",
        code: "00",
        message: format!("Record(s) found for {}", order.oid),
        transaction: None,
        extra,
    }
}

fn parse(xml: &str) -> Option<Request> {
    let mut reader = Reader::from_str(xml);
    let mut request = Request::default();
    let mut path: Vec<String> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => path.push(start.name().as_ref().to_owned()),
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => request.take(&path, text.as_ref()),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", name.as_ref() as &str);
                request.take(&path, &unescape(&reference).ok()?);
            }
            Event::CData(_) => return None,
            Event::Eof => return (path.is_empty() && !request.name.is_empty()).then_some(request),
            _ => {}
        }
    }
}

impl Request {
    fn take(&mut self, path: &[String], text: &str) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let field = match path.as_slice() {
            ["CC5Request", "Name"] => &mut self.name,
            ["CC5Request", "Password"] => &mut self.password,
            ["CC5Request", "ClientId"] => &mut self.client_id,
            ["CC5Request", "OrderId"] => &mut self.oid,
            ["CC5Request", "Type"] => &mut self.kind,
            ["CC5Request", "Total"] => &mut self.total,
            ["CC5Request", "Currency"] => &mut self.currency,
            ["CC5Request", "TransId"] => &mut self.transaction,
            ["CC5Request", "Extra", "ORDERSTATUS"] => return self.query = Some(Query::Status),
            ["CC5Request", "Extra", "ORDERHISTORY"] => return self.query = Some(Query::History),
            _ => return,
        };
        field.push_str(text);
    }
}
