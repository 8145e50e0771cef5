//! What a test owns: a database, a clock, doubles of the two services, and its own addresses at the catchers.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use prost::Name;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wathiq_chassis::{Ambient, ManualClock, SystemRandom};
use wathiq_notification::app::App;
use wathiq_notification::domain::template::Lane;
use wathiq_notification::events::consume::{CONSUMER, Consume};
use wathiq_notification::store::messages;
use wathiq_notification::{Settings, sender, service};
use wathiq_outbox::Record;
use wathiq_outbox::testing::{Delivered, StoredEvent, deliver};

use crate::doubles::orders::Orders;
use crate::doubles::{Identity, Signature};

#[derive(Deserialize)]
pub(crate) struct Stack {
    postgres: Postgres,
    pub(crate) kafka: Kafka,
    mail: Mail,
    sms: Sms,
}

#[derive(Deserialize)]
struct Postgres {
    host: String,
    port: u16,
    superuser: String,
    superuser_password: String,
    ca: Option<PathBuf>,
    roles: std::collections::BTreeMap<String, PathBuf>,
}

#[derive(Deserialize)]
pub(crate) struct Kafka {
    pub(crate) brokers: String,
    pub(crate) certificates: PathBuf,
}

#[derive(Deserialize)]
struct Mail {
    smtp: String,
    api: String,
    ca: PathBuf,
}

#[derive(Deserialize)]
struct Sms {
    url: String,
    key: String,
}

pub(crate) fn stack() -> Stack {
    let path = std::env::var("WATHIQ_TEST_STACK").expect("WATHIQ_TEST_STACK names the running test stack");
    let text = std::fs::read(&path).expect("the stack's description can be read");
    serde_json::from_slice(&text).expect("the stack's description has the agreed shape")
}

/// One test's world.
pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) signature: Arc<Signature>,
    pub(crate) orders: Arc<Orders>,
    /// An e-mail address and a number nobody else uses.
    pub(crate) email: String,
    pub(crate) phone: String,
    database: String,
    superuser: PgConnectOptions,
    http: reqwest::Client,
    mail_api: String,
    sms_url: String,
    secrets: tempfile::TempDir,
}

