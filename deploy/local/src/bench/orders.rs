//! Placing an order through the gateway, against pgbench with the same statements in the same order, prepared.
//!
//! Ours is the CPU of every process that works for a placement: gateway, identity, civil-registry-order, payment (which opens the
//! payable) and PostgreSQL. The reference is the CPU of pgbench and PostgreSQL. Both place one order after the other; who makes the load of
//! ours is not counted.

mod script;
mod statements;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::Figure;
use super::cpu::Usage;
use super::world::World;
use crate::journey::api::text;
use crate::journey::office::ANNEXE;
use crate::journey::order::{self, registry};
use script::Script;
use statements::Statement;

/// Acts of an order, as in the demonstration.
const ACTS: usize = 4;
/// Digitised acts that orders ask for in turn.
const KEPT: usize = 400;
/// Placements before anything is measured.
const WARM_UP: usize = 40;
/// Placements whose statements are looked at.
const OBSERVED: usize = 12;
/// CPU of ours as a multiple of the reference.
const GOAL: f64 = 1.6;
/// Who works for a placement.
const SERVICES: [&str; 4] = ["gateway", "identity", "civil-registry-order", "payment"];
/// Those of them with a database.
const DATABASES: [&str; 3] = ["identity", "civil-registry-order", "payment"];
/// The statement that a placement begins with in the database of orders has this as a value.
const METHOD: &str = "/wathiq.civil_registry_order.v1.OrderService/PlaceOrder";

pub(super) async fn measure(root: &Path, placements: usize) -> Result<Vec<Figure>> {
    let world = Box::pin(World::open(root)).await?;
    let figures = measure_in(&world, placements).await;
    if figures.is_err() {
        world.keep_logs();
    }
    world.close().await;
    figures
}

async fn measure_in(world: &World, placements: usize) -> Result<Vec<Figure>> {
    digitise(world).await?;
    for idle in ["notification", "signature", "postal-shipping"] {
        world.stack.kill(idle).await?;
    }
    let mut orders = Orders::prepare(world).await?;
    orders.place(WARM_UP).await?;
    super::say(&format!(
        "{OBSERVED} orders are placed while PostgreSQL logs its statements"
    ));
    let logged = observe(world, &mut orders).await?;
    let scripts = scripts(world, &logged).await?;
    super::say(&format!(
        "{placements} orders of {ACTS} acts are placed through the gateway"
    ));
    let mut admin = world.database("civil-registry-order").await?;
    settle(&mut admin).await?;
    let watched = world.watched();
    let (before, begun) = (watched.usage()?, Instant::now());
    orders.place(placements).await?;
    let wall = begun.elapsed();
    let ours = watched.usage()?.since(&before);
    for service in SERVICES {
        world.stack.kill(service).await?;
    }
    super::say(&format!("{placements} times the same statements by pgbench"));
    settle(&mut admin).await?;
    let reference = by_pgbench(world, &scripts, placements).await?;
    Ok(figures(placements, &ours, wall, &reference))
}

/// Imports acts of the citizen.
pub(super) async fn digitise(world: &World) -> Result<()> {
    let generated = world
        .stack
        .output("civil-registry-order", &registry::generation(ANNEXE))
        .await?;
    let file = world.parts.layout().data().join("acts.jsonl");
    std::fs::write(&file, registry::own_acts(&generated, KEPT)?)?;
    world.import(&file).await
}

/// A line for one of the citizen's digitised acts: extracts and full copies in turn.
pub(super) fn line(office_id: &str, turn: usize) -> Value {
    let (kind, language) = [
        ("birth-extract", "bilingual"),
        ("birth-full-copy", "french"),
        ("birth-extract", "bilingual"),
        ("birth-full-copy", "arabic"),
    ][turn % 4];
    let number = (turn % KEPT + 1).to_string();
    let act = (registry::OWN_YEAR, number.as_str());
    let mut line = order::line(kind, language, office_id, act, order::addressee());
    line["act"]["part"] = registry::OWN_PART.into();
    line
}

/// Orders of the citizen, one after the other.
struct Orders<'a> {
    world: &'a World,
    price: Value,
    placed: usize,
}

impl<'a> Orders<'a> {
    async fn prepare(world: &'a World) -> Result<Self> {
        let body = json!({"lines": lines(world, 0), "country_code": "MA"});
        let quote = world.cast.citizen_session.post("/v1/civil-status/quotes", &body);
        let price = quote.await.context("the price")?["total_centimes"].take();
        Ok(Self {
            world,
            price,
            placed: 0,
        })
    }

    async fn place(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let body = json!({
                "lines": lines(self.world, self.placed),
                "addressee": order::addressee(),
                "address": order::address(),
                "expected_total_centimes": self.price,
            });
            let citizen = &self.world.cast.citizen_session;
            let placed = citizen.post("/v1/civil-status/orders", &body);
            let placed = placed.await.context("placing an order")?;
            text(&placed, "/payable_id").context("payment has not opened the payable")?;
            self.placed += 1;
        }
        Ok(())
    }
}

