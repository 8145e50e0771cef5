//! Where everything stands on disk.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The folders of one stack.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The checkout.
    pub root: PathBuf,
    /// What this stack writes: `.local` for the demonstration, a temporary folder for tests.
    pub state: PathBuf,
    /// PostgreSQL's cluster, which the user who runs it must be able to reach.
    pub cluster: PathBuf,
}

impl Layout {
    /// The demonstration's folders under `.local/`, or under `WATHIQ_STATE` where the checkout is not writable.
    pub fn demonstration(root: &Path) -> Self {
        let state = std::env::var_os("WATHIQ_STATE").map_or_else(|| root.join(".local"), PathBuf::from);
        let cluster = if !rustix::process::geteuid().is_root() || open_to_others(&state) {
            state.join("postgres")
        } else {
            let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
            Path::new("/var/lib/wathiq-local")
                .join(HEXLOWER.encode(&digest[..6]))
                .join("postgres")
        };
        Self {
            root: root.to_owned(),
            state,
            cluster,
        }
    }

    /// A test stack's folders under a temporary one.
    pub fn temporary(root: &Path, state: &Path) -> Self {
        Self {
            root: root.to_owned(),
            state: state.to_owned(),
            cluster: state.join("postgres"),
        }
    }

    /// Creates the folders that hold secrets, closed to others; the state folder itself stays traversable, because
    /// PostgreSQL may run as another user below it.
    pub fn create(&self) -> Result<()> {
        for folder in [
            self.certificates(),
            self.config(),
            self.log(),
            self.run(),
            self.secrets(),
            self.data(),
        ] {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
        }
        std::fs::set_permissions(&self.state, std::fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// Certificates and keys of the internal demonstration authority: `<name>.pem`, `<name>.key`, `ca.pem`.
    pub fn certificates(&self) -> PathBuf {
        self.state.join("certificates")
    }

    /// Configuration files of our services.
    pub fn config(&self) -> PathBuf {
        self.state.join("config")
    }

    /// One log file a process.
    pub fn log(&self) -> PathBuf {
        self.state.join("log")
    }

    /// One record a running process.
    pub fn run(&self) -> PathBuf {
        self.state.join("run")
    }

    /// Passwords and PINs.
    pub fn secrets(&self) -> PathBuf {
        self.state.join("secrets")
    }

    /// Data of the parts and of our services (object storage).
    pub fn data(&self) -> PathBuf {
        self.state.join("data")
    }

    /// What the journey leaves for people and scripts: `target/demo` for the demonstration, beside the state otherwise.
    pub fn results(&self) -> PathBuf {
        if self.state == self.root.join(".local") {
            self.root.join("target/demo")
        } else {
            self.state.join("demo")
        }
    }

    /// Who takes part in the journey and how they sign in.
    pub fn cast(&self) -> PathBuf {
        self.secrets().join("cast.json")
    }

    /// Programs installed by `deploy/install.sh`, shared by all stacks of a checkout.
    pub fn tools(&self) -> PathBuf {
        self.root.join(".local/tools")
    }

    /// A program of the Python virtual environment.
    pub fn python_program(&self, name: &str) -> PathBuf {
        self.root.join(".local/venv/bin").join(name)
    }

    /// A binary of this workspace, built beside the running program or given by `WATHIQ_BIN`.
    pub fn binary(&self, name: &str) -> Result<PathBuf> {
        let folder = match std::env::var_os("WATHIQ_BIN") {
            Some(folder) => PathBuf::from(folder),
            None => target_folder().unwrap_or_else(|| self.root.join("target/debug")),
        };
        let path = folder.join(name);
        if !path.is_file() {
            bail!("{} is not built: run `cargo build --workspace`", path.display());
        }
        Ok(path)
    }
}

/// The checkout that the working directory or the running program lies in.
pub fn find_root() -> Result<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .find(|folder| folder.join("deploy/local/Cargo.toml").is_file())
        .map(Path::to_owned)
        .context("not inside a checkout of the platform (deploy/local/Cargo.toml not found upwards)")
}

/// `target/<profile>` of the running program; test binaries stand one folder deeper, in `deps`.
fn target_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    if folder.ends_with("deps") {
        folder.parent().map(Path::to_owned)
    } else {
        Some(folder.to_owned())
    }
}

/// Whether every folder down to `path` lets other users pass.
fn open_to_others(path: &Path) -> bool {
    // What does not exist yet is made open by this program itself.
    path.ancestors().all(|folder| {
        std::fs::metadata(folder).map_or(true, |metadata| metadata.permissions().mode() & 0o001 != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_folder_above_closes_the_whole_path() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!open_to_others(&inner));
        std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        assert!(open_to_others(&inner));
    }
}
