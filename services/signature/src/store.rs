//! The only SQL of the service. Rows become domain values here; a row that cannot be one is an error that names it.

pub mod claims;
pub mod credential_ends;
pub mod credentials;
pub mod documents;
pub mod fee_payments;
pub mod fees;
pub mod intents;
pub mod issued_documents;
pub mod links;
pub mod queue;
pub mod receipts;
pub mod register;
pub mod requests;
pub mod reviews;
pub mod revisions;
pub mod revocations;
pub mod seal_facts;

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
