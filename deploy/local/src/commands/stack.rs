//! `up`, `status`, `down`, `clean`.

use std::path::Path;

use anyhow::{Result, bail};

use crate::demo::Demo;
use crate::stack_file;

/// Starts what does not run yet; `parts_only` leaves our services out.
///
/// # Errors
/// When something does not come up.
pub async fn up(root: &Path, parts_only: bool, progress: &dyn Fn(&str)) -> Result<()> {
    let demo = Demo::of(root)?;
    let description = demo.start_parts(progress).await?;
    if !parts_only {
        demo.start_services(&description, progress).await?;
        stack_file::write(&demo, &description)?;
    }
    status(root)?;
    Ok(())
}

/// Prints one line a process and answers whether all run.
///
/// # Errors
/// When the ports are not usable.
pub fn status(root: &Path) -> Result<bool> {
    let demo = Demo::of(root)?;
    let states = demo.state()?;
    for state in &states {
        let (word, pid, memory) = match &state.running {
            Some(running) => {
                let memory = running.memory_kib().map(|memory| format!("{:>5} MB", memory.anonymous / 1024));
                ("up", running.pid.to_string(), memory.unwrap_or_default())
            }
            None => ("down", "-".into(), String::new()),
        };
        eprintln!("  {:<14} {word:<5} pid {pid:<8} {memory:<9} {}", state.name, state.address);
    }
    eprintln!("  state in {}, PostgreSQL's cluster in {}", demo.layout().state.display(), demo.layout().cluster.display());
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
    progress(&format!("removed the state in {} and {}", demo.layout().state.display(), demo.layout().cluster.display()));
    Ok(())
}
