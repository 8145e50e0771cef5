use std::collections::HashMap;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CrlDistributionPoint, CrlIssuingDistributionPoint, DnType, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wathiq_chassis::{ManualClock, SystemRandom};

use super::*;

/// What a server answers at each path, and how often it was asked.
#[derive(Default)]
struct Answers {
    bodies: HashMap<String, Vec<u8>>,
    asked: usize,
}

struct Server {
    host: String,
    answers: Arc<Mutex<Answers>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let host = listener.local_addr().expect("an address").to_string();
        let answers = Arc::new(Mutex::new(Answers::default()));
        let served = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                let length = stream.read(&mut head).await.unwrap_or_default();
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let body = {
                    let mut answers = served.lock().expect("no test panics with it");
                    answers.asked += 1;
                    answers.bodies.get(&path).cloned()
                };
                let (status, body) = body.map_or(("503 Down", Vec::new()), |body| ("200 OK", body));
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let answer = [head.into_bytes(), body].concat();
                stream.write_all(&answer).await.expect("the client listens");
            }
        });
        Self { host, answers }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    fn serves(&self, path: &str, body: Option<&[u8]>) {
        let mut answers = self.answers.lock().expect("no test panics with it");
        match body {
            Some(body) => answers.bodies.insert(path.to_owned(), body.to_vec()),
            None => answers.bodies.remove(path),
        };
    }

    fn asked(&self) -> usize {
        self.answers.lock().expect("no test panics with it").asked
    }
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "An authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    fn link(&self, points: &[String]) -> Link {
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from(7));
        let point = |url: &String| CrlDistributionPoint {
            uris: vec![url.clone()],
        };
        params.crl_distribution_points = points.iter().map(point).collect();
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Link {
            certificate: certificate.der().to_vec(),
            issuer: self.0.der().to_vec(),
            is_authority: false,
        }
    }

    /// A list of a day of November that names the certificate of [`Authority::link`] with a reason, or nobody.
    fn list(&self, day: u8, reason: Option<RevocationReason>, point: Option<String>) -> Vec<u8> {
        let revoked = reason.map(|reason| RevokedCertParams {
            serial_number: SerialNumber::from(7),
            revocation_time: date_time_ymd(2026, 11, 1),
            reason_code: Some(reason),
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 11, day),
            next_update: date_time_ymd(2026, 11, day + 1),
            crl_number: SerialNumber::from(u64::from(day)),
            issuing_distribution_point: point.map(|url| CrlIssuingDistributionPoint {
                distribution_point: CrlDistributionPoint { uris: vec![url] },
                scope: None,
            }),
            revoked_certs: revoked.into_iter().collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.0).expect("a list").der().to_vec()
    }
}

fn digested(der: &[u8]) -> Digested {
    Digested::of(Bytes::copy_from_slice(der))
}

const LATER: TimeDelta = TimeDelta::minutes(10);

fn trust(hosts: &[&str]) -> (Trust, Arc<ManualClock>) {
    let now = "2026-11-22T09:00:00Z".parse().expect("an instant");
    let clock = Arc::new(ManualClock::new(now));
    let ambient = Ambient {
        clock: Arc::clone(&clock) as _,
        random: Arc::new(SystemRandom),
    };
    let config = TrustConfig {
        anchors: Vec::new(),
        revocation_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        seconds: default_seconds(),
        freshness_seconds: default_freshness(),
        max_age_seconds: default_max_age(),
    };
    (Trust::new(&config, ambient).expect("a client"), clock)
}

#[tokio::test]
async fn a_list_that_can_no_longer_be_had_stays() {
    let (server, authority) = (Server::start().await, Authority::new());
    let (trust, clock) = trust(&[&server.host]);
    let link = authority.link(&[server.url("/list")]);
    let good = authority.list(20, None, None);
    server.serves("/list", Some(&good));
    assert!(trust.refresh(std::slice::from_ref(&link)).await.changed);
    assert_eq!(trust.kept_lists(), [digested(&good)]);
    trust.refresh(std::slice::from_ref(&link)).await;
    assert_eq!(
        server.asked(),
        1,
        "what was asked a moment ago is not asked again"
    );

    let strangers = Authority::new().list(21, Some(RevocationReason::KeyCompromise), None);
    let older = authority.list(19, Some(RevocationReason::KeyCompromise), None);
    for (round, body) in [None, Some(&b"no list"[..]), Some(&strangers), Some(&older)]
        .into_iter()
        .enumerate()
    {
        server.serves("/list", body);
        clock.advance(LATER);
        let refreshed = trust.refresh(std::slice::from_ref(&link)).await;
        assert!(
            !refreshed.changed && refreshed.revoked.is_empty(),
            "round {round}"
        );
        assert_eq!(server.asked(), round + 2);
        assert_eq!(trust.kept_lists(), [digested(&good)], "round {round}");
    }
    let newer = authority.list(21, None, None);
    server.serves("/list", Some(&newer));
    clock.advance(LATER);
    assert!(trust.refresh(&[link]).await.changed);
    assert_eq!(trust.kept_lists(), [digested(&newer)]);
}

