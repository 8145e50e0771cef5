//! Rows of orders and lines as domain values.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::address::Address;
use crate::domain::clue::Clue;
use crate::domain::fee::Price;
use crate::domain::kind::SealMode;
use crate::domain::order::Order;
use crate::domain::order::line::{Again, Answer, Document, Line, Production};
use crate::domain::order::parcel::Parcel;
use crate::domain::person::{Applicant, FullName};
use crate::domain::reference::Reference;
use crate::store::StoreError;

const LINE_COLUMNS: &str = "l.id, l.order_id, l.ordinal, l.state, l.state_since, l.document_kind, l.kind_id, l.language, l.copies, l.clue,
    l.relation, l.proof, l.evidence_ids, l.office_id, l.amount, l.office_amount, l.post_amount, l.tax_amount,
    l.production_days, l.deadline, l.paid_at, l.path, l.assigned_to, l.act_id, l.confirmed_act, l.document, l.withdrawing, l.produced_at,
    l.looked_by, l.signed_by, l.parcel_id, l.answer, l.end_reason, l.refunded_centimes, l.refund_failed, l.alerted";

#[derive(FromRow)]
pub(super) struct OrderRow {
    pub(super) id: Uuid,
    reference: String,
    person_id: Uuid,
    applicant: Json<Applicant>,
    addressee: Json<FullName>,
    address: Json<Address>,
    mandataries: Json<Vec<FullName>>,
    zone: String,
    total_centimes: i64,
    payable_id: Option<Uuid>,
    pay_before: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    version: i64,
}

impl OrderRow {
    pub(super) fn order(self, lines: Vec<Line>, parcels: Vec<Parcel>) -> Result<Order, StoreError> {
        let reference = Reference::parse(&self.reference).map_err(|_| StoreError::Inconsistent {
            table: "customer_order",
            column: "reference",
            id: self.id,
        })?;
        Ok(Order {
            id: self.id,
            reference,
            person_id: self.person_id,
            applicant: self.applicant.0,
            addressee: self.addressee.0,
            address: self.address.0,
            mandataries: self.mandataries.0,
            zone: self.zone,
            total_centimes: self.total_centimes,
            payable_id: self.payable_id,
            pay_before: self.pay_before,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
            lines,
            parcels,
        })
    }
}

#[derive(FromRow)]
struct LineRow {
    id: Uuid,
    order_id: Uuid,
    ordinal: i16,
    state: String,
    state_since: DateTime<Utc>,
    document_kind: String,
    kind_id: Uuid,
    language: String,
    copies: i16,
    clue: Json<Clue>,
    relation: String,
    proof: String,
    evidence_ids: Json<Vec<Uuid>>,
    office_id: Uuid,
    amount: i64,
    office_amount: i64,
    post_amount: i64,
    tax_amount: i64,
    production_days: i16,
    deadline: Option<DateTime<Utc>>,
    paid_at: Option<DateTime<Utc>>,
    path: Option<String>,
    assigned_to: Option<Uuid>,
    act_id: Option<Uuid>,
    confirmed_act: Option<Uuid>,
    document: Option<Json<DocumentJson>>,
    withdrawing: Option<String>,
    produced_at: Option<DateTime<Utc>>,
    looked_by: Option<Uuid>,
    signed_by: Option<Uuid>,
    parcel_id: Option<Uuid>,
    answer: Option<Json<AnswerJson>>,
    end_reason: Option<String>,
    refunded_centimes: i64,
    refund_failed: bool,
    alerted: Option<String>,
}

