//! The sealed file in the hands of tools that are not ours.

use std::path::{Path, PathBuf};
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
    let folder = tempfile::tempdir()?;
    let directory = format!("sql:{}", folder.path().display());
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
    let signatures: Vec<&str> = output.split("Signature #").skip(1).collect();
    let index = signatures
        .iter()
        .position(|paragraph| paragraph.contains("- Total document signed"))
        .with_context(|| format!("pdfsig sees no signature of the whole document:\n{output}"))?;
    let (earlier, ours) = (&signatures[..index], signatures[index]);
    if !ours.contains("Signature is Valid.") {
        bail!("pdfsig does not say \"Signature is Valid.\":\n{output}");
    }
    if ours.contains("Certificate is Trusted.") {
        return Ok("pdfsig   Signature is Valid, Certificate is Trusted".into());
    }
    // Where one certificate signed twice, poppler (22.12 at least) says "Unknown issue" of its second use, whoever made the
    // signatures: NSS fails there with SEC_ERROR_REUSED_ISSUER_AND_SERIAL, as poppler has not let go of the first use. That
    // says nothing of the certificate, so NSS judges it apart, in a process that has not seen it yet.
    let known = signer(ours).is_some_and(|name| earlier.iter().any(|other| signer(other) == Some(name)));
    if !known || !ours.contains("Unknown issue with Certificate") {
        bail!("pdfsig does not say \"Certificate is Trusted.\":\n{output}");
    }
    let chain = chain(file, index, folder.path()).await?;
    vfychain(&directory, &chain).await?;
    Ok(
        "pdfsig   Signature is Valid; vfychain of NSS, as the same certificate signed before: Chain is good"
            .into(),
    )
}

/// Whose certificate a paragraph of pdfsig speaks of.
fn signer(paragraph: &str) -> Option<&str> {
    paragraph
        .lines()
        .find(|line| line.contains("Signer full Distinguished Name:"))
}

/// The certificates in the signature at `index`, the signer's first, each in a file of its own.
async fn chain(file: &Path, index: usize, folder: &Path) -> Result<Vec<PathBuf>> {
    let file = file.canonicalize()?;
    succeed(Command::new("pdfsig").arg("-dump").arg(&file).current_dir(folder)).await?;
    let name = file.file_name().context("a file has no name")?;
    let cms = folder.join(format!("{}.sig{index}", name.to_string_lossy()));
    let (leaf, all) = (folder.join("signer.pem"), folder.join("all.pem"));
    // The signer's certificate is the one whose key made the signature over the signed attributes. That these name the file's
    // digest, pdfsig has said.
    succeed(
        Command::new("openssl")
            .args([
                "cms",
                "-verify",
                "-noverify",
                "-no_content_verify",
                "-inform",
                "DER",
                "-in",
            ])
            .arg(&cms)
            .args(["-content", "/dev/null", "-out", "/dev/null", "-signer"])
            .arg(&leaf)
            .arg("-certsout")
            .arg(&all),
    )
    .await?;
    let mut chain = vec![leaf];
    let pem = std::fs::read_to_string(all)?;
    for (number, certificate) in pem.split_inclusive("-----END CERTIFICATE-----").enumerate() {
        if certificate.contains("-----BEGIN CERTIFICATE-----") {
            let one = folder.join(format!("{number}.pem"));
            std::fs::write(&one, format!("{}\n", certificate.trim()))?;
            chain.push(one);
        }
    }
    Ok(chain)
}

/// The judgement that pdfsig asks of NSS too: this chain, for the signer of an e-mail, by the same database.
async fn vfychain(directory: &str, chain: &[PathBuf]) -> Result<()> {
    let mut command = Command::new("vfychain");
    command.args(["-d", directory, "-pp", "-u", "4"]);
    for certificate in chain {
        command.arg("-a").arg(certificate);
    }
    let text = succeed(&mut command).await?;
    if !text.contains("Chain is good!") {
        bail!("vfychain is not content:\n{text}");
    }
    Ok(())
}

/// Has documents that we compose judged by veraPDF: PDF/A-2a, as each of them claims. Answers one line a file.
///
/// # Errors
/// When veraPDF is not content with one, with the rules that it breaks.
pub async fn verapdf(layout: &Layout, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut command = Command::new(layout.root.join("deploy/verapdf.sh"));
    command
        .args(["--format", "text", "--verbose", "--flavour", "2a"])
        .args(files);
    let (_, output) = run(&mut command).await?;
    let mut lines = Vec::new();
    for file in files {
        let passed = output
            .lines()
            .any(|line| line.starts_with("PASS ") && line.contains(&*file.to_string_lossy()));
        if !passed {
            bail!("veraPDF does not pass {}:\n{output}", file.display());
        }
        let name = file.file_name().context("a file has no name")?;
        lines.push(format!("veraPDF  {} is PDF/A-2a", name.to_string_lossy()));
    }
    Ok(lines)
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
