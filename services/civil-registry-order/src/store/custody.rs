//! Table `register_custody`.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::act_key::RegisterKind;
use crate::domain::custody::{self, Custody};
use crate::store::StoreError;

const TABLE: &str = "register_custody";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    office_id: Uuid,
    kind: String,
    from_year: Option<i16>,
    to_year: Option<i16>,
    held_by: Uuid,
    valid_from: NaiveDate,
}

impl TryFrom<Row> for Custody {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = RegisterKind::parse(&row.kind).ok_or(StoreError::Inconsistent {
            table: TABLE,
            column: "kind",
            id: row.id,
        })?;
        Ok(Self {
            id: row.id,
            office_id: row.office_id,
            kind,
            from_year: row.from_year,
            to_year: row.to_year,
            held_by: row.held_by,
            valid_from: row.valid_from,
        })
    }
}

/// Records which office holds registers from a day on.
///
/// # Errors
/// [`StoreError`].
pub async fn add(
    conn: &mut PgConnection,
    custody: &Custody,
    set_by: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO register_custody (id, office_id, kind, from_year, to_year, held_by, valid_from, set_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(custody.id)
    .bind(custody.office_id)
    .bind(custody.kind.as_str())
    .bind(custody.from_year)
    .bind(custody.to_year)
    .bind(custody.held_by)
    .bind(custody.valid_from)
    .bind(set_by)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The office that holds the register of an office of registration on a day; itself unless it moved.
///
/// # Errors
/// [`StoreError`].
pub async fn holder(
    conn: &mut PgConnection,
    office_id: Uuid,
    kind: RegisterKind,
    year: i16,
    on_date: NaiveDate,
) -> Result<Uuid, StoreError> {
    let custodies = reached(conn, office_id, kind).await?;
    Ok(custody::holder(&custodies, office_id, kind, year, on_date))
}

/// All that was said of registers of this kind, one after the other: moves are said while nobody else says one.
///
/// # Errors
/// [`StoreError`].
pub async fn lock_all(conn: &mut PgConnection, kind: RegisterKind) -> Result<Vec<Custody>, StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('register_custody', 0))")
        .execute(&mut *conn)
        .await?;
    let rows = sqlx::query_as(
        "SELECT id, office_id, kind, from_year, to_year, held_by, valid_from FROM register_custody WHERE kind = $1",
    )
    .bind(kind.as_str())
    .fetch_all(conn)
    .await?;
    custodies(rows)
}

/// The moves that a register of this office can have made.
async fn reached(
    conn: &mut PgConnection,
    office_id: Uuid,
    kind: RegisterKind,
) -> Result<Vec<Custody>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "WITH RECURSIVE reached (office_id) AS (
             SELECT $1::uuid
             UNION
             SELECT c.held_by FROM register_custody c JOIN reached USING (office_id) WHERE c.kind = $2
         )
         SELECT c.id, c.office_id, c.kind, c.from_year, c.to_year, c.held_by, c.valid_from
         FROM register_custody c JOIN reached USING (office_id) WHERE c.kind = $2",
    )
    .bind(office_id)
    .bind(kind.as_str())
    .fetch_all(conn)
    .await?;
    custodies(rows)
}

/// The registers that some offices hold on a day.
#[derive(Debug, Clone)]
pub struct Held {
    custodies: Vec<Custody>,
    holders: Vec<Uuid>,
    on_date: NaiveDate,
}

impl Held {
    /// The offices of registration of which these offices can hold a register: themselves, and those whose registers came to them.
    pub fn offices(&self) -> Vec<Uuid> {
        let mut offices = self.holders.clone();
        let mut next = 0;
        while let Some(holder) = offices.get(next).copied() {
            for custody in &self.custodies {
                if custody.held_by == holder && !offices.contains(&custody.office_id) {
                    offices.push(custody.office_id);
                }
            }
            next += 1;
        }
        offices
    }

    /// The office that holds this register.
    pub fn holder(&self, office_id: Uuid, kind: RegisterKind, year: i16) -> Uuid {
        custody::holder(&self.custodies, office_id, kind, year, self.on_date)
    }

    /// Whether one of the offices holds this register.
    pub fn holds(&self, office_id: Uuid, kind: RegisterKind, year: i16) -> bool {
        self.holders.contains(&self.holder(office_id, kind, year))
    }
}

/// The registers that these offices hold on a day.
///
/// # Errors
/// [`StoreError`].
pub async fn held_by(
    conn: &mut PgConnection,
    holders: Vec<Uuid>,
    on_date: NaiveDate,
) -> Result<Held, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, office_id, kind, from_year, to_year, held_by, valid_from FROM register_custody WHERE valid_from <= $1",
    )
    .bind(on_date)
    .fetch_all(conn)
    .await?;
    Ok(Held {
        custodies: custodies(rows)?,
        holders,
        on_date,
    })
}

fn custodies(rows: Vec<Row>) -> Result<Vec<Custody>, StoreError> {
    rows.into_iter().map(Custody::try_from).collect()
}
