//! Finding acts. Every statement goes through an index; what it cannot tell apart is ranked outside the database.

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use chrono::NaiveDate;

use super::read_key;
use crate::domain::act::Bilingual;
use crate::domain::act_key::{ActNumber, RegisterKind, RegisterPart};
use crate::domain::fold::Script;
use crate::domain::search::{MOST, Summary};
use crate::store::StoreError;

/// Acts born on one day: more than any office registers in one.
const MOST_OF_A_DAY: i64 = 2_000;
/// Acts of one family name, or of its neighbours, in one year.
const MOST_OF_A_FAMILY: i64 = 1_000;

/// Of these registers only.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Offices of registration.
    pub offices: Vec<Uuid>,
    pub kinds: Vec<RegisterKind>,
}

impl Scope {
    fn kinds(&self) -> Vec<&'static str> {
        self.kinds.iter().map(|kind| kind.as_str()).collect()
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    office_id: Uuid,
    kind: String,
    year: i16,
    part: String,
    number: String,
    given_arabic: String,
    given_latin: String,
    family_arabic: String,
    family_latin: String,
    birth_date: Option<String>,
}

impl TryFrom<Row> for Summary {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent {
            table: super::TABLE,
            column,
            id: row.id,
        };
        let birth_date = row
            .birth_date
            .map(|text| text.parse().map_err(|_| inconsistent("content")))
            .transpose()?;
        Ok(Self {
            id: row.id,
            key: read_key(row.office_id, &row.kind, row.year, &row.part, &row.number)
                .map_err(inconsistent)?,
            given_name: Bilingual::new(row.given_arabic, row.given_latin),
            family_name: Bilingual::new(row.family_arabic, row.family_latin),
            birth_date,
        })
    }
}

/// The statement for [`by_key`].
pub const BY_KEY: &str =
    "SELECT id, office_id, kind, year, part, number, given_arabic, given_latin, family_arabic, family_latin,
            content #>> '{birth_date,gregorian}' AS birth_date
     FROM act WHERE office_id = ANY ($1) AND kind = ANY ($2) AND year = $3 AND number = $4 AND ($5::text IS NULL OR part = $5)
     ORDER BY office_id, kind, part LIMIT $6";

/// Acts as they were first drawn up, and acts by what their notes have made of name and birth date. Of hundreds of candidates the content is
/// not opened for a date that has a column.
macro_rules! either {
    ($condition:literal) => {
        concat!(
            "(SELECT id, office_id, kind, year, part, number, given_arabic, given_latin, family_arabic, family_latin,
                     CASE WHEN born_on IS NULL THEN content #>> '{birth_date,gregorian}' ELSE to_char(born_on, 'YYYY-MM-DD') END
                         AS birth_date
              FROM act WHERE office_id = ANY ($1) AND kind = ANY ($2) AND ",
            $condition,
            ") UNION ALL
             (SELECT a.id, a.office_id, a.kind, a.year, a.part, a.number, k.given_arabic, k.given_latin, k.family_arabic, k.family_latin,
                     k.birth_date
              FROM (SELECT * FROM act_known_as WHERE office_id = ANY ($1) AND kind = ANY ($2) AND ",
            $condition,
            ") k JOIN act a ON a.id = k.act_id)"
        )
    };
}

/// The statement for [`born_on`].
pub const BORN_ON: &str = either!("born_on = $3 LIMIT $4");

/// The statement for [`of_family`] in Latin script.
pub const OF_FAMILY_LATIN: &str =
    either!("birth_year = $3 AND fold_latin >= $4 AND fold_latin < $5 LIMIT $6");

/// The statement for [`of_family`] in Arabic script.
pub const OF_FAMILY_ARABIC: &str =
    either!("birth_year = $3 AND fold_arabic >= $4 AND fold_arabic < $5 LIMIT $6");

/// Acts that were found.
#[derive(Debug, Default)]
pub struct Hits {
    /// One may stand here twice: as first drawn up, and as its notes have made it.
    pub acts: Vec<Summary>,
    /// There may be more of them.
    pub cut: bool,
}

impl Hits {
    fn read(rows: Vec<Row>, most: i64) -> Result<Self, StoreError> {
        let cut = rows.len() >= usize::try_from(most).unwrap_or(usize::MAX);
        let acts = rows
            .into_iter()
            .map(Summary::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Self { acts, cut })
    }

    /// Adds others to these.
    pub fn extend(&mut self, others: Self) {
        self.acts.extend(others.acts);
        self.cut |= others.cut;
    }
}

/// Acts with this year and number, of one part or of any.
///
/// # Errors
/// [`StoreError`].
pub async fn by_key(
    conn: &mut PgConnection,
    scope: &Scope,
    year: i16,
    part: Option<&RegisterPart>,
    number: &ActNumber,
) -> Result<Hits, StoreError> {
    // One more than is given: whether there are more of them is known then.
    let most = i64::try_from(MOST).unwrap_or(i64::MAX).saturating_add(1);
    let rows: Vec<Row> = sqlx::query_as(BY_KEY)
        .bind(&scope.offices)
        .bind(scope.kinds())
        .bind(year)
        .bind(number.as_str())
        .bind(part.map(RegisterPart::as_str))
        .bind(most)
        .fetch_all(conn)
        .await?;
    Hits::read(rows, most)
}

/// Acts of people born on this day.
///
/// # Errors
/// [`StoreError`].
pub async fn born_on(conn: &mut PgConnection, scope: &Scope, day: NaiveDate) -> Result<Hits, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(BORN_ON)
        .bind(&scope.offices)
        .bind(scope.kinds())
        .bind(day)
        .bind(MOST_OF_A_DAY)
        .fetch_all(conn)
        .await?;
    Hits::read(rows, MOST_OF_A_DAY)
}

/// Acts of people born in this year whose folded key in this script lies in the span.
///
/// # Errors
/// [`StoreError`].
pub async fn of_family(
    conn: &mut PgConnection,
    scope: &Scope,
    year: i16,
    script: Script,
    span: (String, String),
) -> Result<Hits, StoreError> {
    let statement = match script {
        Script::Latin => OF_FAMILY_LATIN,
        Script::Arabic => OF_FAMILY_ARABIC,
    };
    let rows: Vec<Row> = sqlx::query_as(statement)
        .bind(&scope.offices)
        .bind(scope.kinds())
        .bind(year)
        .bind(span.0)
        .bind(span.1)
        .bind(MOST_OF_A_FAMILY)
        .fetch_all(conn)
        .await?;
    Hits::read(rows, MOST_OF_A_FAMILY)
}
