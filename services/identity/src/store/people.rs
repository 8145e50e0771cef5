//! Table `person`.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Reading, StoreError, exactly_one};
use crate::domain::contact::{Email, Phone};
use crate::domain::identity_document::IdentityDocument;
use crate::domain::name::PersonName;
use crate::domain::person::{CivilIdentity, Person, Proof};
use crate::domain::vocabulary::Word;

const TABLE: &str = "person";

/// Columns of a civil identity, in `person` and in `sign_up`.
#[derive(sqlx::FromRow)]
pub(super) struct CivilRow {
    name_arabic_given: String,
    name_arabic_family: String,
    name_latin_given: String,
    name_latin_family: String,
    birth_date: NaiveDate,
    document_kind: String,
    document_number: String,
    document_typed: String,
}

impl CivilRow {
    pub(super) fn read(self, reading: &Reading<'_>) -> Result<CivilIdentity, StoreError> {
        let kind = reading.word("document_kind", &self.document_kind)?;
        Ok(CivilIdentity {
            name_arabic: PersonName::stored(self.name_arabic_given, self.name_arabic_family),
            name_latin: PersonName::stored(self.name_latin_given, self.name_latin_family),
            birth_date: self.birth_date,
            document: IdentityDocument::stored(kind, self.document_number, self.document_typed),
        })
    }
}

/// Columns of a proof, in `person` and in `specimen_version`.
#[derive(sqlx::FromRow)]
pub(super) struct ProofRow {
    proof_method: Option<String>,
    proof_office_id: Option<Uuid>,
    proof_official_id: Option<Uuid>,
    proved_at: Option<DateTime<Utc>>,
}

impl ProofRow {
    pub(super) fn read(self, reading: &Reading<'_>) -> Result<Option<Proof>, StoreError> {
        let Some(method) = self.proof_method else {
            return Ok(None);
        };
        Ok(Some(Proof {
            method: reading.word("proof_method", &method)?,
            office_id: self.proof_office_id,
            official_id: self.proof_official_id,
            at: self.proved_at.ok_or_else(|| reading.wrong("proved_at"))?,
        }))
    }
}

#[derive(sqlx::FromRow)]
struct PersonRow {
    person_id: Uuid,
    stream_id: Uuid,
    version: i64,
    #[sqlx(flatten)]
    civil: CivilRow,
    #[sqlx(flatten)]
    proof: ProofRow,
    email: String,
    phone: String,
    language: String,
    delivery_preference: String,
    platform_administrator: bool,
    created_at: DateTime<Utc>,
    totp_enrolled: bool,
}

impl TryFrom<PersonRow> for Person {
    type Error = StoreError;

    fn try_from(row: PersonRow) -> Result<Self, StoreError> {
        let reading = Reading {
            table: TABLE,
            id: &row.person_id,
        };
        Ok(Self {
            id: row.person_id,
            stream_id: row.stream_id,
            version: row.version,
            civil: row.civil.read(&reading)?,
            proof: row.proof.read(&reading)?,
            email: Email::parse(&row.email).map_err(|_| reading.wrong("email"))?,
            phone: Phone::parse(&row.phone).map_err(|_| reading.wrong("phone"))?,
            language: reading.word("language", &row.language)?,
            delivery_preference: reading.word("delivery_preference", &row.delivery_preference)?,
            platform_administrator: row.platform_administrator,
            totp_enrolled: row.totp_enrolled,
            created_at: row.created_at,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.*, EXISTS (SELECT FROM totp t WHERE t.person_id = p.person_id AND t.state = 'active') AS totp_enrolled
             FROM person p ",
            $rest
        )
    };
}

pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sqlx::query_as(select!("WHERE p.person_id = $1"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Person::try_from).transpose()
}

/// Locks the row until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sqlx::query_as(select!("WHERE p.person_id = $1 FOR UPDATE OF p"))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Person::try_from).transpose()
}

pub async fn find_by_email(conn: &mut PgConnection, email: &Email) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sqlx::query_as(select!("WHERE p.email_folded = $1"))
        .bind(email.folded())
        .fetch_optional(conn)
        .await?;
    row.map(Person::try_from).transpose()
}

/// A person who claims or holds a document, with the newest specimen version (0 when none).
pub struct Claimant {
    pub person: Person,
    pub specimen_version: i32,
}

#[derive(sqlx::FromRow)]
struct ClaimantRow {
    #[sqlx(flatten)]
    person: PersonRow,
    specimen_version: i32,
}

/// People who name the document, newest first.
pub async fn claimants(
    conn: &mut PgConnection,
    document: &IdentityDocument,
    most: i64,
) -> Result<Vec<Claimant>, StoreError> {
    let rows: Vec<ClaimantRow> = sqlx::query_as(
        "SELECT p.*, EXISTS (SELECT FROM totp t WHERE t.person_id = p.person_id AND t.state = 'active') AS totp_enrolled,
                coalesce(s.last_version, 0) AS specimen_version
         FROM person p LEFT JOIN specimen s ON s.person_id = p.person_id
         WHERE p.document_kind = $1 AND p.document_number = $2
         ORDER BY p.created_at DESC, p.person_id DESC LIMIT $3",
    )
    .bind(document.kind().as_str())
    .bind(document.number())
    .bind(most)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Claimant {
                person: row.person.try_into()?,
                specimen_version: row.specimen_version,
            })
        })
        .collect()
}

