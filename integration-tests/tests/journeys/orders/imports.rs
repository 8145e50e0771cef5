//! Acts loaded in bulk: what is wrong with a row is said, and an import that is cut off goes on.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use wathiq_local::journey::office::ANNEXE;
use wathiq_local::layout::{Layout, find_root};
use wathiq_local::wait;

use super::BOUND;
use crate::bad_input::count;
use crate::stage::Stage;

const ACTS: usize = 20_000;
/// Lines that are no act, counted from one.
const BROKEN: [usize; 3] = [7, 9_000, 19_999];

/// The file's acts of this office; nobody else's are there.
const TAKEN: &str = "SELECT count(*) FROM act";

/// The import is killed twice on its way; nothing is lost and nothing comes twice.
pub(super) async fn killed_and_resumed(stage: &Stage) {
    let folder = tempfile::tempdir().unwrap();
    let file = made_up(stage, folder.path()).await;
    assert_eq!(count(stage, "civil-registry-order", TAKEN).await, 0);
    let mut reached = 0;
    for resume in [&[][..], &["--resume"]] {
        let mut import = Import::start(stage, &file, resume);
        wait::until("the import's first acts", BOUND, async || {
            let taken = count(stage, "civil-registry-order", TAKEN).await;
            anyhow::ensure!(taken > reached, "{taken} acts so far");
            Ok(())
        })
        .await
        .unwrap();
        import.0.kill().unwrap();
        import.0.wait().unwrap();
        reached = count(stage, "civil-registry-order", TAKEN).await;
        assert!(
            reached < (ACTS - BROKEN.len()) as i64,
            "the import had ended already"
        );
    }
    let done = Import::start(stage, &file, &["--resume"])
        .0
        .wait_with_output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let taken = count(stage, "civil-registry-order", TAKEN).await;
    assert_eq!(taken, (ACTS - BROKEN.len()) as i64);
    let report = std::fs::read_to_string(report_of(&file)).unwrap();
    let lines: Vec<usize> = report
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(lines, BROKEN, "{report}");
}

/// Rows of a CSV file that are none are named with their line, field and reason; the others are taken.
pub(super) async fn malformed_rows(stage: &Stage) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acts.csv");
    let header = "office;kind;year;part;number;origin;sex;given_name.latin;given_name.arabic;birth_date.gregorian;\
                  declarant.name.latin;birth_place.latin";
    let row = |number: &str, date: &str| {
        format!("{ANNEXE};birth;1890;9;{number};declaration;female;Amina;أمينة;{date};Ahmed;Rabat")
    };
    let rows = [
        header,
        &row("1", "1890-03-02"),
        &row("2", "1890-02-30"),
        "CASA-HH-AIR;birth",
        &row("3", "1890"),
    ];
    std::fs::write(&file, rows.join("\r\n")).unwrap();
    let before = count(stage, "civil-registry-order", TAKEN).await;
    let done = Import::start(stage, &file, &[]).0.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(count(stage, "civil-registry-order", TAKEN).await, before + 2);
    let report = std::fs::read_to_string(report_of(&file)).unwrap();
    let refused: Vec<String> = report
        .lines()
        .skip(1)
        .map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        refused,
        ["3 content.birth_date.gregorian MALFORMED", "4  CELL_COUNT"],
        "{report}"
    );
}

async fn made_up(stage: &Stage, folder: &Path) -> PathBuf {
    let count = ACTS.to_string();
    let command = ["generate", "--acts", &count, "--seed", "11", "--offices", ANNEXE].map(str::to_owned);
    let made_up = stage
        .stack
        .output("civil-registry-order", &command)
        .await
        .unwrap();
    let mut rows: Vec<&str> = made_up.lines().collect();
    for line in BROKEN {
        rows[line - 1] = "no act";
    }
    let file = folder.join("acts.jsonl");
    std::fs::write(&file, rows.join("\n")).unwrap();
    file
}

fn report_of(file: &Path) -> PathBuf {
    file.with_extension("refused.csv")
}

/// The command at work.
struct Import(Child);

impl Import {
    fn start(stage: &Stage, file: &Path, more: &[&str]) -> Self {
        let layout = Layout::demonstration(&find_root().unwrap());
        let program = layout.binary("civil-registry-order").unwrap();
        let child = Command::new(program)
            .arg("--config")
            .arg(stage.stack.configuration("civil-registry-order"))
            .arg("import")
            .arg("--file")
            .arg(file)
            .arg("--report")
            .arg(report_of(file))
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(child)
    }
}
