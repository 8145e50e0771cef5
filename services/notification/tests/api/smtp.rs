//! Mail servers that are down, refuse, or say so too late.

pub(crate) mod server;

use chrono::TimeDelta;
use tokio::net::TcpSocket;
use uuid::Uuid;
use wathiq_notification::Settings;
use wathiq_notification::clients::signature::FileKind;
use wathiq_notification::config::MailSecurity;
use wathiq_notification::domain::language::Language;
use wathiq_outbox::Record;
use wathiq_proto::wathiq::signature::v1 as signature;

use crate::doubles::Known;
use crate::harness::{World, with_world_of};
use server::{Server, Verdict};

pub(crate) fn plain(port: u16) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.mail.host = "127.0.0.1".into();
        settings.mail.port = port;
        settings.mail.security = MailSecurity::Plain;
        settings.mail.seconds = 6;
    }
}

/// The mail of a sealed request is queued.
pub(crate) async fn queue(world: &World) -> Record {
    let request = request(world);
    let event = signature::LegalisationDelivered {
        legalisation_request_id: request.to_string(),
    };
    let record = world.record(request, &event);
    world.deliver(&record).await;
    record
}

/// The mail of a request that was handed in is queued.
pub(crate) async fn queue_receipt(world: &World) -> Record {
    let request = request(world);
    let event = signature::LegalisationRequestSubmitted {
        legalisation_request_id: request.to_string(),
        ..Default::default()
    };
    let record = world.record(request, &event);
    world.deliver(&record).await;
    record
}

/// A request of this world's person, who wants the files attached.
fn request(world: &World) -> Uuid {
    let (request, person) = (Uuid::now_v7(), Uuid::now_v7());
    world.signature.state().applicants.insert(request, person);
    world.signature.state().files =
        vec![(FileKind::Document, "bail.pdf".into(), b"%PDF-1.7 sealed".to_vec())];
    let known = Known {
        email: world.email.clone(),
        phone: String::new(),
        language: Language::French,
        wants_attachments: true,
    };
    world.identity.state().people.insert(person, known);
    request
}

/// A port of its own at which nobody listens yet.
fn reserve() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// State and code after one attempt.
async fn after_attempt(world: &World, record: &Record) -> (String, Option<String>) {
    world.clock.advance(TimeDelta::seconds(30));
    assert_eq!(world.send_due().await, 1);
    let row = world.message(record).await;
    (row.state, row.failure_code)
}

fn waits(code: &str) -> (String, Option<String>) {
    ("queued".into(), Some(code.into()))
}

fn failed(code: &str) -> (String, Option<String>) {
    ("failed".into(), Some(code.into()))
}

fn sent() -> (String, Option<String>) {
    ("sent".into(), None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_server_is_down_mail_waits_and_goes_out_once() {
    let (reserved, port) = reserve();
    with_world_of(plain(port), async |world| {
        let record = queue(world).await;
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_UNREACHABLE"));
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_UNREACHABLE"));
        let server = Server::on(reserved.listen(8).unwrap(), []);
        assert_eq!(after_attempt(world, &record).await, sent());
        assert_eq!(world.send_due().await, 0);
        assert_eq!(server.taken().len(), 1);
        assert_eq!(world.message(&record).await.attempts, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_for_now_is_tried_again_and_a_refusal_for_good_is_not() {
    let server = Server::start([
        Verdict::Recipient(451),
        Verdict::Data(421),
        Verdict::Take,
        Verdict::Recipient(550),
    ])
    .await;
    with_world_of(plain(server.port), async |world| {
        let record = queue(world).await;
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_451"));
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_421"));
        assert_eq!(after_attempt(world, &record).await, sent());
        let unknown = queue(world).await;
        assert_eq!(after_attempt(world, &unknown).await, failed("SMTP_550"));
        assert_eq!(server.taken().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_repeats_the_mail_under_the_same_id() {
    let server = Server::start([Verdict::TakeAndHangUp, Verdict::Take]).await;
    with_world_of(plain(server.port), async |world| {
        let record = queue(world).await;
        let (state, code) = after_attempt(world, &record).await;
        assert_eq!(state, "queued", "{code:?}");
        assert_eq!(after_attempt(world, &record).await, sent());
        let ids: Vec<String> = server
            .taken()
            .iter()
            .map(|mail| header(mail, "Message-ID"))
            .collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_too_large_for_the_server_goes_by_link_at_once() {
    let server = Server::start([Verdict::Data(552), Verdict::Take]).await;
    with_world_of(plain(server.port), async |world| {
        let record = queue(world).await;
        assert_eq!(after_attempt(world, &record).await, sent());
        let taken = server.taken();
        assert_eq!(taken.len(), 1);
        assert!(!taken[0].contains("application/pdf"), "{}", taken[0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_holds_against_us_is_not_held_against_the_mail() {
    let server = Server::start([
        Verdict::Greeting(554),
        Verdict::Sender(530),
        Verdict::Silence,
        Verdict::Take,
    ])
    .await;
    with_world_of(plain(server.port), async |world| {
        let record = queue(world).await;
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_554"));
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_530"));
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_TIMEOUT"));
        assert_eq!(after_attempt(world, &record).await, sent());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_in_plain_text_to_a_server_that_must_encrypt() {
    let server = Server::start([]).await;
    let starttls = |settings: &mut Settings| {
        plain(server.port)(settings);
        settings.mail.security = MailSecurity::Starttls;
    };
    with_world_of(starttls, async |world| {
        let record = queue(world).await;
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_UNUSABLE"));
        assert!(server.taken().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_none_fails_before_any_server_is_asked() {
    let server = Server::start([]).await;
    with_world_of(plain(server.port), async |world| {
        let record = queue(world).await;
        for known in world.identity.state().people.values_mut() {
            known.email = "amina@example.ma>\r\nRCPT TO:<x@example.ma".into();
        }
        assert_eq!(after_attempt(world, &record).await, failed("ADDRESS_INVALID"));
        assert_eq!(server.connections(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patience_ends_after_three_days() {
    let (reserved, port) = reserve();
    with_world_of(plain(port), async |world| {
        let record = queue(world).await;
        assert_eq!(after_attempt(world, &record).await, waits("SMTP_UNREACHABLE"));
        world.clock.advance(TimeDelta::days(3));
        assert_eq!(after_attempt(world, &record).await, failed("SMTP_UNREACHABLE"));
    })
    .await;
    drop(reserved);
}

fn header(mail: &str, name: &str) -> String {
    let line = mail
        .lines()
        .find(|line| line.starts_with(&format!("{name}: ")))
        .unwrap();
    line[name.len() + 2..].trim().to_owned()
}
