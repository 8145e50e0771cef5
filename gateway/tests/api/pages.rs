//! The pages for people.

use axum::body::Body;
use http::{StatusCode, header};
use prost_types::Timestamp;
use tonic::Status;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{Edge, IDENTITY, ORIGIN, Reply, request};

const VERIFY_CODE: &str = "/wathiq.signature.v1.VerificationService/VerifyCode";
const VERIFY_FILE: &str = "/wathiq.signature.v1.VerificationService/VerifyFile";
const GET_LINK: &str = "/wathiq.signature.v1.VerificationService/GetLink";
const SIGN_IN: &str = "/wathiq.identity.v1.SessionService/SignIn";
const SECOND: &str = "/wathiq.identity.v1.SessionService/CompleteSignIn";
const COOKIE: &str = "__Host-wathiq-session=session-secret";

async fn form(edge: &Edge, path: &str, body: &str) -> Reply {
    let request = request("POST", path)
        .header(header::ORIGIN, ORIGIN)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    edge.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

fn facts() -> pb::LegalisationFacts {
    pb::LegalisationFacts {
        verification_code: "ABCD2345WXYZ".to_owned(),
        state: pb::LegalisationState::Delivered as i32,
        office_name_ar: "ملحقة".to_owned(),
        office_name_fr: "Annexe".to_owned(),
        register_year: 2026,
        register_number: 17,
        seal_time: Some(Timestamp {
            seconds: 1_795_000_000,
            nanos: 0,
        }),
        officer_name: "Officier <b>".to_owned(),
        signer_name_latin: "S. Alaoui".to_owned(),
        signer_name_arabic: "س. العلوي".to_owned(),
        document_kind: "contract".to_owned(),
        register_state: pb::RegisterEntryState::Sealed as i32,
        ..Default::default()
    }
}

#[tokio::test]
async fn pages_are_in_the_person_s_language_and_direction() {
    let edge = Edge::start().await;
    for (path, cookie, accept, tag, direction) in [
        ("/", None, None, "ar", "rtl"),
        ("/", None, Some("fr"), "fr", "ltr"),
        ("/?lang=en", None, Some("fr"), "en", "ltr"),
        ("/", Some("wathiq-language=fr"), Some("en"), "fr", "ltr"),
        ("/?lang=ar", Some("wathiq-language=fr"), None, "ar", "rtl"),
        ("/nowhere?lang=fr", None, None, "fr", "ltr"),
        ("/?lang=xx", None, Some("en"), "en", "ltr"),
    ] {
        let mut built = request("GET", path);
        built = cookie
            .into_iter()
            .fold(built, |built, value| built.header(header::COOKIE, value));
        built = accept
            .into_iter()
            .fold(built, |built, value| built.header(header::ACCEPT_LANGUAGE, value));
        let reply = edge.send(built.body(Body::empty()).unwrap()).await;
        let page = reply.text();
        assert!(
            page.contains(&format!("<html lang=\"{tag}\" dir=\"{direction}\">")),
            "{path} {cookie:?} {accept:?}"
        );
        assert_eq!(
            reply.headers.contains_key(header::SET_COOKIE),
            path.contains("lang=") && !path.contains("xx")
        );
    }
}

#[tokio::test]
async fn every_page_works_without_script_or_inline_style() {
    let edge = Edge::start().await;
    edge.stub.answers(VERIFY_CODE, &pb::VerifyCodeResponse::default());
    edge.stub.answers(GET_LINK, &pb::GetLinkResponse::default());
    for path in [
        "/", "/verify", "/v/ABCD", "/sign-in", "/d/token", "/docs", "/nowhere",
    ] {
        let page = edge.get(path).await.text();
        for forbidden in [
            "<script",
            " style=",
            "<style",
            "javascript:",
            " onclick",
            "http://",
            "https://",
        ] {
            assert!(!page.contains(forbidden), "{path} has {forbidden}");
        }
        assert!(
            page.contains("<main id=\"main\"") && page.contains("href=\"#main\""),
            "{path}"
        );
        assert!(
            !page.contains("site.") && !page.contains("{{"),
            "{path} shows a key"
        );
    }
    let page = edge.get("/").await.text();
    let start = page.find("/assets/").unwrap();
    let address = page[start..].split('"').next().unwrap().to_owned();
    let stylesheet = edge.get(&address).await;
    assert_eq!(
        (stylesheet.status, stylesheet.header("content-type")),
        (StatusCode::OK, "text/css; charset=utf-8")
    );
    assert!(stylesheet.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn the_result_behind_the_qr() {
    let edge = Edge::start().await;
    let passed = pb::VerifyCodeResponse {
        legalisation: Some(facts()),
        signatures: Vec::new(),
        indication: pb::Indication::TotalPassed as i32,
        issued: pb::IssuedState::AsIssued as i32,
        issued_document: None,
    };
    edge.stub.answers(VERIFY_CODE, &passed);
    let french = edge.get("/v/ABCD-2345-WXYZ?lang=fr").await;
    let page = french.text();
    assert_eq!(french.status, StatusCode::OK);
    assert!(
        page.contains("outcome good") && page.contains("17/2026") && page.contains("ABCD-2345-WXYZ"),
        "{page}"
    );
    assert!(
        page.contains("Annexe") && page.contains("S. Alaoui") && page.contains("Officier &#60;b&#62;"),
        "{page}"
    );
    let arabic = edge.get("/v/ABCD-2345-WXYZ?lang=ar").await.text();
    assert!(arabic.contains("ملحقة") && arabic.contains("س. العلوي"));
    let annulled = pb::LegalisationFacts {
        register_state: pb::RegisterEntryState::Annulled as i32,
        ..facts()
    };
    edge.stub.answers(
        VERIFY_CODE,
        &pb::VerifyCodeResponse {
            legalisation: Some(annulled),
            ..passed
        },
    );
    assert!(edge.get("/v/ABCD").await.text().contains("outcome bad"));
    let withdrawn = pb::VerifyCodeResponse {
        issued: pb::IssuedState::Withdrawn as i32,
        legalisation: Some(facts()),
        indication: pb::Indication::TotalPassed as i32,
        ..Default::default()
    };
    edge.stub.answers(VERIFY_CODE, &withdrawn);
    let page = edge.get("/v/ABCD?lang=en").await.text();
    assert!(
        page.contains("outcome bad") && page.contains("has been annulled"),
        "{page}"
    );
}

#[tokio::test]
async fn an_unknown_code_brings_the_form_back() {
    let edge = Edge::start().await;
    edge.stub.refuses(VERIFY_CODE, Status::not_found("no such code"));
    let reply = edge.get("/v/%22%3E%3Cscript%3E?lang=fr").await;
    let page = reply.text();
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(
        page.contains("role=\"alert\"") && page.contains("href=\"#code\"") && page.contains("aria-invalid")
    );
    assert!(!page.contains("<script"), "the code is not escaped: {page}");
    edge.stub.refuses(VERIFY_CODE, Status::unavailable("down"));
    assert_eq!(edge.get("/v/ABCD").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let typed = edge.get("/verify?code=abcd%202345").await;
    assert_eq!(
        (typed.status, typed.header("location")),
        (StatusCode::SEE_OTHER, "/v/abcd%202345")
    );
    assert_eq!(edge.get("/verify?code=+").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_file_is_verified_by_a_form() {
    let edge = Edge::start().await;
    let answer = pb::VerifyFileResponse {
        indication: pb::Indication::TotalPassed as i32,
        issued: pb::IssuedState::Altered as i32,
        legalisation: Some(facts()),
        sha256: vec![0xcd; 32],
        ..Default::default()
    };
    edge.stub.answers(VERIFY_FILE, &answer);
    let body =
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF\r\n--x--\r\n";
    let send = async |origin: &str, body: &str| {
        let request = request("POST", "/verify?lang=en")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
        edge.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    };
    let reply = send(ORIGIN, body).await;
    assert!(reply.text().contains("outcome bad") && reply.text().contains(&"cd".repeat(32)));
    let none = send(ORIGIN, "--x--\r\n").await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    assert!(none.text().contains("href=\"#file\"") && none.text().contains("Choose a file"));
    assert_eq!(
        send("https://evil.test", body).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn the_result_for_a_document_that_an_office_issued() {
    let edge = Edge::start().await;
    let document = pb::IssuedDocumentFacts {
        verification_code: "ABCD2345WXYZ".to_owned(),
        title_fr: "Extrait d’acte de naissance <1>".to_owned(),
        office_name_fr: "Bureau d’Agdal".to_owned(),
        document_sha256: vec![0xab; 32],
        ..Default::default()
    };
    let answer = pb::VerifyCodeResponse {
        indication: pb::Indication::TotalPassed as i32,
        issued: pb::IssuedState::AsIssued as i32,
        issued_document: Some(document),
        ..Default::default()
    };
    edge.stub.answers(VERIFY_CODE, &answer);
    let page = edge.get("/v/ABCD2345WXYZ?lang=fr").await.text();
    for expected in [
        "outcome good",
        "naissance &#60;1&#62;",
        "Agdal",
        "ABCD-2345-WXYZ",
        &"ab".repeat(32),
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
}

#[tokio::test]
async fn signing_in_with_both_factors() {
    let edge = Edge::start().await;
    let challenge = identity::SecondFactorChallenge {
        challenge: "step".to_owned(),
        expire_time: None,
    };
    let result = Some(identity::sign_in_response::Result::Challenge(challenge));
    edge.stub.answers(SIGN_IN, &identity::SignInResponse { result });
    let second = form(
        &edge,
        "/sign-in",
        "login=a%40example.org&password=p&next=%2Faccount",
    )
    .await;
    assert!(
        second.text().contains("name=\"challenge\" value=\"step\"")
            && second.text().contains("one-time-code")
    );
    let grant = identity::SessionGrant {
        session_id: "s".to_owned(),
        session_secret: "fresh-secret".to_owned(),
        expire_time: None,
    };
    edge.stub
        .answers(SECOND, &identity::CompleteSignInResponse { session: Some(grant) });
    let done = form(
        &edge,
        "/sign-in/second-factor",
        "challenge=step&code=123+456&next=%2Faccount",
    )
    .await;
    assert_eq!(
        (done.status, done.header("location")),
        (StatusCode::SEE_OTHER, "/account")
    );
    assert!(
        done.header("set-cookie")
            .starts_with("__Host-wathiq-session=fresh-secret; Path=/; Secure; HttpOnly")
    );
    let asked: identity::CompleteSignInRequest = edge.stub.calls(SECOND)[0].message();
    assert_eq!(
        (asked.challenge.as_str(), asked.code.as_str()),
        ("step", "123456")
    );
}

#[tokio::test]
async fn a_wrong_password_is_said_in_the_form() {
    let edge = Edge::start().await;
    let wrong = wathiq_chassis::status::unauthenticated(IDENTITY, "CREDENTIALS_WRONG", "wrong");
    edge.stub.refuses(SIGN_IN, wrong);
    let reply = form(
        &edge,
        "/sign-in?lang=fr",
        "login=a%40example.org&password=wrong-one",
    )
    .await;
    let page = reply.text();
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(
        page.contains("role=\"alert\"") && page.contains("mot de passe est incorrect"),
        "{page}"
    );
    assert!(page.contains("value=\"a@example.org\"") && !page.contains("wrong-one"));
    assert_eq!(page.matches("aria-invalid").count(), 2);
    // What was entered may be right: only the time is wrong.
    let later = wathiq_chassis::status::resource_exhausted(
        IDENTITY,
        "TOO_MANY_ATTEMPTS",
        std::time::Duration::from_secs(60),
        "later",
    );
    edge.stub.refuses(SIGN_IN, later);
    let page = form(&edge, "/sign-in?lang=fr", "login=a%40example.org&password=right").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let page = page.text();
    assert!(
        page.contains("role=\"alert\"") && !page.contains("aria-invalid") && !page.contains("field wrong")
    );
}

#[tokio::test]
async fn the_account_page_needs_a_session_and_shows_what_happens_next() {
    let edge = Edge::start().await;
    let away = edge.get("/account").await;
    assert_eq!(
        (away.status, away.header("location")),
        (StatusCode::SEE_OTHER, "/sign-in?next=%2Faccount")
    );
    let person = identity::Person {
        assurance: identity::AssuranceLevel::Proved as i32,
        ..Default::default()
    };
    let person = identity::GetPersonResponse { person: Some(person) };
    edge.stub
        .answers("/wathiq.identity.v1.AccountService/GetPerson", &person);
    let submitted = pb::LegalisationRequest {
        legalisation_request_id: "r1".to_owned(),
        state: pb::LegalisationState::Submitted as i32,
        receipt: Some(pb::Receipt {
            number: "R-1".to_owned(),
            submit_time: None,
            expected_date: Some(wathiq_proto::google::r#type::Date {
                year: 2026,
                month: 11,
                day: 25,
            }),
        }),
        ..Default::default()
    };
    let file = |revision, size_bytes| pb::SealedFile {
        kind: pb::SealedFileKind::Document as i32,
        revision,
        size_bytes,
        sha256: Vec::new(),
    };
    let sealed = pb::LegalisationRequest {
        legalisation_request_id: "r2".to_owned(),
        state: pb::LegalisationState::Delivered as i32,
        files: vec![file(1, 1000), file(2, 3_355_443)],
        ..Default::default()
    };
    let list = pb::ListLegalisationRequestsResponse {
        legalisation_requests: vec![submitted, sealed],
        next_page_token: String::new(),
    };
    edge.stub.answers(
        "/wathiq.signature.v1.LegalisationService/ListLegalisationRequests",
        &list,
    );
    let request = request("GET", "/account?lang=en").header(header::COOKIE, COOKIE);
    let page = edge.send(request.body(Body::empty()).unwrap()).await.text();
    assert!(page.contains("Expect the answer by 25/11/2026."), "{page}");
    assert_eq!(page.matches("/account/files/r2/document").count(), 1);
    assert!(
        page.contains("3.2 MB") && !page.contains("/account/files/r1"),
        "{page}"
    );
}

#[tokio::test]
async fn a_link_shows_before_it_downloads() {
    let edge = Edge::start().await;
    let file = pb::SealedFile {
        kind: pb::SealedFileKind::Document as i32,
        revision: 1,
        size_bytes: 1536,
        sha256: vec![1; 32],
    };
    let link = pb::GetLinkResponse {
        legalisation: Some(facts()),
        files: vec![file],
        expire_time: None,
    };
    edge.stub.answers(GET_LINK, &link);
    let page = edge.get("/d/a%2Fb?lang=fr").await;
    assert!(
        page.text().contains("href=\"/d/a%2Fb/document\"") && page.text().contains("2 Ko"),
        "{}",
        page.text()
    );
    let asked: pb::GetLinkRequest = edge.stub.calls(GET_LINK)[0].message();
    assert_eq!(asked.token, "a/b");
    edge.stub.refuses(GET_LINK, Status::not_found("too old"));
    let old = edge.get("/d/old?lang=fr").await;
    assert_eq!(old.status, StatusCode::NOT_FOUND);
    assert!(old.text().contains("Ce lien est incorrect"));
}
