//! A PAdES B-B signature on a file of 57 KB: against the bare operations it cannot do without, and against pyHanko.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use chrono::DateTime;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest, Sha256};
use wathiq_pades::certificate::Certificate;
use wathiq_pades::cms::{Algorithm, SignedAttributes, assemble, finish};
use wathiq_pades::plan::{FieldPlacement, SealPlan};
use wathiq_pades::software::SoftwareKey;

use super::Figure;

/// Every side runs at least this long.
const LONG_ENOUGH: Duration = Duration::from_secs(3);
/// pyHanko's signatures a run: a few seconds.
const PYHANKO_ROUNDS: u32 = 60;

struct Signer {
    name: &'static str,
    pem: String,
    key: SoftwareKey,
    certificate: Certificate,
    certificate_pem: String,
    /// Ratios not to exceed: against the bare operations, against pyHanko.
    goals: (f64, f64),
}

pub(super) fn measure(root: &Path) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let (python, script) = programs(root);
    let file = folder.path().join("document.pdf");
    run(Command::new(&python).arg(&script).arg("document").arg(&file))?;
    let document = std::fs::read(&file)?;
    ensure!(
        (50_000..64_000).contains(&document.len()),
        "the document has {} bytes instead of 57 KB",
        document.len()
    );
    let mut figures = Vec::new();
    for signer in [rsa()?, p256()?] {
        let ours = cpu_seconds_each(|| sign(&signer, &document).map(|_| ()))?;
        let attributes = SignedAttributes::new(&[0; 32], &signer.certificate);
        let bare = cpu_seconds_each(|| {
            std::hint::black_box(Sha256::digest(&document));
            std::hint::black_box(signer.key.sign(attributes.der())?);
            Ok(())
        })?;
        figures.push(Figure::against(
            &format!("PAdES B-B, 57 KB, {}: CPU", signer.name),
            ours * 1e3,
            bare * 1e3,
            "aws-lc signature and SHA-256 of the file",
            "ms",
            signer.goals.0,
        ));
        let reference = pyhanko(&python, &script, folder.path(), &file, &signer, PYHANKO_ROUNDS)?;
        figures.push(Figure::against(
            &format!("PAdES B-B, 57 KB, {}: against pyHanko", signer.name),
            ours * 1e3,
            reference * 1e3,
            "pyHanko with its key loaded once, CPU",
            "ms",
            signer.goals.1,
        ));
    }
    Ok(figures)
}

fn programs(root: &Path) -> (PathBuf, PathBuf) {
    (
        root.join(".local/venv/bin/python"),
        root.join("deploy/local/bench/signing.py"),
    )
}

fn rsa() -> Result<Signer> {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072)?;
    signer("RSA-3072", &pair, Algorithm::RsaPkcs1Sha256, (1.3, 1.0 / 12.0))
}

fn p256() -> Result<Signer> {
    signer(
        "P-256",
        &KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        Algorithm::EcdsaP256Sha256,
        (4.0, 1.0 / 12.0),
    )
}

fn signer(name: &'static str, pair: &KeyPair, algorithm: Algorithm, goals: (f64, f64)) -> Result<Signer> {
    let mut parameters = CertificateParams::new(Vec::<String>::new())?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Measured signer");
    let certificate = parameters.self_signed(pair)?;
    Ok(Signer {
        name,
        pem: pair.serialize_pem(),
        key: SoftwareKey::from_pkcs8(pair.serialized_der(), algorithm)?,
        certificate: Certificate::from_der(certificate.der())?,
        certificate_pem: certificate.pem(),
        goals,
    })
}

/// Everything from the bytes of the file to the bytes of the signed file.
fn sign(signer: &Signer, document: &[u8]) -> Result<Vec<u8>> {
    let plan = SealPlan {
        mark: None,
        append_pages: None,
        field: FieldPlacement::Invisible {
            name: "Measured".into(),
        },
        signing_time: DateTime::from_timestamp(1_790_000_000, 0)
            .context("a fixed instant")?
            .fixed_offset(),
        reason: None,
        location: None,
        signer_name: None,
        id_seed: [7; 16],
        contents_capacity: 16 * 1024,
    };
    let prepared = wathiq_pades::prepare(document, &plan)?;
    let attributes = SignedAttributes::new(&prepared.digest, &signer.certificate);
    let value = signer.key.sign(attributes.der())?;
    let cms = assemble(
        &attributes,
        signer.key.algorithm(),
        &value,
        std::slice::from_ref(&signer.certificate),
    )?;
    Ok(finish(
        &prepared.bytes,
        prepared.contents_offset,
        prepared.contents_len,
        &cms,
    )?)
}

/// CPU seconds of this process for one call, over enough calls.
fn cpu_seconds_each(mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    for _ in 0..5 {
        call()?;
    }
    let start = cpu_time();
    let mut calls = 0u32;
    while cpu_time() - start < LONG_ENOUGH {
        call()?;
        calls += 1;
    }
    Ok((cpu_time() - start).as_secs_f64() / f64::from(calls))
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// CPU seconds of pyHanko for one signature; it checks itself that what it signs is signed.
fn pyhanko(
    python: &Path,
    script: &Path,
    folder: &Path,
    file: &Path,
    signer: &Signer,
    rounds: u32,
) -> Result<f64> {
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    std::fs::write(&key, &signer.pem)?;
    std::fs::write(&certificate, &signer.certificate_pem)?;
    let mut command = Command::new(python);
    command
        .arg(script)
        .arg("sign")
        .args([file, &key, &certificate])
        .arg(rounds.to_string());
    run(&mut command)?
        .trim()
        .parse()
        .context("pyHanko's side answers no number")
}

fn run(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_sign_the_measured_document() {
        let folder = tempfile::tempdir().unwrap();
        let (python, script) = programs(&crate::layout::find_root().unwrap());
        let file = folder.path().join("document.pdf");
        run(Command::new(&python).arg(&script).arg("document").arg(&file)).unwrap();
        let document = std::fs::read(&file).unwrap();
        for signer in [rsa().unwrap(), p256().unwrap()] {
            let signed = sign(&signer, &document).unwrap();
            assert!(signed.starts_with(&document), "{}", signer.name);
            let seconds = pyhanko(&python, &script, folder.path(), &file, &signer, 1).unwrap();
            assert!(seconds > 0.0, "{}", signer.name);
        }
    }
}
