//! Every method of the package, asked without a token, by another citizen, and by an official of another office.

use bytes::{Buf, BufMut};
use futures::stream;
use prost::Message;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use uuid::Uuid;
use wathiq_chassis::{Surface, UserRule};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::domain::role::{ADMINISTRATOR, AGENT, OFFICER};
use wathiq_signature::grpc::rules::RULES;

use crate::harness::{OFFICE, Person, World, drawn, matching, request_id, with_token};
use crate::officers::Token;
use crate::{issuing, sample};

/// Messages as their bytes, whatever their type.
#[derive(Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; source.remaining()];
        source.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}

/// Things of one citizen and one office that others ask for.
struct Things {
    document_id: String,
    /// With the citizen, at the office, and authorised there.
    placed: String,
    submitted: String,
    accepted: String,
    authorised: String,
    intent_id: String,
    comparison: pb::Comparison,
    confirmation_id: String,
    issued_document_id: String,
}

impl World {
    async fn things(&self) -> (Person, Things) {
        let token = Token::named("officer-1");
        let citizen = self.citizen();
        let (agent, officer) = (self.official(&[AGENT]), self.officer(&token).await);
        let document_id = self.upload(citizen, &sample::plain(1)).await.document_id;
        let placed = self.placed(citizen).await.legalisation_request_id;
        let confirmation_id = self.confirmation(citizen, &placed).await;
        let submitted = self.submitted(citizen).await.legalisation_request_id;
        self.try_claim(agent, &submitted).await.unwrap();
        let comparison = matching(&self.try_review(agent, &submitted).await.unwrap());
        let accepted = self.accepted(citizen, agent).await;
        let authorised = self.accepted(citizen, agent).await;
        let intents = self.authorised(officer, std::slice::from_ref(&authorised)).await;
        let things = Things {
            document_id,
            placed,
            submitted,
            accepted,
            authorised,
            intent_id: intents[0].intent_id.clone(),
            comparison,
            confirmation_id,
            issued_document_id: self.deposited(issuing::header()).await.issued_document_id,
        };
        (citizen, things)
    }

    /// Calls a method with this message, and the person's token on a surface where there is a person.
    async fn ask(
        &self,
        path: &'static str,
        message: Vec<u8>,
        person: Option<(Person, Surface)>,
    ) -> Result<Vec<u8>, Status> {
        let parts = stream::iter([message]);
        let request = match person {
            None => Request::new(parts),
            Some((person, surface)) => {
                let claims = self.claims(person, surface);
                with_token(parts, &wathiq_chassis::testing::token(&claims))
            }
        };
        let mut client = tonic::client::Grpc::new(self.channel("gateway"));
        client.ready().await.unwrap();
        let mut answer = client
            .streaming(request, PathAndQuery::from_static(path), Bytes)
            .await?
            .into_inner();
        let mut whole = Vec::new();
        while let Some(part) = answer.message().await? {
            whole.extend(part);
        }
        Ok(whole)
    }
}

/// What a method is asked for.
enum Asked {
    /// One thing of another's: a stranger finds none, or is denied.
    Refused(Vec<u8>),
    /// What the caller has, or problems with what they have not: nothing of another's is in the answer.
    Nothing(Vec<u8>),
    /// Everybody may, for themselves.
    Everybody,
}

fn about(path: &str, things: &Things) -> Asked {
    let (service, method) = path.rsplit_once('/').unwrap();
    match service.rsplit_once('.').unwrap().1 {
        "DocumentService" => of_documents(method, things),
        "LegalisationService" => of_requests(method, things),
        "OfficeService" => of_reviews(method, things)
            .or_else(|| of_seals(method, things))
            .unwrap_or_else(|| panic!("{path} is not in the matrix")),
        "IssuedDocumentService" => of_issued(method, things),
        other => panic!("{other} is not in the matrix"),
    }
}

