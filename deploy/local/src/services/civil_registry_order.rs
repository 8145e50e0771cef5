//! civil-registry-order: digitised acts, orders, office queues.

use anyhow::Result;
use serde_json::{Value, json};

use super::Facts;

pub(super) fn settings(facts: &Facts<'_>) -> Result<Value> {
    let objects = facts.around.layout.data().join("registry-objects");
    std::fs::create_dir_all(&objects)?;
    Ok(json!({
        "process": facts.process()?,
        "database": facts.database_section()?,
        "kafka": facts.kafka(),
        "upstream": facts.upstream(&["identity", "payment", "postal-shipping", "signature"])?,
        "consumer": {"instance": facts.instance.name()},
        "storage": {"url": format!("file://{}", objects.display())},
        "orders": {
            "verification_url": facts.public_url()?,
            // An office that has just opened takes orders soon.
            "office_seconds": 2,
        },
    }))
}
