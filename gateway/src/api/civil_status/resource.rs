//! An order of civil-status documents in JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use super::payment::Word;
use super::text;
use crate::api::status_text::Texts;
use crate::api::wire::{CivilDate, PartialDate, Show, both, view, words};
use crate::language;

words! {
    /// States of a line: one act at one office.
    LineState from pb::LineState {
        AwaitingPayment, Paid, ToCorrect, InProduction, Produced, HandedOver, Delivered, Returned, Refunding, Refunded,
        Cancelled, Expired,
    }
    /// States of an order, derived from its lines.
    OrderState from pb::OrderState {
        AwaitingPayment, ActionNeeded, InProgress, Completed, Cancelled, Expired, Refunded,
    }
    /// In what relation the applicant stands to the person of the act.
    Relation from pb::Relation { Oneself, Parent, Child, Spouse, Guardian, Mandataire }
    /// How the relation is known.
    EntitlementProof from pb::EntitlementProof { Declared, Acts, Evidence, Checked }
    /// Language of the document.
    DocumentLanguage from pb::DocumentLanguage { Arabic, French, Bilingual }
    /// The registers of civil status.
    RegisterKind from pb::RegisterKind { Birth, Death }
}

both! {
    /// A name in both scripts, as on the identity document.
    FullName from pb::FullName {
        given_latin: Option<String>,
        family_latin: Option<String>,
        given_arabic: Option<String>,
        family_arabic: Option<String>,
    }
    /// What the citizen knows of an act: the name and the date or year of birth, or of death for a death act; number and year help to find it.
    ActClue from pb::ActClue {
        office_id: String,
        kind: Option<RegisterKind>,
        year: Option<i32>,
        part: Option<String>,
        number: Option<String>,
        hijri_year: Option<i32>,
        person: Option<FullName>,
        birth_date: Option<PartialDate>,
        /// Of a death act; it finds the register where the year is not known.
        death_date: Option<PartialDate>,
        father: Option<FullName>,
        mother: Option<FullName>,
    }
    /// Where the parcel goes, in both scripts. In Morocco the postal code has five digits and is needed.
    DeliveryAddress from pb::DeliveryAddress {
        /// ISO 3166-1 alpha-2.
        country_code: String,
        postal_code: Option<String>,
        locality_latin: Option<String>,
        street_latin: Option<String>,
        quarter_latin: Option<String>,
        extra_latin: Option<String>,
        locality_arabic: Option<String>,
        street_arabic: Option<String>,
        quarter_arabic: Option<String>,
        extra_arabic: Option<String>,
    }
    /// A line as ordered.
    LineRequest from pb::LineRequest {
        /// Code of the catalogue, such as `birth-extract`.
        document_kind: String,
        language: Option<DocumentLanguage>,
        /// 1 to 10.
        copies: i32,
        act: Option<ActClue>,
        relation: Option<Relation>,
        /// Files uploaded before.
        evidence_ids: Vec<String>,
        /// The office that is to make it, for kinds whose routing is `CHOSEN_OFFICE`; null for the others.
        producing_office_id: Option<String>,
    }
    /// Price of one act, and where it goes; centimes of MAD, tax and registered mail included.
    Price from pb::Price {
        amount_centimes: i64,
        office_centimes: i64,
        post_centimes: i64,
        tax_centimes: i64,
    }
}