fn of_issued(method: &str, things: &Things) -> Asked {
    match method {
        "ListIssuedDocumentsToSeal" => Asked::Refused(
            pb::ListIssuedDocumentsToSealRequest {
                office_id: OFFICE.to_string(),
                ..Default::default()
            }
            .encode_to_vec(),
        ),
        "SealIssuedDocuments" => Asked::Nothing(
            pb::SealIssuedDocumentsRequest {
                request_id: request_id(),
                issued_document_ids: vec![things.issued_document_id.clone()],
                confirmation_id: request_id(),
                pin: "1234".to_owned(),
                credential_id: String::new(),
            }
            .encode_to_vec(),
        ),
        other => panic!("{other} is not in the matrix"),
    }
}

fn of_documents(method: &str, things: &Things) -> Asked {
    let document_id = things.document_id.clone();
    match method {
        "UploadDocument" => Asked::Everybody,
        "GetDocument" => Asked::Refused(pb::GetDocumentRequest { document_id }.encode_to_vec()),
        "DownloadDocument" => Asked::Refused(
            pb::DownloadDocumentRequest {
                document_id,
                ..Default::default()
            }
            .encode_to_vec(),
        ),
        "RenderPage" => Asked::Refused(
            pb::RenderPageRequest {
                document_id,
                page_number: 1,
                region: None,
                width_pixels: 100,
            }
            .encode_to_vec(),
        ),
        _ => panic!("{method} is not in the matrix"),
    }
}

fn of_requests(method: &str, things: &Things) -> Asked {
    let placed = things.placed.clone();
    let message = match method {
        "GetCatalogue" => return Asked::Everybody,
        "ListLegalisationRequests" => {
            return Asked::Nothing(pb::ListLegalisationRequestsRequest::default().encode_to_vec());
        }
        "CreateLegalisationRequest" => pb::CreateLegalisationRequestRequest {
            request_id: request_id(),
            document_id: things.document_id.clone(),
            office_id: OFFICE.to_string(),
            document_kind: "contract".to_owned(),
            capacity: pb::SigningCapacity::Oneself.into(),
            destination: Some(pb::Destination {
                kind: pb::DestinationKind::PrivateParty.into(),
                ..Default::default()
            }),
            mandatary: None,
        }
        .encode_to_vec(),
        "PlaceSignature" => pb::PlaceSignatureRequest {
            request_id: request_id(),
            legalisation_request_id: placed,
            placement: Some(drawn()),
            etag: String::new(),
        }
        .encode_to_vec(),
        "GetConfirmationSubject" => pb::GetConfirmationSubjectRequest {
            legalisation_request_id: placed,
        }
        .encode_to_vec(),
        "ConfirmLegalisationRequest" => pb::ConfirmLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: placed,
            confirmation_id: things.confirmation_id.clone(),
        }
        .encode_to_vec(),
        "CancelLegalisationRequest" => pb::CancelLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: placed,
        }
        .encode_to_vec(),
        "ResubmitLegalisationRequest" => pb::ResubmitLegalisationRequestRequest {
            request_id: request_id(),
            legalisation_request_id: placed,
            document_id: String::new(),
        }
        .encode_to_vec(),
        "GetLegalisationRequest" => pb::GetLegalisationRequestRequest {
            legalisation_request_id: placed,
        }
        .encode_to_vec(),
        "DownloadSealedFile" => pb::DownloadSealedFileRequest {
            legalisation_request_id: things.authorised.clone(),
            kind: pb::SealedFileKind::Document.into(),
            ..Default::default()
        }
        .encode_to_vec(),
        "GetCommitments" => pb::GetCommitmentsRequest {
            legalisation_request_id: things.authorised.clone(),
        }
        .encode_to_vec(),
        _ => panic!("{method} is not in the matrix"),
    };
    Asked::Refused(message)
}

