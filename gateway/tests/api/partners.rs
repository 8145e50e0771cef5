//! What partners post: the providers of payments, the browsers they send back, and the carrier.

use axum::body::Body;
use http::{StatusCode, header};
use serde_json::json;
use tonic::Status;
use wathiq_chassis::ErrorDomain;
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;

use crate::harness::{Edge, Reply, request};
use crate::stub::{EXCHANGE, QUOTA};

const CALLBACK: &str = "/wathiq.payment.v1.ProviderService/ReceiveCallback";
const RETURN: &str = "/wathiq.payment.v1.ProviderService/ReceiveReturn";
const WEBHOOK: &str = "/wathiq.postal_shipping.v1.CarrierService/ReceiveWebhook";
const PAYMENTS: ErrorDomain = ErrorDomain("payment.wathiq");

async fn post(edge: &Edge, path: &str, kind: &str, body: &str) -> Reply {
    let request = request("POST", path).header(header::CONTENT_TYPE, kind);
    edge.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_providers_form_is_handed_on_as_it_was_posted_and_answered_with_bare_text() {
    let edge = Edge::start().await;
    let answer = payment::ReceiveCallbackResponse {
        answer: "ACTION=POSTAUTH".to_owned(),
    };
    edge.stub.answers(CALLBACK, &answer);
    let reply = post(
        &edge,
        "/callbacks/payments/cmi",
        FORM,
        "oid=1&HASH=a%2Bb%3D&oid=2&ErrMsg=&BillToName=S%C3%A9+A",
    )
    .await;
    assert_eq!(
        (reply.status, reply.text().as_str()),
        (StatusCode::OK, "ACTION=POSTAUTH")
    );
    assert!(reply.header("content-type").starts_with("text/plain"));
    let asked: payment::ReceiveCallbackRequest = edge.stub.calls(CALLBACK)[0].message();
    let fields: Vec<_> = asked
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.value.as_str()))
        .collect();
    let expected = [
        ("oid", "1"),
        ("HASH", "a+b="),
        ("oid", "2"),
        ("ErrMsg", ""),
        ("BillToName", "Sé A"),
    ];
    assert_eq!((asked.provider.as_str(), fields), ("cmi", expected.to_vec()));
    assert!(edge.stub.calls(EXCHANGE).is_empty() && edge.stub.calls(QUOTA).is_empty());
    edge.stub.refuses(CALLBACK, Status::unavailable("down"));
    let down = post(&edge, "/callbacks/payments/cmi", FORM, "oid=1").await;
    assert_eq!((down.status, down.text().as_str()), (StatusCode::OK, "FAILURE"));
}

#[tokio::test]
async fn a_signed_message_is_handed_on_byte_for_byte() {
    let edge = Edge::start().await;
    let answer = |answer: &str| payment::ReceiveCallbackResponse {
        answer: answer.to_owned(),
    };
    edge.stub.answers(CALLBACK, &answer("OK"));
    let send = async |body: &str| {
        let request = request("POST", "/callbacks/payments/text-message")
            .header("x-signature", "sha256=00ff")
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8");
        edge.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    };
    let reply = send("{\"id\": 1 }\n").await;
    assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, "OK"));
    let asked: payment::ReceiveCallbackRequest = edge.stub.calls(CALLBACK)[0].message();
    assert_eq!(asked.body, b"{\"id\": 1 }\n");
    assert_eq!((asked.signature.as_str(), asked.fields.len()), ("sha256=00ff", 0));
    edge.stub.answers(CALLBACK, &answer("FAILURE"));
    let refused = send("{}").await;
    assert_eq!(
        (refused.status, refused.text().as_str()),
        (StatusCode::BAD_REQUEST, "FAILURE")
    );
}

