//! Batch sheets: where the daily mail leads, drawn up, opened.

use http::StatusCode;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::identity::v1 as identity;

use crate::harness::SECRET;
use crate::office_pages::{OFFICE, QUEUE, SIGN_IN, entry, form, look, office};

const SHEET: &str = "/wathiq.civil_registry_order.v1.OfficeService/CreateBatchSheet";
const SHEETS: &str = "/wathiq.civil_registry_order.v1.OfficeService/ListBatchSheets";

#[tokio::test]
async fn the_daily_mail_leads_through_the_sign_in_to_the_sheets_of_its_office() {
    let edge = office().await;
    let address = format!("/office/batch-sheets?office_id={OFFICE}");
    let away = edge.get(&address).await;
    let sign_in = away.header("location").to_owned();
    assert!(sign_in.starts_with("/sign-in?next="), "{sign_in}");
    assert!(edge.get(&sign_in).await.text().contains(&address));
    let session = identity::SessionGrant {
        session_secret: SECRET.to_owned(),
        ..Default::default()
    };
    let result = Some(identity::sign_in_response::Result::Session(session));
    edge.stub.answers(SIGN_IN, &identity::SignInResponse { result });
    let next = sign_in.trim_start_matches("/sign-in?");
    let body = format!("login=a%40example.org&password=p&{next}");
    let signed_in = form(&edge, "/sign-in", &body).await;
    assert_eq!(
        (signed_in.status, signed_in.header("location")),
        (StatusCode::SEE_OTHER, address.as_str())
    );
    let queue = pb::ListQueueResponse {
        entries: vec![entry(pb::LineState::Paid)],
        next_page_token: "more".to_owned(),
    };
    edge.stub.answers(QUEUE, &queue);
    let sheet = pb::BatchSheet {
        batch_sheet_id: "b1".to_owned(),
        number: "2026-000012".to_owned(),
        line_ids: vec!["l1".to_owned(), "l2".to_owned()],
        ..Default::default()
    };
    let sheets = pb::ListBatchSheetsResponse {
        batch_sheets: vec![sheet],
        next_page_token: "t/2".to_owned(),
    };
    edge.stub.answers(SHEETS, &sheets);
    let page = look(&edge, &format!("{address}&lang=en")).await.text();
    let asked: pb::ListQueueRequest = edge.stub.calls(QUEUE)[0].message();
    assert_eq!(
        (asked.office_id.as_str(), asked.path.as_str(), asked.states),
        (OFFICE, "PAPER", vec![pb::LineState::Paid as i32])
    );
    let asked: pb::ListBatchSheetsRequest = edge.stub.calls(SHEETS)[0].message();
    assert_eq!(asked.office_id, OFFICE);
    for expected in [
        "1+",
        "action=\"/office/batch-sheets\"",
        "2026-000012",
        "href=\"/office/batch-sheets/b1/file\"",
        "page_token=t%2F2",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    edge.stub.answers(QUEUE, &pb::ListQueueResponse::default());
    edge.stub.answers(SHEETS, &pb::ListBatchSheetsResponse::default());
    let page = look(&edge, &address).await.text();
    assert!(!page.contains("action=\"/office/batch-sheets\""), "{page}");
}

#[tokio::test]
async fn a_batch_sheet_is_drawn_up_and_opened() {
    let edge = office().await;
    let sheet = pb::BatchSheet {
        batch_sheet_id: "b1".to_owned(),
        ..Default::default()
    };
    edge.stub.answers(
        SHEET,
        &pb::CreateBatchSheetResponse {
            batch_sheet: Some(sheet),
        },
    );
    let body = format!("request_id=k&office_id={OFFICE}");
    let reply = form(&edge, "/office/batch-sheets", &body).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, "/office/batch-sheets/b1")
    );
    let asked: pb::CreateBatchSheetRequest = edge.stub.calls(SHEET)[0].message();
    assert_eq!((asked.office_id.as_str(), asked.line_ids.len()), (OFFICE, 0));
    let page = look(&edge, "/office/batch-sheets/b1").await.text();
    assert!(page.contains("href=\"/office/batch-sheets/b1/file\""));
}
