//! Every method of the package, called by whom it is not for.

use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use wathiq_chassis::UserRule;
use wathiq_chassis::testing::{token, token_signed_by, with_token};
use wathiq_chassis::{Surface, client::Channel};
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::grpc::rules::RULES;

use crate::harness::{Person, World, reason, request_id};

/// Calls a method with an empty message, whatever its own message is.
async fn call(channel: Channel, path: &'static str, request: Request<()>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let codec = ProstCodec::<(), ()>::default();
    client
        .unary(request, PathAndQuery::from_static(path), codec)
        .await
        .map(|_| ())
}

/// Every method but the two that are also for people without an account answers nobody without the right certificate and token.
#[tokio::test]
async fn every_method_refuses_other_services_and_missing_or_forged_tokens() {
    let world = World::start().await;
    let person = world.citizen();
    let mut claims = world.claims(person, Surface::Citizen);
    // The private key of RFC 8032, section 7.1, test 2: a stranger's.
    let mut stranger = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    stranger.extend(
        data_encoding::HEXLOWER
            .decode(b"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
            .unwrap(),
    );
    let forged = token_signed_by(&claims, wathiq_chassis::testing::KEY_ID, &stranger);
    claims.iat -= 600;
    claims.exp = claims.iat + 300;
    let expired = token(&claims);
    for rule in RULES {
        let allowed = rule.clients[0];
        for other in ["identity", "signature", "gateway", "notification", "stranger"] {
            if other != allowed {
                let result = call(world.channel(other), rule.path, Request::new(())).await;
                let expected = (Code::PermissionDenied, "CLIENT_NOT_ALLOWED".to_owned());
                assert_eq!(reason(result), expected, "{} by {other}", rule.path);
            }
        }
        if rule.user == UserRule::None {
            continue;
        }
        let refused = async |request| reason(call(world.channel(allowed), rule.path, request).await);
        let unauthenticated = |reason: &str| (Code::Unauthenticated, reason.to_owned());
        if rule.user == UserRule::Required {
            assert_eq!(
                refused(Request::new(())).await,
                unauthenticated("TOKEN_MISSING"),
                "{}",
                rule.path
            );
        }
        assert_eq!(
            refused(with_token((), &forged)).await,
            unauthenticated("TOKEN_INVALID"),
            "{}",
            rule.path
        );
        assert_eq!(
            refused(with_token((), &expired)).await,
            unauthenticated("TOKEN_EXPIRED"),
            "{}",
            rule.path
        );
    }
}

/// What works on one request, asked by a person who has no part in it.
#[tokio::test]
async fn an_official_of_another_office_finds_no_request() {
    let world = World::start().await;
    let agent = world.official(&["agent"]);
    let id = world.submitted(world.citizen()).await.legalisation_request_id;
    world.try_claim(agent, &id).await.unwrap();
    let elsewhere = world.citizen();
    for role in ["agent", "officer", "administrator"] {
        world
            .identity
            .grant(elsewhere.0, uuid::Uuid::from_u128(0xbeef), role);
    }
    let missing = (Code::NotFound, "LEGALISATION_REQUEST_NOT_FOUND".to_owned());
    for result in attempts(&world, elsewhere, &id).await {
        assert_eq!(reason(result), missing);
    }
    assert_eq!(
        world.try_claim(agent, &id).await.unwrap().claimed_by_person_id,
        agent.0.to_string()
    );
}

async fn attempts(world: &World, person: Person, id: &str) -> Vec<Result<(), Status>> {
    let id = id.to_owned();
    let release = pb::ReleaseClaimRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
    };
    let render = pb::RenderReviewPageRequest {
        legalisation_request_id: id.clone(),
        page_number: 1,
        region: None,
        width_pixels: 100,
    };
    let send_back = pb::ReturnRequestRequest {
        request_id: request_id(),
        legalisation_request_id: id.clone(),
        note: "Merci de vérifier la page 2.".to_owned(),
    };
    vec![
        world
            .office()
            .release_claim(world.as_staff(person, release))
            .await
            .map(|_| ()),
        world
            .office()
            .render_review_page(world.as_staff(person, render))
            .await
            .map(|_| ()),
        world
            .office()
            .return_request(world.as_staff(person, send_back))
            .await
            .map(|_| ()),
        world.try_claim(person, &id).await.map(|_| ()),
        world.try_review(person, &id).await.map(|_| ()),
        world.try_refuse(person, &id, None).await.map(|_| ()),
    ]
}
