//! The only SQL of the service. Rows become domain values here; a row that cannot be one is an error that names it.

pub mod acts;
pub mod books;
pub mod catalogue;
pub mod custody;
pub mod evidence;
pub mod history;
pub mod imports;
pub mod keyings;
pub mod offices;
pub mod orders;
pub mod outward;
pub mod queue;
pub mod scans;
pub mod settlement;
pub mod templates;
use uuid::Uuid;

/// Why the database did not give or take a value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database refused or did not answer")]
    Database(#[from] sqlx::Error),
    /// A row that this code did not write.
    #[error("row {id} of {table} is inconsistent in {column}")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        id: Uuid,
    },
    /// Another transaction changed the row first.
    #[error("row {id} of {table} was changed by somebody else")]
    LostRace { table: &'static str, id: Uuid },
}

/// The name of the constraint that a statement broke.
pub(crate) fn broken_constraint(error: &sqlx::Error) -> Option<&str> {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::constraint)
}

/// Whether the database refused a statement for the values in it: SQLSTATE classes 22 (data) and 23 (constraints), and 54 (a value larger than an
/// index or a row takes).
pub(crate) fn is_about_data(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
}

/// A column of rows, as `unnest` takes them.
pub(crate) fn each<'a, R, T>(rows: &'a [R], get: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(get).collect()
}
