//! What is wrong in what people send: a clear error with its own reason, and nothing has changed.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection};
use wathiq_local::journey::api::{Api, new_key, text};
use wathiq_local::journey::{CONTRACT, legalisation, pen, people};
use wathiq_local::stack::Options;

use crate::calls::{Answer, call, keyed, receive};
use crate::files::File;
use crate::stage::{self, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let options = Options {
        environment: stage::without_limits(),
        ..Options::default()
    };
    let mut stage = stage::open(options).await.unwrap();
    files(&stage).await;
    openings(&stage).await;
    placements(&stage).await;
    repeats(&stage).await;
    confirmations(&mut stage).await;
    sign_up_codes(&stage).await;
    certificates(&mut stage).await;
}

/// What was said and what should have been, so that a failure tells of all cases.
#[derive(Default)]
struct Table(Vec<String>);

impl Table {
    fn add(&mut self, said: String, expected: &str, of: &Value) {
        if said != expected {
            self.0.push(format!("{said}, not {expected}: {of}"));
        }
    }

    #[track_caller]
    fn holds(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// Counts rows of a service's table as the superuser.
async fn count(stage: &Stage, service: &str, sql: &'static str) -> i64 {
    let mut connection = stage.stack.database(service).connect().await.unwrap();
    let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

async fn change(stage: &Stage, service: &str, sql: &'static str) {
    let mut connection = stage.stack.database(service).connect().await.unwrap();
    let changed = sqlx::query(sql)
        .execute(&mut connection)
        .await
        .unwrap()
        .rows_affected();
    assert!(changed > 0, "{sql} changes nothing");
    connection.close().await.unwrap();
}

async fn upload(api: &Api, key: &str, media_type: &str, bytes: Vec<u8>) -> Answer {
    let request = api.request(Method::POST, "/v1/documents?file_name=a.pdf");
    receive(
        request
            .header("idempotency-key", key)
            .header(CONTENT_TYPE, media_type)
            .body(bytes),
    )
    .await
}

async fn files(stage: &Stage) {
    let process = stage.stack.process("signature").unwrap().pid;
    let plain = || File::plain();
    let whole = plain().bytes();
    let page = |entries: &str| {
        plain()
            .object(
                3,
                &format!("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {entries} >>"),
            )
            .bytes()
    };
    let catalogue = |entries: &str| {
        plain()
            .object(1, &format!("<< /Type /Catalog /Pages 2 0 R {entries} >>"))
            .bytes()
    };
    let deep = format!("/Deep {}{}", "[".repeat(200), "]".repeat(200));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"Bonjour".to_vec(), "422 NOT_A_PDF"),
        (CONTRACT[..CONTRACT.len() / 2].to_vec(), "422 TRUNCATED"),
        (whole[..whole.len() - 30].to_vec(), "422 TRUNCATED"),
        (
            plain().trailer("/Encrypt << /Filter /Standard /V 4 >>").bytes(),
            "422 ENCRYPTED",
        ),
        (plain().trailer("/Prev 9").bytes(), "422 DAMAGED_CROSS_REFERENCE"),
        (
            catalogue("/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"),
            "422 SCRIPT",
        ),
        (catalogue("/AcroForm << /Fields [] /XFA [] >>"), "422 XFA"),
        (catalogue("/Collection << /View /T >>"), "422 EMBEDDED_FILE"),
        (page("/A << /S /Launch /F (calc.exe) >>"), "422 LAUNCH_ACTION"),
        (page(&deep), "422 NESTED_TOO_DEEP"),
        (
            plain()
                .object(2, "<< /Type /Pages /Kids [2 0 R] /Count 1 >>")
                .bytes(),
            "422 PAGE_TREE_CYCLE",
        ),
        (
            plain()
                .object(2, "<< /Type /Pages /Kids [3 0 R] /Count 7 >>")
                .bytes(),
            "422 PAGE_COUNT_MISMATCH",
        ),
        (plain().object(4, "<< /A 1 ]]").bytes(), "422 DAMAGED_OBJECT"),
        (plain().zeros(4, 300 << 20).bytes(), "422 TOO_LARGE_DECODED"),
        (Vec::new(), "400 INVALID_ARGUMENT /chunk FILE_EMPTY"),
        (vec![b'%'; (20 << 20) + 1], "413 FILE_TOO_LARGE"),
    ];
    let mut table = Table::default();
    for (bytes, expected) in cases {
        let answer = upload(&stage.cast.citizen_session, &new_key(), "application/pdf", bytes).await;
        table.add(answer.said(), expected, &answer.body);
    }
    table.holds();
    let answer = upload(&stage.cast.citizen_session, &new_key(), "image/png", whole).await;
    assert_eq!(answer.said(), "415 UNSUPPORTED_MEDIA_TYPE");
    assert_eq!(
        count(
            stage,
            "signature",
            "SELECT count(*) FROM document WHERE object_key IS NOT NULL"
        )
        .await,
        0
    );
    assert_eq!(
        stage.stack.process("signature").unwrap().pid,
        process,
        "the service has not ended over any of them"
    );
}

async fn openings(stage: &Stage) {
    let api = &stage.cast.citizen_session;
    let right = stage.opening().await.unwrap();
    let with = |member: &str, value: Value| {
        let mut body = right.clone();
        body[member] = value;
        body
    };
    let offices = api.get("/v1/offices?page_size=100").await.unwrap();
    let closed = offices["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|office| office["code"] == "CASA-HH-OULFA")
        .unwrap();
    let unknown = json!("01a20000-0000-7000-8000-000000000000");
    let enrolled = json!({"kind": "enrolled_administration", "administration_id": unknown, "name": null});
    let cases = [
        (
            with("office_id", unknown.clone()),
            "400 INVALID_ARGUMENT /office_id OFFICE_UNKNOWN",
        ),
        (
            with("office_id", json!("annexe")),
            "400 INVALID_ARGUMENT /office_id MALFORMED",
        ),
        (
            with("office_id", closed["office_id"].clone()),
            "422 OFFICE_NOT_OPEN",
        ),
        (with("document_id", unknown.clone()), "404 DOCUMENT_NOT_FOUND"),
        (
            with("document_kind", json!("letter")),
            "400 INVALID_ARGUMENT /document_kind DOCUMENT_KIND_UNKNOWN",
        ),
        (
            with("document_kind", json!("procuration")),
            "400 INVALID_ARGUMENT /mandatary REQUIRED",
        ),
        (
            with("document_kind", json!("procuration_real_estate")),
            "422 REAL_ESTATE_PROCURATION",
        ),
        (
            with("capacity", json!("organisation")),
            "422 ORGANISATIONS_NOT_ENROLLED",
        ),
        (
            with("capacity", json!("nobody")),
            "400 INVALID_ARGUMENT /capacity MALFORMED",
        ),
        (
            with("destination", enrolled),
            "400 INVALID_ARGUMENT /destination/administration_id ADMINISTRATION_UNKNOWN",
        ),
        (
            with("surprise", json!(1)),
            "400 INVALID_ARGUMENT /surprise UNKNOWN_FIELD",
        ),
        (json!({}), "400 INVALID_ARGUMENT /document_id REQUIRED"),
    ];
    let mut table = Table::default();
    for (body, expected) in cases {
        let answer = call(api, Method::POST, "/v1/legalisation-requests", Some(&body)).await;
        table.add(answer.said(), expected, &body);
    }
    table.holds();
    assert_eq!(
        api.get("/v1/legalisation-requests").await.unwrap()["items"],
        json!([])
    );
}

async fn placements(stage: &Stage) {
    let api = &stage.cast.citizen_session;
    let id = stage.draft().await.unwrap();
    let path = format!("/v1/legalisation-requests/{id}/placement");
    let before = stage.request(&id).await.unwrap();
    let drawn = || pen::drawn(&pen::signature(0.3));
    let at = |page: i64, x: f64, y: f64, width: f64, height: f64| json!({"page_number": page, "rectangle": {"x": x, "y": y, "width": width, "height": height}, "drawn": drawn()});
    let mut both = at(1, 100.0, 100.0, 100.0, 40.0);
    both["standing"] = json!(true);
    let mut neither = at(1, 100.0, 100.0, 100.0, 40.0);
    neither.as_object_mut().unwrap().remove("drawn");
    let cases = [
        (
            at(1, 500.0, 100.0, 200.0, 60.0),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_OUTSIDE_PAGE",
        ),
        (
            at(1, -1.0, 100.0, 200.0, 60.0),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_OUTSIDE_PAGE",
        ),
        (
            at(1, 100.0, 100.0, 5.0, 5.0),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_TOO_SMALL",
        ),
        (
            at(1, 10.0, 10.0, 500.0, 800.0),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_TOO_LARGE",
        ),
        (
            at(99, 100.0, 100.0, 200.0, 60.0),
            "400 INVALID_ARGUMENT /placement/page_number PAGE_UNKNOWN",
        ),
        (
            at(0, 100.0, 100.0, 200.0, 60.0),
            "400 INVALID_ARGUMENT /placement/page_number PAGE_UNKNOWN",
        ),
        (
            at(1, 1e300, 1e300, 1e300, 1e300),
            "400 INVALID_ARGUMENT /placement/rectangle RECTANGLE_MALFORMED",
        ),
        (both, "400 INVALID_ARGUMENT /drawn ONE_MARK"),
        (neither, "400 INVALID_ARGUMENT /drawn ONE_MARK"),
    ];
    let mut table = Table::default();
    for (body, expected) in cases {
        let answer = call(api, Method::PUT, &path, Some(&body)).await;
        table.add(answer.said(), expected, &body["rectangle"]);
    }
    table.holds();
    let stale = api
        .request(Method::PUT, &path)
        .header("idempotency-key", new_key())
        .header("if-match", "\"7\"");
    assert_eq!(
        receive(stale.json(&at(1, 100.0, 100.0, 100.0, 40.0)))
            .await
            .said(),
        "409 REQUEST_CHANGED"
    );
    assert_eq!(stage.request(&id).await.unwrap(), before);
}

async fn repeats(stage: &Stage) {
    let api = &stage.cast.citizen_session;
    let body = stage.opening().await.unwrap();
    let path = "/v1/legalisation-requests";
    let without = receive(api.request(Method::POST, path).json(&body)).await;
    assert_eq!(
        without.said(),
        "400 INVALID_ARGUMENT #header/Idempotency-Key IDEMPOTENCY_KEY_MISSING"
    );
    let malformed = keyed(api, Method::POST, path, "once", Some(&body)).await;
    assert_eq!(
        malformed.said(),
        "400 INVALID_ARGUMENT #header/Idempotency-Key MALFORMED"
    );

    let key = new_key();
    let first = keyed(api, Method::POST, path, &key, Some(&body)).await;
    assert_eq!(first.said(), "201");
    assert_eq!(keyed(api, Method::POST, path, &key, Some(&body)).await, first);
    let mut changed = body.clone();
    changed["destination"]["name"] = json!("Une autre société");
    let id = text(&first.body, "/legalisation_request_id").unwrap();
    let before = stage.request(id).await.unwrap();
    assert_eq!(
        keyed(api, Method::POST, path, &key, Some(&changed)).await.said(),
        "409 REQUEST_ID_REUSED"
    );
    assert_eq!(stage.request(id).await.unwrap(), before);

    let key = new_key();
    let first = upload(api, &key, "application/pdf", CONTRACT.to_vec()).await;
    assert_eq!(
        upload(api, &key, "application/pdf", CONTRACT.to_vec()).await,
        first
    );
    let other = upload(api, &key, "application/pdf", File::plain().bytes()).await;
    assert_eq!(other.said(), "409 REQUEST_ID_REUSED");
}

async fn confirmations(stage: &mut Stage) {
    let (first, second) = {
        let session = stage.cast.citizen_session.clone();
        (
            stage.placed(&session).await.unwrap(),
            stage.placed(&session).await.unwrap(),
        )
    };
    let before = stage.request(&first).await.unwrap();
    let api = stage.cast.citizen_session.clone();
    let subject = api
        .get(&format!("/v1/legalisation-requests/{first}/confirmation-subject"))
        .await
        .unwrap();
    let open = async |purpose: &str, hashes: Value| {
        call(
            &api,
            Method::POST,
            "/v1/confirmations",
            Some(&json!({"purpose": purpose, "hashes": hashes})),
        )
        .await
    };
    let give = async |id: &str, code: &str| {
        call(
            &api,
            Method::POST,
            &format!("/v1/confirmations/{id}/totp"),
            Some(&json!({"code": code})),
        )
        .await
        .said()
    };
    let confirm = async |request: &str, confirmation: &str| {
        let body = json!({"confirmation_id": confirmation});
        call(
            &api,
            Method::POST,
            &format!("/v1/legalisation-requests/{request}/confirm"),
            Some(&body),
        )
        .await
        .said()
    };
    let opened = async || {
        let answer = open("legalise", json!([subject["hash"]])).await;
        text(&answer.body, "/confirmation_id").unwrap().to_owned()
    };
    assert_eq!(
        open("seal", json!([subject["hash"]])).await.said(),
        "403 WRONG_SURFACE"
    );
    assert_eq!(
        open("legalise", json!([])).await.said(),
        "400 INVALID_ARGUMENT /hashes OUT_OF_RANGE"
    );
    assert_eq!(
        open("legalise", json!(["00"])).await.said(),
        "400 INVALID_ARGUMENT /hashes/0 MALFORMED"
    );

    // A wrong code, again and again, until the confirmation is barred.
    stage.codes_again().await.unwrap();
    let right = stage.cast.citizen.authenticator.code().await;
    let wrong = format!("{:06}", (right.parse::<u32>().unwrap() + 500_000) % 1_000_000);
    let barred = opened().await;
    let mut said = Vec::new();
    for _ in 0..6 {
        said.push(give(&barred, &wrong).await);
    }
    let mut expected = vec!["403 SECOND_FACTOR_WRONG"; 4];
    expected.extend(["422 CONFIRMATION_BARRED"; 2]);
    assert_eq!(said, expected);
    assert_eq!(
        give(&barred, &right).await,
        "422 CONFIRMATION_BARRED",
        "the right one comes too late"
    );
    assert_eq!(confirm(&first, &barred).await, "422 CONFIRMATION_BARRED");

    // A code that was used, a confirmation that is late, not given, of another hash, unknown.
    let given = opened().await;
    assert_eq!(confirm(&first, &given).await, "422 CONFIRMATION_NOT_GIVEN");
    assert_eq!(give(&given, &right).await, "200");
    let late = opened().await;
    assert_eq!(give(&late, &right).await, "403 SECOND_FACTOR_USED");
    change(
        stage,
        "identity",
        "UPDATE confirmation SET expires_at = now() - interval '1 second' WHERE state = 'open'",
    )
    .await;
    let fresh = stage.cast.citizen.authenticator.code().await;
    assert_eq!(give(&late, &fresh).await, "422 CONFIRMATION_EXPIRED");
    assert_eq!(confirm(&second, &given).await, "422 CONFIRMATION_MISMATCH");
    assert_eq!(confirm(&first, &new_key()).await, "404 CONFIRMATION_NOT_FOUND");
    assert_eq!(
        stage.request(&first).await.unwrap(),
        before,
        "nothing of this has changed the request"
    );

    // What is right still counts, once.
    assert_eq!(confirm(&first, &given).await, "200");
    assert_eq!(confirm(&first, &given).await, "422 REQUEST_STATE");
    assert_eq!(stage.request(&second).await.unwrap()["state"], "signature_placed");
}

async fn sign_up_codes(stage: &Stage) {
    let anyone = &stage.cast.anyone;
    let person = people::citizen();
    let name = |[given, family]: [&str; 2]| json!({"given": given, "family": family});
    let body = json!({
        "name_latin": name(person.name_latin), "name_arabic": name(person.name_arabic), "birth_date": person.birth_date,
        "identity_document": {"kind": "cin", "number": person.cin}, "email": person.email, "phone": person.phone,
        "language": "fr", "password": person.password,
    });
    let opened = call(anyone, Method::POST, "/v1/sign-ups", Some(&body)).await;
    let path = format!(
        "/v1/sign-ups/{}/contact-proofs",
        text(&opened.body, "/sign_up_id").unwrap()
    );
    let prove = async |channel: &str, code: &str| {
        call(
            anyone,
            Method::POST,
            &path,
            Some(&json!({"channel": channel, "code": code})),
        )
        .await
        .said()
    };
    let right = stage.cast.inbox.mailed_code(&person.email, None).await.unwrap();
    let wrong = format!("{:06}", (right.parse::<u32>().unwrap() + 1) % 1_000_000);
    assert_eq!(prove("email", &wrong).await, "422 CODE_WRONG");
    assert_eq!(prove("email", "12").await, "400 INVALID_ARGUMENT /code MALFORMED");
    assert_eq!(prove("email", &right).await, "200");
    assert_eq!(prove("email", &right).await, "422 CONTACT_ALREADY_PROVED");
    let texted = stage.cast.inbox.texted_code(&person.phone, None).await.unwrap();
    change(
        stage,
        "identity",
        "UPDATE one_time_code SET expires_at = now() - interval '1 second' WHERE purpose = 'sign_up_phone' AND NOT used",
    )
    .await;
    assert_eq!(prove("phone", &texted).await, "422 CODE_EXPIRED");
    let body =
        json!({"login": person.email, "password": person.password, "surface": "citizen", "cookie": false});
    let signed_in = call(anyone, Method::POST, "/v1/sessions", Some(&body)).await;
    assert_eq!(
        signed_in.said(),
        "401 CREDENTIALS_WRONG",
        "there is no account before both contacts are proved"
    );
}

async fn certificates(stage: &mut Stage) {
    // Of officers: one that has expired is not registered, one that expires later authorises nothing.
    let head = stage.administrator().await.unwrap();
    let office = stage.cast.office.office_id.clone();
    let members = head
        .get(&format!("/v1/offices/{office}/memberships"))
        .await
        .unwrap();
    let officer = members["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["role"] == "officer")
        .unwrap();
    let tokens = &stage.stack.description.softhsm.tokens;
    let token = tokens.iter().find(|token| token.standing == "expired").unwrap();
    let chain = [&token.certificate, &stage.stack.description.trust.issuing]
        .map(|path| std::fs::read_to_string(path).unwrap())
        .concat();
    let body = json!({
        "officer_person_id": officer["person_id"], "token_label": token.label, "key_label": token.key_label,
        "certificate_chain_pem": chain,
    });
    let path = format!("/v1/offices/{office}/credentials");
    assert_eq!(
        call(&head, Method::POST, &path, Some(&body)).await.said(),
        "422 CREDENTIAL_EXPIRED"
    );
    let known = head.get(&path).await.unwrap();
    assert_eq!(known["items"].as_array().map(Vec::len), Some(1));

    let id = stage.accepted().await.unwrap();
    let session = stage.cast.officer_session.clone();
    assert_eq!(
        call(
            &session,
            Method::PUT,
            &format!("/v1/office/requests/{id}/claim"),
            None
        )
        .await
        .said(),
        "200"
    );
    let authorise = json!({"legalisation_request_ids": [id], "credential_id": null});
    let before = stage.request(&id).await.unwrap();
    change(
        stage,
        "signature",
        "UPDATE signing_credential SET not_after = now() - interval '1 second'",
    )
    .await;
    let answer = call(
        &session,
        Method::POST,
        "/v1/office/seal-intents",
        Some(&authorise),
    )
    .await;
    assert_eq!(answer.said(), "422 CREDENTIAL_EXPIRED");
    assert_eq!(stage.request(&id).await.unwrap(), before);
    assert_eq!(
        stage.register().await.unwrap(),
        Vec::<Value>::new(),
        "no register number is taken"
    );
    change(
        stage,
        "signature",
        "UPDATE signing_credential SET not_after = now() + interval '1 year'",
    )
    .await;
    let intents = legalisation::authorise(&session, &[&id]).await.unwrap();
    let sealed = stage.seal(&intents).await.unwrap();
    assert_eq!(sealed[0]["state"], "delivered");
}
