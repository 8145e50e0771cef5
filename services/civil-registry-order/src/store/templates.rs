//! Versions of templates: the form of a document and the law that it cites.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::act_key::RegisterKind;
use crate::domain::kind::{Drawn, Form};
use crate::store::StoreError;

/// What a template is from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateVersion {
    pub id: Uuid,
    pub template: String,
    pub law_fr: String,
    pub law_ar: String,
    /// The same in all versions of a template.
    pub drawn: Drawn,
    /// The form as Typst; nothing: the one of this name that the service brings.
    pub source: Option<String>,
    pub valid_from: NaiveDate,
    /// The last day, where there is one.
    pub valid_to: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    template: String,
    law_fr: String,
    law_ar: String,
    register_kind: String,
    form: String,
    bilingual: bool,
    source: Option<String>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for TemplateVersion {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let wrong = |column| StoreError::Inconsistent {
            table: "template_version",
            column,
            id: row.id,
        };
        let register = RegisterKind::parse(&row.register_kind).ok_or_else(|| wrong("register_kind"))?;
        let form = Form::parse(&row.form).ok_or_else(|| wrong("form"))?;
        Ok(Self {
            id: row.id,
            template: row.template,
            law_fr: row.law_fr,
            law_ar: row.law_ar,
            drawn: Drawn {
                register,
                form,
                bilingual: row.bilingual,
            },
            source: row.source,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            created_at: row.created_at,
        })
    }
}

/// The version of a template in force on a day, as was known at an instant: the one that began last. Once it has ended there is none, though an
/// older one may have no end.
///
/// # Errors
/// [`StoreError`].
pub async fn in_force(
    conn: &mut PgConnection,
    template: &str,
    day: NaiveDate,
    known_at: DateTime<Utc>,
) -> Result<Option<TemplateVersion>, StoreError> {
    let sql = "SELECT * FROM (SELECT * FROM template_version WHERE template = $1 AND valid_from <= $2 AND created_at <= $3
                              ORDER BY valid_from DESC LIMIT 1) latest
               WHERE valid_to IS NULL OR valid_to >= $2";
    let row: Option<Row> = sqlx::query_as(sql)
        .bind(template)
        .bind(day)
        .bind(known_at)
        .fetch_optional(conn)
        .await?;
    row.map(TemplateVersion::try_from).transpose()
}

/// What a template draws, whatever the day; nothing where there is no such template.
///
/// # Errors
/// [`StoreError`].
pub async fn drawn(conn: &mut PgConnection, template: &str) -> Result<Option<Drawn>, StoreError> {
    // Two first versions that come together see each other.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('wathiq.template_version'))")
        .execute(&mut *conn)
        .await?;
    let sql = "SELECT * FROM template_version WHERE template = $1 ORDER BY valid_from LIMIT 1";
    let row: Option<Row> = sqlx::query_as(sql).bind(template).fetch_optional(conn).await?;
    Ok(row
        .map(TemplateVersion::try_from)
        .transpose()?
        .map(|version| version.drawn))
}

/// Adds a version; gives `false` where that date has one.
///
/// # Errors
/// [`StoreError`].
pub async fn add(conn: &mut PgConnection, version: &TemplateVersion) -> Result<bool, StoreError> {
    let sql = "INSERT INTO template_version (id, template, law_fr, law_ar, register_kind, form, bilingual, source, valid_from, valid_to, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (template, valid_from) DO NOTHING";
    let done = sqlx::query(sql)
        .bind(version.id)
        .bind(&version.template)
        .bind(&version.law_fr)
        .bind(&version.law_ar)
        .bind(version.drawn.register.as_str())
        .bind(version.drawn.form.as_str())
        .bind(version.drawn.bilingual)
        .bind(&version.source)
        .bind(version.valid_from)
        .bind(version.valid_to)
        .bind(version.created_at)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
