//! Values of orders on their way out.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::app::list_order_offices::Offered;
use crate::app::office::entry::Entry;
use crate::app::view::OrderView;
use crate::documents::sheet;
use crate::domain::act_key::RegisterKind;
use crate::domain::address::Address;
use crate::domain::clue::{Clue, PartialDate};
use crate::domain::fee::{Fee, Price};
use crate::domain::kind::{DocumentKind, Language, Proof, Relation};
use crate::domain::order::Order;
use crate::domain::order::fact::OutwardKind;
use crate::domain::order::line::Line;
use crate::domain::order::parcel::{AddressFault, Parcel};
use crate::domain::order::progress;
use crate::domain::person::FullName;
use crate::domain::reason::Reason;
use crate::domain::state::{LineState, OrderState};
use crate::store::evidence::Evidence;
use crate::store::offices::Sheet;
use crate::store::settlement::Total;
use crate::wire;
use uuid::Uuid;

fn text(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn register_kind(kind: RegisterKind) -> i32 {
    match kind {
        RegisterKind::Birth => pb::RegisterKind::Birth.into(),
        RegisterKind::Death => pb::RegisterKind::Death.into(),
    }
}

pub(super) fn relation(relation: Relation) -> i32 {
    match relation {
        Relation::Oneself => pb::Relation::Oneself.into(),
        Relation::Parent => pb::Relation::Parent.into(),
        Relation::Child => pb::Relation::Child.into(),
        Relation::Spouse => pb::Relation::Spouse.into(),
        Relation::Guardian => pb::Relation::Guardian.into(),
        Relation::Mandataire => pb::Relation::Mandataire.into(),
    }
}

pub(super) fn language(language: Language) -> i32 {
    match language {
        Language::Arabic => pb::DocumentLanguage::Arabic.into(),
        Language::French => pb::DocumentLanguage::French.into(),
        Language::Bilingual => pb::DocumentLanguage::Bilingual.into(),
    }
}

fn proof(proof: Proof) -> i32 {
    match proof {
        Proof::Declared => pb::EntitlementProof::Declared.into(),
        Proof::Acts => pb::EntitlementProof::Acts.into(),
        Proof::Evidence => pb::EntitlementProof::Evidence.into(),
        Proof::Checked => pb::EntitlementProof::Checked.into(),
    }
}

/// The totals of a span, with what was delivered before all.
pub(super) fn settlement(totals: &[Total]) -> pb::GetSettlementResponse {
    let acts = |acts: i64| i32::try_from(acts).unwrap_or(i32::MAX);
    let delivered = totals.iter().find(|total| total.state == LineState::Delivered);
    pb::GetSettlementResponse {
        acts: delivered.map_or(0, |total| acts(total.acts)),
        total: Some(price(delivered.map(|total| total.price).unwrap_or_default())),
        totals: totals
            .iter()
            .map(|total| pb::SettlementTotal {
                state: line_state(total.state),
                acts: acts(total.acts),
                total: Some(price(total.price)),
            })
            .collect(),
    }
}

pub(super) fn line_state(state: LineState) -> i32 {
    match state {
        LineState::AwaitingPayment => pb::LineState::AwaitingPayment.into(),
        LineState::Paid => pb::LineState::Paid.into(),
        LineState::ToCorrect => pb::LineState::ToCorrect.into(),
        LineState::InProduction => pb::LineState::InProduction.into(),
        LineState::Produced => pb::LineState::Produced.into(),
        LineState::HandedOver => pb::LineState::HandedOver.into(),
        LineState::Delivered => pb::LineState::Delivered.into(),
        LineState::Returned => pb::LineState::Returned.into(),
        LineState::Refunding => pb::LineState::Refunding.into(),
        LineState::Refunded => pb::LineState::Refunded.into(),
        LineState::Cancelled => pb::LineState::Cancelled.into(),
        LineState::Expired => pb::LineState::Expired.into(),
    }
}

fn order_state(state: OrderState) -> i32 {
    match state {
        OrderState::AwaitingPayment => pb::OrderState::AwaitingPayment.into(),
        OrderState::ActionNeeded => pb::OrderState::ActionNeeded.into(),
        OrderState::InProgress => pb::OrderState::InProgress.into(),
        OrderState::Completed => pb::OrderState::Completed.into(),
        OrderState::Cancelled => pb::OrderState::Cancelled.into(),
        OrderState::Expired => pb::OrderState::Expired.into(),
        OrderState::Refunded => pb::OrderState::Refunded.into(),
    }
}

pub(super) fn price(price: Price) -> pb::Price {
    pb::Price {
        amount_centimes: price.amount,
        office_centimes: price.office,
        post_centimes: price.post,
        tax_centimes: price.tax,
    }
}

pub(super) fn full_name(name: &FullName) -> pb::FullName {
    pb::FullName {
        given_latin: name.given_latin.clone(),
        family_latin: name.family_latin.clone(),
        given_arabic: name.given_arabic.clone(),
        family_arabic: name.family_arabic.clone(),
    }
}

fn optional_name(name: &FullName) -> Option<pb::FullName> {
    (!name.is_empty()).then(|| full_name(name))
}

pub(super) fn address(address: &Address) -> pb::DeliveryAddress {
    pb::DeliveryAddress {
        country_code: address.country_code.clone(),
        postal_code: address.postal_code.clone(),
        locality_latin: address.locality_latin.clone(),
        street_latin: address.street_latin.clone(),
        quarter_latin: address.quarter_latin.clone(),
        extra_latin: address.extra_latin.clone(),
        locality_arabic: address.locality_arabic.clone(),
        street_arabic: address.street_arabic.clone(),
        quarter_arabic: address.quarter_arabic.clone(),
        extra_arabic: address.extra_arabic.clone(),
    }
}

fn clue(clue: &Clue) -> pb::ActClue {
    pb::ActClue {
        office_id: clue.office_id.to_string(),
        kind: register_kind(clue.kind),
        year: clue.year.map_or(0, i32::from),
        part: clue.part.clone(),
        number: clue.number.clone(),
        hijri_year: clue.hijri_year.map_or(0, i32::from),
        person: optional_name(&clue.person),
        birth_date: clue.birth_date.map(partial_date),
        death_date: clue.death_date.map(partial_date),
        father: optional_name(&clue.father),
        mother: optional_name(&clue.mother),
    }
}

fn partial_date(date: PartialDate) -> wathiq_proto::google::r#type::Date {
    wathiq_proto::google::r#type::Date {
        year: date.year,
        month: date.month.cast_signed(),
        day: date.day.cast_signed(),
    }
}

