//! Migrations and what the application role may do.

use std::borrow::Cow;

use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;
use wathiq_outbox::{audit, is_current, migrate};

use crate::audit::entry;
use crate::harness::{fresh_name, with_database};

async fn refused(conn: &mut PgConnection, statement: &str) {
    let error = sqlx::query(AssertSqlSafe(statement.to_owned()))
        .execute(conn)
        .await
        .unwrap_err();
    let code = error
        .as_database_error()
        .and_then(DatabaseError::code)
        .map(Cow::into_owned);
    assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
}

#[tokio::test]
async fn migrating_again_changes_nothing_and_the_application_role_can_tell() {
    with_database(async |database| {
        let mut owner = database.connect_as_owner().await;
        migrate(&mut owner, &database.application_role).await.unwrap();
        let mut conn = database.connect().await;
        assert!(is_current(&mut conn).await.unwrap());
        sqlx::query(
            "DELETE FROM _outbox_migrations WHERE version = (SELECT max(version) FROM _outbox_migrations)",
        )
        .execute(&mut owner)
        .await
        .unwrap();
        assert!(!is_current(&mut conn).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_database_without_the_tables_is_not_current() {
    with_database(async |database| {
        let mut owner = database.connect_as_owner().await;
        sqlx::query("DROP TABLE _outbox_migrations")
            .execute(&mut owner)
            .await
            .unwrap();
        assert!(!is_current(&mut owner).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_database_of_another_tree_is_told_with_its_remedy() {
    with_database(async |database| {
        let mut owner = database.connect_as_owner().await;
        sqlx::query("UPDATE _outbox_migrations SET checksum = '\\x00'")
            .execute(&mut owner)
            .await
            .unwrap();
        let error = migrate(&mut owner, &database.application_role).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("`make clean`"), "{cause}");
    })
    .await;
}

#[tokio::test]
async fn migrating_for_an_unknown_role_names_it() {
    with_database(async |database| {
        let mut owner = database.connect_as_owner().await;
        let error = migrate(&mut owner, "nobody \"quoted\"").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "granting rights on the outbox tables to role nobody \"quoted\" failed"
        );
    })
    .await;
}

#[tokio::test]
async fn the_application_role_can_neither_change_nor_delete_what_was_issued() {
    with_database(async |database| {
        database.append(fresh_name(), Uuid::now_v7(), 1).await;
        let mut conn = database.connect().await;
        audit::record(&mut conn, &database.ambient, entry(Uuid::now_v7()))
            .await
            .unwrap();
        for statement in [
            "UPDATE outbox SET payload = ''",
            "UPDATE outbox SET sequence = 2",
            "UPDATE outbox SET topic = 'other'",
            "DELETE FROM outbox",
            "TRUNCATE outbox",
            "UPDATE audit SET outcome = 'done'",
            "DELETE FROM audit",
            "TRUNCATE audit",
            "UPDATE inbox SET consumer = 'other'",
            "DELETE FROM inbox",
            "DELETE FROM _outbox_migrations",
            "CREATE TABLE mine (id int)",
            "ALTER TABLE outbox ADD COLUMN more int",
            "ALTER TABLE outbox DISABLE TRIGGER ALL",
            "DROP TABLE audit",
        ] {
            refused(&mut conn, statement).await;
        }
        conn.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_published_mark_is_set_once() {
    with_database(async |database| {
        database.append(fresh_name(), Uuid::now_v7(), 1).await;
        let mut conn = database.connect().await;
        sqlx::query("UPDATE outbox SET published_at = now()")
            .execute(&mut conn)
            .await
            .unwrap();
        for statement in [
            "UPDATE outbox SET published_at = NULL",
            "UPDATE outbox SET published_at = now()",
        ] {
            let error = sqlx::query(AssertSqlSafe(statement.to_owned()))
                .execute(&mut conn)
                .await
                .unwrap_err();
            assert!(
                error.to_string().contains("already marked as published"),
                "{statement}: {error}"
            );
        }
    })
    .await;
}
