//! Files that others append to, and what pyHanko says of them.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use wathiq_pades::cms::Algorithm;
use wathiq_pades::prepare;
use wathiq_pades::syntax::{Document, ObjectId};
use wathiq_pades::verify::{LaterChanges, SignatureReport, verify};

use crate::build::Builder;
use crate::support::{Desk, plan, sign, text};
use crate::verify::known;

pub(crate) const GOOD: &str = "I owe 100 dirhams";
pub(crate) const EVIL: &str = "I owe 900000 dirhams";

pub(crate) const PAGE: &str = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] \
     /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>";

/// Calls one command of `judge.py`.
pub(crate) fn ask(command: &str, arguments: Value) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("WATHIQ_PYTHON").map_or_else(
        || folder.join("../../../.local/venv/bin/python"),
        std::path::PathBuf::from,
    );
    let output = Command::new(python)
        .arg(folder.join("tests/suite/judge.py"))
        .arg(command)
        .arg(arguments.to_string())
        .output()
        .expect("the python environment runs (set WATHIQ_PYTHON)");
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the tool answers with json")
}

/// pyHanko's level for what came after the first signature.
pub(crate) fn pyhanko(file: &[u8]) -> String {
    let desk = Desk::new();
    let path = desk.write("judged.pdf", file);
    let answer = ask("difference", json!({"file": text(&path)}));
    let docmdp = answer["docmdp_ok"] != json!(false);
    let level = answer["level"].as_str().expect("a level").to_owned();
    if docmdp || level == "OTHER" || level == "REFUSED" {
        level
    } else {
        format!("{level} FORBIDDEN")
    }
}

/// What we say of the first signature.
pub(crate) fn first(file: &[u8]) -> SignatureReport {
    let reports = verify(file, &known()).expect("it can be read");
    let closing = |report: &SignatureReport| report.revision_length > 0;
    reports.into_iter().find(closing).expect("a signature")
}

/// A content stream that shows a line.
pub(crate) fn line(words: &str) -> Vec<u8> {
    format!("BT /F1 24 Tf 72 700 Td ({words}) Tj ET").into_bytes()
}

/// A stream object's body.
pub(crate) fn stream(entries: &str, data: &[u8]) -> String {
    let data = String::from_utf8_lossy(data);
    format!(
        "<< {entries} /Length {} >>\nstream\n{data}\nendstream",
        data.len()
    )
}

/// A form XObject that paints the whole page over and writes something else.
pub(crate) fn cover() -> String {
    let mut content = b"1 g 0 0 595 842 re f 0 g ".to_vec();
    content.extend(line(EVIL));
    let entries = "/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >>";
    stream(entries, &content)
}

/// One page with one sentence.
pub(crate) fn contract() -> Builder {
    Builder::new()
        .object(3, PAGE)
        .object(4, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
        .stream(5, "", &line(GOOD))
}

/// A file signed by us, level B-B.
pub(crate) struct Signed {
    pub(crate) file: Vec<u8>,
    /// The first free object number.
    pub(crate) next: u32,
}

impl Signed {
    pub(crate) fn new(original: &[u8]) -> Self {
        let prepared = prepare(original, &plan()).expect("it can be prepared");
        Self::of(sign(&prepared, "officer-p256", Algorithm::EcdsaP256Sha256))
    }

    pub(crate) fn of(file: Vec<u8>) -> Self {
        let next = Document::open(&file).expect("it can be read").next_number();
        Self { file, next }
    }

    /// The value of an object as written.
    pub(crate) fn body(&self, number: u32) -> String {
        let document = Document::open(&self.file).expect("it can be read");
        let id = ObjectId {
            number,
            generation: 0,
        };
        let loaded = document.object(id).expect("it can be read").expect("it is there");
        String::from_utf8_lossy(loaded.value.raw).into_owned()
    }

    /// Number of the form our field is in.
    pub(crate) fn form(&self) -> u32 {
        let document = Document::open(&self.file).expect("it can be read");
        let catalogue = document.catalogue().expect("a catalogue");
        let form = catalogue.value.dictionary().and_then(|c| c.get(b"AcroForm"));
        form.and_then(wathiq_pades::syntax::Value::reference)
            .expect("a form of its own")
            .number
    }

    /// The form with one more field.
    pub(crate) fn form_with(&self, field: u32) -> (u32, String) {
        let form = self.form();
        let grown = self
            .body(form)
            .replacen("/Fields [", &format!("/Fields [{field} 0 R "), 1);
        let (head, rest) = grown.split_once("/Fields [").expect("fields");
        let (fields, tail) = rest.split_once(']').expect("fields");
        let own = fields.trim_start_matches(&format!("{field} 0 R "));
        (form, format!("{head}/Fields [{own} {field} 0 R]{tail}"))
    }

    /// The page with one more annotation.
    pub(crate) fn page_with(&self, widget: u32) -> String {
        let page = self.body(3);
        let (head, rest) = page.split_once("/Annots [").expect("our widget");
        let (own, tail) = rest.split_once(']').expect("our widget");
        format!("{head}/Annots [{own} {widget} 0 R]{tail}")
    }

    /// An incremental update as anybody can write it.
    pub(crate) fn append(&self, objects: &[(u32, &str)], trailer: &str) -> Vec<u8> {
        let document = Document::open(&self.file).expect("it can be read");
        let mut bytes = self.file.clone();
        let mut table = String::from("xref\n");
        for (number, body) in objects {
            table.push_str(&format!("{number} 1\n{:010} 00000 n \n", bytes.len()));
            bytes.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
        }
        let size = objects
            .iter()
            .map(|(number, _)| number + 1)
            .chain([self.next])
            .max();
        let end = format!(
            "trailer\n<< /Size {} /Root 1 0 R {trailer} /Prev {} >>\nstartxref\n{}\n%%EOF\n",
            size.expect("a size"),
            document.startxref(),
            bytes.len()
        );
        bytes.extend_from_slice(table.as_bytes());
        bytes.extend_from_slice(end.as_bytes());
        bytes
    }
}

/// What is said of later changes, in a word.
pub(crate) fn word(later: &LaterChanges) -> &'static str {
    match later {
        LaterChanges::None => "none",
        LaterChanges::Harmless { .. } => "harmless",
        LaterChanges::Visible { .. } => "visible",
        LaterChanges::Other { .. } => "other",
    }
}

/// Both opinions, ours and pyHanko's.
#[track_caller]
pub(crate) fn assert_judged(file: &[u8], ours: &str, theirs: &str) {
    let report = first(file);
    assert_eq!(
        (word(&report.later), pyhanko(file).as_str()),
        (ours, theirs),
        "{:?}",
        report.later
    );
    assert_eq!(report.sub_indication.is_some(), ours == "other", "{report:?}");
    assert!(report.revision_length < file.len() as u64);
}