/// Whether the document is handed out as a file; otherwise the paper comes by post.
fn is_given(order: &Order, line: &Line) -> bool {
    let sealed = line.document.as_ref().is_some_and(|document| document.sealed);
    sealed && order.applicant.proved && line.is_entitled() && !line.has_ended()
}

pub(super) fn line(view: &OrderView, line: &Line) -> pb::OrderLine {
    pb::OrderLine {
        line_id: line.id.to_string(),
        line_reference: view.order.line_reference(line).to_string(),
        state: line_state(line.state),
        document_kind: line.document_kind.clone(),
        language: language(line.language),
        copies: line.copies.into(),
        act: Some(clue(&line.clue)),
        relation: relation(line.relation),
        entitlement_proof: proof(line.proof),
        evidence_ids: line.evidence_ids.iter().map(Uuid::to_string).collect(),
        office_id: line.office_id.to_string(),
        price: Some(price(line.price)),
        // What has ended has one for the office alone: until when it is shown there.
        deadline: line
            .deadline
            .filter(|_| !line.state.is_final())
            .map(wire::timestamp),
        progress_code: progress::of_line(&view.order, line, &view.pending).to_owned(),
        answer: line.answer.as_ref().map(|answer| pb::OfficeAnswer {
            reason_code: answer.reason_code.clone(),
            text: answer.text.clone(),
            answer_time: Some(wire::timestamp(answer.at)),
        }),
        end_reason: line.end_reason.map_or("", |reason| reason.as_str()).to_owned(),
        refunded_centimes: line.refunded_centimes,
        parcel_id: text(line.parcel_id),
        document_available: is_given(&view.order, line),
    }
}

