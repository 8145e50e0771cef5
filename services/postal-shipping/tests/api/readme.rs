//! The tables of the README are written from the code.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use wathiq_postal_shipping::domain::carrier_event::RawEvent;
use wathiq_postal_shipping::domain::code_table::CodeTable;
use wathiq_postal_shipping::domain::name::PartyName;
use wathiq_postal_shipping::domain::party::{self, Party, RawAddress, RawLines};
use wathiq_postal_shipping::domain::shipment::{
    Draft, Handover, Refusal, Settlement, Shipment, SilenceLimits,
};
use wathiq_postal_shipping::domain::tracking::RecordedEvent;
use wathiq_postal_shipping::domain::tracking_id::TrackingId;
use wathiq_postal_shipping::domain::vocabulary::{Product, Source, State};

const BEGIN: &str = "<!-- states: written by `cargo test`; UPDATE=1 renews it -->\n";
const END: &str = "<!-- end of states -->";
const START: DateTime<Utc> = DateTime::from_timestamp_secs(1_795_341_600).unwrap();
const SILENCE: SilenceLimits = SilenceLimits {
    domestic: TimeDelta::days(7),
    international: TimeDelta::days(30),
};

fn at(day: i64) -> DateTime<Utc> {
    START + TimeDelta::days(day)
}

fn new() -> Shipment {
    let latin = RawLines {
        locality: "Rabat",
        street: "1, avenue Annakhil",
        ..RawLines::default()
    };
    let address = RawAddress {
        country: "MA",
        postal_code: "10100",
        latin,
        ..RawAddress::default()
    };
    let party = Party {
        name: PartyName {
            latin: Some("Mohamed Alaoui".to_owned()),
            arabic: None,
        },
        address: party::address(&address).unwrap(),
        phone: None,
    };
    let draft = Draft {
        owner: "owner".to_owned(),
        owner_reference: "reference".to_owned(),
        content: [0; 32],
        office_id: Uuid::nil(),
        product: Product::RegisteredDomestic,
        sender: party.clone(),
        addressee: party,
        mandataries: Vec::new(),
        sheets: 1,
    };
    Shipment::new(
        Uuid::nil(),
        TrackingId::parse("RR123456785MA").unwrap(),
        draft,
        START,
    )
}

fn event(code: &str, action: &str, day: i64) -> RecordedEvent {
    let raw = RawEvent {
        tracking_id: "RR123456785MA".to_owned(),
        code: code.to_owned(),
        event_time: at(day).to_rfc3339(),
        action_code: action.to_owned(),
        recipient_name: "Mohamed Alaoui".to_owned(),
        document_kind: "CIN".to_owned(),
        document_last_four: "3456".to_owned(),
        ..RawEvent::default()
    };
    RecordedEvent::new(Uuid::nil(), raw.check(at(100)).unwrap(), Source::Webhook, at(day))
}

/// A shipment in a state, with the events that brought it there.
type Standing = (Shipment, Vec<RecordedEvent>);

fn handover(day: i64) -> Handover {
    Handover {
        deposit_list_id: Uuid::nil(),
        at: at(day),
    }
}

fn standing(state: State, codes: &CodeTable) -> Standing {
    let handed_over = || new().hand_over(handover(1), &[], codes).unwrap();
    let told = |code: &str, action: &str| {
        let events = vec![event(code, action, 2)];
        (handed_over().track(&events, codes, &SILENCE, at(2)), events)
    };
    let claimed = || {
        let silent = handed_over().fall_silent(&[], codes, &SILENCE, at(20)).unwrap();
        silent.open_claim("note".to_owned(), codes, &[], at(20)).unwrap()
    };
    match state {
        State::LabelPrinted => (new(), Vec::new()),
        State::HandedOver => (handed_over(), Vec::new()),
        State::InTransit => told("EMC", ""),
        State::Customs => told("EME", ""),
        State::AtDeliveryOffice => told("EMG", ""),
        State::Attempted => told("EMH", ""),
        State::HeldForCollection => told("EMH", "HOLD"),
        State::Delivered => told("EMI", ""),
        State::Returning => told("XRS", ""),
        State::Returned => told("XRD", ""),
        State::Claimed => (claimed(), Vec::new()),
        State::Lost => told("XLO", ""),
        State::Cancelled => (new().cancel(&[], codes, at(1)).unwrap(), Vec::new()),
    }
}

fn cell(result: Result<Shipment, Refusal>) -> String {
    match result {
        Ok(next) => format!("→ {}", next.state().as_str()),
        Err(refusal) => format!("`{}`", refusal.reason()),
    }
}

fn commands(codes: &CodeTable) -> String {
    let mut table = "| state | cancel | hand over | open claim, silent | settle: lost | settle: found |\n|---|---|---|---|---|---|\n".to_owned();
    for state in State::ALL {
        let (shipment, events) = standing(*state, codes);
        assert_eq!(shipment.state(), *state);
        let silent = shipment
            .clone()
            .fall_silent(&events, codes, &SILENCE, at(60))
            .unwrap_or(shipment.clone());
        let settle = |lost| {
            let settlement = Settlement {
                at: at(61),
                lost,
                note: String::new(),
            };
            cell(shipment.clone().settle_claim(settlement, codes, &events))
        };
        let row = [
            state.as_str().to_owned(),
            cell(shipment.clone().cancel(&events, codes, at(60))),
            cell(shipment.clone().hand_over(handover(60), &events, codes)),
            cell(silent.open_claim("note".to_owned(), codes, &events, at(60))),
            settle(true),
            settle(false),
        ];
        writeln!(table, "| {} |", row.join(" | ")).unwrap();
    }
    table
}

/// What an event that comes later by its own time does.
fn events(codes: &CodeTable) -> String {
    let told = [
        ("EMA", ""),
        ("EMC", ""),
        ("EME", ""),
        ("EMG", ""),
        ("EMH", ""),
        ("EMH", "HOLD"),
        ("EMH", "RETURN"),
        ("EMI", ""),
        ("XRS", ""),
        ("XRD", ""),
        ("XLO", ""),
        ("ZZZ", ""),
    ];
    let head: Vec<String> = told
        .iter()
        .map(|(code, action)| format!("{code} {action}").trim().to_owned())
        .collect();
    let mut table = format!(
        "| state | {} |\n|---|{}\n",
        head.join(" | "),
        "---|".repeat(head.len())
    );
    for state in State::ALL {
        let (shipment, before) = standing(*state, codes);
        let cells: Vec<String> = told
            .iter()
            .map(|(code, action)| {
                let mut events = before.clone();
                events.push(event(code, action, 30));
                let after = shipment.clone().track(&events, codes, &SILENCE, at(30));
                let mark = if after.tracking.exception.is_some() {
                    " (!)"
                } else {
                    ""
                };
                if after.state() == *state {
                    format!("·{mark}")
                } else {
                    format!("{}{mark}", after.state().as_str())
                }
            })
            .collect();
        writeln!(table, "| {} | {} |", state.as_str(), cells.join(" | ")).unwrap();
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
    let codes = CodeTable::standard();
    let wanted = format!("\n{}\n{}\n", commands(&codes), events(&codes));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert_eq!(found, wanted, "run the test with UPDATE=1 to renew the tables");
    }
}
