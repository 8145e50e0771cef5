//! The demonstration: fixed ports, state under `.local/`, processes that stay.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::description::Description;
use crate::layout::Layout;
use crate::parts::{self, END_BOUND, PARTS, Purpose, Surroundings};
use crate::ports::Ports;
use crate::process::{Bond, Running};
use crate::services::{self, Facts, Replicas, SERVICES, instances};

/// The demonstration of one checkout.
pub struct Demo {
    layout: Layout,
    ports: Ports,
}

/// One line of `status`.
#[derive(Debug)]
pub struct State {
    pub name: String,
    pub running: Option<Running>,
    /// Where it listens.
    pub address: String,
}

impl Demo {
    /// The demonstration of the checkout at `root`.
    ///
    /// # Errors
    /// When the ports are not usable.
    pub fn of(root: &Path) -> Result<Self> {
        let ports = Ports::fixed(root, |name| std::env::var(name).ok())?;
        Ok(Self {
            layout: Layout::demonstration(root),
            ports,
        })
    }

    /// Where its files stand.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What starts its processes.
    pub fn around<'a>(&'a self, progress: &'a dyn Fn(&str)) -> Surroundings<'a> {
        Surroundings {
            layout: &self.layout,
            ports: &self.ports,
            bond: Bond::Detached,
            purpose: Purpose::Lasting,
            progress,
        }
    }

    /// Starts the parts that do not run yet.
    ///
    /// # Errors
    /// When one does not come up.
    pub async fn start_parts(&self, progress: &dyn Fn(&str)) -> Result<Description> {
        let around = self.around(progress);
        parts::start_all(&around).await?;
        let description = parts::describe(&around)?;
        description.write(&self.layout.state.join("stack.json"))?;
        Ok(description)
    }

    /// Writes the configuration of every service.
    ///
    /// # Errors
    /// When a fact is missing or a file cannot be written.
    pub fn configure_services(&self, description: &Description) -> Result<()> {
        let around = self.around(&|_| ());
        let replicas = Replicas::new();
        for instance in instances(&replicas) {
            let facts = Facts {
                around: &around,
                description,
                database_suffix: "",
                replicas: &replicas,
                instance,
            };
            services::configure(&facts)?;
        }
        Ok(())
    }

    /// Migrates and starts our services, which must be configured, where they do not run yet. One whose binary or
    /// configuration has changed is started again.
    ///
    /// # Errors
    /// When one does not come up.
    pub async fn start_services(&self, description: &Description, progress: &dyn Fn(&str)) -> Result<()> {
        let around = self.around(progress);
        let begun = Instant::now();
        let owners = SERVICES.iter().filter(|service| service.database);
        futures::future::try_join_all(owners.map(|service| services::migrate(&around, service.name))).await?;
        progress(&format!(
            "{:<20} done in {:.1} s",
            "migrations",
            begun.elapsed().as_secs_f64()
        ));
        let starts = instances(&Replicas::new()).into_iter().map(async |instance| {
            around
                .timed(
                    &instance.name(),
                    services::start(&around, description, instance, &[]),
                )
                .await
        });
        futures::future::try_join_all(starts).await?;
        Ok(())
    }

    /// Every process there should be, and whether it runs.
    ///
    /// # Errors
    /// When a port is not allotted.
    pub fn state(&self) -> Result<Vec<State>> {
        let around = self.around(&|_| ());
        let parts = PARTS
            .iter()
            .map(|(name, ports)| ((*name).to_owned(), ports[0].to_owned()));
        let ours = instances(&Replicas::new())
            .into_iter()
            .map(|instance| (instance.name(), instance.name()));
        parts
            .chain(ours)
            .map(|(name, port)| {
                let running = around.running(&name);
                let scheme = match name.as_str() {
                    "trust" | "mail" | "sandbox" | "gateway" => "http://",
                    _ => "",
                };
                let address = format!("{scheme}127.0.0.1:{}", self.ports.get(&port)?);
                Ok(State {
                    name,
                    running,
                    address,
                })
            })
            .collect()
    }

    /// Ends everything, our services first. Answers the names of those that had to be killed.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn down(&self, progress: &dyn Fn(&str)) -> Result<Vec<String>> {
        let (parts, ours): (Vec<State>, Vec<State>) = self
            .state()?
            .into_iter()
            .partition(|state| PARTS.iter().any(|(name, _)| *name == state.name));
        let mut killed = Vec::new();
        for group in [ours, parts] {
            let running: Vec<Running> = group.into_iter().filter_map(|state| state.running).collect();
            let ends = running.iter().map(async |process| {
                let by_itself = process.end(END_BOUND).await;
                progress(&format!("{:<20} ended", process.name));
                (!by_itself).then(|| process.name.clone())
            });
            killed.extend(futures::future::join_all(ends).await.into_iter().flatten());
        }
        Ok(killed)
    }

    /// Removes all state, with the keys and certificates. Everything must have ended. The installed programs stay.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn clean(&self) -> Result<()> {
        let around = self.around(&|_| ());
        let layout = around.layout;
        let folders = [
            layout.certificates(),
            layout.config(),
            layout.log(),
            layout.run(),
            layout.secrets(),
            layout.data(),
            layout.cluster.clone(),
        ];
        for path in folders {
            if path.exists() {
                std::fs::remove_dir_all(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        // The second one names accounts that are gone now; the documents of earlier runs stay.
        let descriptions = [
            layout.state.join("stack.json"),
            layout.results().join("stack.json"),
        ];
        for description in descriptions.iter().filter(|path| path.exists()) {
            std::fs::remove_file(description)?;
        }
        // The folder outside the checkout is this demonstration's alone, the one above it is not.
        if let Some(parent) = layout
            .cluster
            .parent()
            .filter(|parent| !parent.starts_with(&layout.state) && parent.exists())
        {
            std::fs::remove_dir_all(parent).with_context(|| format!("cannot remove {}", parent.display()))?;
            if let Some(shared) = parent.parent() {
                let _others_use_it = std::fs::remove_dir(shared);
            }
        }
        Ok(())
    }
}
