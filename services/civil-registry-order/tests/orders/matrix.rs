//! Every method against every wrong caller, from the descriptors.

use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request};
use wathiq_chassis::UserRule;
use wathiq_civil_registry_order::grpc::rules::RULES;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::harness::{World, line, order_request, reason};

/// Calls a method with an empty message, as `own`, without a token.
async fn call(world: &World, own: &str, path: &'static str) -> Code {
    let mut client = Grpc::new(world.channel(own));
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let request = Request::new(tokio_stream::iter([()]));
    let answer = client
        .streaming(request, PathAndQuery::from_static(path), codec)
        .await;
    match answer {
        Err(status) => status.code(),
        Ok(mut answer) => match answer.get_mut().message().await {
            Ok(_) => Code::Ok,
            Err(status) => status.code(),
        },
    }
}

#[tokio::test]
async fn no_method_serves_strangers() {
    let world = World::start().await;
    for rule in RULES {
        for stranger in ["payment", "signature", "identity"] {
            assert_eq!(
                call(&world, stranger, rule.path).await,
                Code::PermissionDenied,
                "{}",
                rule.path
            );
        }
        if rule.user == UserRule::Required {
            assert_eq!(
                call(&world, "gateway", rule.path).await,
                Code::Unauthenticated,
                "{}",
                rule.path
            );
        }
    }
}

#[tokio::test]
async fn what_is_not_one_s_own_is_not_found() {
    let world = World::start().await;
    let (citizen, other) = (world.citizen(), world.citizen());
    let order = world.place(citizen, vec![line("1")]).await;
    world.pay(&order).await;
    let request = pb::GetOrderRequest {
        key: Some(pb::get_order_request::Key::Reference(
            order.reference.to_lowercase(),
        )),
    };
    world
        .orders()
        .get_order(world.as_citizen(citizen, request.clone()))
        .await
        .unwrap();
    let refused = world
        .orders()
        .get_order(world.as_citizen(other, request.clone()))
        .await;
    assert_eq!(refused.err().unwrap().code(), Code::NotFound);
    let refused = world.orders().get_order(world.staff(citizen, request)).await;
    assert_eq!(reason(refused).1, "WRONG_SURFACE");
    let elsewhere = world.official_at(crate::harness::OTHER, "officer");
    let look = pb::GetLineRequest {
        key: Some(pb::get_line_request::Key::LineId(order.lines[0].line_id.clone())),
    };
    let refused = world
        .office()
        .get_line(world.staff(elsewhere, look.clone()))
        .await;
    assert_eq!(refused.err().unwrap().code(), Code::NotFound);
    world
        .office()
        .get_line(world.staff(world.agent(), look))
        .await
        .unwrap();
    let refuse = pb::RefuseLineRequest {
        request_id: crate::harness::request_id(),
        line_id: order.lines[0].line_id.clone(),
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: String::new(),
    };
    let refused = world.office().refuse_line(world.staff(elsewhere, refuse)).await;
    assert_eq!(refused.err().unwrap().code(), Code::NotFound);
    let kind = pb::PutDocumentKindRequest::default();
    let refused = world
        .administration()
        .put_document_kind(world.staff(elsewhere, kind))
        .await;
    assert!([Code::PermissionDenied, Code::InvalidArgument].contains(&refused.err().unwrap().code()));
    let placed = world
        .orders()
        .place_order(world.staff(elsewhere, order_request(vec![line("1")])))
        .await;
    assert_eq!(reason(placed).1, "WRONG_SURFACE");
}
