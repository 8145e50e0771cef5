//! The tools that judge a page: poppler's `pdfinfo`, `pdftotext` and `pdftoppm`, `zbarimg`, and veraPDF.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A PDF written to a folder of its own.
pub(crate) struct Rendered {
    folder: TempDir,
}

/// A word on the page; coordinates in points from the top left corner.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Rendered {
    pub(crate) fn new(pdf: &[u8]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("page.pdf"), pdf).expect("the folder is writable");
        Self { folder }
    }

    fn pdf(&self) -> PathBuf {
        self.folder.path().join("page.pdf")
    }

    pub(crate) fn info(&self) -> String {
        run("pdfinfo", &[&self.pdf()], &[])
    }

    /// The text with every run of white space as one space, so that line ends do not matter.
    pub(crate) fn text(&self) -> String {
        let text = run("pdftotext", &[&self.pdf(), Path::new("-")], &["-raw"]);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn all_words(&self) -> Vec<Word> {
        let page = run("pdftotext", &[&self.pdf(), Path::new("-")], &["-bbox"]);
        page.lines().filter_map(parse_word).collect()
    }

    pub(crate) fn words(&self, text: &str) -> Vec<Word> {
        self.all_words()
            .into_iter()
            .filter(|word| word.text.contains(text))
            .collect()
    }

    /// The first word that contains `text`.
    #[track_caller]
    pub(crate) fn word(&self, text: &str) -> Word {
        self.words(text)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no word {text:?} on the page"))
    }

    pub(crate) fn width(&self) -> f64 {
        595.276
    }

    pub(crate) fn read_qr(&self, dots_per_inch: u32) -> String {
        let image = self.folder.path().join("page");
        let resolution = dots_per_inch.to_string();
        run(
            "pdftoppm",
            &[&self.pdf(), &image],
            &["-r", &resolution, "-gray", "-singlefile"],
        );
        run(
            "zbarimg",
            &[&image.with_extension("pgm")],
            &["--quiet", "--raw", "--nodbus"],
        )
        .trim_end()
        .to_owned()
    }
}

/// All of them are PDF/A-2a. A process judges them together: it takes seconds to start.
#[track_caller]
pub(crate) fn assert_archival(files: &[Rendered]) {
    let files: Vec<PathBuf> = files.iter().map(Rendered::pdf).collect();
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let verapdf = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/verapdf.sh");
    let report = run(
        verapdf,
        &paths,
        &["--format", "text", "--verbose", "--flavour", "2a"],
    );
    let passed = report.lines().filter(|line| line.starts_with("PASS ")).count();
    assert_eq!(passed, files.len(), "{report}");
}

/// An Arabic word as `pdftotext -bbox` writes it: letters in the order in which they are drawn from the left.
pub(crate) fn drawn(word: &str) -> String {
    word.chars().rev().collect()
}

/// Reads `<word xMin="1" yMin="2" xMax="3" yMax="4">text</word>`.
fn parse_word(line: &str) -> Option<Word> {
    let (attributes, rest) = line.trim().strip_prefix("<word ")?.split_once('>')?;
    let number = |name: &str| {
        let value = attributes
            .split(' ')
            .find_map(|attribute| attribute.strip_prefix(name))?;
        value.trim_matches(['=', '"']).parse().ok()
    };
    let text = rest.strip_suffix("</word>")?.to_owned();
    Some(Word {
        text,
        left: number("xMin")?,
        right: number("xMax")?,
        bottom: number("yMax")?,
    })
}

#[track_caller]
fn run(program: &str, paths: &[&Path], options: &[&str]) -> String {
    let output = Command::new(program)
        .args(options)
        .args(paths)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
    assert!(
        output.status.success(),
        "{program}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("the tools write UTF-8")
}

/// Runs one test of this binary again in a process with at most `kibibytes` of address space.
#[track_caller]
pub(crate) fn child_with_address_space(kibibytes: u32, test: &str) {
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ulimit -v {kibibytes} && exec \"$0\" --exact {test} --test-threads 1"
        ))
        .arg(std::env::current_exe().expect("the test knows its own path"))
        .output()
        .expect("a shell is there");
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{report}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(report.contains("1 passed"), "{report}");
}
