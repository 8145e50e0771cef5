//! An import killed at any moment goes on where it was: nothing lost, nothing twice.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::Connection;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::{Ambient, SecretFile};
use wathiq_civil_registry_order::app::import_acts::{Asked, ReportAt, import_acts};
use wathiq_civil_registry_order::config::DatabaseConfig;
use wathiq_civil_registry_order::domain::import::Format;

use crate::import::{Loading, count, offices, synthetic};

const URL: &str = "WATHIQ_TEST_IMPORT_URL";
const PASSWORD: &str = "WATHIQ_TEST_IMPORT_PASSWORD_FILE";
const FOLDER: &str = "WATHIQ_TEST_IMPORT_FOLDER";

/// What the other process does: this test, run by the next one.
#[tokio::test]
#[ignore = "a part of another test, run in a process of its own"]
async fn import_in_a_process() {
    let setting = |name| std::env::var(name).unwrap();
    let config = DatabaseConfig {
        url: setting(URL),
        password_file: Some(SecretFile::new(setting(PASSWORD))),
        owner_url: None,
        owner_password_file: None,
    };
    let folder = std::path::PathBuf::from(setting(FOLDER));
    let mut conn = sqlx::PgConnection::connect_with(&config.connect_options().unwrap())
        .await
        .unwrap();
    let unfinished = count(
        &mut conn,
        "SELECT count(*) FROM act_import WHERE state <> 'FINISHED'",
    )
    .await;
    let asked = Asked {
        format: Format::JsonLines,
        resume: unfinished > 0,
        report: ReportAt::File(folder.join("refused.csv")),
        offices: offices(),
    };
    let file = File::open(folder.join("acts.jsonl")).unwrap();
    let stop = CancellationToken::new();
    import_acts(&mut conn, &Ambient::system(), file, asked, &stop, |_| {})
        .await
        .unwrap();
}

impl Loading {
    fn process(&self) -> Child {
        let config = &self.database.config;
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "killed::import_in_a_process"])
            .env(URL, &config.url)
            .env(PASSWORD, config.password_file.as_ref().unwrap().path())
            .env(FOLDER, self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

/// Stopped while its first rows are on their way: nothing of them is committed, and refused rows stand in the report already.
#[tokio::test]
async fn an_import_killed_before_its_first_commit_goes_on() {
    let loading = Loading::start().await;
    let mut rows: Vec<String> = String::from_utf8(synthetic(3_000, 6))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    rows[5] = "no act".to_owned();
    std::fs::write(loading.folder.path().join("acts.jsonl"), rows.join("\n")).unwrap();
    let mut owner = loading.database.owner().await;
    let mut blocking = owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE act IN SHARE MODE")
        .execute(&mut *blocking)
        .await
        .unwrap();
    let mut process = loading.process();
    let waits = "SELECT count(*) FROM pg_locks WHERE relation = 'act'::regclass AND NOT granted";
    let bound = Instant::now() + Duration::from_secs(120);
    while count(&mut blocking, waits).await == 0 && Instant::now() < bound {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(loading.refusals().len(), 1, "the report is ahead of the table");
    process.kill().unwrap();
    process.wait().unwrap();
    blocking.rollback().await.unwrap();
    let mut conn = loading.database.connect().await;
    unlocked(&mut conn).await;
    assert_eq!(loading.acts().await, 0);
    let ended = tokio::task::spawn_blocking({
        let mut process = loading.process();
        move || process.wait().unwrap()
    });
    assert!(ended.await.unwrap().success());
    assert_eq!(loading.acts().await, 2_999);
    let lines: Vec<u64> = loading.refusals().into_iter().map(|(line, _, _)| line).collect();
    assert_eq!(lines, [6]);
    assert_eq!(count(&mut conn, "SELECT count(*) FROM act_import").await, 1);
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_by_kills() {
    const ACTS: i64 = 12_000;
    let loading = Loading::start().await;
    let mut rows: Vec<String> = String::from_utf8(synthetic(12_000, 5))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    for line in [5, 3_000, 7_000, 11_999] {
        rows[line] = "no act".to_owned();
    }
    std::fs::write(loading.folder.path().join("acts.jsonl"), rows.join("\n")).unwrap();
    let mut conn = loading.database.connect().await;
    let mut kills = 0;
    for more in [1, 2_500, 5_000] {
        let mut process = loading.process();
        let bound = Instant::now() + Duration::from_secs(120);
        while count(&mut conn, "SELECT count(*) FROM act").await < more && Instant::now() < bound {
            if process.try_wait().unwrap().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        kills += usize::from(process.try_wait().unwrap().is_none());
        process.kill().unwrap();
        process.wait().unwrap();
        // What is committed is what the import says.
        let (acts, taken): (i64, i64) =
            sqlx::query_as("SELECT (SELECT count(*) FROM act), (SELECT taken FROM act_import)")
                .fetch_one(&mut conn)
                .await
                .unwrap();
        assert_eq!(acts, taken);
        unlocked(&mut conn).await;
    }
    assert!(kills > 0, "the import was too quick to be killed");
    let ended = tokio::task::spawn_blocking({
        let mut process = loading.process();
        move || process.wait().unwrap()
    });
    assert!(ended.await.unwrap().success());
    assert_eq!(loading.acts().await, ACTS - 4);
    let lines: Vec<u64> = loading.refusals().into_iter().map(|(line, _, _)| line).collect();
    assert_eq!(lines, [6, 3_001, 7_001, 12_000]);
    assert_eq!(count(&mut conn, "SELECT count(*) FROM act_import").await, 1);
}

/// Waits until the server has noticed that the killed process is gone.
async fn unlocked(conn: &mut sqlx::PgConnection) {
    for _ in 0..400 {
        let held = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database \
            WHERE locktype = 'advisory' AND datname = current_database()";
        if count(conn, held).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the lock of the killed import stays");
}
