//! What must hold once everything is over: money, parcels, documents and mails, each once.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use sqlx::{ConnectOptions, Connection};
use wathiq_local::journey::api::text;
use wathiq_local::wait;

use super::BOUND;
use super::way::{Flight, Way};
use crate::orders::payments::Provider;
use crate::orders::{all, told};
use crate::stage::Stage;

const PRICE: i64 = 2_000;

/// A message: the order, its template, its channel.
type About = (String, String, String);

pub(super) async fn balance(stage: &Stage, flights: &[Flight]) -> Result<()> {
    let report = stage.balanced().await?;
    let count = |wanted: fn(&Way) -> bool| flights.iter().filter(|flight| wanted(&flight.way)).count();
    let (posted, sealed) = (count(|way| way.is_posted()), count(|way| *way == Way::Together));
    ensure!(report["checked"]["payables"] == flights.len(), "{report}");
    ensure!(report["checked"]["shipments"] == posted, "{report}");
    ensure!(report["checked"]["issued_documents"] == 2 * sealed, "{report}");
    let mut numbers = BTreeSet::new();
    for flight in flights {
        once(flight).with_context(|| format!("{:?}: {}", flight.way, flight.order))?;
        if flight.way.is_posted() {
            numbers.insert(text(&flight.order, "/parcels/0/tracking_number")?.to_owned());
        }
        money(stage, flight).await?;
    }
    ensure!(
        numbers.len() == posted,
        "{posted} parcels have the numbers {numbers:?}"
    );
    let given = crate::bad_input::count(stage, "postal-shipping", "SELECT count(*) FROM shipment").await;
    ensure!(
        given == i64::try_from(posted)?,
        "{given} shipments for {posted} parcels"
    );
    mails(stage, flights).await
}

/// Every step of an order stands once in its history, and it has arrived.
fn once(flight: &Flight) -> Result<()> {
    let order = &flight.order;
    ensure!(all(order, flight.way.end()), "it has not ended");
    for event in ["OrderPlaced", "OrderPaid"].iter().chain(flight.way.events()) {
        let times = told(order, event);
        ensure!(times == 1, "{event} stands {times} times");
    }
    let parcels = order["parcels"].as_array().map_or(0, Vec::len);
    ensure!(
        parcels == usize::from(flight.way.is_posted()),
        "it has {parcels} parcels"
    );
    Ok(())
}

/// The provider holds the fees of what was not refunded, and no centime more.
async fn money(stage: &Stage, flight: &Flight) -> Result<()> {
    let order = Provider::of(stage).order(&flight.oid).await?;
    let transactions = order["transactions"].as_array().context("no transactions")?;
    let held: i64 = transactions
        .iter()
        .filter(|one| ["A", "C"].iter().any(|status| one["status"] == *status))
        .map(|one| {
            let amount = one["captured"]
                .as_i64()
                .or(one["amount"].as_i64())
                .unwrap_or_default();
            if one["charge"] == "C" { -amount } else { amount }
        })
        .sum();
    let lines = i64::try_from(flight.order["lines"].as_array().map_or(0, Vec::len))?;
    let owed = if flight.way.end() == "refunded" {
        0
    } else {
        lines * PRICE
    };
    ensure!(
        held == owed,
        "{:?}: {owed} centimes are owed, and the provider has {order}",
        flight.way
    );
    Ok(())
}

/// Each step is told once on each channel. The mail server may get a mail again where its answer was lost: then it is the same one, by its id.
async fn mails(stage: &Stage, flights: &[Flight]) -> Result<()> {
    let sent = wait::until("the mails", BOUND, async || {
        let sent = messages(stage).await?;
        for flight in flights {
            let last = flight.way.last_mail();
            let about = (
                text(&flight.order, "/order_id")?.to_owned(),
                last.to_owned(),
                "email".to_owned(),
            );
            ensure!(
                sent.contains_key(&about),
                "{last} of {:?} is not told",
                flight.way
            );
        }
        Ok(sent)
    })
    .await?;
    for (about, times) in &sent {
        ensure!(*times == 1, "{about:?} is told {times} times");
    }
    for flight in flights {
        let id = text(&flight.order, "/order_id")?;
        let told = sent
            .keys()
            .filter(|(order, _, channel)| order == id && channel == "email")
            .count();
        let reference = text(&flight.order, "/reference")?;
        let mails = stage
            .cast
            .inbox
            .mails_with(&stage.cast.citizen.email, reference)
            .await?;
        let ids: Vec<&str> = mails
            .iter()
            .map(|mail| text(mail, "/messageId"))
            .collect::<Result<_>>()?;
        let different: BTreeSet<&str> = ids.iter().copied().collect();
        ensure!(
            different.len() == told,
            "{told} mails are sent, and {ids:?} came: {}",
            flight.order
        );
    }
    Ok(())
}

/// How often each message was sent, once none waits any more.
async fn messages(stage: &Stage) -> Result<BTreeMap<About, usize>> {
    let mut connection = stage.stack.database("notification").connect().await?;
    let rows: Vec<(uuid::Uuid, String, String, String)> = sqlx::query_as(
        "SELECT aggregate_id, template, channel, state FROM message WHERE template LIKE 'order.%'",
    )
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    let mut sent = BTreeMap::new();
    for (order, template, channel, state) in rows {
        ensure!(
            state != "queued" && state != "failed",
            "{template} of {order} is {state}"
        );
        if state == "sent" {
            *sent.entry((order.to_string(), template, channel)).or_default() += 1;
        }
    }
    Ok(sent)
}
