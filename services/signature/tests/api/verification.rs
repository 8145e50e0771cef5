//! Verification by code and by upload, links, commitments.

use futures::stream;
use tonic::{Code, Status};
use wathiq_chassis::client::Channel;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_proto::wathiq::signature::v1::verification_service_client::VerificationServiceClient;
use wathiq_signature::app::link;
use wathiq_signature::domain::role::AGENT;

use crate::harness::{Person, World, reason};
use crate::officers::{Token, uuid};
use crate::{sample, tools};

impl World {
    pub(crate) fn verification(&self) -> VerificationServiceClient<Channel> {
        VerificationServiceClient::new(self.channel("gateway"))
    }

    pub(crate) async fn verify(&self, file: &[u8]) -> Result<pb::VerifyFileResponse, Status> {
        let chunks = file.chunks(256 * 1024).map(|chunk| pb::VerifyFileRequest {
            chunk: chunk.to_vec(),
        });
        let chunks: Vec<_> = chunks.collect();
        Ok(self
            .verification()
            .verify_file(stream::iter(chunks))
            .await?
            .into_inner())
    }

    /// A delivered legalisation, its citizen and its file.
    pub(crate) async fn delivered(&self) -> (pb::LegalisationRequest, Person, Vec<u8>) {
        let token = Token::named("officer-1");
        let (citizen, agent) = (self.citizen(), self.official(&[AGENT]));
        let officer = self.officer(&token).await;
        let id = self.accepted(citizen, agent).await;
        let request = self
            .sealed(officer, &token, std::slice::from_ref(&id))
            .await
            .remove(0);
        let file = self.download(citizen, &id, pb::SealedFileKind::Document).await;
        (request, citizen, file)
    }
}

#[tokio::test]
async fn the_code_leads_to_the_legalisation_however_it_is_typed() {
    let world = World::present().await;
    let (request, _, file) = world.delivered().await;
    let typed = request.verification_code.to_lowercase().replace('-', " ");
    let message = pb::VerifyCodeRequest { code: typed };
    let answer = world
        .verification()
        .verify_code(message)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answer.indication(),
        pb::Indication::TotalPassed,
        "{:?}",
        answer.signatures
    );
    let facts = answer.legalisation.unwrap();
    assert_eq!(facts.verification_code, request.verification_code);
    assert_eq!(facts.signer_name_latin, "S. Alami");
    assert_eq!(facts.signer_name_arabic, "س. العلمي");
    assert_eq!(facts.document_sha256, tools::sha256(&file));
    assert_eq!(
        (facts.register_year, facts.register_number, facts.latest_revision),
        (world.year(), 1, 1)
    );
    assert_eq!(facts.register_state(), pb::RegisterEntryState::Sealed);
    assert_eq!(facts.confirmation_method, "totp");
    let [signature] = &answer.signatures[..] else {
        panic!("one signature")
    };
    assert_eq!(
        (signature.level.as_str(), signature.extended, signature.changed),
        ("B-T", false, false)
    );
    assert!(signature.covers_whole_revision);

    for unknown in ["AAAA-BBBB-CCCC", "nonsense", ""] {
        let message = pb::VerifyCodeRequest {
            code: unknown.to_owned(),
        };
        assert_eq!(
            world
                .verification()
                .verify_code(message)
                .await
                .unwrap_err()
                .code(),
            Code::NotFound
        );
    }
}

#[tokio::test]
async fn an_issued_file_is_known_by_its_bytes() {
    let world = World::present().await;
    let (request, _, file) = world.delivered().await;
    let verdict = world.verify(&file).await.unwrap();
    assert_eq!(verdict.indication(), pb::Indication::TotalPassed, "{verdict:?}");
    assert_eq!(
        (verdict.issued(), verdict.revision),
        (pb::IssuedState::AsIssued, 1)
    );
    assert_eq!(verdict.kind(), pb::SealedFileKind::Document);
    assert_eq!(
        verdict.legalisation.unwrap().verification_code,
        request.verification_code
    );
    assert_eq!(verdict.sha256, tools::sha256(&file));
}

#[tokio::test]
async fn a_changed_byte_is_found_and_the_document_still_named() {
    let world = World::present().await;
    let (request, _, mut file) = world.delivered().await;
    let at = file
        .windows(7)
        .position(|part| part == b"Contrat")
        .expect("the citizen's text");
    file[at] = b'K';
    let verdict = world.verify(&file).await.unwrap();
    assert_eq!(verdict.indication(), pb::Indication::TotalFailed);
    assert_eq!(verdict.sub_indication, "HASH_FAILURE");
    assert_eq!(verdict.issued(), pb::IssuedState::Altered);
    assert_eq!(
        verdict.legalisation.unwrap().verification_code,
        request.verification_code
    );
}