/// # Errors
/// A broken constraint `person_email_folded_key` when the address has an account, `person_proved_document` when the document
/// is bound to another person.
pub async fn insert(conn: &mut PgConnection, person: &Person, password_hash: &str) -> Result<(), StoreError> {
    let proof = person.proof.as_ref();
    sqlx::query(
        "INSERT INTO person (person_id, version, name_arabic_given, name_arabic_family, name_latin_given, name_latin_family,
                             birth_date, document_kind, document_number, document_typed, proof_method, proof_office_id,
                             proof_official_id, proved_at, email, email_folded, phone, language, delivery_preference,
                             password_hash, platform_administrator, created_at, stream_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                 $23)",
    )
    .bind(person.id)
    .bind(person.version)
    .bind(person.civil.name_arabic.given())
    .bind(person.civil.name_arabic.family())
    .bind(person.civil.name_latin.given())
    .bind(person.civil.name_latin.family())
    .bind(person.civil.birth_date)
    .bind(person.civil.document.kind().as_str())
    .bind(person.civil.document.number())
    .bind(person.civil.document.typed())
    .bind(proof.map(|proof| proof.method.as_str()))
    .bind(proof.and_then(|proof| proof.office_id))
    .bind(proof.and_then(|proof| proof.official_id))
    .bind(proof.map(|proof| proof.at))
    .bind(person.email.as_str())
    .bind(person.email.folded())
    .bind(person.phone.as_str())
    .bind(person.language.as_str())
    .bind(person.delivery_preference.as_str())
    .bind(password_hash)
    .bind(person.platform_administrator)
    .bind(person.created_at)
    .bind(person.stream_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps the proof that a person now has, with what was read on the document.
pub async fn keep_proof(conn: &mut PgConnection, person: &Person) -> Result<(), StoreError> {
    let Some(proof) = &person.proof else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO identity_proof (person_id, version, method, office_id, official_id, proved_at, document_kind,
                                     document_number, document_typed, name_arabic_given, name_arabic_family,
                                     name_latin_given, name_latin_family, birth_date)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(person.id)
    .bind(person.version)
    .bind(proof.method.as_str())
    .bind(proof.office_id)
    .bind(proof.official_id)
    .bind(proof.at)
    .bind(person.civil.document.kind().as_str())
    .bind(person.civil.document.number())
    .bind(person.civil.document.typed())
    .bind(person.civil.name_arabic.given())
    .bind(person.civil.name_arabic.family())
    .bind(person.civil.name_latin.given())
    .bind(person.civil.name_latin.family())
    .bind(person.civil.birth_date)
    .execute(conn)
    .await?;
    Ok(())
}

/// Saves the next version of a locked person.
///
/// # Errors
/// As [`insert`], and [`StoreError::Lost`].
pub async fn save(conn: &mut PgConnection, person: &Person) -> Result<(), StoreError> {
    let proof = person.proof.as_ref();
    let done = sqlx::query(
        "UPDATE person SET version = $2, name_arabic_given = $3, name_arabic_family = $4, name_latin_given = $5,
                           name_latin_family = $6, birth_date = $7, document_kind = $8, document_number = $9,
                           document_typed = $10, proof_method = $11, proof_office_id = $12, proof_official_id = $13,
                           proved_at = $14, email = $15, email_folded = $16, phone = $17, language = $18,
                           delivery_preference = $19
         WHERE person_id = $1 AND version = $2 - 1",
    )
    .bind(person.id)
    .bind(person.version)
    .bind(person.civil.name_arabic.given())
    .bind(person.civil.name_arabic.family())
    .bind(person.civil.name_latin.given())
    .bind(person.civil.name_latin.family())
    .bind(person.civil.birth_date)
    .bind(person.civil.document.kind().as_str())
    .bind(person.civil.document.number())
    .bind(person.civil.document.typed())
    .bind(proof.map(|proof| proof.method.as_str()))
    .bind(proof.and_then(|proof| proof.office_id))
    .bind(proof.and_then(|proof| proof.official_id))
    .bind(proof.map(|proof| proof.at))
    .bind(person.email.as_str())
    .bind(person.email.folded())
    .bind(person.phone.as_str())
    .bind(person.language.as_str())
    .bind(person.delivery_preference.as_str())
    .execute(conn)
    .await?;
    exactly_one(&done, TABLE, person.id)
}

/// Notes the first administrator; `false` when there was one.
pub async fn note_bootstrap(
    conn: &mut PgConnection,
    person: Uuid,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done =
        sqlx::query("INSERT INTO bootstrap (person_id, done_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(person)
            .bind(at)
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the first administrator exists.
pub async fn is_bootstrapped(conn: &mut PgConnection) -> Result<bool, StoreError> {
    let (done,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT FROM bootstrap)")
        .fetch_one(conn)
        .await?;
    Ok(done)
}
