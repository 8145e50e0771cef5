//! Judges that are not ours: pyHanko, pdfsig, qpdf and pdftotext. A tool that is missing fails the test.

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::harness::Stack;

/// SHA-256 as the messages carry it.
pub(crate) fn sha256(file: &[u8]) -> Vec<u8> {
    Sha256::digest(file).to_vec()
}

/// The file is whole, its last signature valid and trusted with a trusted time-stamp.
pub(crate) async fn check_sealed(file: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sealed.pdf");
    std::fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();

    let qpdf = run("qpdf", &["--check", path]).await;
    assert!(
        qpdf.contains("No syntax or stream encoding errors found"),
        "{qpdf}"
    );
    let pdfsig = run("pdfsig", &["-nocert", path]).await;
    assert!(pdfsig.contains("Signature is Valid"), "{pdfsig}");
    assert!(
        !pdfsig.contains("Signature is Invalid") && !pdfsig.contains("Digest Mismatch"),
        "{pdfsig}"
    );
    let root = Stack::get().text("/trust/root");
    let pyhanko = pyhanko().to_string_lossy().into_owned();
    let verdict = run(
        &pyhanko,
        &[
            "sign",
            "validate",
            "--pretty-print",
            "--trust",
            root,
            "--trust-replace",
            path,
        ],
    )
    .await;
    assert!(verdict.contains("The signature is judged VALID"), "{verdict}");
    assert!(verdict.contains("The TSA certificate is trusted"), "{verdict}");
    assert!(!verdict.contains("judged INVALID"), "{verdict}");
}

/// The text of a file in reading order.
pub(crate) async fn text_of(file: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.pdf");
    std::fs::write(&path, file).unwrap();
    run("pdftotext", &[path.to_str().unwrap(), "-"]).await
}

/// Runs a Python script of a few lines with pyHanko at hand.
pub(crate) async fn python(script: &str, arguments: &[&str]) -> String {
    let python = pyhanko().with_file_name("python").to_string_lossy().into_owned();
    let mut all = vec!["-c", script];
    all.extend(arguments);
    run(&python, &all).await
}

fn pyhanko() -> PathBuf {
    match std::env::var_os("WATHIQ_PYTHON") {
        Some(python) => PathBuf::from(python).with_file_name("pyhanko"),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../.local/venv/bin/pyhanko"),
    }
}

async fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await;
    let output = output.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The file after a Python script has changed it in place; the script gets its path and the time-stamp authority's address.
pub(crate) async fn edited(file: &[u8], script: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.pdf");
    std::fs::write(&path, file).unwrap();
    let said = python(
        script,
        &[path.to_str().unwrap(), Stack::get().text("/trust/tsa_url")],
    )
    .await;
    let edited = std::fs::read(&path).unwrap();
    assert_ne!(edited, file, "the script changes the file: {said}");
    edited
}
