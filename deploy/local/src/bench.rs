//! Measurements against goals, both sides in one run, into `target/bench.json`.

mod acts;
mod cpu;
mod flow;
mod orders;
mod processes;
mod signing;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use flow::Load;

/// What can be measured, in the order in which it is.
const ALL: [&str; 5] = ["signing", "processes", "orders", "acts", "flow"];

/// What to measure, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    only: Vec<String>,
    /// Orders placed by each side.
    placements: usize,
    /// Acts loaded by each side.
    acts: u64,
    /// Acts a second through the whole process.
    rate: usize,
    /// For how long.
    seconds: u64,
    /// Acts of an order there.
    each: usize,
}

impl Asked {
    /// Reads `[name...] [--placements N] [--acts N] [--rate N] [--seconds N] [--each N]`.
    ///
    /// # Errors
    /// Names what is not known, or is no number from 1 on.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut asked = Self {
            only: Vec::new(),
            placements: 500,
            acts: 5_250_000,
            rate: 40,
            seconds: 600,
            each: 4,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let Some(flag) = argument.strip_prefix("--") else {
                if !ALL.contains(&argument.as_str()) {
                    bail!("`{argument}` is not measured here; what is: {}", ALL.join(", "));
                }
                asked.only.push(argument.clone());
                continue;
            };
            let value = rest.next().and_then(|value| value.parse::<u32>().ok());
            let value = value.filter(|value| *value > 0);
            let value = value.with_context(|| format!("{argument} wants a number from 1 on"))?;
            match flag {
                "placements" => asked.placements = value as usize,
                "acts" => asked.acts = value.into(),
                "rate" => asked.rate = value as usize,
                "seconds" => asked.seconds = value.into(),
                "each" if value <= 20 => asked.each = value as usize,
                "each" => bail!("an order has at most 20 acts"),
                _ => bail!("unknown option {argument}"),
            }
        }
        Ok(asked)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == name)
    }
}

/// One figure. `ratio` is ours / reference, lower is better; `goal` is the ratio not to exceed or, where there is no
/// reference, the figure itself. A figure without a goal is told for whoever looks for the cause of another.
#[derive(Debug, Serialize, Deserialize)]
pub struct Figure {
    pub name: String,
    pub ours: f64,
    pub reference: Option<f64>,
    pub reference_name: Option<String>,
    pub unit: String,
    pub ratio: Option<f64>,
    pub goal: Option<f64>,
}

impl Figure {
    fn against(name: &str, ours: f64, reference: f64, reference_name: &str, unit: &str, goal: f64) -> Self {
        Self {
            name: name.to_owned(),
            ours,
            reference: Some(reference),
            reference_name: Some(reference_name.to_owned()),
            unit: unit.to_owned(),
            ratio: Some(ours / reference),
            goal: Some(goal),
        }
    }

    fn alone(name: String, ours: f64, unit: &str, goal: f64) -> Self {
        Self {
            goal: Some(goal),
            ..Self::told(name, ours, unit)
        }
    }

    fn told(name: String, ours: f64, unit: &str) -> Self {
        Self {
            name,
            ours,
            reference: None,
            reference_name: None,
            unit: unit.to_owned(),
            ratio: None,
            goal: None,
        }
    }

    /// Whether the goal is met.
    pub fn met(&self) -> bool {
        let figure = self.ratio.unwrap_or(self.ours);
        self.goal.is_none_or(|goal| figure <= goal)
    }

    fn line(&self) -> String {
        let judged = match (self.ratio, self.goal) {
            (Some(ratio), Some(goal)) => format!("ratio {ratio:<8.3} goal {goal:<7.3}"),
            (None, Some(goal)) => format!("{:<14} goal {goal:<7.3}", ""),
            _ => String::new(),
        };
        let verdict = match (self.goal, self.met()) {
            (None, _) => "",
            (_, true) => "met",
            (_, false) => "MISSED",
        };
        format!(
            "{:<58} {:>11.3} {:<3} {judged} {verdict}",
            self.name, self.ours, self.unit
        )
    }
}