view! {
    /// What can be ordered.
    OrderCatalogue from pb::GetCatalogueResponse {
        entries: Vec<CatalogueEntry>,
        /// For which an office refuses a line.
        refusal_reasons: Vec<CataloguedReason>,
        /// For which an office asks for a correction.
        correction_reasons: Vec<CataloguedReason>,
    }
    /// A reason that an office gives, as people read it.
    CataloguedReason from pb::OfficeReason {
        code: String,
        text_ar: String,
        text_fr: String,
        text_en: String,
    }
    /// A kind of document.
    CatalogueEntry from pb::CatalogueEntry {
        document_kind: String,
        register_kind: RegisterKind,
        name_ar: String,
        name_fr: String,
        name_en: String,
        languages: Vec<DocumentLanguage>,
        relations: Vec<Relation>,
        /// Relations that need evidence unless the acts prove them.
        relations_with_evidence: Vec<Relation>,
        fees: Vec<CatalogueFee>,
        /// Working days from payment to posting.
        production_working_days: i32,
        issuing_administration_ar: String,
        issuing_administration_fr: String,
        /// `OFFICE_OF_REGISTRATION`, or `CHOSEN_OFFICE` where the applicant says which office is to make it.
        routing: String,
    }
    /// Price of each act from a number of copies on.
    CatalogueFee from pb::CatalogueFee {
        /// `MOROCCO` or the name of a zone abroad.
        zone: String,
        from_copies: i32,
        price: Option<Price>,
    }
    /// An office of registration.
    OrderOffice from pb::OrderOffice {
        office_id: String,
        /// Short unique code.
        code: String,
        parent_office_id: Option<String>,
        name_ar: String,
        name_fr: String,
        /// The offices that hold its registers today and take orders: itself, or whom they went to.
        holder_office_ids: Vec<String>,
    }
    /// What an order would cost.
    Quote from pb::QuoteOrderResponse {
        /// In order of the lines, each for all copies of the line.
        prices: Vec<Price>,
        total_centimes: i64,
    }
    /// A file that was kept.
    Evidence from pb::UploadEvidenceResponse {
        evidence_id: String,
        /// Kept until then unless an order names it.
        expire_time: Option<DateTime<Utc>>,
    }
    /// What the office said when it ended or stopped a line.
    OfficeAnswer from pb::OfficeAnswer {
        /// Code of the catalogue, such as `ACT_NOT_FOUND`.
        reason_code: String,
        text: String,
        answer_time: Option<DateTime<Utc>>,
    }
    /// One step in the life of an order.
    HistoryEntry from pb::HistoryEntry {
        time: Option<DateTime<Utc>>,
        /// Such as `OrderPaid`.
        event: String,
        line_ids: Vec<String>,
    }
}

/// A line of an order: one act at one office.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrderLine {
    line_id: String,
    /// The order's reference and the line's ordinal: what the barcode says.
    line_reference: String,
    state: LineState,
    /// What happens next, and when.
    status_text: Texts,
    document_kind: String,
    language: DocumentLanguage,
    copies: i32,
    act: Option<ActClue>,
    relation: Relation,
    entitlement_proof: Option<EntitlementProof>,
    evidence_ids: Vec<String>,
    /// The office that works on it: the one that holds the register today.
    office_id: String,
    /// For all copies.
    price: Option<Price>,
    /// When the present state ends by itself, or is late.
    deadline: Option<DateTime<Utc>>,
    /// Machine-readable detail of what happens next.
    progress_code: Option<String>,
    /// Why it was stopped or ended.
    answer: Option<OfficeAnswer>,
    /// Of what is refunded: `REFUSED`, `CANCELLED`, `OVERDUE`, `ADDRESS_REFUSED` (not corrected in time), `LOST`, `EXPIRED` (paid after it had
    /// ended).
    end_reason: Option<String>,
    refunded_centimes: i64,
    parcel_id: Option<String>,
    /// There is a sealed document to download.
    document_available: bool,
}

view! {
    /// What the post does not take of an address.
    AddressFault from pb::AddressFault {
        /// Such as `postal_code`; empty where it is not of one field.
        field: String,
        /// Such as `POSTAL_CODE`.
        reason: String,
    }
}

/// A parcel: the lines of one order made at one office for one address.
#[derive(Serialize, ToSchema)]
pub(crate) struct Parcel {
    parcel_id: String,
    office_id: String,
    line_ids: Vec<String>,
    shipment_id: Option<String>,
    /// Such as `RR123456785MA`; null until numbered.
    tracking_number: Option<String>,
    /// State of the shipment, such as `HELD_FOR_COLLECTION`; null before there is one.
    shipment_state: Option<String>,
    /// Where the parcel is and what happens next.
    status_text: Texts,
    held_until: Option<CivilDate>,
    /// Unsuccessful attempts so far.
    attempts: i32,
    exception_code: Option<String>,
    /// With exception `ADDRESS_REFUSED`: what the post does not take.
    address_faults: Vec<AddressFault>,
    /// Who took it.
    recipient_name: Option<String>,
    recipient_document_kind: Option<String>,
    recipient_document_last_four: Option<String>,
}

