//! The state tables in the README are written from the code.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use wathiq_identity::domain::confirmation::{
    ATTEMPTS, Confirmation, Given, HashSet, LIFE, Method, Purpose, Redemption, State,
};
use wathiq_identity::domain::delivery::{Delivery, DeliveryKind};
use wathiq_identity::domain::refusal::Refusal;
use wathiq_identity::domain::vocabulary::{Channel, Language, Surface};

const BEGIN: &str = "<!-- states: written by `cargo test`; UPDATE=1 renews it -->\n";
const END: &str = "<!-- end of states -->";
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn open() -> Confirmation {
    let who = (Uuid::nil(), Uuid::nil(), Surface::Citizen);
    Confirmation::open(Uuid::nil(), who, Purpose::Legalise, hashes(), NOW)
        .unwrap()
        .0
}

fn hashes() -> HashSet {
    HashSet::parse(&[[1u8; 32]]).unwrap()
}

fn given() -> Given {
    Given {
        method: Method::Totp,
        at: NOW,
        record: String::new(),
    }
}

fn redemption() -> Redemption {
    Redemption {
        service: "signature".to_owned(),
        person_id: Uuid::nil(),
        purpose: Purpose::Legalise,
        hashes: hashes(),
    }
}

fn cell<T>(result: Result<T, Refusal>, name: impl FnOnce(T) -> &'static str) -> String {
    match result {
        Ok(next) => format!("→ {}", name(next)),
        Err(refusal) => format!("`{}`", refusal.reason()),
    }
}

fn confirmations() -> String {
    let confirmed = open().give(given(), NOW).unwrap().0;
    let barred = (0..ATTEMPTS).fold(open(), |confirmation, _| confirmation.wrong_code(NOW).unwrap().0);
    let redeemed = confirmed.clone().redeem(redemption(), NOW).unwrap().0;
    let expired = Confirmation {
        state: State::Expired,
        ..open()
    };
    let states = [
        ("open", open()),
        ("confirmed", confirmed),
        ("redeemed", redeemed),
        ("barred", barred),
        ("expired", expired),
    ];
    let mut table =
        "| confirmation | right code | wrong code (last) | redeem |\n|---|---|---|---|\n".to_owned();
    for (late, now) in [("", NOW), (", after ten minutes", NOW + LIFE)] {
        for (name, state) in &states {
            let mut last = state.clone();
            last.attempts_left = 1;
            let give = cell(state.clone().give(given(), now), |_| "confirmed");
            let wrong = cell(last.wrong_code(now), |_| "barred");
            let redeem = cell(state.clone().redeem(redemption(), now), |_| "redeemed");
            writeln!(table, "| {name}{late} | {give} | {wrong} | {redeem} |").unwrap();
        }
    }
    table
}

fn deliveries() -> String {
    let (mine, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let waiting = Delivery {
        id: Uuid::nil(),
        kind: DeliveryKind::SignUpCode,
        channel: Channel::Email,
        language: Language::Arabic,
        silent: false,
        expires_at: NOW + TimeDelta::minutes(10),
        taken_by: None,
    };
    let taken = waiting.clone().take(mine, NOW).unwrap();
    let mut table = "| delivery | taken by the first request | by another |\n|---|---|---|\n".to_owned();
    for (late, now) in [("", NOW), (", after its life", waiting.expires_at)] {
        for (name, state) in [("waiting", &waiting), ("taken", &taken)] {
            let first = cell(state.clone().take(mine, now), |_| "taken");
            let second = cell(state.clone().take(other, now), |_| "taken");
            writeln!(table, "| {name}{late} | {first} | {second} |").unwrap();
        }
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
    let wanted = format!("\n{}\n{}\n", confirmations(), deliveries());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
    } else {
        assert_eq!(found, wanted, "run the test with UPDATE=1 to renew the tables");
    }
}
