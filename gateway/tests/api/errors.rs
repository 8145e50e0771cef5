//! Errors of services and of the edge as problem documents.

use axum::body::Body;
use http::{StatusCode, header};
use serde_json::{Value, json};
use tonic::{Code, Status};
use wathiq_chassis::{FieldViolation, status};

use crate::harness::{Edge, IDENTITY, KEY, Reply, request, signed_in};

const GET_PERSON: &str = "/wathiq.identity.v1.AccountService/GetPerson";

async fn me(edge: &Edge, language: &str) -> Reply {
    let request = signed_in("GET", "/v1/me").header(header::ACCEPT_LANGUAGE, language);
    edge.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_code_has_its_http_status() {
    let edge = Edge::start().await;
    for (code, expected, reason) in [
        (Code::InvalidArgument, 400, "INVALID_ARGUMENT"),
        (Code::OutOfRange, 400, "INVALID_ARGUMENT"),
        (Code::Unauthenticated, 401, "SIGN_IN_REQUIRED"),
        (Code::PermissionDenied, 403, "NOT_ALLOWED"),
        (Code::NotFound, 404, "NOT_FOUND"),
        (Code::AlreadyExists, 409, "ALREADY_EXISTS"),
        (Code::Aborted, 409, "LOST_RACE"),
        (Code::FailedPrecondition, 422, "REQUEST_STATE"),
        (Code::ResourceExhausted, 429, "RATE_LIMITED"),
        (Code::Unavailable, 503, "SERVICE_UNAVAILABLE"),
        (Code::DeadlineExceeded, 504, "TIME_OUT"),
        (Code::Internal, 500, "INTERNAL"),
        (Code::Unknown, 500, "INTERNAL"),
        (Code::Unimplemented, 500, "INTERNAL"),
        (Code::DataLoss, 500, "INTERNAL"),
        (Code::Cancelled, 500, "INTERNAL"),
    ] {
        edge.stub
            .refuses(GET_PERSON, Status::new(code, "what a service says"));
        let reply = me(&edge, "en").await;
        assert_eq!(reply.status.as_u16(), expected, "{code:?}");
        assert_eq!(reply.reason(), reason, "{code:?}");
        let problem = reply.problem();
        assert!(
            !problem["title"].as_str().unwrap().contains("status."),
            "{code:?} has no title: {problem}"
        );
        assert_eq!(
            reply.headers.contains_key(header::RETRY_AFTER),
            matches!(expected, 429 | 503),
            "{code:?}"
        );
    }
}

#[tokio::test]
async fn a_service_s_reason_fields_and_facts_are_kept() {
    let edge = Edge::start().await;
    let violations = vec![
        FieldViolation::new("name_arabic.given", "NOT_ARABIC_SCRIPT", "not in Arabic script"),
        FieldViolation::new("strokes[2].points[0].x", "OUT_OF_RANGE", "0 to 1"),
        FieldViolation::new("odd", "WHO_KNOWS", "said by a service alone"),
    ];
    edge.stub
        .refuses(GET_PERSON, status::invalid_argument(IDENTITY, violations));
    let problem = me(&edge, "fr").await.problem();
    let pointers: Vec<&Value> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["pointer"])
        .collect();
    assert_eq!(pointers, ["/name_arabic/given", "/strokes/2/points/0/x", "/odd"]);
    assert_eq!(
        problem["errors"][0]["detail"],
        "Écrivez le nom en caractères arabes."
    );
    assert_eq!(problem["errors"][2]["detail"], "said by a service alone");

    let refusal = status::failed_precondition(IDENTITY, "CODE_WRONG", "sign_up", "the code is wrong");
    edge.stub.refuses(
        GET_PERSON,
        status::with_metadata(refusal, &[("attempts_left", "2".to_owned())]),
    );
    let reply = me(&edge, "ar").await;
    let problem = reply.problem();
    assert_eq!(problem["type"], "https://wathiq.test/problems/code-wrong");
    assert_eq!(problem["detail"], "الرمز غير صحيح. راجعه وأعد المحاولة.");
    assert_eq!(problem["metadata"]["attempts_left"], "2");
    assert_eq!(
        (reply.header("content-language"), reply.status),
        ("ar", StatusCode::UNPROCESSABLE_ENTITY)
    );
    assert_eq!(
        problem["request_id"].as_str().unwrap(),
        reply.header("x-request-id")
    );
}

