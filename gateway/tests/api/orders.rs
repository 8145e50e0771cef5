//! Orders: placing, paying, following, and the citizen's pages.

use axum::body::Body;
use http::{StatusCode, header};
use serde_json::json;
use tonic::Status;
use wathiq_chassis::ErrorDomain;
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;

use crate::harness::{Edge, ORIGIN, Reply, request};

pub(crate) const PAYMENT: &str = "/wathiq.payment.v1.PaymentService/GetPayment";
const START: &str = "/wathiq.payment.v1.PaymentService/StartAttempt";
const RECEIPT: &str = "/wathiq.payment.v1.PaymentService/DownloadReceipt";
pub(crate) const CATALOGUE: &str = "/wathiq.civil_registry_order.v1.OrderService/GetCatalogue";
pub(crate) const ORDER: &str = "/wathiq.civil_registry_order.v1.OrderService/GetOrder";
const PLACE: &str = "/wathiq.civil_registry_order.v1.OrderService/PlaceOrder";
const TRACK: &str = "/wathiq.postal_shipping.v1.TrackingService/Track";
const PAYMENTS: ErrorDomain = ErrorDomain("payment.wathiq");

pub(crate) const ID: &str = "0190c6f2-5f1e-7d3a-9c55-0d4a3f1b2c6e";

