//! The bulk load of digitised acts against `COPY` of the same rows into the same tables with the same indexes, and the search over all
//! of them.
//!
//! One register after the other, so that the disk holds the table once: a register is made up, loaded by `civil-registry-order import`
//! (measured, from the start of the command to its end), and its rows are put by in compressed files. When all are in, they are searched. Then
//! the tables are emptied and the same rows go in again by `COPY` from binary files on the server (measured). Every register comes to tables
//! that are as large as they were for the other side.

mod search;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use super::Figure;
use super::world::World;
use crate::journey::api::text;

/// Acts of one register.
const REGISTER: u64 = 125_000;
/// Bytes of disk that an act needs at most while it is loaded: row, indexes, its share of the write-ahead log, and its compressed copy.
const DISK: u64 = 3_600;
/// Bytes of disk that are left alone, and that one register's files need.
const RESERVE: u64 = 3 << 30;
/// Seconds of the import as a multiple of those of `COPY`.
const GOAL: f64 = 3.0;
/// The tables that an import fills, parents first.
const TABLES: [&str; 3] = ["act", "act_note", "act_known_as"];

/// A register that is in, with the files of its rows.
struct Register {
    acts: u64,
    files: Vec<PathBuf>,
}

pub(super) async fn measure(root: &Path, asked: u64) -> Result<Vec<Figure>> {
    let world = Box::pin(World::open(root)).await?;
    let figures = measure_in(&world, asked).await;
    if figures.is_err() {
        world.keep_logs();
    }
    world.close().await;
    figures
}

async fn measure_in(world: &World, asked: u64) -> Result<Vec<Figure>> {
    let acts = fitting(world, asked)?;
    let folder = world.parts.layout().state.join("rows");
    std::fs::create_dir_all(&folder)?;
    // PostgreSQL writes there as its own user.
    open_to_all(&folder)?;
    let codes = offices(world, acts.div_ceil(REGISTER)).await?;
    let mut admin = world.database("civil-registry-order").await?;
    let (mut imported, mut registers) = (0.0, Vec::new());
    for (place, (code, _)) in codes.iter().enumerate() {
        let count = REGISTER.min(acts - place as u64 * REGISTER);
        let (seconds, register) = import(world, &mut admin, &folder, code, count).await?;
        imported += seconds;
        registers.push(register);
        super::say(&format!(
            "register {} of {}: {:.0} acts/s",
            place + 1,
            codes.len(),
            count as f64 / seconds
        ));
    }
    for table in TABLES {
        run(&mut admin, format!("VACUUM ANALYZE {table}")).await?;
    }
    tell_sizes(&mut admin).await?;
    let mut figures = search::measure(world, &mut admin, &codes).await?;
    super::say("the same rows by COPY");
    run(&mut admin, "TRUNCATE act CASCADE".into()).await?;
    let mut copied = 0.0;
    for register in &registers {
        copied += copy(&mut admin, register).await?;
    }
    let [(count,)]: [(i64,); 1] = sqlx::query_as("SELECT count(*) FROM act")
        .fetch_all(&mut admin)
        .await?
        .try_into()
        .ok()
        .context("counting gives one row")?;
    ensure!(
        u64::try_from(count)? == acts,
        "COPY brought {count} of {acts} acts"
    );
    figures.insert(
        0,
        Figure::against(
            &format!("import of {acts} acts"),
            imported,
            copied,
            "COPY of the same rows",
            "s",
            GOAL,
        ),
    );
    Ok(figures)
}

/// As many acts as the disk has room for.
fn fitting(world: &World, asked: u64) -> Result<u64> {
    let room = rustix::fs::statvfs(&world.parts.layout().state)?;
    let free = room.f_bavail * room.f_frsize;
    let most = free.saturating_sub(RESERVE) / DISK / REGISTER * REGISTER;
    if asked <= most {
        return Ok(asked);
    }
    super::say(&format!(
        "the disk has {} GB free: {most} acts fit, {asked} were asked for",
        free >> 30
    ));
    ensure!(most > 0, "the disk has no room for a register of {REGISTER} acts");
    Ok(most)
}

/// Opens offices that each have a register, with the agent a member of all of them. Answers their codes and ids.
async fn offices(world: &World, count: u64) -> Result<Vec<(String, String)>> {
    let head = &world.head;
    let rows = (1..=count).map(|number| {
        format!(
            "BENCH-{number:03},CASA-HH,annexe,مكتب الحالة المدنية {number},Bureau d'état civil {number},\n"
        )
    });
    let csv = format!(
        "code,parent_code,kind,name_ar,name_fr,hcp_code\n{}",
        rows.collect::<String>()
    );
    let answer = head
        .upload("/v1/offices/import", "text/csv", csv.into_bytes())
        .await?;
    let imported = answer["offices"].as_array().context("no offices were imported")?;
    let mut offices = Vec::new();
    for office in imported {
        let (code, id) = (text(office, "/code")?, text(office, "/office_id")?);
        if code.starts_with("BENCH-") {
            world.appoint(id, &world.cast.office.agent.email, "agent").await?;
            offices.push((code.to_owned(), id.to_owned()));
        }
    }
    offices.sort();
    ensure!(
        offices.len() as u64 == count,
        "{} of {count} offices were imported",
        offices.len()
    );
    Ok(offices)
}