#[tokio::test]
async fn the_service_s_wait_becomes_retry_after() {
    let edge = Edge::start().await;
    let wait = std::time::Duration::from_secs(42);
    let exhausted = status::resource_exhausted(IDENTITY, "TRY_LATER", wait, "too often");
    edge.stub.refuses(GET_PERSON, exhausted);
    let reply = me(&edge, "en").await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (StatusCode::TOO_MANY_REQUESTS, "42")
    );
}

#[tokio::test]
async fn an_internal_error_tells_nothing() {
    let edge = Edge::start().await;
    edge.stub
        .refuses(GET_PERSON, Status::internal("password=hunter2 at 10.0.0.7"));
    let reply = me(&edge, "en").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!reply.text().contains("hunter2"), "{}", reply.text());
}

#[tokio::test]
async fn the_language_is_the_best_that_is_asked_for() {
    let edge = Edge::start().await;
    edge.stub.refuses(GET_PERSON, Status::not_found("nobody"));
    for (asked, expected) in [
        ("fr-MA, fr;q=0.9, en;q=0.8", "fr"),
        ("de, en;q=0.5, fr;q=0.4", "en"),
        ("zgh", "ar"),
        ("ar-MA", "ar"),
        ("de", "ar"),
        ("fr;q=0, en;q=0.1", "en"),
        ("", "ar"),
        (";;q=,,=", "ar"),
    ] {
        assert_eq!(
            me(&edge, asked).await.header("content-language"),
            expected,
            "{asked}"
        );
    }
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let edge = Edge::start().await;
    let good = json!({"purpose": "legalise", "hashes": ["00".repeat(32)]});
    for (body, reason, pointer) in [
        (
            json!({"purpose": "legalise", "hashes": [], "colour": 1}),
            "UNKNOWN_FIELD",
            "/colour",
        ),
        (json!({"hashes": []}), "REQUIRED", "/purpose"),
        (json!({"purpose": "other", "hashes": []}), "MALFORMED", "/purpose"),
        (
            json!({"purpose": "unrecognised", "hashes": []}),
            "MALFORMED",
            "/purpose",
        ),
        (
            json!({"purpose": "legalise", "hashes": ["00", "xy"]}),
            "MALFORMED",
            "/hashes/1",
        ),
        (
            json!({"purpose": "legalise", "hashes": "00"}),
            "MALFORMED",
            "/hashes",
        ),
    ] {
        let reply = edge.json("POST", "/v1/confirmations", &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
        let problem = reply.problem();
        assert_eq!(problem["errors"][0]["reason"], reason, "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let wrong = edge
        .json(
            "POST",
            "/v1/confirmations",
            &json!({"purpose": "other", "hashes": []}),
        )
        .await;
    assert!(
        wrong.problem()["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("`legalise`"),
        "{}",
        wrong.text()
    );
    assert!(edge.stub.work().is_empty());
    for (kind, body, status, reason) in [
        ("application/json", "{\"purpose\":", 400, "BODY_MALFORMED"),
        ("application/json", "not json", 400, "BODY_MALFORMED"),
        ("text/plain", "{}", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ] {
        let request = signed_in("POST", "/v1/confirmations").header("idempotency-key", KEY);
        let request = request
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from(body))
            .unwrap();
        let reply = edge.send(request).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (status, reason),
            "{body}"
        );
    }
    let utf8 = signed_in("POST", "/v1/confirmations")
        .header("idempotency-key", KEY)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8");
    edge.send(utf8.body(Body::from(good.to_string())).unwrap()).await;
    assert_eq!(edge.stub.work().len(), 1);
}

#[tokio::test]
async fn the_frame_s_own_refusals_are_problems() {
    let edge = Edge::start().await;
    let send = async |method: &str, path: &str, body: Body| {
        let request = signed_in(method, path)
            .header("idempotency-key", KEY)
            .header(header::CONTENT_TYPE, "application/json");
        edge.send(request.body(body).unwrap()).await
    };
    let nowhere = send("GET", "/v1/nowhere", Body::empty()).await;
    assert_eq!(
        (nowhere.status.as_u16(), nowhere.reason().as_str()),
        (404, "NO_SUCH_ADDRESS")
    );
    let method = send("DELETE", "/v1/me", Body::empty()).await;
    assert_eq!(
        (method.status.as_u16(), method.reason().as_str()),
        (405, "METHOD_NOT_ALLOWED")
    );
    assert!(method.header("allow").contains("PATCH"), "{:?}", method.headers);
    let large = send(
        "POST",
        "/v1/confirmations",
        Body::from(vec![b' '; 3 * 1024 * 1024]),
    )
    .await;
    assert_eq!(
        (large.status.as_u16(), large.reason().as_str()),
        (413, "BODY_TOO_LARGE")
    );
    let path = send("GET", "/v1/specimens/first", Body::empty()).await;
    assert_eq!((path.status.as_u16(), path.reason().as_str()), (400, "MALFORMED"));
    let query = send("GET", "/v1/sessions?page_size=many", Body::empty()).await;
    assert_eq!(query.problem()["errors"][0]["pointer"], "#query");
    let unknown = send("GET", "/v1/sessions?size=3", Body::empty()).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    let states = send(
        "GET",
        "/v1/legalisation-requests?states=draft,nowhere",
        Body::empty(),
    )
    .await;
    assert_eq!(states.problem()["errors"][0]["pointer"], "#query/states");
    let tag = signed_in("PATCH", "/v1/me")
        .header("idempotency-key", KEY)
        .header(header::IF_MATCH, "W/\"1\"");
    let tag = edge.send(tag.body(Body::empty()).unwrap()).await;
    assert_eq!(tag.problem()["errors"][0]["pointer"], "#header/If-Match");
}

#[tokio::test]
async fn every_answer_carries_the_protective_headers() {
    let edge = Edge::start().await;
    for path in [
        "/",
        "/v1/offices",
        "/v1/nowhere",
        "/nowhere",
        "/openapi.json",
        "/v1/me",
    ] {
        let reply = edge.send(request("GET", path).body(Body::empty()).unwrap()).await;
        let policy = reply.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
        assert!(
            reply.header("strict-transport-security").starts_with("max-age="),
            "{path}"
        );
        assert!(!reply.header("cache-control").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn lists_name_their_next_page() {
    use wathiq_proto::wathiq::identity::v1 as pb;
    let edge = Edge::start().await;
    let page = pb::ListOfficesResponse {
        offices: Vec::new(),
        next_page_token: "a+b/c=".to_owned(),
    };
    edge.stub
        .answers("/wathiq.identity.v1.OfficeService/ListOffices", &page);
    let reply = edge.get("/v1/offices?offering=legalisation&page_token=old").await;
    let expected = "</v1/offices?offering=legalisation&page_token=a%2Bb%2Fc%3D>; rel=\"next\"";
    assert_eq!(reply.header("link"), expected);
    assert_eq!(reply.json(), json!({"items": [], "next_page_token": "a+b/c="}));
    let asked: pb::ListOfficesRequest = edge.stub.work()[0].message();
    assert_eq!(
        (asked.page_token.as_str(), asked.offering()),
        ("old", pb::OfferedService::Legalisation)
    );
}

#[tokio::test]
async fn versions_travel_as_entity_tags() {
    use wathiq_proto::wathiq::identity::v1 as pb;
    let edge = Edge::start().await;
    let person = pb::Person {
        etag: "7".to_owned(),
        ..Default::default()
    };
    edge.stub.answers(
        GET_PERSON,
        &pb::GetPersonResponse {
            person: Some(person.clone()),
        },
    );
    let update = "/wathiq.identity.v1.AccountService/UpdatePreferences";
    edge.stub
        .answers(update, &pb::UpdatePreferencesResponse { person: Some(person) });
    assert_eq!(me(&edge, "en").await.header("etag"), "\"7\"");
    let request = signed_in("PATCH", "/v1/me")
        .header("idempotency-key", KEY)
        .header(header::IF_MATCH, "\"7\"")
        .header(header::CONTENT_TYPE, "application/json");
    let reply = edge
        .send(request.body(Body::from(r#"{"language":"fr"}"#)).unwrap())
        .await;
    assert_eq!(reply.status, StatusCode::OK);
    let asked: pb::UpdatePreferencesRequest = edge.stub.calls(update)[0].message();
    assert_eq!((asked.etag.as_str(), asked.request_id.as_str()), ("7", KEY));
    assert_eq!(
        (asked.language(), asked.delivery_preference),
        (pb::Language::Fr, 0)
    );
}