pub(crate) async fn form(edge: &Edge, path: &str, body: &str) -> Reply {
    let request = request("POST", path)
        .header(header::ORIGIN, ORIGIN)
        .header(header::COOKIE, "__Host-wathiq-session=session-secret")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    edge.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

pub(crate) async fn look(edge: &Edge, path: &str) -> Reply {
    let request = request("GET", path).header(header::COOKIE, "__Host-wathiq-session=session-secret");
    edge.send(request.body(Body::empty()).unwrap()).await
}

fn name() -> pb::FullName {
    pb::FullName {
        given_latin: "Sara".to_owned(),
        family_latin: "Alaoui".to_owned(),
        ..Default::default()
    }
}

/// A catalogue whose reasons are told apart by their language.
pub(crate) fn catalogue() -> pb::GetCatalogueResponse {
    let reason = |code: &str, fr: &str| pb::OfficeReason {
        code: code.to_owned(),
        text_ar: format!("{code}-ar"),
        text_fr: fr.to_owned(),
        text_en: format!("{code}-en"),
    };
    pb::GetCatalogueResponse {
        entries: Vec::new(),
        refusal_reasons: vec![
            reason("ACT_NOT_FOUND", "L’acte n’a pas été trouvé dans le registre."),
            reason("ACT_DIFFERS", "Le registre dit autre chose."),
            reason("NOT_ENTITLED", "Le demandeur n’y a pas droit."),
            reason("REGISTER_DAMAGED", "Le registre est abîmé."),
        ],
        correction_reasons: vec![reason(
            "ACT_NOT_FOUND",
            "L’acte n’a pas été trouvé dans le registre.",
        )],
    }
}

pub(crate) fn line(state: pb::LineState) -> pb::OrderLine {
    pb::OrderLine {
        line_id: "l1".to_owned(),
        line_reference: "W4K7-M2PX-93-1".to_owned(),
        state: state as i32,
        document_kind: "birth-extract".to_owned(),
        copies: 2,
        act: Some(pb::ActClue {
            person: Some(name()),
            number: "12".to_owned(),
            year: 1990,
            ..Default::default()
        }),
        price: Some(pb::Price {
            amount_centimes: 2000,
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(crate) fn order(state: pb::OrderState, lines: Vec<pb::OrderLine>) -> pb::GetOrderResponse {
    let order = pb::Order {
        order_id: ID.to_owned(),
        reference: "W4K7-M2PX-93".to_owned(),
        state: state as i32,
        lines,
        addressee: Some(name()),
        total_centimes: 4000,
        payable_id: "p1".to_owned(),
        etag: "7".to_owned(),
        ..Default::default()
    };
    pb::GetOrderResponse { order: Some(order) }
}

pub(crate) fn payable(
    state: payment::PayableState,
    attempts: Vec<payment::Attempt>,
) -> payment::GetPaymentResponse {
    let payable = payment::Payable {
        payable_id: "p1".to_owned(),
        owner: "civil-registry-order".to_owned(),
        owner_reference: ID.to_owned(),
        state: state as i32,
        amount_centimes: 4000,
        attempts,
        ..Default::default()
    };
    let option = |provider: &str| payment::ProviderOption {
        provider: provider.to_owned(),
    };
    payment::GetPaymentResponse {
        payable: Some(payable),
        options: vec![option("cmi"), option("text-message")],
    }
}

#[tokio::test]
async fn an_order_is_placed_with_what_was_given_and_shown_with_what_comes_next() {
    let edge = Edge::start().await;
    let placed = pb::PlaceOrderResponse {
        order: order(
            pb::OrderState::AwaitingPayment,
            vec![line(pb::LineState::AwaitingPayment)],
        )
        .order,
    };
    edge.stub.answers(PLACE, &placed);
    let body = json!({
        "lines": [{
            "document_kind": "birth-extract", "language": "arabic", "copies": 2, "relation": "oneself",
            "act": {"office_id": ID, "kind": "birth", "year": 1990, "number": "12", "birth_date": "1990-05"},
        }],
        "addressee": {"given_latin": "Sara", "family_latin": "Alaoui"},
        "address": {"country_code": "MA", "postal_code": "10000"},
        "expected_total_centimes": 4000,
    });
    let reply = edge.json("POST", "/v1/civil-status/orders", &body).await;
    assert_eq!(
        (reply.status, reply.header("etag")),
        (StatusCode::CREATED, "\"7\""),
        "{}",
        reply.text()
    );
    let asked: pb::PlaceOrderRequest = edge.stub.calls(PLACE)[0].message();
    let first = &asked.lines[0];
    let clue = first.act.as_ref().unwrap();
    assert_eq!(
        (first.language(), first.relation(), clue.kind()),
        (
            pb::DocumentLanguage::Arabic,
            pb::Relation::Oneself,
            pb::RegisterKind::Birth
        )
    );
    assert_eq!(
        clue.birth_date,
        Some(Date {
            year: 1990,
            month: 5,
            day: 0
        })
    );
    assert!(asked.applicant.is_none());
    assert_eq!(asked.expected_total_centimes, 4000);
    let shown = reply.json();
    assert!(
        shown["status_text"]["fr"].as_str().unwrap().contains("paiement"),
        "{shown}"
    );
    assert_eq!(shown["lines"][0]["state"], "awaiting_payment");
    let wrong = json!({"lines": [{"act": {"birth_date": "1990-13"}}]});
    let refused = edge
        .json("POST", "/v1/civil-status/orders", &wrong)
        .await
        .problem();
    assert_eq!(
        refused["errors"][0]["pointer"], "/lines/0/act/birth_date",
        "{refused}"
    );
}

#[tokio::test]
async fn an_order_is_found_by_id_or_by_its_reference() {
    let edge = Edge::start().await;
    edge.stub
        .answers(ORDER, &order(pb::OrderState::InProgress, Vec::new()));
    for (path, key) in [
        (ID, pb::get_order_request::Key::OrderId(ID.to_owned())),
        (
            "w4k7%20m2px%2093",
            pb::get_order_request::Key::Reference("w4k7 m2px 93".to_owned()),
        ),
    ] {
        edge.stub.forget();
        let address = format!("/v1/civil-status/orders/{path}");
        edge.json("GET", &address, &json!(null)).await;
        let asked: pb::GetOrderRequest = edge.stub.calls(ORDER)[0].message();
        assert!(asked.key == Some(key), "{path}");
    }
}

#[tokio::test]
async fn the_orders_page_says_what_comes_next_and_how_to_pay_again() {
    let edge = Edge::start().await;
    let away = edge.get("/orders/W4K7-M2PX-93").await;
    assert_eq!(
        (away.status, away.header("location")),
        (StatusCode::SEE_OTHER, "/sign-in?next=%2Forders%2FW4K7-M2PX-93")
    );
    edge.stub.answers(
        ORDER,
        &order(
            pb::OrderState::AwaitingPayment,
            vec![line(pb::LineState::AwaitingPayment)],
        ),
    );
    let declined = payment::Attempt {
        state: payment::AttemptState::Started as i32,
        decline_code: "51".to_owned(),
        ..Default::default()
    };
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Open, vec![declined]));
    let page = look(&edge, &format!("/orders/{ID}?lang=en")).await.text();
    for expected in [
        "href=\"/payments/p1/start\"",
        "Pay again",
        "40.00 MAD",
        "balance is not sufficient",
        "Sara Alaoui · \u{2066}12/1990",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains("/receipt"));
    // Payment away: the order is shown all the same.
    edge.stub.refuses(PAYMENT, Status::unavailable("down"));
    let page = look(&edge, &format!("/orders/{ID}?lang=en")).await;
    assert!(page.status.is_success() && !page.text().contains("/payments/p1/start"));
}

#[tokio::test]
async fn the_orders_page_shows_documents_parcels_and_refusals() {
    let edge = Edge::start().await;
    let refused = pb::OrderLine {
        end_reason: "REFUSED".to_owned(),
        refunded_centimes: 4000,
        answer: Some(pb::OfficeAnswer {
            reason_code: "ACT_NOT_FOUND".to_owned(),
            text: "Year 1991? <b>".to_owned(),
            answer_time: None,
        }),
        ..line(pb::LineState::Refunded)
    };
    let posted = pb::OrderLine {
        parcel_id: "k1".to_owned(),
        document_available: true,
        ..line(pb::LineState::HandedOver)
    };
    let mut answer = order(pb::OrderState::InProgress, vec![refused, posted]);
    answer.order.as_mut().unwrap().parcels = vec![pb::Parcel {
        parcel_id: "k1".to_owned(),
        tracking_number: "RR123456785MA".to_owned(),
        shipment_state: "HELD_FOR_COLLECTION".to_owned(),
        held_until: Some(Date {
            year: 2026,
            month: 12,
            day: 7,
        }),
        ..Default::default()
    }];
    edge.stub.answers(ORDER, &answer);
    edge.stub.answers(CATALOGUE, &catalogue());
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Paid, Vec::new()));
    let page = look(&edge, &format!("/orders/{ID}?lang=fr")).await.text();
    for expected in [
        "href=\"/payments/p1/receipt\"",
        &format!("/orders/{ID}/lines/l1/document"),
        "href=\"/t/RR123456785MA\"",
        "07/12/2026",
        "pas été trouvé dans le registre",
        "1991? &#60;b&#62;",
        "40,00 DH",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains("/payments/p1/start"));
}

#[tokio::test]
async fn the_form_to_the_provider_may_leave_the_site_and_no_other() {
    let edge = Edge::start().await;
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Open, Vec::new()));
    let choice = look(&edge, "/payments/p1/start?lang=en").await;
    let page = choice.text();
    assert!(
        page.contains("value=\"cmi\"") && page.contains("name=\"phone\""),
        "{page}"
    );
    assert!(
        choice
            .header("content-security-policy")
            .contains("form-action 'self';")
    );
    let field = |name: &str, value: &str| payment::FormField {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let hosted = payment::HostedForm {
        action_url: "https://pay.example:8443/fim/est3Dgate".to_owned(),
        fields: vec![field("oid", "1"), field("HASH", "a\"b+=")],
    };
    let next = Some(payment::start_attempt_response::Next::HostedForm(hosted));
    edge.stub
        .answers(START, &payment::StartAttemptResponse { attempt: None, next });
    let reply = form(
        &edge,
        "/payments/p1/start?lang=en",
        &format!("request_id={ID}&provider=cmi"),
    )
    .await;
    let page = reply.text();
    assert!(
        page.contains("action=\"https://pay.example:8443/fim/est3Dgate\""),
        "{page}"
    );
    assert!(page.contains("name=\"HASH\" value=\"a&#34;b+=\""), "{page}");
    assert!(
        reply
            .header("content-security-policy")
            .contains("form-action 'self' https://pay.example:8443;")
    );
    let asked: payment::StartAttemptRequest = edge.stub.calls(START)[0].message();
    assert_eq!(
        (
            asked.request_id.as_str(),
            asked.provider.as_str(),
            asked.language.as_str()
        ),
        (ID, "cmi", "en")
    );
}

