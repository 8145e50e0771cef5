//! The only SQL. Rows become domain values here; an impossible row is an error that names table, column and id.

pub mod administrations;
pub mod codes;
pub mod confirmations;
pub mod contact_changes;
pub mod contacts;
pub mod credentials;
pub mod deliveries;
pub mod keys;
pub mod memberships;
pub mod migrate;
pub mod offices;
pub mod password_resets;
pub mod people;
pub mod purge;
pub mod quotas;
pub mod sessions;
pub mod sign_ups;
pub mod specimens;

use chrono::NaiveDate;

use crate::domain::office::Period;
use crate::domain::vocabulary::Word;

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database refused or did not answer")]
    Database(#[from] sqlx::Error),
    #[error("column {table}.{column} of {id} holds what it cannot hold")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        id: String,
    },
    #[error("row {id} of {table} changed under its lock")]
    Lost { table: &'static str, id: String },
}

impl StoreError {
    /// The constraint that a statement broke.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Database(error) => error
                .as_database_error()
                .and_then(|database| database.constraint()),
            _ => None,
        }
    }
}

/// The row whose columns are being read, for errors.
struct Reading<'a> {
    table: &'static str,
    id: &'a dyn std::fmt::Display,
}

impl Reading<'_> {
    fn wrong(&self, column: &'static str) -> StoreError {
        StoreError::Inconsistent {
            table: self.table,
            column,
            id: self.id.to_string(),
        }
    }

    fn word<W: Word>(&self, column: &'static str, text: &str) -> Result<W, StoreError> {
        W::from_str(text).ok_or_else(|| self.wrong(column))
    }

    fn bytes32(&self, column: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
        bytes.try_into().map_err(|_| self.wrong(column))
    }

    fn period(
        &self,
        column: &'static str,
        from: NaiveDate,
        to: Option<NaiveDate>,
    ) -> Result<Period, StoreError> {
        Period::new(from, to).ok_or_else(|| self.wrong(column))
    }
}

/// A conditional write must have changed exactly one row.
fn exactly_one(
    done: &sqlx::postgres::PgQueryResult,
    table: &'static str,
    id: impl std::fmt::Display,
) -> Result<(), StoreError> {
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::Lost {
            table,
            id: id.to_string(),
        })
    }
}
