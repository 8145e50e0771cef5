//! Table `sign_up`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::people::CivilRow;
use super::{Reading, StoreError, exactly_one};
use crate::domain::contact::{Email, Phone};
use crate::domain::sign_up::{NewAccount, SignUp};
use crate::domain::vocabulary::Word;

const TABLE: &str = "sign_up";

#[derive(sqlx::FromRow)]
struct SignUpRow {
    sign_up_id: Uuid,
    #[sqlx(flatten)]
    civil: CivilRow,
    email: String,
    phone: String,
    language: String,
    password_hash: String,
    email_proved: bool,
    phone_proved: bool,
    expires_at: DateTime<Utc>,
    person_id: Option<Uuid>,
}

pub async fn insert(conn: &mut PgConnection, sign_up: &SignUp) -> Result<(), StoreError> {
    let account = &sign_up.account;
    sqlx::query(
        "INSERT INTO sign_up (sign_up_id, name_arabic_given, name_arabic_family, name_latin_given, name_latin_family,
                              birth_date, document_kind, document_number, document_typed, email, phone, language,
                              password_hash, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(sign_up.id)
    .bind(account.civil.name_arabic.given())
    .bind(account.civil.name_arabic.family())
    .bind(account.civil.name_latin.given())
    .bind(account.civil.name_latin.family())
    .bind(account.civil.birth_date)
    .bind(account.civil.document.kind().as_str())
    .bind(account.civil.document.number())
    .bind(account.civil.document.typed())
    .bind(account.email.as_str())
    .bind(account.phone.as_str())
    .bind(account.language.as_str())
    .bind(&sign_up.password_hash)
    .bind(sign_up.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Option<SignUp>, StoreError> {
    let row: Option<SignUpRow> = sqlx::query_as("SELECT * FROM sign_up WHERE sign_up_id = $1 FOR UPDATE")
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        let reading = Reading {
            table: TABLE,
            id: &row.sign_up_id,
        };
        Ok(SignUp {
            id: row.sign_up_id,
            account: NewAccount {
                civil: row.civil.read(&reading)?,
                email: Email::parse(&row.email).map_err(|_| reading.wrong("email"))?,
                phone: Phone::parse(&row.phone).map_err(|_| reading.wrong("phone"))?,
                language: reading.word("language", &row.language)?,
            },
            password_hash: row.password_hash,
            email_proved: row.email_proved,
            phone_proved: row.phone_proved,
            expires_at: row.expires_at,
            person_id: row.person_id,
        })
    })
    .transpose()
}

/// Saves the progress of a locked sign-up.
pub async fn save(conn: &mut PgConnection, sign_up: &SignUp) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE sign_up SET email_proved = $2, phone_proved = $3, person_id = $4
         WHERE sign_up_id = $1 AND person_id IS NULL",
    )
    .bind(sign_up.id)
    .bind(sign_up.email_proved)
    .bind(sign_up.phone_proved)
    .bind(sign_up.person_id)
    .execute(conn)
    .await?;
    exactly_one(&done, TABLE, sign_up.id)
}
