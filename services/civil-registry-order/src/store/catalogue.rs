//! Kinds of document, fees, ceilings, zones and holidays.

use chrono::NaiveDate;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::act_key::RegisterKind;
use crate::domain::fee::{Ceiling, Fee, Price, Schedule, Step};
use crate::domain::kind::DocumentKind;
use crate::domain::working_days::Calendar;
use crate::store::StoreError;

#[derive(FromRow)]
struct KindRow {
    id: Uuid,
    code: String,
    register_kind: String,
    name_ar: String,
    name_fr: String,
    name_en: String,
    form: String,
    routing: String,
    relations: Vec<String>,
    relations_with_evidence: Vec<String>,
    languages: Vec<String>,
    template: String,
    issuing_administration_ar: String,
    issuing_administration_fr: String,
    seal_mode: String,
    production_working_days: i16,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
}

impl KindRow {
    fn kind(self) -> Result<DocumentKind, StoreError> {
        let id = self.id;
        let wrong = |column: &'static str| StoreError::Inconsistent {
            table: "document_kind",
            column,
            id,
        };
        Ok(DocumentKind {
            id,
            code: self.code,
            register: RegisterKind::parse(&self.register_kind).ok_or_else(|| wrong("register_kind"))?,
            name_ar: self.name_ar,
            name_fr: self.name_fr,
            name_en: self.name_en,
            form: word(self.form).ok_or_else(|| wrong("form"))?,
            routing: word(self.routing).ok_or_else(|| wrong("routing"))?,
            relations: words(self.relations).ok_or_else(|| wrong("relations"))?,
            relations_with_evidence: words(self.relations_with_evidence)
                .ok_or_else(|| wrong("relations_with_evidence"))?,
            languages: words(self.languages).ok_or_else(|| wrong("languages"))?,
            template: self.template,
            issuing_administration_ar: self.issuing_administration_ar,
            issuing_administration_fr: self.issuing_administration_fr,
            seal_mode: word(self.seal_mode).ok_or_else(|| wrong("seal_mode"))?,
            production_working_days: self.production_working_days,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
        })
    }
}

fn word<T: TryFrom<String>>(text: String) -> Option<T> {
    T::try_from(text).ok()
}

fn words<T: TryFrom<String>>(texts: Vec<String>) -> Option<Vec<T>> {
    texts.into_iter().map(word).collect()
}

/// All versions of all kinds.
///
/// # Errors
/// [`StoreError`].
pub async fn kinds(conn: &mut PgConnection) -> Result<Vec<DocumentKind>, StoreError> {
    let rows: Vec<KindRow> = sqlx::query_as("SELECT * FROM document_kind ORDER BY code, valid_from")
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(KindRow::kind).collect()
}

/// Versions of kinds by their ids.
///
/// # Errors
/// [`StoreError`].
pub async fn kinds_by_id(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<DocumentKind>, StoreError> {
    let sql = "SELECT * FROM document_kind WHERE id = ANY($1)";
    let rows: Vec<KindRow> = sqlx::query_as(sql).bind(ids).fetch_all(conn).await?;
    rows.into_iter().map(KindRow::kind).collect()
}

/// Adds a version of a kind; gives `false` where that date has one.
///
/// # Errors
/// [`StoreError`].
pub async fn add_kind(conn: &mut PgConnection, kind: &DocumentKind) -> Result<bool, StoreError> {
    let relations = |all: &[crate::domain::kind::Relation]| -> Vec<&'static str> {
        all.iter().map(|relation| relation.as_str()).collect()
    };
    let languages: Vec<&str> = kind.languages.iter().map(|language| language.as_str()).collect();
    let done = sqlx::query(
        "INSERT INTO document_kind (id, code, register_kind, name_ar, name_fr, name_en, form, routing, relations, relations_with_evidence,
            languages, template, issuing_administration_ar, issuing_administration_fr, seal_mode, production_working_days, valid_from,
            valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (code, valid_from) DO NOTHING",
    )
    .bind(kind.id)
    .bind(&kind.code)
    .bind(kind.register.as_str())
    .bind(&kind.name_ar)
    .bind(&kind.name_fr)
    .bind(&kind.name_en)
    .bind(kind.form.as_str())
    .bind(kind.routing.as_str())
    .bind(relations(&kind.relations))
    .bind(relations(&kind.relations_with_evidence))
    .bind(languages)
    .bind(&kind.template)
    .bind(&kind.issuing_administration_ar)
    .bind(&kind.issuing_administration_fr)
    .bind(kind.seal_mode.as_str())
    .bind(kind.production_working_days)
    .bind(kind.valid_from)
    .bind(kind.valid_to)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Fees and ceilings, past and coming ones too.
///
/// # Errors
/// [`StoreError`].
pub async fn schedule(conn: &mut PgConnection) -> Result<Schedule, StoreError> {
    let sql = "SELECT id, document_kind, zone, valid_from, valid_to, from_copies, amount, office, post, tax
               FROM fee_schedule JOIN fee_step ON schedule_id = id
               ORDER BY document_kind, zone, valid_from, id, from_copies";
    let rows: Vec<StepRow> = sqlx::query_as(sql).fetch_all(&mut *conn).await?;
    let same = |one: &StepRow, next: &StepRow| one.id == next.id;
    let sql = "SELECT centimes, valid_from FROM fee_ceiling ORDER BY valid_from";
    let ceilings: Vec<(i64, NaiveDate)> = sqlx::query_as(sql).fetch_all(conn).await?;
    let ceiling = |(centimes, valid_from)| Ceiling { centimes, valid_from };
    Ok(Schedule {
        fees: rows.chunk_by(same).filter_map(fee).collect(),
        ceilings: ceilings.into_iter().map(ceiling).collect(),
    })
}

#[derive(FromRow)]
struct StepRow {
    id: Uuid,
    document_kind: String,
    zone: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    from_copies: i16,
    amount: i64,
    office: i64,
    post: i64,
    tax: i64,
}

fn fee(steps: &[StepRow]) -> Option<Fee> {
    let first = steps.first()?;
    let step = |row: &StepRow| Step {
        from_copies: row.from_copies,
        price: Price {
            amount: row.amount,
            office: row.office,
            post: row.post,
            tax: row.tax,
        },
    };
    Some(Fee {
        document_kind: first.document_kind.clone(),
        zone: first.zone.clone(),
        steps: steps.iter().map(step).collect(),
        valid_from: first.valid_from,
        valid_to: first.valid_to,
    })
}

/// Adds a fee; gives `false` where that date has one.
///
/// # Errors
/// [`StoreError`]; the constraint `fee_below_ceiling` is broken by what is above a ceiling.
pub async fn add_fee(conn: &mut PgConnection, id: Uuid, fee: &Fee) -> Result<bool, StoreError> {
    let sql =
        "INSERT INTO fee_schedule (id, document_kind, zone, valid_from, valid_to) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (document_kind, zone, valid_from) DO NOTHING";
    let done = sqlx::query(sql)
        .bind(id)
        .bind(&fee.document_kind)
        .bind(&fee.zone)
        .bind(fee.valid_from)
        .bind(fee.valid_to)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let part = |get: fn(&Price) -> i64| fee.steps.iter().map(|step| get(&step.price)).collect::<Vec<_>>();
    let sql = "INSERT INTO fee_step (schedule_id, from_copies, amount, office, post, tax)
               SELECT $1, * FROM unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])";
    sqlx::query(sql)
        .bind(id)
        .bind(fee.steps.iter().map(|step| step.from_copies).collect::<Vec<_>>())
        .bind(part(|price| price.amount))
        .bind(part(|price| price.office))
        .bind(part(|price| price.post))
        .bind(part(|price| price.tax))
        .execute(conn)
        .await?;
    Ok(true)
}

