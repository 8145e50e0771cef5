//! The files of the project: those that are tracked, and those that would be.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A file by its path below the root.
pub(crate) struct File {
    pub(crate) path: String,
    /// Absent for what is no UTF-8.
    pub(crate) text: Option<String>,
}

impl File {
    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    pub(crate) fn ends(&self, suffix: &str) -> bool {
        self.path.ends_with(suffix)
    }
}

/// Every file.
pub(crate) static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let paths = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<File> = paths
        .split_terminator('\0')
        // A file that was removed but not committed is listed still.
        .filter_map(|path| Some((path, std::fs::read(root().join(path)).ok()?)))
        .map(|(path, bytes)| File {
            path: path.to_owned(),
            text: String::from_utf8(bytes).ok(),
        })
        .collect();
    assert!(files.len() > 300, "only {} files are known", files.len());
    files
});

/// The Rust sources below a folder, or all for an empty prefix.
pub(crate) fn sources(below: &str) -> impl Iterator<Item = &'static File> + use<> {
    let below = below.to_owned();
    FILES
        .iter()
        .filter(move |file| file.path.starts_with(&below) && file.ends(".rs"))
}

/// A TOML file of the project.
pub(crate) fn toml(path: impl AsRef<Path>) -> toml::Table {
    let path: PathBuf = root().join(path);
    std::fs::read_to_string(&path)
        .unwrap()
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with one line a breach.
#[track_caller]
pub(crate) fn none(rule: &str, breaches: impl IntoIterator<Item = String>) {
    let breaches: Vec<String> = breaches.into_iter().collect();
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}
