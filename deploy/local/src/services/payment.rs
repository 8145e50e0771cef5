//! payment: payables, providers, receipts.

use anyhow::Result;
use serde_json::{Value, json};

use super::Facts;

pub(super) fn settings(facts: &Facts<'_>) -> Result<Value> {
    let (cmi, phones) = (&facts.description.cmi, &facts.description.text_payment);
    let gateway = facts.public_url()?;
    let callback = |path: &str| format!("{gateway}/callbacks/payments/{path}");
    Ok(json!({
        "process": facts.process()?,
        "database": facts.database_section()?,
        "kafka": facts.kafka(),
        "upstream": facts.upstream(&["identity"])?,
        "cmi": {
            "gate_url": format!("{}/fim/est3Dgate", cmi.url),
            "api_url": format!("{}/fim/api", cmi.url),
            "client_id": cmi.client_id,
            "store_key_file": cmi.store_key_file,
            "api_user": cmi.api_name,
            "api_password_file": cmi.api_password_file,
            "callback_url": callback("cmi"),
            "ok_url": callback("cmi/return/ok"),
            "fail_url": callback("cmi/return/fail"),
            "shop_url": gateway,
        },
        "text_message": {
            "url": phones.url,
            "key_file": phones.key_file,
            "secret_file": phones.callback_secret_file,
            "callback_url": callback("text-message"),
        },
    }))
}
