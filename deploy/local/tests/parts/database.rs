//! PostgreSQL: TLS only, and each role enters its own database only.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use wathiq_local::parts::postgres::{database, roles, superuser};
use wathiq_local::services::SERVICES;

use crate::given::stack;

fn enter(database: &str, role: &str) -> PgConnectOptions {
    let postgres = stack().postgres;
    let password = std::fs::read_to_string(&postgres.roles[role]).unwrap();
    superuser(&postgres, database).username(role).password(&password)
}

fn code(error: &sqlx::Error) -> String {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code)
        .unwrap_or_default()
        .into_owned()
}

#[tokio::test]
async fn only_tls_is_answered() {
    let postgres = stack().postgres;
    let plain = superuser(&postgres, "postgres").ssl_mode(PgSslMode::Disable);
    assert_eq!(code(&plain.connect().await.unwrap_err()), "28000");
    superuser(&postgres, "postgres")
        .connect()
        .await
        .unwrap()
        .close()
        .await
        .unwrap();
}

#[tokio::test]
async fn the_application_role_has_no_ddl_and_the_owner_has() {
    for service in SERVICES.iter().filter(|service| service.database) {
        let service = service.name;
        let (database, [owner, application]) = (database(service), roles(service));
        let mut application = enter(&database, &application).connect().await.unwrap();
        let refused = sqlx::query("CREATE TABLE intruder ()")
            .execute(&mut application)
            .await
            .unwrap_err();
        assert_eq!(code(&refused), "42501", "{service}");
        let mut owner = enter(&database, &owner).connect().await.unwrap();
        sqlx::query("CREATE TEMPORARY TABLE own ()")
            .execute(&mut owner)
            .await
            .unwrap();
        sqlx::query("CREATE SCHEMA own_schema")
            .execute(&mut owner)
            .await
            .unwrap();
        sqlx::query("DROP SCHEMA own_schema")
            .execute(&mut owner)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn no_role_enters_the_database_of_another_service() {
    for role in roles("signature") {
        let refused = enter(&database("identity"), &role).connect().await.unwrap_err();
        assert_eq!(code(&refused), "42501", "{role}");
    }
}
