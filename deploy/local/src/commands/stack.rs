//! `up`, `status`, `down`, `clean`.

use std::path::Path;

use anyhow::{Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::demo::Demo;
use crate::parts::PARTS;
use crate::stack_file;

/// What `up` and `status` are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Everything,
    /// The parts alone; our services are run by someone else, from the configuration written here.
    Parts,
}

/// Starts what does not run yet.
///
/// # Errors
/// When something does not come up.
pub async fn up(root: &Path, scope: Scope, progress: &dyn Fn(&str)) -> Result<()> {
    let demo = Demo::of(root)?;
    let description = demo.start_parts(progress).await?;
    demo.configure_services(&description)?;
    if scope == Scope::Everything {
        demo.start_services(&description, progress).await?;
        stack_file::write(&demo, &description)?;
    }
    status(root, scope)?;
    Ok(())
}

/// Waits for the signal to end and ends everything: for a container, whose first process this is.
///
/// # Errors
/// When something had to be killed.
pub async fn stay(root: &Path, progress: &dyn Fn(&str)) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    down(root, progress).await
}

/// Prints one line a process and answers whether all run.
///
/// # Errors
/// When the ports are not usable.
pub fn status(root: &Path, scope: Scope) -> Result<bool> {
    let demo = Demo::of(root)?;
    let mut states = demo.state()?;
    if scope == Scope::Parts {
        states.retain(|state| PARTS.iter().any(|(name, _)| *name == state.name));
    }
    for state in &states {
        let (word, pid, memory) = match &state.running {
            Some(running) => {
                let memory = running
                    .memory_kib()
                    .map(|memory| format!("{:>5} MB", memory.anonymous / 1024));
                ("up", running.pid.to_string(), memory.unwrap_or_default())
            }
            None => ("down", "-".into(), String::new()),
        };
        eprintln!(
            "  {:<20} {word:<5} pid {pid:<8} {memory:<9} {}",
            state.name, state.address
        );
    }
    eprintln!(
        "  state in {}, PostgreSQL's cluster in {}",
        demo.layout().state.display(),
        demo.layout().cluster.display()
    );
    Ok(states.iter().all(|state| state.running.is_some()))
}

/// Ends everything.
///
/// # Errors
/// When something had to be killed.
pub async fn down(root: &Path, progress: &dyn Fn(&str)) -> Result<()> {
    let killed = Demo::of(root)?.down(progress).await?;
    if !killed.is_empty() {
        bail!("these did not end in time and were killed: {}", killed.join(", "));
    }
    Ok(())
}

/// Ends everything and removes all state.
///
/// # Errors
/// When something cannot be removed.
pub async fn clean(root: &Path, progress: &dyn Fn(&str)) -> Result<()> {
    let demo = Demo::of(root)?;
    demo.down(progress).await?;
    demo.clean()?;
    progress(&format!(
        "removed the state in {} and {}",
        demo.layout().state.display(),
        demo.layout().cluster.display()
    ));
    Ok(())
}