fn lines(world: &World, placed: usize) -> Vec<Value> {
    let office = &world.cast.office.office_id;
    (0..ACTS)
        .map(|place| line(office, placed * ACTS + place))
        .collect()
}

/// Has PostgreSQL log every statement while orders are placed, and reads them.
async fn observe(world: &World, orders: &mut Orders<'_>) -> Result<Vec<Statement>> {
    let mut admin = world.database("civil-registry-order").await?;
    let log = world.parts.layout().log().join("postgres.log");
    set(
        &mut admin,
        &["log_line_prefix = '%m [%p] %d '", "log_statement = 'all'"],
    )
    .await?;
    let from = std::fs::metadata(&log)?.len();
    orders.place(OBSERVED).await?;
    // What is done for the last one in the background.
    tokio::time::sleep(Duration::from_secs(2)).await;
    set(&mut admin, &["log_statement = 'none'"]).await?;
    let text = std::fs::read(&log)?;
    let text = text.get(usize::try_from(from)?..).unwrap_or_default();
    Ok(statements::read(&String::from_utf8_lossy(text)))
}

async fn set(admin: &mut PgConnection, settings: &[&str]) -> Result<()> {
    for setting in settings {
        sqlx::query(sqlx::AssertSqlSafe(format!("ALTER SYSTEM SET {setting}")))
            .execute(&mut *admin)
            .await?;
    }
    sqlx::query("SELECT pg_reload_conf()")
        .execute(&mut *admin)
        .await?;
    // Sessions read their settings anew before their next statement, once they were told.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// Writes back what is dirty, so that no side pays for the other.
async fn settle(admin: &mut PgConnection) -> Result<()> {
    sqlx::query("CHECKPOINT").execute(admin).await?;
    Ok(())
}

/// One script a database, of the placement with the fewest statements.
async fn scripts(world: &World, logged: &[Statement]) -> Result<Vec<Script>> {
    let placements = statements::placements(logged, METHOD);
    ensure!(
        placements.len() == OBSERVED,
        "{} placements were logged, not {OBSERVED}",
        placements.len()
    );
    // What the last one did in the background goes on until logging ends.
    let whole = &placements[..OBSERVED - 1];
    let shortest = whole.iter().min_by_key(|placement| placement.len());
    let chosen = shortest.context("no placement was logged")?;
    let known = statements::common_values(whole);
    let mut scripts = Vec::new();
    for service in DATABASES {
        let options = world.stack.database(service);
        let name = options
            .get_database()
            .context("the database has no name")?
            .to_owned();
        let own: Vec<&Statement> = chosen
            .iter()
            .filter(|statement| statement.database == name)
            .collect();
        let mut connection = world.database(service).await?;
        let script =
            Script::write(&mut connection, &name, &statements::in_transactions(&own), &known).await?;
        super::say(&format!("{name}: {} statements a placement", script.statements));
        scripts.push(script);
    }
    Ok(scripts)
}

/// CPU seconds of pgbench and of PostgreSQL.
async fn by_pgbench(world: &World, scripts: &[Script], placements: usize) -> Result<[f64; 2]> {
    let mut watched = world.watched();
    watched.add("pgbench", std::process::id().cast_signed());
    let before = watched.usage()?;
    for script in scripts {
        script.run(&world.parts.description.postgres, placements).await?;
    }
    let used = watched.usage()?.since(&before);
    // The parts are children of this program too: they are taken off again.
    let parts: f64 = world
        .parts
        .processes()
        .iter()
        .map(|part| used.of(&part.name))
        .sum();
    Ok([used.of("pgbench") - parts, used.of("postgres")])
}

fn figures(placements: usize, ours: &Usage, wall: Duration, reference: &[f64; 2]) -> Vec<Figure> {
    let each = |seconds: f64| seconds * 1e3 / placements as f64;
    let [pgbench, postgres] = reference.map(each);
    let who = ["postgres"].into_iter().chain(SERVICES);
    let total: f64 = who.clone().map(|name| ours.of(name)).sum();
    let mut figures = vec![Figure::against(
        &format!("placing an order of {ACTS} acts: CPU"),
        each(total),
        pgbench + postgres,
        "pgbench and PostgreSQL with the same statements, CPU",
        "ms",
        GOAL,
    )];
    figures.extend(who.map(|name| {
        let name_of_figure = format!("placing an order: CPU of {name}");
        Figure::told(name_of_figure, each(ours.of(name)), "ms")
    }));
    for (name, value) in [("pgbench", pgbench), ("PostgreSQL under pgbench", postgres)] {
        figures.push(Figure::told(
            format!("placing an order: CPU of {name}"),
            value,
            "ms",
        ));
    }
    figures.push(Figure::told(
        "placing an order: time until the answer".into(),
        each(wall.as_secs_f64()),
        "ms",
    ));
    figures
}
