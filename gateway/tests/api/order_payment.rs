//! The page of an order that payment knows more of.

use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::payment::v1 as payment;

use crate::harness::Edge;
use crate::orders::{ID, ORDER, PAYMENT, line, look, order, payable};

#[tokio::test]
async fn an_order_that_has_not_heard_of_its_payment_says_what_payment_says() {
    let edge = Edge::start().await;
    let waiting = order(
        pb::OrderState::AwaitingPayment,
        vec![line(pb::LineState::AwaitingPayment)],
    );
    edge.stub.answers(ORDER, &waiting);
    let address = format!("/orders/{ID}?lang=en");
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Paid, Vec::new()));
    let page = look(&edge, &address).await.text();
    for expected in [
        "Your payment is received.",
        "The payment is received; the act goes to the office next.",
        "href=\"/payments/p1/receipt\"",
        "registered post",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    for wrong in [
        // A page that renews itself leaves some people no time to read it (WCAG 2.2.1).
        "http-equiv=\"refresh\"",
        "Waiting for payment",
        "is waiting for payment",
        "/payments/p1/start",
        "/cancellation",
    ] {
        assert!(!page.contains(wrong), "{wrong}: {page}");
    }
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Expired, Vec::new()));
    let page = look(&edge, &address).await.text();
    assert!(page.contains("The time to pay is over."), "{page}");
    assert!(!page.contains("is waiting for payment"), "{page}");
    let nothing_comes = |page: &str| !page.contains("registered post") && !page.contains("/cancellation");
    assert!(nothing_comes(&page), "{page}");
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Cancelled, Vec::new()));
    let page = look(&edge, &address).await.text();
    assert!(nothing_comes(&page), "{page}");
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Open, Vec::new()));
    let page = look(&edge, &address).await.text();
    assert!(
        page.contains("registered post") && page.contains("/cancellation"),
        "{page}"
    );
    // What goes on is told by the order itself; what has ended brings nothing by post.
    edge.stub
        .answers(ORDER, &order(pb::OrderState::Completed, Vec::new()));
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Paid, Vec::new()));
    let page = look(&edge, &address).await.text();
    assert!(!page.contains("Your payment is received.") && !page.contains("registered post"));
}

#[tokio::test]
async fn programs_read_what_payment_says_before_the_order_has_heard_of_it() {
    let edge = Edge::start().await;
    let waiting = order(
        pb::OrderState::AwaitingPayment,
        vec![line(pb::LineState::AwaitingPayment)],
    );
    edge.stub.answers(ORDER, &waiting);
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Paid, Vec::new()));
    let address = format!("/v1/civil-status/orders/{ID}");
    let said = look(&edge, &address).await.json();
    assert_eq!(said["state"], "awaiting_payment", "the state follows");
    assert_eq!(said["progress_code"], "PAYMENT_RECEIVED");
    assert_eq!(said["lines"][0]["progress_code"], "PAYMENT_RECEIVED");
    let text = said["status_text"]["en"].as_str().unwrap();
    assert!(text.contains("Your payment is received."), "{text}");
    let text = said["lines"][0]["status_text"]["fr"].as_str().unwrap();
    assert!(text.contains("Le paiement est reçu"), "{text}");
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Open, Vec::new()));
    let said = look(&edge, &address).await.json();
    assert_ne!(said["progress_code"], "PAYMENT_RECEIVED");
    // Payment that does not answer hinders nobody from reading the order.
    edge.stub.refuses(PAYMENT, tonic::Status::unavailable("down"));
    assert!(look(&edge, &address).await.status.is_success());
    let asked = edge.stub.calls(PAYMENT).len();
    edge.stub.answers(
        ORDER,
        &order(pb::OrderState::InProgress, vec![line(pb::LineState::Paid)]),
    );
    look(&edge, &address).await;
    assert_eq!(
        edge.stub.calls(PAYMENT).len(),
        asked,
        "nothing is asked that is known"
    );
}
