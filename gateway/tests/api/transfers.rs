//! Files on their way in and out.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use chrono::TimeDelta;
use futures::StreamExt;
use futures::stream;
use http::{StatusCode, header};
use prost::Message;
use tonic::Status;
use wathiq_proto::wathiq::identity::v1 as identity;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{Edge, KEY, Reply, signed_in};
use crate::stub::EXCHANGE;

const UPLOAD: &str = "/wathiq.signature.v1.DocumentService/UploadDocument";
const DOWNLOAD: &str = "/wathiq.signature.v1.DocumentService/DownloadDocument";
const VERIFY: &str = "/wathiq.signature.v1.VerificationService/VerifyFile";
/// Not a multiple of the segments that the gateway fetches.
const SIZE: usize = 2_500_000;

fn file() -> Vec<u8> {
    (0..SIZE)
        .map(|index| u8::try_from(index % 251).unwrap())
        .collect()
}

fn accepted() -> pb::UploadDocumentResponse {
    let document = pb::Document {
        document_id: "d".to_owned(),
        state: pb::DocumentState::Accepted as i32,
        ..Default::default()
    };
    pb::UploadDocumentResponse {
        document: Some(document),
    }
}

fn parts(messages: &[Bytes]) -> (pb::UploadHeader, Vec<Vec<u8>>) {
    use pb::upload_document_request::Part;
    let mut decoded = messages
        .iter()
        .map(|message| pb::UploadDocumentRequest::decode(message.clone()).unwrap().part);
    let Some(Some(Part::Header(header))) = decoded.next() else {
        panic!("the header comes first")
    };
    let chunks = decoded.map(|part| match part {
        Some(Part::Chunk(chunk)) => chunk,
        other => panic!("a chunk was expected, not {other:?}"),
    });
    (header, chunks.collect())
}

fn upload(path: &str, kind: &str) -> http::request::Builder {
    signed_in("POST", path)
        .header("idempotency-key", KEY)
        .header(header::CONTENT_TYPE, kind)
}

#[tokio::test]
async fn an_upload_is_passed_on_in_small_chunks() {
    let edge = Edge::start().await;
    edge.stub.answers(UPLOAD, &accepted());
    let request = upload("/v1/documents", "application/pdf")
        .header(
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"a.pdf\"; filename*=UTF-8''%D8%B9%D9%82%D8%AF.pdf",
        )
        .header(header::CONTENT_LENGTH, SIZE);
    let reply = edge.send(request.body(Body::from(file())).unwrap()).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    assert_eq!(reply.json()["document_id"], "d");
    let call = edge.stub.calls(UPLOAD).remove(0);
    let (header, chunks) = parts(&call.messages);
    assert_eq!(
        (header.file_name.as_str(), header.request_id.as_str()),
        ("عقد.pdf", KEY)
    );
    assert_eq!(header.length, SIZE as u64);
    assert!(chunks.iter().all(|chunk| chunk.len() <= 256 * 1024));
    assert_eq!(chunks.concat(), file());
}

