//! Forms that are data are drawn by a process of their own, this program started again: within bounds of time and memory, without a file or an
//! environment. Whatever a form does, the service goes on.

mod limits;

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{ExitCode, Output, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Semaphore;
use wathiq_documents::{Diagnostic, Engine, RenderError, Template};

use super::{Page, QrError, example, render};
use crate::domain::kind::Form;
use crate::store::templates::TemplateVersion;

/// First argument of the process.
pub const SUBCOMMAND: &str = "draw-form";

/// Seconds of processor time; a document of the service's own forms takes a fraction of one.
const CPU_SECONDS: u64 = 4;
/// What the clock may say meanwhile, on a machine that has other work: somebody waits for a trial, nobody for a document.
const TRIAL: Duration = Duration::from_secs(8);
const DOCUMENT: Duration = Duration::from_secs(60);
/// Processes at once.
const AT_ONCE: usize = 2;
/// Stack of the thread that draws, in bytes: forms call themselves.
const STACK: usize = 64 * 1024 * 1024;
/// Exit codes: wrong arguments, and a form that does not draw.
const USAGE: u8 = 64;
const FORM: u8 = 65;
/// Faults told of one form.
const FAULTS: usize = 10;

/// Why a form was not drawn.
#[derive(Debug, thiserror::Error)]
pub enum AsideError {
    /// What is wrong, each with the line of the form.
    #[error("the form does not draw: {}", .0.join("; "))]
    Form(Vec<String>),
    #[error("the form takes more time or memory than a document may")]
    TooCostly,
    #[error("the process that draws forms does not answer")]
    Process(#[from] io::Error),
    #[error("the data of a form cannot be told")]
    Data(#[from] serde_json::Error),
    #[error(transparent)]
    Qr(#[from] QrError),
}

/// Where forms are drawn.
pub struct Aside {
    program: Option<PathBuf>,
    places: Semaphore,
}

#[derive(Serialize, Deserialize)]
struct Job {
    source: String,
    form: Form,
    pages: Vec<Page>,
}

/// A fault in a form.
#[derive(Serialize, Deserialize)]
struct Fault {
    language: String,
    line: Option<usize>,
    /// Typst's words. A form can have it say what is in its data.
    message: String,
}

impl Aside {
    /// By this program (`None`), or by another one that knows [`SUBCOMMAND`].
    pub fn new(program: Option<PathBuf>) -> Self {
        Self {
            program,
            places: Semaphore::new(AT_ONCE),
        }
    }

    /// Draws the form of a version, where it has one, with made-up data in each of its languages.
    ///
    /// # Errors
    /// [`AsideError::Form`] says in which language and line what is wrong.
    pub async fn try_out(&self, version: &TemplateVersion) -> Result<(), AsideError> {
        let Some(source) = &version.source else {
            return Ok(());
        };
        let job = Job {
            source: source.clone(),
            form: version.drawn.form,
            pages: example::pages(version)?,
        };
        let told = |fault: &Fault| {
            let line = fault
                .line
                .map_or_else(String::new, |line| format!("line {line}: "));
            format!("{}: {line}{}", fault.language, fault.message)
        };
        let tried = self.run(&job, TRIAL).await?;
        tried.map_err(|faults| AsideError::Form(faults.iter().map(told).collect()))?;
        Ok(())
    }

    /// Draws a document as PDF/A-2a. Equal input gives equal bytes.
    ///
    /// # Errors
    /// [`AsideError`]; of what is wrong it names the lines alone, so that nobody's data is told.
    pub async fn draw(&self, source: &str, form: Form, page: Page) -> Result<Vec<u8>, AsideError> {
        let job = Job {
            source: source.to_owned(),
            form,
            pages: vec![page],
        };
        let told = |fault: &Fault| {
            fault
                .line
                .map_or_else(|| "no line".to_owned(), |line| format!("line {line}"))
        };
        let drawn = self.run(&job, DOCUMENT).await?;
        drawn.map_err(|faults| AsideError::Form(faults.iter().map(told).collect()))
    }

    async fn run(&self, job: &Job, patience: Duration) -> Result<Result<Vec<u8>, Vec<Fault>>, AsideError> {
        let job = serde_json::to_vec(job)?;
        let Ok(output) = tokio::time::timeout(patience, self.answer(job)).await else {
            return Err(AsideError::TooCostly);
        };
        let output = output?;
        match output.status.code() {
            Some(0) => Ok(Ok(output.stdout)),
            Some(code) if code == i32::from(FORM) => Ok(Err(serde_json::from_slice(&output.stdout)?)),
            Some(code) if code == i32::from(USAGE) => {
                Err(io::Error::other("it does not take its arguments").into())
            }
            // A signal: a limit. Another code: it broke down, which is a limit of the libraries.
            _ => Err(AsideError::TooCostly),
        }
    }

    async fn answer(&self, job: Vec<u8>) -> io::Result<Output> {
        let _place = self.places.acquire().await.map_err(io::Error::other)?;
        // The running program itself, also after an upgrade has replaced the file it was started from.
        let program = self.program.clone();
        let mut child = Command::new(program.unwrap_or_else(|| PathBuf::from("/proc/self/exe")))
            .arg(SUBCOMMAND)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take();
        let telling = async move {
            if let Some(mut input) = input {
                // Whoever ends without having read it says why by its exit code.
                let _ = input.write_all(&job).await;
            }
        };
        tokio::join!(telling, child.wait_with_output()).1
    }
}

/// The process: `civil-registry-order draw-form`. A job comes in by the standard input, a PDF or what is wrong goes out by the standard output.
///
/// This is for the start of `main`, before any runtime or thread exists.
pub fn main() -> ExitCode {
    if limits::set(CPU_SECONDS).is_err() {
        return ExitCode::from(USAGE);
    }
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(serve);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(code))) => code,
        _ => ExitCode::FAILURE,
    }
}

fn serve() -> io::Result<ExitCode> {
    let mut job = Vec::new();
    io::stdin().lock().read_to_end(&mut job)?;
    let Ok(job) = serde_json::from_slice::<Job>(&job) else {
        return Ok(ExitCode::from(USAGE));
    };
    let (answer, code) = match last_page(job) {
        Ok(pdf) => (pdf, ExitCode::SUCCESS),
        Err(faults) => (serde_json::to_vec(&faults)?, ExitCode::from(FORM)),
    };
    let mut output = io::stdout().lock();
    output.write_all(&answer)?;
    output.flush()?;
    Ok(code)
}

/// Draws all pages, and gives the last.
fn last_page(job: Job) -> Result<Vec<u8>, Vec<Fault>> {
    let engine = Engine::new();
    let template = Template::new("form.typ", job.source);
    let mut last = Vec::new();
    for page in job.pages {
        let language = page.data["language"].as_str().unwrap_or_default().to_owned();
        last = render(&engine, &template, job.form, page).map_err(|error| faults(&language, error))?;
    }
    Ok(last)
}

fn faults(language: &str, error: RenderError) -> Vec<Fault> {
    let fault = |line, message| Fault {
        language: language.to_owned(),
        line,
        message,
    };
    match error {
        RenderError::Compile { diagnostics, .. } | RenderError::Export { diagnostics, .. } => {
            let told = |found: Diagnostic| fault(found.line, found.message);
            diagnostics.into_iter().take(FAULTS).map(told).collect()
        }
        error => vec![fault(None, error.to_string())],
    }
}
