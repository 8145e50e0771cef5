use crate::harness::Edge;
use prost_types::Timestamp;
use std::net::SocketAddr;
use tower::Service;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::signature::v1 as pb;

#[tokio::test(flavor = "multi_thread")]
async fn preview() {
    let Ok(port) = std::env::var("PREVIEW") else {
        return;
    };
    let edge = Edge::with(|s| s.http.public_url = format!("http://localhost:{port}")).await;
    let facts = pb::LegalisationFacts {
        verification_code: "7H3K9QPX2MWD".into(),
        state: 9,
        office_name_ar: "الملحقة الإدارية المدينة القديمة – أنفا".into(),
        office_name_fr: "Annexe administrative Ancienne Médina – Anfa".into(),
        register_year: 2026,
        register_number: 1042,
        seal_time: Some(Timestamp {
            seconds: 1_795_345_000,
            nanos: 0,
        }),
        officer_name: "Karim Bennani".into(),
        signer_name_latin: "S. El Alaoui".into(),
        signer_name_arabic: "س. العلوي".into(),
        document_kind: "contract".into(),
        confirmation_method: "totp".into(),
        confirm_time: Some(Timestamp {
            seconds: 1_795_340_000,
            nanos: 0,
        }),
        document_sha256: vec![0x3f; 32],
        latest_revision: 1,
        register_state: 2,
        specimen_version: 1,
    };
    let verdict = pb::SignatureVerdict {
        field_name: "Wathiq".into(),
        indication: 1,
        signer: "Karim Bennani".into(),
        issuer: "Autorité de certification".into(),
        level: "B-T".into(),
        best_time: Some(Timestamp {
            seconds: 1_795_345_000,
            nanos: 0,
        }),
        covers_whole_revision: true,
        ..Default::default()
    };
    let bad = pb::SignatureVerdict {
        indication: 3,
        sub_indication: "HASH_FAILURE".into(),
        signer: "Notaire Test".into(),
        changed: true,
        extended: true,
        ..verdict.clone()
    };
    let s = &edge.stub;
    let kinds = pb::GetCatalogueResponse {
        document_kinds: vec![pb::DocumentKind {
            code: "contract".into(),
            name_ar: "عقد".into(),
            name_fr: "Contrat".into(),
            name_en: "Contract".into(),
            ..Default::default()
        }],
        refusal_reasons: vec![],
    };
    s.answers("/wathiq.signature.v1.LegalisationService/GetCatalogue", &kinds);
    let f2 = facts.clone();
    let v2 = verdict.clone();
    s.on(
        "/wathiq.signature.v1.VerificationService/VerifyCode",
        move |call| {
            use prost::Message;
            let r: pb::VerifyCodeRequest = call.message();
            let mut facts = f2.clone();
            match r.code.as_str() {
                "UNKNOWN" => return Err(tonic::Status::not_found("x")),
                "DOWN" => return Err(tonic::Status::unavailable("x")),
                "ANNULLED" => facts.register_state = 3,
                _ => {}
            }
            let indication = if r.code == "DOUBT" { 2 } else { 1 };
            Ok(vec![
                pb::VerifyCodeResponse {
                    legalisation: Some(facts),
                    signatures: vec![v2.clone()],
                    indication,
                }
                .encode_to_vec(),
            ])
        },
    );
    s.answers(
        "/wathiq.signature.v1.VerificationService/VerifyFile",
        &pb::VerifyFileResponse {
            indication: 3,
            issued: 3,
            signatures: vec![verdict.clone(), bad],
            legalisation: Some(facts.clone()),
            sha256: vec![0xab; 32],
            ..Default::default()
        },
    );
    let file = |kind, size| pb::SealedFile {
        kind,
        revision: 1,
        size_bytes: size,
        sha256: vec![1; 32],
    };
    s.answers(
        "/wathiq.signature.v1.VerificationService/GetLink",
        &pb::GetLinkResponse {
            legalisation: Some(facts),
            files: vec![file(1, 182_000), file(2, 91_000)],
            expire_time: Some(Timestamp {
                seconds: 1_802_000_000,
                nanos: 0,
            }),
        },
    );
    let name = |g: &str, f: &str| {
        Some(identity::PersonName {
            given: g.into(),
            family: f.into(),
        })
    };
    s.answers(
        "/wathiq.identity.v1.AccountService/GetPerson",
        &identity::GetPersonResponse {
            person: Some(identity::Person {
                name_arabic: name("سلمى", "العلوي"),
                name_latin: name("Salma", "El Alaoui"),
                assurance: 2,
                ..Default::default()
            }),
        },
    );
    let date = Some(wathiq_proto::google::r#type::Date {
        year: 2026,
        month: 11,
        day: 25,
    });
    let receipt = Some(pb::Receipt {
        number: "ANF-2026-000481".into(),
        submit_time: None,
        expected_date: date,
    });
    let base = pb::LegalisationRequest {
        legalisation_request_id: "r".into(),
        document_kind: "contract".into(),
        create_time: Some(Timestamp {
            seconds: 1_795_300_000,
            nanos: 0,
        }),
        receipt,
        ..Default::default()
    };
    s.answers(
        "/wathiq.signature.v1.LegalisationService/ListLegalisationRequests",
        &pb::ListLegalisationRequestsResponse {
            legalisation_requests: vec![
                pb::LegalisationRequest {
                    state: 9,
                    files: vec![file(1, 182_000)],
                    verification_code: "7H3K9QPX2MWD".into(),
                    ..base.clone()
                },
                pb::LegalisationRequest {
                    state: 5,
                    ..base.clone()
                },
                pb::LegalisationRequest {
                    state: 10,
                    refusal: Some(pb::Refusal {
                        reason_code: "x".into(),
                        text: "La page 3 n’est pas signée.".into(),
                        refuse_time: None,
                    }),
                    ..base
                },
            ],
            next_page_token: String::new(),
        },
    );
    s.answers("/wathiq.identity.v1.SessionService/ListSessions", &identity::ListSessionsResponse { sessions: vec![
        identity::Session { session_id: "session".into(), user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36".into(), current: true, last_use_time: Some(Timestamp { seconds: 1_795_345_000, nanos: 0 }), ..Default::default() },
        identity::Session { session_id: "other".into(), user_agent: "Mozilla/5.0 (Android 15; Mobile; rv:140.0)".into(), last_use_time: Some(Timestamp { seconds: 1_795_305_000, nanos: 0 }), ..Default::default() }], next_page_token: String::new() });
    s.refuses(
        "/wathiq.identity.v1.SessionService/SignIn",
        wathiq_chassis::status::unauthenticated(crate::harness::IDENTITY, "CREDENTIALS_WRONG", "x"),
    );
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    let router = edge.router.clone();
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        let router = router.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let mut request = request.map(axum::body::Body::new);
                request
                    .extensions_mut()
                    .insert(wathiq_gateway::client_address::Peer(peer as SocketAddr));
                if request.uri().path() == "/account" {
                    request
                        .headers_mut()
                        .insert("cookie", "__Host-wathiq-session=session-secret".parse().unwrap());
                }
                let path = request.uri().path().to_owned();
                if path == "/_verify" || path == "/_sign-in" {
                    let (target, kind, body) = if path == "/_verify" {
                        (
                            "/verify",
                            "multipart/form-data; boundary=x",
                            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF\r\n--x--\r\n",
                        )
                    } else {
                        (
                            "/sign-in",
                            "application/x-www-form-urlencoded",
                            "login=salma@example.org&password=x",
                        )
                    };
                    let query = request.uri().query().unwrap_or_default().to_owned();
                    let mut post = http::Request::post(format!("{target}?{query}"))
                        .header("sec-fetch-site", "same-origin")
                        .header("content-type", kind)
                        .body(axum::body::Body::from(body))
                        .unwrap();
                    post.extensions_mut()
                        .insert(wathiq_gateway::client_address::Peer(peer as SocketAddr));
                    request = post;
                }
                router.clone().call(request)
            });
            let _ = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new())
                .serve_connection(hyper_util::rt::TokioIo::new(stream), service)
                .await;
        });
    }
}