fn of_reviews(method: &str, things: &Things) -> Option<Asked> {
    let submitted = things.submitted.clone();
    let message = match method {
        "ListQueue" => return Some(Asked::Nothing(pb::ListQueueRequest::default().encode_to_vec())),
        "ClaimRequest" => pb::ClaimRequestRequest {
            request_id: request_id(),
            legalisation_request_id: submitted,
        }
        .encode_to_vec(),
        "ReleaseClaim" => pb::ReleaseClaimRequest {
            request_id: request_id(),
            legalisation_request_id: submitted,
        }
        .encode_to_vec(),
        "GetReview" => pb::GetReviewRequest {
            legalisation_request_id: submitted,
        }
        .encode_to_vec(),
        "RenderReviewPage" => pb::RenderReviewPageRequest {
            legalisation_request_id: submitted,
            page_number: 1,
            region: None,
            width_pixels: 100,
        }
        .encode_to_vec(),
        "AcceptRequest" => pb::AcceptRequestRequest {
            request_id: request_id(),
            legalisation_request_id: submitted,
            comparison: Some(things.comparison.clone()),
        }
        .encode_to_vec(),
        "RefuseRequest" => pb::RefuseRequestRequest {
            request_id: request_id(),
            legalisation_request_id: submitted,
            reason_code: "signature_differs".to_owned(),
            text: "Le paraphe ne ressemble pas au spécimen.".to_owned(),
            comparison: None,
        }
        .encode_to_vec(),
        "ReturnRequest" => pb::ReturnRequestRequest {
            request_id: request_id(),
            legalisation_request_id: things.accepted.clone(),
            note: "Merci de vérifier la page 2.".to_owned(),
        }
        .encode_to_vec(),
        _ => return None,
    };
    Some(Asked::Refused(message))
}

fn of_seals(method: &str, things: &Things) -> Option<Asked> {
    let office_id = OFFICE.to_string();
    let message = match method {
        "AuthoriseSeals" => {
            let message = pb::AuthoriseSealsRequest {
                request_id: request_id(),
                legalisation_request_ids: vec![things.accepted.clone()],
                credential_id: String::new(),
            };
            return Some(Asked::Nothing(message.encode_to_vec()));
        }
        "Seal" => {
            let message = pb::SealRequest {
                request_id: request_id(),
                intent_ids: vec![things.intent_id.clone()],
                confirmation_id: request_id(),
                pin: "1234".to_owned(),
            };
            return Some(Asked::Nothing(message.encode_to_vec()));
        }
        "ListIntents" => pb::ListIntentsRequest {
            office_id,
            ..Default::default()
        }
        .encode_to_vec(),
        "AnnulIntent" => pb::AnnulIntentRequest {
            request_id: request_id(),
            intent_id: things.intent_id.clone(),
            reason: "Erreur sur la personne.".to_owned(),
        }
        .encode_to_vec(),
        "ListRegister" => pb::ListRegisterRequest {
            office_id,
            year: 2026,
            ..Default::default()
        }
        .encode_to_vec(),
        "RegisterCredential" => {
            let token = Token::named("officer-2");
            pb::RegisterCredentialRequest {
                request_id: request_id(),
                office_id,
                officer_person_id: request_id(),
                token_label: token.label,
                key_label: token.key_label,
                certificate_chain_pem: token.chain_pem,
                ..Default::default()
            }
            .encode_to_vec()
        }
        "ListCredentials" => pb::ListCredentialsRequest {
            office_id,
            ..Default::default()
        }
        .encode_to_vec(),
        "SetFee" => pb::SetFeeRequest {
            request_id: request_id(),
            office_id,
            document_kind: "contract".to_owned(),
            fee_centimes: 1,
            from_time: None,
        }
        .encode_to_vec(),
        _ => return None,
    };
    Some(Asked::Refused(message))
}

/// Nothing of another's is in the answer: lists are empty, and of a batch every item is a problem.
fn assert_nothing(path: &str, answer: &[u8]) {
    if path.ends_with("/AuthoriseSeals") {
        let answer = pb::AuthoriseSealsResponse::decode(answer).unwrap();
        assert_eq!((answer.intents.len(), answer.problems.len()), (0, 1));
        assert_eq!(answer.problems[0].reason, "LEGALISATION_REQUEST_NOT_FOUND");
    } else if path.ends_with("/Seal") {
        let answer = pb::SealResponse::decode(answer).unwrap();
        assert_eq!(
            (answer.legalisation_requests.len(), answer.problems.len()),
            (0, 1)
        );
        assert_eq!(answer.problems[0].reason, "SEAL_INTENT_NOT_FOUND");
    } else if path.ends_with("/SealIssuedDocuments") {
        let answer = pb::SealIssuedDocumentsResponse::decode(answer).unwrap();
        assert_eq!((answer.issued_documents.len(), answer.problems.len()), (0, 1));
        assert_eq!(answer.problems[0].reason, "ISSUED_DOCUMENT_NOT_FOUND");
    } else {
        assert!(answer.is_empty(), "{path} tells of another's");
    }
}