/// Runs a test in a world of its own, which is cleared away even when the test panics.
pub(crate) async fn with_world<F: Future<Output = ()>>(test: impl FnOnce(&'static World) -> F) {
    with_world_of(|_| (), test).await;
}

/// The same with other settings.
pub(crate) async fn with_world_of<F: Future<Output = ()>>(
    change: impl FnOnce(&mut Settings),
    test: impl FnOnce(&'static World) -> F,
) {
    // Tests spawn tasks that outlive no test; a leaked handle spares every one of them an `Arc`.
    let world: &'static World = Box::leak(Box::new(World::new(change).await));
    let outcome = AssertUnwindSafe(test(world)).catch_unwind().await;
    world.drop_database().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

impl World {
    async fn new(change: impl FnOnce(&mut Settings)) -> Self {
        wathiq_chassis::install_crypto_provider();
        crate::logs::start();
        let stack = stack();
        let secrets = tempfile::tempdir().unwrap();
        let database = format!("test_{}", Uuid::now_v7().simple());
        let superuser = superuser(&stack.postgres);
        let mut conn = superuser.connect().await.unwrap();
        let create = format!("CREATE DATABASE {database} OWNER wathiq_notification_owner");
        sqlx::query(AssertSqlSafe(create))
            .execute(&mut conn)
            .await
            .unwrap();
        conn.close().await.unwrap();
        let mut settings = settings(&stack, &database, &secrets);
        change(&mut settings);
        wathiq_notification::migrate(&settings.database).await.unwrap();

        let clock = Arc::new(ManualClock::new("2026-11-22T10:00:00Z".parse().unwrap()));
        let ambient = Ambient {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SystemRandom),
        };
        let (identity, signature) = (Arc::new(Identity::default()), Arc::new(Signature::default()));
        let orders = Arc::new(Orders::default());
        let id = Uuid::now_v7();
        let email = format!("{}@example.ma", id.simple());
        settings.administration.email.clone_from(&email);
        let app = service::app(
            &settings,
            Arc::clone(&identity) as _,
            Arc::clone(&signature) as _,
            Arc::clone(&orders) as _,
            ambient,
        )
        .unwrap();
        Self {
            app: Arc::new(app),
            settings,
            clock,
            identity,
            signature,
            orders,
            email,
            phone: format!("+2126{:08}", id.as_u128() % 100_000_000),
            database,
            superuser,
            http: reqwest::Client::builder().tls_certs_only([]).build().unwrap(),
            mail_api: stack.mail.api,
            sms_url: stack.sms.url,
            secrets,
        }
    }

    async fn drop_database(&self) {
        self.app.pool.close().await;
        // The world is leaked, and with it what removes the folder.
        std::fs::remove_dir_all(self.secrets.path()).unwrap();
        let mut conn = self.superuser.connect().await.unwrap();
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        sqlx::query(AssertSqlSafe(drop)).execute(&mut conn).await.unwrap();
    }

    /// Takes the database away from the service, or gives it back.
    pub(crate) async fn set_database(&self, there: bool) {
        let mut conn = self.superuser.connect().await.unwrap();
        let limit = if there { -1 } else { 0 };
        let change = format!("ALTER DATABASE {} CONNECTION LIMIT {limit}", self.database);
        sqlx::query(AssertSqlSafe(change))
            .execute(&mut conn)
            .await
            .unwrap();
        if !there {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
            sqlx::query(end)
                .bind(&self.database)
                .execute(&mut conn)
                .await
                .unwrap();
        }
        conn.close().await.unwrap();
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.app.ambient.now()
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        self.superuser
            .clone()
            .database(&self.database)
            .connect()
            .await
            .unwrap()
    }

    /// An event as it arrives from Kafka.
    pub(crate) fn record<M: prost::Message + Name>(&self, aggregate_id: Uuid, message: &M) -> Record {
        Record {
            event_id: Uuid::now_v7(),
            event_type: M::full_name(),
            aggregate_id,
            sequence: 1,
            topic: "wathiq.test.v1".into(),
            payload: message.encode_to_vec(),
            traceparent: None,
            time: self.now(),
        }
    }

    pub(crate) async fn deliver(&self, record: &Record) -> Delivered {
        let handler = Consume::new(self.app.ambient.clone());
        deliver(&self.app.pool, CONSUMER, &handler, record).await.unwrap()
    }

    /// Tries every message that is due and answers how many were. Nobody else takes them for two minutes.
    pub(crate) async fn send_due(&self) -> usize {
        let (now, until) = (self.now(), self.now() + TimeDelta::minutes(2));
        let mut conn = self.app.pool.acquire().await.unwrap();
        let mut due = Vec::new();
        for lane in Lane::ALL {
            due.extend(messages::claim(&mut conn, lane, now, until, 100).await.unwrap());
        }
        drop(conn);
        let count = due.len();
        for message in due {
            sender::try_once(&self.app, message, &CancellationToken::new()).await;
        }
        count
    }

    pub(crate) async fn message(&self, cause: &Record) -> Row {
        sqlx::query_as(
            "SELECT message_id, template, channel, state, attempts, failure_code FROM message WHERE cause_event_id = $1",
        )
        .bind(cause.event_id)
        .fetch_one(&self.app.pool)
        .await
        .unwrap()
    }

    /// The messages of an event, e-mail first.
    pub(crate) async fn messages(&self, cause: &Record) -> Vec<Row> {
        sqlx::query_as(
            "SELECT message_id, template, channel, state, attempts, failure_code FROM message WHERE cause_event_id = $1
             ORDER BY channel",
        )
        .bind(cause.event_id)
        .fetch_all(&self.app.pool)
        .await
        .unwrap()
    }

    pub(crate) async fn events(&self) -> Vec<StoredEvent> {
        wathiq_outbox::testing::events(&mut self.app.pool.acquire().await.unwrap()).await
    }

    /// Mails in this world's box as the catcher shows them, oldest first.
    pub(crate) async fn mails(&self) -> Vec<Value> {
        let all: Vec<Value> = self
            .http
            .get(format!("{}/email", self.mail_api))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let mine = |mail: &Value| {
            mail["to"]
                .as_array()
                .is_some_and(|to| to.iter().any(|to| to["address"] == json!(self.email)))
        };
        all.into_iter().filter(mine).collect()
    }

    /// An attachment's bytes.
    pub(crate) async fn attachment(&self, mail: &Value, name: &str) -> Vec<u8> {
        let id = mail["id"].as_str().unwrap();
        let mut url = reqwest::Url::parse(&format!("{}/email/{id}/attachment/", self.mail_api)).unwrap();
        url.path_segments_mut().unwrap().pop_if_empty().push(name);
        let response = self
            .http
            .get(url)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        response.bytes().await.unwrap().to_vec()
    }

    /// Text messages to this world's number, newest first.
    pub(crate) async fn texts(&self) -> Vec<Value> {
        let url = format!(
            "{}/v1/messages?to={}",
            self.sms_url,
            self.phone.replace('+', "%2B")
        );
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

/// The plain text of a mail, with the line ends of this machine.
pub(crate) fn text(mail: &Value) -> String {
    mail["text"].as_str().unwrap().replace("\r\n", "\n")
}

/// A row of the table of messages.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) message_id: Uuid,
    pub(crate) template: String,
    pub(crate) channel: String,
    pub(crate) state: String,
    pub(crate) attempts: i32,
    pub(crate) failure_code: Option<String>,
}

fn superuser(postgres: &Postgres) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&postgres.host)
        .port(postgres.port)
        .username(&postgres.superuser)
        .password(&postgres.superuser_password)
        .database("postgres");
    match &postgres.ca {
        Some(ca) => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(ca),
        None => options.ssl_mode(PgSslMode::Disable),
    }
}

fn settings(stack: &Stack, database: &str, secrets: &tempfile::TempDir) -> Settings {
    let postgres = &stack.postgres;
    let url = |role: &str| {
        let tls = match &postgres.ca {
            Some(ca) => format!("sslmode=verify-full&sslrootcert={}", ca.display()),
            None => "sslmode=disable".to_owned(),
        };
        format!(
            "postgres://{role}@{}:{}/{database}?{tls}",
            postgres.host, postgres.port
        )
    };
    let certificates = |name: &str| {
        let folder = &stack.kafka.certificates;
        json!({
            "ca": folder.join("ca.pem"),
            "certificate": folder.join(format!("{name}.pem")),
            "key": folder.join(format!("{name}.key")),
        })
    };
    let key_file = secrets.path().join("sms.key");
    std::fs::write(&key_file, &stack.sms.key).unwrap();
    let (host, port) = stack.mail.smtp.rsplit_once(':').unwrap();
    let mut kafka = certificates("notification");
    kafka["brokers"] = json!(stack.kafka.brokers);
    let upstream = json!({"addresses": ["127.0.0.1:1"], "server_name": "identity"});
    let (application, owner) = ("wathiq_notification_app", "wathiq_notification_owner");
    let settings = json!({
        "process": {
            "name": "notification",
            "listen": "127.0.0.1:0",
            "operations_listen": "127.0.0.1:0",
            "tls": certificates("notification"),
        },
        "database": {
            "url": url(application),
            "password_file": postgres.roles[application],
            "owner_url": url(owner),
            "owner_password_file": postgres.roles[owner],
        },
        "kafka": kafka,
        "upstream": {"identity": upstream, "signature": upstream, "civil_registry_order": upstream},
        "mail": {
            "host": host,
            "port": port.parse::<u16>().unwrap(),
            "security": "tls",
            "ca": stack.mail.ca,
            "from": "Wathiq <ne-pas-repondre@wathiq.example>",
        },
        "text": {"url": stack.sms.url, "key_file": key_file},
        "messages": {"public_url": "https://wathiq.example"},
        "administration": {"email": "administration@wathiq.example"},
        "help": {
            "number": "080 200 60 60",
            "short_hours": "8:30-16:30",
            "hours": {
                "ar": "من الإثنين إلى الجمعة، من 8:30 إلى 16:30",
                "fr": "du lundi au vendredi, de 8 h 30 à 16 h 30",
                "en": "Monday to Friday, 8:30 to 16:30",
            },
        },
    });
    serde_json::from_value(settings).unwrap()
}

/// Looks every 20 ms, for at most 60 s.
pub(crate) async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