pub(super) fn parcel(parcel: &Parcel, lines: &[Uuid]) -> pb::Parcel {
    pb::Parcel {
        parcel_id: parcel.id.to_string(),
        office_id: parcel.office_id.to_string(),
        line_ids: lines.iter().map(Uuid::to_string).collect(),
        shipment_id: text(parcel.shipment_id),
        tracking_number: parcel.tracking_number.clone().unwrap_or_default(),
        shipment_state: parcel.shipment_state.clone(),
        held_until: parcel.held_until.map(wire::date),
        attempts: parcel.attempts,
        exception_code: parcel.exception_code.clone(),
        recipient_name: String::new(),
        recipient_document_kind: String::new(),
        recipient_document_last_four: String::new(),
        address_faults: parcel.address_faults.iter().map(address_fault).collect(),
    }
}

fn address_fault(fault: &AddressFault) -> pb::AddressFault {
    pb::AddressFault {
        field: fault.field.clone(),
        reason: fault.reason.clone(),
    }
}

pub(super) fn order(view: &OrderView) -> pb::Order {
    let order = &view.order;
    let parcels = order.parcels.iter().map(|one| {
        let lines: Vec<Uuid> = order.lines_of(one.id).map(|line| line.id).collect();
        let mut shown = parcel(one, &lines);
        if let Some(recipient) = view
            .recipients
            .iter()
            .find(|recipient| recipient.parcel_id == one.id)
        {
            shown.recipient_name.clone_from(&recipient.name);
            shown.recipient_document_kind.clone_from(&recipient.document_kind);
            shown
                .recipient_document_last_four
                .clone_from(&recipient.document_last_four);
        }
        shown
    });
    pb::Order {
        order_id: order.id.to_string(),
        reference: order.reference.to_string(),
        state: order_state(order.state()),
        lines: order.lines.iter().map(|one| line(view, one)).collect(),
        addressee: Some(full_name(&order.addressee)),
        address: Some(address(&order.address)),
        total_centimes: order.total_centimes,
        payable_id: text(order.payable_id),
        create_time: Some(wire::timestamp(order.created_at)),
        update_time: Some(wire::timestamp(order.updated_at)),
        pay_before: Some(wire::timestamp(order.pay_before)),
        parcels: parcels.collect(),
        etag: order.version.to_string(),
        history: view.history.iter().map(history).collect(),
        progress_code: progress::of_order(order, &view.pending).to_owned(),
    }
}

fn history(entry: &crate::store::history::Entry) -> pb::HistoryEntry {
    pb::HistoryEntry {
        time: Some(wire::timestamp(entry.at)),
        event: entry.event.clone(),
        line_ids: entry.line_ids.iter().map(Uuid::to_string).collect(),
    }
}

pub(super) fn entry(entry: &Entry) -> pb::QueueEntry {
    pb::QueueEntry {
        line: Some(line(&entry.view, &entry.line)),
        order_id: entry.view.order.id.to_string(),
        pay_time: entry.line.paid_at.map(wire::timestamp),
        assigned_to_person_id: text(entry.line.assigned_to),
        act_id: text(entry.line.act_id),
        path: entry.path().as_str().to_owned(),
        late: entry.late,
    }
}

/// The parcel of a line, once it has one.
pub(super) fn parcel_of(entry: &Entry) -> Option<pb::Parcel> {
    let order = &entry.view.order;
    let found = order.parcel(entry.line.parcel_id?)?;
    let lines: Vec<Uuid> = order.lines_of(found.id).map(|line| line.id).collect();
    Some(parcel(found, &lines))
}

pub(super) fn evidence(evidence: &Evidence) -> pb::Evidence {
    pb::Evidence {
        evidence_id: evidence.id.to_string(),
        kind: evidence.kind.clone(),
        file_name: evidence.file_name.clone(),
        content_type: evidence.content_type.clone(),
        size_bytes: evidence.size_bytes.unsigned_abs(),
    }
}

