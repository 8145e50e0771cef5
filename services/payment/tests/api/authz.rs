//! Every method of the package, called by whom it is not for.

use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use uuid::Uuid;
use wathiq_chassis::client::Channel;
use wathiq_chassis::testing::{token, with_token};
use wathiq_chassis::{Surface, TokenClaims, UserRule};
use wathiq_payment::grpc::rules::RULES;
use wathiq_proto::wathiq::payment::v1 as pb;

use crate::harness::{World, new_payable, reason, request_id};

const PEERS: [&str; 8] = [
    "gateway",
    "civil-registry-order",
    "signature",
    "identity",
    "notification",
    "postal-shipping",
    "payment",
    "stranger",
];

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

#[tokio::test]
async fn no_method_answers_a_peer_that_is_not_listed_or_a_missing_or_bad_token() {
    let world = World::start().await;
    let mut claims = world.claims(Uuid::new_v4());
    claims.iat -= 600;
    claims.exp = claims.iat + 300;
    for rule in RULES {
        for peer in PEERS {
            let answered = call(world.channel(peer), rule.path, Request::new(())).await;
            let by_name = answered.is_err_and(|refused| {
                wathiq_chassis::status::reason(&refused).as_deref() == Some("CLIENT_NOT_ALLOWED")
            });
            assert_eq!(by_name, !rule.clients.contains(&peer), "{} by {peer}", rule.path);
        }
        if rule.user != UserRule::Required {
            continue;
        }
        let refused =
            async |request| reason(call(world.channel(rule.clients[0]), rule.path, request).await).1;
        assert_eq!(refused(Request::new(())).await, "TOKEN_MISSING", "{}", rule.path);
        assert_eq!(
            refused(with_token((), "x")).await,
            "TOKEN_INVALID",
            "{}",
            rule.path
        );
        assert_eq!(
            refused(with_token((), &token(&claims))).await,
            "TOKEN_EXPIRED",
            "{}",
            rule.path
        );
    }
}

#[tokio::test]
async fn an_owner_finds_nothing_of_another_owner() {
    let world = World::start().await;
    let (payable, _) = world.captured(Uuid::new_v4()).await;
    let id = payable.payable_id.clone();
    let missing = (Code::NotFound, "PAYABLE_NOT_FOUND".to_owned());
    let mut other = world.payables_of("signature");
    let keys = [
        pb::get_payable_request::Key::PayableId(id.clone()),
        pb::get_payable_request::Key::OwnerReference(payable.owner_reference.clone()),
    ];
    for key in keys {
        let found = other.get_payable(pb::GetPayableRequest { key: Some(key) }).await;
        assert_eq!(reason(found), missing);
    }
    let cancel = pb::CancelPayableRequest {
        request_id: request_id(),
        payable_id: id.clone(),
    };
    assert_eq!(reason(other.cancel_payable(cancel).await), missing);
    let refund = pb::RequestRefundRequest {
        request_id: request_id(),
        payable_id: id.clone(),
        owner_reference: "line".to_owned(),
        amount_centimes: 1,
        reason_code: "MINE".to_owned(),
    };
    assert_eq!(reason(other.request_refund(refund).await), missing);
    let listed = other
        .list_payables(pb::ListPayablesRequest::default())
        .await
        .unwrap();
    assert!(listed.into_inner().payables.is_empty());
    // The same reference is free for another owner.
    let same = new_payable(Uuid::new_v4(), &payable.owner_reference, world.now());
    let opened = other
        .open_payable(same)
        .await
        .unwrap()
        .into_inner()
        .payable
        .unwrap();
    assert_ne!(opened.payable_id, id);
    assert_eq!(world.payable(&id).await, payable);
}

#[tokio::test]
async fn a_payer_finds_nothing_of_another_payer_and_no_official_pays() {
    let world = World::start().await;
    let payer = Uuid::new_v4();
    let (payable, _) = world.paid(payer).await;
    let attempts = async |claims: &TokenClaims| {
        let token = token(claims);
        let payable_id = payable.payable_id.clone();
        let get = pb::GetPaymentRequest {
            payable_id: payable_id.clone(),
        };
        let start = pb::StartAttemptRequest {
            request_id: request_id(),
            payable_id: payable_id.clone(),
            provider: "cmi".to_owned(),
            language: "fr".to_owned(),
            phone: String::new(),
        };
        let receipt = pb::DownloadReceiptRequest { payable_id };
        [
            reason(world.payments().get_payment(with_token(get, &token)).await),
            reason(world.payments().start_attempt(with_token(start, &token)).await),
            reason(
                world
                    .payments()
                    .download_receipt(with_token(receipt, &token))
                    .await
                    .map(|_| ()),
            ),
        ]
    };
    let missing = (Code::NotFound, "PAYABLE_NOT_FOUND".to_owned());
    assert_eq!(
        attempts(&world.claims(Uuid::new_v4())).await,
        [missing.clone(), missing.clone(), missing]
    );
    let staff = TokenClaims {
        surface: Surface::Staff,
        ..world.claims(payer)
    };
    let denied = (Code::PermissionDenied, "WRONG_SURFACE".to_owned());
    assert_eq!(attempts(&staff).await, [denied.clone(), denied.clone(), denied]);
}