#[tokio::test]
async fn a_wrong_phone_is_said_in_the_form() {
    let edge = Edge::start().await;
    edge.stub
        .answers(PAYMENT, &payable(payment::PayableState::Open, Vec::new()));
    let wrong = wathiq_chassis::status::invalid_argument(
        PAYMENTS,
        vec![wathiq_chassis::FieldViolation::new(
            "phone",
            "PHONE_FORM",
            "no phone",
        )],
    );
    edge.stub.refuses(START, wrong);
    let reply = form(
        &edge,
        "/payments/p1/start?lang=en",
        "provider=text-message&phone=12%3C",
    )
    .await;
    let page = reply.text();
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(
        page.contains("aria-invalid") && page.contains("value=\"12&#60;\""),
        "{page}"
    );
    assert!(page.contains("not a phone number"), "{page}");
    let prompt = payment::TextMessagePrompt {
        masked_phone: "+2126••••••78".to_owned(),
        expire_time: None,
    };
    let next = Some(payment::start_attempt_response::Next::TextMessage(prompt));
    edge.stub
        .answers(START, &payment::StartAttemptResponse { attempt: None, next });
    let reply = form(
        &edge,
        "/payments/p1/start?lang=en",
        "provider=text-message&phone=0612345678",
    )
    .await;
    assert!(reply.status.is_success() && reply.text().contains("+2126••••••78"));
}

