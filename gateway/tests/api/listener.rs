//! The public listener on real sockets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use prost::Message;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use wathiq_chassis::testing::Pki;
use wathiq_chassis::{Ambient, Readiness};
use wathiq_gateway::Settings;
use wathiq_gateway::config::{EdgeTls, Limits};
use wathiq_gateway::serve::ServeError;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::harness::{Edge, KEY, SECRET};

const DOWNLOAD: &str = "/wathiq.signature.v1.DocumentService/DownloadDocument";
const UPLOAD: &str = "/wathiq.signature.v1.DocumentService/UploadDocument";
/// Less than what the listener grants requests under way when it ends.
const BEFORE_DRAIN: Duration = Duration::from_secs(15);
/// Longest wait for anything here.
const PATIENCE: Duration = Duration::from_secs(30);

struct Listener {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<Result<(), ServeError>>,
    readiness: Readiness,
}

async fn listen(edge: &Edge, tls: Option<EdgeTls>) -> Listener {
    listen_with(edge.settings.clone(), tls).await
}

async fn listen_with(mut settings: Settings, tls: Option<EdgeTls>) -> Listener {
    settings.http.tls = tls;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let readiness = Readiness::new();
    let served = wathiq_gateway::serve(
        settings,
        Ambient::system(),
        listener,
        readiness.clone(),
        shutdown.clone(),
    );
    Listener {
        address,
        shutdown,
        served: tokio::spawn(served),
        readiness,
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_request_under_way_ends_before_the_process() {
    let edge = Edge::start().await;
    let listener = listen(&edge, None).await;
    let mut stream = TcpStream::connect(listener.address).await.unwrap();
    let head = format!(
        "POST /v1/documents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\nIdempotency-Key: {KEY}\r\n\
         Content-Type: application/pdf\r\nContent-Length: 8\r\n\r\n%PDF"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    edge.until(|stub| stub.has_begun(UPLOAD)).await;
    assert!(listener.readiness.ready());
    listener.shutdown.cancel();
    let refused = async {
        while TcpStream::connect(listener.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused)
        .await
        .expect("no new connection is taken");
    assert!(!listener.served.is_finished());
    stream.write_all(b"-1.7").await.unwrap();
    let answer = read_to_end(&mut stream).await;
    // The stub's answer is empty, which the gateway says; that it came is what counts.
    assert!(
        answer.starts_with("HTTP/1.1 500") && answer.contains("connection: close"),
        "{answer}"
    );
    tokio::time::timeout(PATIENCE, listener.served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(edge.stub.calls(UPLOAD).len(), 1);
}

#[tokio::test]
async fn headers_without_end_are_cut_off() {
    let edge = Edge::start().await;
    let listener = listen(&edge, None).await;
    let mut stream = TcpStream::connect(listener.address).await.unwrap();
    let endless = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "a".repeat(64 * 1024)
    );
    // The connection may be closed while this is written.
    let _ = stream.write_all(endless.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap();
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    listener.shutdown.cancel();
}

/// The listener with limits of its own.
async fn limited(edge: &Edge, change: impl FnOnce(&mut Limits)) -> Listener {
    let mut edge_settings = edge.settings.clone();
    change(&mut edge_settings.http.limits);
    listen_with(edge_settings, None).await
}

/// Reads until the other side closes, with or without an answer, which it must do in time.
async fn closed(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    // A reset is a close too.
    let _ = tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the connection is closed in time");
    String::from_utf8_lossy(&answer).into_owned()
}

const GET: &[u8] = b"GET /assets/none HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn who_says_nothing_or_half_a_request_is_closed() {
    let edge = Edge::start().await;
    let listener = limited(&edge, |limits| {
        limits.first_request_seconds = 1;
        limits.idle_seconds = 600;
    })
    .await;
    for start in [
        &b""[..],
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow",
        b"PRI * HTTP/2.0\r\n",
    ] {
        let mut stream = TcpStream::connect(listener.address).await.unwrap();
        stream.write_all(start).await.unwrap();
        assert_eq!(
            closed(&mut stream).await,
            "",
            "{}",
            String::from_utf8_lossy(start)
        );
    }
    listener.shutdown.cancel();
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time_and_not_before() {
    let edge = Edge::start().await;
    let listener = limited(&edge, |limits| {
        limits.first_request_seconds = 600;
        limits.idle_seconds = 1;
    })
    .await;
    let mut stream = TcpStream::connect(listener.address).await.unwrap();
    stream.write_all(GET).await.unwrap();
    stream.write_all(GET).await.unwrap();
    let answers = closed(&mut stream).await;
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 2, "{answers}");
    listener.shutdown.cancel();
}

/// An empty frame of HTTP/2 (RFC 9113, 4.1) of a type.
fn frame(kind: u8) -> [u8; 9] {
    [0, 0, 0, kind, 0, 0, 0, 0, 0]
}

#[tokio::test]
async fn an_http_2_connection_without_requests_is_told_to_go_and_closed() {
    const SETTINGS: u8 = 4;
    const GO_AWAY: u8 = 7;
    let edge = Edge::start().await;
    let listener = limited(&edge, |limits| limits.first_request_seconds = 1).await;
    let mut stream = TcpStream::connect(listener.address).await.unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&frame(SETTINGS)).await.unwrap();
    let mut kinds = Vec::new();
    let reading = async {
        let mut head = [0; 9];
        while stream.read_exact(&mut head).await.is_ok() {
            kinds.push(head[3]);
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            if stream.read_exact(&mut vec![0; length]).await.is_err() {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading)
        .await
        .expect("the connection is closed in time");
    assert!(kinds.contains(&GO_AWAY), "{kinds:?}");
    listener.shutdown.cancel();
}

#[tokio::test]
async fn too_many_connections_are_closed_clearly_and_room_is_given_again() {
    let edge = Edge::start().await;
    for (all, each) in [(10, 2), (2, 10)] {
        let listener = limited(&edge, |limits| {
            limits.connections = all;
            limits.connections_each = each;
        })
        .await;
        let first = TcpStream::connect(listener.address).await.unwrap();
        let _second = TcpStream::connect(listener.address).await.unwrap();
        let mut third = TcpStream::connect(listener.address).await.unwrap();
        third.write_all(GET).await.unwrap();
        let answer = closed(&mut third).await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("Retry-After: 5"),
            "{all} {each}: {answer}"
        );
        drop(first);
        let again = async {
            loop {
                let mut stream = TcpStream::connect(listener.address).await.unwrap();
                stream
                    .write_all(b"GET /assets/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    .await
                    .unwrap();
                if closed(&mut stream).await.starts_with("HTTP/1.1 404") {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, again)
            .await
            .expect("the place is given back");
        listener.shutdown.cancel();
    }
}

#[tokio::test]
async fn a_stalled_upload_is_ended_with_408() {
    let edge = Edge::start().await;
    let listener = limited(&edge, |limits| limits.sender_span_seconds = 1).await;
    for (path, begun) in [("/v1/documents", true), ("/v1/me/password", false)] {
        let mut stream = TcpStream::connect(listener.address).await.unwrap();
        let method = if begun { "POST" } else { "PUT" };
        let kind = if begun {
            "application/pdf"
        } else {
            "application/json"
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\nIdempotency-Key: {KEY}\r\n\
             Content-Type: {kind}\r\nContent-Length: 8000\r\n\r\n%PDF"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = closed(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 408") && answer.contains("BODY_TOO_SLOW"),
            "{path}: {answer}"
        );
    }
    edge.until(|stub| !stub.calls(UPLOAD).is_empty()).await;
    assert!(edge.stub.calls(UPLOAD).iter().all(|call| !call.whole));
    listener.shutdown.cancel();
}

/// A file far larger than what the buffers of two sockets hold.
const LARGE: u64 = 64 * 1024 * 1024;

fn offer_large_file(edge: &Edge) {
    edge.stub.on(DOWNLOAD, |call| {
        let request: pb::DownloadDocumentRequest = call.message();
        let part = pb::DownloadDocumentResponse {
            chunk: vec![7; usize::try_from(request.length).unwrap()],
            total_bytes: LARGE,
            sha256: vec![1; 32],
            file_name: String::new(),
        };
        Ok(vec![part.encode_to_vec()])
    });
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_left_and_holds_no_more_than_a_segment() {
    let edge = Edge::start().await;
    offer_large_file(&edge);
    let listener = limited(&edge, |limits| limits.reader_pause_seconds = 1).await;
    let mut stream = TcpStream::connect(listener.address).await.unwrap();
    let head =
        format!("GET /v1/documents/d/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.readable().await.unwrap();
    // Nothing is read: the listener must end the connection, which then ends with it.
    listener.shutdown.cancel();
    tokio::time::timeout(BEFORE_DRAIN, listener.served)
        .await
        .expect("the dead reader is left before the drain ends")
        .unwrap()
        .unwrap();
    let answer = closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && (answer.len() as u64) < LARGE);
    let fetched = edge.stub.calls(DOWNLOAD).len() as u64 * 256 * 1024;
    assert!(
        fetched < answer.len() as u64 + 1024 * 1024,
        "{fetched} of {}",
        answer.len()
    );
}

#[tokio::test]
async fn a_large_file_reaches_its_reader_whole() {
    let edge = Edge::start().await;
    offer_large_file(&edge);
    let listener = limited(&edge, |limits| limits.reader_pause_seconds = 5).await;
    let mut stream = TcpStream::connect(listener.address).await.unwrap();
    let head = format!(
        "GET /v1/documents/d/content HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut read = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = tokio::time::timeout(PATIENCE, stream.read(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        if length == 0 {
            break;
        }
        read += length as u64;
        tokio::task::yield_now().await;
    }
    assert!(read > LARGE, "{read}");
    listener.shutdown.cancel();
}

/// Accepts any certificate and remembers it: what is under test is which one is shown.
#[derive(Debug, Default)]
struct Shown(Mutex<Option<CertificateDer<'static>>>);

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = Some(certificate.clone().into_owned());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
        ]
    }
}

async fn certificate_of(address: std::net::SocketAddr) -> CertificateDer<'static> {
    let shown = Arc::new(Shown::default());
    let config = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(shown.clone())
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("wathiq.test").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let certificate = shown.0.lock().unwrap().clone();
    certificate.unwrap()
}

#[tokio::test]
async fn a_new_certificate_is_taken_without_a_restart() {
    let edge = Edge::start().await;
    let pki = Pki::new();
    let files = pki.issue("edge");
    let tls = EdgeTls {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
    };
    let listener = listen(&edge, Some(tls)).await;
    let first = certificate_of(listener.address).await;
    std::fs::write(&files.certificate, "half written").unwrap();
    assert_eq!(certificate_of(listener.address).await, first);
    pki.issue("edge");
    let second = certificate_of(listener.address).await;
    assert_ne!(second, first);
    assert_eq!(certificate_of(listener.address).await, second);
    listener.shutdown.cancel();
}
