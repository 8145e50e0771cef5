//! What partners remember over a restart: JSON Lines, one line for each change with the whole of what changed.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The file that changes are written to, or nothing.
#[derive(Clone, Default)]
pub(crate) struct Journal {
    file: Option<Arc<Mutex<File>>>,
}

/// What the journal told when it was opened, oldest first.
#[derive(Default)]
pub(crate) struct Known(Vec<Line<Value>>);

#[derive(Serialize, Deserialize)]
struct Line<T> {
    kind: String,
    value: T,
}

impl Journal {
    /// Opens or creates the file and reads what stands there.
    pub(crate) fn open(path: Option<&Path>) -> Result<(Self, Known)> {
        let Some(path) = path else {
            return Ok((Self::default(), Known::default()));
        };
        let mut file = File::options()
            .create(true)
            .read(true)
            .append(true)
            .open(path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        let lines = BufReader::new(&file)
            .lines()
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("cannot read {}", path.display()))?;
        // A line that a crash has cut short is the last of its run, and nobody was told of it.
        let known = lines
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if lines
            .last()
            .is_some_and(|line| serde_json::from_str::<Value>(line).is_err())
        {
            writeln!(file)?;
        }
        let file = Some(Arc::new(Mutex::new(file)));
        Ok((Self { file }, Known(known)))
    }

    /// Writes what has changed.
    pub(crate) fn write<T: Serialize>(&self, kind: &str, value: &T) {
        let Some(file) = &self.file else { return };
        let line = Line {
            kind: kind.to_owned(),
            value,
        };
        let written = serde_json::to_string(&line)
            .map_err(std::io::Error::other)
            .and_then(|line| {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                writeln!(file, "{line}")
            });
        if let Err(error) = written {
            tracing::error!(%error, kind, "a change is not kept for the next start");
        }
    }
}

impl Known {
    /// All of a kind, oldest first; what has changed since comes again.
    pub(crate) fn of<T: DeserializeOwned>(&self, kind: &str) -> Vec<T> {
        let lines = self.0.iter().filter(|line| line.kind == kind);
        lines
            .filter_map(|line| serde_json::from_value(line.value.clone()).ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;

    #[test]
    fn what_is_written_is_known_at_the_next_start_whatever_the_last_one_left_half_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let (journal, known) = Journal::open(Some(&path)).unwrap();
        assert_eq!(known.of::<u8>("number"), Vec::<u8>::new());
        journal.write("number", &1);
        journal.write("text", &"one");
        drop(journal);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + "{\"kind\":\"numb").unwrap();
        let (journal, _) = Journal::open(Some(&path)).unwrap();
        journal.write("number", &2);
        let (_, known) = Journal::open(Some(&path)).unwrap();
        assert_eq!(known.of::<u8>("number"), [1, 2]);
        assert_eq!(known.of::<String>("text"), ["one"]);
    }
}
