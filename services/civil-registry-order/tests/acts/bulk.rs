//! 200,000 acts: loaded beside a `COPY` of the same rows, and searched through indexes alone. Times are printed, not judged: a shared
//! machine says nothing of them.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wathiq_chassis::Ambient;
use wathiq_civil_registry_order::app::import_acts::{Asked, Offices, ReportAt, import_acts};
use wathiq_civil_registry_order::app::search_acts::{SearchActs, find};
use wathiq_civil_registry_order::commands::generate;
use wathiq_civil_registry_order::domain::import::Format;
use wathiq_civil_registry_order::domain::search::{Person, Query};
use wathiq_civil_registry_order::store::acts::search::{BORN_ON, BY_KEY, OF_FAMILY_ARABIC, OF_FAMILY_LATIN};
use wathiq_civil_registry_order::store::custody;

use crate::import::{Loading, count};

const ACTS: u64 = 200_000;
const OFFICES: u16 = 40;

fn office(index: u16) -> Uuid {
    Uuid::from_u128(0x0ff1_ce00 + u128::from(index))
}

#[tokio::test]
async fn many_acts_are_loaded_and_found() {
    let loading = Loading::start().await;
    let path = loading.folder.path().join("acts.jsonl");
    let codes: Vec<String> = (0..OFFICES).map(|index| format!("C-{index}")).collect();
    let asked = generate::Asked {
        acts: ACTS,
        seed: 42,
        offices: codes.clone(),
        out: Some(path.clone()),
    };
    generate::run(&asked).unwrap();
    let offices = Offices::new(codes.into_iter().zip((0..OFFICES).map(office)).collect());
    let mut conn = loading.database.connect().await;
    let asked = Asked {
        format: Format::JsonLines,
        resume: false,
        report: ReportAt::File(loading.folder.path().join("refused.csv")),
        offices,
    };
    let begun = Instant::now();
    let file = std::fs::File::open(&path).unwrap();
    let stop = CancellationToken::new();
    let import = import_acts(&mut conn, &Ambient::system(), file, asked, &stop, |_| {})
        .await
        .unwrap();
    let imported = begun.elapsed();
    assert_eq!((import.position.taken, import.position.refused), (ACTS, 0));

    let mut owner = loading.database.owner().await;
    let copied = copied_again(&loading, &mut owner).await;
    assert_eq!(
        count(&mut conn, "SELECT count(*) FROM act").await,
        ACTS.cast_signed()
    );
    println!(
        "import {:.1} s, COPY of the same rows {:.1} s: {:.2} times",
        imported.as_secs_f64(),
        copied.as_secs_f64(),
        imported.as_secs_f64() / copied.as_secs_f64()
    );
    sqlx::query("VACUUM ANALYZE act, act_known_as")
        .execute(&mut owner)
        .await
        .unwrap();
    plans(&mut conn).await;
    let slowest = searches(&mut conn).await;
    println!(
        "slowest of 200 searches: {:.1} ms",
        slowest.as_secs_f64() * 1000.0
    );
    conn.close().await.unwrap();
}

/// Takes the rows out and copies them in again: into the same table with the same indexes, from a file.
async fn copied_again(loading: &Loading, owner: &mut PgConnection) -> Duration {
    let mut taken = Vec::new();
    for table in ["act", "act_note", "act_known_as"] {
        let path = loading.folder.path().join(table);
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let mut rows = owner
            .copy_out_raw(&format!("COPY {table} TO STDOUT (FORMAT binary)"))
            .await
            .unwrap();
        while let Some(part) = futures::StreamExt::next(&mut rows).await {
            file.write_all(&part.unwrap()).unwrap();
        }
        file.flush().unwrap();
        taken.push((table, path));
    }
    sqlx::query("TRUNCATE act CASCADE")
        .execute(&mut *owner)
        .await
        .unwrap();
    let begun = Instant::now();
    for (table, path) in taken {
        let mut copying = owner
            .copy_in_raw(&format!("COPY {table} FROM STDIN (FORMAT binary)"))
            .await
            .unwrap();
        copying
            .read_from(tokio::fs::File::open(path).await.unwrap())
            .await
            .unwrap();
        copying.finish().await.unwrap();
    }
    begun.elapsed()
}

/// No statement of a search reads the table from end to end.
async fn plans(conn: &mut PgConnection) {
    let offices = vec![office(1), office(2)];
    let kinds = vec!["birth", "death"];
    let explain = |statement: &str| AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) {statement}"));
    let by_key: Value = sqlx::query_scalar(explain(BY_KEY))
        .bind(&offices)
        .bind(&kinds)
        .bind(1984i16)
        .bind("7")
        .bind(None::<String>)
        .bind(20i64)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    indexed(&by_key, "act_natural_key");
    let day = chrono::NaiveDate::from_ymd_opt(1984, 3, 2).unwrap();
    let born_on: Value = sqlx::query_scalar(explain(BORN_ON))
        .bind(&offices)
        .bind(&kinds)
        .bind(day)
        .bind(2_000i64)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    indexed(&born_on, "act_born_on");
    for (statement, index) in [
        (OF_FAMILY_LATIN, "act_fold_latin"),
        (OF_FAMILY_ARABIC, "act_fold_arabic"),
    ] {
        let plan: Value = sqlx::query_scalar(explain(statement))
            .bind(&offices)
            .bind(&kinds)
            .bind(1984i16)
            .bind("a")
            .bind("b")
            .bind(1_000i64)
            .fetch_one(&mut *conn)
            .await
            .unwrap();
        indexed(&plan, index);
    }
}

fn indexed(plan: &Value, index: &str) {
    let text = plan.to_string();
    assert!(!text.contains("Seq Scan"), "{text}");
    assert!(text.contains(index), "{index}: {text}");
}

/// Finds known acts in each way; how long the slowest search took.
async fn searches(conn: &mut PgConnection) -> Duration {
    let known: Vec<(Uuid, String, String, String, String, chrono::NaiveDate)> = sqlx::query_as(
        "SELECT id, given_latin, family_latin, given_arabic, family_arabic, born_on FROM act
         WHERE office_id = $1 AND kind = 'birth' AND born_on IS NOT NULL ORDER BY id LIMIT 50",
    )
    .bind(office(1))
    .fetch_all(&mut *conn)
    .await
    .unwrap();
    let today = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    let held = custody::held_by(conn, vec![office(1), office(2)], today)
        .await
        .unwrap();
    let mut slowest = Duration::ZERO;
    for (id, given_latin, family_latin, given_arabic, family_arabic, born) in known {
        let year = born.format("%Y").to_string();
        for (given, family, born) in [
            (
                given_latin.to_uppercase(),
                family_latin.replace("El ", "El-"),
                born.to_string(),
            ),
            (given_arabic.clone(), family_arabic.clone(), born.to_string()),
            (given_latin.clone(), family_latin.clone(), year.clone()),
            (
                given_arabic.replace('أ', "ا"),
                family_arabic.clone(),
                year.clone(),
            ),
        ] {
            let query = Query::Person(Person::new(&given, &family, born.parse().ok()).unwrap());
            let asked = SearchActs {
                office_id: None,
                kind: None,
                query,
            };
            let begun = Instant::now();
            let found = find(conn, &held, &asked).await.unwrap();
            slowest = slowest.max(begun.elapsed());
            assert!(
                found.acts.iter().any(|found| found.act.id == id),
                "{given} {family} {born}: {found:?}"
            );
        }
    }
    slowest
}
