//! The child's side: limits first, then jobs until the pipe closes.

mod inspect;
mod limits;
mod prepare;
mod render;
mod verify;

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use super::job::{Answer, Job};
use super::protocol::{self, Frame, FrameError};
pub(super) use verify::file_verdict;

/// First argument of the child.
pub const SUBCOMMAND: &str = "pdf-worker";

/// Stack of the thread that works, in bytes: nested forms recurse.
const STACK: usize = 64 * 1024 * 1024;
/// Exit code for wrong arguments, as for bad configuration.
const USAGE: u8 = 64;

/// Where our code panicked last; a panic's message could quote the file, so only the place is kept.
static PANICKED_AT: Mutex<String> = Mutex::new(String::new());

/// Runs the worker: `signature pdf-worker <memory in MiB> <CPU seconds per job>`. Returns when the service closes the pipe.
///
/// This is for the start of `main`, before any runtime or thread exists.
pub fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args()
        .skip(2)
        .filter_map(|argument| argument.parse().ok())
        .collect();
    let [memory_mib, cpu_seconds] = numbers[..] else {
        return ExitCode::from(USAGE);
    };
    if limits::set(memory_mib, cpu_seconds).is_err() {
        return ExitCode::from(USAGE);
    }
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        *PANICKED_AT.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || serve(&mut io::stdin().lock(), &mut io::stdout().lock(), cpu_seconds));
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn serve(input: &mut impl Read, output: &mut impl Write, cpu_seconds: u64) -> Result<(), FrameError> {
    while let Some(frame) = protocol::read_frame::<Job>(input)? {
        limits::allow_cpu(cpu_seconds)?;
        let (answer, blob) = catch_unwind(AssertUnwindSafe(|| run(frame))).unwrap_or_else(|_| {
            let place = PANICKED_AT.lock().unwrap_or_else(PoisonError::into_inner).clone();
            (Answer::Panicked(place), None)
        });
        let blobs: Vec<&[u8]> = blob.iter().map(Vec::as_slice).collect();
        protocol::write_frame(output, &answer, &blobs)?;
    }
    Ok(())
}

fn run(frame: Frame<Job>) -> (Answer, Option<Vec<u8>>) {
    let mut blobs = frame.blobs.into_iter();
    if let Job::PreparePage(recipe) = frame.body {
        return prepare::page(&recipe);
    }
    let Some(file) = blobs.next() else {
        return (
            Answer::Impossible("the job comes without its file".to_owned()),
            None,
        );
    };
    match frame.body {
        Job::Inspect => (inspect::inspect(&file), None),
        Job::Render(job) => render::render(file, &job),
        Job::Prepare(recipe) => prepare::document(&file, &recipe),
        Job::Deposit(recipe) => prepare::deposit(&file, &recipe),
        Job::PreparePage(_) => unreachable!("handled above"),
        Job::Verify(job) => (verify::verify(&file, &job, blobs.collect()), None),
    }
}
