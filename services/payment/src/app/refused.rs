//! Messages that are not taken leave a trace, but not more of them than can be read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;
use wathiq_outbox::audit::{self, AuditEntry};

use crate::app::{App, AppError};
use crate::domain::provider::Provider;

/// Traces of one reason in a minute.
const A_MINUTE: u32 = 20;

/// How many traces each reason has left lately, in this process.
#[derive(Debug, Default)]
pub struct Quota(Mutex<HashMap<&'static str, (DateTime<Utc>, u32)>>);

impl Quota {
    /// Whether there is room for another trace.
    pub fn take(&self, reason: &'static str, now: DateTime<Utc>) -> bool {
        let mut quota = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = quota.entry(reason).or_insert((now, 0));
        if now - *since >= TimeDelta::minutes(1) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= A_MINUTE
    }
}

/// Counts a message that is not taken, and leaves a trace of it while there is room. Nothing of the message itself is kept.
///
/// # Errors
/// [`AppError::Audit`].
pub async fn trace(
    app: &App,
    provider: Provider,
    attempt_id: Option<Uuid>,
    reason: &'static str,
) -> Result<(), AppError> {
    metrics::counter!("payment_messages_refused_total", "service" => "payment", "provider" => provider.as_str(), "reason" => reason)
        .increment(1);
    if !app.refused.take(reason, app.ambient.now()) {
        return Ok(());
    }
    let mut transaction = app.pool.begin().await?;
    let entry = AuditEntry {
        person_id: None,
        principal: &format!("provider:{}", provider.as_str()),
        action: "attempt.message",
        aggregate: "attempt",
        aggregate_id: attempt_id.unwrap_or_default(),
        outcome: "refused",
        reason: Some(reason),
        details: json!({}),
    };
    audit::record(&mut transaction, &app.ambient, entry).await?;
    transaction.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_few_traces_and_each_reason_has_its_own_room() {
        let (quota, start) = (Quota::default(), DateTime::UNIX_EPOCH);
        let taken = (0..1_000).filter(|_| quota.take("HASH_WRONG", start)).count();
        assert_eq!(taken, 20);
        assert!(quota.take("AMOUNT_DIFFERS", start));
        assert!(!quota.take("HASH_WRONG", start + TimeDelta::seconds(59)));
        assert!(quota.take("HASH_WRONG", start + TimeDelta::seconds(60)));
    }
}