/// What a call is given, in milliseconds.
fn given(edge: &Edge, path: &str) -> u64 {
    let call = edge.stub.calls(path).remove(0);
    let text = call.headers["grpc-timeout"].to_str().unwrap().to_owned();
    text.strip_suffix('m').unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_file_has_minutes_and_other_calls_have_not() {
    let edge = Edge::start().await;
    for path in ["/v1/documents", "/v1/verification"] {
        let request = upload(path, "application/pdf").body(Body::from("%PDF"));
        edge.send(request.unwrap()).await;
    }
    edge.get("/v1/offices").await;
    for path in [UPLOAD, VERIFY] {
        assert!((800_000..=900_000).contains(&given(&edge, path)), "{path}");
    }
    assert!(given(&edge, "/wathiq.identity.v1.OfficeService/ListOffices") <= 55_000);
}

#[tokio::test]
async fn a_form_s_file_is_taken_too() {
    let edge = Edge::start().await;
    edge.stub.answers(UPLOAD, &accepted());
    let mut body = b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.pdf\"\r\nContent-Type: application/pdf\r\n\r\n".to_vec();
    body.extend(file());
    body.extend(b"\r\n--x--\r\n");
    let request = upload("/v1/documents", "multipart/form-data; boundary=x");
    let reply = edge.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    let (header, chunks) = parts(&edge.stub.calls(UPLOAD)[0].messages);
    assert_eq!(header.file_name, "b.pdf");
    assert_eq!(chunks.concat(), file());
    let empty = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";
    let request = upload("/v1/documents", "multipart/form-data; boundary=x");
    let reply = edge.send(request.body(Body::from(empty)).unwrap()).await;
    assert_eq!(reply.problem()["errors"][0]["reason"], "FILE_MISSING");
}

#[tokio::test]
async fn half_a_file_is_never_taken_for_a_whole_one() {
    let edge = Edge::start().await;
    edge.stub.answers(UPLOAD, &accepted());
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let pieces = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let request = upload("/v1/documents", "application/pdf")
        .body(Body::from_stream(pieces))
        .unwrap();
    let breaking = async {
        sender.send(Ok(Bytes::from(vec![1; 100_000]))).await.unwrap();
        edge.until(|stub| stub.has_begun(UPLOAD)).await;
        sender
            .send(Err(std::io::Error::other("the line broke")))
            .await
            .unwrap();
    };
    let (reply, ()) = tokio::join!(edge.send(request), breaking);
    assert_eq!(
        (reply.status, reply.reason().as_str()),
        (StatusCode::BAD_REQUEST, "BODY_UNREADABLE")
    );
    edge.until(|stub| !stub.calls(UPLOAD).is_empty()).await;
    assert!(
        edge.stub.calls(UPLOAD).iter().all(|call| !call.whole),
        "the service saw a proper end"
    );
}

#[tokio::test]
async fn too_large_a_file_is_refused_with_and_without_a_declared_length() {
    let edge = Edge::start().await;
    edge.stub.answers(UPLOAD, &accepted());
    let limit = 20 * 1024 * 1024;
    let declared = upload("/v1/documents", "application/pdf").header(header::CONTENT_LENGTH, limit + 1);
    let reply = edge.send(declared.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (reply.status, reply.reason().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "FILE_TOO_LARGE")
    );
    assert!(edge.stub.calls(UPLOAD).is_empty());
    let pieces =
        stream::iter(0..=limit / 65_536).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[7; 65_536])));
    let request = upload("/v1/documents", "application/pdf")
        .body(Body::from_stream(pieces))
        .unwrap();
    let reply = edge.send(request).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reply.problem()["metadata"]["limit_bytes"], limit.to_string());
}

#[tokio::test]
async fn a_refused_file_is_a_problem_with_its_reason() {
    let edge = Edge::start().await;
    let refusal = pb::IntakeRefusal {
        reason: "SCRIPT".to_owned(),
        object_number: 12,
        detail: "JavaScript action".to_owned(),
    };
    let document = pb::Document {
        document_id: "d".to_owned(),
        refusal: Some(refusal),
        ..Default::default()
    };
    edge.stub.answers(
        UPLOAD,
        &pb::UploadDocumentResponse {
            document: Some(document),
        },
    );
    let reply = edge
        .send(
            upload("/v1/documents", "application/pdf")
                .body(Body::from("%PDF-"))
                .unwrap(),
        )
        .await;
    assert_eq!(
        (reply.status, reply.reason().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "SCRIPT")
    );
    let problem = reply.problem();
    assert_eq!(problem["metadata"]["document_id"], "d");
    assert_eq!(problem["metadata"]["object_number"], "12");
    assert!(problem["detail"].as_str().unwrap().contains("JavaScript"));
}

