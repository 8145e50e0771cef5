//! Orders of civil-status documents through every real layer, with the partners played by the sandbox.

mod bad_input;
mod delivery;
mod imports;
mod kills;
mod load;
mod outages;
mod pages;
mod payments;
mod strangers;
mod ways;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wathiq_local::description::Carrier;
use wathiq_local::journey::api::text;
use wathiq_local::journey::office::ANNEXE;
use wathiq_local::journey::order::{self, registry};
use wathiq_local::wait;

use crate::stage::{self, Stage};

const BOUND: Duration = Duration::from_secs(120);

impl Stage {
    /// Has acts imported, the citizen's own among them.
    async fn digitise(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let run = async |command: Vec<String>| self.stack.output("civil-registry-order", &command).await;
        registry::digitise(run, ANNEXE, folder.path()).await
    }

    /// Places an order of one extract that no digitised act is there for, by the number of the act.
    async fn order_one(&self, number: &str) -> Result<Value> {
        let office = &self.cast.office.office_id;
        let line = order::line(
            "birth-extract",
            "bilingual",
            office,
            (1991, number),
            order::addressee(),
        );
        order::place(&self.cast.citizen_session, &[line]).await
    }

    /// Places an order of a full copy of the citizen's own digitised act.
    async fn order_digitised(&self) -> Result<Value> {
        self.order_digitised_as("birth-full-copy", "arabic").await
    }

    /// Places an order of the citizen's own digitised act.
    async fn order_digitised_as(&self, kind: &str, language: &str) -> Result<Value> {
        let act = (registry::OWN_YEAR, registry::OWN_NUMBER);
        let office = &self.cast.office.office_id;
        let mut line = order::line(kind, language, office, act, order::addressee());
        line["act"]["part"] = registry::OWN_PART.into();
        order::place(&self.cast.citizen_session, &[line]).await
    }

    /// Places an order of one extract and waits until it can be paid.
    async fn payable(&self, number: &str) -> Result<(Value, String)> {
        let placed = self.order_one(number).await?;
        let ready = self
            .order_until(&placed, "its payable", |order| order["payable_id"].is_string())
            .await?;
        let payable = text(&ready, "/payable_id")?.to_owned();
        Ok((ready, payable))
    }

    /// Places an order of one extract and has it paid.
    async fn paid(&self, number: &str) -> Result<Value> {
        let placed = self.order_one(number).await?;
        let id = text(&placed, "/order_id")?;
        order::pay_order(&self.cast.citizen_session, id, order::payer::MOROCCAN)
            .await
            .map_err(|error| stage::with_logs(error, &self.stack))
    }

    /// The order, once it is as wanted.
    async fn order_until(
        &self,
        placed: &Value,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let id = text(placed, "/order_id")?;
        order::until(&self.cast.citizen_session, id, what, wanted)
            .await
            .map_err(|error| stage::with_logs(error, &self.stack))
    }

    /// The person id of the officer.
    async fn officer_id(&self) -> Result<String> {
        let officer = self.cast.registrar_session.get("/v1/me").await?;
        Ok(text(&officer, "/person_id")?.to_owned())
    }

    /// What the audit says once nothing is under way between two services any more.
    async fn balanced(&self) -> Result<Value> {
        let command = ["audit", "--json"].map(str::to_owned);
        wait::until("the balance", BOUND, async || {
            let report = self.stack.output("civil-registry-order", &command).await?;
            let report: Value = serde_json::from_str(&report).context("the report is not JSON")?;
            ensure!(report["differences"] == json!([]), "the audit says {report}");
            Ok(report)
        })
        .await
        .map_err(|error| stage::with_logs(error, &self.stack))
    }
}

/// Whether every line of an order is in a state.
fn all(order: &Value, state: &str) -> bool {
    order::states(order).all(|known| known == state)
}

/// The carrier tells the platform at this address; the platform has it.
async fn carrier_says(carrier: &Carrier, platform: &str, events: &Value) -> Result<()> {
    let url = format!("{}/control/carrier/events", carrier.control);
    let message = json!({"body": events, "url": format!("{platform}/v1/carrier/events")});
    let sent = wathiq_local::http::client()?
        .post(url)
        .json(&message)
        .send()
        .await?;
    let told: Value = sent.error_for_status()?.json().await?;
    let answer: Value = serde_json::from_str(told["answer"].as_str().unwrap_or_default()).unwrap_or_default();
    ensure!(
        told["status"] == 200 && answer["unknown_tracking_ids"] == json!([]),
        "{told}"
    );
    Ok(())
}

/// How often an event stands in an order's history.
fn told(order: &Value, event: &str) -> usize {
    let history = order["history"].as_array().into_iter().flatten();
    history.filter(|entry| entry["event"] == event).count()
}
