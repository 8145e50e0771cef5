//! A seal is issued with a time-stamp that others will trust, or it waits and says why.

use std::path::Path;
use std::sync::Arc;

use sqlx::Row;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::app::{App, finish_seal};
use wathiq_signature::timestamp::{self, TimestampConfig};

use crate::harness::{Person, Stack, World};
use crate::officers::Token;
use crate::seal_interrupted::{with_time_stamps, without_time_stamps};
use crate::tools;

const FIVE_MINUTES: chrono::TimeDelta = chrono::TimeDelta::minutes(5);
/// What `openssl ts` answers with, and a certificate for time-stamping that it issued itself.
const SETTINGS: &str = "
[tsa]
default_tsa = own
[own]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = Nobody's time-stamping
[extensions]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
";

/// A time-stamp authority that keeps all rules, and that no trust anchor knows.
struct Stranger {
    folder: TempDir,
    url: String,
}

impl Stranger {
    async fn start() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("settings"), SETTINGS).unwrap();
        std::fs::write(folder.path().join("serial"), "01").unwrap();
        openssl(
            folder.path(),
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                "key",
                "-out",
                "certificate",
                "-days",
                "2",
                "-config",
                "settings",
            ],
        )
        .await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let stranger = Arc::new(Self { folder, url });
        let serving = Arc::clone(&stranger);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.answer(stream).await;
            }
        });
        stranger
    }

    async fn answer(&self, mut stream: TcpStream) {
        let query = body_of(&mut stream).await;
        std::fs::write(self.folder.path().join("query"), query).unwrap();
        openssl(
            self.folder.path(),
            &[
                "ts",
                "-reply",
                "-config",
                "settings",
                "-queryfile",
                "query",
                "-signer",
                "certificate",
                "-inkey",
                "key",
                "-out",
                "reply",
            ],
        )
        .await;
        let reply = std::fs::read(self.folder.path().join("reply")).unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            reply.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&reply).await.unwrap();
    }
}

/// The body of an HTTP request with a length.
pub(crate) async fn body_of(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.unwrap();
        received.extend_from_slice(&part[..count]);
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
            assert_ne!(count, 0, "the request breaks off");
            continue;
        };
        let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if received.len() >= end + 4 + length {
            return received[end + 4..].to_vec();
        }
    }
}

