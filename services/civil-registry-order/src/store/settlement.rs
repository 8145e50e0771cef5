//! Table `settlement_entry`: only ever added to.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::fee::Price;
use crate::domain::order::settled::Settled;
use crate::domain::state::LineState;
use crate::store::{StoreError, each};

/// Acts that came to a state in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    pub state: LineState,
    pub acts: i64,
    pub price: Price,
}

/// Writes down what happened.
///
/// # Errors
/// [`StoreError`].
pub async fn add_all(
    conn: &mut PgConnection,
    settled: &[Settled],
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    if settled.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO settlement_entry (happened_at, line_id, kind_id, office_id, state, acts, amount, office_amount, post_amount, tax_amount)
               SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::smallint[], $7::bigint[], $8::bigint[], $9::bigint[],
                   $10::bigint[])";
    sqlx::query(sql)
        .bind(at)
        .bind(each(settled, |entry| entry.line_id))
        .bind(each(settled, |entry| entry.kind_id))
        .bind(each(settled, |entry| entry.office_id))
        .bind(each(settled, |entry| entry.state.as_str()))
        .bind(each(settled, |entry| entry.acts))
        .bind(each(settled, |entry| entry.price.amount))
        .bind(each(settled, |entry| entry.price.office))
        .bind(each(settled, |entry| entry.price.post))
        .bind(each(settled, |entry| entry.price.tax))
        .execute(conn)
        .await?;
    Ok(())
}

/// Totals of one office or of all, of the kinds of one issuing administration (its name in French) or of all, from an instant until before
/// another.
///
/// # Errors
/// [`StoreError`].
pub async fn totals(
    conn: &mut PgConnection,
    office_id: Option<Uuid>,
    administration: Option<&str>,
    from: DateTime<Utc>,
    before: DateTime<Utc>,
) -> Result<Vec<Total>, StoreError> {
    let sql = "SELECT state, sum(acts)::bigint, sum(amount)::bigint, sum(office_amount)::bigint, sum(post_amount)::bigint,
                      sum(tax_amount)::bigint
               FROM settlement_entry e
               WHERE happened_at >= $3 AND happened_at < $4 AND ($1::uuid IS NULL OR office_id = $1)
                 AND ($2::text IS NULL OR EXISTS (SELECT FROM document_kind k WHERE k.id = e.kind_id AND k.issuing_administration_fr = $2))
               GROUP BY state ORDER BY state";
    let rows: Vec<(String, i64, i64, i64, i64, i64)> = sqlx::query_as(sql)
        .bind(office_id)
        .bind(administration)
        .bind(from)
        .bind(before)
        .fetch_all(conn)
        .await?;
    rows.into_iter()
        .map(|(state, acts, amount, office, post, tax)| {
            let state = LineState::parse(&state).ok_or(StoreError::Inconsistent {
                table: "settlement_entry",
                column: "state",
                id: office_id.unwrap_or_default(),
            })?;
            let price = Price {
                amount,
                office,
                post,
                tax,
            };
            Ok(Total { state, acts, price })
        })
        .collect()
}
