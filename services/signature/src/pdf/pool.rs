//! The children: started when needed, at most so many in each lane, used again a few times, gone when idle.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

use super::job::{Answer, Job, PreparedFile, RenderJob, VerifyJob};
use super::lanes::{Lane, Places};
use super::material::TrustMaterial;
use super::protocol::{self, Frame, FrameError};
use super::shown::Shown;
use super::verdict::FileVerdict;
use super::verdicts::Verdicts;
use super::{Inspection, IntakeRefusal, Limit, PdfConfig, PdfError};
use crate::domain::recipe::Recipe;

/// The last words of a child are cut here.
const STDERR_KEPT: u64 = 2048;
/// How long a child that closed its pipe may take to be gone.
const BURIAL: Duration = Duration::from_secs(2);

/// A pool of PDF workers. Cheap to clone; no child is started before the first job.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    config: PdfConfig,
    lanes: [LaneState; Lane::ALL.len()],
    verdicts: Verdicts,
    shown: Shown,
}

/// Places and children of one kind of work.
struct LaneState {
    places: Places,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    workers: Vec<(Worker, Instant)>,
    reaping: bool,
}

struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    jobs: u32,
}

/// How a job ended without an answer.
enum Failure {
    Limit(Limit),
    Crash(String),
    Start(Box<dyn std::error::Error + Send + Sync>),
}