#[tokio::test]
async fn the_service_may_answer_before_the_file_has_been_sent() {
    let edge = Edge::start().await;
    edge.stub.refuses(VERIFY, Status::unavailable("no worker"));
    let request = upload("/v1/verification", "application/pdf")
        .body(Body::from(file()))
        .unwrap();
    assert_eq!(edge.send(request).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let text = upload("/v1/verification", "text/plain")
        .body(Body::from("x"))
        .unwrap();
    assert_eq!(edge.send(text).await.reason(), "UNSUPPORTED_MEDIA_TYPE");
}

fn offer_file(edge: &Edge) {
    edge.stub.on(DOWNLOAD, |call| {
        let request: pb::DownloadDocumentRequest = call.message();
        let whole = file();
        let start = usize::try_from(request.offset).unwrap();
        let length = usize::try_from(request.length).unwrap();
        let end = if length == 0 {
            SIZE
        } else {
            (start + length).min(SIZE)
        };
        let pieces = whole[start..end]
            .chunks(100_000)
            .enumerate()
            .map(|(index, chunk)| {
                let first = index == 0;
                pb::DownloadDocumentResponse {
                    chunk: chunk.to_vec(),
                    total_bytes: if first { SIZE as u64 } else { 0 },
                    sha256: if first { vec![0xab; 32] } else { Vec::new() },
                    file_name: if first {
                        "عقد 1.pdf".to_owned()
                    } else {
                        String::new()
                    },
                }
            });
        Ok(pieces.map(|piece| piece.encode_to_vec()).collect())
    });
}

async fn fetch(edge: &Edge, method: &str, headers: &[(&str, &str)]) -> Reply {
    let built = headers.iter().fold(
        signed_in(method, "/v1/documents/d/content"),
        |built, (name, value)| built.header(*name, *value),
    );
    edge.send(built.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_download_is_whole_and_resumable() {
    let edge = Edge::start().await;
    offer_file(&edge);
    let tag = format!("\"{}\"", "ab".repeat(32));
    let reply = fetch(&edge, "GET", &[]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.whole && reply.body == file());
    assert_eq!(reply.header("content-length"), SIZE.to_string());
    assert_eq!(
        (reply.header("accept-ranges"), reply.header("etag")),
        ("bytes", tag.as_str())
    );
    assert!(
        reply
            .header("content-disposition")
            .ends_with("filename*=UTF-8''%D8%B9%D9%82%D8%AF%201.pdf")
    );
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=1000000-", 1_000_000, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
    ] {
        let reply = fetch(&edge, "GET", &[("range", range)]).await;
        assert_eq!(reply.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(
            reply.header("content-range"),
            format!("bytes {first}-{last}/{SIZE}")
        );
        assert!(reply.body == file()[first..=last], "{range}");
    }
    let resumed = fetch(&edge, "GET", &[("range", "bytes=10-19"), ("if-range", &tag)]).await;
    assert_eq!(resumed.body, file()[10..20]);
    let changed = fetch(
        &edge,
        "GET",
        &[("range", "bytes=10-19"), ("if-range", "\"other\"")],
    )
    .await;
    assert_eq!((changed.status, changed.body.len()), (StatusCode::OK, SIZE));
    let known = fetch(&edge, "GET", &[("if-none-match", &tag)]).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let head = fetch(&edge, "HEAD", &[]).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-length"), SIZE.to_string());
    let head = fetch(&edge, "HEAD", &[("range", "bytes=0-9")]).await;
    assert_eq!(head.status, StatusCode::OK, "a range is for GET alone");
    assert_eq!(head.header("content-length"), SIZE.to_string());
    let beyond = fetch(&edge, "GET", &[("range", "bytes=99999999-")]).await;
    assert_eq!(beyond.reason(), "RANGE_NOT_SATISFIABLE");
    assert_eq!(beyond.header("content-range"), format!("bytes */{SIZE}"));
}

#[tokio::test]
async fn a_file_that_ends_early_breaks_the_download_off() {
    let edge = Edge::start().await;
    edge.stub.on(DOWNLOAD, |call| {
        let request: pb::DownloadDocumentRequest = call.message();
        let sent = usize::try_from(request.length).unwrap().min(1000);
        let piece = pb::DownloadDocumentResponse {
            chunk: vec![1; sent],
            total_bytes: SIZE as u64,
            sha256: vec![1; 32],
            file_name: String::new(),
        };
        Ok(vec![piece.encode_to_vec()])
    });
    let reply = fetch(&edge, "GET", &[]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(!reply.whole);
}

#[tokio::test]
async fn a_segment_s_call_carries_the_user() {
    let edge = Edge::start().await;
    offer_file(&edge);
    fetch(&edge, "GET", &[]).await;
    let calls = edge.stub.calls(DOWNLOAD);
    assert!(calls.len() > 2);
    assert!(
        calls
            .iter()
            .all(|call| call.headers[header::AUTHORIZATION] == "Bearer access-token")
    );
}

#[tokio::test]
async fn a_download_outlives_the_token_it_began_with() {
    let edge = Edge::start().await;
    offer_file(&edge);
    // Of three exchanges the second cannot be made; each is used for half a minute.
    let asked = AtomicUsize::new(0);
    edge.stub.on(EXCHANGE, move |_| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        if number == 1 {
            return Err(Status::unavailable("no database"));
        }
        let answer = identity::ExchangeSessionResponse {
            access_token: format!("token-{number}"),
            ..Default::default()
        };
        Ok(vec![answer.encode_to_vec()])
    });
    let request = signed_in("GET", "/v1/documents/d/content");
    let mut body = edge.open(request.body(Body::empty()).unwrap()).await;
    let mut fetched = Vec::new();
    while let Some(piece) = body.next().await {
        fetched.extend(piece.unwrap());
        if fetched.len().is_multiple_of(256 * 1024) {
            edge.clock.advance(TimeDelta::seconds(31));
        }
    }
    assert!(fetched == file());
    let tokens = edge.stub.calls(DOWNLOAD).into_iter().map(|call| {
        let bearer = call.headers[header::AUTHORIZATION].to_str().unwrap();
        bearer.trim_start_matches("Bearer ").to_owned()
    });
    let tokens: Vec<String> = tokens.take(5).collect();
    assert_eq!(tokens, ["token-0", "token-0", "token-0", "token-2", "token-3"]);
}
