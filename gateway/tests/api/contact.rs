//! Sessions without an account.

use axum::body::Body;
use http::{StatusCode, header};
use wathiq_chassis::ErrorDomain;
use wathiq_proto::wathiq::identity::v1 as identity;

use crate::harness::{Edge, ORIGIN, request};

const BEGIN_CONTACT: &str = "/wathiq.identity.v1.SessionService/StartContactSession";
const END_CONTACT: &str = "/wathiq.identity.v1.SessionService/CompleteContactSession";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_session_without_an_account_is_opened_by_both_codes() {
    let edge = Edge::start().await;
    let begun = identity::StartContactSessionResponse {
        contact_session_id: "c1".to_owned(),
        ..Default::default()
    };
    edge.stub.answers(BEGIN_CONTACT, &begun);
    let send = async |path: &str, body: &str| {
        let request = request("POST", path)
            .header(header::ORIGIN, ORIGIN)
            .header(header::CONTENT_TYPE, FORM);
        edge.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    };
    let codes = send(
        "/contact?lang=fr",
        "email=a%40example.org&phone=0612345678&next=%2Forders%2FW4K7",
    )
    .await
    .text();
    assert!(
        codes.contains("value=\"c1\"") && codes.contains("value=\"/orders/W4K7\""),
        "{codes}"
    );
    let asked: identity::StartContactSessionRequest = edge.stub.calls(BEGIN_CONTACT)[0].message();
    assert_eq!(
        (asked.email.as_str(), asked.language()),
        ("a@example.org", identity::Language::Fr)
    );
    let wrong = wathiq_chassis::status::failed_precondition(
        ErrorDomain("identity.wathiq"),
        "CODE_WRONG",
        "contact",
        "wrong",
    );
    edge.stub.refuses(END_CONTACT, wrong);
    let again = send(
        "/contact/codes?lang=en",
        "contact_session_id=c1&email_code=1&phone_code=2",
    )
    .await;
    assert!(again.text().contains("The code is wrong") && again.text().contains("value=\"c1\""));
    let grant = identity::SessionGrant {
        session_id: "s".to_owned(),
        session_secret: "fresh-secret".to_owned(),
        expire_time: None,
    };
    edge.stub.answers(
        END_CONTACT,
        &identity::CompleteContactSessionResponse { session: Some(grant) },
    );
    let done = send(
        "/contact/codes",
        "contact_session_id=c1&email_code=ABC+DEF&phone_code=123+456&next=%2Forders%2FW4K7",
    )
    .await;
    assert_eq!(
        (done.status, done.header("location")),
        (StatusCode::SEE_OTHER, "/orders/W4K7")
    );
    assert!(
        done.header("set-cookie")
            .starts_with("__Host-wathiq-session=fresh-secret;")
    );
    let asked: identity::CompleteContactSessionRequest =
        edge.stub.calls(END_CONTACT).last().unwrap().message();
    assert_eq!(
        (asked.email_code.as_str(), asked.phone_code.as_str()),
        ("ABCDEF", "123456")
    );
}