impl Pool {
    /// A pool without children.
    pub fn new(config: PdfConfig) -> Self {
        let lanes = Lane::ALL.map(|lane| LaneState {
            places: Places::new(lane, config.lane(lane)),
            idle: Mutex::default(),
        });
        let inner = Inner {
            config,
            lanes,
            verdicts: Verdicts::default(),
            shown: Shown::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Applies the rules of intake to a file. A file that breaks a rule, or the limits, is a refusal, not an error.
    ///
    /// # Errors
    /// [`PdfError::Unavailable`] when no worker answers for reasons that are not the file's.
    pub async fn inspect(&self, file: Bytes) -> Result<Inspection, PdfError> {
        match self.run(Lane::People, Job::Inspect, &[&file]).await {
            Ok(Frame {
                body: Answer::Inspected(inspection),
                ..
            }) => Ok(inspection),
            Ok(frame) => Err(unexpected(frame.body)),
            Err(error @ (PdfError::TooComplex { .. } | PdfError::Crashed { .. })) => {
                Ok(Inspection::Refused(IntakeRefusal {
                    reason: "PDF_TOO_COMPLEX".to_owned(),
                    object_number: None,
                    detail: error.to_string(),
                }))
            }
            Err(error) => Err(error),
        }
    }

    /// Renders a page of an accepted file as PNG.
    ///
    /// # Errors
    /// [`PdfError::PageOutOfRange`] for a page that does not exist, and as for every job.
    pub async fn render(&self, file: Bytes, job: RenderJob) -> Result<Vec<u8>, PdfError> {
        let mut frame = self.run(Lane::People, Job::Render(job), &[&file]).await?;
        match (frame.body, frame.blobs.pop()) {
            (Answer::Rendered, Some(picture)) => Ok(picture),
            (answer, _) => Err(unexpected(answer)),
        }
    }

    /// Has a picture of the file of this SHA-256 made by `render`, unless it is known that it can be made.
    ///
    /// # Errors
    /// Those of `render`.
    pub async fn render_once<E>(
        &self,
        file: &[u8; 32],
        job: &RenderJob,
        render: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        self.inner.shown.once(file, job, render).await
    }

    /// Prepares an accepted file for its seal. Equal input gives equal bytes.
    ///
    /// # Errors
    /// [`PdfError::Impossible`] when recipe and file do not go together, and as for every job.
    pub async fn prepare(&self, file: Bytes, recipe: &Recipe) -> Result<(PreparedFile, Vec<u8>), PdfError> {
        self.prepared(Job::Prepare(Box::new(recipe.clone())), &[&file])
            .await
    }

    /// Makes and prepares a legalisation page that stands alone. Equal input gives equal bytes.
    ///
    /// # Errors
    /// As [`Pool::prepare`].
    pub async fn prepare_page(&self, recipe: &Recipe) -> Result<(PreparedFile, Vec<u8>), PdfError> {
        self.prepared(Job::PreparePage(Box::new(recipe.clone())), &[])
            .await
    }

    /// Applies the rules of intake to a document of another service and prepares it for its seal.
    ///
    /// # Errors
    /// [`PdfError::Refused`] where intake refuses it, and as for every job.
    pub async fn deposit(&self, file: Bytes, recipe: &Recipe) -> Result<(PreparedFile, Vec<u8>), PdfError> {
        let job = Job::Deposit(Box::new(recipe.clone()));
        self.prepared_in(Lane::Deposits, job, &[&file]).await
    }

    async fn prepared(&self, job: Job, blobs: &[&[u8]]) -> Result<(PreparedFile, Vec<u8>), PdfError> {
        self.prepared_in(Lane::Sealing, job, blobs).await
    }

    async fn prepared_in(
        &self,
        lane: Lane,
        job: Job,
        blobs: &[&[u8]],
    ) -> Result<(PreparedFile, Vec<u8>), PdfError> {
        let mut frame = self.run(lane, job, blobs).await?;
        match (frame.body, frame.blobs.pop()) {
            (Answer::Prepared(prepared), Some(file)) => Ok((prepared, file)),
            (answer, _) => Err(unexpected(answer)),
        }
    }

    /// The verdict of a moment ago on an issued file (by SHA-256), where nothing it was reached with has changed.
    pub fn remembered(&self, sha256: [u8; 32], trust: &TrustMaterial) -> Option<FileVerdict> {
        self.inner.verdicts.find(sha256, trust)
    }

    /// Remembers the verdict on an issued file. Only for files of ours: what strangers bring is without bound.
    pub fn remember(&self, sha256: [u8; 32], trust: &TrustMaterial, verdict: &FileVerdict) {
        self.inner.verdicts.keep(sha256, trust, verdict);
    }

    /// Verifies the signatures of a file; no rule of intake applies. The lane says whose file it is, and with what it waits.
    ///
    /// # Errors
    /// [`PdfError::Busy`], and as for every job.
    pub async fn verify(
        &self,
        lane: Lane,
        file: Bytes,
        trust: &TrustMaterial,
    ) -> Result<FileVerdict, PdfError> {
        let job = VerifyJob {
            at: trust.at,
            max_age_seconds: trust.max_age.num_seconds(),
            anchors: trust.anchors.len(),
            crls: trust.crls.len(),
            ocsp_responses: trust.ocsp_responses.len(),
        };
        let mut blobs: Vec<&[u8]> = vec![&file];
        let material = trust
            .anchors
            .iter()
            .chain(&trust.crls)
            .chain(&trust.ocsp_responses);
        blobs.extend(material.map(|data| &data.der[..]));
        match self.run(lane, Job::Verify(job), &blobs).await?.body {
            Answer::Verified(verdict) => Ok(verdict),
            answer => Err(unexpected(answer)),
        }
    }

    /// Runs a job, once more on a fresh child when the first one crashed: it may have been ended from outside.
    async fn run(&self, lane: Lane, job: Job, blobs: &[&[u8]]) -> Result<Frame<Answer>, PdfError> {
        let _place = self.lane(lane).places.take().await?;
        let mut last = String::new();
        for _ in 0..2 {
            match self.attempt(lane, &job, blobs).await {
                Ok(frame) => return understood(frame),
                Err(Failure::Limit(limit)) => {
                    tracing::warn!(event = "pdf.limit", ?limit, "a PDF job exceeded its limits");
                    return Err(PdfError::TooComplex { limit });
                }
                Err(Failure::Start(error)) => return Err(PdfError::Unavailable(error)),
                Err(Failure::Crash(cause)) => {
                    tracing::error!(event = "pdf.crash", cause, "a PDF worker crashed");
                    last = cause;
                }
            }
        }
        Err(PdfError::Crashed { cause: last })
    }

    async fn attempt(&self, lane: Lane, job: &Job, blobs: &[&[u8]]) -> Result<Frame<Answer>, Failure> {
        let mut worker = self.worker(lane)?;
        let bound = Duration::from_secs(self.inner.config.job_seconds);
        let exchange = async {
            protocol::send(&mut worker.input, job, blobs).await?;
            protocol::receive::<Answer>(&mut worker.output).await
        };
        match timeout(bound, exchange).await {
            Ok(Ok(frame)) if matches!(frame.body, Answer::Panicked(_)) => Ok(frame),
            Ok(Ok(frame)) => {
                self.keep(lane, worker);
                Ok(frame)
            }
            Ok(Err(FrameError::Pipe(_))) => Err(post_mortem(worker).await),
            Ok(Err(error)) => Err(Failure::Crash(error.to_string())),
            Err(_elapsed) => Err(Failure::Limit(Limit::WallClock)),
        }
    }

    fn worker(&self, lane: Lane) -> Result<Worker, Failure> {
        let found = self.idle(lane).workers.pop();
        match found {
            Some((worker, _)) => Ok(worker),
            None => start(&self.inner.config),
        }
    }

    /// Takes a worker back, unless it has done its share of jobs.
    fn keep(&self, lane: Lane, mut worker: Worker) {
        worker.jobs += 1;
        if worker.jobs >= self.inner.config.jobs_per_worker {
            return;
        }
        let mut idle = self.idle(lane);
        idle.workers.push((worker, Instant::now()));
        if !idle.reaping {
            idle.reaping = true;
            tokio::spawn(reap(self.clone(), lane));
        }
    }

    fn idle(&self, lane: Lane) -> std::sync::MutexGuard<'_, Idle> {
        self.lane(lane)
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, lane: Lane) -> &LaneState {
        &self.inner.lanes[lane as usize]
    }
}

/// Ends workers that have been idle long enough, then itself when none is left.
async fn reap(pool: Pool, lane: Lane) {
    let bound = Duration::from_secs(pool.inner.config.idle_seconds);
    loop {
        sleep(bound).await;
        let mut idle = pool.idle(lane);
        idle.workers.retain(|(_, since)| since.elapsed() < bound);
        if idle.workers.is_empty() {
            idle.reaping = false;
            return;
        }
    }
}

fn start(config: &PdfConfig) -> Result<Worker, Failure> {
    // The running binary itself, also after an upgrade has replaced the file it was started from.
    let binary = config
        .worker
        .clone()
        .unwrap_or_else(|| PathBuf::from("/proc/self/exe"));
    let mut child = Command::new(binary)
        .arg(super::worker::SUBCOMMAND)
        .args([config.memory_mib, config.cpu_seconds].map(|number| number.to_string()))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::Start(error.into()))?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Failure::Start("a started child has no pipes".into()));
    };
    Ok(Worker {
        child,
        input,
        output,
        jobs: 0,
    })
}

