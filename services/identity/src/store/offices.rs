//! Tables `office` and `office_service`.

use std::collections::HashMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::office::{Office, OfficeCode, OfficeDetails, OfficeKind, ServicePeriod};
use crate::domain::vocabulary::{OfferedService, Word};

const TABLE: &str = "office";

#[derive(sqlx::FromRow)]
struct OfficeRow {
    office_id: Uuid,
    version: i64,
    code: String,
    parent_office_id: Option<Uuid>,
    kind: String,
    name_ar: String,
    name_fr: String,
    hcp_code: String,
    active_from: NaiveDate,
    active_to: Option<NaiveDate>,
}

impl TryFrom<OfficeRow> for Office {
    type Error = StoreError;

    fn try_from(row: OfficeRow) -> Result<Self, StoreError> {
        let reading = Reading {
            table: TABLE,
            id: &row.office_id,
        };
        Ok(Self {
            id: row.office_id,
            version: row.version,
            parent_id: row.parent_office_id,
            details: OfficeDetails {
                code: OfficeCode::parse(&row.code).map_err(|_| reading.wrong("code"))?,
                kind: reading.word("kind", &row.kind)?,
                name_ar: row.name_ar,
                name_fr: row.name_fr,
                hcp_code: row.hcp_code,
            },
            active: reading.period("active_to", row.active_from, row.active_to)?,
            services: Vec::new(),
        })
    }
}

#[derive(sqlx::FromRow)]
struct ServiceRow {
    office_id: Uuid,
    service: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

impl ServiceRow {
    fn read(&self) -> Result<ServicePeriod, StoreError> {
        let reading = Reading {
            table: "office_service",
            id: &self.office_id,
        };
        Ok(ServicePeriod {
            service: reading.word("service", &self.service)?,
            period: reading.period("valid_to", self.valid_from, self.valid_to)?,
        })
    }
}

async fn with_services(conn: &mut PgConnection, rows: Vec<OfficeRow>) -> Result<Vec<Office>, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.office_id).collect();
    let services: Vec<ServiceRow> = sqlx::query_as("SELECT * FROM office_service WHERE office_id = ANY($1)")
        .bind(ids)
        .fetch_all(conn)
        .await?;
    let mut by_office: HashMap<Uuid, Vec<ServicePeriod>> = HashMap::new();
    for row in &services {
        by_office.entry(row.office_id).or_default().push(row.read()?);
    }
    rows.into_iter()
        .map(|row| {
            let mut office = Office::try_from(row)?;
            office.services = by_office.remove(&office.id).unwrap_or_default();
            office
                .services
                .sort_by_key(|offer| (offer.service, offer.period.from()));
            Ok(office)
        })
        .collect()
}

pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Office>, StoreError> {
    let row: Option<OfficeRow> = sqlx::query_as("SELECT * FROM office WHERE office_id = $1")
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    Ok(with_services(conn, row.into_iter().collect()).await?.pop())
}

pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Office>, StoreError> {
    let row: Option<OfficeRow> = sqlx::query_as("SELECT * FROM office WHERE office_id = $1 FOR UPDATE")
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    Ok(with_services(conn, row.into_iter().collect()).await?.pop())
}

/// What a list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Directly below this office.
    pub parent: Option<Uuid>,
    /// Offers this service on this day.
    pub offering: Option<(OfferedService, NaiveDate)>,
}

/// Offices in order of code, after `after`.
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<&str>,
    most: i64,
) -> Result<Vec<Office>, StoreError> {
    let rows: Vec<OfficeRow> = sqlx::query_as(
        "SELECT o.* FROM office o
         WHERE ($1::uuid IS NULL OR o.parent_office_id = $1)
           AND ($2::text IS NULL
                OR (o.active_from <= $3 AND (o.active_to IS NULL OR o.active_to >= $3)
                    AND EXISTS (SELECT FROM office_service s
                                WHERE s.office_id = o.office_id AND s.service = $2 AND s.valid_from <= $3
                                  AND (s.valid_to IS NULL OR s.valid_to >= $3))))
           AND ($4::text IS NULL OR o.code > $4)
         ORDER BY o.code LIMIT $5",
    )
    .bind(filter.parent)
    .bind(filter.offering.map(|(service, _)| service.as_str()))
    .bind(filter.offering.map(|(_, day)| day))
    .bind(after)
    .bind(most)
    .fetch_all(&mut *conn)
    .await?;
    with_services(conn, rows).await
}

/// # Errors
/// A broken constraint `office_code_key` when the code is taken.
pub async fn insert(conn: &mut PgConnection, office: &Office) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO office (office_id, version, code, parent_office_id, kind, name_ar, name_fr, hcp_code, active_from, active_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(office.id)
    .bind(office.version)
    .bind(office.details.code.as_str())
    .bind(office.parent_id)
    .bind(office.details.kind.as_str())
    .bind(&office.details.name_ar)
    .bind(&office.details.name_fr)
    .bind(&office.details.hcp_code)
    .bind(office.active.from())
    .bind(office.active.to())
    .execute(conn)
    .await?;
    Ok(())
}

/// Saves the next version of a locked office, one of whose services was set.
pub async fn save_service(
    conn: &mut PgConnection,
    office: &Office,
    offer: ServicePeriod,
) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE office SET version = $2 WHERE office_id = $1 AND version = $2 - 1")
        .bind(office.id)
        .bind(office.version)
        .execute(&mut *conn)
        .await?;
    exactly_one(&done, TABLE, office.id)?;
    sqlx::query(
        "INSERT INTO office_service (office_id, service, valid_from, valid_to) VALUES ($1, $2, $3, $4)
         ON CONFLICT (office_id, service, valid_from) DO UPDATE SET valid_to = excluded.valid_to",
    )
    .bind(office.id)
    .bind(offer.service.as_str())
    .bind(offer.period.from())
    .bind(offer.period.to())
    .execute(conn)
    .await?;
    Ok(())
}

/// Ids and kinds of the offices with these codes.
pub async fn by_codes(
    conn: &mut PgConnection,
    codes: &[&str],
) -> Result<HashMap<OfficeCode, (Uuid, OfficeKind)>, StoreError> {
    let rows: Vec<(Uuid, String, String)> =
        sqlx::query_as("SELECT office_id, code, kind FROM office WHERE code = ANY($1)")
            .bind(codes)
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(id, code, kind)| {
            let reading = Reading {
                table: TABLE,
                id: &id,
            };
            let code = OfficeCode::parse(&code).map_err(|_| reading.wrong("code"))?;
            Ok((code, (id, reading.word("kind", &kind)?)))
        })
        .collect()
}

/// The office and all above it.
pub async fn ancestry(conn: &mut PgConnection, id: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let rows: Vec<(Uuid,)> = sqlx::query_as(
        "WITH RECURSIVE above AS (
             SELECT office_id, parent_office_id FROM office WHERE office_id = $1
             UNION
             SELECT o.office_id, o.parent_office_id FROM office o JOIN above a ON o.office_id = a.parent_office_id
         )
         SELECT office_id FROM above",
    )
    .bind(id)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
