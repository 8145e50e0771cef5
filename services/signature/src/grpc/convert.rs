//! The way out: domain values as messages.

use wathiq_proto::wathiq::signature::v1 as pb;

use crate::app::get_catalogue::CatalogueView;
use crate::app::list_queue::Entry;
use crate::app::view::RequestView;
use crate::domain::confirmation_subject::ConfirmationSubject;
use crate::domain::destination::{Destination, Mandatary};
use crate::domain::document::{Document, Inspection, SealPolicy};
use crate::domain::person::Signer;
use crate::domain::placement::{Mark, Placement};
use crate::domain::receipt::Receipt;
use crate::domain::refusal::Refusal;
use crate::domain::request::LegalisationRequest;
use crate::domain::state::State;
use crate::grpc::seal;
use crate::wire;

pub(super) fn document(document: &Document) -> pb::Document {
    let mut message = pb::Document {
        document_id: document.id.to_string(),
        state: pb::DocumentState::Refused.into(),
        file_name: document.file_name.clone(),
        size_bytes: document.size_bytes,
        sha256: document.sha256.to_vec(),
        create_time: Some(wire::timestamp(document.created_at)),
        ..pb::Document::default()
    };
    match &document.verdict {
        Inspection::Refused(refusal) => {
            message.refusal = Some(pb::IntakeRefusal {
                reason: refusal.reason.clone(),
                object_number: refusal.object_number.unwrap_or_default(),
                detail: refusal.detail.clone(),
            });
        }
        Inspection::Accepted(accepted) => {
            message.state = pb::DocumentState::Accepted.into();
            message.pages = accepted
                .pages
                .iter()
                .map(|page| pb::Page {
                    width: page.width,
                    height: page.height,
                })
                .collect();
            message.seal_policy = seal_policy(&accepted.policy).into();
            message.existing_signatures = accepted
                .existing_signatures
                .iter()
                .map(|signature| pb::ExistingSignature {
                    field_name: signature.field_name.clone(),
                    certification_level: signature.certification_level.into(),
                })
                .collect();
        }
    }
    message
}

fn seal_policy(policy: &SealPolicy) -> pb::SealPolicy {
    match policy {
        SealPolicy::Unsigned => pb::SealPolicy::Unsigned,
        SealPolicy::VisibleField => pb::SealPolicy::VisibleField,
        SealPolicy::ExistingField { .. } => pb::SealPolicy::ExistingField,
        SealPolicy::InvisibleField => pb::SealPolicy::InvisibleField,
    }
}

