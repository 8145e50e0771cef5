//! `ListMessages`, over mutual TLS as the gateway calls it.

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use uuid::Uuid;
use wathiq_chassis::testing::{self, Pki};
use wathiq_chassis::token::TokenClaims;
use wathiq_chassis::{GrpcServer, Surface, status};
use wathiq_notification::grpc;
use wathiq_proto::wathiq::notification::v1 as pb;
use wathiq_proto::wathiq::notification::v1::message_service_client::MessageServiceClient;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::harness::{World, with_world};

/// The service behind its own listener, until the test ends.
struct Served {
    pki: Pki,
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn serve(world: &World) -> Served {
    let pki = Pki::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let verifier = testing::verifier(Arc::clone(&world.app.ambient.clock));
    let server = GrpcServer::new(&pki.process("notification"), grpc::rules::RULES, Some(verifier))
        .unwrap()
        .descriptor(wathiq_proto::FILE_DESCRIPTOR_SET)
        .add_service(grpc::service(&world.app));
    let shutdown = CancellationToken::new();
    tokio::spawn(server.serve(listener, shutdown.clone()));
    Served {
        pki,
        address,
        shutdown,
    }
}

fn administrator(world: &World) -> TokenClaims {
    TokenClaims {
        surface: Surface::Staff,
        padm: true,
        ..testing::claims(Uuid::now_v7(), world.now())
    }
}

async fn list(
    served: &Served,
    client: &str,
    claims: Option<&TokenClaims>,
    request: pb::ListMessagesRequest,
) -> Result<pb::ListMessagesResponse, Status> {
    let channel = served
        .pki
        .channel(client, "notification", served.address)
        .unwrap();
    let mut service = MessageServiceClient::new(channel);
    let answer = match claims {
        Some(claims) => {
            service
                .list_messages(testing::with_token(request, &testing::token(claims)))
                .await
        }
        None => service.list_messages(request).await,
    };
    answer.map(tonic::Response::into_inner)
}

fn about(aggregate_id: impl ToString) -> pb::ListMessagesRequest {
    pb::ListMessagesRequest {
        aggregate_id: aggregate_id.to_string(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_sees_what_was_sent_page_by_page() {
    with_world(async |world| {
        let request = Uuid::now_v7();
        for _ in 0..3 {
            let event = signature::LegalisationRequestCancelled {
                legalisation_request_id: request.to_string(),
            };
            world.deliver(&world.record(request, &event)).await;
            world.clock.advance(TimeDelta::seconds(1));
        }
        world
            .deliver(&world.record(
                Uuid::now_v7(),
                &signature::LegalisationRequestCancelled::default(),
            ))
            .await;
        world.send_due().await;
        let served = serve(world).await;
        let claims = administrator(world);
        let first = pb::ListMessagesRequest {
            page_size: 2,
            ..about(request)
        };
        let first = list(&served, "gateway", Some(&claims), first).await.unwrap();
        assert_eq!(first.messages.len(), 2);
        let next = pb::ListMessagesRequest {
            page_size: 2,
            page_token: first.next_page_token.clone(),
            ..about(request)
        };
        let next = list(&served, "gateway", Some(&claims), next).await.unwrap();
        assert_eq!((next.messages.len(), next.next_page_token.as_str()), (1, ""));
        let all: Vec<&pb::Message> = first.messages.iter().chain(&next.messages).collect();
        assert!(
            all.is_sorted_by_key(|message| std::cmp::Reverse(&message.message_id)),
            "newest first: {all:?}"
        );
        let message = all[0];
        assert_eq!(
            (message.aggregate_id.as_str(), message.template.as_str()),
            (request.to_string().as_str(), "legalisation.cancelled")
        );
        assert_eq!(
            (message.channel(), message.state()),
            (pb::MessageChannel::Email, pb::MessageState::Failed)
        );
        assert_eq!(
            (message.failure_code.as_str(), message.attempts),
            ("REQUEST_NOT_FOUND", 1)
        );
        assert!(message.create_time.is_some() && message.send_time.is_none());
        let none = list(&served, "gateway", Some(&claims), about(Uuid::now_v7()))
            .await
            .unwrap();
        assert!(none.messages.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_sees_anything() {
    with_world(async |world| {
        let served = serve(world).await;
        let refusal = async |client: &str, claims: Option<&TokenClaims>| {
            let refused = list(&served, client, claims, about(Uuid::now_v7()))
                .await
                .unwrap_err();
            (refused.code(), status::reason(&refused).unwrap())
        };
        let citizen = testing::claims(Uuid::now_v7(), world.now());
        let staff = TokenClaims {
            padm: false,
            ..administrator(world)
        };
        let elsewhere = TokenClaims {
            surface: Surface::Citizen,
            ..administrator(world)
        };
        let late = TokenClaims {
            exp: world.now().timestamp() - 120,
            iat: world.now().timestamp() - 300,
            ..administrator(world)
        };
        assert_eq!(
            refusal("gateway", None).await,
            (Code::Unauthenticated, "TOKEN_MISSING".into())
        );
        assert_eq!(
            refusal("gateway", Some(&late)).await,
            (Code::Unauthenticated, "TOKEN_EXPIRED".into())
        );
        for claims in [&citizen, &staff, &elsewhere] {
            let wanted = (Code::PermissionDenied, "PLATFORM_ADMINISTRATOR_REQUIRED".into());
            assert_eq!(refusal("gateway", Some(claims)).await, wanted);
        }
        for client in ["identity", "signature", "notification"] {
            let wanted = (Code::PermissionDenied, "CLIENT_NOT_ALLOWED".into());
            assert_eq!(refusal(client, Some(&administrator(world))).await, wanted);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_of_a_request_is_told() {
    with_world(async |world| {
        let served = serve(world).await;
        let wrong = pb::ListMessagesRequest {
            aggregate_id: "x".into(),
            page_size: -1,
            page_token: "y".into(),
        };
        let refused = list(&served, "gateway", Some(&administrator(world)), wrong)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let fields: Vec<String> = status::violations(&refused)
            .into_iter()
            .map(|violation| violation.field)
            .collect();
        assert_eq!(fields, ["aggregate_id", "page_token", "page_size"]);
        world.app.pool.close().await;
        let refused = list(
            &served,
            "gateway",
            Some(&administrator(world)),
            about(Uuid::now_v7()),
        )
        .await
        .unwrap_err();
        assert_eq!(status::reason(&refused).as_deref(), Some("DATABASE_UNAVAILABLE"));
    })
    .await;
}