#[tokio::test]
async fn a_callback_that_is_too_large_or_no_form_goes_no_further() {
    let edge = Edge::start().await;
    let large = "a=".to_owned() + &"b".repeat(64 * 1024);
    let many = "a=1&".repeat(201);
    for (kind, body, status) in [
        (FORM, large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        ("application/json", large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        (FORM, many.as_str(), StatusCode::BAD_REQUEST),
        ("text/xml", "<a/>", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let reply = post(&edge, "/callbacks/payments/cmi", kind, body).await;
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (status, "FAILURE"),
            "{kind}"
        );
        assert!(reply.header("content-type").starts_with("text/plain"), "{kind}");
    }
    assert!(edge.stub.calls(CALLBACK).is_empty());
}

#[tokio::test]
async fn a_flood_of_callbacks_is_limited_by_itself() {
    let edge = Edge::start().await;
    let mut limited = None;
    for _ in 0..3_001 {
        let reply = post(&edge, "/callbacks/payments/cmi", FORM, "oid=1").await;
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            limited = Some(reply);
        }
    }
    let limited = limited.expect("the last one is refused");
    assert_eq!(limited.text(), "FAILURE");
    assert!(!limited.header("retry-after").is_empty());
    assert!(edge.stub.calls(QUOTA).is_empty());
    assert_eq!(
        edge.get("/").await.status,
        StatusCode::OK,
        "people are not concerned"
    );
}

#[tokio::test]
async fn the_browser_comes_back_to_its_order_from_the_providers_site() {
    let edge = Edge::start().await;
    let to = |owner: &str, reference: &str| payment::ReceiveReturnResponse {
        owner: owner.to_owned(),
        owner_reference: reference.to_owned(),
        ..Default::default()
    };
    for (answer, location) in [
        (to("civil-registry-order", "o1/../x"), "/orders/o1%2F..%2Fx"),
        (to("signature", "r1"), "/account"),
        (to("somebody", "x"), "/"),
    ] {
        edge.stub.answers(RETURN, &answer);
        let request = request("POST", "/callbacks/payments/cmi/return/ok")
            .header(header::ORIGIN, "https://pay.example")
            .header("sec-fetch-site", "cross-site")
            .header(header::COOKIE, "__Host-wathiq-session=session-secret")
            .header(header::CONTENT_TYPE, FORM);
        let reply = edge.send(request.body(Body::from("oid=1&HASH=x")).unwrap()).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (StatusCode::SEE_OTHER, location)
        );
    }
    let asked: payment::ReceiveReturnRequest = edge.stub.calls(RETURN)[0].message();
    assert_eq!((asked.provider.as_str(), asked.fields.len()), ("cmi", 2));
    let forged = wathiq_chassis::status::invalid_argument(
        PAYMENTS,
        vec![wathiq_chassis::FieldViolation::new(
            "fields",
            "RETURN_NOT_VERIFIED",
            "no",
        )],
    );
    edge.stub.refuses(RETURN, forged);
    let request = request("POST", "/callbacks/payments/cmi/return/fail?lang=en")
        .header(header::ORIGIN, "https://pay.example")
        .header(header::CONTENT_TYPE, FORM);
    let page = edge.send(request.body(Body::from("oid=1")).unwrap()).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    says_not_to_pay_again(&page);
}

/// The page for those of whom nobody knows yet whether they have paid.
fn says_not_to_pay_again(page: &Reply) {
    assert!(page.header("content-type").starts_with("text/html"));
    let text = page.text();
    for expected in ["your money is safe", "do not pay again", "href=\"/account\""] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn who_comes_back_while_payment_is_down_is_told_not_to_pay_again() {
    let edge = Edge::start().await;
    edge.stub.refuses(RETURN, Status::unavailable("down"));
    let address = "/callbacks/payments/cmi/return/ok?lang=en";
    let down = post(&edge, address, FORM, "oid=1&HASH=x").await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    says_not_to_pay_again(&down);
    let unread = post(&edge, address, "text/xml", "<a/>").await;
    assert_eq!(unread.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    says_not_to_pay_again(&unread);
    // In another language, or after going back: nothing is posted.
    says_not_to_pay_again(&edge.get(address).await);
}

#[tokio::test]
async fn the_carriers_headers_and_bytes_are_handed_on() {
    let edge = Edge::start().await;
    let answer = postal::ReceiveWebhookResponse {
        taken: 2,
        known_before: 1,
        unknown_tracking_ids: vec!["RR000000005MA".to_owned()],
        ..Default::default()
    };
    edge.stub.answers(WEBHOOK, &answer);
    let request = request("POST", "/v1/carrier/events")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", "1800000000")
        .header("webhook-signature", "v1,abc=")
        .header(header::CONTENT_TYPE, "application/json");
    let reply = edge.send(request.body(Body::from("[ {} ]")).unwrap()).await;
    assert_eq!(
        reply.json(),
        json!({"taken": 2, "known_before": 1, "unknown_tracking_ids": ["RR000000005MA"],
            "refused": [], "faults": 0})
    );
    let asked: postal::ReceiveWebhookRequest = edge.stub.calls(WEBHOOK)[0].message();
    assert_eq!(
        (
            asked.webhook_id.as_str(),
            asked.webhook_timestamp.as_str(),
            asked.webhook_signature.as_str()
        ),
        ("msg_1", "1800000000", "v1,abc=")
    );
    assert_eq!(asked.body, b"[ {} ]");
}
