//! The state tables in the README are written from the code.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use wathiq_payment::domain::attempt::{Attempt, AttemptState, order_id};
use wathiq_payment::domain::book::{Book, NewRefund};
use wathiq_payment::domain::payable::{Item, Payable, PayableState, Payer};
use wathiq_payment::domain::policy::Policy;
use wathiq_payment::domain::provider::{Answer, Provider, Sale, SaleState, Status, Success};

const BEGIN: &str = "<!-- states: written by `cargo test`; UPDATE=1 renews it -->\n";
const END: &str = "<!-- end of states -->";
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
const ATTEMPT: Uuid = Uuid::from_u128(7);

fn open() -> Book {
    let item = Item {
        reference: "line".to_owned(),
        label_ar: "نسخة".to_owned(),
        label_fr: "Extrait".to_owned(),
        amount: 2_000,
    };
    let payer = Payer {
        person_id: Uuid::nil(),
        name: String::new(),
        email: String::new(),
        phone: String::new(),
    };
    let payable = Payable {
        display_reference: String::new(),
        id: Uuid::nil(),
        version: 1,
        owner: "owner".to_owned(),
        owner_reference: "reference".to_owned(),
        state: PayableState::Open,
        amount: 2_000,
        items: vec![item],
        payer,
        created_at: NOW,
        expires_at: NOW + TimeDelta::days(2),
        payment: None,
    };
    let (mut book, _) = Book::open(payable);
    book.start_attempt(attempt(ATTEMPT), NOW).unwrap();
    book
}

fn attempt(id: Uuid) -> Attempt {
    Attempt {
        id,
        provider: Provider::Cmi,
        order_id: order_id(id),
        state: AttemptState::Started,
        language: "fr".to_owned(),
        phone: String::new(),
        decline_code: String::new(),
        declines: 0,
        international: None,
        created_at: NOW,
        expires_at: NOW + TimeDelta::minutes(30),
        told_at: None,
        returned_at: None,
        authorisation: None,
        capture_refusals: 0,
        captured_at: None,
        due_at: None,
        tries: 0,
    }
}

fn success(book: &mut Book, transaction: &str) -> Answer {
    let success = Success {
        transaction: transaction.to_owned(),
        amount: 2_000,
        international: None,
        authentic: true,
    };
    let reversal = Uuid::from_u128(book.reversals.len() as u128);
    book.success(ATTEMPT, &success, reversal, NOW, &Policy::default())
        .0
}

fn see(book: &mut Book, state: Option<SaleState>, now: DateTime<Utc>) {
    let sale = state.map(|state| Sale {
        transaction: "T1".to_owned(),
        state,
        amount: 2_000,
        captured: if state == SaleState::Captured { 2_000 } else { 0 },
        authentic: Some(true),
        international: None,
    });
    let status = Status {
        sales: sale.into_iter().collect(),
        credits: Vec::new(),
    };
    book.observe(ATTEMPT, &status, now, &Policy::default(), || Uuid::from_u128(99));
}

fn in_state(state: AttemptState) -> Book {
    let mut book = open();
    match state {
        AttemptState::Started => {}
        AttemptState::Ended => see(&mut book, None, NOW + TimeDelta::minutes(32)),
        AttemptState::Authorised | AttemptState::Captured => drop(success(&mut book, "T1")),
        AttemptState::Voiding | AttemptState::Voided => {
            book.cancel().unwrap();
            success(&mut book, "T1");
        }
    }
    match state {
        AttemptState::Captured => see(&mut book, Some(SaleState::Captured), NOW),
        AttemptState::Voided => see(&mut book, Some(SaleState::Voided), NOW),
        _ => {}
    }
    assert_eq!(state_of(&book), state);
    book
}

fn state_of(book: &Book) -> AttemptState {
    book.attempt(ATTEMPT).unwrap().state
}

/// Where an attempt went, and what the provider is answered.
fn cell(state: AttemptState, change: impl FnOnce(&mut Book) -> Option<Answer>) -> String {
    let mut book = in_state(state);
    let reversals = book.reversals.len();
    let answer = change(&mut book);
    let mut text = match state_of(&book) {
        same if same == state => "–".to_owned(),
        next => format!("→ {}", next.as_str()),
    };
    if book.reversals.len() > reversals {
        text.push_str(", given back");
    }
    match answer {
        Some(Answer::Capture) => text.push_str(" (`POSTAUTH`)"),
        Some(Answer::Noted) => text.push_str(" (`APPROVED`)"),
        None => {}
    }
    text
}