/// Moves the ceiling from a date on; gives `false` where that date has one.
///
/// # Errors
/// As [`add_fee`].
pub async fn add_ceiling(
    conn: &mut PgConnection,
    id: Uuid,
    ceiling: &Ceiling,
    legal_reference: &str,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO fee_ceiling (id, centimes, valid_from, legal_reference) VALUES ($1, $2, $3, $4)
               ON CONFLICT (valid_from) DO NOTHING";
    let done = sqlx::query(sql)
        .bind(id)
        .bind(ceiling.centimes)
        .bind(ceiling.valid_from)
        .bind(legal_reference)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The zone of a country on a day.
///
/// # Errors
/// [`StoreError`].
pub async fn zone(
    conn: &mut PgConnection,
    country_code: &str,
    day: NaiveDate,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT zone FROM destination_zone WHERE country_code IN ($1, '*') AND valid_from <= $2
               ORDER BY country_code = '*', valid_from DESC LIMIT 1";
    let found = sqlx::query_scalar(sql).bind(country_code).bind(day);
    Ok(found.fetch_optional(conn).await?)
}

/// The zones there are.
///
/// # Errors
/// [`StoreError`].
pub async fn zones(conn: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT zone FROM destination_zone ORDER BY zone";
    Ok(sqlx::query_scalar(sql).fetch_all(conn).await?)
}

/// A country, or all that are not named (`*`), in a zone from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub id: Uuid,
    pub country_code: String,
    pub zone: String,
    pub valid_from: NaiveDate,
}

/// Puts a country into a zone; gives `false` where that date has one for it.
///
/// # Errors
/// [`StoreError`].
pub async fn add_destination(conn: &mut PgConnection, destination: &Destination) -> Result<bool, StoreError> {
    let sql = "INSERT INTO destination_zone (id, country_code, zone, valid_from) VALUES ($1, $2, $3, $4)
               ON CONFLICT (country_code, valid_from) DO NOTHING";
    let done = sqlx::query(sql)
        .bind(destination.id)
        .bind(&destination.country_code)
        .bind(&destination.zone)
        .bind(destination.valid_from)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What is said of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    pub id: Uuid,
    pub day: NaiveDate,
    pub name: String,
    /// Offices work on it after all.
    pub working: bool,
}

/// Says of a day whether offices are closed; gives `false` where that is what was said last.
///
/// # Errors
/// [`StoreError`].
pub async fn add_holiday(conn: &mut PgConnection, holiday: &Holiday) -> Result<bool, StoreError> {
    // One at a time: what was said last decides.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('wathiq.holiday'))")
        .execute(&mut *conn)
        .await?;
    let sql = "INSERT INTO holiday (id, day, name, working)
               SELECT $1, $2, $3, $4
               WHERE $4 IS DISTINCT FROM coalesce((SELECT working FROM holiday WHERE day = $2 ORDER BY sequence DESC LIMIT 1), true)";
    let done = sqlx::query(sql)
        .bind(holiday.id)
        .bind(holiday.day)
        .bind(&holiday.name)
        .bind(holiday.working)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Working days.
///
/// # Errors
/// [`StoreError`].
pub async fn calendar(conn: &mut PgConnection) -> Result<Calendar, StoreError> {
    let sql = "SELECT day FROM (SELECT DISTINCT ON (day) day, working FROM holiday ORDER BY day, sequence DESC) said WHERE NOT working";
    let holidays: Vec<NaiveDate> = sqlx::query_scalar(sql).fetch_all(conn).await?;
    Ok(Calendar {
        holidays: holidays.into_iter().collect(),
    })
}