/// What was measured together.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Measured {
    /// RFC 3339.
    at: String,
    figures: Vec<Figure>,
}

/// Measures what is asked for, prints a line a figure, and fails when a goal is missed. What `target/bench.json` holds of other
/// measurements stays.
///
/// # Errors
/// When a side cannot be measured or a goal is missed; the file is written in the second case.
pub async fn run(root: &Path, asked: &Asked) -> Result<()> {
    if cfg!(debug_assertions) {
        bail!("measurements want a release build: make bench");
    }
    let path = root.join("target/bench.json");
    let mut missed = 0;
    for name in ALL.into_iter().filter(|name| asked.wants(name)) {
        eprintln!("{name}");
        let begun = Instant::now();
        let figures = match name {
            "signing" => signing::measure(root)?,
            "processes" => processes::measure(root).await?,
            "orders" => Box::pin(orders::measure(root, asked.placements)).await?,
            "acts" => Box::pin(acts::measure(root, asked.acts)).await?,
            _ => {
                let load = Load {
                    acts: asked.rate,
                    seconds: asked.seconds,
                    each: asked.each,
                };
                Box::pin(flow::measure(root, load)).await?
            }
        };
        for figure in &figures {
            eprintln!("  {}", figure.line());
        }
        eprintln!("  measured in {:.0} s", begun.elapsed().as_secs_f64());
        missed += figures.iter().filter(|figure| !figure.met()).count();
        keep(&path, name, figures)?;
    }
    if missed > 0 {
        bail!("{missed} goals are missed, see {}", path.display());
    }
    Ok(())
}

fn keep(path: &Path, name: &str, figures: Vec<Figure>) -> Result<()> {
    let written = std::fs::read(path).unwrap_or_default();
    // Figures of another shape are of an older version.
    let mut all: BTreeMap<String, Measured> = serde_json::from_slice(&written).unwrap_or_default();
    let now: chrono::DateTime<chrono::Utc> = std::time::SystemTime::now().into();
    let at = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    all.insert(name.to_owned(), Measured { at, figures });
    Ok(std::fs::write(path, serde_json::to_vec_pretty(&all)?)?)
}

/// A line on how it goes.
fn say(line: &str) {
    eprintln!("  {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Asked> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Asked::read(&words)
    }

    #[test]
    fn everything_is_measured_unless_some_is_named() {
        let all = read("").unwrap();
        assert!(ALL.iter().all(|name| all.wants(name)));
        assert_eq!((all.acts, all.rate, all.seconds), (5_250_000, 40, 600));
        let some = read("flow --seconds 60 acts --acts 200000").unwrap();
        assert!(some.wants("flow") && some.wants("acts") && !some.wants("orders"));
        assert_eq!((some.acts, some.seconds), (200_000, 60));
        for wrong in [
            "walk",
            "--acts",
            "--acts 0",
            "--acts many",
            "--speed 3",
            "--each 21",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn figures_of_other_measurements_stay() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[]").unwrap();
        let figure = |goal| Figure::alone("a".into(), 2.0, "s", goal);
        keep(file.path(), "flow", vec![figure(1.0)]).unwrap();
        keep(file.path(), "acts", vec![figure(2.0)]).unwrap();
        keep(file.path(), "flow", vec![figure(3.0)]).unwrap();
        let written = std::fs::read(file.path()).unwrap();
        let all: BTreeMap<String, Measured> = serde_json::from_slice(&written).unwrap();
        let goals = |name: &str| all[name].figures.iter().map(|one| one.goal).collect::<Vec<_>>();
        assert_eq!((goals("acts"), goals("flow")), (vec![Some(2.0)], vec![Some(3.0)]));
        assert!(!figure(1.0).met() && figure(2.0).met());
        assert!(Figure::told("a".into(), 9.0, "s").met());
    }
}
