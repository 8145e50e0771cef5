//! Everything that opens an uploaded file does so here, in a child process with limits of its own.
//!
//! The child is this same binary, started again as `signature pdf-worker`. It takes jobs on standard input and answers on
//! standard output. It never gets a path, a socket or a secret: file in, answer out. A file that makes the child exceed
//! its memory, CPU time or wall-clock limit costs one child and gives [`PdfError::TooComplex`], nothing else.

mod job;
mod lanes;
mod material;
mod own;
mod pool;
mod protocol;
mod shown;
pub(crate) mod template;
mod verdict;
mod verdicts;
pub mod worker;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use crate::domain::document::{
    Accepted, ExistingSignature, Inspection, IntakeRefusal, PageSize, SealPolicy,
};
pub use job::{Overlay, PreparedFile, RenderJob, VerifyJob, ViewRectangle};
pub use lanes::{Lane, LaneConfig};
pub use material::{Digested, TrustMaterial};
pub use own::OwnVerifier;
pub use pool::Pool;
pub use template::current_template_version;
pub use verdict::{
    FileVerdict, Link, MAX_LINKS, SignatureVerdict, TimestampVerdict, VerdictIndication, links_of,
};

/// Section `[pdf]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PdfConfig {
    /// The binary to start as worker; this process's own by default.
    pub worker: Option<PathBuf>,
    /// Work for whoever has a file verified.
    pub verification: LaneConfig,
    /// Files issued here, looked up by whoever has their code or their bytes.
    pub issued: LaneConfig,
    /// Uploads, and pages shown.
    pub people: LaneConfig,
    /// Work for seals.
    pub sealing: LaneConfig,
    /// Documents that other services have sealed.
    pub deposits: LaneConfig,
    /// Address space of a child, in MiB.
    pub memory_mib: u64,
    /// CPU time of one job, in seconds.
    pub cpu_seconds: u64,
    /// Wall-clock time of one job, in seconds.
    pub job_seconds: u64,
    /// A child ends after so many jobs.
    pub jobs_per_worker: u32,
    /// A child without work ends after so many seconds.
    pub idle_seconds: u64,
}

impl PdfConfig {
    fn lane(&self, lane: Lane) -> LaneConfig {
        match lane {
            Lane::Verification => self.verification,
            Lane::Issued => self.issued,
            Lane::People => self.people,
            Lane::Sealing => self.sealing,
            Lane::Deposits => self.deposits,
        }
    }
}

impl Default for PdfConfig {
    fn default() -> Self {
        Self {
            worker: None,
            verification: LaneConfig {
                workers: 1,
                queue: 8,
                patience_seconds: 10,
            },
            issued: LaneConfig {
                workers: 1,
                queue: 16,
                patience_seconds: 10,
            },
            people: LaneConfig {
                workers: 1,
                queue: 48,
                patience_seconds: 20,
            },
            // A batch waits behind its own first files; the caller's deadline ends that before.
            sealing: LaneConfig {
                workers: 2,
                queue: 256,
                patience_seconds: 120,
            },
            deposits: LaneConfig {
                workers: 2,
                queue: 64,
                patience_seconds: 20,
            },
            memory_mib: 1024,
            cpu_seconds: 20,
            job_seconds: 40,
            jobs_per_worker: 50,
            idle_seconds: 10,
        }
    }
}

/// Which limit a job exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    Memory,
    CpuTime,
    WallClock,
    FileSize,
}

/// Why a job gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// The file asks for more than a job may take; a user's file is refused with `PDF_TOO_COMPLEX`.
    #[error("the file exceeds the limit of a PDF job on {limit:?}")]
    TooComplex { limit: Limit },
    /// The child died on this file twice without exceeding a limit; a user's file is refused with `PDF_TOO_COMPLEX`.
    #[error("the PDF worker failed on this file: {cause}")]
    Crashed { cause: String },
    /// The file is not one the job can work on.
    #[error("the file is refused: {}", .0.reason)]
    Refused(IntakeRefusal),
    /// The page or rectangle asked for is not in the file.
    #[error("the page or region does not exist in the file")]
    PageOutOfRange,
    /// The job itself is at fault: a template, a plan.
    #[error("the PDF job is impossible: {0}")]
    Impossible(String),
    /// Too many jobs of this kind wait; later there is room again.
    #[error("too many PDF jobs wait ({})", .lane.as_str())]
    Busy { lane: Lane },
    /// No child could be started or reached.
    #[error("no PDF worker can be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
