//! identity: people, sessions, offices, specimens, confirmations.

use anyhow::Result;
use serde_json::{Value, json};

use super::Facts;
use crate::secrets::random_hex;

pub(super) fn settings(facts: &Facts<'_>) -> Result<Value> {
    let key = |name: &str| facts.secret_file(&format!("identity-{name}"), || random_hex(32));
    Ok(json!({
        "process": facts.process()?,
        "database": facts.database_section()?,
        "kafka": facts.kafka(),
        "secrets": {
            "delivery_key_file": key("delivery-key")?,
            "totp_key_file": key("totp-key")?,
            "signing_key_encryption_file": key("signing-key-encryption")?,
            "hash_key_file": key("hash-key")?,
        },
    }))
}
