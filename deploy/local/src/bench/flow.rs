//! Acts through the whole process at a steady rate: placed, paid on the provider's page, drawn, sealed in batches with the institution's
//! electronic seal, handed to the post, delivered.
//!
//! The load is open: orders come at their times whether or not the ones before are through. Everybody does what people and partners would: the
//! citizen's browser posts the provider's forms, officers take what waits in batches of up to 200 with a code each, the carrier tells what
//! happened in messages of up to 500 events. What waits is read from the office's lists, not known beforehand.

mod citizen;
mod office;
mod post;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::PgConnection;
use tokio::sync::watch;

use super::cpu::Usage;
use super::world::World;
use super::{Figure, orders};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// Acts a second.
    pub(super) acts: usize,
    pub(super) seconds: u64,
    /// Acts of an order, all to one office: they share a parcel.
    pub(super) each: usize,
}

/// After the last order, everything is to be through within this time.
const DRAIN_GOAL: f64 = 60.0;
/// After that it is given up.
const DRAIN_BOUND: Duration = Duration::from_secs(300);
/// How often the state of all is told.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// How long the books may take to agree once everything is delivered: what is under way between two services shows for a moment.
const BALANCED: Duration = Duration::from_secs(60);
/// Of the machine that the rate is asked of.
const PROCESSORS: f64 = 2.0;
/// Stand-ins for partners, the broker, and who makes the load.
const APART: [&str; 5] = ["trust", "mail", "sandbox", "kafka", LOAD];
/// This program.
const LOAD: &str = "load";

/// What went wrong on the way, once each; the rest goes on.
#[derive(Debug, Default)]
pub(super) struct Mishaps(AtomicUsize);

impl Mishaps {
    pub(super) fn note(&self, what: &str, error: &anyhow::Error) {
        /// Printed at most.
        const SHOWN: usize = 20;
        if self.0.fetch_add(1, Ordering::Relaxed) < SHOWN {
            super::say(&format!("{what}: {error:#}"));
        }
    }
}

pub(super) async fn measure(root: &Path, load: Load) -> Result<Vec<Figure>> {
    let world = Box::pin(World::open(root)).await?;
    let figures = measure_in(&world, load).await;
    if figures.is_err() {
        world.keep_logs();
    }
    world.close().await;
    figures
}

async fn measure_in(world: &World, load: Load) -> Result<Vec<Figure>> {
    let total = load.acts * usize::try_from(load.seconds)?;
    let count = total / load.each;
    orders::digitise(world).await?;
    let office = office::open(world, count, load.each).await?;
    let mut watched = world.watched();
    watched.add(LOAD, std::process::id().cast_signed());
    super::say(&format!(
        "{} acts a second for {} s, in orders of {}",
        load.acts, load.seconds, load.each
    ));
    let mishaps = Arc::new(Mishaps::default());
    let (before, begun) = (watched.usage()?, Instant::now());
    let (placed, whole) = watch::channel(false);
    let workers = [
        tokio::spawn(office::work(office.clone(), whole.clone(), Arc::clone(&mishaps))),
        tokio::spawn(post::work(office.post.clone(), whole, Arc::clone(&mishaps))),
    ];
    let citizens = citizen::place_and_pay(world, load, count, &mishaps);
    let mut admin = world.database("civil-registry-order").await?;
    let telling = tell(&mut admin, begun);
    tokio::select! {
        placed = citizens => placed?,
        told = telling => told?,
    }
    let ordered = Instant::now();
    let drained = drain(&mut admin, total, begun, ordered).await?;
    // Whoever works in the office goes home.
    let _nobody_left = placed.send(true);
    let used = watched.usage()?.since(&before);
    let wall = begun.elapsed();
    for worker in workers {
        worker.await?;
    }
    let mut figures = of_process(world, load, total, drained, &mut admin).await?;
    figures.extend(of_processors(&used, load, total, wall));
    let memory = super::processes::memory(&world.stack)?;
    figures.extend(memory.into_iter().map(|(name, megabytes)| {
        Figure::told(
            format!("{name}: memory after the load (RssAnon)"),
            megabytes,
            "MB",
        )
    }));
    Ok(figures)
}

/// Lines by state.
async fn states(admin: &mut PgConnection) -> Result<Vec<(String, i64)>> {
    let states = sqlx::query_as("SELECT state, count(*) FROM order_line GROUP BY state ORDER BY state");
    Ok(states.fetch_all(admin).await?)
}

fn shown(begun: Instant, states: &[(String, i64)]) -> String {
    let states: Vec<String> = states
        .iter()
        .map(|(state, count)| format!("{state} {count}"))
        .collect();
    format!("{:4.0} s  {}", begun.elapsed().as_secs_f64(), states.join(", "))
}

