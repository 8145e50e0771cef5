//! Statements as PostgreSQL logs them.

use std::collections::{BTreeMap, BTreeSet};

/// A statement that was executed, with its values as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) database: String,
    session: u32,
    pub(super) sql: String,
    /// NULL where there is none.
    pub(super) values: Vec<Option<String>>,
}

/// Reads a log with the prefix `%m [%p] %d `.
pub(super) fn read(log: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for entry in entries(log) {
        let Some((session, database, severity, message)) = parts(&entry) else {
            continue;
        };
        match severity {
            "LOG" => {
                let sql = message.strip_prefix("statement: ").or_else(|| {
                    message
                        .strip_prefix("execute ")?
                        .split_once(": ")
                        .map(|(_, sql)| sql)
                });
                statements.extend(sql.map(|sql| Statement {
                    database: database.to_owned(),
                    session,
                    sql: sql.to_owned(),
                    values: Vec::new(),
                }));
            }
            "DETAIL" => {
                let values = message.split_once("arameters: ").map(|(_, values)| values);
                let last = statements.iter_mut().rev().find(|one| one.session == session);
                if let Some((statement, values)) = last.zip(values) {
                    statement.values = read_values(values);
                }
            }
            _ => {}
        }
    }
    statements
}

/// Entries with their lines joined again: further lines of one are indented by a tab.
fn entries(log: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(more), Some(entry)) => {
                entry.push('\n');
                entry.push_str(more);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    entries
}

/// Session, database, severity and message.
fn parts(entry: &str) -> Option<(u32, &str, &str, &str)> {
    let (_, rest) = entry.split_once(" [")?;
    let (session, rest) = rest.split_once("] ")?;
    let (head, message) = rest.split_once(":  ")?;
    let (database, severity) = head.split_once(' ')?;
    Some((session.parse().ok()?, database, severity, message))
}

/// `$1 = 'it''s', $2 = NULL`.
fn read_values(text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(" = ") {
        if let Some(quoted) = after.strip_prefix('\'') {
            let (value, left) = unquoted(quoted);
            values.push(Some(value));
            rest = left;
        } else {
            values.push(None);
            rest = after;
        }
    }
    values
}

/// Up to the quote that closes it, and what follows.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\'') {
        value.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return (value, after),
        }
    }
    value.push_str(rest);
    (value, "")
}

/// Cut before the transaction of each statement that writes this value. One command writes it with its request id once to look whether it
/// was done before, and once to do it.
pub(super) fn placements<'a>(logged: &'a [Statement], method: &str) -> Vec<&'a [Statement]> {
    let mut begun = BTreeSet::new();
    let mut begins = |statement: &Statement| {
        let mut values = statement.values.iter().flatten();
        statement.sql.starts_with("INSERT")
            && values.any(|value| value == method)
            && begun.insert(values.next().cloned())
    };
    let transaction = |place: usize| {
        let session = logged[place].session;
        let of_session =
            |before: &usize| logged[*before].session == session && logged[*before].sql == "BEGIN";
        (0..place).rev().find(of_session).unwrap_or(place)
    };
    let writing: Vec<usize> = (0..logged.len())
        .filter(|place| begins(&logged[*place]))
        .collect();
    let mut starts: Vec<usize> = writing.into_iter().map(transaction).collect();
    starts.push(logged.len());
    starts.windows(2).map(|span| &logged[span[0]..span[1]]).collect()
}

/// The values that most of these placements have, and elements of those that are arrays: what is about one placement alone comes again in
/// the next at most, where that begins before everything is done.
pub(super) fn common_values(placements: &[&[Statement]]) -> BTreeSet<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for placement in placements {
        let values = placement
            .iter()
            .flat_map(|statement| statement.values.iter().flatten());
        let distinct: BTreeSet<&str> = values.flat_map(|value| elements(value)).collect();
        for value in distinct {
            *counts.entry(value).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count * 2 > placements.len());
    counts.into_keys().map(str::to_owned).collect()
}

