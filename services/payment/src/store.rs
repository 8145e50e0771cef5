//! The only SQL of the service. Rows become domain values here; a row that cannot be one is an error that names it.

pub mod answers;
pub mod books;
pub mod differences;
pub mod due;
pub mod measures;
pub mod prompts;
pub mod receipts;
mod rows;
pub mod sales;

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
