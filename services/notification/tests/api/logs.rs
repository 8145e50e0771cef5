//! What the logs tell of people: nothing.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use wathiq_notification::domain::language::Language;
use wathiq_notification::domain::message::Channel;
use wathiq_notification::domain::template::Template;

use crate::codes::held;
use crate::harness::with_world_of;
use crate::orders::{order, paid};
use crate::smtp::server::{Server, Verdict};
use crate::smtp::{plain, queue};

/// Everything that is logged in this process, by all tests.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

/// Turns logs and traces on, once for all tests.
pub(crate) fn start() -> Logs {
    static STARTED: OnceLock<(Logs, SdkTracerProvider)> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let (logs, provider) = (Logs::default(), SdkTracerProvider::builder().build());
        let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(logs.clone());
        let subscriber = tracing_subscriber::registry()
            .with(traces.with_filter(LevelFilter::INFO))
            .with(lines.with_filter(LevelFilter::DEBUG));
        tracing::subscriber::set_global_default(subscriber).unwrap();
        (logs, provider)
    });
    started.0.clone()
}

impl Logs {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_address_or_name_is_logged_whatever_goes_wrong() {
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
        let reached = paid(world, &order(world, Language::Arabic, &world.phone));
        world.deliver(&reached).await;
        let misdialled = paid(world, &order(world, Language::Arabic, "0600112233"));
        world.deliver(&misdialled).await;
        world.send_due().await;
        assert_eq!(world.texts().await.len(), 2);
        assert_eq!(server.taken().len(), 3);

        let row = world.message(&mail).await;
        let logged = start().text();
        let sent = logged.lines().filter(|line| line.contains("message.sent"));
        assert!(
            sent.into_iter()
                .any(|line| line.contains(&row.message_id.to_string())),
            "nothing is logged"
        );
        for code in ["SMTP_550", "SMTP_451", "SMTP_TIMEOUT", "TEXT_INVALID_RECIPIENT"] {
            assert!(logged.contains(code), "{code} is not in {logged}");
        }
        let (mailbox, _) = world.email.split_once('@').unwrap();
        // Six digits may stand in a time or an id by chance, but not as a word of their own.
        let words = |line: &str| {
            line.split(|it: char| !it.is_alphanumeric())
                .any(|word| word == "804213")
        };
        assert_eq!(
            logged.lines().find(|line| words(line)),
            None,
            "the code is logged"
        );
        for secret in [
            mailbox,
            &world.phone[1..],
            "0600112233",
            "أمينة",
            "Idrissi",
            "4W7K-M2PX-93",
        ] {
            let line = logged.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is logged");
        }
    })
    .await;
}
