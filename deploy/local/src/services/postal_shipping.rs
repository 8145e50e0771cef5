//! postal-shipping: shipments, labels, tracking.

use anyhow::Result;
use serde_json::{Value, json};

use super::Facts;

pub(super) fn settings(facts: &Facts<'_>) -> Result<Value> {
    let carrier = &facts.description.carrier;
    Ok(json!({
        "process": facts.process()?,
        "database": facts.database_section()?,
        "kafka": facts.kafka(),
        "upstream": facts.upstream(&["identity"])?,
        "carrier": {
            "url": carrier.url,
            "inbound_secret_files": [carrier.inbound_secret_file],
            "outbound_secret_file": carrier.outbound_secret_file,
            "announce_milliseconds": 200,
        },
    }))
}
