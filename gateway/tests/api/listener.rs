//! The public listener on real sockets.

use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use wathiq_gateway::config::EdgeTls;
use wathiq_gateway::serve::ServeError;

use crate::harness::{Edge, KEY, SECRET};

const UPLOAD: &str = "/wathiq.signature.v1.DocumentService/UploadDocument";
/// Longest wait for anything here.
const PATIENCE: Duration = Duration::from_secs(30);

struct Listener {
    address: std::net::SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<Result<(), ServeError>>,
    readiness: Readiness,
}

async fn listen(edge: &Edge, tls: Option<EdgeTls>) -> Listener {
    let mut settings = edge.settings.clone();
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
