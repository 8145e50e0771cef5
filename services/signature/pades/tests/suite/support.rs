use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use chrono::DateTime;
use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use wathiq_pades::certificate::Certificate;
use wathiq_pades::cms::{self, Algorithm, SignedAttributes};
use wathiq_pades::plan::{FieldPlacement, Mark, MarkAppearance, SealPlan};
use wathiq_pades::software::SoftwareKey;
use wathiq_pades::{Prepared, prepare};

pub(crate) const CAPACITY: usize = 16 * 1024;

/// Where the tools of the Python environment are.
fn python() -> PathBuf {
    match std::env::var_os("WATHIQ_PYTHON") {
        Some(python) => python.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../.local/venv/bin/python"),
    }
}

/// Calls one command of `tools.py`.
pub(crate) fn tool(command: &str, arguments: Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/tools.py");
    let mut call = Command::new(python());
    call.arg(script).arg(command).arg(arguments.to_string());
    let output = call
        .output()
        .expect("the python environment runs (set WATHIQ_PYTHON)");
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the tool answers with json")
}

/// Runs a program that must be installed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// `qpdf --check` without a complaint.
pub(crate) fn assert_qpdf_clean(file: &Path) {
    let output = run("qpdf", &["--check", text(file)]);
    let printed =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !printed.contains("WARNING"),
        "{printed}"
    );
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are unicode")
}

/// The trust service of the tests: one folder of keys and certificates for the whole run.
pub(crate) struct Trust {
    folder: TempDir,
}

pub(crate) fn trust() -> &'static Trust {
    static TRUST: OnceLock<Trust> = OnceLock::new();
    TRUST.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        tool("pki", json!({"folder": text(folder.path())}));
        Trust { folder }
    })
}

impl Trust {
    pub(crate) fn path(&self) -> &str {
        text(self.folder.path())
    }

    pub(crate) fn certificate(&self, name: &str) -> Certificate {
        let der =
            std::fs::read(self.folder.path().join(format!("{name}.crt"))).expect("the certificate exists");
        Certificate::from_der(&der).expect("certomancer writes certificates")
    }

    pub(crate) fn key(&self, name: &str, algorithm: Algorithm) -> SoftwareKey {
        let der = std::fs::read(self.folder.path().join(format!("{name}.key"))).expect("the key exists");
        SoftwareKey::from_pkcs8(&der, algorithm).expect("the key fits")
    }

    /// The signer's certificate and the issuing authority's.
    pub(crate) fn chain(&self, name: &str) -> Vec<Certificate> {
        vec![self.certificate(name), self.certificate("issuing")]
    }

    /// Asks the time-stamping authority.
    pub(crate) fn stamp(&self, request: &[u8], service: &str) -> Vec<u8> {
        let arguments = json!({"folder": self.path(), "request": BASE64.encode(request), "service": service});
        decode(&tool("stamp", arguments)["response"])
    }

    pub(crate) fn validate(&self, file: &Path) -> Vec<Value> {
        let answer = tool("validate", json!({"folder": self.path(), "file": text(file)}));
        answer.as_array().expect("a list of signatures").clone()
    }
}

pub(crate) fn decode(value: &Value) -> Vec<u8> {
    BASE64
        .decode(value.as_str().expect("base64").as_bytes())
        .expect("base64")
}

/// A plan that adds an invisible field and nothing else.
pub(crate) fn plan() -> SealPlan {
    SealPlan {
        mark: None,
        append_pages: None,
        field: FieldPlacement::Invisible {
            name: "Sceau".to_owned(),
        },
        signing_time: DateTime::parse_from_rfc3339("2026-11-22T10:30:00+01:00").expect("a time"),
        reason: Some("Légalisation de signature — تصحيح الإمضاء".to_owned()),
        location: Some("Rabat (Agdal)".to_owned()),
        signer_name: Some("Officier RSA".to_owned()),
        id_seed: [7; 16],
        contents_capacity: CAPACITY,
    }
}