#[tokio::test]
async fn a_receipt_comes_whole_or_not_at_all() {
    let edge = Edge::start().await;
    let piece = |chunk: &[u8], total_bytes| payment::DownloadReceiptResponse {
        chunk: chunk.to_vec(),
        total_bytes,
        sha256: vec![7; 32],
        file_name: "receipt-2026-000001.pdf".to_owned(),
    };
    let pieces = |total| {
        use prost::Message;
        [piece(b"%PDF", total), piece(b"-1.7", 0)]
            .iter()
            .map(Message::encode_to_vec)
            .collect::<Vec<_>>()
    };
    let whole = pieces(8);
    edge.stub.on(RECEIPT, move |_| Ok(whole.clone()));
    let reply = look(&edge, "/payments/p1/receipt").await;
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (StatusCode::OK, &b"%PDF-1.7"[..])
    );
    assert_eq!(reply.header("content-type"), "application/pdf");
    assert!(
        reply
            .header("content-disposition")
            .contains("receipt-2026-000001.pdf")
    );
    let half = pieces(9);
    edge.stub.on(RECEIPT, move |_| Ok(half.clone()));
    assert_eq!(
        look(&edge, "/payments/p1/receipt").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

#[tokio::test]
async fn anyone_may_track_an_item() {
    let edge = Edge::start().await;
    let step = |state: postal::ShipmentState, place: &str| postal::TrackedStep {
        state: state as i32,
        event_time: None,
        place: place.to_owned(),
    };
    let answer = postal::TrackResponse {
        tracking_id: Some(postal::TrackingId {
            scheme: "S10".to_owned(),
            value: "RR123456785MA".to_owned(),
        }),
        state: postal::ShipmentState::InTransit as i32,
        steps: vec![step(postal::ShipmentState::HandedOver, "Rabat <CD>")],
        ..Default::default()
    };
    edge.stub.answers(TRACK, &answer);
    let page = edge.get("/t/rr123456785ma?lang=en").await;
    assert!(page.status.is_success());
    assert!(page.text().contains("on its way") && page.text().contains("Rabat &#60;CD&#62;"));
    let json = edge.get("/v1/tracking/RR123456785MA").await.json();
    assert_eq!(
        (json["state"].as_str(), json["steps"][0]["state"].as_str()),
        (Some("in_transit"), Some("handed_over"))
    );
    edge.stub.refuses(TRACK, Status::not_found("no such item"));
    assert_eq!(edge.get("/t/RR000000005MA").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_offices_that_can_be_ordered_from_are_told_with_who_holds_their_registers() {
    const OFFICES: &str = "/wathiq.civil_registry_order.v1.OrderService/ListOrderOffices";
    let edge = Edge::start().await;
    let merged = pb::OrderOffice {
        office_id: ID.to_owned(),
        code: "C-7".to_owned(),
        name_ar: "مكتب".to_owned(),
        name_fr: "Bureau".to_owned(),
        holder_office_ids: vec!["h1".to_owned()],
        ..Default::default()
    };
    let page = pb::ListOrderOfficesResponse {
        offices: vec![merged],
        next_page_token: "t2".to_owned(),
    };
    edge.stub.answers(OFFICES, &page);
    let said = edge
        .get("/v1/civil-status/offices?page_size=1&parent_office_id=p")
        .await;
    let body = said.json();
    assert_eq!(body["items"][0]["office_id"], ID);
    assert_eq!(body["items"][0]["holder_office_ids"][0], "h1");
    assert_eq!(body["next_page_token"], "t2");
    let asked: pb::ListOrderOfficesRequest = edge.stub.calls(OFFICES)[0].message();
    assert_eq!((asked.page_size, asked.parent_office_id.as_str()), (1, "p"));
}