fn attempts() -> String {
    let mut table = "| attempt | its success, again | a success with another transaction | decline | status: authorised | status: captured | status: voided | status: nothing, session over |\n|---|---|---|---|---|---|---|---|\n".to_owned();
    for state in AttemptState::ALL.iter().copied() {
        let cells = [
            cell(state, |book| Some(success(book, "T1"))),
            cell(state, |book| Some(success(book, "T2"))),
            cell(state, |book| {
                book.decline(ATTEMPT, "51");
                Some(Answer::Noted)
            }),
            cell(state, |book| {
                see(book, Some(SaleState::Authorised), NOW);
                None
            }),
            cell(state, |book| {
                see(book, Some(SaleState::Captured), NOW);
                None
            }),
            cell(state, |book| {
                see(book, Some(SaleState::Voided), NOW);
                None
            }),
            cell(state, |book| {
                see(book, None, NOW + TimeDelta::minutes(32));
                None
            }),
        ];
        writeln!(table, "| {} | {} |", state.as_str(), cells.join(" | ")).unwrap();
    }
    table
}

fn payable_in(state: PayableState) -> Book {
    let mut book = open();
    match state {
        PayableState::Open => {}
        PayableState::Paid => drop(success(&mut book, "T1")),
        PayableState::Cancelled => drop(book.cancel().unwrap()),
        PayableState::Expired => drop(book.expire(NOW + TimeDelta::days(2))),
    }
    book
}

fn payables() -> String {
    let mut table = "| payable | start an attempt | success | cancel | its time passes | refund |\n|---|---|---|---|---|---|\n".to_owned();
    for state in PayableState::ALL.iter().copied() {
        let went = |book: &Book| match book.payable.state {
            same if same == state => "–".to_owned(),
            next => format!("→ {}", next.as_str()),
        };
        let mut book = payable_in(state);
        let start = match book.start_attempt(attempt(Uuid::from_u128(8)), NOW) {
            Ok(_) => "started".to_owned(),
            Err(refusal) => format!("`{}`", refusal.reason()),
        };
        let mut book = payable_in(state);
        let paid = match success(&mut book, "T2") {
            Answer::Capture => went(&book),
            Answer::Noted => "given back".to_owned(),
        };
        let mut book = payable_in(state);
        let cancel = match book.cancel() {
            Ok(_) => went(&book),
            Err(refusal) => format!("`{}`", refusal.reason()),
        };
        let mut book = payable_in(state);
        book.expire(NOW + TimeDelta::days(2));
        let expire = went(&book);
        let wanted = NewRefund {
            id: Uuid::nil(),
            owner_reference: "line".to_owned(),
            amount: 1,
            reason_code: "LINE_REFUSED".to_owned(),
        };
        let refund = match payable_in(state).request_refund(wanted, NOW) {
            Ok(_) => "requested".to_owned(),
            Err(refusal) => format!("`{}`", refusal.reason()),
        };
        let name = state.as_str();
        writeln!(
            table,
            "| {name} | {start} | {paid} | {cancel} | {expire} | {refund} |"
        )
        .unwrap();
    }
    table
}

#[test]
fn the_readme_holds_the_states_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme
        .split_once(BEGIN)
        .expect("the README has the beginning mark");
    let (found, after) = rest.split_once(END).expect("the README has the end mark");
    let wanted = format!("\n{}\n{}\n", payables(), attempts());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert_eq!(found, wanted, "run the test with UPDATE=1 to renew the tables");
    }
}

/// Addresses of the configuration that are on the gateway.
fn on_the_gateway(readme: &str) -> Vec<String> {
    let address = |line: &str| {
        let (key, rest) = line.split_once(" = \"https://wathiq.example")?;
        let (path, _) = rest.split_once('"')?;
        let known = ["callback_url", "ok_url", "fail_url"].contains(&key);
        known.then(|| path.to_owned())
    };
    readme.lines().filter_map(address).collect()
}

#[test]
fn addresses_on_the_gateway_are_its_routes() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).unwrap();
    let addresses = on_the_gateway(&read("services/payment/README.md"));
    assert_eq!(addresses.len(), 4);
    let (callbacks, pages) = (
        read("gateway/src/api/callbacks.rs"),
        read("gateway/src/pages/payment.rs"),
    );
    for address in addresses {
        let provider = if address.contains("/cmi") {
            "cmi"
        } else {
            "text-message"
        };
        let route = address.replace(provider, "{provider}");
        let (routes, route) = match route.strip_suffix("/ok").or(route.strip_suffix("/fail")) {
            Some(route) => (&pages, format!("{route}/{{outcome}}")),
            None => (&callbacks, route),
        };
        assert!(routes.contains(&format!("\"{route}\"")), "{address}");
    }
}
