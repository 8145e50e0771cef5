//! Files nobody would write: the library answers, and never panics or hangs.

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wathiq_pades::intake::{Limits, inspect};
use wathiq_pades::verify::{TrustContext, verify};
use wathiq_pades::{PrepareError, prepare};

use crate::build::Builder;
use crate::support::{Desk, mark, plan, seal};

/// One change to a file.
#[derive(Debug, Clone)]
enum Change {
    Byte(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    /// Copies a piece of the file over another place.
    Copy(usize, usize, usize),
}

const PIECES: [&str; 14] = [
    "<<",
    ">>",
    "[",
    "]",
    "(",
    ")",
    " 1 0 R",
    "stream\n",
    "endobj",
    "/Prev 0",
    "/Kids [2 0 R]",
    "-9999999999",
    "99999",
    "/Length 1 0 R",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        any::<usize>().prop_map(Change::Cut),
        (any::<usize>(), prop::sample::select(PIECES.to_vec()))
            .prop_map(|(at, piece)| Change::Insert(at, piece.as_bytes().to_vec())),
        (any::<usize>(), 1..64usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<usize>(), any::<usize>(), 1..64usize)
            .prop_map(|(from, to, length)| Change::Copy(from, to, length)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let length = bytes.len();
    if length < 128 {
        return;
    }
    match change {
        Change::Byte(at, byte) => bytes[at % length] = *byte,
        Change::Cut(at) => bytes.truncate(at % length),
        Change::Insert(at, piece) => {
            let at = at % length;
            bytes.splice(at..at, piece.iter().copied());
        }
        Change::Remove(at, count) => {
            let at = at % (length - 64);
            bytes.drain(at..at + count);
        }
        Change::Copy(from, to, count) => {
            let (from, to) = (from % (length - 64), to % (length - 64));
            bytes.copy_within(from..from + count, to);
        }
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let desk = Desk::new();
    let form = desk.reportlab("form", 2);
    let streams = desk.qpdf(&form, &["--object-streams=generate"]);
    let sealed = seal(&streams, &plan());
    vec![Builder::new().finish(), form, streams, sealed]
}

#[test]
fn mutated_files_are_answered() {
    let corpus = corpus();
    let context = TrustContext {
        anchors: vec![crate::support::trust().certificate("root")],
        certificates: Vec::new(),
        revocation: Vec::new(),
        at: chrono::DateTime::UNIX_EPOCH,
        max_age: chrono::TimeDelta::zero(),
    };
    let mut plan = plan();
    plan.mark = Some(mark());
    let slowest = OnceCell::new();
    let strategy = (0..corpus.len(), prop::collection::vec(change(), 1..6));
    let mut runner = TestRunner::new(Config {
        cases: 600,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&strategy, |(index, changes)| {
        let mut bytes = corpus[index].clone();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        let started = Instant::now();
        let first = inspect(&bytes, &Limits::default());
        prop_assert_eq!(&first, &inspect(&bytes, &Limits::default()));
        let _ = prepare(&bytes, &plan);
        let _ = verify(&bytes, &context);
        if started.elapsed() > Duration::from_secs(20) {
            let _ = slowest.set(changes.clone());
        }
        Ok(())
    });
    outcome.expect("no file makes the library panic");
    assert!(slowest.get().is_none(), "{slowest:?} takes long");
}

/// What is accepted can be prepared, and the result is accepted again.
#[test]
fn accepted_files_can_be_sealed() {
    for original in corpus().into_iter().take(3) {
        let accepted = inspect(&original, &Limits::default()).expect("it is plain");
        let prepared = prepare(&original, &plan()).expect("it can be prepared");
        let again =
            inspect(&prepared.bytes, &Limits::default()).expect("the seal adds nothing that is refused");
        assert_eq!(accepted.pages, again.pages);
    }
}

/// Page content of which no token ends, or that closes what was never opened: it is read once, not once for each byte, and what is
/// written around it is little.
#[test]
fn work_on_content_is_bounded() {
    let pieces = ["<x", "1.1", "BI ID "].map(|piece| (piece, true));
    let unbalanced = ["(", "[", "/A <<", "q ", "Q "].map(|piece| (piece, false));
    for (piece, accepted) in pieces.into_iter().chain(unbalanced) {
        let content = piece.repeat(600_000 / piece.len());
        let file = Builder::new()
            .object(
                3,
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
            )
            .stream(4, "", content.as_bytes())
            .finish();
        inspect(&file, &Limits::default()).expect("content is not judged");
        let mut plan = plan();
        plan.mark = Some(mark());
        let started = Instant::now();
        match prepare(&file, &plan) {
            Ok(prepared) => assert!(
                accepted && prepared.bytes.len() < file.len() + 200_000,
                "{piece:?}"
            ),
            Err(error) => assert!(
                !accepted && error == PrepareError::Unbalanced,
                "{piece:?}: {error}"
            ),
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{piece:?}");
    }
}

/// Many references to one large object: work grows with the references, not with their product.
#[test]
fn work_is_bounded() {
    let large = format!("({})", "0".repeat(400_000));
    let many = "<< /S 5 0 R >> ".repeat(20_000);
    let file = Builder::new()
        .object(4, &format!("[{many}]"))
        .object(5, &large)
        .finish();
    let started = Instant::now();
    let refusal = inspect(&file, &Limits::default()).expect_err("it asks for too much");
    assert_eq!(refusal.reason.code(), "TOO_COMPLEX");
    assert!(started.elapsed() < Duration::from_secs(60));
}
