//! CPU time of processes with everything that they have started.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};

/// CPU seconds by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Usage(BTreeMap<String, f64>);

/// Processes by name, each the root of a tree.
#[derive(Debug, Clone, Default)]
pub(super) struct Watched(Vec<(String, i32)>);

impl Watched {
    pub(super) fn add(&mut self, name: &str, pid: i32) {
        self.0.push((name.to_owned(), pid));
    }

    /// What they have used until now.
    pub(super) fn usage(&self) -> Result<Usage> {
        let processes = processes()?;
        let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
        for (pid, process) in &processes {
            children.entry(process.parent).or_default().push(*pid);
        }
        let ticks = f64::from(u32::try_from(rustix::param::clock_ticks_per_second())?);
        let mut usage = BTreeMap::new();
        for (name, root) in &self.0 {
            let mut ticked = 0;
            let mut open = vec![*root];
            while let Some(pid) = open.pop() {
                ticked += processes.get(&pid).map_or(0, |process| process.ticks);
                open.extend(children.get(&pid).into_iter().flatten());
            }
            let ticked = u32::try_from(ticked).context("a process has worked for years")?;
            *usage.entry(name.clone()).or_default() += f64::from(ticked) / ticks;
        }
        Ok(Usage(usage))
    }
}

impl Usage {
    /// What was used since then.
    pub(super) fn since(&self, before: &Self) -> Self {
        let used = |(name, now): (&String, &f64)| {
            let before = before.0.get(name).copied().unwrap_or(0.0);
            (name.clone(), (now - before).max(0.0))
        };
        Self(self.0.iter().map(used).collect())
    }

    pub(super) fn of(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, seconds)| (name.as_str(), *seconds))
    }
}

struct Process {
    parent: i32,
    /// Its own and those of its children that have ended and were waited for.
    ticks: u64,
}

fn processes() -> Result<HashMap<i32, Process>> {
    let mut processes = HashMap::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // A process may end while it is looked at.
        if let Some(pid) = pid
            && let Ok(stat) = std::fs::read_to_string(entry.path().join("stat"))
            && let Some(process) = read(&stat)
        {
            processes.insert(pid, process);
        }
    }
    Ok(processes)
}

/// Of `/proc/<pid>/stat`: field 4 is the parent; 14 to 17 are the times of the process and of its children, in user and system mode.
fn read(stat: &str) -> Option<Process> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let times = fields.get(11..15)?.iter();
    let ticks: Option<Vec<u64>> = times.map(|ticks| ticks.parse().ok()).collect();
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        ticks: ticks?.iter().sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_process_and_of_its_children_are_added_up() {
        let line = "17 (a (b) c) S 4 17 17 0 -1 0 1 2 3 4 100 20 3 4 20 0 1 0 5";
        let process = read(line).unwrap();
        assert_eq!((process.parent, process.ticks), (4, 127));
    }

    #[test]
    fn a_child_counts_for_who_started_it() {
        let mut child = std::process::Command::new("sh")
            .args([
                "-c",
                "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 60",
            ])
            .spawn()
            .unwrap();
        let mut watched = Watched::default();
        watched.add("this", std::process::id().cast_signed());
        watched.add("child", child.id().cast_signed());
        let begun = std::time::Instant::now();
        let mut usage = watched.usage().unwrap();
        while usage.of("child") < 0.1 && begun.elapsed().as_secs() < 30 {
            std::thread::yield_now();
            usage = watched.usage().unwrap();
        }
        assert!(usage.of("child") >= 0.1, "{usage:?}");
        assert!(usage.of("this") >= usage.of("child"), "{usage:?}");
        assert_eq!(usage.since(&usage).of("child"), 0.0);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
