//! What an office sees of orders, in JSON.

use chrono::{DateTime, Utc};
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::api::acts::ActSummary;
use crate::api::civil_status::{DeliveryAddress, FullName, LineState, OrderLine, Parcel, Price};
use crate::api::verification::{IssuedDocumentState, SealMode};
use crate::api::wire::{Hex, view};

view! {
    /// A line as the office sees it.
    OfficeLine from pb::QueueEntry {
        line: Option<OrderLine>,
        order_id: String,
        pay_time: Option<DateTime<Utc>>,
        assigned_to_person_id: Option<String>,
        /// The digitised act, where one is linked or found by its key.
        act_id: Option<String>,
        /// `PAPER` or `DIGITISED`.
        path: Option<String>,
        late: bool,
    }
    /// One line with all that is needed to work on it.
    OfficeLineDetail from pb::GetLineResponse {
        entry: Option<OfficeLine>,
        applicant: Option<FullName>,
        addressee: Option<FullName>,
        address: Option<DeliveryAddress>,
        evidence: Vec<EvidenceFile>,
        /// Acts that may be meant, best first.
        candidates: Vec<ActSummary>,
        /// Other lines of the order at this office.
        sibling_line_ids: Vec<String>,
    }
    /// A file that shows a relation.
    EvidenceFile from pb::Evidence {
        evidence_id: String,
        kind: String,
        file_name: String,
        content_type: String,
        size_bytes: u64,
    }
    /// Lines given to somebody, or to nobody.
    AssignedLines from pb::AssignLinesResponse {
        entries: Vec<OfficeLine>,
    }
    /// A batch sheet.
    BatchSheet from pb::BatchSheet {
        batch_sheet_id: String,
        office_id: String,
        /// Such as `2026-000012`.
        number: String,
        create_time: Option<DateTime<Utc>>,
        line_ids: Vec<String>,
    }
    /// A production that was recorded.
    Production from pb::RecordProductionResponse {
        entry: Option<OfficeLine>,
        /// The act is not digitised: it may be keyed.
        offer_keying: bool,
        /// Set once all lines that share it are produced.
        parcel: Option<Parcel>,
    }
    /// Each line named is in exactly one of the lists.
    Preparation from pb::PrepareDocumentsResponse {
        entries: Vec<OfficeLine>,
        problems: Vec<LineProblem>,
    }
    /// Why one line of a batch was not done.
    LineProblem from pb::LineProblem {
        line_id: String,
        /// Stable code.
        reason: String,
        description: String,
    }
    /// A document that waits for the officer.
    PreparedDocument from pb::PreparedDocument {
        line_id: String,
        line_reference: String,
        /// Null while it is being prepared.
        issued_document_id: Option<String>,
        /// What the officer confirms; null while it is being prepared.
        digest: Option<Hex>,
        /// What happens next, such as `WAITING_FOR_OFFICER`.
        progress_code: Option<String>,
        /// `OFFICER_KEY`, `ELECTRONIC_SEAL` or `BY_HAND`.
        seal_mode: String,
        create_time: Option<DateTime<Utc>>,
    }
    /// Each number is in exactly one of the lists.
    HandOver from pb::HandOverParcelsResponse {
        parcels: Vec<Parcel>,
        problems: Vec<ParcelProblem>,
        /// Null while the post has not confirmed.
        deposit_list_id: Option<String>,
    }
    /// Why a parcel was not handed over.
    ParcelProblem from pb::ParcelProblem {
        tracking_number: String,
        /// Stable code.
        reason: String,
        description: String,
    }
    /// Something that needs a person.
    ExceptionEntry from pb::ExceptionEntry {
        order_id: String,
        line_id: String,
        line_reference: String,
        /// Such as `PAID_NOT_PRODUCED`.
        code: String,
        since: Option<DateTime<Utc>>,
        /// When it ends in a refund or an alert.
        deadline: Option<DateTime<Utc>>,
    }
    /// What became of the money for acts in a span.
    Settlement from pb::GetSettlementResponse {
        /// Delivered in the span.
        acts: i32,
        total: Option<Price>,
        /// What was paid, produced, handed over, delivered, returned and refunded in the span, whatever happened afterwards.
        totals: Vec<SettlementTotal>,
    }
    /// Acts that came to one state.
    SettlementTotal from pb::SettlementTotal {
        state: LineState,
        acts: i32,
        total: Option<Price>,
    }
    /// What was sealed and what was not.
    IssuedDocumentSealing from signature::SealIssuedDocumentsResponse {
        /// Every document whose key has signed, in the order asked for.
        issued_documents: Vec<IssuedDocument>,
        problems: Vec<IssuedDocumentProblem>,
    }
    /// A document that an officer seals.
    IssuedDocument from signature::IssuedDocument {
        issued_document_id: String,
        owner: String,
        owner_reference: String,
        office_id: String,
        document_kind: String,
        title_ar: String,
        title_fr: String,
        title_en: String,
        seal_mode: SealMode,
        verification_code: String,
        state: IssuedDocumentState,
        /// What an officer confirms.
        digest: Option<Hex>,
        progress_code: Option<String>,
        create_time: Option<DateTime<Utc>>,
        seal_time: Option<DateTime<Utc>>,
        /// Of the sealed file.
        sha256: Option<Hex>,
        size_bytes: u64,
        /// `B-T` or better; null before the seal.
        level: Option<String>,
    }
    /// Why one document of a batch was not sealed.
    IssuedDocumentProblem from signature::IssuedDocumentProblem {
        issued_document_id: String,
        /// Stable code.
        reason: String,
        description: String,
    }
}
