//! Random secrets, kept in files that only their owner reads.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use rand::Rng;

/// `bytes` random bytes in lower-case hexadecimal.
pub fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0u8; bytes];
    rand::rng().fill_bytes(&mut buffer);
    HEXLOWER.encode(&buffer)
}

/// A random PIN of eight digits.
pub fn random_pin() -> String {
    let mut buffer = [0u8; 8];
    rand::rng().fill_bytes(&mut buffer);
    format!("{:08}", u64::from_le_bytes(buffer) % 100_000_000)
}

/// Writes a file that only its owner may read, replacing an older one: whole or not at all, however this process ends.
pub fn write_private(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        file.write_all(content.as_ref())?;
        std::fs::rename(&fresh, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// The secret in a file, made by `generate` when the file does not exist yet.
pub fn kept(path: &Path, generate: impl FnOnce() -> String) -> Result<String> {
    if let Ok(text) = std::fs::read_to_string(path) {
        return Ok(text.trim_end().to_owned());
    }
    let secret = generate();
    write_private(path, &secret)?;
    Ok(secret)
}