/// What stands in all tables that a stranger's call could have changed.
async fn state(world: &World) -> Vec<(String, i64, i64)> {
    let mut conn = world.database.connect().await;
    sqlx::query_as(
        "SELECT 'requests', count(*), coalesce(sum(version), 0)::bigint FROM legalisation_request
         UNION ALL SELECT 'claims', count(*), 0 FROM claim UNION ALL SELECT 'intents', count(*), 0 FROM seal_intent WHERE state = 'OPEN'
         UNION ALL SELECT 'credentials', count(*), 0 FROM signing_credential UNION ALL SELECT 'fees', count(*), 0 FROM fee
         UNION ALL SELECT 'documents', count(*), 0 FROM document
         UNION ALL SELECT 'issued', count(*), 0 FROM issued_document WHERE state = 'WAITING_FOR_OFFICER' ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap()
}

/// What anybody may ask who holds a file, a code or a link, and what another process asks.
const WITHOUT_PERSON: [&str; 11] = [
    "VerificationService/VerifyCode",
    "VerificationService/VerifyFile",
    "VerificationService/DownloadByLink",
    "VerificationService/GetLink",
    "MessageFactsService/GetMessageFacts",
    "MessageFactsService/DownloadForMessage",
    "IssuedDocumentService/DepositIssuedDocument",
    "IssuedDocumentService/GetIssuedDocument",
    "IssuedDocumentService/DownloadIssuedDocument",
    "IssuedDocumentService/WithdrawIssuedDocument",
    "IssuedDocumentService/ListIssuedDocuments",
];

#[tokio::test]
async fn no_method_serves_strangers() {
    let world = World::present().await;
    let (citizen, things) = world.things().await;
    let stranger = world.citizen();
    let elsewhere = world.citizen();
    for role in [AGENT, OFFICER, ADMINISTRATOR] {
        world.identity.grant(elsewhere.0, Uuid::from_u128(0xbeef), role);
    }
    let before = state(&world).await;
    let mut asked = 0;
    // Which methods there are, the contracts say: see the test of the rules.
    for rule in RULES.iter().filter(|rule| rule.user != UserRule::None) {
        let (message, refused) = match about(rule.path, &things) {
            Asked::Everybody => continue,
            Asked::Refused(message) => (message, true),
            Asked::Nothing(message) => (message, false),
        };
        asked += 1;
        let nobody = world.ask(rule.path, message.clone(), None).await.unwrap_err();
        assert_eq!(nobody.code(), Code::Unauthenticated, "{}", rule.path);
        let staff = [".OfficeService/", ".IssuedDocumentService/"]
            .iter()
            .any(|service| rule.path.contains(service));
        let callers = [
            (stranger, Surface::Citizen, staff),
            (elsewhere, Surface::Staff, !staff),
            // Who they are does not matter where the session is not of this surface.
            (
                citizen,
                if staff { Surface::Citizen } else { Surface::Staff },
                true,
            ),
        ];
        for (person, surface, wrong_surface) in callers {
            let answer = world
                .ask(rule.path, message.clone(), Some((person, surface)))
                .await;
            let place = format!("{} on {surface:?}", rule.path);
            match answer {
                Ok(answer) if !refused && !wrong_surface => assert_nothing(rule.path, &answer),
                Ok(_) => panic!("{place} is answered"),
                Err(status) if wrong_surface => assert_eq!(status.code(), Code::PermissionDenied, "{place}"),
                Err(status) => assert!(refused && status.code() == Code::NotFound, "{place}: {status:?}"),
            }
        }
    }
    assert_eq!(asked, 31);
    let without_person = RULES.iter().filter(|rule| rule.user == UserRule::None);
    let without_person: Vec<&str> = without_person
        .map(|rule| rule.path.trim_start_matches("/wathiq.signature.v1."))
        .collect();
    assert_eq!(without_person, WITHOUT_PERSON);
    assert_eq!(state(&world).await, before);
}