pub(super) fn legalisation_request(view: &RequestView) -> pb::LegalisationRequest {
    let RequestView {
        request,
        seal,
        payable_id,
    } = view;
    let opening = &request.opening;
    pb::LegalisationRequest {
        legalisation_request_id: request.id.to_string(),
        state: wire::state(request.state).into(),
        document_id: opening.document_id.to_string(),
        office_id: opening.office_id.to_string(),
        document_kind: opening.kind.clone(),
        // Organisations cannot be enrolled yet: every request is for oneself.
        capacity: pb::SigningCapacity::Oneself.into(),
        destination: Some(destination(&opening.destination)),
        mandatary: opening.mandatary.as_ref().map(mandatary),
        placement: request.placement.as_ref().map(placement),
        receipt: request.receipt.as_ref().map(receipt),
        refusal: request.refusal.as_ref().map(refusal),
        register_entry: seal.as_ref().map(|facts| seal::register_entry(&facts.register)),
        files: seal
            .iter()
            .flat_map(|facts| &facts.files)
            .map(seal::sealed_file)
            .collect(),
        verification_code: seal
            .as_ref()
            .and_then(|facts| facts.verification_code.clone())
            .unwrap_or_default(),
        fee_centimes: opening.fee_centimes,
        create_time: Some(wire::timestamp(request.created_at)),
        update_time: Some(wire::timestamp(request.updated_at)),
        expire_time: request.expires_at.map(wire::timestamp),
        progress_code: progress_code(view).to_owned(),
        resubmission_of: opening
            .resubmission_of
            .map(|id| id.to_string())
            .unwrap_or_default(),
        etag: request.etag(),
        payable_id: payable_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// What happens next, in a word that the catalogue of texts knows.
fn progress_code(view: &RequestView) -> &'static str {
    if let Some(progress) = view.seal.as_ref().and_then(|facts| facts.progress) {
        return progress;
    }
    match view.request.state {
        State::Draft => "WAITING_FOR_PLACEMENT",
        State::SignaturePlaced | State::Confirmed => "WAITING_FOR_CONFIRMATION",
        State::AwaitingPayment if view.payable_id.is_none() => "WAITING_FOR_PAYMENT_SERVICE",
        State::AwaitingPayment => "WAITING_FOR_PAYMENT",
        State::Submitted => "WAITING_FOR_AGENT",
        State::AgentAccepted => "WAITING_FOR_OFFICER",
        State::AwaitingSignature => "WAITING_FOR_SIGNATURE",
        State::Sealed | State::Delivered | State::Refused | State::Cancelled | State::Expired => "",
    }
}

fn destination(destination: &Destination) -> pb::Destination {
    let (administration_id, name) = match destination {
        Destination::EnrolledAdministration(administration) => {
            (administration.id.to_string(), administration.name_fr.clone())
        }
        Destination::OtherAdministration { name } | Destination::Abroad { name } => {
            (String::new(), name.clone())
        }
        Destination::PrivateParty { name } => (String::new(), name.clone().unwrap_or_default()),
    };
    pb::Destination {
        kind: wire::destination_kind(destination).into(),
        administration_id,
        name,
    }
}

fn mandatary(mandatary: &Mandatary) -> pb::Mandatary {
    pb::Mandatary {
        name_arabic: mandatary.name_arabic.clone().unwrap_or_default(),
        name_latin: mandatary.name_latin.clone().unwrap_or_default(),
        identity_document_number: mandatary.identity_document_number.clone(),
        address: mandatary.address.clone(),
    }
}

fn placement(placement: &Placement) -> pb::Placement {
    let [x, y, width, height] = placement.rectangle.points();
    let mark = match &placement.mark {
        Mark::Standing => pb::placement::Mark::Standing(pb::StandingSignature {}),
        Mark::Drawn(strokes) => {
            let stroke = |points: Vec<[f32; 2]>| pb::SignatureStroke {
                points: points
                    .into_iter()
                    .map(|[x, y]| pb::SignaturePoint { x, y })
                    .collect(),
            };
            let strokes = strokes.fractions().into_iter().map(stroke).collect();
            pb::placement::Mark::Drawn(pb::DrawnSignature { strokes })
        }
    };
    pb::Placement {
        page_number: placement.page_number.cast_signed(),
        rectangle: Some(pb::Rectangle { x, y, width, height }),
        mark: Some(mark),
    }
}

fn receipt(receipt: &Receipt) -> pb::Receipt {
    pb::Receipt {
        number: receipt.number.clone(),
        submit_time: Some(wire::timestamp(receipt.submitted_at)),
        expected_date: Some(wire::date(receipt.expected_on)),
    }
}

fn refusal(refusal: &Refusal) -> pb::Refusal {
    pb::Refusal {
        reason_code: refusal.reason_code.clone(),
        text: refusal.text.clone(),
        refuse_time: Some(wire::timestamp(refusal.refused_at)),
    }
}

pub(super) fn queue_entry(entry: &Entry) -> pb::QueueEntry {
    let request: &LegalisationRequest = &entry.view.request;
    let signer = request
        .confirmation
        .as_ref()
        .map(|confirmation| &confirmation.signer);
    pb::QueueEntry {
        legalisation_request: Some(legalisation_request(&entry.view)),
        applicant_name_latin: signer.map(Signer::name_latin).unwrap_or_default(),
        applicant_name_arabic: signer.map(Signer::name_arabic).unwrap_or_default(),
        claimed_by_person_id: entry
            .claim
            .map(|claim| claim.person_id.to_string())
            .unwrap_or_default(),
        claim_expire_time: entry.claim.map(|claim| wire::timestamp(claim.lapses_at)),
        return_note: request.return_note.clone().unwrap_or_default(),
    }
}

pub(super) fn confirmation_subject(subject: &ConfirmationSubject) -> pb::ConfirmationSubject {
    let rectangle = subject.placement.rectangle;
    pb::ConfirmationSubject {
        legalisation_request_id: subject.request_id.to_string(),
        document_sha256: subject.document_sha256.to_vec(),
        page_number: subject.placement.page_number.cast_signed(),
        rectangle: vec![rectangle.x, rectangle.y, rectangle.width, rectangle.height],
        mark_sha256: subject
            .placement
            .mark_digest()
            .map(|digest| digest.to_vec())
            .unwrap_or_default(),
        specimen_version: subject.specimen_version,
        office_id: subject.office_id.to_string(),
    }
}

pub(super) fn catalogue(view: &CatalogueView) -> pb::GetCatalogueResponse {
    let document_kinds = view.catalogue.kinds.iter().map(|kind| pb::DocumentKind {
        code: kind.code.clone(),
        name_ar: kind.name_ar.clone(),
        name_fr: kind.name_fr.clone(),
        name_en: kind.name_en.clone(),
        needs_mandatary: kind.needs_mandatary,
        refused_reason: kind
            .refused
            .as_ref()
            .map(|refused| refused.reason.as_str())
            .unwrap_or_default()
            .to_owned(),
        fee_centimes: view.fees.get(&kind.code).copied().unwrap_or_default(),
    });
    let refusal_reasons = view
        .catalogue
        .refusal_reasons
        .iter()
        .map(|reason| pb::RefusalReason {
            code: reason.code.clone(),
            text_ar: reason.text_ar.clone(),
            text_fr: reason.text_fr.clone(),
            text_en: reason.text_en.clone(),
        });
    pb::GetCatalogueResponse {
        document_kinds: document_kinds.collect(),
        refusal_reasons: refusal_reasons.collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;
    use uuid::Uuid;

    use super::*;
    use crate::domain::placement::Rectangle;
    use crate::domain::strokes::Strokes;

    proptest! {
        /// The hand-written encoding that is hashed is the protobuf encoding that the contract promises.
        #[test]
        fn what_is_hashed_is_the_message(
            ids in any::<(u128, u128)>(), sha256 in any::<[u8; 32]>(), page_number in 1u32..=2_000,
            rectangle in any::<(i32, i32, i32, i32)>(), drawn in any::<bool>(), specimen_version in 0..i32::MAX,
        ) {
            let strokes = Strokes::from_fractions(&[vec![(0.0, 0.0), (1.0, 0.5)]]).unwrap();
            let subject = ConfirmationSubject {
                request_id: Uuid::from_u128(ids.0),
                document_sha256: sha256,
                placement: Placement {
                    page_number,
                    rectangle: Rectangle {
                        x: rectangle.0.into(), y: rectangle.1.into(), width: rectangle.2.into(), height: rectangle.3.into(),
                    },
                    mark: if drawn { Mark::Drawn(strokes) } else { Mark::Standing },
                },
                specimen_version,
                office_id: Uuid::from_u128(ids.1),
            };
            prop_assert_eq!(subject.encode(), confirmation_subject(&subject).encode_to_vec());
        }
    }
}
