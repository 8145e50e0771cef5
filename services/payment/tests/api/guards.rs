//! What the database itself does not let the application do, whatever the code above says.

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::harness::World;

async fn refused(conn: &mut PgConnection, sql: &str) -> bool {
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(conn)
        .await
        .is_err()
}

#[tokio::test]
async fn what_was_decided_about_money_stays_decided() {
    let world = World::start().await;
    let (payable, _) = world.captured(Uuid::new_v4()).await;
    world
        .try_refund(&payable.payable_id, "line-1", 1_200)
        .await
        .unwrap();
    world.settle(chrono::TimeDelta::minutes(5)).await;
    let mut conn = world.database.connect().await;
    for sql in [
        "UPDATE payable SET state = 'OPEN', paid_at = NULL, paid_by = NULL, receipt_year = NULL, receipt_number = NULL",
        "UPDATE payable SET receipt_number = 7",
        "UPDATE payable SET amount = 1",
        "UPDATE payable_item SET amount = 1",
        "UPDATE attempt SET state = 'STARTED', captured_at = NULL, transaction_id = NULL, authorised_at = NULL",
        "UPDATE attempt SET state = 'AUTHORISED', captured_at = NULL",
        "UPDATE attempt SET provider_order_id = 'other'",
        "UPDATE refund SET state = 'REQUESTED', completed_at = NULL",
        "UPDATE refund SET amount = 1",
        "INSERT INTO refund SELECT gen_random_uuid(), payable_id, attempt_id, 'more', 801, 'REQUESTED', 'X', 0, NULL, NULL, NULL, created_at, NULL, false FROM refund",
        "UPDATE answer SET answer = 'FAILURE'",
        "UPDATE sale SET attempt_id = NULL",
        "DELETE FROM sale",
        "DELETE FROM payable_item",
        "DELETE FROM refund",
        "DELETE FROM answer",
        "DELETE FROM reversal",
        "TRUNCATE answer",
        "ALTER TABLE payable DISABLE TRIGGER ALL",
    ] {
        assert!(refused(&mut conn, sql).await, "{sql}");
    }
    // The guards are what refuses: the same statement within them is taken.
    let within = "INSERT INTO refund SELECT gen_random_uuid(), payable_id, attempt_id, 'more', 800, 'REQUESTED', 'X', 0, NULL, NULL, NULL, created_at, NULL, false FROM refund";
    assert!(!refused(&mut conn, within).await);
}
