//! Rows of the intent tables as domain values.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::TABLE;
use crate::domain::commitment::Salt;
use crate::domain::fact::RegisterNumber;
use crate::domain::intent::{Hindrance, IntentState, Phase, Prepared, SealFile, SealIntent, Signed};
use crate::domain::recipe::Recipe;
use crate::domain::seal_facts::SealedFileKind;
use crate::domain::verification_code::VerificationCode;
use crate::store::StoreError;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: Uuid,
    request_id: Uuid,
    office_id: Uuid,
    officer_id: Uuid,
    agent_id: Uuid,
    applicant_id: Uuid,
    credential_id: Uuid,
    state: String,
    register_year: i32,
    register_number: i32,
    entered_on: NaiveDate,
    code: String,
    salt: Vec<u8>,
    recipe: String,
    page_recipe: Option<String>,
    created_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
pub(super) struct FileRow {
    intent_id: Uuid,
    kind: String,
    phase: String,
    prepared_key: Option<String>,
    byte_range: Option<Vec<i64>>,
    digest: Option<Vec<u8>>,
    contents_offset: Option<i64>,
    contents_len: Option<i64>,
    prepared_at: Option<DateTime<Utc>>,
    confirmation_id: Option<Uuid>,
    signature_value: Option<Vec<u8>>,
    signed_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    hindrance: Option<String>,
    attempts: i32,
}

/// A recipe as it is kept: its letters never change again.
pub(super) fn recipe_text(recipe: &Recipe) -> Result<String, StoreError> {
    serde_json::to_string(recipe).map_err(|error| StoreError::Database(sqlx::Error::Encode(error.into())))
}

impl Row {
    pub(super) fn with_files(self, files: &[FileRow]) -> Result<SealIntent, StoreError> {
        let inconsistent = |column| StoreError::Inconsistent {
            table: TABLE,
            column,
            id: self.id,
        };
        let own = files.iter().filter(|file| file.intent_id == self.id);
        let page_recipe = self.page_recipe.as_deref().map(serde_json::from_str).transpose();
        Ok(SealIntent {
            id: self.id,
            request_id: self.request_id,
            office_id: self.office_id,
            officer_id: self.officer_id,
            agent_id: self.agent_id,
            applicant_id: self.applicant_id,
            credential_id: self.credential_id,
            state: IntentState::parse(&self.state).ok_or(inconsistent("state"))?,
            register: RegisterNumber {
                year: self.register_year,
                number: self.register_number,
            },
            date: self.entered_on,
            code: VerificationCode::parse(&self.code).ok_or(inconsistent("code"))?,
            salt: Salt(self.salt[..].try_into().map_err(|_| inconsistent("salt"))?),
            recipe: serde_json::from_str(&self.recipe).map_err(|_| inconsistent("recipe"))?,
            page_recipe: page_recipe.map_err(|_| inconsistent("page_recipe"))?,
            created_at: self.created_at,
            files: own.map(FileRow::file).collect::<Result<_, _>>()?,
        })
    }
}

impl FileRow {
    fn file(&self) -> Result<SealFile, StoreError> {
        let kind = SealedFileKind::parse(&self.kind).ok_or(self.inconsistent("kind"))?;
        let phase = match (
            self.phase.as_str(),
            self.prepared()?,
            self.signed(),
            self.finished_at,
        ) {
            ("FROZEN", None, None, None) => Phase::Frozen,
            ("PREPARED", Some(prepared), None, None) => Phase::Prepared(prepared),
            ("SIGNED", Some(prepared), Some(signed), None) => Phase::Signed(prepared, signed),
            ("FINISHED", Some(prepared), Some(signed), Some(at)) => Phase::Finished(prepared, signed, at),
            _ => return Err(self.inconsistent("phase")),
        };
        let hindrance = match &self.hindrance {
            Some(text) => Some(Hindrance::parse(text).ok_or(self.inconsistent("hindrance"))?),
            None => None,
        };
        Ok(SealFile {
            kind,
            phase,
            hindrance,
            attempts: self.attempts,
        })
    }

    fn prepared(&self) -> Result<Option<Prepared>, StoreError> {
        let (
            Some(object_key),
            Some(byte_range),
            Some(digest),
            Some(contents_offset),
            Some(contents_len),
            Some(prepared_at),
        ) = (
            &self.prepared_key,
            &self.byte_range,
            &self.digest,
            self.contents_offset,
            self.contents_len,
            self.prepared_at,
        )
        else {
            return Ok(None);
        };
        let range: Vec<u64> = byte_range
            .iter()
            .map(|number| u64::try_from(*number))
            .collect::<Result<_, _>>()
            .map_err(|_| self.inconsistent("byte_range"))?;
        Ok(Some(Prepared {
            object_key: object_key.clone(),
            byte_range: range.try_into().map_err(|_| self.inconsistent("byte_range"))?,
            digest: digest[..].try_into().map_err(|_| self.inconsistent("digest"))?,
            contents_offset: usize::try_from(contents_offset)
                .map_err(|_| self.inconsistent("contents_offset"))?,
            contents_len: usize::try_from(contents_len).map_err(|_| self.inconsistent("contents_len"))?,
            prepared_at,
        }))
    }

    fn signed(&self) -> Option<Signed> {
        Some(Signed {
            confirmation_id: self.confirmation_id?,
            signature_value: self.signature_value.clone()?,
            signed_at: self.signed_at?,
        })
    }

    fn inconsistent(&self, column: &'static str) -> StoreError {
        StoreError::Inconsistent {
            table: "seal_file",
            column,
            id: self.intent_id,
        }
    }
}
