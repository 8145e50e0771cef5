//! Random searches through the gateway, as an agent of an office.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};

use super::{asked, forget_files};
use crate::bench::Figure;
use crate::bench::world::{World, quantile};
use crate::journey::account;
use crate::journey::api::Api;

/// Searches of each kind.
const SEARCHES: usize = 500;
/// Milliseconds that all but one in a hundred take at most.
const GOAL: f64 = 50.0;

/// An act that must be found.
#[derive(FromRow)]
struct Known {
    id: uuid::Uuid,
    office_id: uuid::Uuid,
    kind: String,
    year: i16,
    part: String,
    number: String,
    given_arabic: String,
    given_latin: String,
    family_arabic: String,
    family_latin: String,
    born_on: chrono::NaiveDate,
}

/// A kind of search: its name, and what is typed.
type Kind = (&'static str, fn(&Known) -> Value);

const KINDS: [Kind; 4] = [
    (
        "by key",
        |act| json!({"kind": act.kind, "year": act.year, "part": act.part, "number": act.number}),
    ),
    (
        "by Latin name and birth date",
        |act| json!({"given_name": act.given_latin, "family_name": act.family_latin, "birth_date": act.born_on}),
    ),
    (
        "by Arabic name and birth date",
        |act| json!({"given_name": act.given_arabic, "family_name": act.family_arabic, "birth_date": act.born_on}),
    ),
    ("by Latin name and birth year", |act| {
        let year = act.born_on.format("%Y").to_string();
        json!({"given_name": act.given_latin, "family_name": act.family_latin, "birth_date": year})
    }),
];

pub(super) async fn measure(
    world: &World,
    admin: &mut PgConnection,
    offices: &[(String, String)],
) -> Result<Vec<Figure>> {
    world.codes_again().await?;
    let mut account = account::Account {
        role: "agent".into(),
        email: world.cast.office.agent.email.clone(),
        password: world.cast.office.agent.password.clone(),
        authenticator: crate::journey::authenticator::Authenticator::new(
            world.cast.office.agent.authenticator.secret(),
            0,
        )?,
    };
    // A session learns of new posts when it begins.
    let agent = account::sign_in(&world.cast.anyone, &mut account, "staff").await?;
    super::super::say(&format!(
        "{SEARCHES} searches of each kind over {} registers",
        offices.len()
    ));
    let mut figures = Vec::new();
    for (name, typed) in KINDS {
        let acts = sample(admin).await?;
        if forget_files() {
            let first = time(&agent, acts.first().context("there are no acts")?, typed).await?;
            figures.push(Figure::told(
                format!("search {name}: the first with no file in memory"),
                first,
                "ms",
            ));
        }
        let mut times = Vec::with_capacity(acts.len());
        for act in &acts {
            times.push(time(&agent, act, typed).await?);
        }
        times.sort_by(f64::total_cmp);
        figures.push(Figure::told(
            format!("search {name}: median"),
            quantile(&times, 0.5)?,
            "ms",
        ));
        figures.push(Figure::alone(
            format!("search {name}: 99 of 100 within"),
            quantile(&times, 0.99)?,
            "ms",
            GOAL,
        ));
        figures.push(Figure::told(
            format!("search {name}: longest"),
            quantile(&times, 1.0)?,
            "ms",
        ));
    }
    Ok(figures)
}

/// Random acts from all over the table, in no order.
async fn sample(admin: &mut PgConnection) -> Result<Vec<Known>> {
    let acts: Vec<Known> = sqlx::query_as(
        "SELECT id, office_id, kind, year, part, number, given_arabic, given_latin, family_arabic, family_latin, born_on
         FROM act TABLESAMPLE SYSTEM (least(100, 100 * 40.0 * $1 / greatest(1, (SELECT reltuples FROM pg_class WHERE relname = 'act'))))
         WHERE born_on IS NOT NULL AND given_latin <> '' AND given_arabic <> '' AND family_latin <> '' AND family_arabic <> ''
         ORDER BY random() LIMIT $1",
    )
    .bind(i64::try_from(SEARCHES)?)
    .fetch_all(admin)
    .await?;
    ensure!(acts.len() > SEARCHES / 2, "only {} acts were drawn", acts.len());
    Ok(acts)
}

/// Milliseconds until the answer, which must hold the act.
async fn time(agent: &Api, act: &Known, typed: fn(&Known) -> Value) -> Result<f64> {
    let body = asked(&act.office_id.to_string(), typed(act));
    let begun = Instant::now();
    let found = agent.post("/v1/office/act-searches", &body).await?;
    let elapsed = begun.elapsed().as_secs_f64() * 1e3;
    let id = act.id.to_string();
    let acts = found["acts"].as_array().context("the search has no acts")?;
    ensure!(
        acts.iter().any(|found| found["act_id"] == id.as_str()) || acts.len() >= 20,
        "{body} does not find the act: {found}"
    );
    Ok(elapsed)
}
