//! The pages of an office that takes orders.

use axum::body::Body;
use http::{StatusCode, header};
use prost::Message;
use tonic::Status;
use wathiq_chassis::ErrorDomain;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::identity::v1 as identity;

use crate::harness::{Edge, ORIGIN, Reply, SECRET, TOKEN, request};
use crate::orders::{CATALOGUE, catalogue};
use crate::stub::EXCHANGE;

const AUTHORIZATION: &str = "/wathiq.identity.v1.DirectoryService/GetAuthorization";
pub(crate) const MEMBERSHIPS: &str = "/wathiq.identity.v1.OfficeService/ListMemberships";
pub(crate) const SIGN_IN: &str = "/wathiq.identity.v1.SessionService/SignIn";
pub(crate) const QUEUE: &str = "/wathiq.civil_registry_order.v1.OfficeService/ListQueue";
const LINE: &str = "/wathiq.civil_registry_order.v1.OfficeService/GetLine";
const CHECK: &str = "/wathiq.civil_registry_order.v1.OfficeService/CheckEntitlement";
const LINK: &str = "/wathiq.civil_registry_order.v1.OfficeService/LinkAct";
const REFUSE: &str = "/wathiq.civil_registry_order.v1.OfficeService/RefuseLine";
pub(crate) const PRODUCE: &str = "/wathiq.civil_registry_order.v1.OfficeService/RecordProduction";
const RELEASE: &str = "/wathiq.civil_registry_order.v1.OfficeService/ReleaseLine";
pub(crate) const ORDERS: ErrorDomain = ErrorDomain("civil-registry-order.wathiq");

pub(crate) const OFFICE: &str = "0190c6f2-0000-7000-8000-0000000000aa";
pub(crate) const OFFICER: &str = "0190c6f2-0000-7000-8000-0000000000bb";

/// The gateway with a staff session, whose person is an agent of one office.
pub(crate) async fn office() -> Edge {
    let edge = Edge::start().await;
    edge.stub.on(EXCHANGE, |call| {
        let asked: identity::ExchangeSessionRequest = call.message();
        assert_eq!(asked.session_secret, SECRET);
        let answer = identity::ExchangeSessionResponse {
            access_token: TOKEN.to_owned(),
            person_id: "person".to_owned(),
            session_id: "session".to_owned(),
            surface: identity::SessionSurface::Staff as i32,
            expire_time: None,
        };
        Ok(vec![answer.encode_to_vec()])
    });
    let grant = identity::OfficeGrant {
        office_id: OFFICE.to_owned(),
        role: identity::OfficeRole::Agent as i32,
        ..Default::default()
    };
    let grants = identity::GetAuthorizationResponse {
        session_live: true,
        grants: vec![grant],
        ..Default::default()
    };
    edge.stub.answers(AUTHORIZATION, &grants);
    let officer = identity::Membership {
        person_id: OFFICER.to_owned(),
        role: identity::OfficeRole::Officer as i32,
        display_name: "A. Benali".to_owned(),
        ..Default::default()
    };
    let members = identity::ListMembershipsResponse {
        memberships: vec![officer],
        ..Default::default()
    };
    edge.stub.answers(MEMBERSHIPS, &members);
    edge
}

const COOKIE: &str = "__Host-wathiq-session=session-secret";