/// An order.
#[derive(Serialize, ToSchema)]
pub(crate) struct Order {
    order_id: String,
    /// Can be dictated by phone.
    reference: String,
    state: OrderState,
    /// What happens next to the order as a whole.
    status_text: Texts,
    lines: Vec<OrderLine>,
    addressee: Option<FullName>,
    address: Option<DeliveryAddress>,
    total_centimes: i64,
    /// Where it is paid; null until payment knows of it.
    payable_id: Option<String>,
    create_time: Option<DateTime<Utc>>,
    update_time: Option<DateTime<Utc>>,
    pay_before: Option<DateTime<Utc>>,
    parcels: Vec<Parcel>,
    /// What happened, oldest first.
    history: Vec<HistoryEntry>,
    progress_code: Option<String>,
    etag: String,
}

impl Order {
    /// Says what payment knows already; its state follows once the order has heard of it.
    pub(crate) fn hear(&mut self, word: &Word) {
        let says = |key: &str| Texts::each(|language| language::text(language, key).to_owned());
        self.status_text = says(word.order);
        self.progress_code = Some(word.code.to_owned());
        for line in &mut self.lines {
            if matches!(line.state, LineState::AwaitingPayment) {
                line.status_text = says(word.line);
                line.progress_code = Some(word.code.to_owned());
            }
        }
    }
}

/// A line, with the parcel it is in where that is known.
pub(crate) fn line(line: pb::OrderLine, parcel: Option<&pb::Parcel>) -> OrderLine {
    OrderLine {
        status_text: Texts::each(|language| text::line(language, &line, parcel)),
        state: line.state.show(),
        line_id: line.line_id,
        line_reference: line.line_reference,
        document_kind: line.document_kind,
        language: line.language.show(),
        copies: line.copies,
        act: line.act.show(),
        relation: line.relation.show(),
        entitlement_proof: line.entitlement_proof.show(),
        evidence_ids: line.evidence_ids,
        office_id: line.office_id,
        price: line.price.show(),
        deadline: line.deadline.show(),
        progress_code: line.progress_code.show(),
        answer: line.answer.show(),
        end_reason: line.end_reason.show(),
        refunded_centimes: line.refunded_centimes,
        parcel_id: line.parcel_id.show(),
        document_available: line.document_available,
    }
}

impl Show<OrderLine> for pb::OrderLine {
    fn show(self) -> OrderLine {
        line(self, None)
    }
}

impl Show<Parcel> for pb::Parcel {
    fn show(self) -> Parcel {
        Parcel {
            status_text: Texts::each(|language| text::parcel(language, &self)),
            parcel_id: self.parcel_id,
            office_id: self.office_id,
            line_ids: self.line_ids,
            shipment_id: self.shipment_id.show(),
            tracking_number: self.tracking_number.show(),
            shipment_state: self.shipment_state.show(),
            held_until: self.held_until.show(),
            attempts: self.attempts,
            exception_code: self.exception_code.show(),
            address_faults: self.address_faults.show(),
            recipient_name: self.recipient_name.show(),
            recipient_document_kind: self.recipient_document_kind.show(),
            recipient_document_last_four: self.recipient_document_last_four.show(),
        }
    }
}

impl Show<Order> for pb::Order {
    fn show(self) -> Order {
        let status_text = Texts::each(|language| text::order(language, &self));
        let lines = self
            .lines
            .into_iter()
            .map(|each| {
                let parcel = self
                    .parcels
                    .iter()
                    .find(|parcel| parcel.parcel_id == each.parcel_id);
                line(each, parcel)
            })
            .collect();
        Order {
            order_id: self.order_id,
            reference: self.reference,
            state: self.state.show(),
            status_text,
            lines,
            addressee: self.addressee.show(),
            address: self.address.show(),
            total_centimes: self.total_centimes,
            payable_id: self.payable_id.show(),
            create_time: self.create_time.show(),
            update_time: self.update_time.show(),
            pay_before: self.pay_before.show(),
            parcels: self.parcels.show(),
            history: self.history.show(),
            progress_code: self.progress_code.show(),
            etag: self.etag,
        }
    }
}