/// Finds out why a child closed its pipe.
async fn post_mortem(worker: Worker) -> Failure {
    let Worker {
        mut child,
        input,
        output,
        ..
    } = worker;
    drop((input, output));
    let status = match timeout(BURIAL, child.wait()).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Failure::Start(error.into()),
        Err(_elapsed) => return Failure::Limit(Limit::WallClock),
    };
    let mut words = Vec::new();
    if let Some(stderr) = child.stderr.take()
        && let Err(error) = stderr.take(STDERR_KEPT).read_to_end(&mut words).await
    {
        tracing::debug!(%error, "the last words of a PDF worker are lost");
    }
    diagnose(status, &String::from_utf8_lossy(&words))
}

/// A failed allocation and an exhausted stack end in SIGABRT, the CPU limit in SIGXCPU (SIGKILL at its hard bound, which is also
/// how the kernel ends a process when memory runs out), the file limit in SIGXFSZ.
fn diagnose(status: ExitStatus, words: &str) -> Failure {
    const SIGABRT: i32 = 6;
    const SIGKILL: i32 = 9;
    const SIGXCPU: i32 = 24;
    const SIGXFSZ: i32 = 25;
    match status.signal() {
        Some(SIGXCPU) => Failure::Limit(Limit::CpuTime),
        Some(SIGXFSZ) => Failure::Limit(Limit::FileSize),
        Some(SIGABRT) if words.contains("memory allocation") || words.contains("overflowed its stack") => {
            Failure::Limit(Limit::Memory)
        }
        Some(SIGKILL) => Failure::Crash("killed from outside".to_owned()),
        _ => Failure::Crash(format!("{status}; {}", words.trim())),
    }
}

fn understood(frame: Frame<Answer>) -> Result<Frame<Answer>, PdfError> {
    match frame.body {
        Answer::Refused(refusal) => Err(PdfError::Refused(refusal)),
        Answer::OutOfRange => Err(PdfError::PageOutOfRange),
        Answer::Impossible(reason) => Err(PdfError::Impossible(reason)),
        Answer::Panicked(place) => {
            tracing::error!(event = "pdf.panic", place, "a PDF job panicked");
            Err(PdfError::Crashed {
                cause: format!("panic at {place}"),
            })
        }
        _ => Ok(frame),
    }
}

fn unexpected(_answer: Answer) -> PdfError {
    PdfError::Impossible("the worker answered another question".to_owned())
}
