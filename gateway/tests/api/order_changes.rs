//! The pages on which a citizen cancels and corrects.

use http::{StatusCode, header};
use tonic::Status;
use wathiq_chassis::{ErrorDomain, FieldViolation};
use wathiq_proto::google::r#type::Date;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::harness::{Edge, ORIGIN, request};
use crate::orders::{CATALOGUE, ID, ORDER, catalogue, form, line, look, order};

const CANCEL: &str = "/wathiq.civil_registry_order.v1.OrderService/CancelLines";
const CORRECT: &str = "/wathiq.civil_registry_order.v1.OrderService/CorrectLine";
const ADDRESS: &str = "/wathiq.civil_registry_order.v1.OrderService/CorrectAddress";
const EVIDENCE: &str = "/wathiq.civil_registry_order.v1.OrderService/UploadEvidence";
const PERSON: &str = "/wathiq.identity.v1.AccountService/GetPerson";
const REQUESTS: &str = "/wathiq.signature.v1.LegalisationService/ListLegalisationRequests";
const ORDERS: ErrorDomain = ErrorDomain("civil-registry-order.wathiq");

fn to_correct() -> pb::GetOrderResponse {
    let mut asked = line(pb::LineState::ToCorrect);
    asked.relation = pb::Relation::Mandataire as i32;
    asked.answer = Some(pb::OfficeAnswer {
        reason_code: "ACT_NOT_FOUND".to_owned(),
        text: "Which year?".to_owned(),
        answer_time: None,
    });
    order(pb::OrderState::ActionNeeded, vec![asked])
}

#[tokio::test]
async fn what_can_be_changed_is_offered_and_nothing_else() {
    let edge = Edge::start().await;
    let cancellation = format!("/orders/{ID}/cancellation");
    let of_line = format!("/orders/{ID}/lines/l1/cancellation");
    let correction = format!("/orders/{ID}/lines/l1/correction");
    use pb::{LineState as L, OrderState as O};
    for (state, line_state, offered) in [
        (O::AwaitingPayment, L::AwaitingPayment, [true, false, false]),
        (O::InProgress, L::Paid, [false, true, false]),
        (O::ActionNeeded, L::ToCorrect, [false, true, true]),
        (O::InProgress, L::InProduction, [false, false, false]),
        (O::Completed, L::Delivered, [false, false, false]),
    ] {
        edge.stub.answers(ORDER, &order(state, vec![line(line_state)]));
        let page = look(&edge, &format!("/orders/{ID}?lang=en")).await.text();
        let shown = [&cancellation, &of_line, &correction]
            .map(|address| page.contains(&format!("href=\"{address}\"")));
        assert_eq!(shown, offered, "{line_state:?}");
    }
}

#[tokio::test]
async fn an_order_is_cancelled_after_one_more_question() {
    let edge = Edge::start().await;
    let away = edge.get(&format!("/orders/{ID}/cancellation")).await;
    assert_eq!(away.status, StatusCode::SEE_OTHER);
    let unpaid = vec![line(pb::LineState::AwaitingPayment)];
    edge.stub
        .answers(ORDER, &order(pb::OrderState::AwaitingPayment, unpaid));
    let page = look(&edge, &format!("/orders/{ID}/cancellation?lang=en"))
        .await
        .text();
    assert!(
        page.contains("Nothing was paid") && page.contains("name=\"etag\" value=\"7\""),
        "{page}"
    );
    assert!(edge.stub.calls(CANCEL).is_empty());
    edge.stub
        .answers(CANCEL, &pb::CancelLinesResponse { order: None });
    let fields = format!("request_id={ID}&etag=7");
    let done = form(&edge, &format!("/orders/{ID}/cancellation"), &fields).await;
    assert_eq!(
        (done.status, done.header("location")),
        (StatusCode::SEE_OTHER, format!("/orders/{ID}").as_str())
    );
    let asked: pb::CancelLinesRequest = edge.stub.calls(CANCEL)[0].message();
    assert!(asked.line_ids.is_empty() && asked.etag == "7" && asked.request_id == ID);
    form(&edge, &format!("/orders/{ID}/lines/l1/cancellation"), &fields).await;
    let asked: pb::CancelLinesRequest = edge.stub.calls(CANCEL)[1].message();
    assert_eq!(asked.line_ids, ["l1"]);
}

