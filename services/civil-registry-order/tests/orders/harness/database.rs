//! A database of one test's own with its own two roles, dropped at its end.

use std::sync::OnceLock;

use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;
use wathiq_civil_registry_order::config::DatabaseConfig;

/// A migrated database.
pub(crate) struct Database {
    pub(crate) config: DatabaseConfig,
    name: String,
}

impl Database {
    /// Creates and migrates it.
    pub(crate) async fn create() -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let mut conn = PgConnection::connect_with(&superuser()).await.unwrap();
        for sql in [
            format!("CREATE ROLE {name}_owner LOGIN PASSWORD '{name}'"),
            format!("CREATE ROLE {name}_app LOGIN PASSWORD '{name}'"),
            format!("CREATE DATABASE {name} OWNER {name}_owner"),
        ] {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        }
        conn.close().await.unwrap();
        let config = DatabaseConfig {
            url: url(&name, "app"),
            password_file: None,
            owner_url: Some(url(&name, "owner")),
            owner_password_file: None,
        };
        wathiq_civil_registry_order::migrate(&config).await.unwrap();
        Self { config, name }
    }

    /// A connection as the application role.
    /// A connection as the owner.
    pub(crate) async fn owner(&self) -> PgConnection {
        PgConnection::connect_with(&self.config.owner_options().unwrap())
            .await
            .unwrap()
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.config.connect_options().unwrap())
            .await
            .unwrap()
    }

    /// A connection as the role that owns the tables, which may change what the application may not.
    pub(crate) async fn connect_as_owner(&self) -> PgConnection {
        PgConnection::connect_with(&self.config.owner_options().unwrap())
            .await
            .unwrap()
    }

    /// Waits until somebody listens for what becomes due.
    pub(crate) async fn listened_to(&self) {
        let mut conn = self.connect().await;
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND query LIKE 'LISTEN%' AND state = 'idle'";
        let listened_to = async {
            while sqlx::query_scalar::<_, i64>(sql)
                .fetch_one(&mut conn)
                .await
                .unwrap()
                == 0
            {}
        };
        let bound = std::time::Duration::from_secs(20);
        tokio::time::timeout(bound, listened_to)
            .await
            .expect("nobody listens");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = self.name.clone();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut conn = PgConnection::connect_with(&superuser()).await.unwrap();
                for sql in [
                    format!("DROP DATABASE {name} WITH (FORCE)"),
                    format!("DROP ROLE {name}_owner, {name}_app"),
                ] {
                    sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
                }
            });
        });
        dropping.join().expect("the database of the test can be dropped");
    }
}

/// A value of what `WATHIQ_TEST_STACK` describes, by its JSON pointer.
pub(crate) fn stack(pointer: &str) -> &'static Value {
    static STACK: OnceLock<Value> = OnceLock::new();
    let stack = STACK.get_or_init(|| {
        let path = std::env::var("WATHIQ_TEST_STACK").expect("run through `wathiq-local test -- cargo test`");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    });
    stack
        .pointer(pointer)
        .unwrap_or_else(|| panic!("the stack has no {pointer}"))
}

fn text(pointer: &str) -> &'static str {
    stack(pointer)
        .as_str()
        .unwrap_or_else(|| panic!("{pointer} is no text"))
}

fn port() -> u16 {
    u16::try_from(stack("/postgres/port").as_u64().unwrap()).unwrap()
}

fn superuser() -> PgConnectOptions {
    let options = PgConnectOptions::new()
        .host(text("/postgres/host"))
        .port(port())
        .username(text("/postgres/superuser"))
        .password(text("/postgres/superuser_password"))
        .database("postgres");
    match stack("/postgres/ca").as_str() {
        Some(ca) => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(ca),
        None => options.ssl_mode(PgSslMode::Disable),
    }
}

fn url(database: &str, role: &str) -> String {
    let tls = match stack("/postgres/ca").as_str() {
        Some(ca) => format!("sslmode=verify-full&sslrootcert={ca}"),
        None => "sslmode=disable".to_owned(),
    };
    let (host, port) = (text("/postgres/host"), port());
    format!("postgres://{database}_{role}:{database}@{host}:{port}/{database}?{tls}")
}