async fn tell(admin: &mut PgConnection, begun: Instant) -> Result<()> {
    loop {
        tokio::time::sleep(TOLD_EVERY).await;
        super::say(&shown(begun, &states(admin).await?));
    }
}

/// Waits until everything is delivered. Answers how many acts are, and after how many seconds the last was.
async fn drain(
    admin: &mut PgConnection,
    total: usize,
    begun: Instant,
    ordered: Instant,
) -> Result<(usize, f64)> {
    let mut told = Instant::now();
    loop {
        let now = states(admin).await?;
        let delivered = now.iter().find(|(state, _)| state == "DELIVERED");
        let delivered = usize::try_from(delivered.map_or(0, |(_, count)| *count))?;
        if delivered == total || ordered.elapsed() > DRAIN_BOUND {
            super::say(&shown(begun, &now));
            return Ok((delivered, ordered.elapsed().as_secs_f64()));
        }
        if told.elapsed() > TOLD_EVERY {
            super::say(&shown(begun, &now));
            told = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn of_process(
    world: &World,
    load: Load,
    total: usize,
    (delivered, drained): (usize, f64),
    admin: &mut PgConnection,
) -> Result<Vec<Figure>> {
    let begun = Instant::now();
    let mut differences = world.audit().await?;
    while differences > 0 && begun.elapsed() < BALANCED {
        tokio::time::sleep(Duration::from_secs(2)).await;
        differences = world.audit().await?;
    }
    let (median, late): (f64, f64) = sqlx::query_as(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY span), percentile_cont(0.99) WITHIN GROUP (ORDER BY span)
         FROM (SELECT extract(epoch FROM l.state_since - o.created_at)::float8 AS span
               FROM order_line l JOIN customer_order o ON o.id = l.order_id WHERE l.state = 'DELIVERED') spans",
    )
    .fetch_one(admin)
    .await
    .context("no act was delivered")?;
    let name = |what: &str| format!("{} acts/s for {} s: {what}", load.acts, load.seconds);
    let count = |count: usize| count as f64;
    Ok(vec![
        Figure::alone(name("acts not delivered"), count(total - delivered), "", 0.0),
        Figure::alone(name("differences in the audit"), count(differences), "", 0.0),
        Figure::alone(
            name("all delivered after the last order"),
            drained,
            "s",
            DRAIN_GOAL,
        ),
        Figure::told(name("placed to delivered, median"), median, "s"),
        Figure::told(name("placed to delivered, 99 of 100"), late, "s"),
    ])
}

/// CPU of each process for one act. At the rate of the load the platform is to find room on two processors, partners apart.
fn of_processors(used: &Usage, load: Load, total: usize, wall: Duration) -> Vec<Figure> {
    let each = |seconds: f64| seconds * 1e3 / total as f64;
    let (mut own, mut apart) = (Vec::new(), Vec::new());
    for (name, seconds) in used.all() {
        // Parts are children of the program that makes the load.
        let seconds = match name {
            LOAD => {
                seconds
                    - used
                        .all()
                        .filter(|(other, _)| *other != LOAD)
                        .map(|(_, part)| part)
                        .sum::<f64>()
            }
            _ => seconds,
        };
        if APART.contains(&name) {
            apart.push((name, seconds));
        } else {
            own.push((name, seconds));
        }
    }
    let sum = |side: &[(&str, f64)]| side.iter().map(|(_, seconds)| seconds).sum::<f64>();
    let mut figures = vec![
        Figure::alone(
            "CPU an act: the platform with PostgreSQL".into(),
            each(sum(&own)),
            "ms",
            PROCESSORS * 1e3 / load.acts as f64,
        ),
        Figure::told(
            "CPU an act: partners, Kafka and load".into(),
            each(sum(&apart)),
            "ms",
        ),
        Figure::told(
            "CPU an act: processors busy on average".into(),
            (sum(&own) + sum(&apart)) / wall.as_secs_f64(),
            "",
        ),
    ];
    for (side, processes) in [("", own), (" (apart)", apart)] {
        figures.extend(
            processes.into_iter().map(|(name, seconds)| {
                Figure::told(format!("CPU an act: {name}{side}"), each(seconds), "ms")
            }),
        );
    }
    figures
}

/// Waits a little, or until everybody goes home. Answers whether work goes on.
pub(super) async fn pause(whole: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    let over = tokio::time::timeout(pause, whole.wait_for(|over| *over)).await;
    over.is_err()
}