#[tokio::test]
async fn why_a_line_cannot_be_cancelled_is_said_on_the_page() {
    let edge = Edge::start().await;
    edge.stub.answers(
        ORDER,
        &order(
            pb::OrderState::InProgress,
            vec![line(pb::LineState::InProduction)],
        ),
    );
    let refused =
        wathiq_chassis::status::failed_precondition(ORDERS, "LINE_IN_PRODUCTION", "line", "it has begun");
    edge.stub.refuses(CANCEL, refused);
    let address = format!("/orders/{ID}/lines/l1/cancellation?lang=en");
    let reply = form(&edge, &address, &format!("request_id={ID}&etag=7")).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reply.text().contains("role=\"alert\""), "{}", reply.text());
    edge.stub.refuses(CANCEL, Status::unavailable("down"));
    let reply = form(&edge, &address, &format!("request_id={ID}&etag=7")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let nobody = look(&edge, &format!("/orders/{ID}/lines/other/cancellation")).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_correction_keeps_what_was_not_touched_and_sends_what_was() {
    let edge = Edge::start().await;
    edge.stub.answers(ORDER, &to_correct());
    edge.stub.answers(CATALOGUE, &catalogue());
    let address = format!("/orders/{ID}/lines/l1/correction");
    let page = look(&edge, &format!("{address}?lang=en")).await.text();
    for expected in [
        "ACT_NOT_FOUND-en Which year?",
        "name=\"number\" type=\"text\" dir=\"auto\" maxlength=\"40\" value=\"12\"",
        "value=\"1990\"",
        "name=\"person.given_latin\" type=\"text\" dir=\"auto\" maxlength=\"100\" value=\"Sara\"",
        "evidence?kind=power-of-attorney",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    edge.stub
        .answers(CORRECT, &pb::CorrectLineResponse { order: None });
    let fields = format!(
        "request_id={ID}&etag=7&evidence={ID}&number=12+bis&year=1991&part=&hijri_year=&birth_date=1990-05\
         &person.given_latin=Sara&person.family_latin=Alaoui&father.given_latin=Driss"
    );
    let done = form(&edge, &address, &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    let asked: pb::CorrectLineRequest = edge.stub.calls(CORRECT)[0].message();
    let clue = asked.act.unwrap();
    assert_eq!((clue.number.as_str(), clue.year), ("12 bis", 1991));
    let may = Date {
        year: 1990,
        month: 5,
        day: 0,
    };
    assert_eq!(clue.birth_date, Some(may));
    assert_eq!(clue.person.unwrap().family_latin, "Alaoui");
    assert_eq!(clue.father.unwrap().given_latin, "Driss");
    assert!(clue.mother.is_none());
    assert_eq!(asked.evidence_ids, [ID]);
}

#[tokio::test]
async fn a_malformed_correction_comes_back_as_it_was_typed() {
    let edge = Edge::start().await;
    edge.stub.answers(ORDER, &to_correct());
    let address = format!("/orders/{ID}/lines/l1/correction?lang=en");
    let reply = form(&edge, &address, "year=199O%3C&birth_date=1990-13&number=5").await;
    let page = reply.text();
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(
        page.contains("value=\"199O&#60;\"") && page.contains("value=\"1990-13\""),
        "{page}"
    );
    for field in ["Year of declaration: ", "Date of birth: "] {
        assert!(page.contains(&format!("<li>{field}")), "{field}: {page}");
    }
    assert!(edge.stub.calls(CORRECT).is_empty());
    let wrong = wathiq_chassis::status::invalid_argument(
        ORDERS,
        vec![wathiq_chassis::FieldViolation::new(
            "act.person.given_latin",
            "TOO_LONG",
            "long",
        )],
    );
    edge.stub.refuses(CORRECT, wrong);
    let page = form(&edge, &address, "number=5").await.text();
    assert!(
        page.contains("<li>Person of the act · First name, Latin letters: The text is too long.</li>"),
        "{page}"
    );
}

#[tokio::test]
async fn nothing_is_corrected_where_no_correction_is_asked_for() {
    let edge = Edge::start().await;
    edge.stub.answers(
        ORDER,
        &order(pb::OrderState::InProgress, vec![line(pb::LineState::Paid)]),
    );
    let address = format!("/orders/{ID}/lines/l1/correction");
    let reply = look(&edge, &address).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, format!("/orders/{ID}").as_str())
    );
    let reply = form(&edge, &format!("{address}?lang=en"), "number=5").await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(edge.stub.calls(CORRECT).is_empty());
}

#[tokio::test]
async fn a_file_that_shows_the_relation_is_kept_for_the_correction() {
    let edge = Edge::start().await;
    let kept = pb::UploadEvidenceResponse {
        evidence_id: ID.to_owned(),
        expire_time: None,
    };
    edge.stub.answers(EVIDENCE, &kept);
    let body = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\
                Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n--b--\r\n";
    let address = format!("/orders/{ID}/lines/l1/evidence?kind=guardianship");
    let sent = request("POST", &address)
        .header(header::ORIGIN, ORIGIN)
        .header(header::COOKIE, "__Host-wathiq-session=session-secret")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let reply = edge.send(sent.body(axum::body::Body::from(body)).unwrap()).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (
            StatusCode::SEE_OTHER,
            format!("/orders/{ID}/lines/l1/correction?evidence={ID}").as_str()
        ),
        "{}",
        reply.text()
    );
    let first: pb::UploadEvidenceRequest = edge.stub.calls(EVIDENCE)[0].message();
    let Some(pb::upload_evidence_request::Part::Header(header)) = first.part else {
        panic!("the header comes first")
    };
    assert_eq!(
        (header.kind.as_str(), header.file_name.as_str()),
        ("guardianship", "a.pdf")
    );
}