async fn openssl(folder: &Path, arguments: &[&str]) {
    let done = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output()
        .await
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn asking(app: &App, config: &TimestampConfig) -> App {
    App {
        timestamp: timestamp::Client::new(config, app.ambient.clone()).unwrap(),
        ..with_time_stamps(app)
    }
}

impl World {
    /// Nothing is issued, and people and programs hear what the seal waits for.
    pub(crate) async fn assert_waits(&self, citizen: Person, id: &str, progress: &str) {
        assert_eq!(self.count("SELECT count(*) FROM sealed_revision").await, 0);
        assert_eq!(
            self.count("SELECT count(*) FROM seal_file WHERE phase = 'SIGNED'")
                .await,
            1
        );
        let request = self.try_get(citizen, id).await.unwrap();
        assert_eq!(request.state(), pb::LegalisationState::AwaitingSignature);
        assert_eq!(request.progress_code, progress);
    }

    /// Sealed after all, by the job of a process to which everything answers.
    pub(crate) async fn assert_sealed_by(&self, app: &App, citizen: Person, id: &str) {
        self.clock.advance(FIVE_MINUTES);
        assert_eq!(finish_seal::sweep(app).await.unwrap(), 1);
        let request = self.try_get(citizen, id).await.unwrap();
        assert_eq!(
            request.state(),
            pb::LegalisationState::Delivered,
            "{}",
            request.progress_code
        );
        self.assert_sealed_once().await;
        tools::check_sealed(&self.download(citizen, id, pb::SealedFileKind::Document).await).await;
    }
}

#[tokio::test]
async fn a_time_stamp_of_an_authority_that_nobody_trusts_is_not_issued() {
    let stranger = Stranger::start().await;
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    let intent = world.signed(officer, &id, &token).await;
    let config = TimestampConfig {
        url: stranger.url.clone(),
        seconds: 10,
        tolerance_seconds: 120,
    };
    let untrusted = finish_seal::finish(&asking(&world.app, &config), intent)
        .await
        .unwrap_err();
    assert_eq!(
        untrusted.to_string(),
        "the finished seal does not stand: the time-stamp: NO_CERTIFICATE_CHAIN_FOUND"
    );
    world
        .assert_waits(citizen, &id, "WAITING_FOR_TRUSTED_TIME_STAMP")
        .await;
    let sealed = world.folder.path().join("objects/sealed");
    assert!(!sealed.exists(), "nothing is stored that is not issued");
    world
        .assert_sealed_by(&with_time_stamps(&world.app), citizen, &id)
        .await;
}

#[tokio::test]
async fn a_time_stamp_that_states_a_time_before_the_intent_is_not_issued() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    // To this service it is half an hour later than to the authority.
    world.clock.advance(chrono::TimeDelta::minutes(30));
    let intent = world.signed(officer, &id, &token).await;
    let early = finish_seal::finish(&with_time_stamps(&world.app), intent)
        .await
        .unwrap_err();
    assert!(
        early
            .to_string()
            .starts_with("the finished seal does not stand: the time-stamp states 2"),
        "{early}"
    );
    world
        .assert_waits(citizen, &id, "WAITING_FOR_TRUSTED_TIME_STAMP")
        .await;
    let stack = Stack::get();
    let lenient = TimestampConfig {
        tolerance_seconds: 7200,
        ..stack.section(stack.timestamp())
    };
    world
        .assert_sealed_by(&asking(&world.app, &lenient), citizen, &id)
        .await;
}

#[tokio::test]
async fn a_time_stamp_from_the_future_is_not_issued() {
    let now = wathiq_chassis::Ambient::system().now();
    // To this service it is half an hour earlier than to the authority.
    let world = World::start_at(now - chrono::TimeDelta::minutes(30)).await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    let intents = world.authorised(officer, std::slice::from_ref(&id)).await;
    let act = world.sealing(officer, &intents, &token.pin);
    let answer = world.try_seal(officer, act).await.unwrap();
    let progress = &answer.legalisation_requests[0].progress_code;
    assert_eq!(progress, "WAITING_FOR_TRUSTED_TIME_STAMP");
    world.clock.set(wathiq_chassis::Ambient::system().now());
    world.assert_sealed_by(&world.app, citizen, &id).await;
}

/// While nobody can tell whether a certificate is revoked, nothing is issued that would not stand.
#[tokio::test]
async fn without_revocation_data_the_seal_waits_for_it() {
    let world = without_time_stamps().await;
    let token = Token::named("officer-1");
    let (citizen, officer, id) = world.one_accepted(&token).await;
    let stack = Stack::get();
    let intent = world.signed(officer, &id, &token).await;
    let deaf = wathiq_signature::trust::TrustConfig {
        revocation_hosts: Vec::new(),
        ..stack.section(stack.trust())
    };
    let up = with_time_stamps(&world.app);
    let cut_off = App {
        trust: wathiq_signature::trust::Trust::new(&deaf, up.ambient.clone()).unwrap(),
        ..with_time_stamps(&world.app)
    };
    let unknown = finish_seal::finish(&cut_off, intent).await.unwrap_err();
    assert!(unknown.to_string().contains("TRY_LATER"), "{unknown}");
    world
        .assert_waits(citizen, &id, "WAITING_FOR_REVOCATION_DATA")
        .await;
    let hindered: String = sqlx::query("SELECT hindrance FROM seal_file")
        .fetch_one(&mut world.database.connect().await)
        .await
        .unwrap()
        .get(0);
    assert_eq!(hindered, "REVOCATION_UNKNOWN");
    world.assert_sealed_by(&up, citizen, &id).await;
}
