//! What the logs tell of people: nothing.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use wathiq_notification::domain::language::Language;
use wathiq_notification::domain::message::Channel;
use wathiq_notification::domain::template::Template;

use crate::codes::held;
use crate::harness::with_world_of;
use crate::smtp::server::{Server, Verdict};
use crate::smtp::{plain, queue};

/// Everything that is logged.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_code_address_or_name_is_logged_whatever_goes_wrong() {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(logs.clone());
    // For this thread, on which the whole test runs.
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let server = Server::start([
        Verdict::Recipient(550),
        Verdict::Recipient(451),
        Verdict::Silence,
        Verdict::Take,
    ])
    .await;
    with_world_of(plain(server.port), async |world| {
        for _ in 0..3 {
            queue(world).await;
            world.send_due().await;
        }
        let text = held(world, Template::SignUpCode, Channel::Text, Language::Arabic);
        world.deliver(&text).await;
        let nowhere = held(world, Template::SignUpCode, Channel::Text, Language::Arabic);
        world
            .identity
            .state()
            .deliveries
            .get_mut(&nowhere.aggregate_id)
            .unwrap()
            .address = "0600112233".into();
        world.deliver(&nowhere).await;
        world.send_due().await;
        let mail = held(world, Template::SignUpCode, Channel::Email, Language::Arabic);
        world.deliver(&mail).await;
        world.send_due().await;
        assert_eq!(world.texts().await.len(), 1);
        assert_eq!(server.taken().len(), 1);

        let logged = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
        for event in [
            "message.sent",
            "message.failed",
            "message.delayed",
            "SMTP_550",
            "TEXT_INVALID_RECIPIENT",
        ] {
            assert!(logged.contains(event), "{event} is not in {logged}");
        }
        let (mailbox, _) = world.email.split_once('@').unwrap();
        for secret in [
            "804213",
            mailbox,
            &world.phone[1..],
            "0600112233",
            "أمينة",
            "Idrissi",
        ] {
            let line = logged.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is logged");
        }
    })
    .await;
}
