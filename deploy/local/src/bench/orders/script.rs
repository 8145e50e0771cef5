//! A script for pgbench from statements that were logged.
//!
//! Values that come in every placement stay; ids, digests and references that are new in each become numbers that count up, so that the
//! same rows are written again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::{Context, Result, ensure};
use sqlx::PgConnection;
use tempfile::NamedTempFile;

use super::statements::{Statement, elements};
use crate::description::Postgres;

/// New values of one placement, at most: by how much the count goes up.
const ROOM: usize = 1_000;

/// What pgbench repeats in one database.
pub(super) struct Script {
    database: String,
    text: String,
    constants: Vec<String>,
    pub(super) statements: usize,
}

/// Numbers of the values that are new in each placement.
#[derive(Default)]
struct New(BTreeMap<String, usize>);

impl Script {
    /// `known` are the values of other placements: what is among them is no new value.
    ///
    /// # Errors
    /// When a statement cannot be prepared.
    pub(super) async fn write(
        connection: &mut PgConnection,
        database: &str,
        statements: &[&Statement],
        known: &BTreeSet<String>,
    ) -> Result<Self> {
        let mut text = format!("\\set n :n + {ROOM}\n");
        let (mut constants, mut new) = (Vec::new(), New::default());
        for statement in statements {
            let types = types(connection, statement).await?;
            let mut sql = statement.sql.clone();
            // From the last on: $1 is also how $12 begins.
            for (place, (value, of_type)) in statement.values.iter().zip(&types).enumerate().rev() {
                let with = match value {
                    None => format!("NULL::{of_type}"),
                    Some(value) => match new.expression(value, of_type, known) {
                        Some(expression) => expression,
                        None => {
                            constants.push(value.clone());
                            // pgbench does not say of which type they are.
                            format!("(:c{}::{of_type})", constants.len() - 1)
                        }
                    },
                };
                sql = sql.replace(&format!("${}", place + 1), &with);
            }
            text.push_str(&sql);
            text.push_str(";\n");
        }
        ensure!(new.0.len() < ROOM, "a placement has {} new values", new.0.len());
        Ok(Self {
            database: database.to_owned(),
            text,
            constants,
            statements: statements.len(),
        })
    }

    /// Has pgbench repeat it.
    ///
    /// # Errors
    /// When pgbench fails, with what it says.
    pub(super) async fn run(&self, cluster: &Postgres, times: usize) -> Result<()> {
        let mut file = NamedTempFile::new()?;
        file.write_all(self.text.as_bytes())?;
        let mut command = tokio::process::Command::new("pgbench");
        command
            .args(["-n", "-M", "prepared", "-c", "1", "-t", &times.to_string()])
            .arg("-f")
            .arg(file.path())
            .args(["-D", &format!("n={ROOM}")])
            .args([
                "-h",
                &cluster.host,
                "-p",
                &cluster.port.to_string(),
                "-U",
                &cluster.superuser,
            ])
            .env("PGPASSWORD", &cluster.superuser_password);
        if let Some(ca) = &cluster.ca {
            command.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", ca);
        }
        for (place, value) in self.constants.iter().enumerate() {
            command.arg("-D").arg(format!("c{place}={value}"));
        }
        let output = command
            .arg(&self.database)
            .output()
            .await
            .context("cannot run pgbench")?;
        let said = String::from_utf8_lossy(&output.stderr);
        let done = format!("number of transactions actually processed: {times}/{times}");
        ensure!(
            output.status.success() && String::from_utf8_lossy(&output.stdout).contains(&done),
            "pgbench did not repeat the statements in {}: {said}",
            self.database
        );
        Ok(())
    }
}

impl New {
    /// An expression with a new value of the same shape; nothing for a value that is not new.
    fn expression(&mut self, value: &str, of_type: &str, known: &BTreeSet<String>) -> Option<String> {
        if elements(value).iter().any(|element| known.contains(*element)) {
            return None;
        }
        if let Some(element_type) = of_type.strip_suffix("[]") {
            let each: Option<Vec<String>> = elements(value)
                .into_iter()
                .map(|element| self.one(element, element_type))
                .collect();
            return Some(format!("ARRAY[{}]::{of_type}", each?.join(", ")));
        }
        self.one(value, of_type)
    }

    fn one(&mut self, value: &str, of_type: &str) -> Option<String> {
        let hexadecimal = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let is_id = value.len() == 36 && hexadecimal(&value.replace('-', ""));
        let bytes = value.strip_prefix("\\x").filter(|digits| hexadecimal(digits));
        // References are dictated by phone: no letter or digit in them can be taken for another.
        let is_reference = value.len() == 10
            && value
                .bytes()
                .all(|letter| b"23456789AFHJKMPRWXY".contains(&letter));
        if !is_id && bytes.is_none() && !is_reference {
            return None;
        }
        let count = self.0.len();
        let number = *self.0.entry(value.to_owned()).or_insert(count);
        let digits = |length: usize| format!("lpad(to_hex(:n::bigint + {number}), {length}, '0')");
        Some(match bytes {
            Some(bytes) => format!("decode({}, 'hex')", digits(bytes.len())),
            None if is_id => format!("({})::{of_type}", digits(32)),
            None => format!("translate({}, '01abcdef', 'AFHJKMPR')::{of_type}", digits(10)),
        })
    }
}

/// The types that the server finds for the values of a statement.
async fn types(connection: &mut PgConnection, statement: &Statement) -> Result<Vec<String>> {
    if statement.values.is_empty() {
        return Ok(Vec::new());
    }
    let prepare = format!("PREPARE measured AS {}", statement.sql);
    sqlx::raw_sql(sqlx::AssertSqlSafe(prepare))
        .execute(&mut *connection)
        .await
        .with_context(|| format!("preparing {}", statement.sql))?;
    let types: Vec<String> = sqlx::query_scalar(
        "SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'measured'",
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::raw_sql("DEALLOCATE measured")
        .execute(&mut *connection)
        .await?;
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_values_count_up_and_others_stay() {
        let known = BTreeSet::from(["0190a5b8-0000-7000-8000-000000000001".to_owned()]);
        let mut new = New::default();
        let id = "0190a5b8-0000-7000-8000-000000000002";
        let first = new.expression(id, "uuid", &known).unwrap();
        assert_eq!(first, "(lpad(to_hex(:n::bigint + 0), 32, '0'))::uuid");
        assert_eq!(new.expression(id, "uuid", &known), Some(first.clone()));
        let list = new.expression(&format!("{{{id}}}"), "uuid[]", &known).unwrap();
        assert_eq!(list, format!("ARRAY[{first}]::uuid[]"));
        let bytes = new.expression("\\x00ff", "bytea", &known).unwrap();
        assert_eq!(bytes, "decode(lpad(to_hex(:n::bigint + 1), 4, '0'), 'hex')");
        assert!(
            new.expression("23456789AF", "text", &known)
                .unwrap()
                .starts_with("translate(")
        );
        for kept in [
            "0190a5b8-0000-7000-8000-000000000001",
            "2026-11-22",
            "{1,2}",
            "Salma",
        ] {
            assert_eq!(new.expression(kept, "text", &known), None, "{kept}");
        }
    }
}
