//! Measurements against goals, both sides in one run, into `target/bench.json`.

mod processes;
mod signing;

use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

/// One figure. `ratio` is ours / reference, lower is better; `goal` is the ratio not to exceed or, where there is no
/// reference, the figure itself.
#[derive(Debug, Serialize)]
pub struct Figure {
    pub name: String,
    pub ours: f64,
    pub reference: Option<f64>,
    pub reference_name: Option<String>,
    pub unit: &'static str,
    pub ratio: Option<f64>,
    pub goal: f64,
}

impl Figure {
    fn against(
        name: &str,
        ours: f64,
        reference: f64,
        reference_name: &str,
        unit: &'static str,
        goal: f64,
    ) -> Self {
        Self {
            name: name.to_owned(),
            ours,
            reference: Some(reference),
            reference_name: Some(reference_name.to_owned()),
            unit,
            ratio: Some(ours / reference),
            goal,
        }
    }

    fn alone(name: String, ours: f64, unit: &'static str, goal: f64) -> Self {
        Self {
            name,
            ours,
            reference: None,
            reference_name: None,
            unit,
            ratio: None,
            goal,
        }
    }

    /// Whether the goal is met.
    pub fn met(&self) -> bool {
        self.ratio.unwrap_or(self.ours) <= self.goal
    }
}

/// Measures everything, prints a line a figure, and fails when a goal is missed.
///
/// # Errors
/// When a side cannot be measured or a goal is missed; the file is written in the second case.
pub async fn run(root: &Path) -> Result<()> {
    if cfg!(debug_assertions) {
        bail!("measurements want a release build: make bench");
    }
    let mut figures = signing::measure(root)?;
    figures.extend(processes::measure(root).await?);
    let path = root.join("target/bench.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&figures)?)?;
    for figure in &figures {
        let judged = match figure.ratio {
            Some(ratio) => format!("ratio {ratio:.3}"),
            None => String::new(),
        };
        let verdict = if figure.met() { "met" } else { "MISSED" };
        eprintln!(
            "  {:<44} {:>10.3} {:<3} {judged:<14} goal {:<7.3} {verdict}",
            figure.name, figure.ours, figure.unit, figure.goal
        );
    }
    let missed = figures.iter().filter(|figure| !figure.met()).count();
    if missed > 0 {
        bail!("{missed} goals are missed, see {}", path.display());
    }
    Ok(())
}
