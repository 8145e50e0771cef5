//! The steps of a legalisation, for tests that begin in the middle.

use futures::stream;
use tonic::Status;
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::clients::identity::Purpose;

use super::{OFFICE, Person, World, request_id};
use crate::sample;

/// A drawn signature on page 1.
pub(crate) fn drawn() -> pb::Placement {
    let point = |x, y| pb::SignaturePoint { x, y };
    let strokes = vec![
        pb::SignatureStroke {
            points: vec![
                point(0.05, 0.6),
                point(0.3, 0.2),
                point(0.5, 0.8),
                point(0.95, 0.4),
            ],
        },
        pb::SignatureStroke {
            points: vec![point(0.2, 0.9), point(0.8, 0.85)],
        },
    ];
    pb::Placement {
        page_number: 1,
        rectangle: Some(pb::Rectangle {
            x: 350.0,
            y: 700.0,
            width: 160.0,
            height: 60.0,
        }),
        mark: Some(pb::placement::Mark::Drawn(pb::DrawnSignature { strokes })),
    }
}

/// A signature that already stands on page 1.
pub(crate) fn standing() -> pb::Placement {
    pb::Placement {
        mark: Some(pb::placement::Mark::Standing(pb::StandingSignature {})),
        ..drawn()
    }
}

impl World {
    /// Uploads a file in pieces.
    pub(crate) async fn try_upload(
        &self,
        person: Person,
        request_id: &str,
        file: &[u8],
    ) -> Result<pb::Document, Status> {
        let header = pb::UploadHeader {
            request_id: request_id.to_owned(),
            file_name: "contrat.pdf".to_owned(),
            length: file.len() as u64,
        };
        let mut parts = vec![pb::upload_document_request::Part::Header(header)];
        parts.extend(
            file.chunks(64 * 1024)
                .map(|chunk| pb::upload_document_request::Part::Chunk(chunk.to_vec())),
        );
        let messages = parts
            .into_iter()
            .map(|part| pb::UploadDocumentRequest { part: Some(part) });
        let request = self.as_citizen(person, stream::iter(messages.collect::<Vec<_>>()));
        Ok(self
            .documents()
            .upload_document(request)
            .await?
            .into_inner()
            .document
            .unwrap())
    }

    /// Uploads a file that is accepted.
    pub(crate) async fn upload(&self, person: Person, file: &[u8]) -> pb::Document {
        let document = self.try_upload(person, &request_id(), file).await.unwrap();
        assert_eq!(document.state(), pb::DocumentState::Accepted, "{document:?}");
        document
    }

    /// What a request for a contract asks.
    pub(crate) fn opening(&self, document: &pb::Document) -> pb::CreateLegalisationRequestRequest {
        pb::CreateLegalisationRequestRequest {
            request_id: request_id(),
            document_id: document.document_id.clone(),
            office_id: OFFICE.to_string(),
            document_kind: "contract".to_owned(),
            capacity: pb::SigningCapacity::Oneself.into(),
            destination: Some(pb::Destination {
                kind: pb::DestinationKind::PrivateParty.into(),
                ..pb::Destination::default()
            }),
            mandatary: None,
        }
    }

    /// DRAFT
    pub(crate) async fn drafted(&self, person: Person) -> pb::LegalisationRequest {
        let document = self.upload(person, &sample::plain(1)).await;
        let request = self.as_citizen(person, self.opening(&document));
        let answer = self
            .legalisation()
            .create_legalisation_request(request)
            .await
            .unwrap();
        answer.into_inner().legalisation_request.unwrap()
    }

    pub(crate) async fn try_place(
        &self,
        person: Person,
        id: &str,
        placement: pb::Placement,
    ) -> Result<pb::LegalisationRequest, Status> {
        let message = pb::PlaceSignatureRequest {
            request_id: request_id(),
            legalisation_request_id: id.to_owned(),
            placement: Some(placement),
            etag: String::new(),
        };
        let answer = self
            .legalisation()
            .place_signature(self.as_citizen(person, message))
            .await?;
        Ok(answer.into_inner().legalisation_request.unwrap())
    }

    /// SIGNATURE_PLACED
    pub(crate) async fn placed(&self, person: Person) -> pb::LegalisationRequest {
        let request = self.drafted(person).await;
        self.try_place(person, &request.legalisation_request_id, drawn())
            .await
            .unwrap()
    }

    /// A given confirmation of the request as it stands.
    pub(crate) async fn confirmation(&self, person: Person, id: &str) -> String {
        let message = pb::GetConfirmationSubjectRequest {
            legalisation_request_id: id.to_owned(),
        };
        let subject = self
            .legalisation()
            .get_confirmation_subject(self.as_citizen(person, message))
            .await
            .unwrap();
        let hash = subject.into_inner().hash.try_into().unwrap();
        self.identity
            .confirm(person.0, Purpose::Legalise, vec![hash])
            .to_string()
    }

