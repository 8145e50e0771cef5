//! Idle memory of our services, and how soon they are ready after their start.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::Figure;
use crate::http;
use crate::services::{Instance, Replicas, instances};
use crate::stack::{Options, Stack};
use crate::test_stack::TestStack;

/// Megabytes of anonymous memory a service may hold when idle.
const MEMORY_GOAL: f64 = 20.0;
/// Seconds from start to ready.
const READY_GOAL: f64 = 0.5;
/// After this much quiet a service counts as idle.
const QUIET: Duration = Duration::from_secs(20);

pub(super) async fn measure(root: &Path) -> Result<Vec<Figure>> {
    let parts = TestStack::start(root, &|_| ()).await?;
    let figures = measure_on(&parts).await;
    parts.stop().await;
    figures
}

async fn measure_on(parts: &TestStack) -> Result<Vec<Figure>> {
    let mut stack = Stack::on(parts.description.clone(), Options::default()).await?;
    super::say("the services rest");
    tokio::time::sleep(QUIET).await;
    let mut figures: Vec<Figure> = memory(&stack)?
        .into_iter()
        .map(|(name, megabytes)| {
            let name = format!("{name}: idle memory (RssAnon)");
            Figure::alone(name, megabytes, "MB", MEMORY_GOAL)
        })
        .collect();
    for instance in instances(&Replicas::new()) {
        let name = instance.name();
        stack
            .process(&name)?
            .stop(Signal::TERM, Duration::from_secs(20))
            .await;
        let seconds = start_to_ready(&mut stack, &name).await?;
        figures.push(Figure::alone(
            format!("{name}: start to ready"),
            seconds,
            "s",
            READY_GOAL,
        ));
    }
    Ok(figures)
}

/// Megabytes of anonymous memory of each service.
pub(super) fn memory(stack: &Stack) -> Result<Vec<(String, f64)>> {
    let megabytes = |name: String| {
        let memory = stack.process(&name)?.memory_kib();
        let memory = memory.with_context(|| format!("{name} has no memory figures"))?;
        Ok((name, f64::from(u32::try_from(memory.anonymous)?) / 1024.0))
    };
    let names = instances(&Replicas::new()).into_iter().map(Instance::name);
    names.map(megabytes).collect()
}

async fn start_to_ready(stack: &mut Stack, name: &str) -> Result<f64> {
    let url = format!("{}/readyz", stack.operations(name)?);
    let client = http::client()?;
    let begun = Instant::now();
    stack.launch(name).await?;
    while begun.elapsed() < Duration::from_secs(30) {
        if client
            .get(&url)
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
        {
            return Ok(begun.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("{name} is not ready after 30 s")
}