/// The elements of an array of plain ones, or the value itself.
pub(super) fn elements(value: &str) -> Vec<&str> {
    match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
        Some(list) if !list.contains(['"', '{']) => list.split(',').collect(),
        _ => vec![value],
    }
}

/// The statements of each session's transactions together, in the order in which transactions end; what stands outside of one by itself.
/// A transaction that is cut off is left out.
pub(super) fn in_transactions<'a>(statements: &[&'a Statement]) -> Vec<&'a Statement> {
    let mut open: BTreeMap<u32, Vec<&Statement>> = BTreeMap::new();
    let mut ordered = Vec::new();
    for &statement in statements {
        let verb = statement
            .sql
            .split([' ', ';'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        match (verb.as_str(), open.get_mut(&statement.session)) {
            ("BEGIN", _) => {
                open.insert(statement.session, vec![statement]);
            }
            ("COMMIT" | "ROLLBACK", Some(_)) => {
                ordered.extend(open.remove(&statement.session).into_iter().flatten());
                ordered.push(statement);
            }
            // The beginning was cut off.
            ("COMMIT" | "ROLLBACK", None) => {}
            (_, Some(transaction)) => transaction.push(statement),
            (_, None) => ordered.push(statement),
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
2026-11-22 11:00:00.000 UTC [7] one LOG:  statement: BEGIN
2026-11-22 11:00:00.001 UTC [8] two LOG:  execute sqlx_s_2: SELECT 1
2026-11-22 11:00:00.001 UTC [7] one LOG:  execute sqlx_s_1: INSERT INTO t
\t VALUES ($1, $2, $3)
2026-11-22 11:00:00.001 UTC [7] one DETAIL:  parameters: $1 = 'it''s, $2 = ', $2 = NULL, $3 = 'two
\tlines'
2026-11-22 11:00:00.002 UTC [9] one LOG:  execute sqlx_s_9: SELECT 2
2026-11-22 11:00:00.002 UTC [7] one LOG:  statement: COMMIT
2026-11-22 11:00:00.002 UTC [1]  LOG:  checkpoint starting: immediate
";

    #[test]
    fn statements_are_read_with_their_values() {
        let read = read(LOG);
        let sql: Vec<(&str, &str)> = read
            .iter()
            .map(|one| (one.database.as_str(), one.sql.as_str()))
            .collect();
        let insert = "INSERT INTO t\n VALUES ($1, $2, $3)";
        assert_eq!(
            sql,
            [
                ("one", "BEGIN"),
                ("two", "SELECT 1"),
                ("one", insert),
                ("one", "SELECT 2"),
                ("one", "COMMIT")
            ]
        );
        let values = [
            Some("it's, $2 = ".to_owned()),
            None,
            Some("two\nlines".to_owned()),
        ];
        assert_eq!(read[2].values, values);
        let whole: Vec<&Statement> = read.iter().filter(|one| one.database == "one").collect();
        let ordered: Vec<&str> = in_transactions(&whole)
            .iter()
            .map(|one| one.sql.as_str())
            .collect();
        assert_eq!(ordered, ["SELECT 2", "BEGIN", insert, "COMMIT"]);
    }

    #[test]
    fn placements_are_cut_where_each_begins() {
        let one = LOG.replace("$3 = 'two\n\tlines'", "$3 = 'method', $4 = 'id 1'");
        let placed = read(
            &[&one, &one, &one.replace("id 1", "id 2")]
                .map(String::as_str)
                .concat(),
        );
        let cut = placements(&placed, "method");
        assert_eq!(cut.iter().map(|one| one.len()).collect::<Vec<_>>(), [10, 5]);
        assert_eq!(elements("{a,b}"), ["a", "b"]);
        let common = common_values(&[cut[0], cut[1], cut[1]]);
        assert!(common.contains("id 2") && !common.contains("id 1"));
        assert_eq!(elements("{\"a\":1}"), ["{\"a\":1}"]);
    }
}