pub(super) fn office_reason(reason: &Reason) -> pb::OfficeReason {
    pb::OfficeReason {
        code: reason.code.to_owned(),
        text_ar: reason.ar.to_owned(),
        text_fr: reason.fr.to_owned(),
        text_en: reason.en.to_owned(),
    }
}

pub(super) fn order_office(offered: &Offered) -> pb::OrderOffice {
    let office = &offered.office;
    pb::OrderOffice {
        office_id: office.id.to_string(),
        code: office.code.clone(),
        parent_office_id: text(office.parent_id),
        name_ar: office.name_ar.clone(),
        name_fr: office.name_fr.clone(),
        holder_office_ids: offered.holders.iter().map(Uuid::to_string).collect(),
    }
}

pub(super) fn catalogue_fees(fee: &Fee) -> impl Iterator<Item = pb::CatalogueFee> {
    fee.steps.iter().map(|step| pb::CatalogueFee {
        zone: fee.zone.clone(),
        from_copies: step.from_copies.into(),
        price: Some(price(step.price)),
    })
}

pub(super) fn document_kind(kind: &DocumentKind) -> pb::DocumentKind {
    pb::DocumentKind {
        code: kind.code.clone(),
        register_kind: register_kind(kind.register),
        name_ar: kind.name_ar.clone(),
        name_fr: kind.name_fr.clone(),
        name_en: kind.name_en.clone(),
        form: kind.form.as_str().to_owned(),
        routing: kind.routing.as_str().to_owned(),
        relations: kind.relations.iter().copied().map(relation).collect(),
        relations_with_evidence: kind
            .relations_with_evidence
            .iter()
            .copied()
            .map(relation)
            .collect(),
        languages: kind.languages.iter().copied().map(language).collect(),
        template: kind.template.clone(),
        issuing_administration_ar: kind.issuing_administration_ar.clone(),
        issuing_administration_fr: kind.issuing_administration_fr.clone(),
        seal_mode: kind.seal_mode.as_str().to_owned(),
        production_working_days: kind.production_working_days.into(),
        valid_from: Some(wire::date(kind.valid_from)),
        valid_to: kind.valid_to.map(wire::date),
    }
}

pub(super) fn profile(profile: &crate::store::offices::Profile) -> pb::OfficeProfile {
    pb::OfficeProfile {
        office_id: profile.office_id.to_string(),
        province_ar: profile.province_ar.clone(),
        province_fr: profile.province_fr.clone(),
        commune_ar: profile.commune_ar.clone(),
        commune_fr: profile.commune_fr.clone(),
        bureau_ar: profile.bureau_ar.clone(),
        bureau_fr: profile.bureau_fr.clone(),
        email: profile.email.clone(),
        language: profile.language.clone(),
        address: Some(address(&profile.address)),
        signs_by_hand: profile.signs_by_hand,
        electronic_seal_kinds: profile.electronic_seal_kinds.clone(),
    }
}

pub(super) fn batch_sheet(sheet: &Sheet) -> pb::BatchSheet {
    pb::BatchSheet {
        batch_sheet_id: sheet.id.to_string(),
        office_id: sheet.office_id.to_string(),
        number: sheet::number(sheet),
        create_time: Some(wire::timestamp(sheet.created_at)),
        line_ids: sheet.line_ids.iter().map(Uuid::to_string).collect(),
    }
}

pub(super) fn prepared(entry: &Entry) -> Option<pb::PreparedDocument> {
    let document = entry.line.document.as_ref()?;
    let hindered = entry.view.pending.iter().any(|pending| {
        pending.subject == entry.line.id && pending.kind == OutwardKind::DepositDocument && pending.hindered
    });
    Some(pb::PreparedDocument {
        line_id: entry.line.id.to_string(),
        line_reference: entry.view.order.line_reference(&entry.line).to_string(),
        issued_document_id: document
            .issued_document_id
            .map(|id| id.to_string())
            .unwrap_or_default(),
        digest: document.digest.map(|digest| digest.to_vec()).unwrap_or_default(),
        progress_code: progress::in_production(&entry.line, hindered).to_owned(),
        seal_mode: document.seal_mode.as_str().to_owned(),
        create_time: Some(wire::timestamp(document.prepared_at)),
    })
}