#[tokio::test]
async fn a_request_that_waits_for_its_fee_leads_to_the_payment() {
    let edge = Edge::start().await;
    let person = wathiq_proto::wathiq::identity::v1::GetPersonResponse {
        person: Some(Default::default()),
    };
    edge.stub.answers(PERSON, &person);
    let request = |state: signature::LegalisationState| signature::LegalisationRequest {
        state: state as i32,
        payable_id: "p1".to_owned(),
        ..Default::default()
    };
    for (state, offered) in [
        (signature::LegalisationState::AwaitingPayment, true),
        (signature::LegalisationState::Submitted, false),
    ] {
        let listed = signature::ListLegalisationRequestsResponse {
            legalisation_requests: vec![request(state)],
            ..Default::default()
        };
        edge.stub.answers(REQUESTS, &listed);
        let page = look(&edge, "/account?lang=en").await.text();
        assert_eq!(page.contains("href=\"/payments/p1/start\""), offered, "{page}");
    }
}

/// An order whose address the post does not take, as each of its parcels says.
fn address_asked(faults: &[(&str, &str)], parcels: usize) -> pb::GetOrderResponse {
    let mut made = line(pb::LineState::Produced);
    made.progress_code = "WAITING_FOR_ADDRESS".to_owned();
    let mut asked = order(pb::OrderState::ActionNeeded, vec![made]);
    if let Some(order) = &mut asked.order {
        order.progress_code = "WAITING_FOR_ADDRESS".to_owned();
        order.address = Some(pb::DeliveryAddress {
            country_code: "MA".to_owned(),
            postal_code: "10000".to_owned(),
            locality_latin: "Rabat".to_owned(),
            ..Default::default()
        });
        let fault = |(field, reason): &(&str, &str)| pb::AddressFault {
            field: (*field).to_owned(),
            reason: (*reason).to_owned(),
        };
        let parcel = pb::Parcel {
            address_faults: faults.iter().map(fault).collect(),
            ..Default::default()
        };
        order.parcels = vec![parcel; parcels];
    }
    asked
}