impl LineRow {
    fn line(self) -> Result<Line, StoreError> {
        let wrong = |column: &'static str| StoreError::Inconsistent {
            table: "order_line",
            column,
            id: self.id,
        };
        macro_rules! word {
            ($column:ident) => {
                TryFrom::try_from(self.$column.clone()).map_err(|_| wrong(stringify!($column)))?
            };
        }
        macro_rules! optional_word {
            ($column:ident) => {
                self.$column
                    .clone()
                    .map(|text| TryFrom::try_from(text).map_err(|_| wrong(stringify!($column))))
                    .transpose()?
            };
        }
        let production = self.produced_at.map(|produced_at| Production {
            produced_at,
            looked_by: self.looked_by,
            signed_by: self.signed_by,
        });
        Ok(Line {
            ordinal: u8::try_from(self.ordinal).map_err(|_| wrong("ordinal"))?,
            state: word!(state),
            language: word!(language),
            relation: word!(relation),
            proof: word!(proof),
            path: optional_word!(path),
            withdrawing: optional_word!(withdrawing),
            end_reason: optional_word!(end_reason),
            alerted: optional_word!(alerted),
            production_days: u16::try_from(self.production_days).map_err(|_| wrong("production_days"))?,
            document: self
                .document
                .as_ref()
                .map(|document| document.document().ok_or_else(|| wrong("document")))
                .transpose()?,
            id: self.id,
            state_since: self.state_since,
            document_kind: self.document_kind,
            kind_id: self.kind_id,
            copies: self.copies,
            clue: self.clue.0,
            evidence_ids: self.evidence_ids.0,
            office_id: self.office_id,
            price: Price {
                amount: self.amount,
                office: self.office_amount,
                post: self.post_amount,
                tax: self.tax_amount,
            },
            deadline: self.deadline,
            paid_at: self.paid_at,
            assigned_to: self.assigned_to,
            act_id: self.act_id,
            confirmed_act: self.confirmed_act,
            production,
            parcel_id: self.parcel_id,
            answer: self.answer.map(|answer| answer.0.answer()),
            refunded_centimes: self.refunded_centimes,
            refund_failed: self.refund_failed,
        })
    }
}

/// A document in its column.
#[derive(Serialize, Deserialize)]
pub(super) struct DocumentJson {
    prepared_by: Uuid,
    prepared_at: DateTime<Utc>,
    seal_mode: SealMode,
    verification_code: Option<String>,
    object_key: Option<String>,
    issued_document_id: Option<Uuid>,
    digest: Option<String>,
    failure: Option<String>,
    sealed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

impl DocumentJson {
    pub(super) fn of(document: &Document) -> Self {
        Self {
            prepared_by: document.prepared_by,
            prepared_at: document.prepared_at,
            seal_mode: document.seal_mode,
            verification_code: document.verification_code.clone(),
            object_key: document.object_key.clone(),
            issued_document_id: document.issued_document_id,
            digest: document.digest.map(|digest| HEXLOWER.encode(&digest)),
            failure: document.failure.clone(),
            sealed: document.sealed,
            again: document.again.clone(),
        }
    }

    fn document(&self) -> Option<Document> {
        let digest = match &self.digest {
            Some(text) => Some(<[u8; 32]>::try_from(HEXLOWER.decode(text.as_bytes()).ok()?).ok()?),
            None => None,
        };
        Some(Document {
            prepared_by: self.prepared_by,
            prepared_at: self.prepared_at,
            seal_mode: self.seal_mode,
            verification_code: self.verification_code.clone(),
            object_key: self.object_key.clone(),
            issued_document_id: self.issued_document_id,
            digest,
            failure: self.failure.clone(),
            sealed: self.sealed,
            again: self.again.clone(),
        })
    }
}

/// An answer in its column.
#[derive(Serialize, Deserialize)]
pub(super) struct AnswerJson {
    reason_code: String,
    text: String,
    at: DateTime<Utc>,
}

impl AnswerJson {
    pub(super) fn of(answer: &Answer) -> Self {
        Self {
            reason_code: answer.reason_code.clone(),
            text: answer.text.clone(),
            at: answer.at,
        }
    }

    fn answer(self) -> Answer {
        Answer {
            reason_code: self.reason_code,
            text: self.text,
            at: self.at,
        }
    }
}

/// The lines of orders, by order, in their order.
pub(super) async fn lines(
    conn: &mut PgConnection,
    orders: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Line>>, StoreError> {
    let sql = format!(
        "SELECT {LINE_COLUMNS} FROM order_line l WHERE l.order_id = ANY($1) ORDER BY l.order_id, l.ordinal"
    );
    let rows: Vec<LineRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(orders)
        .fetch_all(conn)
        .await?;
    let mut lines: HashMap<Uuid, Vec<Line>> = HashMap::new();
    for row in rows {
        lines.entry(row.order_id).or_default().push(row.line()?);
    }
    Ok(lines)
}