pub(crate) async fn look(edge: &Edge, path: &str) -> Reply {
    let request = request("GET", path).header(header::COOKIE, COOKIE);
    edge.send(request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn form(edge: &Edge, path: &str, body: &str) -> Reply {
    let request = request("POST", path)
        .header(header::ORIGIN, ORIGIN)
        .header(header::COOKIE, COOKIE)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    edge.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

pub(crate) fn entry(state: pb::LineState) -> pb::QueueEntry {
    let line = pb::OrderLine {
        line_id: "l1".to_owned(),
        line_reference: "W4K7-M2PX-93-1".to_owned(),
        state: state as i32,
        document_kind: "birth-extract".to_owned(),
        office_id: OFFICE.to_owned(),
        ..Default::default()
    };
    pb::QueueEntry {
        line: Some(line),
        path: "PAPER".to_owned(),
        late: true,
        ..Default::default()
    }
}

fn line(state: pb::LineState) -> pb::GetLineResponse {
    pb::GetLineResponse {
        entry: Some(entry(state)),
        ..Default::default()
    }
}

#[tokio::test]
async fn the_pages_of_an_office_ask_for_a_staff_session() {
    let edge = Edge::start().await;
    for path in [
        "/office",
        "/office/scan",
        "/office/batch-sheets",
        "/office/hand-over",
        "/office/lines/l1",
        "/office/exceptions",
    ] {
        let away = edge.get(path).await;
        let expected = format!("/sign-in?next={}", path.replace('/', "%2F"));
        assert_eq!(
            (away.status, away.header("location")),
            (StatusCode::SEE_OTHER, expected.as_str())
        );
        // A citizen's session does not open them either, and the sign-in does not lead back in a circle.
        let citizen = look(&edge, path).await;
        assert_eq!(
            (citizen.status, citizen.header("location")),
            (StatusCode::SEE_OTHER, expected.as_str())
        );
        assert_eq!(look(&edge, &expected).await.status, StatusCode::OK);
    }
    assert!(edge.stub.work().is_empty());
    edge.stub
        .answers(SIGN_IN, &identity::SignInResponse { result: None });
    form(
        &edge,
        "/sign-in",
        "login=a%40example.org&password=p&next=%2Foffice%2Fscan",
    )
    .await;
    form(
        &edge,
        "/sign-in",
        "login=a%40example.org&password=p&next=%2Faccount",
    )
    .await;
    let surfaces: Vec<_> = edge
        .stub
        .calls(SIGN_IN)
        .iter()
        .map(|call| call.message::<identity::SignInRequest>().surface())
        .collect();
    assert_eq!(
        surfaces,
        [identity::SessionSurface::Staff, identity::SessionSurface::Citizen]
    );
}

#[tokio::test]
async fn the_queue_is_filtered_and_leads_on() {
    let edge = office().await;
    let queue = pb::ListQueueResponse {
        entries: vec![entry(pb::LineState::Paid)],
        next_page_token: "t/2".to_owned(),
    };
    edge.stub.answers(QUEUE, &queue);
    let page = look(&edge, "/office?lang=en&path=PAPER&late=true&reference=W4K7")
        .await
        .text();
    let asked: pb::ListQueueRequest = edge.stub.calls(QUEUE)[0].message();
    assert_eq!(
        (
            asked.office_id.as_str(),
            asked.path.as_str(),
            asked.late_only,
            asked.reference.as_str()
        ),
        (OFFICE, "PAPER", true, "W4K7")
    );
    let waiting = [pb::LineState::Paid as i32, pb::LineState::InProduction as i32];
    assert_eq!(asked.states, waiting);
    for expected in [
        "href=\"/office/lines/l1\"",
        "W4K7-M2PX-93-1",
        "Late",
        "page_token=t%2F2",
        "action=\"/office/batch-sheets\"",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}

#[tokio::test]
async fn a_scanned_line_is_recorded_with_the_officer_who_is_kept() {
    let edge = office().await;
    let produced = pb::RecordProductionResponse {
        entry: Some(entry(pb::LineState::Produced)),
        offer_keying: true,
        parcel: None,
    };
    edge.stub.answers(PRODUCE, &produced);
    let first = look(&edge, "/office/scan?lang=en").await;
    assert!(first.text().contains("autofocus") && first.text().contains("A. Benali"));
    let body = format!("request_id=k&office_id={OFFICE}&officer_person_id={OFFICER}&code=+w4k7-m2px-93-1");
    let reply = form(&edge, "/office/scan?lang=en", &body).await;
    let page = reply.text();
    assert!(
        reply.status.is_success() && page.contains("outcome good"),
        "{page}"
    );
    assert!(page.contains("not digitised"), "{page}");
    assert!(page.contains(&format!("value=\"{OFFICER}\" selected")), "{page}");
    assert!(
        reply
            .header("set-cookie")
            .starts_with(&format!("__Host-wathiq-desk={OFFICE}.{OFFICER};"))
    );
    let asked: pb::RecordProductionRequest = edge.stub.calls(PRODUCE)[0].message();
    assert_eq!(
        (
            asked.request_id.as_str(),
            asked.line_reference.as_str(),
            asked.officer_person_id.as_str()
        ),
        ("k", "w4k7-m2px-93-1", OFFICER)
    );
    let request = request("GET", "/office/scan").header(
        header::COOKIE,
        format!("{COOKIE}; __Host-wathiq-desk={OFFICE}.{OFFICER}"),
    );
    let page = edge.send(request.body(Body::empty()).unwrap()).await.text();
    assert!(page.contains(&format!("value=\"{OFFICER}\" selected")), "{page}");
}

#[tokio::test]
async fn a_scan_that_cannot_be_recorded_says_why_and_the_page_goes_on() {
    let edge = office().await;
    let body = format!("office_id={OFFICE}&code=W4K7-M2PX-93-1");
    let nobody = form(&edge, "/office/scan?lang=en", &body).await;
    assert!(nobody.text().contains("Choose the officer") && edge.stub.calls(PRODUCE).is_empty());
    let with_officer = format!("{body}&officer_person_id={OFFICER}");
    let unknown = wathiq_chassis::status::not_found(ORDERS, "order_line", "W4K7");
    edge.stub.refuses(PRODUCE, unknown);
    let reply = form(&edge, "/office/scan?lang=en", &with_officer).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(reply.text().contains("outcome bad") && reply.text().contains("autofocus"));
    edge.stub.refuses(PRODUCE, Status::unavailable("down"));
    let later = form(&edge, "/office/scan?lang=en", &with_officer).await;
    assert!(later.text().contains("outcome doubtful") && later.text().contains("scan again"));
}

#[tokio::test]
async fn a_line_on_paper_is_given_back_to_the_queue() {
    let edge = office().await;
    edge.stub.answers(LINE, &line(pb::LineState::InProduction));
    edge.stub.answers(RELEASE, &pb::ReleaseLineResponse::default());
    let page = look(&edge, "/office/lines/l1?lang=en").await.text();
    assert!(page.contains("action=\"/office/lines/l1/release\""), "{page}");
    let reply = form(&edge, "/office/lines/l1/release", "request_id=k").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, "/office")
    );
    let asked: pb::ReleaseLineRequest = edge.stub.calls(RELEASE)[0].message();
    assert_eq!((asked.request_id.as_str(), asked.line_id.as_str()), ("k", "l1"));
    edge.stub.answers(LINE, &line(pb::LineState::Paid));
    let page = look(&edge, "/office/lines/l1?lang=en").await.text();
    assert!(!page.contains("/release"), "{page}");
    let own = wathiq_chassis::status::permission_denied(ORDERS, "OWN_ORDER", "own");
    edge.stub.refuses(RELEASE, own);
    let page = form(&edge, "/office/lines/l1/release?lang=en", "request_id=k")
        .await
        .text();
    assert!(page.contains("This order is your own"), "{page}");
}

#[tokio::test]
async fn a_relation_is_checked_and_an_act_that_differs_confirmed() {
    let edge = office().await;
    let mut shown = line(pb::LineState::Paid);
    shown.candidates = vec![pb::ActSummary {
        act_id: "a1".to_owned(),
        differences: vec!["given_name".to_owned()],
        ..Default::default()
    }];
    edge.stub.answers(LINE, &shown);
    edge.stub.answers(CHECK, &pb::CheckEntitlementResponse::default());
    edge.stub.answers(LINK, &pb::LinkActResponse::default());
    let page = look(&edge, "/office/lines/l1?lang=en").await.text();
    assert!(page.contains("action=\"/office/lines/l1/entitlement\""), "{page}");
    assert!(page.contains("Said by the applicant only"), "{page}");
    assert!(
        page.contains("Differs from the order:") && page.contains("given name"),
        "{page}"
    );
    form(&edge, "/office/lines/l1/entitlement", "request_id=k&note=livret").await;
    let asked: pb::CheckEntitlementRequest = edge.stub.calls(CHECK)[0].message();
    assert_eq!((asked.line_id.as_str(), asked.note.as_str()), ("l1", "livret"));
    form(
        &edge,
        "/office/lines/l1/act",
        "request_id=k&act_id=a1&note=jugement+vu",
    )
    .await;
    let asked: pb::LinkActRequest = edge.stub.calls(LINK)[0].message();
    assert_eq!(
        (asked.act_id.as_str(), asked.note.as_str()),
        ("a1", "jugement vu")
    );
    assert!(asked.confirms_differences);
}

#[tokio::test]
async fn a_refusal_names_a_reason_and_keeps_what_was_written() {
    let edge = office().await;
    edge.stub.answers(LINE, &line(pb::LineState::Paid));
    edge.stub.answers(CATALOGUE, &catalogue());
    let page = look(&edge, "/office/lines/l1?lang=en").await.text();
    assert!(page.contains("href=\"/office/lines/l1/refusal\""), "{page}");
    let page = look(&edge, "/office/lines/l1/refusal?lang=en").await.text();
    for reason in ["ACT_NOT_FOUND", "NOT_ENTITLED", "REGISTER_DAMAGED"] {
        assert!(page.contains(&format!("value=\"{reason}\"")), "{reason}: {page}");
    }
    assert!(page.contains("ACT_NOT_FOUND-en"), "{page}");
    let page = look(&edge, "/office/lines/l1/correction?lang=fr").await.text();
    assert!(
        page.contains("pas été trouvé dans le registre") && !page.contains("REGISTER_DAMAGED"),
        "{page}"
    );
    let reply = form(
        &edge,
        "/office/lines/l1/refusal",
        "request_id=k&reason_code=ACT_NOT_FOUND&text=+1991%3F+",
    )
    .await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, "/office/lines/l1")
    );
    let asked: pb::RefuseLineRequest = edge.stub.calls(REFUSE)[0].message();
    assert_eq!(
        (
            asked.line_id.as_str(),
            asked.reason_code.as_str(),
            asked.text.as_str()
        ),
        ("l1", "ACT_NOT_FOUND", "1991?")
    );
    let state = wathiq_chassis::status::failed_precondition(ORDERS, "LINE_STATE", "line", "sealed already");
    edge.stub.refuses(REFUSE, state);
    let reply = form(
        &edge,
        "/office/lines/l1/refusal",
        "reason_code=ACT_DIFFERS&text=%3Cb%3E",
    )
    .await;
    let page = reply.text();
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        page.contains("value=\"ACT_DIFFERS\" required checked") && page.contains("&#60;b&#62;"),
        "{page}"
    );
}
