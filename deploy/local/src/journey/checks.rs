//! The sealed file in the hands of tools that are not ours.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::layout::Layout;

/// Has a sealed file judged by pyHanko, pdfsig and qpdf. Answers one line a tool.
///
/// # Errors
/// When a tool is not content, with what it said.
pub async fn judge(layout: &Layout, file: &Path, root_certificate: &Path) -> Result<Vec<String>> {
    let pyhanko = pyhanko(layout, file, root_certificate).await?;
    let pdfsig = pdfsig(file, root_certificate).await?;
    let qpdf = qpdf(file).await?;
    Ok(vec![pyhanko, pdfsig, qpdf])
}

async fn pyhanko(layout: &Layout, file: &Path, root_certificate: &Path) -> Result<String> {
    // Its exit code speaks of all signatures, and a contract may carry others that nobody here trusts.
    let (_, output) = run(Command::new(layout.python_program("pyhanko"))
        .args(["sign", "validate", "--no-strict-syntax", "--trust"])
        .arg(root_certificate)
        .arg(file))
    .await?;
    // One line a signature; the newest one is ours.
    let verdict = output
        .lines()
        .rfind(|line| line.contains("INTACT"))
        .unwrap_or_default();
    for word in ["INTACT:TRUSTED", "TIMESTAMP_TOKEN<INTACT:TRUSTED>"] {
        if !verdict.contains(word) {
            bail!("pyHanko does not say {word}:\n{output}");
        }
    }
    Ok(format!("pyHanko  {}", verdict.trim()))
}

async fn pdfsig(file: &Path, root_certificate: &Path) -> Result<String> {
    let database = tempfile::tempdir()?;
    let directory = format!("sql:{}", database.path().display());
    succeed(Command::new("certutil").args(["-N", "--empty-password", "-d", &directory])).await?;
    let trusted = ["-A", "-n", "root", "-t", "CT,C,C", "-d", &directory, "-i"];
    succeed(Command::new("certutil").args(trusted).arg(root_certificate)).await?;
    let (_, output) = run(Command::new("pdfsig")
        .arg("-no-ocsp")
        .arg("-nssdir")
        .arg(&directory)
        .arg(file))
    .await?;
    // One paragraph a signature, in the order of the fields; only the newest one, which is ours, covers the whole file.
    let ours = output
        .split("Signature #")
        .find(|paragraph| paragraph.contains("- Total document signed"))
        .unwrap_or_default();
    for sentence in ["Signature is Valid.", "Certificate is Trusted."] {
        if !ours.contains(sentence) {
            bail!("pdfsig does not say \"{sentence}\":\n{output}");
        }
    }
    Ok("pdfsig   Signature is Valid, Certificate is Trusted".into())
}

async fn qpdf(file: &Path) -> Result<String> {
    let output = succeed(Command::new("qpdf").arg("--check").arg(file)).await?;
    if !output.contains("No syntax or stream encoding errors found") {
        bail!("qpdf is not content:\n{output}");
    }
    Ok("qpdf     no syntax or stream encoding errors".into())
}

async fn succeed(command: &mut Command) -> Result<String> {
    let (success, text) = run(command).await?;
    if !success {
        bail!("{} failed:\n{text}", command.as_std().get_program().display());
    }
    Ok(text)
}

async fn run(command: &mut Command) -> Result<(bool, String)> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {name}: make install puts it in place"))?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok((output.status.success(), text))
}
