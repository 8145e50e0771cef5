//! What the child may take, set by itself before it reads the first byte.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// CPU seconds that all jobs of one child may take together, as a multiple of one job's.
const JOBS_AT_FULL_LENGTH: u64 = 50;
/// Descriptors: the three pipes, and some for the start of threads.
const DESCRIPTORS: u64 = 16;

/// Bounds address space, CPU time, written files (none) and descriptors; a core dump would hold a citizen's document.
pub(super) fn set(memory_mib: u64, cpu_seconds: u64) -> io::Result<()> {
    limit(Resource::As, memory_mib.saturating_mul(1024 * 1024))?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, DESCRIPTORS)?;
    let all = cpu_seconds.saturating_mul(JOBS_AT_FULL_LENGTH);
    setrlimit(
        Resource::Cpu,
        Rlimit {
            current: Some(cpu_seconds),
            maximum: Some(all),
        },
    )?;
    Ok(())
}

/// Grants the next job its CPU time, counted from what the process has used so far.
pub(super) fn allow_cpu(seconds: u64) -> io::Result<()> {
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or_default();
    let all = seconds.saturating_mul(JOBS_AT_FULL_LENGTH);
    let current = (used + seconds + 1).min(all);
    setrlimit(
        Resource::Cpu,
        Rlimit {
            current: Some(current),
            maximum: Some(all),
        },
    )?;
    Ok(())
}

fn limit(resource: Resource, value: u64) -> io::Result<()> {
    setrlimit(
        resource,
        Rlimit {
            current: Some(value),
            maximum: Some(value),
        },
    )?;
    Ok(())
}
