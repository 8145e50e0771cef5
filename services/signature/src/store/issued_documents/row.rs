//! Rows of `issued_document` as domain values.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::TABLE;
use crate::domain::commitment::Salt;
use crate::domain::intent::{Hindrance, Prepared};
use crate::domain::issued_document::{
    Deposit, IssuedDocument, IssuedState, SealMode, SealedFile, Signed, Stage, Title,
};
use crate::domain::verification_code::VerificationCode;
use crate::store::StoreError;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: Uuid,
    owner: String,
    owner_reference: String,
    office_id: Uuid,
    kind: String,
    title_ar: String,
    title_fr: String,
    title_en: String,
    seal_mode: String,
    code: String,
    signing_officer: Option<Uuid>,
    source_sha256: Vec<u8>,
    salt: Vec<u8>,
    state: String,
    prepared_key: String,
    byte_range: Vec<i64>,
    digest: Vec<u8>,
    contents_offset: i64,
    contents_len: i64,
    created_at: DateTime<Utc>,
    confirmation_id: Option<Uuid>,
    credential_id: Option<Uuid>,
    signature_value: Option<Vec<u8>>,
    signed_at: Option<DateTime<Utc>>,
    hindrance: Option<String>,
    attempts: i32,
    sealed_key: Option<String>,
    size_bytes: Option<i64>,
    sha256: Option<Vec<u8>>,
    commitment: Option<Vec<u8>>,
    level: Option<String>,
    ended_at: Option<DateTime<Utc>>,
}

impl Row {
    fn inconsistent(&self, column: &'static str) -> StoreError {
        StoreError::Inconsistent {
            table: TABLE,
            column,
            id: self.id,
        }
    }

    fn digest(&self, column: &'static str, bytes: Option<&[u8]>) -> Result<[u8; 32], StoreError> {
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| self.inconsistent(column))
    }

    fn signed(&self) -> Result<Signed, StoreError> {
        let missing = |column| self.inconsistent(column);
        Ok(Signed {
            confirmation_id: self.confirmation_id.ok_or_else(|| missing("confirmation_id"))?,
            credential_id: self.credential_id.ok_or_else(|| missing("credential_id"))?,
            signature_value: self
                .signature_value
                .clone()
                .ok_or_else(|| missing("signature_value"))?,
            signed_at: self.signed_at.ok_or_else(|| missing("signed_at"))?,
        })
    }

    fn sealed(&self) -> Result<SealedFile, StoreError> {
        let missing = |column| self.inconsistent(column);
        Ok(SealedFile {
            object_key: self.sealed_key.clone().ok_or_else(|| missing("sealed_key"))?,
            size_bytes: self.size_bytes.ok_or_else(|| missing("size_bytes"))?,
            sha256: self.digest("sha256", self.sha256.as_deref())?,
            commitment: self.digest("commitment", self.commitment.as_deref())?,
            level: self.level.clone().ok_or_else(|| missing("level"))?,
            sealed_at: self.ended_at.ok_or_else(|| missing("ended_at"))?,
        })
    }

    fn stage(&self) -> Result<Stage, StoreError> {
        let state = IssuedState::parse(&self.state).ok_or_else(|| self.inconsistent("state"))?;
        Ok(match state {
            IssuedState::WaitingForOfficer => Stage::WaitingForOfficer,
            IssuedState::Signed => Stage::Signed(self.signed()?),
            IssuedState::Sealed => Stage::Sealed(self.signed()?, self.sealed()?),
            IssuedState::Withdrawn => Stage::Withdrawn,
            IssuedState::Failed => Stage::Failed(self.signed()?),
        })
    }

    fn prepared(&self) -> Result<Prepared, StoreError> {
        let range: Option<Vec<u64>> = self.byte_range.iter().map(|n| u64::try_from(*n).ok()).collect();
        let byte_range = range.and_then(|range| range.try_into().ok());
        let size = |column, value: i64| usize::try_from(value).map_err(|_| self.inconsistent(column));
        Ok(Prepared {
            object_key: self.prepared_key.clone(),
            byte_range: byte_range.ok_or_else(|| self.inconsistent("byte_range"))?,
            digest: self.digest("digest", Some(&self.digest))?,
            contents_offset: size("contents_offset", self.contents_offset)?,
            contents_len: size("contents_len", self.contents_len)?,
            prepared_at: self.created_at,
        })
    }

    fn deposit(&self) -> Result<Deposit, StoreError> {
        Ok(Deposit {
            owner: self.owner.clone(),
            owner_reference: self.owner_reference.clone(),
            office_id: self.office_id,
            kind: self.kind.clone(),
            title: Title {
                ar: self.title_ar.clone(),
                fr: self.title_fr.clone(),
                en: self.title_en.clone(),
            },
            seal_mode: SealMode::parse(&self.seal_mode).ok_or_else(|| self.inconsistent("seal_mode"))?,
            signing_officer: self.signing_officer,
            code: VerificationCode::parse(&self.code).ok_or_else(|| self.inconsistent("code"))?,
            source_sha256: self.digest("source_sha256", Some(&self.source_sha256))?,
        })
    }
}

impl TryFrom<Row> for IssuedDocument {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let hindrance = match &row.hindrance {
            Some(text) => Some(Hindrance::parse(text).ok_or_else(|| row.inconsistent("hindrance"))?),
            None => None,
        };
        Ok(Self {
            id: row.id,
            deposit: row.deposit()?,
            salt: Salt(row.digest("salt", Some(&row.salt))?),
            prepared: row.prepared()?,
            stage: row.stage()?,
            hindrance,
            attempts: row.attempts,
        })
    }
}
