//! Table `signing_credential`.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::credential::{Credential, ELECTRONIC_SEAL, Holder, KeyAlgorithm, KeyLocation, OFFICER};
use crate::domain::seal_authority::SealAuthority;
use crate::store::StoreError;

const TABLE: &str = "signing_credential";

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    office_id: Uuid,
    kind: String,
    holder_id: Uuid,
    token_label: String,
    key_label: String,
    algorithm: String,
    certificate: Vec<u8>,
    issuers: Vec<Vec<u8>>,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    registered_by: Uuid,
    registered_at: DateTime<Utc>,
    decision_reference: Option<String>,
    decision_date: Option<NaiveDate>,
    authority_name: Option<String>,
    document_kinds: Option<Vec<String>>,
    office_ids: Option<Vec<Uuid>>,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
}

/// A credential with the decision behind it.
const SELECT: &str = "SELECT signing_credential.*, decision_reference, decision_date, authority_name, document_kinds, office_ids,
                             valid_from, valid_to
    FROM signing_credential LEFT JOIN electronic_seal ON electronic_seal.credential_id = signing_credential.id";

impl Row {
    fn holder(&self) -> Result<Holder, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent {
            table: TABLE,
            column,
            id: self.id,
        };
        match self.kind.as_str() {
            OFFICER => Ok(Holder::Officer(self.holder_id)),
            ELECTRONIC_SEAL => Ok(Holder::Institution(
                self.authority()
                    .ok_or_else(|| inconsistent("decision_reference"))?,
            )),
            _ => Err(inconsistent("kind")),
        }
    }

    fn authority(&self) -> Option<SealAuthority> {
        Some(SealAuthority {
            decision_reference: self.decision_reference.clone()?,
            decision_date: self.decision_date?,
            authority_name: self.authority_name.clone()?,
            document_kinds: self.document_kinds.clone()?,
            office_ids: self.office_ids.clone()?,
            valid_from: self.valid_from?,
            valid_to: self.valid_to?,
        })
    }
}

impl TryFrom<Row> for Credential {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let algorithm = KeyAlgorithm::parse(&row.algorithm).ok_or(StoreError::Inconsistent {
            table: TABLE,
            column: "algorithm",
            id: row.id,
        })?;
        Ok(Self {
            id: row.id,
            office_id: row.office_id,
            holder: row.holder()?,
            key: KeyLocation {
                token_label: row.token_label,
                key_label: row.key_label,
                algorithm,
            },
            certificate: row.certificate,
            issuers: row.issuers,
            not_before: row.not_before,
            not_after: row.not_after,
            registered_by: row.registered_by,
            registered_at: row.registered_at,
        })
    }
}

/// Reads a credential.
///
/// # Errors
/// [`StoreError`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Credential>, StoreError> {
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1")))
        .bind(id)
        .fetch_optional(conn)
        .await?;
    row.map(Credential::try_from).transpose()
}

/// The officer's credential at an office whose certificate ends last, of those that may be used now; where none may, the last of
/// all, so that the caller can be told why.
///
/// # Errors
/// [`StoreError`].
pub async fn newest_of(
    conn: &mut PgConnection,
    office_id: Uuid,
    officer_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Credential>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE office_id = $1 AND holder_id = $2 AND signing_credential.kind = 'OFFICER'
         ORDER BY {USABLE} DESC, not_after DESC, id DESC LIMIT 1"
    );
    let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(office_id)
        .bind(officer_id)
        .bind(now)
        .fetch_optional(conn)
        .await?;
    row.map(Credential::try_from).transpose()
}

/// Whether a certificate may be used at an instant, `$3`.
const USABLE: &str = "(not_before <= $3 AND $3 <= not_after AND NOT EXISTS (
    SELECT FROM revoked_certificate WHERE certificate_sha256 = sha256(certificate)))";

/// Every electronic seal: those that may be used now first, and of these those whose certificate ends last.
///
/// # Errors
/// [`StoreError`].
pub async fn electronic_seals(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<Credential>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE signing_credential.kind = 'ELECTRONIC_SEAL'
         ORDER BY {} DESC, not_after DESC, id DESC",
        USABLE.replace("$3", "$1")
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(now)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Credential::try_from).collect()
}

/// Which credentials to list.
pub struct Filter {
    pub office_id: Uuid,
    /// Only this officer's.
    pub officer_id: Option<Uuid>,
    /// Only those after this id.
    pub after: Option<Uuid>,
    pub limit: i64,
}

