//! gateway: the JSON API and the pages.

use anyhow::Result;
use serde_json::{Value, json};

use super::Facts;

pub(super) fn settings(facts: &Facts<'_>) -> Result<Value> {
    let mut process = facts.process()?;
    // It serves HTTP alone, on the listener below.
    process["listen"] = json!("127.0.0.1:0");
    Ok(json!({
        "process": process,
        "http": {
            "listen": facts.loopback(&facts.instance.name())?,
            "public_url": facts.public_url()?,
            // The demonstration's own client begins the trace that is followed to the end.
            "trusted_tracers": ["127.0.0.1"],
        },
        "upstream": facts.upstream(&[
            "identity",
            "signature",
            "notification",
            "payment",
            "postal-shipping",
            "civil-registry-order",
        ])?,
    }))
}
