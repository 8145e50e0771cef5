//! `kill -9` of each service at each step of the process, while the step is done: everything finishes, nothing is lost, and nothing is done twice.
//!
//! Cohorts of orders go their ways side by side. At each step of a cohort one service goes down, another one in each cohort, so that after as many
//! cohorts as there are services each of them went down at each step.

mod books;
mod way;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::{join_all, try_join_all};
use serde_json::Value;
use tokio::sync::{Mutex, Notify};
use wathiq_local::description::Carrier;
use wathiq_local::journey::api::Api;
use wathiq_local::stack::Options;
use wathiq_local::wait;

use crate::stage::{self, Stage};
use way::{Flight, Step, Way};

/// Each goes down at each step of a cohort, and another one of them at the next.
const VICTIMS: [&str; 7] = [
    "gateway",
    "identity",
    "civil-registry-order",
    "payment",
    "signature",
    "postal-shipping",
    "notification",
];

/// What a killed process had begun is taken up when its lease has lapsed, two minutes at the longest.
const BOUND: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_service_is_killed_at_each_step() {
    let stage = stage::open(Options {
        environment: stage::without_limits(),
        ..Options::default()
    })
    .await
    .unwrap();
    stage.digitise().await.unwrap();
    let field = Field::of(stage).await.unwrap();
    let cohorts = (0..VICTIMS.len()).map(|cohort| field.play(cohort));
    let played = try_join_all(cohorts).await;
    let stage = field.stage.into_inner();
    let flights = played
        .map_err(|error| stage::with_logs(error, &stage.stack))
        .unwrap();
    let flights: Vec<Flight> = flights.into_iter().flatten().collect();
    books::balance(&stage, &flights).await.unwrap();
}

/// Where the orders are played: everybody's sessions, and the services, of which one at a time goes down.
struct Field {
    citizen: Api,
    agent: Api,
    registrar: Api,
    registrar_pin: String,
    officer_id: String,
    office_id: String,
    carrier: Carrier,
    stage: Mutex<Stage>,
}

impl Field {
    async fn of(stage: Stage) -> Result<Self> {
        let cast = &stage.cast;
        Ok(Self {
            citizen: cast.citizen_session.clone(),
            agent: cast.agent_session.clone(),
            registrar: cast.registrar_session.clone(),
            registrar_pin: cast.registrar_pin.clone(),
            officer_id: stage.officer_id().await?,
            office_id: cast.office.office_id.clone(),
            carrier: stage.stack.description.carrier.clone(),
            stage: Mutex::new(stage),
        })
    }

    /// Plays an order of each way to its end.
    async fn play(&self, cohort: usize) -> Result<Vec<Flight>> {
        let mut flights: Vec<Flight> = Way::ALL
            .iter()
            .enumerate()
            .map(|(place, way)| Flight::of(*way, cohort * Way::ALL.len() + place))
            .collect();
        let steps = Way::ALL
            .iter()
            .map(|way| way.steps().len())
            .max()
            .unwrap_or_default();
        for phase in 0..steps {
            let victim = VICTIMS[(cohort + phase) % VICTIMS.len()];
            let told = || format!("cohort {cohort}, phase {phase}, {victim}");
            for flight in &mut flights {
                flight.begin(phase);
            }
            self.cut(&mut flights, victim).await.with_context(told)?;
            self.settle(&mut flights).await.with_context(told)?;
        }
        Ok(flights)
    }

    /// The orders take their step together. As soon as one of them has, the service goes down: the others are in the middle of it, and what follows
    /// from the first is on its way.
    async fn cut(&self, flights: &mut [Flight], victim: &str) -> Result<()> {
        for flight in flights
            .iter_mut()
            .filter(|flight| flight.step == Some(Step::Seal))
        {
            flight.await_documents(self).await?;
        }
        let mut stage = self.stage.lock().await;
        let one_has_ended = Notify::new();
        for flight in flights
            .iter_mut()
            .filter(|flight| flight.step == Some(Step::Seal))
        {
            flight.confirm(self, &mut stage).await?;
        }
        let under_way = flights.iter_mut().filter(|flight| flight.step.is_some());
        let acts = under_way.map(async |flight| {
            // What came to nothing is done again below.
            let _perhaps = flight.act(self).await;
            one_has_ended.notify_one();
        });
        let kill = async {
            one_has_ended.notified().await;
            stage.stack.kill(victim).await?;
            stage.stack.restart(victim).await
        };
        let (_, killed) = tokio::join!(join_all(acts), kill);
        killed
    }

    /// Waits until each order stands where its step leads to; what came to nothing is done again.
    async fn settle(&self, flights: &mut [Flight]) -> Result<()> {
        wait::until("the step", BOUND, async || {
            let mut waiting = Vec::new();
            for flight in flights.iter_mut() {
                if let Err(error) = self.go_on(flight).await {
                    waiting.push(format!("{:?} at {:?}: {error:#}", flight.way, flight.step));
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            bail!("{}", waiting.join("; "))
        })
        .await
    }

    async fn go_on(&self, flight: &mut Flight) -> Result<()> {
        if flight.has_arrived(self).await? {
            return Ok(());
        }
        if !flight.acted {
            if flight.step == Some(Step::Seal) {
                flight.await_documents(self).await?;
                flight.confirm(self, &mut *self.stage.lock().await).await?;
            }
            flight.act(self).await?;
        }
        if flight.has_arrived(self).await? {
            return Ok(());
        }
        bail!("it stands at {}", flight.order)
    }

    /// The order as the citizen sees it.
    async fn order(&self, id: &str) -> Result<Value> {
        self.citizen.get(&format!("/v1/civil-status/orders/{id}")).await
    }
}