pub(crate) fn strokes() -> MarkAppearance {
    MarkAppearance::Strokes(vec![
        vec![(0.05, 0.5), (0.3, 0.1), (0.5, 0.9), (0.95, 0.4)],
        vec![(0.5, 0.5)],
    ])
}

pub(crate) fn mark() -> Mark {
    Mark {
        page_index: 0,
        rect: [300.0, 100.0, 450.0, 160.0],
        appearance: strokes(),
    }
}

/// Signs a prepared file at level B-B.
pub(crate) fn sign(prepared: &Prepared, name: &str, algorithm: Algorithm) -> Vec<u8> {
    let cms = signature(prepared, name, algorithm);
    cms::finish(
        &prepared.bytes,
        prepared.contents_offset,
        prepared.contents_len,
        &cms,
    )
    .expect("it fits")
}

/// The CMS signature over a prepared file.
pub(crate) fn signature(prepared: &Prepared, name: &str, algorithm: Algorithm) -> Vec<u8> {
    let chain = trust().chain(name);
    let attributes = SignedAttributes::new(&prepared.digest, &chain[0]);
    let value = trust()
        .key(name, algorithm)
        .sign(attributes.der())
        .expect("signing works");
    cms::assemble(&attributes, algorithm, &value, &chain).expect("the signature fits")
}

/// Adds a time-stamp of the test authority over the signature value.
pub(crate) fn stamped(cms: &[u8], value: &[u8]) -> Vec<u8> {
    let imprint: [u8; 32] = Sha256::digest(value).into();
    let response = trust().stamp(&cms::timestamp_request(&imprint, 0x8123_4567_89ab_cdef), "tsa");
    let token =
        cms::parse_timestamp_response(&response, &imprint, 0x8123_4567_89ab_cdef).expect("a good token");
    cms::add_timestamp(cms, &token).expect("one signer")
}

/// Seals at level B-T with the RSA officer.
pub(crate) fn seal(original: &[u8], plan: &SealPlan) -> Vec<u8> {
    let prepared = prepare(original, plan).expect("the file can be prepared");
    let chain = trust().chain("officer-rsa");
    let attributes = SignedAttributes::new(&prepared.digest, &chain[0]);
    let key = trust().key("officer-rsa", Algorithm::RsaPkcs1Sha256);
    let value = key.sign(attributes.der()).expect("signing works");
    let cms = cms::assemble(&attributes, key.algorithm(), &value, &chain).expect("the signature fits");
    let cms = stamped(&cms, &value);
    cms::finish(
        &prepared.bytes,
        prepared.contents_offset,
        prepared.contents_len,
        &cms,
    )
    .expect("it fits")
}

/// A folder with files of one test.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the file can be written");
        path
    }

    /// A file written by reportlab: `plain`, `form` or `rotated`.
    pub(crate) fn reportlab(&self, kind: &str, pages: usize) -> Vec<u8> {
        let path = self.path(&format!("{kind}.pdf"));
        tool(
            "reportlab",
            json!({"target": text(&path), "kind": kind, "pages": pages}),
        );
        std::fs::read(path).expect("reportlab wrote it")
    }

    /// A file rewritten by qpdf with these options.
    pub(crate) fn qpdf(&self, original: &[u8], options: &[&str]) -> Vec<u8> {
        let source = self.write("qpdf-source.pdf", original);
        let target = self.path("qpdf-target.pdf");
        let mut arguments = options.to_vec();
        arguments.extend([text(&source), text(&target)]);
        let output = run("qpdf", &arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::read(target).expect("qpdf wrote it")
    }

    /// A file signed with pyHanko; `options` are those of `sign` in `tools.py`.
    pub(crate) fn signed(&self, original: &[u8], options: Value) -> Vec<u8> {
        let source = self.write("sign-source.pdf", original);
        let target = self.path("sign-target.pdf");
        let mut arguments =
            json!({"folder": trust().path(), "source": text(&source), "target": text(&target)});
        let fields = arguments.as_object_mut().expect("an object");
        fields.extend(options.as_object().expect("an object").clone());
        tool("sign", arguments);
        std::fs::read(target).expect("pyhanko wrote it")
    }
}