#[tokio::test]
async fn an_address_that_the_post_does_not_take_is_corrected_where_it_is_asked_for() {
    let edge = Edge::start().await;
    let asked = address_asked(&[("postal_code", "POSTAL_CODE")], 1);
    edge.stub.answers(ORDER, &asked);
    let form_address = format!("/orders/{ID}/address");
    let page = look(&edge, &format!("/orders/{ID}?lang=en")).await.text();
    assert!(
        page.contains("The post does not accept the address of your order"),
        "{page}"
    );
    assert!(page.contains(&format!("href=\"{form_address}\"")), "{page}");
    let page = look(&edge, &format!("{form_address}?lang=en")).await.text();
    assert!(
        page.contains("five digits") && page.contains("value=\"Rabat\""),
        "{page}"
    );
    edge.stub
        .answers(ADDRESS, &pb::CorrectAddressResponse { order: None });
    let fields =
        format!("request_id={ID}&etag=7&postal_code=20000&locality_latin=Casablanca&street_latin=Rue+1");
    let done = form(&edge, &form_address, &fields).await;
    assert_eq!(
        (done.status, done.header("location")),
        (StatusCode::SEE_OTHER, format!("/orders/{ID}").as_str())
    );
    let sent: pb::CorrectAddressRequest = edge.stub.calls(ADDRESS)[0].message();
    let address = sent.address.unwrap();
    assert_eq!(
        (
            address.country_code.as_str(),
            address.postal_code.as_str(),
            sent.etag.as_str()
        ),
        ("MA", "20000", "7")
    );
    edge.stub.refuses(
        ADDRESS,
        wathiq_chassis::status::failed_precondition(ORDERS, "ADDRESS_NOT_ASKED", "order", "no"),
    );
    let refused = form(&edge, &format!("{form_address}?lang=en"), &fields).await;
    assert!(
        refused.text().contains("does not change any more"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_address_is_said_once_and_of_its_field() {
    let edge = Edge::start().await;
    let faults = [
        ("street_latin", "REQUIRED"),
        ("locality_latin", "REQUIRED"),
        ("", "REQUIRED"),
    ];
    edge.stub.answers(ORDER, &address_asked(&faults, 2));
    let form_address = format!("/orders/{ID}/address?lang=en");
    let page = look(&edge, &form_address).await.text();
    for expected in [
        "<li>Street and number, Latin script: This is needed.</li>",
        "<li>Town, Latin script: This is needed.</li>",
        "<li>This is needed.</li>",
    ] {
        assert_eq!(page.matches(expected).count(), 1, "{expected}: {page}");
    }
    let wrong = FieldViolation::new("address.postal_code", "POSTAL_CODE", "five digits");
    edge.stub.refuses(
        ADDRESS,
        wathiq_chassis::status::invalid_argument(ORDERS, vec![wrong]),
    );
    let refused = form(&edge, &form_address, &format!("request_id={ID}&etag=7")).await;
    let page = refused.text();
    assert!(
        page.contains("<li>Postal code: A postal code has five digits in Morocco.</li>"),
        "{page}"
    );
}

#[tokio::test]
async fn an_address_is_not_asked_for_where_the_post_takes_it() {
    let edge = Edge::start().await;
    let produced = vec![line(pb::LineState::Produced)];
    edge.stub
        .answers(ORDER, &order(pb::OrderState::InProgress, produced));
    let reply = look(&edge, &format!("/orders/{ID}/address")).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, format!("/orders/{ID}").as_str())
    );
}

#[tokio::test]
async fn a_correction_in_the_history_is_neither_the_office_s_nor_an_act_s() {
    let edge = Edge::start().await;
    let mut asked = address_asked(&[], 1);
    if let Some(order) = &mut asked.order {
        order.history = ["LineCorrectionRequested", "LineCorrected"]
            .map(|event| pb::HistoryEntry {
                event: event.to_owned(),
                time: Some(prost_types::Timestamp {
                    seconds: 1_795_386_600,
                    nanos: 0,
                }),
                ..Default::default()
            })
            .to_vec();
    }
    edge.stub.answers(ORDER, &asked);
    for (language, steps) in [
        ("en", ["A correction was asked for", "Corrected"]),
        ("fr", ["Une correction a été demandée", "Corrigé"]),
        ("ar", ["طُلب تصحيح", "تم التصحيح"]),
    ] {
        let page = look(&edge, &format!("/orders/{ID}?lang={language}")).await.text();
        for step in steps {
            assert!(page.contains(&format!("</bdi> {step}</li>")), "{step}: {page}");
        }
    }
}
