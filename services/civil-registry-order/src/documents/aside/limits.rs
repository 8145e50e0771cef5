//! What the process may take, set by itself before it reads the first byte.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Address space, fonts and program included.
const MEMORY: u64 = 1024 * 1024 * 1024;
/// Descriptors: the three pipes, and some for the start of threads.
const DESCRIPTORS: u64 = 16;

/// Bounds address space, processor time, written files (none) and descriptors; a core dump would hold a citizen's data.
pub(super) fn set(cpu_seconds: u64) -> io::Result<()> {
    for (resource, value) in [
        (Resource::As, MEMORY),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, DESCRIPTORS),
        (Resource::Cpu, cpu_seconds),
    ] {
        let limit = Rlimit {
            current: Some(value),
            maximum: Some(value),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}
