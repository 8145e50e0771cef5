//! What an import refuses costs itself alone, and what it says of that is never lost.

use std::io::Cursor;

use serde_json::{Value, json};
use sqlx::Connection;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::Ambient;
use wathiq_civil_registry_order::app::import_acts::{Asked, ImportError, ReportAt, import_acts};
use wathiq_civil_registry_order::domain::import::{Format, State};

use crate::import::{Loading, count, lines, refused, row};

#[tokio::test]
async fn a_row_that_the_database_refuses_costs_itself_alone() {
    let loading = Loading::start().await;
    // A rule of the database that no check of ours knows.
    sqlx::query("ALTER TABLE act ADD CHECK (number NOT IN ('7', '1999', '2500'))")
        .execute(&mut loading.database.owner().await)
        .await
        .unwrap();
    let mut rows: Vec<Value> = (1..=3_000)
        .map(|number| row("C-1", &number.to_string()))
        .collect();
    rows.push(row("C-1", "5"));
    let import = loading.json_lines(&lines(&rows)).await.unwrap();
    assert_eq!((import.state, import.position.taken), (State::Finished, 2_997));
    let expected = [
        refused(7, "", "NOT_STORABLE"),
        refused(1_999, "", "NOT_STORABLE"),
        refused(2_500, "", "NOT_STORABLE"),
        refused(3_001, "number", "DUPLICATE_IN_FILE"),
    ];
    assert_eq!(loading.refusals(), expected);
    assert_eq!(loading.acts().await, 2_997);
}

#[tokio::test]
async fn what_no_database_keeps_is_refused_by_row() {
    let loading = Loading::start().await;
    let noted = |number: &str, date: &str| {
        let mut row = row("C-1", number);
        row["notes"] = json!([{ "date": date, "kind": "marriage", "text": { "latin": "mariage" } }]);
        row
    };
    let mut nul = row("C-1", "3");
    nul["content"]["given_name"]["latin"] = json!("A\0li");
    let file = lines(&[
        row("C-1", "1"),
        noted("2", "-12345-1-2"),
        nul,
        noted("4", "2001-02-03"),
    ]);
    let lone = row("C-1", "5").to_string().replace("Ali", "\\ud800");
    let file = [file, lone.into_bytes()].concat();
    let import = loading.json_lines(&file).await.unwrap();
    assert_eq!((import.position.taken, import.position.refused), (2, 3));
    let expected = [
        refused(2, "notes[0].date", "DATE_ORDER"),
        refused(3, "content.given_name.latin", "UNPRINTABLE"),
        refused(5, "", "JSON_MALFORMED"),
    ];
    assert_eq!(loading.refusals(), expected);
}

#[tokio::test]
async fn a_report_is_never_written_over() {
    let loading = Loading::start().await;
    let first = lines(&[row("C-1", "1"), row("C-1", "none")]);
    loading.json_lines(&first).await.unwrap();
    let kept = loading.refusals();
    assert_eq!(kept, [refused(2, "number", "NUMBER_IMPOSSIBLE")]);
    let second = loading.json_lines(&lines(&[row("C-1", "2")])).await;
    assert!(matches!(second, Err(ImportError::ReportOfOther)), "{second:?}");
    assert_eq!(loading.refusals(), kept);
    // Where it stands is told by the file and the import, unless it was said: the same file may come again.
    let mut reports = Vec::new();
    for _ in 0..2 {
        let stop = CancellationToken::new();
        let mut conn = loading.database.connect().await;
        let at = ReportAt::Beside(loading.folder.path().join("acts.jsonl"));
        let asked = Asked {
            report: at.clone(),
            ..loading.asked(Format::JsonLines, false)
        };
        let input = Cursor::new(first.clone());
        let import = import_acts(&mut conn, &Ambient::system(), input, asked, &stop, |_| {})
            .await
            .unwrap();
        conn.close().await.unwrap();
        reports.push(std::fs::read_to_string(at.path(import.id)).unwrap());
    }
    assert!(
        reports.iter().all(|report| report.contains("2,number,")),
        "{reports:?}"
    );
    let mut conn = loading.database.connect().await;
    assert_eq!(count(&mut conn, "SELECT count(*) FROM act_import").await, 3);
}

#[tokio::test]
async fn a_header_that_cannot_be_used_leaves_nothing() {
    let loading = Loading::start().await;
    let wrong = loading
        .load(Cursor::new(b"office,colour\n".to_vec()), Format::Csv, false)
        .await;
    assert!(matches!(wrong, Err(ImportError::Header(_))), "{wrong:?}");
    let mut conn = loading.database.connect().await;
    assert_eq!(count(&mut conn, "SELECT count(*) FROM act_import").await, 0);
    assert!(!loading.report_path().exists());
}
