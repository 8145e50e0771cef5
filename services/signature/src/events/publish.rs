//! A fact of a request as the event that tells of it. Ids, states and codes only.

use wathiq_outbox::NewEvent;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::domain::fact::{Commitment, Fact};
use crate::domain::placement::Mark;
use crate::domain::refusal::Level;
use crate::domain::request::LegalisationRequest;
use crate::wire;

/// Topic of everything that happens to legalisation requests.
pub const TOPIC: &str = "wathiq.signature.legalisation.v1";

/// The event for `fact`, which brought `request` to its present version.
pub fn event_of(request: &LegalisationRequest, fact: &Fact) -> NewEvent {
    let legalisation_request_id = request.id.to_string();
    match fact {
        Fact::Created => event(request, &created(request)),
        Fact::SignaturePlaced => {
            let drawn = request
                .placement
                .as_ref()
                .is_some_and(|placement| matches!(placement.mark, Mark::Drawn(_)));
            event(
                request,
                &pb::SignaturePlaced {
                    legalisation_request_id,
                    drawn,
                },
            )
        }
        Fact::Confirmed => {
            let confirmation_id = request
                .confirmation
                .as_ref()
                .map(|confirmation| confirmation.confirmation_id.to_string());
            let confirmation_id = confirmation_id.unwrap_or_default();
            event(
                request,
                &pb::LegalisationRequestConfirmed {
                    legalisation_request_id,
                    confirmation_id,
                },
            )
        }
        Fact::PaymentAwaited => {
            let fee_centimes = request.opening.fee_centimes;
            event(
                request,
                &pb::PaymentAwaited {
                    legalisation_request_id,
                    fee_centimes,
                },
            )
        }
        Fact::Submitted => event(request, &submitted(request)),
        Fact::Accepted => {
            let specimen_version = request
                .comparison
                .as_ref()
                .map_or(0, |comparison| comparison.specimen_version);
            event(
                request,
                &pb::LegalisationRequestAccepted {
                    legalisation_request_id,
                    specimen_version,
                },
            )
        }
        Fact::Returned => event(
            request,
            &pb::LegalisationRequestReturned {
                legalisation_request_id,
            },
        ),
        Fact::Refused => event(request, &refused(request)),
        Fact::Delivered => event(
            request,
            &pb::LegalisationDelivered {
                legalisation_request_id,
            },
        ),
        Fact::Cancelled => event(
            request,
            &pb::LegalisationRequestCancelled {
                legalisation_request_id,
            },
        ),
        Fact::Expired { state_before } => {
            let state_before = wire::state(*state_before).into();
            event(
                request,
                &pb::LegalisationRequestExpired {
                    legalisation_request_id,
                    state_before,
                },
            )
        }
        Fact::SealAuthorised { intent_id, register } => event(
            request,
            &pb::SealAuthorised {
                legalisation_request_id,
                intent_id: intent_id.to_string(),
                office_id: request.opening.office_id.to_string(),
                register_year: register.year,
                register_number: register.number,
            },
        ),
        Fact::SealIntentAnnulled { intent_id, register } => event(
            request,
            &pb::SealIntentAnnulled {
                legalisation_request_id,
                intent_id: intent_id.to_string(),
                office_id: request.opening.office_id.to_string(),
                register_year: register.year,
                register_number: register.number,
            },
        ),
        Fact::Sealed {
            intent_id,
            register,
            level,
            commitments,
        } => event(
            request,
            &pb::LegalisationSealed {
                legalisation_request_id,
                intent_id: intent_id.to_string(),
                office_id: request.opening.office_id.to_string(),
                register_year: register.year,
                register_number: register.number,
                level: (*level).to_owned(),
                commitments: commitments.iter().map(commitment).collect(),
            },
        ),
    }
}

fn event<M: prost::Message + prost::Name>(request: &LegalisationRequest, message: &M) -> NewEvent {
    NewEvent::of(TOPIC, request.id, request.version, message)
}

fn created(request: &LegalisationRequest) -> pb::LegalisationRequestCreated {
    let opening = &request.opening;
    pb::LegalisationRequestCreated {
        legalisation_request_id: request.id.to_string(),
        office_id: opening.office_id.to_string(),
        document_kind: opening.kind.clone(),
        destination: wire::destination_kind(&opening.destination).into(),
        resubmission_of: opening
            .resubmission_of
            .map(|id| id.to_string())
            .unwrap_or_default(),
    }
}

fn submitted(request: &LegalisationRequest) -> pb::LegalisationRequestSubmitted {
    let receipt = request.receipt.as_ref();
    pb::LegalisationRequestSubmitted {
        legalisation_request_id: request.id.to_string(),
        office_id: request.opening.office_id.to_string(),
        receipt_number: receipt.map(|receipt| receipt.number.clone()).unwrap_or_default(),
        expected_date: receipt.map(|receipt| wire::date(receipt.expected_on)),
    }
}

fn refused(request: &LegalisationRequest) -> pb::LegalisationRequestRefused {
    let refusal = request.refusal.as_ref();
    pb::LegalisationRequestRefused {
        legalisation_request_id: request.id.to_string(),
        reason_code: refusal
            .map(|refusal| refusal.reason_code.clone())
            .unwrap_or_default(),
        level: refusal
            .map_or(Level::Agent, |refusal| refusal.level)
            .as_str()
            .to_owned(),
    }
}

fn commitment(commitment: &Commitment) -> pb::EventCommitment {
    pb::EventCommitment {
        kind: wire::file_kind(commitment.kind).into(),
        revision: commitment.revision,
        commitment: commitment.value.to_vec(),
    }
}