#[tokio::test]
async fn a_certificate_known_as_revoked_stays_so_and_a_suspended_one_may_come_back() {
    for (reason, for_good) in [
        (RevocationReason::KeyCompromise, true),
        (RevocationReason::CertificateHold, false),
    ] {
        let (server, authority) = (Server::start().await, Authority::new());
        let (kept, clock) = trust(&[&server.host]);
        let link = authority.link(&[server.url("/list")]);
        server.serves("/list", Some(&authority.list(20, Some(reason), None)));
        let refreshed = kept.refresh(std::slice::from_ref(&link)).await;
        assert_eq!(refreshed.revoked.len(), usize::from(for_good));
        assert!(kept.says_revoked(&link));

        let silent = authority.list(21, None, None);
        server.serves("/list", Some(&silent));
        clock.advance(LATER);
        assert!(kept.refresh(std::slice::from_ref(&link)).await.changed);
        assert_eq!(kept.says_revoked(&link), for_good, "{reason:?}");
        assert_eq!(kept.kept_lists().len(), 1 + usize::from(for_good));

        // Another process learns it from what was kept.
        let (other, _) = trust(&[]);
        other.learn(refreshed.revoked);
        assert_eq!(other.says_revoked(&link), for_good);
    }
}

/// A certificate names two lists: the one that was got last may be the older one.
#[tokio::test]
async fn of_a_suspension_and_its_end_the_newer_counts() {
    let (server, authority) = (Server::start().await, Authority::new());
    let points = ["/first", "/second"].map(|path| server.url(path));
    let link = authority.link(&points);
    let hold = |day| authority.list(day, Some(RevocationReason::CertificateHold), None);
    for (first, second, on_hold) in [
        (hold(19), authority.list(20, None, None), false),
        (authority.list(20, None, None), hold(19), false),
        (hold(20), authority.list(19, None, None), true),
    ] {
        let (kept, _) = trust(&[&server.host]);
        server.serves("/first", Some(&first));
        server.serves("/second", Some(&second));
        let refreshed = kept.refresh(std::slice::from_ref(&link)).await;
        assert_eq!(refreshed.revoked, []);
        assert_eq!(kept.kept_lists().len(), 2);
        assert_eq!(kept.says_revoked(&link), on_hold);
    }
}

#[test]
fn data_count_no_shorter_than_they_are_kept() {
    let config = |max_age_seconds| TrustConfig {
        anchors: Vec::new(),
        revocation_hosts: Vec::new(),
        seconds: default_seconds(),
        freshness_seconds: 300,
        max_age_seconds,
    };
    assert!(Trust::new(&config(300), Ambient::system()).is_ok());
    let refused = Trust::new(&config(299), Ambient::system()).map(|_| ());
    let refused = refused.expect_err("there would be moments without data");
    assert!(refused.to_string().contains("trust.max_age_seconds"), "{refused}");
}

#[tokio::test]
async fn only_configured_hosts_are_asked_and_only_so_often() {
    let (server, authority) = (Server::start().await, Authority::new());
    let list = authority.list(20, None, None);
    let paths: Vec<String> = (0..6).map(|number| format!("/list-{number}")).collect();
    paths.iter().for_each(|path| server.serves(path, Some(&list)));
    let points: Vec<String> = paths.iter().map(|path| server.url(path)).collect();
    let (stranger, _) = trust(&["127.0.0.1:1", "localhost"]);
    assert!(!stranger.refresh(&[authority.link(&points)]).await.changed);
    assert_eq!(server.asked(), 0);

    let (known, _) = trust(&[&server.host]);
    let disguised = format!("http://{}@127.0.0.1:1/list", server.host);
    known
        .refresh(&[authority.link(&[disguised, "file:///list".to_owned()])])
        .await;
    assert_eq!(server.asked(), 0);
    known.refresh(&[authority.link(&points)]).await;
    assert_eq!(server.asked(), MAX_ADDRESSES);
    let many: Vec<Link> = (0..40)
        .map(|number| authority.link(&[server.url(&format!("/many-{number}"))]))
        .collect();
    known.refresh(&many).await;
    assert_eq!(server.asked(), MAX_ADDRESSES + MAX_LINKS);
}

#[tokio::test]
async fn a_part_of_a_divided_list_speaks_for_its_part_alone() {
    let (server, authority) = (Server::start().await, Authority::new());
    let (trust, clock) = trust(&[&server.host]);
    let link = authority.link(&[server.url("/list")]);
    let elsewhere = authority.list(20, None, Some(server.url("/another-part")));
    server.serves("/list", Some(&elsewhere));
    assert!(!trust.refresh(std::slice::from_ref(&link)).await.changed);
    assert_eq!(trust.kept_lists(), Vec::<Digested>::new());
    let own = authority.list(20, None, Some(server.url("/list")));
    server.serves("/list", Some(&own));
    clock.advance(LATER);
    assert!(trust.refresh(&[link]).await.changed);
    assert_eq!(trust.kept_lists(), [digested(&own)]);
}