/// Lists credentials in order of registration.
///
/// # Errors
/// [`StoreError`].
pub async fn list(conn: &mut PgConnection, filter: &Filter) -> Result<Vec<Credential>, StoreError> {
    let sql = format!(
        "{SELECT} WHERE office_id = $1 AND ($2::uuid IS NULL OR (holder_id = $2 AND signing_credential.kind = 'OFFICER'))
           AND ($3::uuid IS NULL OR id > $3)
         ORDER BY id LIMIT $4"
    );
    let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(filter.office_id)
        .bind(filter.officer_id)
        .bind(filter.after)
        .bind(filter.limit)
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Credential::try_from).collect()
}

/// What came of adding a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Yes,
    /// This certificate is registered for the holder and office already.
    Known,
    /// The public key, or the place of the private key, is another holder's.
    KeyOfAnother,
}

/// Adds a credential; `public_key_sha256` is of the certificate's SubjectPublicKeyInfo.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    conn: &mut PgConnection,
    credential: &Credential,
    public_key_sha256: [u8; 32],
) -> Result<Added, StoreError> {
    if !take_key(conn, credential, public_key_sha256).await? {
        return Ok(Added::KeyOfAnother);
    }
    let done = sqlx::query(
        "INSERT INTO signing_credential (id, office_id, holder_id, backend, token_label, key_label, algorithm, certificate,
                                         public_key_sha256, issuers, not_before, not_after, registered_by, registered_at, kind)
         VALUES ($1, $2, $3, 'pkcs11', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (office_id, holder_id, certificate) DO NOTHING",
    )
    .bind(credential.id)
    .bind(credential.office_id)
    .bind(credential.holder_id())
    .bind(&credential.key.token_label)
    .bind(&credential.key.key_label)
    .bind(credential.key.algorithm.as_str())
    .bind(&credential.certificate)
    .bind(&public_key_sha256[..])
    .bind(&credential.issuers)
    .bind(credential.not_before)
    .bind(credential.not_after)
    .bind(credential.registered_by)
    .bind(credential.registered_at)
    .bind(credential.holder.kind())
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(Added::Known);
    }
    if let Holder::Institution(authority) = &credential.holder {
        insert_authority(conn, credential.id, authority).await?;
    }
    Ok(Added::Yes)
}

async fn insert_authority(
    conn: &mut PgConnection,
    credential_id: Uuid,
    authority: &SealAuthority,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO electronic_seal (credential_id, decision_reference, decision_date, authority_name, document_kinds, office_ids,
                                      valid_from, valid_to)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(credential_id)
    .bind(&authority.decision_reference)
    .bind(authority.decision_date)
    .bind(&authority.authority_name)
    .bind(&authority.document_kinds)
    .bind(&authority.office_ids)
    .bind(authority.valid_from)
    .bind(authority.valid_to)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes key and place for the holder; `false` where one of them is another's. The first to commit has them.
async fn take_key(
    conn: &mut PgConnection,
    credential: &Credential,
    public_key_sha256: [u8; 32],
) -> Result<bool, StoreError> {
    sqlx::query(
        "INSERT INTO public_key_holder (public_key_sha256, holder_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(&public_key_sha256[..])
    .bind(credential.holder_id())
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO token_key_holder (token_label, key_label, holder_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(&credential.key.token_label)
    .bind(&credential.key.key_label)
    .bind(credential.holder_id())
    .execute(&mut *conn)
    .await?;
    let own = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM public_key_holder WHERE public_key_sha256 = $1 AND holder_id = $4)
            AND EXISTS (SELECT FROM token_key_holder WHERE token_label = $2 AND key_label = $3 AND holder_id = $4)",
    )
    .bind(&public_key_sha256[..])
    .bind(&credential.key.token_label)
    .bind(&credential.key.key_label)
    .bind(credential.holder_id())
    .fetch_one(conn)
    .await?;
    Ok(own)
}

/// The end of the newest certificate of each officer and office, for the expiry metric: how many end before each instant is
/// told by the caller.
///
/// # Errors
/// [`StoreError`].
pub async fn newest_ends(conn: &mut PgConnection) -> Result<Vec<DateTime<Utc>>, StoreError> {
    let ends =
        sqlx::query_scalar("SELECT max(not_after) FROM signing_credential GROUP BY office_id, holder_id")
            .fetch_all(conn)
            .await?;
    Ok(ends)
}
