//! A database of one test's own, dropped at its end.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;
use wathiq_chassis::SecretFile;
use wathiq_civil_registry_order::config::DatabaseConfig;

use super::stack::Stack;

const OWNER: &str = "wathiq_civil_registry_order_owner";
const APPLICATION: &str = "wathiq_civil_registry_order_app";

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
        let sql = format!("CREATE DATABASE {name} OWNER {OWNER}");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        let (url, password_file) = login(&name, APPLICATION);
        let (owner_url, owner_password_file) = login(&name, OWNER);
        let config = DatabaseConfig {
            url,
            password_file: Some(password_file),
            owner_url: Some(owner_url),
            owner_password_file: Some(owner_password_file),
        };
        wathiq_civil_registry_order::migrate(&config).await.unwrap();
        Self { config, name }
    }

    /// A connection as the application role.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.config.connect_options().unwrap())
            .await
            .unwrap()
    }

    /// A connection as the owner.
    pub(crate) async fn owner(&self) -> PgConnection {
        PgConnection::connect_with(&self.config.owner_options().unwrap())
            .await
            .unwrap()
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
                let sql = format!("DROP DATABASE {name} WITH (FORCE)");
                sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
            });
        });
        dropping.join().expect("the database of the test can be dropped");
    }
}

fn superuser() -> PgConnectOptions {
    let stack = Stack::get();
    let options = PgConnectOptions::new()
        .host(stack.text("/postgres/host"))
        .port(port())
        .username(stack.text("/postgres/superuser"))
        .password(stack.text("/postgres/superuser_password"))
        .database("postgres");
    match stack.at("/postgres/ca").as_str() {
        Some(ca) => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(ca),
        None => options.ssl_mode(PgSslMode::Disable),
    }
}

fn login(database: &str, role: &str) -> (String, SecretFile) {
    let stack = Stack::get();
    let tls = match stack.at("/postgres/ca").as_str() {
        Some(ca) => format!("sslmode=verify-full&sslrootcert={ca}"),
        None => "sslmode=disable".to_owned(),
    };
    let url = format!(
        "postgres://{role}@{}:{}/{database}?{tls}",
        stack.text("/postgres/host"),
        port()
    );
    (
        url,
        SecretFile::new(stack.text(&format!("/postgres/roles/{role}"))),
    )
}

fn port() -> u16 {
    u16::try_from(Stack::get().at("/postgres/port").as_u64().unwrap()).unwrap()
}