#[tokio::test]
async fn a_revision_on_top_is_judged_by_what_it_changes() {
    let world = World::present().await;
    let (_, _, file) = world.delivered().await;
    // Text over the page: an incremental update that changes what a reader sees.
    let shadowed = tools::edited(
        &file,
        "from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter as W
from pyhanko.pdf_utils import generic as g
import sys
with open(sys.argv[1],'rb+') as f:
    w=W(f)
    page=w.root['/Pages']['/Kids'][0]
    content=w.add_object(g.StreamObject(stream_data=b'BT /F1 40 Tf 72 400 Td (nul et non avenu) Tj ET'))
    w.root['/Pages']['/Kids'].raw_get(0).get_object()['/Contents']=g.ArrayObject([page.raw_get('/Contents'),content]) if not isinstance(page['/Contents'],g.ArrayObject) else g.ArrayObject(list(page['/Contents'])+[content])
    w.mark_update(w.root['/Pages']['/Kids'].raw_get(0))
    w.write_in_place()",
    )
    .await;
    let verdict = world.verify(&shadowed).await.unwrap();
    assert_eq!(verdict.issued(), pb::IssuedState::Altered, "{verdict:?}");
    assert!(verdict.signatures[0].extended && verdict.signatures[0].changed);
    assert_ne!(verdict.indication(), pb::Indication::TotalPassed);

    // A document time-stamp over it: harmless.
    let stamped = tools::edited(
        &file,
        "from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter as W
from pyhanko.sign import timestamps, signers
import sys
with open(sys.argv[1],'rb+') as f:
    w=W(f)
    signers.PdfTimeStamper(timestamps.HTTPTimeStamper(sys.argv[2])).timestamp_pdf(w,'sha256',in_place=True)",
    )
    .await;
    let verdict = world.verify(&stamped).await.unwrap();
    assert_eq!(
        (verdict.issued(), verdict.revision),
        (pb::IssuedState::AsIssued, 1),
        "{verdict:?}"
    );
    assert!(verdict.signatures[0].extended && !verdict.signatures[0].changed);
    assert_eq!(verdict.indication(), pb::Indication::TotalPassed, "{verdict:?}");
}

#[tokio::test]
async fn other_files_are_verified_without_any_rule_of_intake() {
    let world = World::present().await;
    let verdict = world.verify(&sample::plain(1)).await.unwrap();
    assert_eq!(verdict.issued(), pb::IssuedState::Unknown);
    assert_eq!(verdict.indication(), pb::Indication::Indeterminate);
    assert_eq!(verdict.sub_indication, "NO_SIGNATURE_FOUND");
    assert!(verdict.legalisation.is_none());

    let nonsense = world.verify(b"no PDF at all").await;
    assert_eq!(
        reason(nonsense),
        (Code::FailedPrecondition, "PDF_UNREADABLE".to_owned())
    );
    let large = vec![b' '; 25 * 1024 * 1024 + 1];
    assert_eq!(
        world.verify(&large).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_link_leads_to_the_files_for_ninety_days() {
    let world = World::present().await;
    let (request, _, file) = world.delivered().await;
    let mut conn = world.database.connect().await;
    let id = uuid(&request.legalisation_request_id);
    let token = link::create(&mut conn, &world.app.ambient, id).await.unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    let ask = || pb::GetLinkRequest { token: token.clone() };

    let behind = world.verification().get_link(ask()).await.unwrap().into_inner();
    assert_eq!(behind.files.len(), 1);
    assert_eq!(
        behind.legalisation.unwrap().verification_code,
        request.verification_code
    );
    let (offset, length) = (100, 50);
    let message = pb::DownloadByLinkRequest {
        token: token.clone(),
        kind: pb::SealedFileKind::Document.into(),
        offset,
        length,
    };
    let mut parts = world
        .verification()
        .download_by_link(message)
        .await
        .unwrap()
        .into_inner();
    let first = parts.message().await.unwrap().unwrap();
    assert_eq!(
        (first.total_bytes, first.sha256),
        (file.len() as u64, tools::sha256(&file))
    );
    assert_eq!(first.file_name, "contrat-legalised.pdf");
    let mut bytes = first.chunk;
    while let Some(part) = parts.message().await.unwrap() {
        bytes.extend(part.chunk);
    }
    assert_eq!(bytes, file[100..150]);
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT token_sha256 FROM download_link")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(
        kept,
        [tools::sha256(token.as_bytes())],
        "only the token's digest is kept"
    );

    world.clock.advance(chrono::TimeDelta::days(90));
    assert_eq!(
        world.verification().get_link(ask()).await.unwrap_err().code(),
        Code::NotFound
    );
    let wrong = pb::GetLinkRequest {
        token: "x".repeat(43),
    };
    assert_eq!(
        world.verification().get_link(wrong).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn the_holder_can_open_the_commitments_on_the_stream() {
    let world = World::present().await;
    let (request, citizen, file) = world.delivered().await;
    let ask = || pb::GetCommitmentsRequest {
        legalisation_request_id: request.legalisation_request_id.clone(),
    };
    let opened = world
        .legalisation()
        .get_commitments(world.as_citizen(citizen, ask()))
        .await
        .unwrap()
        .into_inner();
    let events = wathiq_outbox::testing::events(&mut world.database.connect().await).await;
    let sealed = events
        .iter()
        .find(|event| event.event_type.ends_with("LegalisationSealed"))
        .unwrap();
    let published = sealed.decode::<pb::LegalisationSealed>().commitments;
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].commitment, opened.commitments[0].commitment);
    assert_eq!(opened.commitments[0].sha256, tools::sha256(&file));
    let salt = wathiq_signature::domain::commitment::Salt(opened.salt[..].try_into().unwrap());
    assert_eq!(
        salt.commit(&tools::sha256(&file).try_into().unwrap()).to_vec(),
        published[0].commitment
    );

    let stranger = world.citizen();
    let refused = world
        .legalisation()
        .get_commitments(world.as_citizen(stranger, ask()))
        .await;
    assert_eq!(refused.err().unwrap().code(), Code::NotFound);
}
