//! What a test owns: a database with its two roles, dropped at the end, and waiting with a bound.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures::FutureExt;
use serde::Deserialize;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use uuid::Uuid;
use wathiq_chassis::Ambient;
use wathiq_outbox::{NewEvent, append};

#[derive(Deserialize)]
pub(crate) struct Stack {
    pub(crate) postgres: Postgres,
    pub(crate) kafka: Option<Kafka>,
}

#[derive(Deserialize)]
pub(crate) struct Postgres {
    host: String,
    port: u16,
    superuser: String,
    superuser_password: String,
    ca: Option<PathBuf>,
}

#[derive(Deserialize)]
pub(crate) struct Kafka {
    pub(crate) brokers: String,
    pub(crate) certificates: PathBuf,
}

pub(crate) fn stack() -> Stack {
    let path = std::env::var("WATHIQ_TEST_STACK").expect("WATHIQ_TEST_STACK names the running test stack");
    let text = std::fs::read(&path).expect("the stack's description can be read");
    serde_json::from_slice(&text).expect("the stack's description has the agreed shape")
}

/// A database of its own, migrated, with an owner and an application role.
pub(crate) struct Database {
    name: String,
    superuser: PgConnectOptions,
    pub(crate) owner: PgConnectOptions,
    pub(crate) application: PgConnectOptions,
    pub(crate) application_role: String,
    /// As the application role.
    pub(crate) pool: PgPool,
    pub(crate) ambient: Ambient,
}

/// Runs the test in a database of its own and drops it, also when the test panics.
pub(crate) async fn with_database<F: Future<Output = ()>>(test: impl FnOnce(&'static Database) -> F) {
    // Tests spawn tasks that outlive no test; a leaked handle spares every one of them an `Arc`.
    let database: &'static Database = Box::leak(Box::new(Database::create().await));
    let outcome = AssertUnwindSafe(test(database)).catch_unwind().await;
    database.drop().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

impl Database {
    async fn create() -> Self {
        let database = Self::empty().await;
        let mut owner = database.owner.connect().await.unwrap();
        wathiq_outbox::migrate(&mut owner, &database.application_role)
            .await
            .unwrap();
        owner.close().await.unwrap();
        database
    }

    async fn empty() -> Self {
        let Postgres {
            host,
            port,
            superuser,
            superuser_password,
            ca,
        } = stack().postgres;
        let mut base = PgConnectOptions::new_without_pgpass().host(&host).port(port);
        base = match ca {
            Some(ca) => base.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(ca),
            None => base.ssl_mode(PgSslMode::Disable),
        };
        let superuser = base
            .clone()
            .username(&superuser)
            .password(&superuser_password)
            .database("postgres");
        let name = format!("test_{}", Uuid::now_v7().simple());
        let (owner_role, application_role) = (format!("{name}_owner"), format!("{name}_app"));
        let mut conn = superuser.connect().await.unwrap();
        for statement in [
            format!("CREATE ROLE {owner_role} LOGIN PASSWORD '{name}'"),
            format!("CREATE ROLE {application_role} LOGIN PASSWORD '{name}'"),
            format!("CREATE DATABASE {name} OWNER {owner_role}"),
        ] {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut conn)
                .await
                .unwrap();
        }
        conn.close().await.unwrap();
        let role = |role: &str| base.clone().username(role).password(&name).database(&name);
        let application = role(&application_role);
        let pool = PgPoolOptions::new()
            .max_connections(40)
            .connect_lazy_with(application.clone());
        Self {
            owner: role(&owner_role),
            application,
            application_role,
            pool,
            superuser,
            name,
            ambient: Ambient::system(),
        }
    }

    async fn drop(&self) {
        self.pool.close().await;
        let mut conn = self.superuser.connect().await.unwrap();
        for statement in [
            format!("DROP DATABASE {} WITH (FORCE)", self.name),
            format!("DROP ROLE {}_owner", self.name),
            format!("DROP ROLE {}", self.application_role),
        ] {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut conn)
                .await
                .unwrap();
        }
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        self.application.connect().await.unwrap()
    }

    pub(crate) async fn connect_as_owner(&self) -> PgConnection {
        self.owner.connect().await.unwrap()
    }

    /// To this database, with all rights.
    pub(crate) async fn connect_as_superuser(&self) -> PgConnection {
        self.superuser
            .clone()
            .database(&self.name)
            .connect()
            .await
            .unwrap()
    }

    /// Appends one event in a transaction of its own.
    pub(crate) async fn append(&self, topic: &'static str, aggregate_id: Uuid, sequence: i64) -> Uuid {
        self.append_event(event(topic, aggregate_id, sequence)).await
    }

    pub(crate) async fn append_event(&self, event: NewEvent) -> Uuid {
        let (topic, aggregate_id, sequence) = (event.topic, event.aggregate_id, event.sequence);
        let mut transaction = self.pool.begin().await.unwrap();
        append(&mut transaction, &self.ambient, event).await.unwrap();
        let appended = "SELECT event_id FROM outbox WHERE topic = $1 AND aggregate_id = $2 AND sequence = $3";
        let (id,): (Uuid,) = sqlx::query_as(appended)
            .bind(topic)
            .bind(aggregate_id)
            .bind(sequence)
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        id
    }

    /// Appends `sequences` for each aggregate in turn: 1 of each, then 2 of each, and so on.
    pub(crate) async fn append_interleaved(&self, topic: &'static str, aggregates: &[Uuid], sequences: i64) {
        for sequence in 1..=sequences {
            for aggregate in aggregates {
                self.append(topic, *aggregate, sequence).await;
            }
        }
    }

    pub(crate) async fn count(&self, question: &'static str) -> i64 {
        let (count,): (i64,) = sqlx::query_as(question).fetch_one(&self.pool).await.unwrap();
        count
    }

    pub(crate) async fn unpublished(&self) -> i64 {
        self.count("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            .await
    }

    pub(crate) async fn wait_until_drained(&self) {
        wait_until("the outbox is drained", async || self.unpublished().await == 0).await;
    }
}

pub(crate) fn event(topic: &'static str, aggregate_id: Uuid, sequence: i64) -> NewEvent {
    NewEvent {
        topic,
        event_type: "wathiq.test.v1.Happened".to_owned(),
        aggregate_id,
        sequence,
        payload: format!("{aggregate_id}/{sequence}").into_bytes(),
        traceparent: wathiq_chassis::telemetry::traceparent(),
    }
}

/// Topics and consumer names are constants in services; tests make them up.
pub(crate) fn fresh_name() -> &'static str {
    Box::leak(format!("test.{}", Uuid::now_v7().simple()).into_boxed_str())
}

/// Looks every 20 ms, for at most 60 s.
pub(crate) async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