/// Makes a register up, has it imported, and puts its rows by. Answers the seconds of the import.
async fn import(
    world: &World,
    admin: &mut PgConnection,
    folder: &Path,
    code: &str,
    acts: u64,
) -> Result<(f64, Register)> {
    let file = folder.join(format!("{code}.jsonl"));
    let (count, out) = (acts.to_string(), file.display().to_string());
    let generate = [
        "generate",
        "--acts",
        &count,
        "--seed",
        &seed(code),
        "--offices",
        code,
        "--out",
        &out,
    ];
    world
        .stack
        .output("civil-registry-order", &generate.map(str::to_owned))
        .await?;
    let bytes = std::fs::metadata(&file)?.len();
    ensure!(bytes / acts >= 1_500, "an act has {} bytes", bytes / acts);
    let mut blocks = Vec::new();
    for table in TABLES {
        blocks.push(size(admin, table).await? / 8192);
    }
    run(admin, "CHECKPOINT".into()).await?;
    let begun = Instant::now();
    world.import(&file).await?;
    let seconds = begun.elapsed().as_secs_f64();
    std::fs::remove_file(&file)?;
    let mut files = Vec::new();
    for (table, block) in TABLES.iter().zip(blocks) {
        let rows = folder.join(format!("{code}-{table}.gz"));
        put_by(admin, table, block, &rows).await?;
        files.push(rows);
    }
    Ok((seconds, Register { acts, files }))
}

fn seed(code: &str) -> String {
    code.trim_start_matches("BENCH-")
        .trim_start_matches('0')
        .to_owned()
}

/// Writes the rows that the newest import has brought, which stand in the table from this block on.
async fn put_by(admin: &mut PgConnection, table: &str, block: i64, file: &Path) -> Result<()> {
    // The last block of before may hold rows of the import before.
    let latest = "created_at >= (SELECT max(created_at) FROM act_import)";
    let latest = match table {
        "act_known_as" => format!("act_id IN (SELECT id FROM act WHERE {latest})"),
        _ => latest.to_owned(),
    };
    let statement = format!(
        "COPY (SELECT * FROM {table} WHERE ctid >= '({},0)'::tid AND {latest})
         TO PROGRAM 'gzip -1 > {}' (FORMAT binary)",
        (block - 1).max(0),
        file.display()
    );
    run(admin, statement).await
}

/// Brings the rows of a register in by `COPY`. Answers the seconds.
async fn copy(admin: &mut PgConnection, register: &Register) -> Result<f64> {
    let mut plain = Vec::new();
    for file in &register.files {
        let to = file.with_extension("bin");
        let status = tokio::process::Command::new("gzip")
            .arg("-dc")
            .arg(file)
            .stdout(std::fs::File::create(&to)?)
            .status()
            .await
            .context("cannot run gzip")?;
        ensure!(status.success(), "{} cannot be unpacked", file.display());
        plain.push(to);
    }
    run(admin, "CHECKPOINT".into()).await?;
    let begun = Instant::now();
    for (table, file) in TABLES.iter().zip(&plain) {
        run(
            admin,
            format!("COPY {table} FROM '{}' (FORMAT binary)", file.display()),
        )
        .await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    for file in plain {
        std::fs::remove_file(file)?;
    }
    super::say(&format!("COPY: {:.0} acts/s", register.acts as f64 / seconds));
    Ok(seconds)
}

async fn tell_sizes(admin: &mut PgConnection) -> Result<()> {
    for table in TABLES {
        let rows = size(admin, table).await?;
        let (whole,): (i64,) = sqlx::query_as("SELECT pg_total_relation_size($1::regclass)")
            .bind(table)
            .fetch_one(&mut *admin)
            .await?;
        super::say(&format!(
            "{table}: {} MB, with indexes {} MB",
            rows >> 20,
            whole >> 20
        ));
    }
    Ok(())
}

async fn size(admin: &mut PgConnection, table: &str) -> Result<i64> {
    let (bytes,): (i64,) = sqlx::query_as("SELECT pg_relation_size($1::regclass)")
        .bind(table)
        .fetch_one(admin)
        .await?;
    Ok(bytes)
}

async fn run(admin: &mut PgConnection, statement: String) -> Result<()> {
    let shown = statement.clone();
    match sqlx::raw_sql(AssertSqlSafe(statement)).execute(admin).await {
        Ok(_) => Ok(()),
        Err(error) => bail!("{shown}: {error}"),
    }
}

fn open_to_all(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777))?;
    Ok(())
}

/// Drops what the system keeps of files in memory. Answers whether it could.
pub(super) fn forget_files() -> bool {
    rustix::fs::sync();
    std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// What an agent types to find an act.
pub(super) fn asked(office_id: &str, more: serde_json::Value) -> serde_json::Value {
    let mut body = json!({ "office_id": office_id });
    if let (Some(body), serde_json::Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}
