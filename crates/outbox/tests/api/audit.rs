//! The audit trail.

use serde_json::json;
use uuid::Uuid;
use wathiq_outbox::{AuditEntry, audit};

use crate::harness::with_database;

pub(crate) fn entry(aggregate_id: Uuid) -> AuditEntry<'static> {
    AuditEntry {
        person_id: Some(Uuid::from_u128(7)),
        principal: "person:00000000-0000-0000-0000-000000000007",
        action: "thing.open",
        aggregate: "thing",
        aggregate_id,
        outcome: "refused",
        reason: Some("THING_LOCKED"),
        details: json!({"office": "x"}),
    }
}

#[tokio::test]
async fn an_entry_is_kept_as_written() {
    with_database(async |database| {
        let mut conn = database.connect().await;
        let aggregate = Uuid::now_v7();
        audit::record(&mut conn, &database.ambient, entry(aggregate))
            .await
            .unwrap();
        let row: (
            Option<Uuid>,
            String,
            String,
            String,
            Uuid,
            String,
            Option<String>,
            serde_json::Value,
        ) = sqlx::query_as(
            "SELECT person_id, principal, action, aggregate, aggregate_id, outcome, reason,
                        details
                 FROM audit",
        )
        .fetch_one(&mut conn)
        .await
        .unwrap();
        let wanted = entry(aggregate);
        assert_eq!(
            (row.0, row.1.as_str(), row.2.as_str()),
            (wanted.person_id, wanted.principal, wanted.action)
        );
        assert_eq!(
            (row.3.as_str(), row.4, row.5.as_str()),
            (wanted.aggregate, aggregate, wanted.outcome)
        );
        assert_eq!((row.6.as_deref(), row.7), (wanted.reason, wanted.details));
    })
    .await;
}