    pub(crate) async fn try_confirm(
        &self,
        person: Person,
        id: &str,
        confirmation_id: &str,
    ) -> Result<pb::LegalisationRequest, Status> {
        let message = pb::ConfirmLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.to_owned(),
            confirmation_id: confirmation_id.to_owned(),
        };
        let answer = self
            .legalisation()
            .confirm_legalisation_request(self.as_citizen(person, message))
            .await?;
        Ok(answer.into_inner().legalisation_request.unwrap())
    }

    /// SUBMITTED
    pub(crate) async fn submitted(&self, person: Person) -> pb::LegalisationRequest {
        let request = self.placed(person).await;
        let confirmation_id = self.confirmation(person, &request.legalisation_request_id).await;
        self.try_confirm(person, &request.legalisation_request_id, &confirmation_id)
            .await
            .unwrap()
    }

    pub(crate) async fn try_claim(&self, official: Person, id: &str) -> Result<pb::QueueEntry, Status> {
        let message = pb::ClaimRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.to_owned(),
        };
        let answer = self
            .office()
            .claim_request(self.as_staff(official, message))
            .await?;
        Ok(answer.into_inner().entry.unwrap())
    }

    pub(crate) async fn try_review(&self, agent: Person, id: &str) -> Result<pb::GetReviewResponse, Status> {
        let message = pb::GetReviewRequest {
            legalisation_request_id: id.to_owned(),
        };
        Ok(self
            .office()
            .get_review(self.as_staff(agent, message))
            .await?
            .into_inner())
    }

    pub(crate) async fn try_accept(
        &self,
        agent: Person,
        id: &str,
        comparison: pb::Comparison,
    ) -> Result<pb::LegalisationRequest, Status> {
        let message = pb::AcceptRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.to_owned(),
            comparison: Some(comparison),
        };
        let answer = self
            .office()
            .accept_request(self.as_staff(agent, message))
            .await?;
        Ok(answer.into_inner().legalisation_request.unwrap())
    }

    /// SUBMITTED → AGENT_ACCEPTED
    pub(crate) async fn accept(&self, agent: Person, id: &str) -> pb::LegalisationRequest {
        self.try_claim(agent, id).await.unwrap();
        let review = self.try_review(agent, id).await.unwrap();
        self.try_accept(agent, id, matching(&review)).await.unwrap()
    }

    pub(crate) async fn try_refuse(
        &self,
        official: Person,
        id: &str,
        comparison: Option<pb::Comparison>,
    ) -> Result<pb::LegalisationRequest, Status> {
        let message = pb::RefuseRequestRequest {
            request_id: request_id(),
            legalisation_request_id: id.to_owned(),
            reason_code: "signature_differs".to_owned(),
            text: "Le paraphe ne ressemble pas au spécimen.".to_owned(),
            comparison,
        };
        let answer = self
            .office()
            .refuse_request(self.as_staff(official, message))
            .await?;
        Ok(answer.into_inner().legalisation_request.unwrap())
    }

    /// Sets the fee for contracts at the office.
    pub(crate) async fn try_set_fee(
        &self,
        official: Person,
        fee_centimes: i64,
        from_time: Option<prost_types::Timestamp>,
    ) -> Result<(), Status> {
        let message = pb::SetFeeRequest {
            request_id: request_id(),
            office_id: OFFICE.to_string(),
            document_kind: "contract".to_owned(),
            fee_centimes,
            from_time,
        };
        self.office()
            .set_fee(self.as_staff(official, message))
            .await
            .map(|_| ())
    }

    /// The caller's request as it stands.
    pub(crate) async fn try_get(&self, person: Person, id: &str) -> Result<pb::LegalisationRequest, Status> {
        let message = pb::GetLegalisationRequestRequest {
            legalisation_request_id: id.to_owned(),
        };
        let answer = self
            .legalisation()
            .get_legalisation_request(self.as_citizen(person, message))
            .await?;
        Ok(answer.into_inner().legalisation_request.unwrap())
    }
}

/// The declaration that what was shown matches.
pub(crate) fn matching(review: &pb::GetReviewResponse) -> pb::Comparison {
    pb::Comparison {
        result: pb::ComparisonResult::Matches.into(),
        note: String::new(),
        specimen_version: review.specimen_version,
        region_sha256: review.region_sha256.clone(),
        specimen_sha256: review.specimen_sha256.clone(),
    }
}

/// The id of a request as a UUID.
pub(crate) fn id_of(request: &pb::LegalisationRequest) -> Uuid {
    request.legalisation_request_id.parse().unwrap()
}
