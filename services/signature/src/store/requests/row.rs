//! A row of `legalisation_request` and what it says.

use chrono::{DateTime, NaiveDate, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::TABLE;
use crate::domain::comparison::{Comparison, ComparisonResult, SpecimenProof};
use crate::domain::placement::{Mark, Placement, Rectangle};
use crate::domain::receipt::Receipt;
use crate::domain::refusal::{Level, Refusal};
use crate::domain::request::{Confirmation, Facts, LegalisationRequest, Opening, Seal};
use crate::domain::state::State;
use crate::domain::strokes::Strokes;
use crate::store::StoreError;

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: Uuid,
    version: i64,
    state: String,
    applicant_id: Uuid,
    document_id: Uuid,
    office_id: Uuid,
    kind: String,
    destination: Value,
    mandatary: Option<Value>,
    fee_centimes: i64,
    resubmission_of: Option<Uuid>,
    page_number: Option<i32>,
    rectangle_x: Option<i64>,
    rectangle_y: Option<i64>,
    rectangle_width: Option<i64>,
    rectangle_height: Option<i64>,
    mark: Option<String>,
    strokes: Option<Vec<u8>>,
    confirmation_id: Option<Uuid>,
    confirmation_method: Option<String>,
    confirmed_at: Option<DateTime<Utc>>,
    confirmation_jws: Option<String>,
    subject_hash: Option<Vec<u8>>,
    confirmed_specimen: Option<i32>,
    signer: Option<Value>,
    receipt_number: Option<String>,
    submitted_at: Option<DateTime<Utc>>,
    expected_on: Option<NaiveDate>,
    agent_id: Option<Uuid>,
    comparison_result: Option<String>,
    comparison_note: Option<String>,
    specimen_version: Option<i32>,
    specimen_proof_method: Option<String>,
    specimen_proof_office_id: Option<Uuid>,
    specimen_proof_at: Option<DateTime<Utc>>,
    region_sha256: Option<Vec<u8>>,
    specimen_sha256: Option<Vec<u8>>,
    compared_at: Option<DateTime<Utc>>,
    return_note: Option<String>,
    refusal_code: Option<String>,
    refusal_text: Option<String>,
    refusal_level: Option<String>,
    refused_by: Option<Uuid>,
    refused_at: Option<DateTime<Utc>>,
    intent_id: Option<Uuid>,
    officer_id: Option<Uuid>,
    authorised_at: Option<DateTime<Utc>>,
    sealed_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for LegalisationRequest {
    type Error = StoreError;

    fn try_from(mut row: Row) -> Result<Self, StoreError> {
        let id = row.id;
        let facts = Facts {
            id,
            version: row.version,
            state: State::parse(&row.state).ok_or(inconsistent(id, "state"))?,
            placement: row.placement()?,
            confirmation: row.confirmation()?,
            receipt: row.receipt()?,
            comparison: row.comparison()?,
            return_note: row.return_note.take(),
            refusal: row.refusal()?,
            seal: row.seal()?,
            opening: Opening {
                applicant_id: row.applicant_id,
                document_id: row.document_id,
                office_id: row.office_id,
                kind: row.kind,
                destination: parsed(id, "destination", row.destination)?,
                mandatary: row
                    .mandatary
                    .map(|value| parsed(id, "mandatary", value))
                    .transpose()?,
                fee_centimes: row.fee_centimes,
                resubmission_of: row.resubmission_of,
            },
            created_at: row.created_at,
            updated_at: row.updated_at,
            expires_at: row.expires_at,
        };
        Self::restore(facts).map_err(|fault| inconsistent(id, fault.fact))
    }
}

fn inconsistent(id: Uuid, column: &'static str) -> StoreError {
    StoreError::Inconsistent {
        table: TABLE,
        column,
        id,
    }
}

fn parsed<T: DeserializeOwned>(id: Uuid, column: &'static str, value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|_| inconsistent(id, column))
}

impl Row {
    /// The value of a column that its group makes necessary.
    fn need<T>(&self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or(inconsistent(self.id, column))
    }

    fn digest(&self, column: &'static str, value: Option<Vec<u8>>) -> Result<[u8; 32], StoreError> {
        self.need(column, value)?
            .try_into()
            .map_err(|_| inconsistent(self.id, column))
    }

    fn placement(&mut self) -> Result<Option<Placement>, StoreError> {
        let Some(page_number) = self.page_number else {
            return Ok(None);
        };
        let mark = match self.mark.as_deref() {
            Some("DRAWN") => {
                let bytes = self.strokes.take();
                let bytes = self.need("strokes", bytes)?;
                Mark::Drawn(Strokes::decode(&bytes).map_err(|_| inconsistent(self.id, "strokes"))?)
            }
            Some("STANDING") => Mark::Standing,
            _ => return Err(inconsistent(self.id, "mark")),
        };
        Ok(Some(Placement {
            page_number: u32::try_from(page_number).map_err(|_| inconsistent(self.id, "page_number"))?,
            rectangle: Rectangle {
                x: self.need("rectangle_x", self.rectangle_x)?,
                y: self.need("rectangle_y", self.rectangle_y)?,
                width: self.need("rectangle_width", self.rectangle_width)?,
                height: self.need("rectangle_height", self.rectangle_height)?,
            },
            mark,
        }))
    }

    fn confirmation(&mut self) -> Result<Option<Confirmation>, StoreError> {
        let Some(confirmation_id) = self.confirmation_id else {
            return Ok(None);
        };
        let (method, jws) = (self.confirmation_method.take(), self.confirmation_jws.take());
        let (hash, signer) = (self.subject_hash.take(), self.signer.take());
        Ok(Some(Confirmation {
            confirmation_id,
            method: self.need("confirmation_method", method)?,
            confirmed_at: self.need("confirmed_at", self.confirmed_at)?,
            jws: self.need("confirmation_jws", jws)?,
            subject_hash: self.digest("subject_hash", hash)?,
            specimen_version: self.need("confirmed_specimen", self.confirmed_specimen)?,
            signer: parsed(self.id, "signer", self.need("signer", signer)?)?,
        }))
    }

    fn receipt(&mut self) -> Result<Option<Receipt>, StoreError> {
        let Some(number) = self.receipt_number.take() else {
            return Ok(None);
        };
        Ok(Some(Receipt {
            number,
            submitted_at: self.need("submitted_at", self.submitted_at)?,
            expected_on: self.need("expected_on", self.expected_on)?,
        }))
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, StoreError> {
        let Some(agent_id) = self.agent_id else {
            return Ok(None);
        };
        let (note, method) = (self.comparison_note.take(), self.specimen_proof_method.take());
        let (region, specimen) = (self.region_sha256.take(), self.specimen_sha256.take());
        let result = self
            .comparison_result
            .as_deref()
            .and_then(ComparisonResult::parse);
        Ok(Some(Comparison {
            agent_id,
            result: self.need("comparison_result", result)?,
            note: self.need("comparison_note", note)?,
            specimen_version: self.need("specimen_version", self.specimen_version)?,
            specimen_proof: SpecimenProof {
                method: self.need("specimen_proof_method", method)?,
                office_id: self.specimen_proof_office_id,
                at: self.need("specimen_proof_at", self.specimen_proof_at)?,
            },
            region_sha256: self.digest("region_sha256", region)?,
            specimen_sha256: self.digest("specimen_sha256", specimen)?,
            compared_at: self.need("compared_at", self.compared_at)?,
        }))
    }

    fn refusal(&mut self) -> Result<Option<Refusal>, StoreError> {
        let Some(reason_code) = self.refusal_code.take() else {
            return Ok(None);
        };
        let text = self.refusal_text.take();
        let level = self.refusal_level.as_deref().and_then(Level::parse);
        Ok(Some(Refusal {
            reason_code,
            text: self.need("refusal_text", text)?,
            level: self.need("refusal_level", level)?,
            refused_by: self.need("refused_by", self.refused_by)?,
            refused_at: self.need("refused_at", self.refused_at)?,
        }))
    }

    fn seal(&self) -> Result<Option<Seal>, StoreError> {
        let Some(intent_id) = self.intent_id else {
            return Ok(None);
        };
        Ok(Some(Seal {
            intent_id,
            officer_id: self.need("officer_id", self.officer_id)?,
            authorised_at: self.need("authorised_at", self.authorised_at)?,
            sealed_at: self.sealed_at,
            delivered_at: self.delivered_at,
        }))
    }
}
