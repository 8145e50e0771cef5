//! Table `membership`.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::membership::{Grant, Membership};
use crate::domain::office::Period;
use crate::domain::vocabulary::{Role, Word};

const TABLE: &str = "membership";

#[derive(sqlx::FromRow)]
struct MembershipRow {
    membership_id: Uuid,
    version: i64,
    office_id: Uuid,
    person_id: Uuid,
    role: String,
    deputy_for: Option<Uuid>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    ended_at: Option<DateTime<Utc>>,
    display_name: String,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = StoreError;

    fn try_from(row: MembershipRow) -> Result<Self, StoreError> {
        let reading = Reading {
            table: TABLE,
            id: &row.membership_id,
        };
        Ok(Self {
            id: row.membership_id,
            version: row.version,
            office_id: row.office_id,
            person_id: row.person_id,
            role: reading.word("role", &row.role)?,
            deputy_for: row.deputy_for,
            period: reading.period("valid_to", row.valid_from, row.valid_to)?,
            ended_at: row.ended_at,
            display_name: row.display_name,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.*, p.name_latin_given || ' ' || p.name_latin_family AS display_name
             FROM membership m JOIN person p ON p.person_id = m.person_id ",
            $rest
        )
    };
}

pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Membership>, StoreError> {
    let row: Option<MembershipRow> = sqlx::query_as(select!("WHERE m.membership_id = $1 FOR UPDATE OF m"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Membership::try_from).transpose()
}

/// Memberships of an office that were not ended, oldest first, after `after`.
pub async fn list(
    conn: &mut PgConnection,
    office: Uuid,
    after: Option<Uuid>,
    most: i64,
) -> Result<Vec<Membership>, StoreError> {
    let rows: Vec<MembershipRow> = sqlx::query_as(select!(
        "WHERE m.office_id = $1 AND m.ended_at IS NULL AND ($2::uuid IS NULL OR m.membership_id > $2)
         ORDER BY m.membership_id LIMIT $3"
    ))
    .bind(office)
    .bind(after)
    .bind(most)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Membership::try_from).collect()
}

/// Whether the person holds this role at this office on a day of the period. The caller has locked the person.
pub async fn exists(
    conn: &mut PgConnection,
    person: Uuid,
    office: Uuid,
    role: Role,
    period: Period,
) -> Result<bool, StoreError> {
    let (exists,): (bool,) = sqlx::query_as(
        "SELECT EXISTS (
             SELECT FROM membership
             WHERE person_id = $1 AND office_id = $2 AND role = $3 AND ended_at IS NULL
               AND ($5::date IS NULL OR valid_from <= $5) AND (valid_to IS NULL OR valid_to >= $4))",
    )
    .bind(person)
    .bind(office)
    .bind(role.as_str())
    .bind(period.from())
    .bind(period.to())
    .fetch_one(conn)
    .await?;
    Ok(exists)
}

pub async fn insert(conn: &mut PgConnection, membership: &Membership) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO membership (membership_id, version, office_id, person_id, role, deputy_for, valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(membership.id)
    .bind(membership.version)
    .bind(membership.office_id)
    .bind(membership.person_id)
    .bind(membership.role.as_str())
    .bind(membership.deputy_for)
    .bind(membership.period.from())
    .bind(membership.period.to())
    .execute(conn)
    .await?;
    Ok(())
}

/// Saves the end of a locked membership.
pub async fn save_end(conn: &mut PgConnection, membership: &Membership) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE membership SET version = $2, ended_at = $3 WHERE membership_id = $1 AND version = $2 - 1",
    )
    .bind(membership.id)
    .bind(membership.version)
    .bind(membership.ended_at)
    .execute(conn)
    .await?;
    exactly_one(&done, TABLE, membership.id)
}

/// What a person holds on a day, at offices that are active then.
pub async fn grants(conn: &mut PgConnection, person: Uuid, day: NaiveDate) -> Result<Vec<Grant>, StoreError> {
    let rows: Vec<(Uuid, Uuid, String, bool)> = sqlx::query_as(
        "SELECT m.membership_id, m.office_id, m.role, m.deputy_for IS NOT NULL
         FROM membership m JOIN office o ON o.office_id = m.office_id
         WHERE m.person_id = $1 AND m.ended_at IS NULL
           AND m.valid_from <= $2 AND (m.valid_to IS NULL OR m.valid_to >= $2)
           AND o.active_from <= $2 AND (o.active_to IS NULL OR o.active_to >= $2)
         ORDER BY m.membership_id",
    )
    .bind(person)
    .bind(day)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(membership_id, office_id, role, deputy)| {
            let role = Reading {
                table: TABLE,
                id: &membership_id,
            }
            .word("role", &role)?;
            Ok(Grant {
                membership_id,
                office_id,
                role,
                deputy,
            })
        })
        .collect()
}
