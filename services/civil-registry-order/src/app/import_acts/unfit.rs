//! Rows that passed every check and that the database does not take all the same: found by halving, so that they cost themselves and no other.

use sqlx::{Connection, PgConnection};

use super::chunk::Chunk;
use super::report::Refusal;
use crate::domain::act::Fault;
use crate::store::{StoreError, is_about_data};

/// Takes out of a chunk what the database refuses for what it is. Acts that are there already are left to who looks for them.
///
/// # Errors
/// [`StoreError`] where the database refuses for another reason, or does not answer.
pub(super) async fn refuse(conn: &mut PgConnection, chunk: &mut Chunk) -> Result<(), StoreError> {
    let mut places = Vec::new();
    let mut spans = vec![(0, chunk.rows.len())];
    while let Some((start, end)) = spans.pop() {
        let mut transaction = conn.begin().await?;
        let sent = chunk.rows.part(start..end).send(&mut transaction).await;
        transaction.rollback().await?;
        match sent {
            Ok(()) => {}
            Err(StoreError::Database(error)) if is_about_data(&error) => {
                if end - start > 1 {
                    let middle = start + (end - start) / 2;
                    spans.extend([(middle, end), (start, middle)]);
                } else if crate::store::broken_constraint(&error) != Some("act_natural_key") {
                    places.push(start);
                }
            }
            Err(error) => return Err(error),
        }
    }
    for place in &places {
        let text = "the database does not take the row";
        chunk.refusals.push(Refusal {
            line: chunk.lines[*place],
            faults: vec![Fault::new("", "NOT_STORABLE", text)],
        });
    }
    chunk.drop_rows(&places);
    Ok(())
}
