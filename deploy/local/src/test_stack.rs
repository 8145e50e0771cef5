//! A stack for one run of tests: random ports, a temporary folder, gone at the end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::Signal;

use crate::description::Description;
use crate::layout::Layout;
use crate::parts::{self, PARTS, Purpose, Surroundings, remove_state};
use crate::ports::Ports;
use crate::process::{Bond, Running};
use crate::secrets;

const PREFIX: &str = "wathiq-test-";

/// Running parts on random ports. They end with this process, at the latest.
pub struct TestStack {
    layout: Layout,
    ports: Ports,
    parts: Vec<Running>,
    /// What the parts offer.
    pub description: Description,
    /// The description as a file, for [`crate::description::VARIABLE`].
    pub file: PathBuf,
}

impl TestStack {
    /// Starts every part.
    ///
    /// # Errors
    /// When a part does not come up.
    pub async fn start(root: &Path, progress: &dyn Fn(&str)) -> Result<Self> {
        Self::with_purpose(root, Purpose::Test, progress).await
    }

    /// Starts every part to be measured.
    ///
    /// # Errors
    /// When a part does not come up.
    pub async fn measured(root: &Path, progress: &dyn Fn(&str)) -> Result<Self> {
        Self::with_purpose(root, Purpose::Measurement, progress).await
    }

    async fn with_purpose(root: &Path, purpose: Purpose, progress: &dyn Fn(&str)) -> Result<Self> {
        remove_stale();
        let state = std::env::temp_dir().join(format!(
            "{PREFIX}{}-{}",
            std::process::id(),
            secrets::random_hex(3)
        ));
        std::fs::create_dir_all(&state).with_context(|| format!("cannot create {}", state.display()))?;
        let layout = Layout::temporary(root, &state);
        let mut ports = Ports::default();
        for name in PARTS.iter().flat_map(|(_, ports)| *ports) {
            ports.allot(name)?;
        }
        match start_parts(&layout, &ports, purpose, progress).await {
            Ok((parts, description)) => {
                let file = state.join("stack.json");
                description.write(&file)?;
                Ok(Self {
                    layout,
                    ports,
                    parts,
                    description,
                    file,
                })
            }
            Err(error) => {
                stop_recorded(&layout, &ports).await;
                remove_state(&state);
                Err(error)
            }
        }
    }

    /// Where the stack's logs and data stand.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The processes of its parts.
    pub fn processes(&self) -> &[Running] {
        &self.parts
    }

    /// A folder for the temporary files of the tests, which goes with the stack.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn temporary_files(&self) -> Result<PathBuf> {
        let folder = self.layout.state.join("tmp");
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }

    /// The ports of its parts.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Ends every part and removes the folder.
    pub async fn stop(self) {
        futures::future::join_all(self.parts.iter().map(end)).await;
        remove_state(&self.layout.state);
    }
}

async fn start_parts(
    layout: &Layout,
    ports: &Ports,
    purpose: Purpose,
    progress: &dyn Fn(&str),
) -> Result<(Vec<Running>, Description)> {
    let around = Surroundings {
        layout,
        ports,
        bond: Bond::Tied,
        purpose,
        progress,
    };
    let parts = parts::start_all(&around).await?;
    let description = parts::describe(&around)?;
    Ok((parts, description))
}

async fn stop_recorded(layout: &Layout, ports: &Ports) {
    let around = Surroundings {
        layout,
        ports,
        bond: Bond::Tied,
        purpose: Purpose::Test,
        progress: &|_| (),
    };
    let running: Vec<Running> = PARTS
        .iter()
        .filter_map(|(name, _)| around.running(name))
        .collect();
    futures::future::join_all(running.iter().map(end)).await;
}

/// Nothing here is worth an orderly end, but PostgreSQL must take its children and shared memory along.
async fn end(part: &Running) {
    let signal = if part.name == "postgres" {
        Signal::QUIT
    } else {
        Signal::KILL
    };
    part.stop(signal, Duration::from_secs(5)).await;
}

/// Removes the folders of runs that were killed.
fn remove_stale() {
    let Ok(entries) = std::fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            remove_state(&entry.path());
        }
    }
}
